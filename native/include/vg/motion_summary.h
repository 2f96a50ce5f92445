/* The summary of a day as it is searched: which cells moved in which of its 720 blocks of two
 * minutes. Made from a set (motion_tiles.h) whose slots are blocks, when a day's file is opened,
 * and kept in memory, so that a search touches little of it:
 *
 *   moved   for each tile a bit for each block in which anything of it moved: where a region has
 * all cells that ever move in a tile, that is the answer bytes   for each tile, of those blocks in
 * their order: a mask of the rows in which every cell moved, which are two thirds of all; behind
 * these a mask of those in which some did; behind these such rows
 *
 * The number of a block is that of its first second, divided by 120. */
#ifndef VG_MOTION_SUMMARY_H
#define VG_MOTION_SUMMARY_H

#include "vg/motion_tiles.h"

enum {
    VG_BLOCKS = 720,
    VG_BLOCK_WORDS = (VG_BLOCKS + 63) / 64,
    VG_SUMMARY_BEHIND = 8, /* bytes that may be read behind the last row */
};

/* A bit for each block. */
typedef struct vg_blocks {
    uint64_t words[VG_BLOCK_WORDS];
} vg_blocks;

typedef struct vg_summary {
    uint64_t cells[VG_TILES]; /* that move in any block */
    vg_blocks moved[VG_TILES];
    uint32_t at[VG_TILES];    /* in `bytes` */
    uint32_t count[VG_TILES]; /* blocks with motion */
    const uint8_t *bytes;
} vg_summary;

/* What is to be found. */
typedef struct vg_summary_ask {
    uint64_t cells[VG_TILES];
    uint16_t at_least; /* of them; above 0 */
    vg_blocks blocks;  /* that are looked at */
} vg_summary_ask;

/* Makes the summary of a set of blocks; `bytes` has room for the set and VG_SUMMARY_BEHIND bytes
 * more and belongs to `out` from then on. Gives what of it is used. VG_OK, or VG_SHORT or VG_VALUE
 * for a set that is none; `fault` offsets are within the set. */
vg_err vg_summary_make(const uint8_t *set, size_t size, uint8_t *bytes, size_t *used,
                       vg_summary *out, vg_fault *fault);

/* The blocks in which at least so many of the cells moved, not necessarily at once. */
void vg_summary_find(const vg_summary *summary, const vg_summary_ask *ask, vg_blocks *found);

/* The same without instructions that some processors lack; the above picks the faster one. */
void vg_summary_find_portable(const vg_summary *summary, const vg_summary_ask *ask,
                              vg_blocks *found);

/* The tiles in which any of the cells moved in one of those blocks, as bits. */
uint64_t vg_summary_tiles(const vg_summary *summary, const vg_summary_ask *ask);

/* Adds [from, to) to a set of blocks; to is at most VG_BLOCKS. */
void vg_blocks_add(vg_blocks *blocks, uint32_t from, uint32_t to);

/* The first run of blocks from *from on: *from to *to (excluded). False where there is none. */
bool vg_blocks_next(const vg_blocks *blocks, uint32_t *from, uint32_t *to);

#endif
