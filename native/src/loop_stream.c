/* A stream: its socket both ways, from bytes to chunks. */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "assembler.h"
#include "loop.h"
#include "loop_reception.h"

enum {
    REPORT_PERIOD =
        5, /* ticks between receiver reports: live555 wants life within 65 s, MTX#1066 in 5 */
    LATE_KEYFRAME_S = 30,
    TRIM_ABOVE = 1
        << 20, /* of the assembler's buffer: what a large picture touched is given back */
    TRIM_PERIOD = 10,
    DRAIN_READS = 16, /* of LOOP_READ_MAX: what stands in a socket when its run ends */
    CARRY_KEPT = 16 * 1024,
    /* A second. The parent reads the messages of all cameras, in Python. */
    MESSAGES_MAX = 32,
    MESSAGE_MAX = VG_WIRE_MAX - VG_WIRE_HEADER - VG_ID_SIZE - 4,
};

static void hand_over_closed(stream *s) {
    uint32_t header;
    while ((header = vg_chunker_closed(s->chunker)) != VG_NO_BLOCK)
        keeper_hand_over(s->owner, s->keeper, header);
}

static void event(stream *s, uint8_t kind, int error, const char *detail) {
    loop_event(s->owner, s->id, kind, error, detail);
}

stream *stream_find(loop *l, const uint8_t *id) {
    for (stream *s = l->streams; s != NULL; s = s->next)
        if (!s->dead && memcmp(s->id, id, VG_ID_SIZE) == 0) return s;
    return NULL;
}

/* --- access units --- */

static bool drop_for_flood(stream *s, const vg_access_unit *au) {
    if (s->is_flood) {
        s->flood_waits_for_sync = true;
    } else if (s->flood_waits_for_sync && au->kind != VG_SYNC_NONE) {
        s->flood_waits_for_sync = false;
    }
    if (!s->flood_waits_for_sync) return false;
    s->flood_dropped++;
    return true;
}

static void note_picture(stream *s, const vg_access_unit *au) {
    const loop *l = s->owner;
    s->last_picture_ns = l->now_ns;
    if (s->is_stalled) {
        s->is_stalled = false;
        event(s, VG_EVENT_RESUMED, 0, "");
    }
    if (au->kind == VG_SYNC_NONE) return;
    if (s->last_sync_ns != 0)
        s->keyframe_interval_ms = (au->timestamp - s->last_sync_rtp) / (VG_TIMESCALE / 1000);
    s->last_sync_ns = l->now_ns;
    s->last_sync_rtp = au->timestamp;
    s->told_late_keyframe = false;
    s->sync_samples++;
}

static void tell_changes(stream *s) {
    vg_chunker_state state;
    vg_chunker_read(s->chunker, &state);
    if (!s->told_first && state.samples > 0) {
        s->told_first = true;
        event(s, VG_EVENT_FIRST_VIDEO, 0, "");
    }
    if (state.entries != s->entries) {
        if (s->entries > 0) event(s, VG_EVENT_ENTRY_CHANGED, 0, state.inband ? "inband" : "");
        s->entries = state.entries;
    }
}

static void deliver(stream *s, const vg_access_unit *au) {
    loop *l = s->owner;
    if (au->is_picture) note_picture(s, au);
    if (drop_for_flood(s, au)) return;
    s->camera_clock_ns = reception_camera_clock(&s->rx, au->timestamp);
    vg_fault fault = {0, NULL};
    keeper_room(l, s->keeper);
    const vg_err err =
        vg_chunker_push(s->chunker, au, l->wall_ns, s->camera_clock_ns, l->clock_synced, &fault);
    hand_over_closed(s);
    s->set_rule = err == VG_VALUE || err == VG_SHORT || err == VG_UNSUPPORTED ? fault.rule : NULL;
    if (err == VG_LIMIT && !s->told_no_room) event(s, VG_EVENT_NO_ROOM, 0, fault.rule);
    s->told_no_room = err == VG_LIMIT;
    tell_changes(s);
}

static void pull_units(stream *s) {
    vg_access_unit au;
    while (vg_assembler_pull(s->assembler, &au))
        deliver(s, &au);
}

/* --- what comes from the camera --- */

