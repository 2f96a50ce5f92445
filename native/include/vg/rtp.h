/* RTP packets (RFC 3550 5.1). Parses one packet; no state, no I/O, no allocation. */
#ifndef VG_RTP_H
#define VG_RTP_H

#include "vg/err.h"
#include <stdbool.h>
#include <stdint.h>

/* A packet as received. `payload` points into the caller's buffer and lives as long as that does.
 */
typedef struct vg_rtp_packet {
    bool marker;
    uint8_t payload_type; /* 7 bits */
    uint16_t sequence;    /* wraps at 2^16 */
    uint32_t timestamp;   /* in the track's timescale; wraps at 2^32 */
    uint32_t ssrc;
    const uint8_t *payload;
    size_t payload_size; /* without padding */
} vg_rtp_packet;

/* Returns VG_OK, VG_SHORT or VG_VALUE; `out` is written only with VG_OK, `fault` only without it.
 */
vg_err vg_rtp_parse(const uint8_t *data, size_t size, vg_rtp_packet *out, vg_fault *fault);

#endif
