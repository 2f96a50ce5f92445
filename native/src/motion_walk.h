/* A walk along a strip (vg/motion_tiles.h), slot by slot, which checks what the strip says of each.
 */
#ifndef VG_SRC_MOTION_WALK_H
#define VG_SRC_MOTION_WALK_H

#include "bytes.h"
#include "motion_rows.h"
#include "vg/motion_tiles.h"

enum { LONG_TIME = 255, LONG_TIME_BYTES = 3 }; /* of passed slots: a byte, or this and so many */

/* Where a walk along a strip stands. */
typedef struct vg_walk {
    const vg_strip *strip;
    uint32_t at;   /* of its slots */
    uint32_t time; /* of the bytes of its times */
    uint32_t row;  /* of the bytes of its rows: where this slot's begin */
    uint32_t next; /* the slot after this one, were none passed over */
    uint32_t slot;
    uint8_t mask;
} vg_walk;

/* Goes to the slot `w->at`, whose rows begin at `w->row`. VG_OK: they are within the strip, and the
 * slot is below `slots`; or VG_VALUE. */
vg_err vg_walk_to(vg_walk *w, uint32_t slots, vg_fault *fault);

/* VG_OK behind the last slot of a strip that has nothing more; or VG_VALUE. */
vg_err vg_walk_ends(const vg_walk *w, vg_fault *fault);

/* The rows from here on, the first one lowest; behind them whatever follows. */
static inline uint64_t rows_from(const vg_walk *w) {
    const uint8_t *p = w->strip->rows + w->row;
    const uint32_t left = w->strip->rows_size - w->row;
    if (left >= 8) return load_little(p);
    uint64_t word = 0;
    for (uint32_t i = 0; i < left; i++)
        word |= (uint64_t)p[i] << 8U * i;
    return word;
}

/* The word of the slot that the walk stands at. */
static inline uint64_t word_at(const vg_walk *w) {
    uint32_t mask = w->mask;
    uint64_t rows = rows_from(w);
    const uint32_t lowest = mask & (0U - mask);
    if (((mask + lowest) & mask) == 0) /* rows without a gap, as of nearly every body */
        return (rows & UINT64_MAX >> 8U * (8U - vg_rows_of_mask[mask]))
               << 8U * (uint32_t)__builtin_ctz(mask);
    uint64_t word = 0;
    for (; mask != 0; mask &= mask - 1, rows >>= 8U)
        word |= (rows & 0xFFU) << 8U * (uint32_t)__builtin_ctz(mask);
    return word;
}

#endif
