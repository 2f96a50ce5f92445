#include "loop_udp_order.h"

#include <stdlib.h>
#include <string.h>

#include "assembler.h"
#include "loop_stream.h"
#include "vg/rtp.h"

enum {
    /* What may wait of a stream: 50 ms at 25 MB/s, and what the next reads bring. Slots alone would
     * let one camera with the largest datagrams have 64 MiB. */
    HELD_BYTES_MAX = 4 << 20,
};

static void on_rtp(stream *s, const uint8_t *bytes, size_t size) {
    s->udp->ends_at_marker = size >= 2 && (bytes[1] & 0x80U) != 0;
    stream_rtp(s, bytes, size);
}

static bool pull(stream *s, bool must) {
    udp_pair *udp = s->udp;
    uint16_t sequence;
    if (!vg_order_pull(&udp->order, s->owner->now_ns, must, &sequence)) return false;
    parcel **at = &udp->held[vg_order_slot(sequence)];
    parcel *p = *at;
    *at = NULL;
    if (p == NULL) return true;
    udp->held_bytes -= p->size;
    on_rtp(s, p->bytes, p->size);
    free(p);
    return true;
}

void udp_order_release(stream *s, bool must) {
    for (int i = 0; i < VG_ORDER_SLOTS; i++)
        if (!pull(s, must)) return;
}

static parcel *copy_of(const uint8_t *bytes, size_t size) {
    parcel *p = malloc(sizeof *p + size);
    if (p == NULL) return NULL;
    p->next = NULL;
    p->size = size;
    memcpy(p->bytes, bytes, size);
    return p;
}

static void hold(stream *s, uint16_t sequence, const uint8_t *bytes, size_t size) {
    udp_pair *udp = s->udp;
    parcel *p = copy_of(bytes, size);
    udp->held[vg_order_slot(sequence)] = p;
    if (p == NULL) return; /* it is lost, and found to be when its turn comes */
    udp->held_bytes += size;
    if (udp->held_bytes > HELD_BYTES_MAX) udp_order_release(s, true);
}

static void in_order(stream *s, uint16_t sequence, const uint8_t *bytes, size_t size) {
    udp_pair *udp = s->udp;
    vg_order_place place = vg_order_push(&udp->order, sequence, s->owner->now_ns);
    for (int i = 0; i < VG_ORDER_SLOTS && place == VG_ORDER_FULL; i++) {
        (void)pull(s, true);
        place = vg_order_push(&udp->order, sequence, s->owner->now_ns);
    }
    switch (place) {
    case VG_ORDER_NEXT:
        on_rtp(s, bytes, size);
        udp_order_release(s, false);
        return;
    case VG_ORDER_HOLD:
        hold(s, sequence, bytes, size);
        return;
    case VG_ORDER_DUPLICATE:
        udp->duplicates++;
        return;
    case VG_ORDER_LATE:
    case VG_ORDER_ODD:
    case VG_ORDER_FULL:
        udp->late++;
        return;
    }
}

/* As the assembler takes them: a few of another source are an old session's (rtsp.md row 68), three
 * in a row are the camera's. False: not one of ours. */
static bool is_our_source(stream *s, uint32_t ssrc) {
    udp_pair *udp = s->udp;
    if (udp->has_ssrc && ssrc != udp->ssrc) {
        if (ssrc != udp->other_ssrc) udp->other_count = 0;
        udp->other_ssrc = ssrc;
        if (++udp->other_count < VG_SSRC_TRUST) return false;
        udp_order_release(s, true);
        vg_order_init(&udp->order);
    }
    udp->has_ssrc = true;
    udp->ssrc = ssrc;
    udp->other_count = 0;
    return true;
}

/* Some send RTCP to the RTP port and the other way round (rtsp.md row 74): the second byte tells,
 * RFC 5761 4. */
void udp_order_take(stream *s, const uint8_t *bytes, size_t size) {
    if (size >= 2 && bytes[1] >= 200 && bytes[1] <= 204) {
        stream_rtcp(s, bytes, size);
        return;
    }
    vg_rtp_packet packet;
    vg_fault fault;
    const bool is_ours = vg_rtp_parse(bytes, size, &packet, &fault) == VG_OK &&
                         packet.payload_type == s->payload_type && is_our_source(s, packet.ssrc);
    if (is_ours)
        in_order(s, packet.sequence, bytes, size);
    else
        stream_rtp(s, bytes, size); /* where it is counted as what it is */
}

void udp_order_free(udp_pair *udp) {
    for (int i = 0; i < VG_ORDER_SLOTS; i++)
        free(udp->held[i]);
}
