#include "vg/audio.h"

#include <assert.h>
#include <string.h>

#include "bytes.h"

enum {
    ADTS_HEADER = 7,
    ADTS_CRC = 2,
    OPUS_TICKS_A_MS = 48, /* RFC 7587 4.1: always 48 kHz */
    OPUS_FRAMES_MAX = 48, /* 120 ms of 2.5 ms */
};

void vg_audio_init(vg_audio_source *s, vg_audio_codec codec, const vg_aac_mode *mode,
                   uint8_t channels) {
    assert(s != NULL && mode != NULL && channels > 0);
    assert(mode->size_length <= 16 && mode->index_length <= 16 && mode->index_delta_length <= 16);
    memset(s, 0, offsetof(vg_audio_source, hold));
    s->codec = codec;
    s->mode = *mode;
    s->channels = channels;
}

/* --- AAC --- */

static uint32_t read_bits(const uint8_t *p, size_t *at, uint8_t count) {
    uint32_t value = 0;
    for (uint8_t i = 0; i < count; i++, (*at)++)
        value = value << 1U | ((uint32_t)p[*at / 8] >> (7U - *at % 8) & 1U);
    return value;
}

/* A no-name camera sends bare ADTS frames (go2rtc#1328): the syncword is no length of AU headers.
 */
static bool is_adts(const uint8_t *p, size_t size) {
    if (size < ADTS_HEADER || p[0] != 0xFF || (p[1] & 0xF6U) != 0xF0U) return false;
    const size_t frame = (p[3] & 3U) << 11U | (size_t)p[4] << 3U | p[5] >> 5U;
    return frame >= ADTS_HEADER && frame <= size;
}

static vg_err begin_aac(vg_audio_source *s, vg_fault *fault) {
    const uint8_t *p = s->packet.payload;
    const size_t size = s->packet.payload_size;
    s->is_adts = is_adts(p, size);
    s->adts += s->is_adts;
    if (s->is_adts) return VG_OK;
    if (size < 2) return vg_fail(fault, VG_SHORT, size, "RFC 3640 3.2.1 AU-headers-length");
    const size_t bits = vg_load_u16(p);
    s->header_bits = 16;
    s->headers_end = 16 + bits;
    s->at = 2 + (bits + 7) / 8;
    if (bits == 0 || s->at > size)
        return vg_fail(fault, VG_VALUE, 0, "RFC 3640 3.2.1 AU-headers-length");
    const size_t first = (size_t)s->mode.size_length + s->mode.index_length;
    s->is_single = bits < 2 * first; /* a fragment has the only header of its packet */
    return VG_OK;
}

static bool pull_adts(vg_audio_source *s, vg_audio_frame *out) {
    for (;;) {
        const uint8_t *p = s->packet.payload + s->at;
        const size_t left = s->packet.payload_size - s->at;
        if (!is_adts(p, left)) {
            s->frames_dropped += left > 0;
            s->at = s->packet.payload_size;
            return false;
        }
        const size_t frame = (p[3] & 3U) << 11U | (size_t)p[4] << 3U | p[5] >> 5U;
        const size_t header = ADTS_HEADER + (p[1] & 1U ? 0 : ADTS_CRC);
        s->at += frame;
        if (frame <= header) continue; /* nothing in it */
        *out = (vg_audio_frame){.bytes = p + header, .size = frame - header};
        return true;
    }
}

/* A frame that is longer than its packet goes on in the next ones (RFC 3640 3.2.3). */
static bool pull_fragment(vg_audio_source *s, uint32_t size, vg_audio_frame *out) {
    const size_t left = s->packet.payload_size - s->at;
    const bool goes_on = s->wanted == size && s->held_timestamp == s->packet.timestamp;
    if (!goes_on) {
        s->frames_dropped += s->wanted > 0;
        s->wanted = size;
        s->held = 0;
        s->held_timestamp = s->packet.timestamp;
    }
    const size_t part = left < s->wanted - s->held ? left : s->wanted - s->held;
    memcpy(s->hold + s->held, s->packet.payload + s->at, part);
    s->held += (uint32_t)part;
    s->at = s->packet.payload_size;
    if (s->held < s->wanted) return false;
    *out = (vg_audio_frame){.bytes = s->hold, .size = s->wanted};
    s->wanted = 0;
    return true;
}

