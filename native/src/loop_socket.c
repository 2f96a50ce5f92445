/* A stream's socket both ways: what was read and not yet used, floods, what waits to be sent. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "loop_stream.h"
#include "loop_udp.h"

enum {
    DRAIN_READS = 32, /* of LOOP_READ_MAX: what stands in a socket when its run ends */
    CARRY_KEPT = 16 * 1024,
};

/* --- what comes from the camera --- */

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

void stream_take(stream *s, const uint8_t *bytes, size_t size) {
    vg_fault fault = {0, "no way back into the byte stream"};
    crash_page_set(s);
    const size_t done = stream_parse(s, bytes, size, &fault);
    const bool kept = done != SIZE_MAX && size - done <= LOOP_CARRY_MAX &&
                      keep_carry(s, bytes + done, size - done);
    crash_page_clear(s);
    if (!kept) stream_end_with(s, VG_EVENT_BAD_STREAM, 0, fault.rule);
}

static int64_t flood_rate(const stream *s) {
    return (int64_t)s->owner->config.flood_bytes_per_second;
}

static void earn_tokens(stream *s) {
    const int64_t rate = flood_rate(s);
    const int64_t elapsed_us = (s->owner->now_ns - s->tokens_at_ns) / 1000;
    s->tokens_at_ns = s->owner->now_ns;
    const int64_t most = BURST_S * rate;
    const int64_t burst_us = (int64_t)BURST_S * 1000000;
    if (s->tokens >= most) return; /* more than that is only given, at the start */
    s->tokens += elapsed_us > burst_us ? most : elapsed_us * (rate / 1000) / 1000;
    if (s->tokens > most) s->tokens = most;
}

/* A flood that goes on is left in the connection, where it holds the camera back: to read only in
 * order to drop would take the processor from everybody else. */
bool stream_is_held_back(stream *s) {
    earn_tokens(s);
    return s->tokens < -2 * flood_rate(s);
}

static void note_flood(stream *s, size_t size) {
    const int64_t rate = flood_rate(s);
    earn_tokens(s);
    s->tokens -= (int64_t)size;
    if (s->tokens < 0 && !s->is_flood) {
        s->is_flood = true;
        stream_event(s, VG_EVENT_FLOOD, 0, "");
    } else if (s->tokens > rate / 2) {
        s->is_flood = false;
    }
}

void stream_received(stream *s, size_t size) {
    s->bytes += (uint64_t)size;
    note_flood(s, size);
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
        stream_end_with(s, VG_EVENT_CLOSED, size < 0 ? errno : 0, "");
        return false;
    }
    if (size == LOOP_READ_MAX) l->reads_due = true;
    stream_received(s, (size_t)size);
    stream_take(s, l->scratch, s->carry_size + (size_t)size);
    return !s->dead;
}

void stream_drain(stream *s) {
    udp_drain(s);
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
        stream_end_with(s, VG_EVENT_CLOSED, ENOBUFS, "it reads nothing");
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
    if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0 && !stream_is_held_back(s))
        (void)read_socket(s);
}
