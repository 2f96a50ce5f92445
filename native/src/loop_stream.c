/* A stream from its attachment to its end, and what the clock asks of it. */
#include "loop_stream.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "assembler.h"
#include "loop_reception.h"
#include "loop_sound.h"
#include "loop_udp.h"

enum {
    REPORT_PERIOD =
        5, /* ticks between receiver reports: live555 wants life within 65 s, MTX#1066 in 5 */
    LATE_KEYFRAME_S = 30,
    TRIM_ABOVE = 1
        << 20, /* of the assembler's buffer: what a large picture touched is given back */
    TRIM_PERIOD = 10,
    /* In the system, for what comes between two reads: a key frame of a high resolution. The usual
     * 64 KiB would hold the camera back, and some cameras then drop packets. */
    SOCKET_ROOM = 1 << 20,
};

void stream_hand_over(stream *s) {
    uint32_t header;
    while ((header = vg_chunker_closed(s->chunker)) != VG_NO_BLOCK)
        keeper_hand_over(s->owner, s->keeper, header);
}

void stream_event(stream *s, uint8_t kind, int error, const char *detail) {
    loop_event(s->owner, s->id, kind, error, detail);
}

stream *stream_find(loop *l, const uint8_t *id) {
    for (stream *s = l->streams; s != NULL; s = s->next)
        if (!s->dead && memcmp(s->id, id, VG_ID_SIZE) == 0) return s;
    return NULL;
}

void crash_page_set(const stream *s) {
    volatile vg_crash_page *page = s->owner->crash;
    if (page == NULL) return;
    for (size_t i = 0; i < VG_ID_SIZE; i++)
        page->stream[i] = s->id[i];
    page->busy = 1;
}

void crash_page_clear(const stream *s) {
    if (s->owner->crash != NULL) s->owner->crash->busy = 0;
}

/* --- by the clock --- */

static void send_report(stream *s) {
    uint8_t bytes[4 + VG_RTCP_RR_SIZE] = {'$', s->rtcp_channel, 0, VG_RTCP_RR_SIZE};
    reception_write_report(&s->rx, bytes + 4, s->owner->own_ssrc, s->owner->now_ns);
    if (s->udp != NULL)
        udp_send_report(s->udp, bytes + 4, VG_RTCP_RR_SIZE);
    else
        stream_send(s, bytes, sizeof bytes);
}

/* What one large picture touched would stay resident for ever. */
static void trim(stream *s) {
    const long page = sysconf(_SC_PAGESIZE);
    assert(page > 0);
    size_t from = s->assembler->used;
    if (from < TRIM_ABOVE) from = TRIM_ABOVE;
    from = (from + (size_t)page - 1) / (size_t)page * (size_t)page;
    if (from < VG_AU_MAX) (void)madvise(s->units + from, VG_AU_MAX - from, MADV_DONTNEED);
}

void stream_tick(stream *s, uint64_t tick) {
    if (s->dead) return;
    s->messages = 0;
    crash_page_set(s);
    vg_chunker_tick(s->chunker);
    stream_hand_over(s);
    crash_page_clear(s);
    /* Spread over the period by the stream's random id. */
    if (s->rx.started && (tick + s->id[0]) % REPORT_PERIOD == 0) send_report(s);
    if (!s->dead && (tick + s->id[0]) % REPORT_PERIOD == 0) sound_send_report(s);
    if (!s->dead && (tick + s->id[1]) % TRIM_PERIOD == 0) trim(s);
}

void stream_check(stream *s) {
    if (s->dead) return;
    const int64_t now = s->owner->now_ns;
    const int64_t picture = s->last_picture_ns != 0 ? s->last_picture_ns : s->attached_ns;
    if (!s->is_stalled && now - picture > s->stall_ms * NS_PER_MS) {
        s->is_stalled = true;
        stream_event(s, VG_EVENT_STALLED, 0, "");
    }
    const int64_t sync = s->last_sync_ns != 0 ? s->last_sync_ns : s->attached_ns;
    const bool is_late = now - sync > LATE_KEYFRAME_S * NS_PER_S;
    const bool is_unusable =
        s->set_rule != NULL && now - s->attached_ns > LATE_KEYFRAME_S * NS_PER_S;
    if ((is_late || is_unusable) && !s->told_late_keyframe) {
        s->told_late_keyframe = true;
        stream_event(s, VG_EVENT_LATE_KEYFRAME, 0, s->set_rule != NULL ? s->set_rule : "");
    }
}

/* --- beginning and end --- */

static void *map_zeros(size_t size) {
    void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
                   -1, 0);
    return p == MAP_FAILED ? NULL : p;
}

