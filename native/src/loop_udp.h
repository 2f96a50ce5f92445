/* The datagrams of a stream whose camera sends over UDP: two sockets for its pictures and two for
 * its sound, each pair with an order of its own. The RTSP connection stays the stream's own. */
#ifndef VG_SRC_LOOP_UDP_H
#define VG_SRC_LOOP_UDP_H

#include "loop.h"
#include "vg/rtp_order.h"

typedef struct udp_socket {
    watched w;
    udp_pair *pair;
    bool is_rtcp, is_tight;
    uint16_t port;     /* the camera's; 0: not known */
    uint32_t overruns; /* as the system counts them (SO_RXQ_OVFL) */
    /* Monotonic: since when more comes than a turn reads; 0: the last turn read it empty. */
    int64_t behind_since_ns;
} udp_socket;

struct udp_pair {
    stream *of;
    bool is_sound;
    udp_socket sockets[2]; /* RTP, RTCP */
    uint8_t peer[16];      /* the camera's address; IPv4 as RFC 4291 2.5.5.2 maps it */
    bool has_ssrc, ends_at_marker;
    uint32_t ssrc, other_ssrc;
    uint8_t other_count; /* packets in a row of other_ssrc */
    vg_rtp_order order;
    parcel *held[VG_ORDER_SLOTS];
    size_t held_bytes;
    uint64_t duplicates, late, strangers, overruns;
    int64_t told_overrun_ns; /* monotonic; 0: not yet */
};

typedef struct udp_address {
    const uint8_t *peer; /* 16 bytes */
    uint16_t port;       /* 0: not known */
    bool is_rtcp, is_sound;
} udp_address;

/* Takes the descriptor. NULL, or why it cannot be done. */
const char *udp_add(stream *s, const udp_address *address, int fd);
void udp_ready(udp_socket *u);
/* What has waited long enough goes on without what it waited for. */
void udp_release(stream *s);
/* Reads what has come already; then nothing waits any more. */
void udp_drain(stream *s);
/* The end of the run: whatever waits goes on, and a picture whose end did not come is marked. */
void udp_flush(stream *s);
void udp_send_report(udp_pair *udp, const uint8_t *bytes, size_t size);
void udp_free(stream *s);

#endif
