/* Pictures to cells in which something moved (docs/design/motion.md): a picture's luma becomes 128
 * x 72 means, these are compared with those of about 0.2 s before, and what changed by more than
 * noise explains is a cell of 64 x 36 in a slot of one second. Whole numbers only: the same
 * everywhere. Nothing is allocated, no clock is read. */
#ifndef VG_MOTION_H
#define VG_MOTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vg/err.h"

enum {
    VG_MOTION_COLUMNS = 64,
    VG_MOTION_ROWS = 36,
    VG_MOTION_FINE_COLUMNS = 2 * VG_MOTION_COLUMNS, /* four means make a cell */
    VG_MOTION_FINE_ROWS = 2 * VG_MOTION_ROWS,
    VG_MOTION_FINE = VG_MOTION_FINE_COLUMNS * VG_MOTION_FINE_ROWS,
    VG_MOTION_SIDE_MAX = 8192,   /* pixels: a mean's rows fit into 16 bits */
    VG_MOTION_KEPT = 4,          /* means that a later picture may be compared with */
    VG_MOTION_NOISE_PLANES = 16, /* differences that noise is told from: two for each second of 8 */
    VG_MOTION_SLOTS_MAX = 16,    /* that one picture can complete */
    VG_MOTION_CELL_BYTES = VG_MOTION_COLUMNS * VG_MOTION_ROWS / 8,
};

/* A picture's luma. Rows are `stride` bytes apart. `bits` of a sample: 8 is one byte, 9 to 16 are
 * two (little-endian, the lower bits; what is below the upper 8 is dropped). */
typedef struct vg_luma {
    const uint8_t *bytes;
    size_t size; /* of all that may be read */
    size_t stride;
    uint32_t width, height;
    uint32_t bits;
} vg_luma;

/* The means, row by row from the top left, rounded to the nearest, halves up. Mean i of a side of n
 * pixels covers [i * n / 128, (i + 1) * n / 128), rounded down, and one pixel at least (72 for
 * rows). VG_VALUE: no pixels, a stride shorter than a row, bits outside of 8 to 16. VG_LIMIT: a
 * side over VG_MOTION_SIDE_MAX. VG_SHORT: `size` ends before the last row does. */
vg_err vg_motion_means(const vg_luma *luma, uint8_t means[VG_MOTION_FINE], vg_fault *fault);

/* One second of wall time. */
typedef struct vg_motion_slot {
    int64_t second;                /* since 1970 */
    uint64_t rows[VG_MOTION_ROWS]; /* bit c: column c */
    bool is_global;                /* most of the picture changed at once */
} vg_motion_slot;

/* One stream. Zeros: at its beginning. */
typedef struct vg_motion {
    uint32_t width, height;
    uint32_t kept;   /* of `means` */
    uint32_t newest; /* of them */
    int64_t times_ns[VG_MOTION_KEPT];
    uint8_t means[VG_MOTION_KEPT][VG_MOTION_FINE];
    uint32_t noises; /* of `noise` */
    uint32_t noise_newest;
    int64_t noise_times_ns[VG_MOTION_NOISE_PLANES];
    uint8_t noise[VG_MOTION_NOISE_PLANES][VG_MOTION_FINE];
    int64_t judged_second;          /* whose thresholds these are */
    uint8_t strong[VG_MOTION_FINE]; /* a difference that is motion; 0: not computed yet */
    uint8_t weak[VG_MOTION_FINE];   /* one that is motion beside a strong one */
    bool is_open;                   /* `slot` has been begun */
    vg_motion_slot slot;
} vg_motion;

/* The next picture in order of presentation, and when it was taken, in ns since 1970. Slots that it
 * completes are written to `slots` (VG_MOTION_SLOTS_MAX) and counted. A second in which nothing
 * could be compared has no slot; seconds between pictures that were compared have that comparison's
 * cells.
 *
 * A picture less than 60 ms after the one before, or up to 1 s before it, is passed over. A time
 * further back, and another size, begin anew; so does, but for noise, a picture more than 10 s
 * later.
 *
 * VG_LIMIT also: a time before 1970 or behind 2116. Otherwise as vg_motion_means, nothing changed.
 */
vg_err vg_motion_push(vg_motion *motion, const vg_luma *luma, int64_t time_ns,
                      vg_motion_slot *slots, uint32_t *count, vg_fault *fault);

/* What is known of the second that is still open; true: there is one. What comes of it later is
 * another slot. */
bool vg_motion_finish(vg_motion *motion, vg_motion_slot *slot);

/* What comes is not to be compared with what came: a cut, a lost picture, another run. The open
 * second stays open, and noise known. */
void vg_motion_break(vg_motion *motion);

/* As the index stores them: cell row * 64 + column is bit (cell & 7) of byte cell >> 3. */
void vg_motion_cells(const vg_motion_slot *slot, uint8_t cells[VG_MOTION_CELL_BYTES]);

/* The means of the latest picture that was not passed over; NULL: none since the beginning. */
const uint8_t *vg_motion_latest(const vg_motion *motion);

#endif