static void on_rtp(stream *s, const uint8_t *bytes, size_t size) {
    vg_rtp_packet packet;
    vg_fault fault;
    if (vg_rtp_parse(bytes, size, &packet, &fault) != VG_OK) {
        s->skipped_bytes += size;
        return;
    }
    if (packet.payload_type == s->payload_type) reception_packet(&s->rx, &packet, s->owner->now_ns);
    /* Each pull takes NAL units away, so this ends; the bound is theirs. */
    for (int i = 0; i < VG_NALS_MAX; i++) {
        if (vg_assembler_push(s->assembler, &packet, &fault) != VG_AGAIN) break;
        pull_units(s);
    }
    pull_units(s);
}

static void on_rtcp(stream *s, const uint8_t *bytes, size_t size) {
    size_t offset = 0;
    vg_rtcp_item item;
    vg_fault fault;
    while (vg_rtcp_next(bytes, size, &offset, &item, &fault) == VG_OK) {
        if (item.kind == VG_RTCP_SR) reception_report(&s->rx, &item, s->owner->now_ns);
        const bool is_ours = item.ssrc == 0 || !s->rx.started || item.ssrc == s->rx.ssrc;
        if (item.kind == VG_RTCP_BYE && is_ours && !s->had_bye) {
            s->had_bye = true;
            event(s, VG_EVENT_BYE, 0, "");
        }
    }
}

static void on_packet(stream *s, const vg_rtsp_item *item) {
    if (item->channel != s->rtp_channel && item->channel != s->rtcp_channel) return;
    /* "some servers" swap the channels (rtsp.md row 74): the second byte tells, RFC 5761 4. */
    const bool is_rtcp = item->size >= 2 && item->bytes[1] >= 200 && item->bytes[1] <= 204;
    if (is_rtcp)
        on_rtcp(s, item->bytes, item->size);
    else
        on_rtp(s, item->bytes, item->size);
}

static void on_message(stream *s, const vg_rtsp_item *item) {
    /* No answer that anybody waits for is that long, and none comes in such a crowd. */
    if (item->size > MESSAGE_MAX || s->messages == MESSAGES_MAX) {
        s->skipped_bytes += item->size;
        return;
    }
    s->messages++;
    wire_writer w;
    wire_start(&w, VG_WIRE_MESSAGE, 0, 0, true);
    wire_bytes(&w, s->id, VG_ID_SIZE);
    wire_blob(&w, item->bytes, item->size);
    loop_tell_parent(s->owner, &w);
}

/* How much of `data` is done with; SIZE_MAX where there is no way back into the stream. */
static size_t parse(stream *s, const uint8_t *data, size_t size, vg_fault *fault) {
    size_t done = 0;
    while (done < size) {
        vg_rtsp_item item;
        const vg_err err = vg_rtsp_next(&s->splitter, data + done, size - done, &item, fault);
        if (err == VG_MORE) break;
        if (err != VG_OK) return SIZE_MAX;
        done += item.consumed;
        switch (item.kind) {
        case VG_RTSP_PACKET:
            on_packet(s, &item);
            break;
        case VG_RTSP_MESSAGE:
            on_message(s, &item);
            break;
        case VG_RTSP_GARBAGE:
            s->skipped_bytes += item.size;
            vg_assembler_break(s->assembler);
            break;
        }
    }
    return done;
}

static void crash_page_set(const stream *s) {
    volatile vg_crash_page *page = s->owner->crash;
    if (page == NULL) return;
    for (size_t i = 0; i < VG_ID_SIZE; i++)
        page->stream[i] = s->id[i];
    page->busy = 1;
}

static void crash_page_clear(const stream *s) {
    if (s->owner->crash != NULL) s->owner->crash->busy = 0;
}

static bool keep_carry(stream *s, const uint8_t *bytes, size_t size) {
    if (size > s->carry_capacity || (s->carry_capacity > CARRY_KEPT && size <= CARRY_KEPT / 2)) {
        size_t capacity = 2048;
        while (capacity < size)
            capacity *= 2;
        uint8_t *grown = malloc(capacity);
        if (grown == NULL) return false;
        free(s->carry);
        s->carry = grown;
        s->carry_capacity = capacity;
    }
    if (size > 0) memcpy(s->carry, bytes, size);
    s->carry_size = size;
    return true;
}

static void end_with(stream *s, uint8_t kind, int error, const char *detail) {
    crash_page_set(s);
    vg_assembler_flush(s->assembler);
    pull_units(s);
    event(s, kind, error, detail);
    stream_end(s);
}

