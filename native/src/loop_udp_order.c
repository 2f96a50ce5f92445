#include "loop_udp_order.h"

#include <stdlib.h>
#include <string.h>

#include "assembler.h"
#include "loop_sound.h"
#include "vg/rtp.h"

enum {
    /* What may wait of a stream: 50 ms at 25 MB/s, and what the next reads bring. Slots alone would
     * let one camera with the largest datagrams have 64 MiB. */
    HELD_BYTES_MAX = 4 << 20,
    SOUND_HELD_BYTES_MAX = 256 << 10, /* no codec of ours sends a twentieth of that in 50 ms */
};

static void on_rtp(udp_pair *udp, const uint8_t *bytes, size_t size) {
    udp->ends_at_marker = size >= 2 && (bytes[1] & 0x80U) != 0;
    if (udp->is_sound)
        sound_rtp(udp->of, bytes, size);
    else
        stream_rtp(udp->of, bytes, size);
}

static bool pull(udp_pair *udp, int64_t now_ns, bool must) {
    uint16_t sequence;
    if (!vg_order_pull(&udp->order, now_ns, must, &sequence)) return false;
    parcel **at = &udp->held[vg_order_slot(sequence)];
    parcel *p = *at;
    *at = NULL;
    if (p == NULL) return true;
    udp->held_bytes -= p->size;
    on_rtp(udp, p->bytes, p->size);
    free(p);
    return true;
}

static void release(udp_pair *udp, int64_t now_ns, bool must) {
    for (int i = 0; i < VG_ORDER_SLOTS; i++)
        if (!pull(udp, now_ns, must)) return;
}

void udp_order_release(udp_pair *udp, bool must) {
    release(udp, udp->of->owner->now_ns, must);
}

/* Those that the latest packet was missing for. How long others have waited does not count before
 * the socket is read empty: what they wait for may stand behind this one. */
static void release_due(udp_pair *udp) {
    release(udp, 0, false);
}

static parcel *copy_of(const uint8_t *bytes, size_t size) {
    parcel *p = malloc(sizeof *p + size);
    if (p == NULL) return NULL;
    p->next = NULL;
    p->size = size;
    memcpy(p->bytes, bytes, size);
    return p;
}

static void hold(udp_pair *udp, uint16_t sequence, const uint8_t *bytes, size_t size) {
    parcel *p = copy_of(bytes, size);
    udp->held[vg_order_slot(sequence)] = p;
    if (p == NULL) return; /* it is lost, and found to be when its turn comes */
    udp->held_bytes += size;
    const size_t most = udp->is_sound ? SOUND_HELD_BYTES_MAX : HELD_BYTES_MAX;
    if (udp->held_bytes > most) udp_order_release(udp, true);
}

static void in_order(udp_pair *udp, uint16_t sequence, const uint8_t *bytes, size_t size) {
    const int64_t now_ns = udp->of->owner->now_ns;
    vg_order_place place = vg_order_push(&udp->order, sequence, now_ns);
    for (int i = 0; i < VG_ORDER_SLOTS && place == VG_ORDER_FULL; i++) {
        (void)pull(udp, udp->of->owner->now_ns, true);
        place = vg_order_push(&udp->order, sequence, now_ns);
    }
    switch (place) {
    case VG_ORDER_NEXT:
        on_rtp(udp, bytes, size);
        release_due(udp);
        return;
    case VG_ORDER_HOLD:
        hold(udp, sequence, bytes, size);
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
static bool is_our_source(udp_pair *udp, uint32_t ssrc) {
    if (udp->has_ssrc && ssrc != udp->ssrc) {
        if (ssrc != udp->other_ssrc) udp->other_count = 0;
        udp->other_ssrc = ssrc;
        if (++udp->other_count < VG_SSRC_TRUST) return false;
        udp_order_release(udp, true);
        vg_order_init(&udp->order);
    }
    udp->has_ssrc = true;
    udp->ssrc = ssrc;
    udp->other_count = 0;
    return true;
}

static bool is_our_type(const udp_pair *udp, uint8_t payload_type) {
    if (udp->is_sound) return payload_type == udp->of->sound->payload_type;
    return vg_assembler_takes(udp->of->assembler, payload_type);
}

/* Some send RTCP to the RTP port and the other way round (rtsp.md row 74): the second byte tells,
 * RFC 5761 4. */
void udp_order_take(udp_pair *udp, const uint8_t *bytes, size_t size) {
    stream *s = udp->of;
    if (size >= 2 && bytes[1] >= 200 && bytes[1] <= 204) {
        if (udp->is_sound)
            sound_rtcp(s, bytes, size);
        else
            stream_rtcp(s, bytes, size);
        return;
    }
    vg_rtp_packet packet;
    vg_fault fault;
    const bool is_ours = vg_rtp_parse(bytes, size, &packet, &fault) == VG_OK &&
                         is_our_type(udp, packet.payload_type) && is_our_source(udp, packet.ssrc);
    if (is_ours)
        in_order(udp, packet.sequence, bytes, size);
    else if (!udp->is_sound)
        stream_rtp(s, bytes, size); /* where it is counted as what it is */
}

void udp_order_free(udp_pair *udp) {
    for (int i = 0; i < VG_ORDER_SLOTS; i++)
        free(udp->held[i]);
}
