/* Sound beside the pictures: when a frame was heard, and in which chunk it lies. Pictures never
 * wait for it. A chunk takes along what has come of its time when it closes; what comes later goes
 * into the next one, which it then begins before. */
#include <string.h>

#include "bytes.h"
#include "chunker.h"

#define NS_PER_SECOND INT64_C(1000000000)
/* By sender reports it may lie so far from its arrival; further, and one of the clocks lies. */
#define FAR_NS (5 * NS_PER_SECOND)
/* Times are multiplied by rates: beyond it a clock was set, and nothing more is told apart. */
#define APART_NS (3600 * NS_PER_SECOND)
/* Likewise, of the sound's own ticks; only steps of them are looked at. */
#define TICKS_MAX (INT64_MAX / VG_TIMESCALE / 2)

enum {
    SILENCE_S = 30, /* a longer step of the timestamps is another clock */
};

void vg_chunker_expect_sound(vg_chunker *c, const vg_sound *sound) {
    c->sound = *sound;
    c->has_sound = true;
}

void vg_sound_begin_time(vg_chunker *c) {
    c->sound_line = (vg_timeline){0};
    c->sound_started = false;
    c->sound_ticks = 0;
    c->sound_next_media = 0;
    c->has_camera_offset = false;
    c->heard_count = 0;
    c->heard_used = 0;
}

void vg_sound_note_picture(vg_chunker *c, const vg_pending *u, int64_t decode, int64_t wall_ns) {
    c->has_camera_offset = u->camera_clock_ns != VG_CAMERA_CLOCK_UNKNOWN;
    if (!c->has_camera_offset) return;
    /* Its clock tells when a picture is shown; wall time is that of decoding. */
    const int64_t shown_ns = (u->presentation - decode) * NS_PER_SECOND / VG_TIMESCALE;
    c->camera_offset_ns = wall_ns + shown_ns - u->camera_clock_ns;
}

/* Unwrapped, in ticks of the sound's own clock. Timestamps that jump are taken for one frame after
 * the other; where time really passed, arrival tells within seconds. */
static int64_t sound_ticks(vg_chunker *c, const vg_sound_frame *frame) {
    const int64_t step = (int32_t)(frame->timestamp - c->sound_stamp);
    const bool is_jump = step < 0 || step > (int64_t)SILENCE_S * c->sound.clock_rate;
    if (c->sound_started) c->sound_ticks += is_jump ? c->sound_frame_ticks : step;
    if (c->sound_ticks > TICKS_MAX) c->sound_ticks = 0; /* years, or timestamps made to leap */
    c->sound_started = true;
    c->sound_stamp = frame->timestamp;
    c->sound_frame_ticks = frame->ticks;
    return c->sound_ticks;
}

/* The pictures' own wall time where both clocks of the camera are known, else arrival. */
static int64_t lies_at(const vg_chunker *c, int64_t arrival_ns, int64_t camera_clock_ns) {
    if (!c->has_camera_offset || camera_clock_ns == VG_CAMERA_CLOCK_UNKNOWN) return arrival_ns;
    const int64_t wall_ns = camera_clock_ns + c->camera_offset_ns;
    const int64_t distance_ns = wall_ns - arrival_ns;
    return distance_ns > -FAR_NS && distance_ns < FAR_NS ? wall_ns : arrival_ns;
}

void vg_chunker_hear(vg_chunker *c, const vg_sound_frame *frame, int64_t arrival_wall_ns,
                     int64_t camera_clock_ns) {
    assert(c != NULL && frame != NULL && c->has_sound && frame->size <= VG_SOUND_FRAME_MAX);
    const int64_t rate = c->sound.clock_rate;
    const int64_t ticks = sound_ticks(c, frame) * VG_TIMESCALE / rate;
    const int64_t at_ns = lies_at(c, arrival_wall_ns, camera_clock_ns);
    bool reanchored = false;
    const int64_t wall_ns = vg_timeline_wall(&c->sound_line, ticks, at_ns, &reanchored);
    if (c->heard_count == VG_HEARD_MAX || frame->size > VG_HEARD_BYTES - c->heard_used) {
        /* No picture took any for long: what waits is older than those to come. */
        c->state.sounds_dropped += c->heard_count;
        c->heard_count = 0;
        c->heard_used = 0;
    }
    const int64_t duration = (int64_t)frame->ticks * VG_TIMESCALE / rate;
    c->heard[c->heard_count++] = (vg_heard){
        .wall_ns = wall_ns,
        .offset = c->heard_used,
        .bytes = frame->size,
        .duration = duration > 0 ? (uint32_t)duration : 1,
    };
    memcpy(c->heard_bytes + c->heard_used, frame->bytes, frame->size);
    c->heard_used += frame->size;
}

