#include "vg/rtp_order.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

static bool has(const uint64_t *bits, uint16_t sequence) {
    const uint16_t slot = vg_order_slot(sequence);
    return (bits[slot / 64] >> slot % 64U & 1U) != 0;
}

static void set(uint64_t *bits, uint16_t sequence, bool value) {
    const uint16_t slot = vg_order_slot(sequence);
    const uint64_t bit = UINT64_C(1) << slot % 64U;
    if (value)
        bits[slot / 64] |= bit;
    else
        bits[slot / 64] &= ~bit;
}

void vg_order_init(vg_rtp_order *o) {
    assert(o != NULL);
    memset(o, 0, sizeof *o);
}

/* `sequence` is what the next packet is counted from; nothing waits. */
static void begin_at(vg_rtp_order *o, uint16_t next) {
    assert(o->held == 0);
    memset(o->was_given, 0, sizeof o->was_given);
    o->started = true;
    o->next = next;
}

static void give(vg_rtp_order *o) {
    set(o->was_given, o->next, true);
    o->next++;
    o->knows_next = true;
}

static void hold(vg_rtp_order *o, uint16_t sequence, int64_t now_ns) {
    o->waits_since_ns[vg_order_slot(sequence)] = now_ns;
    set(o->is_held, sequence, true);
    o->held++;
}

/* Whether so many packets in a row agree that the camera counts from here. */
static bool is_believed(vg_rtp_order *o, uint16_t sequence, uint8_t needed) {
    if (sequence != o->odd_next) o->odd_count = 0;
    o->odd_next = (uint16_t)(sequence + 1);
    if (o->odd_count < UINT8_MAX) o->odd_count++;
    return o->odd_count >= needed;
}

static vg_order_place begin_anew(vg_rtp_order *o, uint16_t sequence) {
    if (o->held > 0) { /* what waits belongs before it; then it is asked again */
        o->odd_next = sequence;
        if (o->odd_count > 0) o->odd_count--;
        return VG_ORDER_FULL;
    }
    begin_at(o, sequence);
    o->odd_count = 0;
    give(o);
    return VG_ORDER_NEXT;
}

static vg_order_place push_back(vg_rtp_order *o, uint16_t sequence, uint16_t back) {
    const bool is_near = back <= VG_ORDER_SLOTS;
    const uint8_t needed = is_near ? VG_ORDER_TRUST_LATE : VG_ORDER_TRUST;
    if (is_believed(o, sequence, needed)) return begin_anew(o, sequence);
    if (!is_near) return VG_ORDER_ODD;
    return has(o->was_given, sequence) ? VG_ORDER_DUPLICATE : VG_ORDER_LATE;
}

static vg_order_place push_ahead(vg_rtp_order *o, uint16_t sequence, uint16_t ahead,
                                 int64_t now_ns) {
    if (ahead >= VG_ORDER_JUMP_MAX) {
        if (!is_believed(o, sequence, VG_ORDER_TRUST)) return VG_ORDER_ODD;
        return begin_anew(o, sequence);
    }
    if (ahead >= VG_ORDER_SLOTS) return begin_anew(o, sequence);
    o->odd_count = 0;
    if (ahead == 0 && o->knows_next) {
        give(o);
        return VG_ORDER_NEXT;
    }
    if (has(o->is_held, sequence)) return VG_ORDER_DUPLICATE;
    hold(o, sequence, now_ns);
    return VG_ORDER_HOLD;
}

vg_order_place vg_order_push(vg_rtp_order *o, uint16_t sequence, int64_t now_ns) {
    assert(o != NULL);
    if (!o->started) begin_at(o, (uint16_t)(sequence - VG_ORDER_SLOTS / 2));
    const uint16_t ahead = (uint16_t)(sequence - o->next);
    if (ahead >= 0x8000) return push_back(o, sequence, (uint16_t)-ahead);
    return push_ahead(o, sequence, ahead, now_ns);
}

bool vg_order_pull(vg_rtp_order *o, int64_t now_ns, bool must, uint16_t *sequence) {
    assert(o != NULL && sequence != NULL);
    if (o->held == 0) return false;
    uint16_t first = o->next;
    while (!has(o->is_held, first))
        first++; /* ends: everything that waits lies less than VG_ORDER_SLOTS ahead */
    const bool is_due = first == o->next && o->knows_next;
    const int64_t waited_ns = now_ns - o->waits_since_ns[vg_order_slot(first)];
    if (!is_due && !must && waited_ns < VG_ORDER_WAIT_NS) return false;
    for (; o->next != first; o->next++)
        set(o->was_given, o->next, false);
    set(o->is_held, first, false);
    o->held--;
    give(o);
    *sequence = first;
    return true;
}
