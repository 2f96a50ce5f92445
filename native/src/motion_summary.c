/* Summaries of days, searched: see vg/motion_summary.h. */
#include "vg/motion_summary.h"

#include <assert.h>
#include <string.h>

#include "motion_walk.h"

static const vg_blocks no_blocks;

/* Bit r where byte r has its highest bit; the other bits are 0. */
static inline uint8_t mask_of_highs(uint64_t highs) {
    return (uint8_t)((highs >> 7U) * 0x0102040810204080U >> 56U);
}

/* The highest bit of each byte that is not 0. */
static inline uint64_t highs_of_used(uint64_t word) {
    return ((((word & 0x7F7F7F7F7F7F7F7FU) + 0x7F7F7F7F7F7F7F7FU) | word) & 0x8080808080808080U);
}

/* Writes the whole rows of a word as a mask, the other ones as a mask and their bytes; up to eight
 * bytes behind those are written to. */
static inline uint8_t *put_word(uint64_t word, uint8_t *whole, uint8_t *part, uint8_t *rows) {
    const uint64_t lacking = highs_of_used(~word);
    *whole = mask_of_highs(lacking ^ 0x8080808080808080U);
    *part = mask_of_highs(highs_of_used(word) & lacking);
    const uint32_t taken = *part;
#pragma GCC unroll 8
    for (uint32_t row = 0; row < 8; row++) { /* no branch: half of them would be guessed wrong */
        rows[0] = (uint8_t)word;
        rows += taken >> row & 1U;
        word >>= 8U;
    }
    return rows;
}

/* Adds a tile behind what stands before `*end`, which moves behind it; that is no longer than the
 * strip. */
static vg_err add_tile(const vg_strip *strip, uint32_t tile, uint8_t **end, vg_summary *out,
                       vg_fault *fault) {
    uint8_t *whole = *end;
    uint8_t *part = whole + strip->count;
    uint8_t *rows = part + strip->count;
    uint64_t cells = 0;
    vg_blocks moved = no_blocks;
    vg_walk w = {.strip = strip};
    for (; w.at < strip->count; w.at++) {
        const vg_err err = vg_walk_to(&w, VG_BLOCKS, fault);
        if (err != VG_OK) return err;
        const uint64_t word = word_at(&w);
        w.row += vg_rows_of_mask[w.mask];
        cells |= word;
        moved.words[w.slot / 64] |= (uint64_t)(word != 0) << w.slot % 64;
        rows = put_word(word, whole, part, rows);
        whole += word != 0; /* else its mask names rows that are empty */
        part += word != 0;
    }
    out->cells[tile] = cells;
    out->moved[tile] = moved;
    out->count[tile] = strip->count;
    *end = rows;
    return vg_walk_ends(&w, fault);
}

vg_err vg_summary_make(const uint8_t *set, size_t size, uint8_t *bytes, size_t *used,
                       vg_summary *out, vg_fault *fault) {
    assert(bytes != NULL && used != NULL && out != NULL && fault != NULL);
    *out = (vg_summary){.bytes = bytes};
    vg_set walk = {.data = set, .size = size};
    vg_strip strip;
    uint32_t tile = 0;
    uint8_t *end = bytes;
    vg_err err;
    while ((err = vg_set_next(&walk, &tile, &strip, fault)) == VG_OK) {
        out->at[tile] = (uint32_t)(end - bytes);
        err = add_tile(&strip, tile, &end, out, fault);
        if (err != VG_OK) {
            fault->offset += (size_t)(strip.masks - set) - VG_STRIP_HEAD;
            return err;
        }
    }
    if (err != VG_MORE) return err;
    memset(end, 0, VG_SUMMARY_BEHIND);
    *used = (size_t)(end - bytes) + VG_SUMMARY_BEHIND;
    return VG_OK;
}

/* A walk along the blocks in which a tile moved. */
typedef struct steps {
    const uint8_t *whole;
    const uint8_t *part;
    const uint8_t *rows;
} steps;

static inline steps steps_of(const vg_summary *s, uint32_t tile) {
    const uint8_t *whole = s->bytes + s->at[tile];
    const uint32_t count = s->count[tile];
    return (steps){.whole = whole, .part = whole + count, .rows = whole + 2 * (size_t)count};
}

