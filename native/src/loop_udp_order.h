/* The packets of a stream's datagrams, in order: what came too early waits for what is missing. */
#ifndef VG_SRC_LOOP_UDP_ORDER_H
#define VG_SRC_LOOP_UDP_ORDER_H

#include "loop_udp.h"

/* Takes one datagram of the camera, RTP or RTCP. */
void udp_order_take(udp_pair *udp, const uint8_t *bytes, size_t size);
/* Gives on what is next, and what has waited long enough; `must`: all that waits. */
void udp_order_release(udp_pair *udp, bool must);
void udp_order_free(udp_pair *udp);

#endif