/* `scratch` holds the carry and `size` bytes in all. */
static void take(stream *s, const uint8_t *bytes, size_t size) {
    vg_fault fault = {0, "no way back into the byte stream"};
    crash_page_set(s);
    const size_t done = parse(s, bytes, size, &fault);
    const bool kept = done != SIZE_MAX && size - done <= LOOP_CARRY_MAX &&
                      keep_carry(s, bytes + done, size - done);
    crash_page_clear(s);
    if (!kept) end_with(s, VG_EVENT_BAD_STREAM, 0, fault.rule);
}

static int64_t flood_rate(const stream *s) {
    return (int64_t)s->owner->config.flood_bytes_per_second;
}

static void earn_tokens(stream *s) {
    const int64_t rate = flood_rate(s);
    const int64_t elapsed_us = (s->owner->now_ns - s->tokens_at_ns) / 1000;
    s->tokens_at_ns = s->owner->now_ns;
    const int64_t most = 2 * rate; /* a burst of two seconds' worth is none */
    s->tokens += elapsed_us > 2000000 ? most : elapsed_us * (rate / 1000) / 1000;
    if (s->tokens > most) s->tokens = most;
}

/* A flood that goes on is left in the connection, where it holds the camera back: to read only in
 * order to drop would take the processor from everybody else. */
static bool is_held_back(stream *s) {
    earn_tokens(s);
    return s->tokens < -2 * flood_rate(s);
}

static void note_flood(stream *s, size_t size) {
    const int64_t rate = flood_rate(s);
    earn_tokens(s);
    s->tokens -= (int64_t)size;
    if (s->tokens < 0 && !s->is_flood) {
        s->is_flood = true;
        event(s, VG_EVENT_FLOOD, 0, "");
    } else if (s->tokens > rate / 2) {
        s->is_flood = false;
    }
}

/* False where nothing more is there. */
static bool read_socket(stream *s) {
    loop *l = s->owner;
    if (s->carry_size > 0) memcpy(l->scratch, s->carry, s->carry_size);
    ssize_t size;
    do
        size = recv(s->w.fd, l->scratch + s->carry_size, LOOP_READ_MAX, MSG_DONTWAIT);
    while (size < 0 && errno == EINTR);
    if (size < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return false;
    if (size <= 0) {
        end_with(s, VG_EVENT_CLOSED, size < 0 ? errno : 0, "");
        return false;
    }
    if (size == LOOP_READ_MAX) l->wants_more = true;
    s->bytes += (uint64_t)size;
    note_flood(s, (size_t)size);
    take(s, l->scratch, s->carry_size + (size_t)size);
    return !s->dead;
}

void stream_drain(stream *s) {
    for (int i = 0; i < DRAIN_READS && !s->dead; i++)
        if (!read_socket(s)) return;
}

/* --- what goes to the camera --- */

static void write_socket(stream *s) {
    while (s->out_sent < s->out_size) {
        const ssize_t sent = send(s->w.fd, s->out + s->out_sent, s->out_size - s->out_sent,
                                  MSG_DONTWAIT | MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR) continue;
        if (sent < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
            (void)loop_watch(s->owner, &s->w, EPOLLIN | EPOLLOUT);
            return;
        }
        if (sent < 0) {
            /* Reading says how it ends, after what the camera still sent. */
            break;
        }
        s->out_sent += (size_t)sent;
    }
    free(s->out);
    s->out = NULL;
    s->out_size = 0;
    s->out_sent = 0;
    (void)loop_watch(s->owner, &s->w, EPOLLIN);
}

void stream_send(stream *s, const uint8_t *message, size_t size) {
    if (s->dead) return;
    const size_t waiting = s->out_size - s->out_sent;
    uint8_t *out = NULL;
    if (waiting + size <= LOOP_OUT_MAX) out = malloc(waiting + size);
    if (out == NULL) {
        /* A camera that takes none of our few bytes for that long has gone. */
        end_with(s, VG_EVENT_CLOSED, ENOBUFS, "it reads nothing");
        return;
    }
    if (waiting > 0) memcpy(out, s->out + s->out_sent, waiting);
    memcpy(out + waiting, message, size);
    free(s->out);
    s->out = out;
    s->out_size = waiting + size;
    s->out_sent = 0;
    write_socket(s);
}

void stream_ready(stream *s, uint32_t events) {
    if (s->dead) return;
    if ((events & EPOLLOUT) != 0) write_socket(s);
    if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0 && !is_held_back(s)) (void)read_socket(s);
}