/* A region in the form of what is kept. */
typedef struct sought {
    uint64_t cells;
    const uint64_t *by_part;
} sought;

/* The cells that move in the next block: of whole rows, and of rows in part, moved together. */
static inline uint64_t take(steps *w, const sought *of, uint64_t *in_part) {
    const uint8_t part = *w->part++;
    *in_part = load_little(w->rows) & of->by_part[part];
    w->rows += vg_rows_of_mask[part];
    return of->cells & vg_whole_rows[*w->whole++];
}

/* Of 64 blocks, those of `moved` in which any of the cells did. */
static inline uint64_t hits_of(steps *w, const sought *of, uint64_t moved) {
    uint64_t hits = 0;
    for (uint64_t left = moved; left != 0; left &= left - 1) {
        uint64_t in_part;
        const uint64_t in_whole = take(w, of, &in_part);
        hits |= (left & (0 - left)) * (uint64_t)((in_whole | in_part) != 0);
    }
    return hits;
}

/* Adds the blocks in which any of a tile's cells moved. */
static void add_blocks(const vg_summary *s, uint32_t tile, uint64_t cells, vg_blocks *found) {
    uint64_t by_part[256];
    vg_rows_by_mask(cells, by_part);
    const sought of = {.cells = cells, .by_part = by_part};
    steps walk = steps_of(s, tile);
    for (uint32_t i = 0; i < VG_BLOCK_WORDS; i++)
        found->words[i] |= hits_of(&walk, &of, s->moved[tile].words[i]);
}

/* Whether any of a tile's cells moved in any of the blocks. */
static bool is_hit(const vg_summary *s, uint32_t tile, uint64_t cells, const vg_blocks *blocks) {
    uint64_t by_part[256];
    vg_rows_by_mask(cells, by_part);
    const sought of = {.cells = cells, .by_part = by_part};
    steps walk = steps_of(s, tile);
    for (uint32_t i = 0; i < VG_BLOCK_WORDS; i++)
        if ((hits_of(&walk, &of, s->moved[tile].words[i]) & blocks->words[i]) != 0) return true;
    return false;
}

/* Adds how many of the cells moved in each block. */
VG_BUILT_TWICE void count_blocks(const vg_summary *s, uint32_t tile, uint64_t cells,
                                 uint16_t counts[VG_BLOCKS]) {
    uint64_t by_part[256];
    vg_rows_by_mask(cells, by_part);
    const sought of = {.cells = cells, .by_part = by_part};
    steps walk = steps_of(s, tile);
    for (uint32_t i = 0; i < VG_BLOCK_WORDS; i++)
        for (uint64_t left = s->moved[tile].words[i]; left != 0; left &= left - 1) {
            uint64_t in_part;
            const uint64_t in_whole = take(&walk, &of, &in_part);
            uint16_t *count = counts + (size_t)i * 64 + (uint32_t)__builtin_ctzll(left);
            *count =
                (uint16_t)(*count + __builtin_popcountll(in_whole) + __builtin_popcountll(in_part));
        }
}

static bool meet(const vg_blocks *one, const vg_blocks *other) {
    uint64_t both = 0;
    for (uint32_t i = 0; i < VG_BLOCK_WORDS; i++)
        both |= one->words[i] & other->words[i];
    return both != 0;
}

/* Whether a tile moved in a block that is looked at and not found yet. */
static bool adds(const vg_summary *s, uint32_t tile, const vg_summary_ask *ask,
                 const vg_blocks *found) {
    uint64_t more = 0;
    for (uint32_t i = 0; i < VG_BLOCK_WORDS; i++)
        more |= s->moved[tile].words[i] & ask->blocks.words[i] & ~found->words[i];
    return more != 0;
}

static void both_of(vg_blocks *blocks, const vg_blocks *other) {
    for (uint32_t i = 0; i < VG_BLOCK_WORDS; i++)
        blocks->words[i] &= other->words[i];
}

static bool has_cells(const vg_summary *s, uint32_t tile, const vg_summary_ask *ask) {
    return (s->cells[tile] & ask->cells[tile]) != 0;
}

/* Whether all cells that ever move in a tile are asked for. */
static bool is_whole(const vg_summary *s, uint32_t tile, const vg_summary_ask *ask) {
    return (s->cells[tile] & ~ask->cells[tile]) == 0;
}