static void forget(vg_chunker *c, uint32_t count) {
    if (count == 0) return;
    c->heard_count -= count;
    memmove(c->heard, c->heard + count, c->heard_count * sizeof c->heard[0]);
    const uint32_t gone = c->heard_count > 0 ? c->heard[0].offset : c->heard_used;
    memmove(c->heard_bytes, c->heard_bytes + gone, c->heard_used - gone);
    c->heard_used -= gone;
    for (uint32_t i = 0; i < c->heard_count; i++)
        c->heard[i].offset -= gone;
}

/* Ticks from the chunk's start. */
static int64_t start_of(const vg_chunker *c, uint32_t i) {
    int64_t apart_ns = c->heard[i].wall_ns - c->claim.wall_start_ns;
    if (apart_ns < -APART_NS) apart_ns = -APART_NS;
    if (apart_ns > APART_NS) apart_ns = APART_NS;
    return apart_ns * VG_TIMESCALE / NS_PER_SECOND;
}

/* Where its pictures end. Where wall time is set anew behind a chunk, its wall end says nothing. */
static int64_t pictures_end(const vg_chunker *c) {
    int64_t ticks = 0;
    for (uint32_t i = 0; i < c->claim.samples; i++)
        ticks += c->samples[i].duration;
    return ticks;
}

/* The samples of the chunk, each as long as the next one is away: a lost packet is a hole, and what
 * follows lies where it was. */
static uint32_t make_samples(vg_chunker *c, int64_t wall_end_ns, int64_t *first_start) {
    const int64_t media = (int64_t)c->claim.media_start;
    const int64_t latest = pictures_end(c) + VG_SOUND_LEAD_TICKS;
    uint32_t count = 0;
    int64_t before = 0;
    while (count < c->heard_count && count < VG_SOUND_SAMPLES_MAX &&
           c->heard[count].wall_ns < wall_end_ns && start_of(c, count) < latest) {
        int64_t start = start_of(c, count);
        /* In a segment times never go back: where wall time was slewed, it gives way by ticks. */
        if (media + start < c->sound_next_media) start = c->sound_next_media - media;
        c->sound_next_media = media + start + 1;
        if (count == 0)
            *first_start = start;
        else
            c->sound_samples[count - 1].duration = (uint32_t)(start - before);
        c->sound_samples[count] =
            (vg_sound_sample){.bytes = c->heard[count].bytes, .duration = c->heard[count].duration};
        before = start;
        count++;
    }
    return count;
}

void vg_sound_close(vg_chunker *c, int64_t wall_end_ns, vg_sound_samples *out) {
    *out = (vg_sound_samples){.samples = c->sound_samples};
    uint32_t late = 0;
    while (late < c->heard_count && start_of(c, late) < -VG_SOUND_LEAD_TICKS)
        late++;
    c->state.sounds_dropped += late;
    forget(c, late);
    const int64_t next_media = c->sound_next_media;
    const uint32_t count = make_samples(c, wall_end_ns, &out->start);
    if (count == 0) return;
    const uint32_t last = c->heard[count - 1].offset + c->heard[count - 1].bytes;
    const uint32_t blocks = c->payload_blocks;
    const uint32_t bytes = c->payload_bytes;
    uint8_t start[VG_SOUND_START_SIZE];
    vg_store_u64(start, (uint64_t)out->start);
    if (vg_fill_bytes(c, start, sizeof start) && vg_fill_bytes(c, c->heard_bytes, last)) {
        out->count = count;
        c->state.sounds += count;
    } else {
        vg_fill_give_back(c, blocks);
        c->payload_bytes = bytes;
        c->sound_next_media = next_media;
        c->state.sounds_dropped += count;
    }
    forget(c, count);
}
