/* What a camera sends of sound becomes frames, each with the time at which it was heard. Whatever
 * is wrong with it, the pictures do not notice. */
#include "loop_sound.h"

#include <stdlib.h>
#include <string.h>

#include "loop_reception.h"
#include "loop_udp.h"

enum { SILENCE_S = 30 };

bool sound_parse(vg_bytes *r, attached_sound *out) {
    *out = (attached_sound){0};
    if (vg_bytes_left(r) == 0) return true;
    vg_sound *sound = &out->sound;
    sound->codec = vg_bytes_u8(r);
    sound->channels = vg_bytes_u8(r);
    out->payload_type = vg_bytes_u8(r);
    out->rtp_channel = vg_bytes_u8(r);
    out->rtcp_channel = vg_bytes_u8(r);
    sound->size_bits = vg_bytes_u8(r);
    sound->index_bits = vg_bytes_u8(r);
    sound->delta_bits = vg_bytes_u8(r);
    sound->clock_rate = vg_bytes_u32(r);
    sound->sample_rate = vg_bytes_u32(r);
    sound->frame_ticks = vg_bytes_u32(r);
    const uint32_t size = vg_bytes_u32(r);
    const uint8_t *config = vg_bytes_take(r, size);
    if (r->overrun || size > VG_SOUND_CONFIG_MAX) return false;
    memcpy(sound->config, config, size);
    sound->config_size = (uint8_t)size;
    return true;
}

static bool is_channel_of(const sound_track *t, uint8_t channel) {
    return channel == t->rtp_channel || channel == t->rtcp_channel;
}

const char *sound_attach(stream *s, const attached_sound *a) {
    if (a->sound.codec == 0) return NULL;
    const char *why = vg_sound_refuse(&a->sound);
    if (why != NULL) return why;
    sound_track *t = calloc(1, sizeof *t);
    if (t == NULL) return "out of memory";
    t->payload_type = a->payload_type;
    t->rtp_channel = a->rtp_channel;
    t->rtcp_channel = a->rtcp_channel;
    if (is_channel_of(t, s->rtp_channel) || is_channel_of(t, s->rtcp_channel)) {
        free(t);
        return "channels of the pictures";
    }
    t->rx.clock_rate = a->sound.clock_rate;
    vg_sound_init(&t->reader, &a->sound);
    s->splitter.channels[t->rtp_channel / 64] |= UINT64_C(1) << t->rtp_channel % 64;
    s->splitter.channels[t->rtcp_channel / 64] |= UINT64_C(1) << t->rtcp_channel % 64;
    s->sound = t;
    return NULL;
}

/* A hole is where nothing stands between two frames for longer than a frame lasts half: clocks that
 * are rounded make none. A step of half a minute is another clock (chunker_sound.c). */
static void note_hole(sound_track *t, const vg_sound_frame *frame) {
    const int32_t step = (int32_t)(frame->timestamp - t->next_timestamp);
    const uint32_t rate = t->reader.sound.clock_rate;
    if (t->is_followed && step > 0 && (uint32_t)step > frame->ticks / 2 &&
        (uint32_t)step / rate < SILENCE_S) {
        t->holes++;
        t->missing_ticks += step;
    }
    t->is_followed = true;
    t->next_timestamp = frame->timestamp + frame->ticks;
}

/* A packet came when its last sample had been taken. */
static void hear(stream *s, const vg_sound_frame *frame, uint32_t end) {
    const sound_track *t = s->sound;
    const int64_t rate = t->reader.sound.clock_rate;
    const int64_t before_ns = (int64_t)(end - frame->timestamp) * NS_PER_S / rate;
    const int64_t arrival_ns = s->owner->wall_ns - s->clock_held_ns - before_ns;
    vg_chunker_hear(s->chunker, frame, arrival_ns,
                    reception_camera_clock(&t->rx, frame->timestamp));
}

void sound_rtp(stream *s, const uint8_t *bytes, size_t size) {
    sound_track *t = s->sound;
    vg_rtp_packet packet;
    vg_fault fault;
    if (vg_rtp_parse(bytes, size, &packet, &fault) != VG_OK) return;
    if (packet.payload_type != t->payload_type) return;
    reception_packet(&t->rx, &packet, s->owner->now_ns);
    (void)vg_sound_push(&t->reader, &packet, &fault); /* what is wrong is counted there */
    const uint32_t count = t->reader.frame_count;
    if (count == 0) return;
    t->last_ns = s->owner->now_ns;
    const vg_sound_frame *last = &t->reader.frames[count - 1];
    for (uint32_t i = 0; i < count; i++) {
        note_hole(t, &t->reader.frames[i]);
        hear(s, &t->reader.frames[i], last->timestamp + last->ticks);
    }
}

/* Its BYE is not the pictures'. */
void sound_rtcp(stream *s, const uint8_t *bytes, size_t size) {
    reception *rx = &s->sound->rx;
    size_t offset = 0;
    vg_rtcp_item item;
    vg_fault fault;
    while (vg_rtcp_next(bytes, size, &offset, &item, &fault) == VG_OK)
        if (item.kind == VG_RTCP_SR && rx->started && item.ssrc == rx->ssrc)
            (void)reception_report(rx, &item, s->owner->now_ns);
}

bool sound_take(stream *s, const vg_rtsp_item *item) {
    if (s->sound == NULL || !is_channel_of(s->sound, item->channel)) return false;
    const bool is_rtcp = item->size >= 2 && item->bytes[1] >= 200 && item->bytes[1] <= 204;
    if (is_rtcp)
        sound_rtcp(s, item->bytes, item->size);
    else
        sound_rtp(s, item->bytes, item->size);
    return true;
}

void sound_send_report(stream *s) {
    sound_track *t = s->sound;
    if (t == NULL || !t->rx.started) return;
    uint8_t bytes[4 + VG_RTCP_RR_SIZE] = {'$', t->rtcp_channel, 0, VG_RTCP_RR_SIZE};
    reception_write_report(&t->rx, bytes + 4, s->owner->own_ssrc, s->owner->now_ns);
    if (s->sound_udp != NULL)
        udp_send_report(s->sound_udp, bytes + 4, VG_RTCP_RR_SIZE);
    else
        stream_send(s, bytes, sizeof bytes);
}

void sound_stats(const stream *s, wire_writer *w) {
    const sound_track *t = s->sound;
    const vg_sound_counts none = {0};
    const vg_sound_counts *counts = t != NULL ? &t->reader.counts : &none;
    vg_chunker_state state;
    vg_chunker_read(s->chunker, &state);
    uint64_t missing_ms = 0;
    uint64_t age_ms = UINT32_MAX;
    if (t != NULL) missing_ms = (uint64_t)(t->missing_ticks * 1000 / t->reader.sound.clock_rate);
    if (t != NULL && t->last_ns != 0)
        age_ms = (uint64_t)((s->owner->now_ns - t->last_ns) / NS_PER_MS);
    wire_u64(w, counts->packets);
    wire_u64(w, counts->lost);
    wire_u64(w, counts->odd);
    wire_u64(w, counts->frames);
    wire_u64(w, state.sounds_dropped);
    wire_u64(w, t != NULL ? t->holes : 0);
    wire_u64(w, missing_ms);
    wire_u32(w, age_ms < UINT32_MAX ? (uint32_t)age_ms : UINT32_MAX);
}

void sound_free(stream *s) {
    free(s->sound);
    s->sound = NULL;
}