void stream_free(stream *s) {
    if (s->chunker != NULL) {
        vg_chunker_drop(s->chunker);
        (void)munmap(s->chunker, vg_chunker_size());
    }
    if (s->units != NULL) (void)munmap(s->units, VG_AU_MAX);
    udp_free(s);
    sound_free(s);
    free(s->assembler);
    free(s->carry);
    free(s->out);
    free(s);
}

static bool allocate(stream *s) {
    s->assembler = malloc(vg_assembler_size());
    s->units = map_zeros(VG_AU_MAX);
    if (s->assembler == NULL || s->units == NULL) return false;
    s->chunker = map_zeros(vg_chunker_size());
    return s->chunker != NULL;
}

static const char *refusal(loop *l, const attachment *a) {
    if (a->codec < VG_CODEC_H264 || a->codec > VG_CODEC_MJPEG) return "unknown codec";
    if (a->clock_rate != VG_TIMESCALE)
        return "clock rate is not 90000 (RFC 6184 8.2.1, RFC 7798 7.1, RFC 2435 3)";
    if (a->keeper >= LOOP_KEEPERS_MAX) return "LOOP_KEEPERS_MAX";
    if (l->stream_count >= VG_LOOP_STREAMS_MAX) return "VG_LOOP_STREAMS_MAX";
    if (stream_find(l, a->stream) != NULL) return "attached already";
    if (a->early_size > LOOP_CARRY_MAX) return "too many early bytes";
    return NULL;
}

static bool is_going_on(const attachment *a) {
    return (a->flags & 1U) != 0;
}

static void begin_run(stream *s, const attachment *a) {
    vg_run_start start = {
        .run = a->run,
        .predecessor_run = a->predecessor,
        .gap_reason = a->reason,
        .gap_start_ns = a->gap_start_ns,
        .references_lost = is_going_on(a),
        .inband = (a->flags & 2U) != 0,
    };
    memcpy(start.camera, a->camera, VG_ID_SIZE);
    memcpy(start.stream, a->stream, VG_ID_SIZE);
    vg_chunker_init(s->chunker, &s->owner->arena, &start, &a->sets);
    if (s->sound != NULL) vg_chunker_expect_sound(s->chunker, &a->sound.sound);
    vg_assembler_init(s->assembler, (vg_codec)s->codec, s->payload_type, s->units, VG_AU_MAX);
    if (s->codec == VG_CODEC_H265 && (a->flags & 8U) != 0) vg_assembler_expect_donl(s->assembler);
    if (s->codec != VG_CODEC_MJPEG) return;
    vg_sps size;
    vg_fault fault; /* what is declared wrongly is not known */
    if (a->sets.sps_count > 0 &&
        vg_jpeg_sps_parse(a->sets.sps[0], a->sets.sps_size[0], &size, &fault) == VG_OK)
        vg_assembler_expect_size(s->assembler, (uint16_t)size.width, (uint16_t)size.height);
}

/* Asking to be woken at SOCKET_ROOM makes so much room, and unlike SO_RCVBUF it needs no privilege
 * and leaves the growth to the system (tcp(7)). Without it recording works as well. No more
 * than a stream may send meanwhile: a flood's backlog would be the next flood. */
static void make_room(const stream *s) {
    const uint64_t allowed = s->owner->config.flood_bytes_per_second / 8;
    const int room = allowed < SOCKET_ROOM ? (int)allowed : SOCKET_ROOM;
    const int any = 1;
    (void)setsockopt(s->w.fd, SOL_SOCKET, SO_RCVLOWAT, &room, sizeof room);
    (void)setsockopt(s->w.fd, SOL_SOCKET, SO_RCVLOWAT, &any, sizeof any);
}

const char *stream_attach(loop *l, const attachment *a, int fd) {
    const char *why = refusal(l, a);
    if (why != NULL) {
        (void)close(fd);
        return why;
    }
    stream *s = calloc(1, sizeof *s);
    if (s == NULL) {
        (void)close(fd);
        return "out of memory";
    }
    s->w = (watched){.kind = WATCHED_STREAM, .fd = fd};
    s->owner = l;
    s->run = a->run;
    s->keeper = a->keeper;
    s->codec = a->codec;
    s->payload_type = a->payload_type;
    s->rtp_channel = a->rtp_channel;
    s->rtcp_channel = a->rtcp_channel;
    s->stall_ms = a->stall_ms;
    s->attached_ns = l->now_ns;
    s->camera_clock_ns = VG_CAMERA_CLOCK_UNKNOWN;
    s->waits_for_room = (a->flags & 4U) != 0;
    /* A connection that goes on begins with what waited in it. */
    const int64_t burst_s = is_going_on(a) ? BACKLOG_S : BURST_S;
    s->tokens = burst_s * (int64_t)l->config.flood_bytes_per_second;
    s->tokens_at_ns = l->now_ns;
    memcpy(s->camera, a->camera, VG_ID_SIZE);
    memcpy(s->id, a->stream, VG_ID_SIZE);
    s->splitter.channels[a->rtp_channel / 64] |= UINT64_C(1) << a->rtp_channel % 64;
    s->splitter.channels[a->rtcp_channel / 64] |= UINT64_C(1) << a->rtcp_channel % 64;
    if (!allocate(s)) {
        (void)close(fd);
        stream_free(s);
        return "out of memory";
    }
    why = sound_attach(s, &a->sound);
    if (why != NULL)
        (void)fprintf(stderr, "<4>loop %u: no sound is recorded: %s\n", (unsigned)l->config.number,
                      why);
    begin_run(s, a);
    make_room(s);
    s->next = l->streams;
    l->streams = s;
    l->stream_count++;
    if (!loop_watch(l, &s->w, EPOLLIN)) {
        stream_end_with(s, VG_EVENT_CLOSED, errno, "epoll");
        return NULL;
    }
    if (a->early_size > 0) {
        s->bytes += a->early_size;
        stream_take(s, a->early, a->early_size);
    }
    return NULL;
}

