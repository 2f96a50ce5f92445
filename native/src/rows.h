/* How a row is packed (rows.c) and how a value begins (rows_value.c), for what reads values. */
#ifndef VG_SRC_ROWS_H
#define VG_SRC_ROWS_H

#include "put.h"
#include "vg/rows.h"

/* What the rows so far say about the next one. */
typedef struct vg_predictor {
    vg_packed_row last;
    uint32_t flags[2]; /* of the last row that was not sync, and that was */
    uint8_t sync_kind; /* the last one that was not none */
    int64_t error_ns;  /* of the last row: wall duration minus media duration; the slew goes on */
} vg_predictor;

/* Writes a row, and makes it p->last. */
void vg_row_put(vg_put *w, vg_predictor *p, const vg_packed_row *row);
/* Makes p->last the next row. False: the bytes are no row. */
bool vg_row_get(vg_bytes *b, vg_predictor *p);

/* A value's header. */
typedef struct vg_rows_head {
    uint32_t count;
    bool has_sums; /* the rows are one run without a hole, and none starts before the first */
    int64_t end_ns;
    uint64_t samples, bytes;
} vg_rows_head;

/* Reads it; the cursor stands at the first row. */
vg_err vg_rows_head_get(vg_bytes *b, vg_rows_head *head, vg_fault *fault);
vg_err vg_rows_fault(const vg_bytes *b, vg_fault *fault);
/* VG_VALUE where bytes are left behind the last row. */
vg_err vg_rows_end(const vg_bytes *b, vg_fault *fault);

#endif
