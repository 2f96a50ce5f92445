/* Counting the cells of a region in a strip: a load, an AND and a population count for each slot in
 * which the tile moved.
 *
 * The region is brought into the form of the data, not the data into that of the region: for each
 * of the 256 masks, the region's rows that the mask names, moved together as the data's are. */
#include <assert.h>

#include "motion_walk.h"

enum { EIGHT = 8 };

static inline bool has_zero_byte(uint64_t word) {
    return ((word - 0x0101010101010101U) & ~word & 0x8080808080808080U) != 0;
}

static inline uint32_t sum_of_bytes(uint64_t word) {
    const uint64_t fours = (word & 0x00FF00FF00FF00FFU) + (word >> 8U & 0x00FF00FF00FF00FFU);
    return (uint32_t)(fours * 0x0001000100010001U >> 48U);
}

/* What is counted with. */
typedef struct tally {
    const uint64_t *by_mask;
    uint16_t *counts;
    uint64_t in_any;
} tally;

/* Counts in the slot that the walk stands at and goes behind its rows. */
VG_BUILT_TWICE void count_slot(tally *t, vg_walk *w, uint64_t rows) {
    const uint64_t moved = rows & t->by_mask[w->mask];
    t->counts[w->slot] = (uint16_t)(t->counts[w->slot] + __builtin_popcountll(moved));
    t->in_any |= moved;
    w->row += vg_rows_of_mask[w->mask];
}

/* Counts in the next EIGHT slots, where they hold what `walk_to` asks of each: their times are
 * short, their masks not 0, and eight bytes of rows follow the start of the last one's. */
VG_BUILT_TWICE bool count_eight(tally *t, vg_walk *w, uint32_t slots) {
    const vg_strip *s = w->strip;
    if (s->count - w->at < EIGHT || s->times_size - w->time < EIGHT) return false;
    const uint64_t masks = load_little(s->masks + w->at);
    const uint64_t times = load_little(s->times + w->time);
    if (has_zero_byte(masks) || has_zero_byte(~times)) return false;
    if (slots - w->next < EIGHT + sum_of_bytes(times)) return false;
    if (s->rows_size - w->row < EIGHT + (uint32_t)__builtin_popcountll(masks)) return false;
    vg_walk here = *w; /* in registers: nobody else has its address */
    for (uint32_t i = 0; i < EIGHT; i++) {
        here.slot = here.next + s->times[here.time + i];
        here.mask = s->masks[here.at + i];
        here.next = here.slot + 1;
        count_slot(t, &here, load_little(s->rows + here.row));
    }
    here.at += EIGHT;
    here.time += EIGHT;
    *w = here;
    return true;
}

VG_BUILT_TWICE vg_err count_all(const vg_strip *strip, uint64_t cells, uint16_t *counts,
                                uint32_t slots, bool *any, vg_fault *fault) {
    assert(strip != NULL && counts != NULL && any != NULL && fault != NULL);
    assert(slots <= VG_SLOTS_MAX);
    uint64_t by_mask[256];
    vg_rows_by_mask(cells, by_mask);
    tally t = {.by_mask = by_mask, .counts = counts};
    vg_walk w = {.strip = strip};
    while (w.at < strip->count) {
        if (count_eight(&t, &w, slots)) continue;
        const vg_err err = vg_walk_to(&w, slots, fault);
        if (err != VG_OK) return err;
        count_slot(&t, &w, rows_from(&w));
        w.at++;
    }
    *any = *any || t.in_any != 0;
    return vg_walk_ends(&w, fault);
}

vg_err vg_strip_count_portable(const vg_strip *strip, uint64_t cells, uint16_t *counts,
                               uint32_t slots, bool *any, vg_fault *fault) {
    return count_all(strip, cells, counts, slots, any, fault);
}

#ifdef VG_POPCNT
VG_POPCNT static vg_err count_with_popcnt(const vg_strip *strip, uint64_t cells, uint16_t *counts,
                                          uint32_t slots, bool *any, vg_fault *fault) {
    return count_all(strip, cells, counts, slots, any, fault);
}
#endif

vg_err vg_strip_count(const vg_strip *strip, uint64_t cells, uint16_t *counts, uint32_t slots,
                      bool *any, vg_fault *fault) {
#ifdef VG_POPCNT
    if (__builtin_cpu_supports("popcnt"))
        return count_with_popcnt(strip, cells, counts, slots, any, fault);
#endif
    return vg_strip_count_portable(strip, cells, counts, slots, any, fault);
}
