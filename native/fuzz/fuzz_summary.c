/* Holds for any bytes: a set of blocks is made a summary where each of its strips can be spread, or
 * refused; and what is found in a summary is what looking through the words of every block finds.
 */
#include <stdlib.h>
#include <string.h>

#include "vg/motion_summary.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { HEAD = 16 };

static void check(bool holds) {
    if (!holds) abort();
}

static uint32_t bits(uint64_t word) {
    uint32_t found = 0;
    for (; word != 0; word &= word - 1)
        found++;
    return found;
}

static bool is_in(const vg_blocks *blocks, uint32_t block) {
    return (blocks->words[block / 64] >> block % 64 & 1U) != 0;
}

/* The words of every tile and block; VG_MORE for a whole set. */
static vg_err spread(const uint8_t *set, size_t size, uint64_t words[VG_TILES][VG_BLOCKS]) {
    vg_set walk = {.data = set, .size = size};
    vg_strip strip;
    vg_fault fault = {0};
    uint32_t tile = 0;
    vg_err err;
    while ((err = vg_set_next(&walk, &tile, &strip, &fault)) == VG_OK) {
        err = vg_strip_spread(&strip, words[tile], VG_BLOCKS, &fault);
        if (err != VG_OK) return err;
    }
    return err;
}

static void look_through(const vg_summary *summary, const vg_summary_ask *ask,
                         uint64_t words[VG_TILES][VG_BLOCKS]) {
    vg_blocks found, again;
    vg_summary_find(summary, ask, &found);
    vg_summary_find_portable(summary, ask, &again);
    check(memcmp(&found, &again, sizeof found) == 0);
    uint64_t needed = 0;
    for (uint32_t block = 0; block < VG_BLOCKS; block++) {
        uint32_t moved = 0;
        uint64_t in_tiles = 0;
        for (uint32_t tile = 0; tile < VG_TILES; tile++) {
            const uint64_t word = words[tile][block] & ask->cells[tile];
            moved += bits(word);
            in_tiles |= (uint64_t)(word != 0) << tile;
        }
        const bool is_hit = moved >= ask->at_least && is_in(&ask->blocks, block);
        check(is_in(&found, block) == is_hit);
        if (is_hit) needed |= in_tiles;
    }
    check(vg_summary_tiles(summary, ask) == needed);
}

static void walk_along(const vg_blocks *blocks) {
    uint32_t from = 0;
    uint32_t to = 0;
    uint32_t at = 0;
    while (vg_blocks_next(blocks, &from, &to)) {
        check(at <= from && from < to && to <= VG_BLOCKS);
        for (; at < from; at++)
            check(!is_in(blocks, at));
        for (; at < to; at++)
            check(is_in(blocks, at));
        from = to;
    }
    for (; at < VG_BLOCKS; at++)
        check(!is_in(blocks, at));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < HEAD) return 0;
    static uint64_t words[VG_TILES][VG_BLOCKS];
    memset(words, 0, sizeof words);
    const uint8_t *set = data + HEAD;
    const size_t set_size = size - HEAD;
    uint8_t *bytes = malloc(set_size + VG_SUMMARY_BEHIND);
    check(bytes != NULL);
    size_t used = 0;
    vg_summary summary;
    vg_fault fault = {0};
    const vg_err err = vg_summary_make(set, set_size, bytes, &used, &summary, &fault);
    const vg_err spreads = spread(set, set_size, words);
    check(err == (spreads == VG_MORE ? VG_OK : spreads));
    if (err == VG_OK) {
        check(used <= set_size + VG_SUMMARY_BEHIND);
        vg_summary_ask ask = {.at_least = (uint16_t)(1 + data[8] % 80)};
        uint64_t cells;
        memcpy(&cells, data, sizeof cells);
        for (uint32_t tile = 0; tile < VG_TILES; tile++)
            ask.cells[tile] = cells << tile % 9 ^ (data[9] >> tile % 8 & 1U ? UINT64_MAX : 0);
        for (uint32_t i = 10; i < HEAD; i += 2)
            vg_blocks_add(&ask.blocks, 3U * (data[i] % 240U), 3U * (data[i + 1] % 241U));
        look_through(&summary, &ask, words);
        ask.at_least = 1;
        look_through(&summary, &ask, words);
        walk_along(&ask.blocks);
    } else {
        check((err == VG_SHORT || err == VG_VALUE) && fault.rule != NULL);
        check(fault.offset <= set_size);
    }
    free(bytes);
    return 0;
}
