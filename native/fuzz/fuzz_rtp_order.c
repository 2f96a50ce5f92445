/* Three bytes a packet: a step of the sequence number (signed), and milliseconds. Holds for any:
 * what is given goes up unless the camera counts anew, nothing is given twice, whoever waits is in
 * its slot, and the wait ends. */
#include <stdlib.h>
#include <string.h>

#include "vg/rtp_order.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef struct model {
    vg_rtp_order order;
    bool holds[VG_ORDER_SLOTS];
    uint16_t sequences[VG_ORDER_SLOTS];
    uint32_t held;
    uint16_t last;
    bool has_last;
} model;

static void given(model *m, uint16_t sequence, bool anew) {
    const uint16_t step = (uint16_t)(sequence - m->last);
    if (m->has_last && !anew && (step == 0 || step >= 0x8000)) abort();
    m->last = sequence;
    m->has_last = true;
}

static bool pull(model *m, int64_t now_ns, bool must) {
    uint16_t sequence;
    if (!vg_order_pull(&m->order, now_ns, must, &sequence)) return false;
    const uint16_t slot = vg_order_slot(sequence);
    if (!m->holds[slot] || m->sequences[slot] != sequence) abort();
    m->holds[slot] = false;
    m->held--;
    given(m, sequence, false);
    return true;
}

static void push(model *m, uint16_t sequence, int64_t now_ns) {
    vg_order_place place = vg_order_push(&m->order, sequence, now_ns);
    for (int i = 0; place == VG_ORDER_FULL; i++) {
        if (i > VG_ORDER_SLOTS || !pull(m, now_ns, true)) abort();
        place = vg_order_push(&m->order, sequence, now_ns);
    }
    if (place == VG_ORDER_NEXT) {
        const uint16_t back = (uint16_t)(m->last - sequence);
        given(m, sequence, back <= 0x8000);
    } else if (place == VG_ORDER_HOLD) {
        const uint16_t slot = vg_order_slot(sequence);
        if (m->holds[slot]) abort();
        m->holds[slot] = true;
        m->sequences[slot] = sequence;
        m->held++;
    }
    if (m->held != m->order.held || m->held > VG_ORDER_SLOTS) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static model m;
    memset(&m, 0, sizeof m);
    vg_order_init(&m.order);
    uint16_t sequence = 65000;
    int64_t now_ns = 1;
    for (size_t i = 0; i + 3 <= size; i += 3) {
        sequence = (uint16_t)(sequence + (uint16_t)(data[i] << 8U | data[i + 1]));
        now_ns += data[i + 2] * INT64_C(1000000);
        push(&m, sequence, now_ns);
        while (pull(&m, now_ns, false)) {
        }
    }
    now_ns += VG_ORDER_WAIT_NS; /* of those behind a hole, and of those behind the next one */
    while (pull(&m, now_ns, false)) {
    }
    if (m.held != 0) abort();
    return 0;
}
