/* Strips of the motion index: the slots of one tile, packed, and sets of them. */
#include "vg/motion_tiles.h"

#include <string.h>

#include "bytes.h"
#include "motion_walk.h"
#include "put.h"

enum { LONG_TIME_MAX = (1 << 24) - 1 };

/* What stands before the rows of a strip; its rows are still to be found. */
static vg_err read_head(vg_bytes *r, vg_strip *out, vg_fault *fault) {
    const uint32_t count = vg_bytes_u32(r);
    const uint32_t times_size = vg_bytes_u32(r);
    const uint32_t rows_size = vg_bytes_u32(r);
    const size_t size = (size_t)(r->end - r->start);
    if (r->overrun) return vg_fail(fault, VG_SHORT, size, "head of a strip");
    if (count == 0 || count > VG_SLOTS_MAX) return vg_fail(fault, VG_VALUE, 0, "slots of a strip");
    if (times_size < count || times_size > (size_t)count * (1 + LONG_TIME_BYTES))
        return vg_fail(fault, VG_VALUE, 4, "bytes of the times of a strip");
    if (rows_size < count || rows_size > (size_t)count * 8)
        return vg_fail(fault, VG_VALUE, 8, "bytes of the rows of a strip");
    const uint8_t *masks = vg_bytes_take(r, count);
    const uint8_t *times = vg_bytes_take(r, times_size);
    if (r->overrun) return vg_fail(fault, VG_SHORT, size, "parts of a strip");
    *out = (vg_strip){.count = count,
                      .times_size = times_size,
                      .rows_size = rows_size,
                      .masks = masks,
                      .times = times};
    return VG_OK;
}

vg_err vg_strip_read(const uint8_t *data, size_t size, vg_strip *out, size_t *consumed,
                     vg_fault *fault) {
    assert((data != NULL || size == 0) && out != NULL && consumed != NULL && fault != NULL);
    vg_bytes r = vg_bytes_of(data, size);
    vg_strip strip;
    const vg_err err = read_head(&r, &strip, fault);
    if (err != VG_OK) return err;
    strip.rows = vg_bytes_take(&r, strip.rows_size);
    if (r.overrun) return vg_fail(fault, VG_SHORT, size, "parts of a strip");
    *out = strip;
    *consumed = vg_bytes_offset(&r);
    return VG_OK;
}

vg_err vg_strip_join(const uint8_t *head, size_t head_size, const uint8_t *rows, size_t rows_size,
                     vg_strip *out, vg_fault *fault) {
    assert((head != NULL || head_size == 0) && rows != NULL && out != NULL && fault != NULL);
    vg_bytes r = vg_bytes_of(head, head_size);
    vg_strip strip;
    const vg_err err = read_head(&r, &strip, fault);
    if (err != VG_OK) return err;
    if (vg_bytes_left(&r) != 0 || strip.rows_size != rows_size)
        return vg_fail(fault, VG_VALUE, 8, "a strip has the bytes that its head tells");
    strip.rows = rows;
    *out = strip;
    return VG_OK;
}

vg_err vg_strip_spread(const vg_strip *strip, uint64_t *words, uint32_t slots, vg_fault *fault) {
    assert(strip != NULL && words != NULL && fault != NULL && slots <= VG_SLOTS_MAX);
    vg_walk w = {.strip = strip};
    for (; w.at < strip->count; w.at++) {
        const vg_err err = vg_walk_to(&w, slots, fault);
        if (err != VG_OK) return err;
        words[w.slot] |= word_at(&w);
        w.row += vg_rows_of_mask[w.mask];
    }
    return vg_walk_ends(&w, fault);
}

vg_err vg_set_next(vg_set *set, uint32_t *tile, vg_strip *strip, vg_fault *fault) {
    assert(set != NULL && tile != NULL && strip != NULL && fault != NULL);
    assert(set->offset <= set->size);
    if (set->offset == set->size) return VG_MORE;
    const uint32_t number = set->data[set->offset];
    if (number >= VG_TILES || number < set->next_tile)
        return vg_fail(fault, VG_VALUE, set->offset, "tiles of a set rise to 39");
    const size_t start = set->offset + 1;
    size_t consumed = 0;
    const vg_err err = vg_strip_read(set->data + start, set->size - start, strip, &consumed, fault);
    if (err != VG_OK) {
        fault->offset += start;
        return err;
    }
    set->offset = start + consumed;
    set->next_tile = number + 1;
    *tile = number;
    return VG_OK;
}

