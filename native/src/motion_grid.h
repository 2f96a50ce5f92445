/* The loops over whole pictures, built twice: for AVX2 and for every processor. Both are the same
 * C, so they cannot differ in what they compute; the tests compare them all the same. */
#ifndef VG_SRC_MOTION_GRID_H
#define VG_SRC_MOTION_GRID_H

#include "vg/motion.h"

typedef struct vg_motion_loops {
    /* Sums of each column over `rows` rows of `width` bytes. */
    void (*columns)(const uint8_t *rows_start, size_t stride, uint32_t rows, uint32_t width,
                    uint16_t *sums);
    /* |a - b| of each mean, and its marks: bit 0 from `weak` on, bit 1 from `strong` on. */
    void (*differ)(const uint8_t *a, const uint8_t *b, const uint8_t *weak, const uint8_t *strong,
                   uint8_t *difference, uint8_t *marks);
    /* Of each mean: the value at place (count - 1) / 2 of `count` differences in order of size. */
    void (*median)(const uint8_t *const *planes, uint32_t count, uint8_t *medians);
} vg_motion_loops;

/* Those for this processor, and those for every one. */
const vg_motion_loops *vg_motion_loops_best(void);
const vg_motion_loops *vg_motion_loops_plain(void);

vg_err vg_motion_means_by(const vg_motion_loops *loops, const vg_luma *luma,
                          uint8_t means[VG_MOTION_FINE], vg_fault *fault);
vg_err vg_motion_push_by(const vg_motion_loops *loops, vg_motion *motion, const vg_luma *luma,
                         int64_t time_ns, vg_motion_slot *slots, uint32_t *count, vg_fault *fault);

#endif
