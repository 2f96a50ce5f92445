/* What a receiver knows of one RTP source: for its reports (RFC 3550 6.4, A.1, A.8) and for the
 * camera's own clock, which is believed only where two sender reports agree. */
#ifndef VG_SRC_LOOP_RECEPTION_H
#define VG_SRC_LOOP_RECEPTION_H

#include "loop.h"
#include "vg/rtp.h"

/* `now_ns`: CLOCK_MONOTONIC. */
void reception_packet(reception *rx, const vg_rtp_packet *p, int64_t now_ns);
/* A report of this source. False: its time cannot be, or lies far from that of the one before. */
bool reception_report(reception *rx, const vg_rtcp_item *sr, int64_t now_ns);
/* UTC as the camera tells it; VG_CAMERA_CLOCK_UNKNOWN. */
int64_t reception_camera_clock(const reception *rx, uint32_t rtp_timestamp);
void reception_write_report(reception *rx, uint8_t out[VG_RTCP_RR_SIZE], uint32_t own_ssrc,
                            int64_t now_ns);

#endif
