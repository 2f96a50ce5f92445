/* The parent: what it says, and what it is told. */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "loop_sound.h"
#include "loop_udp.h"

enum {
    CONTROL_A_TURN = 64,
    STATS_A_PART = 200,
};

static_assert(VG_WIRE_HEADER + 2 + STATS_A_PART * VG_WIRE_STATS_RECORD <= VG_WIRE_MAX, "a part");

/* --- what the parent is told --- */

void loop_tell_parent(loop *l, const wire_writer *w) {
    /* A parent that hangs costs events, never video; what is left out is said once it listens. */
    if (l->parent.bytes + w->size > LOOP_PARENT_MAX || !outbox_put(&l->parent, w->bytes, w->size))
        l->parent_lost++;
}

void loop_event(loop *l, const uint8_t *stream_id, uint8_t event, int error, const char *detail) {
    wire_writer w;
    wire_start(&w, VG_WIRE_EVENT, 0, 0, true);
    wire_bytes(&w, stream_id, VG_ID_SIZE);
    wire_u8(&w, event);
    wire_u32(&w, (uint32_t)error);
    wire_blob(&w, detail, strlen(detail));
    loop_tell_parent(l, &w);
}

void loop_say_ready(loop *l) {
    wire_writer w;
    wire_start(&w, VG_WIRE_READY, 0, 0, true);
    wire_u32(&w, (uint32_t)getpid());
    loop_tell_parent(l, &w);
    loop_flush_parent(l);
}

void loop_flush_parent(loop *l) {
    if (!outbox_flush(&l->parent, l->control.fd)) { /* nobody is there to be told */
        outbox_clear(&l->parent);
        l->quits = true;
    }
    (void)loop_watch(l, &l->control, l->parent.first != NULL ? EPOLLIN | EPOLLOUT : EPOLLIN);
    if (l->parent_lost > 0 && l->parent.first == NULL) {
        (void)fprintf(stderr,
                      "<3>loop %u: the parent did not read; %llu messages to it were left out\n",
                      (unsigned)l->config.number, (unsigned long long)l->parent_lost);
        l->parent_lost = 0;
    }
}

/* --- what the parent says --- */

typedef struct blob {
    const uint8_t *bytes;
    size_t size;
} blob;

static blob take_blob(vg_bytes *r) {
    const uint32_t size = vg_bytes_u32(r);
    const uint8_t *bytes = vg_bytes_take(r, size);
    if (bytes == NULL) return (blob){NULL, 0};
    return (blob){bytes, size};
}

/* Sets of the SDP; those beyond `most` are left out: the stream says them again. */
static uint8_t take_sets(vg_bytes *r, uint8_t most, const uint8_t **sets, uint16_t *sizes) {
    const blob all = take_blob(r);
    vg_bytes each = vg_bytes_of(all.bytes, all.size);
    uint8_t count = 0;
    while (count < most && vg_bytes_left(&each) > 0) {
        const uint16_t size = vg_bytes_u16(&each);
        const uint8_t *bytes = vg_bytes_take(&each, size);
        if (each.overrun) break;
        if (size == 0) continue;
        sets[count] = bytes;
        sizes[count++] = size;
    }
    return count;
}

static void refuse_attach(loop *l, const attachment *a, const char *why) {
    loop_event(l, a->stream, VG_EVENT_BAD_STREAM, 0, why);
    wire_writer w;
    wire_start(&w, VG_WIRE_ENDED, 0, 0, true);
    wire_bytes(&w, a->stream, VG_ID_SIZE);
    wire_u64(&w, a->run);
    wire_u64(&w, 0);
    wire_u64(&w, 0);
    loop_tell_parent(l, &w);
}

static bool on_attach(loop *l, vg_bytes *r, int *fd) {
    attachment a = {0};
    a.camera = vg_bytes_take(r, VG_ID_SIZE);
    a.stream = vg_bytes_take(r, VG_ID_SIZE);
    a.keeper = vg_bytes_u16(r);
    a.codec = vg_bytes_u8(r);
    a.payload_type = vg_bytes_u8(r);
    a.rtp_channel = vg_bytes_u8(r);
    a.rtcp_channel = vg_bytes_u8(r);
    a.clock_rate = vg_bytes_u32(r);
    a.stall_ms = vg_bytes_u32(r);
    a.flags = vg_bytes_u8(r);
    a.run = vg_bytes_u64(r);
    a.predecessor = vg_bytes_u64(r);
    a.reason = vg_bytes_u8(r);
    a.gap_start_ns = (int64_t)vg_bytes_u64(r);
    a.sets.codec = VG_CODEC_H264; /* an unknown one is refused */
    if (a.codec == VG_CODEC_H265) a.sets.codec = VG_CODEC_H265;
    if (a.codec == VG_CODEC_MJPEG) a.sets.codec = VG_CODEC_MJPEG;
    a.sets.vps_count = take_sets(r, 4, a.sets.vps, a.sets.vps_size);
    a.sets.sps_count = take_sets(r, 4, a.sets.sps, a.sets.sps_size);
    a.sets.pps_count = take_sets(r, 8, a.sets.pps, a.sets.pps_size);
    const blob early = take_blob(r);
    a.early = early.bytes;
    a.early_size = early.size;
    if (!sound_parse(r, &a.sound) || r->overrun || *fd < 0) return false;
    const char *why = stream_attach(l, &a, *fd);
    *fd = -1;
    if (why != NULL) refuse_attach(l, &a, why);
    return true;
}

static bool on_detach(loop *l, vg_bytes *r) {
    const uint8_t *id = vg_bytes_take(r, VG_ID_SIZE);
    (void)vg_bytes_u8(r); /* the reason is the parent's to journal */
    if (r->overrun) return false;
    stream *s = stream_find(l, id);
    if (s == NULL) return true; /* its end has been said already */
    stream_drain(s);
    stream_end(s);
    return true;
}