/* Tiles that need no looking first: they often leave nothing to be found in the others. */
static void find_any(const vg_summary *s, const vg_summary_ask *ask, vg_blocks *found) {
    *found = no_blocks;
    for (uint32_t tile = 0; tile < VG_TILES; tile++)
        if (is_whole(s, tile, ask))
            for (uint32_t i = 0; i < VG_BLOCK_WORDS; i++)
                found->words[i] |= s->moved[tile].words[i];
    for (uint32_t tile = 0; tile < VG_TILES; tile++)
        if (has_cells(s, tile, ask) && !is_whole(s, tile, ask) && adds(s, tile, ask, found))
            add_blocks(s, tile, ask->cells[tile], found);
    both_of(found, &ask->blocks);
}

VG_BUILT_TWICE void find_many(const vg_summary *s, const vg_summary_ask *ask, vg_blocks *found) {
    uint16_t counts[VG_BLOCKS] = {0};
    *found = no_blocks;
    for (uint32_t tile = 0; tile < VG_TILES; tile++)
        if (has_cells(s, tile, ask) && meet(&s->moved[tile], &ask->blocks))
            count_blocks(s, tile, ask->cells[tile], counts);
    for (uint32_t block = 0; block < VG_BLOCKS; block++)
        found->words[block / 64] |= (uint64_t)(counts[block] >= ask->at_least) << block % 64;
    both_of(found, &ask->blocks);
}

void vg_summary_find_portable(const vg_summary *summary, const vg_summary_ask *ask,
                              vg_blocks *found) {
    assert(summary != NULL && ask != NULL && found != NULL && ask->at_least > 0);
    if (ask->at_least == 1) {
        find_any(summary, ask, found);
    } else {
        find_many(summary, ask, found);
    }
}

#ifdef VG_POPCNT
VG_POPCNT static void find_with_popcnt(const vg_summary *summary, const vg_summary_ask *ask,
                                       vg_blocks *found) {
    find_many(summary, ask, found);
}
#endif

void vg_summary_find(const vg_summary *summary, const vg_summary_ask *ask, vg_blocks *found) {
    assert(summary != NULL && ask != NULL && found != NULL);
#ifdef VG_POPCNT
    if (ask->at_least > 1 && __builtin_cpu_supports("popcnt")) {
        find_with_popcnt(summary, ask, found);
        return;
    }
#endif
    vg_summary_find_portable(summary, ask, found);
}

uint64_t vg_summary_tiles(const vg_summary *summary, const vg_summary_ask *ask) {
    assert(summary != NULL && ask != NULL && ask->at_least > 0);
    vg_blocks blocks = ask->blocks;
    if (ask->at_least > 1) vg_summary_find(summary, ask, &blocks);
    uint64_t tiles = 0;
    for (uint32_t tile = 0; tile < VG_TILES; tile++) {
        if (!has_cells(summary, tile, ask) || !meet(&summary->moved[tile], &blocks)) continue;
        if (is_whole(summary, tile, ask) || is_hit(summary, tile, ask->cells[tile], &blocks))
            tiles |= (uint64_t)1 << tile;
    }
    return tiles;
}

void vg_blocks_add(vg_blocks *blocks, uint32_t from, uint32_t to) {
    assert(blocks != NULL && to <= VG_BLOCKS);
    for (uint32_t block = from; block < to; block++)
        blocks->words[block / 64] |= (uint64_t)1 << block % 64;
}

/* The first block from `from` on of the set, or not of it; VG_BLOCKS where there is none. */
static uint32_t next_block(const vg_blocks *blocks, uint32_t from, bool of_it) {
    while (from < VG_BLOCKS) {
        const uint64_t word = blocks->words[from / 64];
        const uint64_t left = (of_it ? word : ~word) >> from % 64;
        if (left != 0) {
            from += (uint32_t)__builtin_ctzll(left);
            return from < VG_BLOCKS ? from : VG_BLOCKS;
        }
        from += 64 - from % 64;
    }
    return VG_BLOCKS;
}

bool vg_blocks_next(const vg_blocks *blocks, uint32_t *from, uint32_t *to) {
    assert(blocks != NULL && from != NULL && to != NULL);
    *from = next_block(blocks, *from, true);
    *to = next_block(blocks, *from, false);
    return *from < VG_BLOCKS;
}
