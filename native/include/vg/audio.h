/* RTP packets of sound to frames: AAC (RFC 3640, and the bare ADTS that some cameras send instead),
 * G.711 (RFC 3551 4.5.14) and Opus (RFC 7587). The memory is the caller's; no I/O, no clock.
 *
 * Nothing records sound yet: see docs/design/rtsp-interop.md. */
#ifndef VG_AUDIO_H
#define VG_AUDIO_H

#include "vg/rtp.h"

typedef enum vg_audio_codec {
    VG_AUDIO_AAC = 1,
    VG_AUDIO_G711 = 2,
    VG_AUDIO_OPUS = 3
} vg_audio_codec;

enum {
    VG_AAC_FRAME_MAX = 8191, /* what the 13 bits of an AU size hold */
    VG_AAC_FRAME_TICKS = 1024,
};

/* What the description says of AAC (RFC 3640 4.1): bits of an AU header's fields. */
typedef struct vg_aac_mode {
    uint8_t size_length, index_length, index_delta_length; /* 13, 3, 3 where it does not tell */
} vg_aac_mode;

typedef struct vg_audio_frame {
    const uint8_t *bytes; /* into the packet, or into the source; until the next push */
    size_t size;
    uint32_t timestamp; /* RTP */
    uint32_t ticks;     /* how long it lasts */
} vg_audio_frame;

typedef struct vg_audio_source {
    vg_audio_codec codec;
    vg_aac_mode mode;
    uint8_t channels;
    bool started;
    uint16_t next_sequence;
    uint64_t packets_lost, frames_dropped, adts;

    /* the packet being taken apart */
    vg_rtp_packet packet;
    size_t header_bits, headers_end; /* where the next AU header begins, where they end: bits */
    size_t at;                       /* the next byte of sound */
    uint32_t frames;                 /* of this packet, given already */
    bool is_adts, is_single;

    /* an AAC frame in several packets */
    uint32_t wanted, held; /* bytes; wanted 0: none */
    uint32_t held_timestamp;
    uint8_t hold[VG_AAC_FRAME_MAX];
} vg_audio_source;

void vg_audio_init(vg_audio_source *s, vg_audio_codec codec, const vg_aac_mode *mode,
                   uint8_t channels);
/* VG_OK: pull all its frames, then push the next; the packet must live so long. VG_SHORT, VG_VALUE:
 * it was dropped. */
vg_err vg_audio_push(vg_audio_source *s, const vg_rtp_packet *packet, vg_fault *fault);
bool vg_audio_pull(vg_audio_source *s, vg_audio_frame *out);

#endif
