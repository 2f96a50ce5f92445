/* The connections to the keepers. Everything SENT to a slot stays in the arena until that slot's
 * keeper acknowledges it; a connection that ends takes nothing with it, and the next one is told
 * all of it. */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "loop.h"

enum { HEADERS_IN_A_MESSAGE = 1024 };

static const vg_arena_chunk *chunk_of(const loop *l, uint32_t header) {
    return (const vg_arena_chunk *)(const void *)vg_arena_at(&l->arena, header);
}

static uint32_t blocks_of(const vg_arena_chunk *chunk) {
    return 1 + chunk->payload_blocks + (chunk->extra_block != VG_NO_BLOCK ? 1 : 0);
}

void keeper_inherit(loop *l, uint32_t header) {
    const vg_arena_chunk *chunk = chunk_of(l, header);
    if (chunk->keeper < LOOP_KEEPERS_MAX) l->held[chunk->keeper] += blocks_of(chunk);
}

/* A disk that hangs keeps what it was given; a quarter of the arena stays for the streams of the
 * others. */
static uint32_t most_held(const loop *l) {
    const uint32_t usable = l->arena.blocks - l->arena.first;
    return usable - usable / 4;
}

void keeper_room(loop *l, uint16_t slot) {
    l->arena.is_closed = l->held[slot] >= most_held(l);
}

/* At the limit itself they would come back to fill it with the next picture. */
bool keeper_has_room(const loop *l, uint16_t slot) {
    return l->held[slot] <= most_held(l) / 2 && l->arena.used <= most_held(l);
}

static void enqueue(keeper *k, uint32_t header) {
    if (k->queue == NULL) {
        /* As many as there are blocks: no chunk has less than one. */
        k->queue_capacity = k->owner->arena.blocks;
        k->queue = calloc(k->queue_capacity, sizeof *k->queue);
        if (k->queue == NULL) abort(); /* address space of a few hundred KiB: the process is lost */
    }
    assert(k->queue_count < k->queue_capacity);
    k->queue[(k->queue_first + k->queue_count++) % k->queue_capacity] = header;
}

static void forget_handed(keeper *k) {
    loop *l = k->owner;
    for (uint32_t i = 0; i < l->arena.blocks; i++)
        if (l->handed[i] == k->slot + 1) l->handed[i] = 0;
    k->outstanding = 0;
    k->queue_first = 0;
    k->queue_count = 0;
}

void keeper_drop(keeper *k) {
    if (k->w.fd < 0) return;
    loop_unwatch(k->owner, &k->w);
    (void)close(k->w.fd);
    k->w.fd = -1;
    k->hello_due = false;
    k->tick_due = false;
    k->bye_due = false;
    forget_handed(k);
}

void keeper_connect(keeper *k, int fd) {
    loop *l = k->owner;
    keeper_drop(k);
    k->w = (watched){.kind = WATCHED_KEEPER, .fd = fd};
    k->hello_due = true;
    forget_handed(k);
    const uint32_t count = vg_arena_sent(&l->arena, l->sent, l->arena.blocks);
    for (uint32_t i = 0; i < count; i++)
        if (chunk_of(l, l->sent[i])->keeper == k->slot) enqueue(k, l->sent[i]);
    if (!loop_watch(l, &k->w, EPOLLIN)) {
        (void)fprintf(stderr, "<3>loop %u: keeper %u cannot be watched: %s\n",
                      (unsigned)l->config.number, (unsigned)k->slot, strerror(errno));
        keeper_drop(k);
    }
}

void keeper_hand_over(loop *l, uint16_t slot, uint32_t header) {
    vg_arena_chunk *chunk = (vg_arena_chunk *)(void *)vg_arena_at(&l->arena, header);
    chunk->keeper = slot;
    vg_arena_send(&l->arena, header);
    l->held[slot] += blocks_of(chunk);
    keeper *k = &l->keepers[slot];
    if (k->w.fd >= 0) enqueue(k, header);
}

static bool is_moved(const move *m, uint64_t slot, const uint8_t *stream_id) {
    if (slot == m->to || (m->from != VG_WIRE_ANY_SLOT && slot != m->from)) return false;
    for (uint32_t i = 0; i < m->count; i++)
        if (memcmp(m->streams + (size_t)i * VG_ID_SIZE, stream_id, VG_ID_SIZE) == 0) return true;
    return m->count == 0;
}

void keeper_move(loop *l, const move *m) {
    assert(m->to < LOOP_KEEPERS_MAX);
    for (stream *s = l->streams; s != NULL; s = s->next)
        if (is_moved(m, s->keeper, s->id)) s->keeper = m->to;
    keeper *to = &l->keepers[m->to];
    bool lost[LOOP_KEEPERS_MAX] = {false};
    const uint32_t count = vg_arena_sent(&l->arena, l->sent, l->arena.blocks);
    for (uint32_t i = 0; i < count; i++) {
        vg_arena_chunk *chunk = (vg_arena_chunk *)(void *)vg_arena_at(&l->arena, l->sent[i]);
        if (chunk->keeper >= LOOP_KEEPERS_MAX || !is_moved(m, chunk->keeper, chunk->stream))
            continue;
        lost[chunk->keeper] = true;
        l->held[chunk->keeper] -= blocks_of(chunk);
        l->held[m->to] += blocks_of(chunk);
        chunk->keeper = m->to;
        l->handed[l->sent[i]] = 0;
        if (to->w.fd >= 0) enqueue(to, l->sent[i]);
    }
    /* Whoever was given some of it may acknowledge it late, when those blocks hold something else.
     */
    for (uint32_t i = 0; i < LOOP_KEEPERS_MAX; i++)
        if (lost[i]) keeper_drop(&l->keepers[i]);
}