void vg_words_heat(const uint64_t *words, uint32_t slots, uint32_t heat[64]) {
    assert((words != NULL || slots == 0) && heat != NULL);
    for (uint32_t slot = 0; slot < slots; slot++)
        for (uint64_t word = words[slot]; word != 0; word &= word - 1)
            heat[__builtin_ctzll(word)]++;
}

uint32_t vg_words_used(const uint64_t *words, uint32_t slots) {
    assert(words != NULL || slots == 0);
    uint32_t used = 0;
    for (uint32_t slot = 0; slot < slots; slot++)
        used += words[slot] != 0;
    return used;
}

static uint8_t mask_of(uint64_t word) {
    uint32_t mask = 0;
    for (uint32_t row = 0; row < 8; row++)
        mask |= (uint32_t)((word >> 8U * row & 0xFFU) != 0) << row;
    return (uint8_t)mask;
}

static void put_time(vg_put *w, uint32_t passed) {
    assert(passed <= LONG_TIME_MAX);
    if (passed < LONG_TIME) {
        vg_put_u8(w, (uint8_t)passed);
    } else {
        vg_put_u32(w, (uint32_t)LONG_TIME << 24U | passed);
    }
}

static void put_rows(vg_put *w, uint64_t word) {
    for (; word != 0; word >>= 8U)
        if ((word & 0xFFU) != 0) vg_put_u8(w, (uint8_t)word);
}

size_t vg_strip_write(const uint64_t *words, uint32_t slots, uint8_t *out, size_t capacity) {
    assert((words != NULL || slots == 0) && out != NULL && slots <= VG_SLOTS_MAX);
    const uint32_t count = vg_words_used(words, slots);
    if (count == 0 || capacity < VG_STRIP_HEAD + (size_t)count * VG_STRIP_SLOT_MAX) return 0;
    vg_put w = vg_put_into(out, capacity);
    vg_put_zeros(&w, VG_STRIP_HEAD);
    for (uint32_t slot = 0; slot < slots; slot++)
        if (words[slot] != 0) vg_put_u8(&w, mask_of(words[slot]));
    const size_t times = vg_put_offset(&w);
    uint32_t next = 0;
    for (uint32_t slot = 0; slot < slots; slot++) {
        if (words[slot] == 0) continue;
        put_time(&w, slot - next);
        next = slot + 1;
    }
    const size_t rows = vg_put_offset(&w);
    for (uint32_t slot = 0; slot < slots; slot++)
        put_rows(&w, words[slot]);
    assert(!w.overrun);
    vg_store_u32(out, count);
    vg_store_u32(out + 4, (uint32_t)(rows - times));
    vg_store_u32(out + 8, (uint32_t)(vg_put_offset(&w) - rows));
    return vg_put_offset(&w);
}

/* Rows of a tile; the lowest tiles have four. */
static uint32_t rows_of(uint32_t tile) {
    const uint32_t first = tile / VG_TILES_ACROSS * 8;
    return 36 - first < 8 ? 36 - first : 8;
}

static size_t byte_of(uint32_t tile, uint32_t row) {
    return (size_t)(tile / VG_TILES_ACROSS * 8 + row) * VG_TILES_ACROSS + tile % VG_TILES_ACROSS;
}

uint64_t vg_tile_of(const uint8_t cells[VG_CELL_BYTES], uint32_t tile) {
    assert(cells != NULL && tile < VG_TILES);
    uint64_t word = 0;
    for (uint32_t row = 0; row < rows_of(tile); row++)
        word |= (uint64_t)cells[byte_of(tile, row)] << 8U * row;
    return word;
}

void vg_tile_put(uint64_t word, uint32_t tile, uint8_t cells[VG_CELL_BYTES]) {
    assert(cells != NULL && tile < VG_TILES);
    for (uint32_t row = 0; row < rows_of(tile); row++)
        cells[byte_of(tile, row)] = (uint8_t)(word >> 8U * row);
}
