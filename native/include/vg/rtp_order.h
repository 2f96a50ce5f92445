/* The order of RTP packets that came as datagrams: those that came too early wait for the ones
 * before them, a bounded time and in bounded room; what came twice or too late is told apart
 * (RFC 3550 A.1; rtsp.md row 89). Sequence numbers and times alone: the caller keeps the packets,
 * each in the slot that stands for its number. No state but this, no clock, no allocation. */
#ifndef VG_RTP_ORDER_H
#define VG_RTP_ORDER_H

#include <stdbool.h>
#include <stdint.h>

enum {
    /* Packets that may wait, and how far back a packet is a late one: 25 MB/s for 50 ms. */
    VG_ORDER_SLOTS = 1024,
    VG_ORDER_JUMP_MAX = 3000, /* RFC 3550 A.1 MAX_DROPOUT: a longer step is no count of losses */
    /* Packets in a row, each one above the one before, after which the camera counts anew: */
    VG_ORDER_TRUST = 3,       /* from somewhere else altogether */
    VG_ORDER_TRUST_LATE = 16, /* from where late packets come from as well */
};
#define VG_ORDER_WAIT_NS INT64_C(50000000)

typedef struct vg_rtp_order {
    bool started;
    bool knows_next;   /* false: the first packets wait for those that they overtook */
    uint16_t next;     /* the sequence number that is due */
    uint16_t held;     /* packets that wait */
    uint16_t odd_next; /* would follow the ones that make no sense */
    uint8_t odd_count;
    int64_t waits_since_ns[VG_ORDER_SLOTS]; /* by slot; meaningful where `is_held` */
    uint64_t is_held[VG_ORDER_SLOTS / 64];
    uint64_t was_given[VG_ORDER_SLOTS / 64]; /* of the numbers behind `next` */
} vg_rtp_order;

typedef enum vg_order_place {
    VG_ORDER_NEXT,      /* it is due: use it, then pull */
    VG_ORDER_HOLD,      /* keep it in its slot until it is pulled */
    VG_ORDER_DUPLICATE, /* it came already */
    VG_ORDER_LATE,      /* it was given up, and others were used instead */
    VG_ORDER_ODD,       /* far from all others: not believed yet */
    /* Pull with `must`, then push it again: there is no room before that. Happens at most
     * VG_ORDER_SLOTS times in a row. */
    VG_ORDER_FULL,
} vg_order_place;

static inline uint16_t vg_order_slot(uint16_t sequence) {
    return sequence % VG_ORDER_SLOTS;
}

void vg_order_init(vg_rtp_order *o);
/* Where a packet that came at `now_ns` (monotonic) belongs. */
vg_order_place vg_order_push(vg_rtp_order *o, uint16_t sequence, int64_t now_ns);
/* The next packet that waits no longer: because it is due, because the one behind a hole has waited
 * VG_ORDER_WAIT_NS, or because it must. False: there is none. */
bool vg_order_pull(vg_rtp_order *o, int64_t now_ns, bool must, uint16_t *sequence);

#endif
