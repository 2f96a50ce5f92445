/* Fragments as an HLS player gets them (RFC 8216): which of them follow each other, the text of
 * their entries, and the map between the player's time and wall time. A day has 43,200; what is
 * unusual about a range (gaps, fragments in several segments) is decided by the caller. */
#ifndef VG_PLAYLIST_H
#define VG_PLAYLIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vg/err.h"
#include "vg/rows.h"

enum {
    VG_TOLD_APART_NS = 40000000, /* a picture's time: what differs by more is told */
    VG_LIST_ENTRY_MAX = 192,     /* bytes of an entry without its address */
    VG_LIST_STEPS_S = 100000,    /* durations have five decimals */
};

/* How many of `count` fragments, from the first on, begin with a sync sample and follow each other
 * in one run and one life of one segment. At least 1; a first one without a sync sample is alone.
 */
uint32_t vg_fragments_stretch(const vg_fragment *fragments, uint32_t count);

typedef enum vg_list_kind {
    VG_LIST_RANGES, /* whole fragments, each a range of its segment */
    VG_LIST_KEYS,   /* their first samples, from `moof` on */
    VG_LIST_FILES,  /* the address alone */
} vg_list_kind;

/* Where a list stands. Zeros: at its beginning. */
typedef struct vg_list {
    uint64_t ticks;      /* of all entries so far, 90 kHz */
    uint64_t steps;      /* what their durations add up to: sums are rounded, not parts */
    uint64_t longest;    /* duration, in steps */
    uint64_t told_ticks; /* where wall time was last told, */
    int64_t told_ns;     /* and what it was */
} vg_list;

/* Writes the entries of `fragments`, each with the address `uri`: EXTINF, EXT-X-BYTERANGE, and
 * EXT-X-PROGRAM-DATE-TIME before the first if `tells`, before others where wall time is not as the
 * durations say. VG_LIMIT: no room; count * (VG_LIST_ENTRY_MAX + uri_size) bytes are enough. */
vg_err vg_list_write(vg_list *list, vg_list_kind kind, bool tells, const vg_fragment *fragments,
                     uint32_t count, const char *uri, size_t uri_size, uint8_t *out,
                     size_t capacity, size_t *size);

/* Wall time and the player's time run alike from here on, for so long. */
typedef struct vg_map_piece {
    int64_t wall_start_ns, wall_end_ns;
    uint64_t start_ticks, end_ticks;
    bool is_uneven; /* a stall inside of it: nothing before or behind shares its pace */
} vg_map_piece;

/* Adds fragments behind those that `pieces` have, of which `*count` are filled; `breaks`: the first
 * begins a piece whatever its time. VG_LIMIT: room for fewer than `fragment_count` more. */
vg_err vg_map_add(bool breaks, const vg_fragment *fragments, uint32_t fragment_count,
                  vg_map_piece *pieces, uint32_t capacity, uint32_t *count);

#endif
