/* Holds for any bytes: a set is walked to its end or refused; what a strip counts in a region is
 * what its cells say when they are spread, and what is spread is packed to the same cells again;
 * episodes hold every slot with enough cells, once, and are further apart than the gap. */
#include <stdlib.h>
#include <string.h>

#include "vg/motion_tiles.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { SLOTS = 766, HEAD = 11, ROOM = VG_STRIP_HEAD + SLOTS * VG_STRIP_SLOT_MAX };

static void check(bool holds) {
    if (!holds) abort();
}

static uint32_t bits(uint64_t word) {
    uint32_t found = 0;
    for (; word != 0; word &= word - 1)
        found++;
    return found;
}

/* A strip whose rows stand elsewhere than what is before them. */
static void put_apart(const uint8_t *packed, size_t size, const vg_strip *whole) {
    uint8_t head[ROOM];
    vg_strip apart;
    vg_fault fault = {0};
    const size_t rows = whole->rows_size;
    const size_t at = size - rows;
    memcpy(head, packed, at);
    check(vg_strip_join(head, at, packed + at, rows, &apart, &fault) == VG_OK);
    check(apart.masks == head + VG_STRIP_HEAD && apart.rows == whole->rows);
    check(apart.count == whole->count && apart.times_size == whole->times_size);
    check(vg_strip_join(head, at, packed + at, rows - 1, &apart, &fault) == VG_VALUE);
    check(vg_strip_join(head, at - 1, packed + at, rows, &apart, &fault) == VG_SHORT);
}

static void pack_again(const uint64_t *words, uint32_t slots) {
    static uint8_t packed[ROOM];
    uint64_t again[SLOTS] = {0};
    vg_strip strip;
    vg_fault fault = {0};
    size_t consumed = 0;
    const uint32_t used = vg_words_used(words, slots);
    const size_t room = VG_STRIP_HEAD + (size_t)used * VG_STRIP_SLOT_MAX;
    check(vg_strip_write(words, slots, packed, room - 1) == 0);
    const size_t written = vg_strip_write(words, slots, packed, room);
    check((written == 0) == (used == 0) && written <= room);
    if (written == 0) return;
    check(vg_strip_read(packed, written, &strip, &consumed, &fault) == VG_OK);
    check(consumed == written && strip.count == used);
    put_apart(packed, written, &strip);
    check(vg_strip_spread(&strip, again, slots, &fault) == VG_OK);
    check(memcmp(words, again, slots * sizeof *words) == 0);
    check(vg_strip_read(packed, written - 1, &strip, &consumed, &fault) == VG_SHORT);
}

static void sum_heat(const uint64_t *words, uint32_t slots) {
    uint32_t heat[64] = {0};
    uint64_t in_heat = 0;
    uint64_t in_words = 0;
    vg_words_heat(words, slots, heat);
    for (uint32_t cell = 0; cell < 64; cell++)
        in_heat += heat[cell];
    for (uint32_t slot = 0; slot < slots; slot++)
        in_words += bits(words[slot]);
    check(in_heat == in_words);
}

static void put_back(uint64_t word, uint32_t tile) {
    uint8_t cells[VG_CELL_BYTES] = {0};
    vg_tile_put(word, tile, cells);
    const uint64_t kept = tile >= 32 ? word & UINT32_MAX : word; /* the picture ends there */
    check(vg_tile_of(cells, tile) == kept);
    uint32_t in_cells = 0;
    for (size_t at = 0; at < sizeof cells; at++)
        in_cells += bits(cells[at]);
    check(in_cells == bits(kept));
}

/* Any processor counts the same, up to the slot that is wrong. */
static void count_anywhere(const vg_strip *strip, uint64_t cells, uint32_t slots, vg_err err,
                           const uint16_t *counts) {
    uint16_t again[SLOTS] = {0};
    vg_fault fault = {0};
    bool any = false;
    check(vg_strip_count_portable(strip, cells, again, slots, &any, &fault) == err);
    check(memcmp(counts, again, sizeof again) == 0);
}

