/* Sound of a camera: what describes it, and from RTP packets to frames. AAC (RFC 3640, and ADTS in
 * its place; in LATM, RFC 6416), G.711 (RFC 3551 4.5.14), Opus (RFC 7587). No I/O, no clock, no
 * allocation. */
#ifndef VG_SOUND_H
#define VG_SOUND_H

#include "vg/rtp.h"

/* Travels from the parent to a loop: the numbers never change. */
typedef enum vg_sound_codec {
    VG_SOUND_AAC = 1,
    VG_SOUND_PCMA = 2,
    VG_SOUND_PCMU = 3,
    VG_SOUND_OPUS = 4,
    VG_SOUND_LATM = 5, /* AAC, which a file does not tell from that of VG_SOUND_AAC */
} vg_sound_codec;

enum {
    VG_SOUND_CONFIG_MAX = 64,
    VG_SOUND_CHANNELS_MAX = 8,
    VG_SOUND_CLOCK_MAX = 192000,
    VG_SOUND_FRAME_MAX = 8192, /* ISO/IEC 14496-3: 6,144 bits a channel, of eight; ADTS' 13 bits */
    VG_SOUND_FRAMES_MAX = 64,  /* of one packet; more are dropped */
};

typedef struct vg_sound {
    uint8_t codec; /* vg_sound_codec */
    uint8_t channels;
    uint8_t size_bits, index_bits, delta_bits; /* of AAC's AU headers (RFC 3640 3.2.1) */
    uint8_t config_size;
    uint32_t clock_rate;                 /* of the RTP timestamps */
    uint32_t sample_rate;                /* as a file tells it */
    uint32_t frame_ticks;                /* AAC, in LATM too: of the RTP clock, for each frame */
    uint8_t config[VG_SOUND_CONFIG_MAX]; /* likewise: AudioSpecificConfig (14496-3 1.6.2.1) */
} vg_sound;

/* NULL, or what cannot be used of a description that came from elsewhere. */
const char *vg_sound_refuse(const vg_sound *sound);

/* What a decoder takes at once. */
typedef struct vg_sound_frame {
    const uint8_t *bytes; /* into the packet, or the reader */
    uint32_t size;
    uint32_t timestamp; /* RTP, of its first sample */
    uint32_t ticks;     /* how long it lasts by the RTP clock */
} vg_sound_frame;

typedef struct vg_sound_counts {
    uint64_t packets, lost, repeated, frames;
    uint64_t odd; /* packets and fragments that were dropped */
} vg_sound_counts;

typedef struct vg_sound_reader {
    vg_sound sound;
    vg_sound_counts counts;
    bool has_sequence;
    uint16_t next_sequence;
    uint32_t ssrc;
    uint32_t part_size, part_wanted,
        part_timestamp; /* a frame in several packets; wanted 0: none */
    /* LATM: the packet before is not the one that came before; the camera puts elements into
     * several packets; what has the timestamp of the part is left out. */
    bool is_behind_loss, splits, skips;
    uint32_t frame_count;
    vg_sound_frame frames[VG_SOUND_FRAMES_MAX]; /* of the packet pushed last; until the next */
    uint8_t part[VG_SOUND_FRAME_MAX];
} vg_sound_reader;

void vg_sound_init(vg_sound_reader *r, const vg_sound *sound);
/* One packet of the track. VG_OK: `frames` holds what it completed, perhaps nothing. VG_VALUE,
 * VG_SHORT, VG_LIMIT: the packet was dropped, or what was left of it. A lost packet needs no mark:
 * the timestamps of what follows say how long the hole is. */
vg_err vg_sound_push(vg_sound_reader *r, const vg_rtp_packet *packet, vg_fault *fault);

#endif
