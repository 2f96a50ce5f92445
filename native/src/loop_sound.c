/* What a camera sends of sound becomes frames, each with the time at which it was heard. Whatever
 * is wrong with it, the pictures do not notice. */
#include "loop_sound.h"

#include <stdlib.h>
#include <string.h>

#include "loop_reception.h"

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

/* A packet came when its last sample had been taken. */
static void hear(stream *s, const vg_sound_frame *frame, uint32_t end) {
    const sound_track *t = s->sound;
    const int64_t rate = t->reader.sound.clock_rate;
    const int64_t before_ns = (int64_t)(end - frame->timestamp) * NS_PER_S / rate;
    const int64_t arrival_ns = s->owner->wall_ns - s->clock_held_ns - before_ns;
    vg_chunker_hear(s->chunker, frame, arrival_ns,
                    reception_camera_clock(&t->rx, frame->timestamp));
}

static void on_rtp(stream *s, const uint8_t *bytes, size_t size) {
    sound_track *t = s->sound;
    vg_rtp_packet packet;
    vg_fault fault;
    if (vg_rtp_parse(bytes, size, &packet, &fault) != VG_OK) return;
    if (packet.payload_type != t->payload_type) return;
    reception_packet(&t->rx, &packet, s->owner->now_ns);
    (void)vg_sound_push(&t->reader, &packet, &fault); /* what is wrong is counted there */
    const uint32_t count = t->reader.frame_count;
    if (count == 0) return;
    const vg_sound_frame *last = &t->reader.frames[count - 1];
    for (uint32_t i = 0; i < count; i++)
        hear(s, &t->reader.frames[i], last->timestamp + last->ticks);
}

/* Its BYE is not the pictures'. */
static void on_rtcp(stream *s, const uint8_t *bytes, size_t size) {
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
        on_rtcp(s, item->bytes, item->size);
    else
        on_rtp(s, item->bytes, item->size);
    return true;
}

void sound_send_report(stream *s) {
    sound_track *t = s->sound;
    if (t == NULL || !t->rx.started) return;
    uint8_t bytes[4 + VG_RTCP_RR_SIZE] = {'$', t->rtcp_channel, 0, VG_RTCP_RR_SIZE};
    reception_write_report(&t->rx, bytes + 4, s->owner->own_ssrc, s->owner->now_ns);
    stream_send(s, bytes, sizeof bytes);
}

void sound_free(stream *s) {
    free(s->sound);
    s->sound = NULL;
}
