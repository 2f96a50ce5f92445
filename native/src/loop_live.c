/* Live viewers of a stream: copies of its access units on their own sockets. */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "claim.h"
#include "loop.h"

enum {
    VIEWER_BYTES_MAX = 16
        << 20, /* what may wait for one viewer: a GOP at the start, one picture later */
    UNIT_FIXED = 8 + 8 + 4 + 1 + 1 + 8 + 8 + 4,
    FLAG_DAMAGED = 1,
    FLAG_SKIPPED = 2,
};

static void forget(viewer *v) {
    v->dead = true;
}

static void flush(loop *l, viewer *v) {
    if (v->dead) return;
    if (!outbox_flush(&v->out, v->w.fd)) {
        forget(v);
        return;
    }
    (void)loop_watch(l, &v->w, v->out.first != NULL ? EPOLLIN | EPOLLOUT : EPOLLIN);
}

static void put(viewer *v, const wire_writer *w) {
    if (!outbox_put(&v->out, w->bytes, w->size)) forget(v);
}

static void put_head(viewer *v, const stream *s) {
    size_t size;
    const uint8_t *head = vg_chunker_head(s->chunker, &size);
    if (head == NULL) return;
    wire_writer w;
    wire_start(&w, VG_WIRE_LIVE_HEAD, 0, 0, true);
    wire_bytes(&w, head, size);
    put(v, &w);
}

/* The unit's bytes lie in the chunk's payload blocks. */
static void put_unit(viewer *v, const stream *s, const vg_chunk_unit *unit) {
    const vg_arena *arena = &s->owner->arena;
    const vg_arena_chunk *chunk =
        (const vg_arena_chunk *)(const void *)vg_arena_at(arena, unit->header);
    uint32_t left = unit->bytes;
    uint32_t offset = unit->offset;
    uint16_t part = 0;
    v->units++;
    do {
        wire_writer w;
        const uint32_t room = VG_WIRE_MAX - VG_WIRE_HEADER - (part == 0 ? UNIT_FIXED : 0);
        uint32_t size = left < room ? left : room;
        left -= size;
        wire_start(&w, VG_WIRE_LIVE_UNIT, v->units, part, left == 0);
        if (part++ == 0) {
            wire_u64(&w, s->run);
            wire_u64(&w, unit->sequence);
            wire_u32(&w, unit->sample);
            wire_u8(&w, unit->kind);
            wire_u8(&w, (uint8_t)((unit->damaged ? FLAG_DAMAGED : 0) |
                                  (v->skipped ? FLAG_SKIPPED : 0)));
            wire_u64(&w, unit->media_ticks);
            wire_u64(&w, (uint64_t)unit->wall_ns);
            wire_u32(&w, unit->bytes);
        }
        while (size > 0) {
            const uint32_t start = offset % VG_ARENA_BLOCK;
            uint32_t piece = VG_ARENA_BLOCK - start;
            if (piece > size) piece = size;
            wire_bytes(&w, vg_arena_at(arena, chunk->blocks[offset / VG_ARENA_BLOCK]) + start,
                       piece);
            offset += piece;
            size -= piece;
        }
        put(v, &w);
    } while (left > 0);
    v->skipped = false;
}

static uint64_t entries_of(const stream *s) {
    vg_chunker_state state;
    vg_chunker_read(s->chunker, &state);
    return state.entries;
}

static void offer(viewer *v, const stream *s, const vg_chunk_unit *unit) {
    if (v->until_ns <= s->owner->now_ns) forget(v);
    if (v->dead) return;
    /* Still busy with what it got: nothing until the next sync sample, and that only if it caught
     * up. */
    if (v->out.bytes > 0 && v->out.bytes + unit->bytes > VIEWER_BYTES_MAX / 8) {
        v->waits_for_sync = true;
        v->skipped = true;
    }
    if (v->waits_for_sync && (unit->kind == VG_SYNC_NONE || v->out.bytes > 0)) {
        v->skipped = v->skipped || v->units > 0;
        return;
    }
    v->waits_for_sync = false;
    if (v->entries != entries_of(s)) {
        v->entries = entries_of(s);
        put_head(v, s);
    }
    put_unit(v, s, unit);
    flush(s->owner, v);
}

static void on_unit(void *context, const vg_chunk_unit *unit) {
    stream *s = context;
    for (viewer *v = s->viewers; v != NULL; v = v->next)
        offer(v, s, unit);
}

/* --- what a new viewer gets first --- */

typedef struct catching_up {
    viewer *v;
    const stream *s;
} catching_up;

static void catch_up(void *context, const vg_chunk_unit *unit) {
    catching_up *c = context;
    if (c->v->out.bytes + unit->bytes > VIEWER_BYTES_MAX) c->v->waits_for_sync = true;
    if (!c->v->waits_for_sync) put_unit(c->v, c->s, unit);
}

static bool is_of(const stream *s, const vg_arena_chunk *chunk) {
    return chunk->run == s->run && memcmp(chunk->stream, s->id, VG_ID_SIZE) == 0;
}

static const uint8_t *head_of(const stream *s, uint32_t header, const vg_arena_chunk **chunk) {
    const uint8_t *block = vg_arena_at(&s->owner->arena, header);
    *chunk = (const vg_arena_chunk *)(const void *)block;
    return block + (*chunk)->head_offset;
}

