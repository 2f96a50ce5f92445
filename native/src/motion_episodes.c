/* Counts of cells a slot, joined into episodes. */
#include <assert.h>
#include <string.h>

#include "vg/motion_tiles.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

enum { WORD = 64 };

static uint64_t hits_of_few(const uint16_t *counts, uint32_t count, uint16_t at_least) {
    uint64_t hits = 0;
    for (uint32_t i = 0; i < count; i++)
        hits |= (uint64_t)(counts[i] >= at_least) << i;
    return hits;
}

#if defined(__SSE2__)
/* Of the next 64; `below` is the greatest count that is no hit, eight times. */
static uint64_t hits_of_word(const uint16_t *counts, __m128i below) {
    uint64_t hits = 0;
    for (uint32_t at = 0; at < WORD; at += 16) {
        __m128i one = _mm_loadu_si128((const __m128i *)(const void *)(counts + at));
        __m128i other = _mm_loadu_si128((const __m128i *)(const void *)(counts + at + 8));
        one = _mm_cmpeq_epi16(_mm_subs_epu16(one, below), _mm_setzero_si128());
        other = _mm_cmpeq_epi16(_mm_subs_epu16(other, below), _mm_setzero_si128());
        const uint32_t misses = (uint32_t)_mm_movemask_epi8(_mm_packs_epi16(one, other));
        hits |= (uint64_t)(~misses & 0xFFFFU) << at;
    }
    return hits;
}
#endif

void vg_hits_portable(const uint16_t *counts, uint32_t slots, uint16_t at_least, uint64_t *hits) {
    for (uint32_t at = 0; at < slots; at += WORD)
        hits[at / WORD] = hits_of_few(counts + at, slots - at < WORD ? slots - at : WORD, at_least);
}

void vg_hits(const uint16_t *counts, uint32_t slots, uint16_t at_least, uint64_t *hits) {
    assert(counts != NULL && hits != NULL && at_least > 0 && slots <= VG_SLOTS_MAX);
    uint32_t at = 0;
#if defined(__SSE2__)
    const __m128i below = _mm_set1_epi16((short)(at_least - 1));
    for (; slots - at >= WORD; at += WORD)
        hits[at / WORD] = hits_of_word(counts + at, below);
#endif
    vg_hits_portable(counts + at, slots - at, at_least, hits + at / WORD);
}

/* The first slot of [from, to) that is a hit, or, with `flip` all ones, that is none; or `to`. */
static inline uint32_t next_slot(const uint64_t *hits, uint32_t from, uint32_t to, uint64_t flip) {
    if (from >= to) return to;
    uint32_t word = from / WORD;
    uint64_t left = (hits[word] ^ flip) & UINT64_MAX << from % WORD;
    while (left == 0) {
        if (++word * WORD >= to) return to;
        left = hits[word] ^ flip;
    }
    const uint32_t found = word * WORD + (uint32_t)__builtin_ctzll(left);
    return found < to ? found : to;
}

/* Adds the hits [from, to) to an episode. */
static inline void add_hits(const uint16_t *counts, const uint8_t *codes, uint32_t from,
                            uint32_t to, vg_episode *out) {
    for (uint32_t at = from; at < to; at++) {
        const bool is_more = counts[at] > out->cells;
        out->strongest = is_more ? at : out->strongest;
        out->cells = is_more ? counts[at] : out->cells;
        const uint8_t tier = codes[at] & VG_SLOT_TIER;
        out->tier = tier > out->tier ? tier : out->tier;
        out->is_global &= (codes[at] & VG_SLOT_GLOBAL) != 0;
    }
    out->to = to;
}

bool vg_episode_next(const uint64_t *hits, const uint16_t *counts, const uint8_t *codes,
                     vg_slot_range *range, uint32_t gap, vg_episode *out) {
    assert(hits != NULL && counts != NULL && codes != NULL && range != NULL && out != NULL);
    assert(range->from <= range->to && range->to <= VG_SLOTS_MAX);
    const uint32_t end = range->to;
    uint32_t hit = next_slot(hits, range->from, end, 0);
    range->from = end;
    if (hit == end) return false;
    vg_episode found = {.from = hit, .is_global = true};
    while (hit < end) {
        add_hits(counts, codes, hit, next_slot(hits, hit, end, UINT64_MAX), &found);
        hit = next_slot(hits, found.to, end, 0);
        if (hit < end && hit - found.to > gap) {
            range->from = hit;
            break;
        }
    }
    *out = found;
    return true;
}
