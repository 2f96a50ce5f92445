/* Rows packed for the index: the chunks of some minutes of a stream in one value, varints against
 * what the row before predicts. Pure functions over the caller's memory; docs/ref/segment-format.md
 * draws the bytes. */
#ifndef VG_ROWS_H
#define VG_ROWS_H

#include "vg/segment.h"

typedef struct vg_packed_row {
    uint32_t segment;
    uint64_t epoch;
    vg_row row;
} vg_packed_row;
enum {
    VG_ROWS_MAX = UINT16_MAX, /* in one value */
    VG_ROWS_HEADER = 3,       /* version, count */
    VG_ROWS_HEADER_MAX = 23,  /* and, in version 2, their sums */
    VG_PACKED_ROW_MAX = 104,  /* a row that nothing predicts */
};
/* Version 2 where the rows are one run without a hole, which has sums; else version 1. VG_LIMIT:
 * more than VG_ROWS_MAX rows, or no room (VG_ROWS_HEADER_MAX is needed in any case). */
vg_err vg_rows_pack(const vg_packed_row *rows, uint32_t count, uint8_t *out, size_t capacity,
                    size_t *size);
/* `data` with `rows` behind what it holds: the same bytes as packing all of them. `out` may not
 * overlap `data`. */
vg_err vg_rows_append(const uint8_t *data, size_t data_size, const vg_packed_row *rows,
                      uint32_t count, uint8_t *out, size_t capacity, size_t *size, vg_fault *fault);
/* VG_LIMIT: more rows than `capacity` (`*count` tells how many). */
vg_err vg_rows_unpack(const uint8_t *data, size_t size, vg_packed_row *out, uint32_t capacity,
                      uint32_t *count, vg_fault *fault);
/* By run and sequence, copies by their epochs: what was found in any order. */
void vg_rows_sort(vg_packed_row *rows, uint32_t count);

/* A range of rows that follow each other in a run, or lie less than VG_SPAN_JOIN_NS apart. */
typedef struct vg_span {
    int64_t start_ns, end_ns;
    uint64_t samples, bytes;
    uint64_t run, sequence; /* of its last row */
} vg_span;
enum { VG_SPAN_JOIN_NS = 1000000 };
/* Adds the rows of one value that touch [from_ns, to_ns) to `spans`, of which `*count` are filled:
 * the values of a stream in their order, one call each. Rows are taken whole. Where the value has
 * sums and lies inside of the range, its rows are not read. VG_LIMIT: not as much room as the value
 * has rows (its second and third byte); nothing was added then. */
vg_err vg_rows_spans(const uint8_t *data, size_t size, int64_t from_ns, int64_t to_ns,
                     vg_span *spans, uint32_t capacity, uint32_t *count, vg_fault *fault);

/* A fragment, or as much of one as lies in one piece in one segment and lasts
 * VG_FRAGMENT_TICKS_MAX: bytes that can be served as they lie there. `kind` is that of its first
 * sample; 0: it goes on with what the one before began. Offsets named `_start`, `_end`,
 * `last_chunk` count from its own `offset`. */
typedef struct vg_fragment {
    uint32_t segment, offset, bytes;
    uint64_t epoch;
    uint32_t moof_start, first_sample_end; /* of its first chunk: a key frame alone */
    uint32_t last_chunk;                   /* where its last chunk starts */
    int64_t wall_start_ns, wall_end_ns;
    uint64_t duration, samples;
    uint32_t flags; /* those of all its rows */
    uint8_t kind;
    uint64_t run, sequence; /* of its first row */
    uint32_t chunks;
} vg_fragment;
enum { VG_FRAGMENT_TICKS_MAX = 10 * 90000 };
/* As vg_rows_spans, but fragments. A row that alone lasts longer is one by itself. */
vg_err vg_rows_fragments(const uint8_t *data, size_t size, int64_t from_ns, int64_t to_ns,
                         vg_fragment *fragments, uint32_t capacity, uint32_t *count,
                         vg_fault *fault);

#endif
