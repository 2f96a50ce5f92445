/* Sound packets to frames: what all codecs share, G.711 and Opus. */
#include "sound.h"

#include <assert.h>
#include <string.h>

#include "bytes.h"

enum {
    REPEATED_MAX = 64, /* so far back a sequence number is a repetition, further a new beginning */
    OPUS_TICKS_MAX = 5760, /* RFC 6716 3.4 R5: 120 ms */
    OPUS_CLOCK = 48000,    /* RFC 7587 4.1: always, whatever is declared */
};

const char *vg_sound_refuse(const vg_sound *s) {
    if (s->codec < VG_SOUND_AAC || s->codec > VG_SOUND_LATM) return "sound of an unknown codec";
    if (s->channels == 0 || s->channels > VG_SOUND_CHANNELS_MAX) return "channels of the sound";
    if (s->clock_rate == 0 || s->clock_rate > VG_SOUND_CLOCK_MAX) return "clock rate of the sound";
    if (s->sample_rate == 0 || s->sample_rate > VG_SOUND_CLOCK_MAX)
        return "sample rate of the sound";
    if (s->config_size > VG_SOUND_CONFIG_MAX) return "VG_SOUND_CONFIG_MAX";
    if (s->codec == VG_SOUND_OPUS && s->clock_rate != OPUS_CLOCK) return "RFC 7587 4.1 clock rate";
    if (s->codec != VG_SOUND_AAC && s->codec != VG_SOUND_LATM) return NULL;
    if (s->config_size < 2) return "14496-3 1.6.2.1 configuration of the AAC";
    if (s->frame_ticks == 0 || s->frame_ticks > VG_SOUND_CLOCK_MAX) return "length of an AAC frame";
    if (s->codec == VG_SOUND_LATM) return NULL;
    if (s->size_bits == 0 || s->size_bits > 16 || s->index_bits > 16 || s->delta_bits > 16)
        return "RFC 3640 4.1 lengths in the AU header";
    return NULL;
}

void vg_sound_init(vg_sound_reader *r, const vg_sound *sound) {
    assert(r != NULL && vg_sound_refuse(sound) == NULL);
    memset(r, 0, offsetof(vg_sound_reader, frames));
    r->sound = *sound;
}

vg_err vg_sound_add(vg_sound_reader *r, const vg_sound_frame *frame, vg_fault *fault) {
    if (frame->size == 0) return VG_OK;
    if (frame->size > VG_SOUND_FRAME_MAX) return vg_fail(fault, VG_LIMIT, 0, "VG_SOUND_FRAME_MAX");
    if (r->frame_count == VG_SOUND_FRAMES_MAX)
        return vg_fail(fault, VG_LIMIT, 0, "VG_SOUND_FRAMES_MAX");
    r->frames[r->frame_count++] = *frame;
    return VG_OK;
}

/* RFC 3551 4.5.14: eight bits a sample, channels in turns. A packet is kept as it came. */
static vg_err take_pcm(vg_sound_reader *r, const vg_rtp_packet *p, vg_fault *fault) {
    if (p->payload_size > VG_SOUND_FRAME_MAX)
        return vg_fail(fault, VG_LIMIT, 0, "VG_SOUND_FRAME_MAX");
    if (p->payload_size % r->sound.channels != 0)
        return vg_fail(fault, VG_VALUE, p->payload_size, "RFC 3551 4.1 samples of all channels");
    const vg_sound_frame frame = {
        .bytes = p->payload,
        .size = (uint32_t)p->payload_size,
        .timestamp = p->timestamp,
        .ticks = (uint32_t)p->payload_size / r->sound.channels,
    };
    return vg_sound_add(r, &frame, fault);
}

/* RFC 6716 3.1: how long a packet plays, at 48 kHz; 0 where its first bytes cannot be right. */
static uint32_t opus_ticks(const uint8_t *bytes, size_t size) {
    const uint32_t config = bytes[0] >> 3U;
    uint32_t frame = UINT32_C(120) << (config & 3U); /* CELT: 2.5 to 20 ms */
    if (config < 12)
        frame = (config & 3U) == 3 ? 2880 : UINT32_C(480) << (config & 3U); /* SILK: 10 to 60 ms */
    else if (config < 16)
        frame = UINT32_C(480) << (config & 1U); /* both: 10 or 20 ms */
    uint32_t count = (bytes[0] & 3U) == 0 ? 1 : 2;
    if ((bytes[0] & 3U) == 3) count = size > 1 ? bytes[1] & 63U : 0;
    return frame * count <= OPUS_TICKS_MAX ? frame * count : 0;
}

/* RFC 7587 4.2: one packet is one of Opus. An empty one is silence that was not sent. */
static vg_err take_opus(vg_sound_reader *r, const vg_rtp_packet *p, vg_fault *fault) {
    if (p->payload_size == 0) return VG_OK;
    if (p->payload_size > VG_SOUND_FRAME_MAX)
        return vg_fail(fault, VG_LIMIT, 0, "VG_SOUND_FRAME_MAX");
    const vg_sound_frame frame = {
        .bytes = p->payload,
        .size = (uint32_t)p->payload_size,
        .timestamp = p->timestamp,
        .ticks = opus_ticks(p->payload, p->payload_size),
    };
    if (frame.ticks == 0) return vg_fail(fault, VG_VALUE, 0, "RFC 6716 3.4 R5");
    return vg_sound_add(r, &frame, fault);
}

/* False: it came already. */
static bool follow(vg_sound_reader *r, const vg_rtp_packet *p) {
    const uint16_t step = (uint16_t)(p->sequence - r->next_sequence);
    const bool is_same = r->has_sequence && p->ssrc == r->ssrc;
    if (is_same && step >= (uint16_t)-REPEATED_MAX) {
        r->counts.repeated++;
        return false;
    }
    if (!is_same || step != 0) {
        r->part_wanted = 0;
        r->is_behind_loss = true;
    }
    if (is_same && step < 0x8000) r->counts.lost += step;
    r->has_sequence = true;
    r->ssrc = p->ssrc;
    r->next_sequence = (uint16_t)(p->sequence + 1);
    return true;
}

vg_err vg_sound_push(vg_sound_reader *r, const vg_rtp_packet *packet, vg_fault *fault) {
    assert(r != NULL && packet != NULL && fault != NULL);
    r->frame_count = 0;
    r->counts.packets++;
    if (!follow(r, packet)) return VG_OK;
    vg_err err = VG_OK;
    if (r->sound.codec == VG_SOUND_AAC)
        err = vg_sound_take_aac(r, packet, fault);
    else if (r->sound.codec == VG_SOUND_LATM)
        err = vg_sound_take_latm(r, packet, fault);
    else if (r->sound.codec == VG_SOUND_OPUS)
        err = take_opus(r, packet, fault);
    else
        err = take_pcm(r, packet, fault);
    if (err != VG_OK) r->counts.odd++;
    r->counts.frames += r->frame_count;
    return err;
}