static vg_claim claim_of(const stream *s, uint32_t header) {
    const vg_arena_chunk *chunk;
    const uint8_t *head = head_of(s, header, &chunk);
    vg_bytes r = vg_bytes_of(head + vg_claim_offset(), chunk->head_bytes - vg_claim_offset());
    vg_claim claim;
    vg_claim_get(&r, &claim);
    assert(!r.overrun); /* we wrote it */
    return claim;
}

/* The samples of a chunk that was handed over, from its head, which we wrote. */
static void replay_chunk(const stream *s, uint32_t header, catching_up *c) {
    const vg_arena_chunk *chunk;
    const uint8_t *head = head_of(s, header, &chunk);
    const vg_claim claim = claim_of(s, header);
    const size_t first = vg_moof_offset(claim.flags) + VG_MOOF_FIXED;
    vg_bytes r = vg_bytes_of(head + first, chunk->head_bytes - first);
    uint32_t offset = 0;
    int64_t ticks = 0;
    for (uint32_t i = 0; i < claim.samples; i++) {
        const uint32_t duration = vg_bytes_u32(&r);
        const uint32_t bytes = vg_bytes_u32(&r);
        (void)vg_bytes_u32(&r); /* flags */
        const int32_t composition = (int32_t)vg_bytes_u32(&r);
        if (r.overrun) return;
        const int64_t media = (int64_t)claim.media_start + ticks + composition;
        const vg_chunk_unit unit = {
            .sequence = claim.sequence,
            .sample = i,
            .header = header,
            .offset = offset,
            .bytes = bytes,
            .media_ticks = media < 0 ? 0 : (uint64_t)media,
            .wall_ns = claim.wall_start_ns + ticks * NS_PER_S / VG_TIMESCALE,
            .kind = i == 0 ? claim.kind : (uint8_t)VG_SYNC_NONE,
            .damaged = (claim.flags & VG_CLAIM_DAMAGED) != 0,
        };
        catch_up(c, &unit);
        offset += bytes;
        ticks += duration;
    }
}

static void look_at_first(void *context, const vg_chunk_unit *unit) {
    uint8_t *kind = context;
    if (unit->sample == 0) *kind = unit->kind;
}

/* From the newest sync sample on, as far as it is not durable: what is stands in the ring. A run
 * begins with a sync sample, so what comes here without one belongs to a GOP that began there. */
static void replay(stream *s, viewer *v) {
    loop *l = s->owner;
    catching_up c = {.v = v, .s = s};
    uint8_t filling_kind = VG_SYNC_NONE;
    v->waits_for_sync = false;
    vg_chunker_filling(s->chunker, look_at_first, &filling_kind);
    if (filling_kind == VG_SYNC_NONE) {
        uint32_t count = 0;
        const uint32_t sent = vg_arena_sent(&l->arena, l->sent, l->arena.blocks);
        for (uint32_t i = 0; i < sent; i++) {
            const vg_arena_chunk *chunk;
            (void)head_of(s, l->sent[i], &chunk);
            if (is_of(s, chunk)) l->sent[count++] = l->sent[i];
        }
        uint32_t from = count;
        while (from > 0) {
            from--;
            if (claim_of(s, l->sent[from]).kind != VG_SYNC_NONE) break;
        }
        for (uint32_t i = from; i < count; i++)
            replay_chunk(s, l->sent[i], &c);
    }
    vg_chunker_filling(s->chunker, catch_up, &c);
}

const char *live_add(stream *s, int fd, uint32_t until_ms, const uint8_t *header, size_t size) {
    uint32_t count = 0;
    for (const viewer *v = s->viewers; v != NULL; v = v->next)
        count++;
    viewer *v = count < LOOP_VIEWERS_MAX ? calloc(1, sizeof *v) : NULL;
    if (v == NULL || !outbox_put(&v->out, header, size)) {
        free(v);
        (void)close(fd);
        return count < LOOP_VIEWERS_MAX ? "out of memory" : "LOOP_VIEWERS_MAX";
    }
    v->w = (watched){.kind = WATCHED_VIEWER, .fd = fd};
    v->until_ns = s->owner->now_ns + (int64_t)until_ms * NS_PER_MS;
    v->entries = entries_of(s);
    put_head(v, s);
    replay(s, v);
    v->next = s->viewers;
    s->viewers = v;
    s->owner->viewer_count++;
    vg_chunker_watch(s->chunker, on_unit, s);
    flush(s->owner, v);
    return NULL;
}

/* A viewer says nothing: what there is to read is its end. */
void live_ready(viewer *v) {
    uint8_t byte[64];
    int fd;
    if (v->dead) return;
    const ssize_t size = wire_receive(v->w.fd, byte, sizeof byte, &fd);
    const bool is_broken = size < 0 && errno != EAGAIN && errno != EWOULDBLOCK;
    if (fd >= 0) (void)close(fd);
    if (size == 0 || is_broken) {
        forget(v);
        return;
    }
    if (!outbox_flush(&v->out, v->w.fd)) forget(v);
}

void live_reap(stream *s, bool all) {
    viewer **at = &s->viewers;
    while (*at != NULL) {
        viewer *v = *at;
        if (v->until_ns <= s->owner->now_ns) forget(v);
        if (!all && !v->dead) {
            if (v->out.first == NULL) (void)loop_watch(s->owner, &v->w, EPOLLIN);
            at = &v->next;
            continue;
        }
        *at = v->next;
        s->owner->viewer_count--;
        loop_unwatch(s->owner, &v->w);
        (void)close(v->w.fd);
        outbox_clear(&v->out);
        free(v);
    }
    if (s->viewers == NULL && s->chunker != NULL) vg_chunker_watch(s->chunker, NULL, NULL);
}
