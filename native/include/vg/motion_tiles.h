/* The motion grid as the index keeps it (docs/ref/motion.md): 64 x 36 cells as 8 x 5 tiles of 8 x
 * 8, the lowest row of tiles half empty. A tile in one slot (a second, or a block of two minutes)
 * is a word: byte `row` of it, bit `column`.
 *
 * A tile's *strip* holds the slots in which anything of it moved, in their order:
 *
 *   u32 count | u32 bytes of times | u32 bytes of rows | masks | times | rows
 *
 *   masks   a byte a slot: which rows of the tile have a cell; never 0
 *   times   the slots passed over since the last one: a byte, or 255 and a u24
 *   rows    for each slot the bytes of the rows that its mask names, from the top
 *
 * A *set* holds the strips of the tiles in which anything moved, the tile's number before each,
 * rising: (u8 tile | strip)...
 *
 * Parsing allocates nothing and reads within its input only; what it says is checked, since it
 * comes from a disk. */
#ifndef VG_MOTION_TILES_H
#define VG_MOTION_TILES_H

#include <stdbool.h>
#include <stdint.h>

#include "vg/err.h"

enum {
    VG_TILES_ACROSS = 8,
    VG_TILES_DOWN = 5,
    VG_TILES = VG_TILES_ACROSS * VG_TILES_DOWN,
    VG_CELL_BYTES = 288,  /* of one second: cell row * 64 + column is bit (cell & 7) of cell >> 3 */
    VG_SLOTS_MAX = 86400, /* a day of seconds */
    VG_STRIP_HEAD = 12,
    VG_STRIP_SLOT_MAX = 1 + 4 + 8, /* mask, time, rows */
};

/* A strip whose lengths are those of the bytes that it came from; points into them. */
typedef struct vg_strip {
    uint32_t count;
    uint32_t times_size;
    uint32_t rows_size;
    const uint8_t *masks;
    const uint8_t *times;
    const uint8_t *rows;
} vg_strip;

/* Finds the parts of the strip at the start of `data`. VG_OK, VG_SHORT or VG_VALUE; `out` and
 * `consumed` are written only with VG_OK. */
vg_err vg_strip_read(const uint8_t *data, size_t size, vg_strip *out, size_t *consumed,
                     vg_fault *fault);

/* The same where the rows stand elsewhere, and nothing behind either. */
vg_err vg_strip_join(const uint8_t *head, size_t head_size, const uint8_t *rows, size_t rows_size,
                     vg_strip *out, vg_fault *fault);

/* Adds to counts[slot] how many of `cells` moved in it, and sets `*any` where one did in any slot.
 * VG_OK, or VG_VALUE for a strip that contradicts itself or reaches beyond `slots`; counts of slots
 * before the wrong one may have been added to. `fault` offsets are within the strip. */
vg_err vg_strip_count(const vg_strip *strip, uint64_t cells, uint16_t *counts, uint32_t slots,
                      bool *any, vg_fault *fault);

/* The same without instructions that some processors lack; the above picks the faster one. */
vg_err vg_strip_count_portable(const vg_strip *strip, uint64_t cells, uint16_t *counts,
                               uint32_t slots, bool *any, vg_fault *fault);

/* ORs each slot's word into words[slot]. As above. */
vg_err vg_strip_spread(const vg_strip *strip, uint64_t *words, uint32_t slots, vg_fault *fault);

/* Writes the strip of words[0..slots). Gives its bytes, at most VG_STRIP_HEAD + the slots that move
 * * VG_STRIP_SLOT_MAX; 0 where nothing moves or `capacity` is too small for the slots that do. */
size_t vg_strip_write(const uint64_t *words, uint32_t slots, uint8_t *out, size_t capacity);

/* How many of words[0..slots) are not 0. */
uint32_t vg_words_used(const uint64_t *words, uint32_t slots);

/* A walk along the strips of a set. */
typedef struct vg_set {
    const uint8_t *data;
    size_t size;
    size_t offset;
    uint32_t next_tile;
} vg_set;

/* The next strip of a set and its tile; VG_MORE behind the last. VG_OK, VG_MORE, VG_SHORT or
 * VG_VALUE; `fault` offsets are within the set. */
vg_err vg_set_next(vg_set *set, uint32_t *tile, vg_strip *strip, vg_fault *fault);

/* Adds to heat[row * 8 + column] in how many of words[0..slots) that cell moved. */
void vg_words_heat(const uint64_t *words, uint32_t slots, uint32_t heat[64]);

/* The word of a tile in the cells of one second, and back. */
uint64_t vg_tile_of(const uint8_t cells[VG_CELL_BYTES], uint32_t tile);
void vg_tile_put(uint64_t word, uint32_t tile, uint8_t cells[VG_CELL_BYTES]);

/* What is known of a slot: 0 nothing, else the tier (1 full, 2 key), and whether it was global. */
enum { VG_SLOT_TIER = 3, VG_SLOT_GLOBAL = 4 };

/* Slots in which enough cells moved, no further apart than the gap. */
typedef struct vg_episode {
    uint32_t from;
    uint32_t to;        /* excluded */
    uint32_t strongest; /* the first slot with the most cells */
    uint16_t cells;     /* in it */
    uint8_t tier;       /* the highest in it */
    bool is_global;     /* every slot with motion is */
} vg_episode;

typedef struct vg_slot_range {
    uint32_t from;
    uint32_t to; /* excluded */
} vg_slot_range;

/* Sets bit (slot & 63) of hits[slot >> 6] where counts[slot] is at least `at_least`, which is above
 * 0; the bits behind the last slot are 0. */
void vg_hits(const uint16_t *counts, uint32_t slots, uint16_t at_least, uint64_t *hits);

/* The same without vectors. */
void vg_hits_portable(const uint16_t *counts, uint32_t slots, uint16_t at_least, uint64_t *hits);

/* The next episode of the range and moves range->from behind it; false where there is none. `hits`:
 * those of `counts` (vg_hits). */
bool vg_episode_next(const uint64_t *hits, const uint16_t *counts, const uint8_t *codes,
                     vg_slot_range *range, uint32_t gap, vg_episode *out);

#endif