static bool send_hello(keeper *k) {
    const vg_loop_config *config = &k->owner->config;
    wire_writer w;
    wire_start(&w, VG_WIRE_HELLO, 0, 0, true);
    wire_u16(&w, config->number);
    wire_u32(&w, config->incarnation);
    wire_u64(&w, k->owner->arena.size);
    return wire_send(k->w.fd, w.bytes, w.size, config->arena_read_fd);
}

static bool send_chunks(keeper *k) {
    wire_writer w;
    const uint32_t count =
        k->queue_count < HEADERS_IN_A_MESSAGE ? k->queue_count : HEADERS_IN_A_MESSAGE;
    wire_start(&w, VG_WIRE_CHUNK, 0, 0, true);
    wire_u16(&w, (uint16_t)count);
    for (uint32_t i = 0; i < count; i++)
        wire_u32(&w, k->queue[(k->queue_first + i) % k->queue_capacity]);
    if (!wire_send(k->w.fd, w.bytes, w.size, -1)) return false;
    for (uint32_t i = 0; i < count; i++)
        k->owner->handed[k->queue[(k->queue_first + i) % k->queue_capacity]] =
            (uint16_t)(k->slot + 1);
    k->queue_first = (k->queue_first + count) % k->queue_capacity;
    k->queue_count -= count;
    k->outstanding += count;
    return true;
}

static bool send_tick(keeper *k) {
    wire_writer w;
    wire_start(&w, VG_WIRE_TICK, 0, 0, true);
    wire_u64(&w, k->tick);
    return wire_send(k->w.fd, w.bytes, w.size, -1);
}

static bool send_bye(keeper *k) {
    wire_writer w;
    wire_start(&w, VG_WIRE_BYE, 0, 0, true);
    return wire_send(k->w.fd, w.bytes, w.size, -1);
}

/* The order is the meaning: a tick speaks of the chunks before it. */
static bool send_due(keeper *k) {
    if (k->hello_due) {
        if (!send_hello(k)) return false;
        k->hello_due = false;
    }
    while (k->queue_count > 0)
        if (!send_chunks(k)) return false;
    if (k->tick_due) {
        if (!send_tick(k)) return false;
        k->tick_due = false;
    }
    if (k->bye_due) {
        if (!send_bye(k)) return false;
        k->bye_due = false;
    }
    return true;
}

void keeper_flush(keeper *k) {
    if (k->w.fd < 0) return;
    if (send_due(k)) {
        if (k->w.events != EPOLLIN) (void)loop_watch(k->owner, &k->w, EPOLLIN);
        return;
    }
    if (errno == EAGAIN || errno == EWOULDBLOCK || errno == ENOBUFS)
        (void)loop_watch(k->owner, &k->w, EPOLLIN | EPOLLOUT);
    else if (errno == EPIPE || errno == ECONNRESET)
        keeper_ready(k, EPOLLIN); /* it has ended; what it acknowledged before still counts */
    else
        keeper_drop(k);
}

static void acknowledge(keeper *k, uint32_t header, uint8_t status) {
    loop *l = k->owner;
    if (header >= l->arena.blocks || l->handed[header] != k->slot + 1) {
        (void)fprintf(stderr,
                      "<4>loop %u: keeper %u acknowledged block %u, which it was not given\n",
                      (unsigned)l->config.number, (unsigned)k->slot, (unsigned)header);
        return;
    }
    if (status != 1) {
        l->refused++;
        loop_event(l, chunk_of(l, header)->stream, VG_EVENT_NO_ROOM, 0, "refused by the keeper");
    }
    l->handed[header] = 0;
    k->outstanding--;
    l->held[k->slot] -= blocks_of(chunk_of(l, header));
    vg_arena_durable(&l->arena, header);
}

static void read_ack(keeper *k, vg_bytes *r) {
    const uint16_t count = vg_bytes_u16(r);
    for (uint16_t i = 0; i < count; i++) {
        const uint32_t header = vg_bytes_u32(r);
        const uint8_t status = vg_bytes_u8(r);
        if (r->overrun) return;
        acknowledge(k, header, status);
    }
}

void keeper_ready(keeper *k, uint32_t events) {
    (void)events; /* writing is tried at the end of every turn anyway */
    uint8_t bytes[VG_WIRE_MAX];
    for (int i = 0; i < 16 && k->w.fd >= 0; i++) {
        int passed_fd;
        const ssize_t size = wire_receive(k->w.fd, bytes, sizeof bytes, &passed_fd);
        if (size < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return;
        /* It ended without reading all it was sent; unix(7) tells that before what it had sent. */
        if (size < 0 && errno == ECONNRESET) continue;
        if (passed_fd >= 0) (void)close(passed_fd);
        if (size <= 0) {
            keeper_drop(k);
            return;
        }
        vg_bytes r = vg_bytes_of(bytes, (size_t)size);
        const uint16_t version = vg_bytes_u16(&r);
        const uint16_t kind = vg_bytes_u16(&r);
        (void)vg_bytes_take(&r, VG_WIRE_HEADER - 4);
        if (!r.overrun && version == VG_WIRE_VERSION && kind == VG_WIRE_ACK) read_ack(k, &r);
    }
}
