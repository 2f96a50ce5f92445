/* Three bytes a packet: a step of the sequence number (signed), and milliseconds. Holds for any:
 * what is given goes up unless the camera counts anew, nothing is given twice, whoever waits is in
 * its slot, and none longer than its time; what is called a duplicate came before, and what is
 * called late did not. */
#include <stdlib.h>
#include <string.h>

#include "vg/rtp_order.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef struct model {
    vg_rtp_order order;
    bool holds[VG_ORDER_SLOTS];
    uint16_t sequences[VG_ORDER_SLOTS];
    int64_t since_ns[VG_ORDER_SLOTS];
    uint32_t held;
    uint16_t last;
    bool has_last;
} model;

/* Since the camera counted anew: by sequence number, which beginning it was given after. Never
 * zeroed: each input has beginnings of its own. */
static uint64_t given_in[UINT16_MAX + 1];
static uint64_t beginning;

static void check(bool holds) {
    if (!holds) abort();
}

static bool is_held(const model *m, uint16_t sequence) {
    const uint16_t slot = vg_order_slot(sequence);
    return m->holds[slot] && m->sequences[slot] == sequence;
}

static void given(model *m, uint16_t sequence, bool anew) {
    const uint16_t step = (uint16_t)(sequence - m->last);
    if (anew || !m->has_last) {
        beginning++;
    } else {
        check(step > 0 && step < 0x8000);
        for (uint16_t skipped = 1; skipped < step; skipped++)
            given_in[(uint16_t)(m->last + skipped)] = 0;
    }
    given_in[sequence] = beginning;
    m->last = sequence;
    m->has_last = true;
}

static bool pull(model *m, int64_t now_ns, bool must) {
    uint16_t sequence;
    if (!vg_order_pull(&m->order, now_ns, must, &sequence)) return false;
    check(is_held(m, sequence));
    m->holds[vg_order_slot(sequence)] = false;
    m->held--;
    given(m, sequence, false);
    return true;
}

static void hold(model *m, uint16_t sequence, int64_t now_ns) {
    const uint16_t slot = vg_order_slot(sequence);
    check(!m->holds[slot]);
    m->holds[slot] = true;
    m->sequences[slot] = sequence;
    m->since_ns[slot] = now_ns;
    m->held++;
}

static void push(model *m, uint16_t sequence, int64_t now_ns) {
    vg_order_place place = vg_order_push(&m->order, sequence, now_ns);
    for (int i = 0; place == VG_ORDER_FULL; i++) {
        check(i <= VG_ORDER_SLOTS && pull(m, now_ns, true));
        place = vg_order_push(&m->order, sequence, now_ns);
    }
    const uint16_t back = (uint16_t)(m->last - sequence);
    const bool was_given = m->has_last && given_in[sequence] == beginning;
    if (place == VG_ORDER_NEXT) given(m, sequence, back <= 0x8000);
    if (place == VG_ORDER_HOLD) hold(m, sequence, now_ns);
    if (place == VG_ORDER_DUPLICATE) check(was_given || is_held(m, sequence));
    if (place == VG_ORDER_LATE) check(!was_given && !is_held(m, sequence));
    check(m->held == m->order.held && m->held <= VG_ORDER_SLOTS);
}

/* The one whose turn comes next, with all that is due taken. */
static void check_wait(const model *m, int64_t now_ns) {
    if (m->held == 0) return;
    uint16_t first = m->order.next;
    for (int i = 0; !is_held(m, first); i++, first++)
        check(i < VG_ORDER_SLOTS);
    check(!m->has_last || first != (uint16_t)(m->last + 1));
    check(now_ns - m->since_ns[vg_order_slot(first)] < VG_ORDER_WAIT_NS);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static model m;
    memset(&m, 0, sizeof m);
    beginning++;
    vg_order_init(&m.order);
    uint16_t sequence = 65000;
    int64_t now_ns = 1;
    for (size_t i = 0; i + 3 <= size; i += 3) {
        sequence = (uint16_t)(sequence + (uint16_t)(data[i] << 8U | data[i + 1]));
        now_ns += data[i + 2] * INT64_C(1000000);
        push(&m, sequence, now_ns);
        while (pull(&m, now_ns, false)) {
        }
        check_wait(&m, now_ns);
    }
    now_ns += VG_ORDER_WAIT_NS; /* of those behind a hole, and of those behind the next one */
    while (pull(&m, now_ns, false)) {
    }
    check(m.held == 0);
    return 0;
}