/* --- by the clock --- */

static void send_report(stream *s) {
    uint8_t bytes[4 + VG_RTCP_RR_SIZE] = {'$', s->rtcp_channel, 0, VG_RTCP_RR_SIZE};
    reception_write_report(&s->rx, bytes + 4, s->owner->own_ssrc, s->owner->now_ns);
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
    hand_over_closed(s);
    crash_page_clear(s);
    /* Spread over the period by the stream's random id. */
    if (s->rx.started && (tick + s->id[0]) % REPORT_PERIOD == 0) send_report(s);
    if (!s->dead && (tick + s->id[1]) % TRIM_PERIOD == 0) trim(s);
}

void stream_check(stream *s) {
    if (s->dead) return;
    const int64_t now = s->owner->now_ns;
    const int64_t picture = s->last_picture_ns != 0 ? s->last_picture_ns : s->attached_ns;
    if (!s->is_stalled && now - picture > s->stall_ms * NS_PER_MS) {
        s->is_stalled = true;
        event(s, VG_EVENT_STALLED, 0, "");
    }
    const int64_t sync = s->last_sync_ns != 0 ? s->last_sync_ns : s->attached_ns;
    const bool is_late = now - sync > LATE_KEYFRAME_S * NS_PER_S;
    const bool is_unusable =
        s->set_rule != NULL && now - s->attached_ns > LATE_KEYFRAME_S * NS_PER_S;
    if ((is_late || is_unusable) && !s->told_late_keyframe) {
        s->told_late_keyframe = true;
        event(s, VG_EVENT_LATE_KEYFRAME, 0, s->set_rule != NULL ? s->set_rule : "");
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
    if (a->codec != VG_CODEC_H264 && a->codec != VG_CODEC_H265) return "unknown codec";
    if (a->clock_rate != VG_TIMESCALE)
        return "clock rate is not 90000 (RFC 6184 8.2.1, RFC 7798 7.1)";
    if (a->keeper >= LOOP_KEEPERS_MAX) return "LOOP_KEEPERS_MAX";
    if (l->stream_count >= VG_LOOP_STREAMS_MAX) return "VG_LOOP_STREAMS_MAX";
    if (stream_find(l, a->stream) != NULL) return "attached already";
    if (a->early_size > LOOP_CARRY_MAX) return "too many early bytes";
    return NULL;
}

static void begin_run(stream *s, const attachment *a) {
    vg_run_start start = {
        .run = a->run,
        .predecessor_run = a->predecessor,
        .gap_reason = a->reason,
        .gap_start_ns = a->gap_start_ns,
        .references_lost = (a->flags & 1U) != 0,
        .inband = (a->flags & 2U) != 0,
    };
    memcpy(start.camera, a->camera, VG_ID_SIZE);
    memcpy(start.stream, a->stream, VG_ID_SIZE);
    vg_chunker_init(s->chunker, &s->owner->arena, &start, &a->sets);
    vg_assembler_init(s->assembler, (vg_codec)s->codec, s->payload_type, s->units, VG_AU_MAX);
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
    s->tokens = 2 * (int64_t)l->config.flood_bytes_per_second;
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
    begin_run(s, a);
    s->next = l->streams;
    l->streams = s;
    l->stream_count++;
    if (!loop_watch(l, &s->w, EPOLLIN)) {
        end_with(s, VG_EVENT_CLOSED, errno, "epoll");
        return NULL;
    }
    if (a->early_size > 0) {
        s->bytes += a->early_size;
        take(s, a->early, a->early_size);
    }
    return NULL;
}

void stream_end(stream *s) {
    if (s->dead) return;
    loop *l = s->owner;
    s->dead = true;
    crash_page_set(s);
    vg_assembler_flush(s->assembler);
    pull_units(s);
    keeper_room(l, s->keeper);
    vg_chunker_end(s->chunker);
    hand_over_closed(s);
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
    wire_u64(w, state.dropped_no_room + s->flood_dropped);
    wire_u32(w, (uint32_t)age_ms);
    wire_u16(w, (uint16_t)state.width);
    wire_u16(w, (uint16_t)state.height);
    wire_u8(w, s->codec);
    wire_u32(w, s->keyframe_interval_ms);
    wire_u32(w, s->rx.jitter_16 / 16);
    wire_u64(w, (uint64_t)state.last_wall_end_ns);
    wire_u64(w, (uint64_t)s->camera_clock_ns);
}