static bool on_send(loop *l, vg_bytes *r) {
    const uint8_t *id = vg_bytes_take(r, VG_ID_SIZE);
    const blob message = take_blob(r);
    if (r->overrun) return false;
    stream *s = stream_find(l, id);
    if (s != NULL && message.size > 0) stream_send(s, message.bytes, message.size);
    return true;
}

static bool on_keeper(loop *l, vg_bytes *r, int *fd) {
    const uint16_t slot = vg_bytes_u16(r);
    (void)vg_bytes_u32(r); /* incarnation: HELLO says our own */
    if (r->overrun || *fd < 0 || slot >= LOOP_KEEPERS_MAX) return false;
    keeper_connect(&l->keepers[slot], *fd);
    *fd = -1;
    return true;
}

static bool on_move(loop *l, vg_bytes *r) {
    move m;
    m.from = vg_bytes_u16(r);
    m.to = vg_bytes_u16(r);
    m.count = vg_bytes_u16(r);
    m.streams = vg_bytes_take(r, (size_t)m.count * VG_ID_SIZE);
    if (r->overrun || m.to >= LOOP_KEEPERS_MAX) return false;
    keeper_move(l, &m);
    return true;
}

static bool on_live(loop *l, vg_bytes *r, int *fd) {
    const uint8_t *id = vg_bytes_take(r, VG_ID_SIZE);
    const uint32_t until_ms = vg_bytes_u32(r);
    const blob header = take_blob(r);
    if (r->overrun || *fd < 0) return false;
    stream *s = stream_find(l, id);
    if (s == NULL) return true; /* the viewer sees the end of its socket */
    const char *why = live_add(s, *fd, until_ms, header.bytes, header.size);
    *fd = -1;
    if (why != NULL)
        (void)fprintf(stderr, "<5>loop %u: no live view: %s\n", (unsigned)l->config.number, why);
    return true;
}

static bool on_udp(loop *l, vg_bytes *r, int *fd) {
    const uint8_t *id = vg_bytes_take(r, VG_ID_SIZE);
    const uint8_t which = vg_bytes_u8(r);
    udp_address address = {.is_rtcp = (which & 1U) != 0, .is_sound = (which & 2U) != 0};
    address.peer = vg_bytes_take(r, sizeof((udp_pair *)NULL)->peer);
    address.port = vg_bytes_u16(r);
    if (r->overrun || which > 3 || *fd < 0) return false;
    stream *s = stream_find(l, id);
    if (s == NULL) return true; /* its end has been said already */
    const char *why = udp_add(s, &address, *fd);
    *fd = -1;
    if (why != NULL && address.is_sound)
        (void)fprintf(stderr, "<4>loop %u: no datagrams of sound are recorded: %s\n",
                      (unsigned)l->config.number, why);
    else if (why != NULL)
        stream_end_with(s, VG_EVENT_BAD_STREAM, 0, why);
    return true;
}

static void on_stats(loop *l, uint32_t request) {
    wire_writer w;
    uint32_t left = l->stream_count;
    uint16_t part = 0;
    const stream *s = l->streams;
    do {
        const uint32_t count = left < STATS_A_PART ? left : STATS_A_PART;
        left -= count;
        wire_start(&w, VG_WIRE_STATS_REPLY, request, part++, left == 0);
        wire_u16(&w, (uint16_t)count);
        for (uint32_t i = 0; i < count; s = s->next) {
            if (s->dead) continue;
            stream_stats(s, &w);
            i++;
        }
        loop_tell_parent(l, &w);
    } while (left > 0);
}

static bool dispatch(loop *l, const uint8_t *bytes, size_t size, int *fd) {
    vg_bytes r = vg_bytes_of(bytes, size);
    const uint16_t version = vg_bytes_u16(&r);
    const uint16_t kind = vg_bytes_u16(&r);
    const uint32_t request = vg_bytes_u32(&r);
    (void)vg_bytes_u32(&r); /* part, last: all of these fit into one */
    if (r.overrun || version != VG_WIRE_VERSION) return false;
    switch (kind) {
    case VG_WIRE_ATTACH:
        return on_attach(l, &r, fd);
    case VG_WIRE_DETACH:
        return on_detach(l, &r);
    case VG_WIRE_SEND:
        return on_send(l, &r);
    case VG_WIRE_KEEPER:
        return on_keeper(l, &r, fd);
    case VG_WIRE_MOVE:
        return on_move(l, &r);
    case VG_WIRE_LIVE:
        return on_live(l, &r, fd);
    case VG_WIRE_UDP:
        return on_udp(l, &r, fd);
    case VG_WIRE_STATS:
        on_stats(l, request);
        return true;
    case VG_WIRE_QUIT:
        l->quits = true;
        return true;
    case VG_WIRE_CLOCK:
        l->clock_synced = vg_bytes_u8(&r) != 0;
        return !r.overrun;
    default:
        return false;
    }
}

void loop_control_ready(loop *l) {
    uint8_t bytes[VG_WIRE_MAX];
    for (int i = 0; i < CONTROL_A_TURN && !l->quits; i++) {
        int fd = -1;
        const ssize_t size = wire_receive(l->control.fd, bytes, sizeof bytes, &fd);
        if (size < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return;
        if (size <= 0) { /* the parent is gone */
            l->quits = true;
            return;
        }
        if (!dispatch(l, bytes, (size_t)size, &fd))
            (void)fprintf(stderr, "<3>loop %u: a message of the parent makes no sense; ignored\n",
                          (unsigned)l->config.number);
        if (fd >= 0) (void)close(fd);
    }
}