void stream_end_with(stream *s, uint8_t kind, int error, const char *detail) {
    udp_drain(s);
    crash_page_set(s);
    udp_flush(s);
    vg_assembler_flush(s->assembler);
    stream_pull(s);
    stream_event(s, kind, error, detail);
    stream_end(s);
}

void stream_end(stream *s) {
    if (s->dead) return;
    loop *l = s->owner;
    s->dead = true;
    crash_page_set(s);
    udp_flush(s);
    vg_assembler_flush(s->assembler);
    stream_pull(s);
    keeper_room(l, s->keeper);
    vg_chunker_end(s->chunker);
    stream_hand_over(s);
    crash_page_clear(s);
    vg_chunker_state state;
    vg_chunker_read(s->chunker, &state);
    wire_writer w;
    wire_start(&w, VG_WIRE_ENDED, 0, 0, true);
    wire_bytes(&w, s->id, VG_ID_SIZE);
    wire_u64(&w, s->run);
    wire_u64(&w, state.next_sequence);
    wire_u64(&w, (uint64_t)state.last_wall_end_ns);
    loop_tell_parent(l, &w);
    loop_unwatch(l, &s->w);
    (void)close(s->w.fd);
    s->w.fd = -1;
    l->stream_count--;
}

void stream_stats(const stream *s, wire_writer *w) {
    const vg_nal_counts *counts = vg_assembler_counts(s->assembler);
    vg_chunker_state state;
    vg_chunker_read(s->chunker, &state);
    uint64_t age_ms = UINT32_MAX;
    if (s->last_picture_ns != 0)
        age_ms = (uint64_t)((s->owner->now_ns - s->last_picture_ns) / NS_PER_MS);
    if (age_ms > UINT32_MAX) age_ms = UINT32_MAX;
    wire_bytes(w, s->id, VG_ID_SIZE);
    wire_u64(w, s->run);
    wire_u64(w, state.next_sequence);
    wire_u64(w, s->bytes);
    wire_u64(w, counts->access_units);
    wire_u64(w, s->sync_samples);
    wire_u64(w, counts->packets);
    wire_u64(w, counts->packets_lost);
    wire_u64(w, counts->damaged);
    wire_u64(w, s->skipped_bytes);
    wire_u64(w, state.dropped_no_room + s->dropped);
    wire_u32(w, (uint32_t)age_ms);
    wire_u16(w, (uint16_t)state.width);
    wire_u16(w, (uint16_t)state.height);
    wire_u8(w, s->codec);
    wire_u32(w, s->keyframe_interval_ms);
    wire_u32(w, s->rx.jitter_16 / 16);
    wire_u64(w, (uint64_t)state.last_wall_end_ns);
    wire_u64(w, (uint64_t)s->camera_clock_ns);
    wire_u64(w, s->udp != NULL ? s->udp->duplicates : 0);
    wire_u64(w, s->udp != NULL ? s->udp->late : 0);
    wire_u64(w, s->udp != NULL ? s->udp->strangers : 0);
    wire_u64(w, s->udp != NULL ? s->udp->overruns : 0);
    wire_u64(w, counts->packets_foreign);
    wire_u64(w, counts->packets_duplicate);
    wire_u64(w, counts->marker_wrong);
    wire_u64(w, counts->start_codes_inside);
    wire_u64(w, counts->fu_odd);
    wire_u64(w, counts->nals_dropped);
    wire_u64(w, counts->order_odd);
    wire_u64(w, state.stamps_odd);
    wire_u64(w, s->odd.channels_strange);
    wire_u64(w, s->odd.reports_swapped);
    wire_u64(w, s->odd.reports_broken);
    wire_u64(w, s->odd.reports_foreign);
    wire_u64(w, s->odd.clocks_absurd);
    sound_stats(s, w);
}