static bool pull_au(vg_audio_source *s, vg_audio_frame *out) {
    const uint8_t index = s->frames == 0 ? s->mode.index_length : s->mode.index_delta_length;
    if (s->headers_end - s->header_bits < (size_t)s->mode.size_length + index) return false;
    const uint32_t size = read_bits(s->packet.payload, &s->header_bits, s->mode.size_length);
    (void)read_bits(s->packet.payload, &s->header_bits, index); /* junk at some cameras */
    const size_t left = s->packet.payload_size - s->at;
    if (size == 0 || size > VG_AAC_FRAME_MAX) {
        s->frames_dropped++;
        s->header_bits = s->headers_end;
        return false;
    }
    if (s->is_single && (size > left || s->wanted == size)) return pull_fragment(s, size, out);
    if (size > left) {
        s->frames_dropped++;
        s->header_bits = s->headers_end;
        return false;
    }
    *out = (vg_audio_frame){.bytes = s->packet.payload + s->at, .size = size};
    s->at += size;
    return true;
}

/* --- Opus --- */

/* RFC 6716 3.1: what one packet lasts; 0 where it cannot be. */
static uint32_t opus_ticks(const uint8_t *p, size_t size) {
    static const uint16_t silk[4] = {10, 20, 40, 60};
    const uint32_t config = p[0] >> 3U;
    uint32_t ticks = 0;
    if (config < 12)
        ticks = silk[config % 4] * OPUS_TICKS_A_MS;
    else if (config < 16)
        ticks = silk[config % 2] * OPUS_TICKS_A_MS;
    else
        ticks = UINT32_C(120) << config % 4; /* 2.5, 5, 10, 20 ms */
    uint32_t frames = (p[0] & 3U) == 0 ? 1 : 2;
    if ((p[0] & 3U) == 3) frames = size > 1 ? p[1] & 0x3FU : 0;
    return frames <= OPUS_FRAMES_MAX ? frames * ticks : 0;
}

/* --- packets --- */

vg_err vg_audio_push(vg_audio_source *s, const vg_rtp_packet *packet, vg_fault *fault) {
    assert(s != NULL && packet != NULL && fault != NULL);
    const uint16_t step = (uint16_t)(packet->sequence - s->next_sequence);
    if (s->started && step != 0) {
        s->packets_lost += step < 0x8000 ? step : 0;
        s->frames_dropped += s->wanted > 0;
        s->wanted = 0;
    }
    s->started = true;
    s->next_sequence = (uint16_t)(packet->sequence + 1);
    s->packet = *packet;
    s->at = 0;
    s->frames = 0;
    vg_err err = VG_OK;
    if (packet->payload_size > 0 && s->codec == VG_AUDIO_AAC) err = begin_aac(s, fault);
    if (packet->payload_size > 0 && s->codec == VG_AUDIO_OPUS &&
        opus_ticks(packet->payload, packet->payload_size) == 0)
        err = vg_fail(fault, VG_VALUE, 0, "RFC 6716 3.2.5 frames of a packet");
    if (err != VG_OK) {
        s->frames_dropped++;
        s->packet.payload_size = 0;
    }
    return err;
}

bool vg_audio_pull(vg_audio_source *s, vg_audio_frame *out) {
    assert(s != NULL && out != NULL);
    const size_t size = s->packet.payload_size;
    if (size == 0) return false;
    if (s->codec == VG_AUDIO_AAC) {
        if (!(s->is_adts ? pull_adts(s, out) : pull_au(s, out))) return false;
        out->ticks = VG_AAC_FRAME_TICKS;
        out->timestamp = s->packet.timestamp + s->frames++ * VG_AAC_FRAME_TICKS;
        return true;
    }
    *out = (vg_audio_frame){
        .bytes = s->packet.payload,
        .size = size,
        .timestamp = s->packet.timestamp,
        .ticks = s->codec == VG_AUDIO_OPUS ? opus_ticks(s->packet.payload, size)
                                           : (uint32_t)(size / s->channels),
    };
    s->packet.payload_size = 0;
    return true;
}