static void read_strip(const vg_strip *strip, uint32_t tile, uint64_t cells, uint32_t slots,
                       uint16_t *all) {
    uint64_t words[SLOTS] = {0};
    uint16_t counts[SLOTS] = {0};
    vg_fault one = {0};
    vg_fault other = {0};
    bool any = false;
    bool found = false;
    const vg_err err = vg_strip_spread(strip, words, slots, &one);
    check(vg_strip_count(strip, cells, counts, slots, &any, &other) == err);
    count_anywhere(strip, cells, slots, err, counts);
    if (err != VG_OK) {
        check(err == VG_VALUE && one.rule == other.rule && one.offset == other.offset);
        return;
    }
    for (uint32_t slot = 0; slot < slots; slot++) {
        check(counts[slot] == bits(words[slot] & cells));
        found = found || counts[slot] > 0;
        all[slot] = (uint16_t)(all[slot] + counts[slot]);
        put_back(words[slot], tile);
    }
    check(any == found);
    pack_again(words, slots);
    sum_heat(words, slots);
}

static void join(const uint16_t *counts, const uint8_t *codes, uint32_t slots, uint16_t at_least,
                 uint32_t gap) {
    uint64_t hits[(SLOTS + 63) / 64];
    uint64_t again[(SLOTS + 63) / 64];
    vg_hits(counts, slots, at_least, hits);
    vg_hits_portable(counts, slots, at_least, again);
    check(memcmp(hits, again, (slots + 63) / 64 * sizeof *hits) == 0);
    vg_slot_range left = {.from = slots / 7, .to = slots};
    uint32_t at = left.from; /* everything before it is told */
    uint32_t last_end = 0;
    vg_episode e;
    while (vg_episode_next(hits, counts, codes, &left, gap, &e)) {
        for (; at < e.from; at++)
            check(counts[at] < at_least);
        check(e.from < e.to && e.to <= slots && (last_end == 0 || e.from - last_end > gap));
        check(counts[e.from] >= at_least && counts[e.to - 1] >= at_least);
        uint32_t quiet = 0;
        for (; at < e.to; at++) {
            quiet = counts[at] < at_least ? quiet + 1 : 0;
            check(quiet <= gap && counts[at] <= e.cells);
            check(at >= e.strongest || counts[at] < e.cells);
            if (quiet == 0) check((codes[at] & VG_SLOT_TIER) <= e.tier);
            if (quiet == 0 && e.is_global) check((codes[at] & VG_SLOT_GLOBAL) != 0);
        }
        check(counts[e.strongest] == e.cells);
        last_end = e.to;
    }
    for (; at < slots; at++)
        check(counts[at] < at_least);
    check(left.from == left.to);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < HEAD) return 0;
    const uint32_t slots = 1 + 3U * data[0];
    uint64_t cells = 0;
    memcpy(&cells, data + 1, sizeof cells);
    uint16_t counts[SLOTS] = {0};
    uint8_t codes[SLOTS] = {0};
    vg_set set = {.data = data + HEAD, .size = size - HEAD};
    vg_strip strip;
    vg_fault fault = {0};
    uint32_t tile = 0;
    uint32_t tiles = 0;
    vg_err err;
    while ((err = vg_set_next(&set, &tile, &strip, &fault)) == VG_OK) {
        check(++tiles <= VG_TILES && set.offset <= set.size);
        read_strip(&strip, tile, cells, slots, counts);
    }
    if (err == VG_MORE) {
        check(set.offset == set.size);
    } else {
        check((err == VG_SHORT || err == VG_VALUE) && fault.rule != NULL);
        check(fault.offset <= set.size);
    }
    for (uint32_t slot = 0; slot < slots; slot++)
        codes[slot] = data[slot % size] & (VG_SLOT_TIER | VG_SLOT_GLOBAL);
    join(counts, codes, slots, (uint16_t)(1 + data[9] % 8), data[10]);

    uint64_t words[SLOTS] = {0};
    memcpy(words, data, size < sizeof words ? size : sizeof words);
    pack_again(words, slots);
    return 0;
}
