/* Access units come in, in decode order; they are committed to the chunk being filled once their
 * decode times are known (vg_reorder). Without B-pictures that is at once and straight from the
 * assembler's buffer; with them `depth` units wait in `hold`. */
#include "vg/chunker.h"

#include <assert.h>
#include <openssl/evp.h>
#include <string.h>

#include "bytes.h"
#include "sets.h"

enum {
    HELD_MAX = VG_REORDER_MAX + 1,
    HOLD_BYTES = VG_AU_MAX + 4 * VG_NALS_MAX,
    CLOSED_MAX = HELD_MAX + 8, /* a flush of all held units may close a chunk with each */
    SYNC_WINDOW = 8,           /* a sync sample and this many before it within ... */
    SYNC_WINDOW_TICKS = 4 * VG_TIMESCALE, /* ... are more than two a second */
    CHANGES_BEFORE = 2,                   /* within the period; the next one is the third */
    /* Between two ticks: a camera's timestamps can claim any distance between its sync samples, and
       each chunk takes two blocks of an arena that it shares with its neighbours. */
    SYNC_CUTS_MAX = 32,
    EQUAL_STAMPS = 3, /* so many in a row are no fields of a picture and no accident */
    HEAD_OFFSET = 1024,
    /* Where the segment's head fits behind the chunk's in the header block. */
    SEGMENT_HEAD_HERE = VG_ARENA_BLOCK - HEAD_OFFSET - VG_CHUNK_HEAD_MAX,
};

static_assert(sizeof(vg_arena_chunk) <= HEAD_OFFSET,
              "the chunk's head lies behind its description");

/* An access unit on its way, without its bytes. */
typedef struct unit {
    int64_t presentation;
    int64_t arrival_ns, camera_clock_ns;
    uint32_t bytes;  /* as in mdat */
    uint32_t offset; /* into hold */
    uint8_t kind;
    bool damaged, leading, synced, dropped_sets, new_entry;
} unit;

/* Where a unit's bytes are: packed as in mdat, or NAL units of which some are left out. */
typedef struct source {
    const uint8_t *packed;
    const vg_access_unit *au;
    uint8_t keep[VG_NALS_MAX]; /* with `au` */
} source;

struct vg_chunker {
    vg_arena *arena;
    vg_run_start start;
    vg_chunker_state state;
    vg_timeline timeline;
    vg_reorder reorder;

    bool has_started;    /* a sample was kept */
    bool waits_for_sync; /* no room: the rest of this GOP is dropped */
    bool references_lost;
    int64_t syncs[SYNC_WINDOW]; /* decode times of the latest sync samples, a ring */
    uint32_t sync_count;
    uint32_t sync_cuts;               /* since the last tick */
    uint64_t ticks;                   /* of vg_chunker_tick */
    uint64_t changes[CHANGES_BEFORE]; /* the ticks at which the entry changed, a ring */
    uint32_t change_count;
    uint32_t last_stamp, equal_stamps;
    int64_t last_arrival_ns; /* of the access unit pushed last */
    bool out_of_step;        /* a decoder that read on has other sets than the entry's */

    /* The chunk being filled; `header` is VG_NO_BLOCK without one. */
    uint32_t header;
    uint32_t payload_bytes, payload_blocks;
    vg_claim claim;
    int64_t last_decode, last_wall_ns; /* of the sample committed last */
    int64_t last_spacing;              /* ticks between the two committed last */
    bool has_last, is_estimated; /* estimated: the last sample of a tick has a guessed duration */
    int64_t estimated_end, carry;
    uint8_t previous_sha256[VG_SHA256_SIZE];
    uint8_t nothing_sha256[VG_SHA256_SIZE]; /* of no audio */
    EVP_MD_CTX *sha256;

    vg_chunk_watch *watch;
    void *watch_context;

    uint32_t closed[CLOSED_MAX];
    uint32_t closed_first, closed_count;

    unit held[HELD_MAX];
    uint32_t held_count, hold_used;

    size_t head_bytes; /* of `head`; 0 before there is an entry */
    uint8_t entry_sha256[VG_SHA256_SIZE];

    /* Large and mostly untouched from here on. */
    vg_set_table latest, entry;
    vg_sample samples[VG_SAMPLES_MAX];
    uint8_t head[VG_HEAD_MAX + VG_BLOCK];
    uint8_t hold[HOLD_BYTES];
};

size_t vg_chunker_size(void) {
    return sizeof(vg_chunker);
}

void vg_chunker_init(vg_chunker *c, vg_arena *arena, const vg_run_start *start,
                     const vg_sets *sets) {
    assert(c != NULL && arena != NULL && start != NULL && sets != NULL);
    memset(c, 0, offsetof(vg_chunker, latest));
    c->arena = arena;
    c->start = *start;
    c->header = VG_NO_BLOCK;
    c->references_lost = start->references_lost;
    c->state.inband = start->inband;
    c->state.codec = (uint8_t)sets->codec;
    vg_reorder_init(&c->reorder, -1);
    vg_sets_load(&c->latest, sets);
    c->entry.codec = sets->codec;
    c->entry.count = 0;
    c->entry.used = 0;
    vg_sha256(NULL, 0, c->nothing_sha256);
    c->sha256 = EVP_MD_CTX_new();
    const int is_ready = c->sha256 != NULL && EVP_DigestInit_ex(c->sha256, EVP_sha256(), NULL) == 1;
    assert(is_ready);
    (void)is_ready;
}

static vg_arena_chunk *filling(const vg_chunker *c) {
    return (vg_arena_chunk *)(void *)vg_arena_at(c->arena, c->header);
}

/* Payload blocks behind the first `keep` go back. */
static void give_payload(vg_chunker *c, uint32_t keep) {
    const vg_arena_chunk *chunk = filling(c);
    while (c->payload_blocks > keep)
        vg_arena_give(c->arena, chunk->blocks[--c->payload_blocks]);
}

static void give_chunk(vg_chunker *c) {
    give_payload(c, 0);
    const vg_arena_chunk *chunk = filling(c);
    if (chunk->extra_block != VG_NO_BLOCK) vg_arena_give(c->arena, chunk->extra_block);
    vg_arena_give(c->arena, c->header);
    c->header = VG_NO_BLOCK;
    c->payload_bytes = 0;
}

void vg_chunker_drop(vg_chunker *c) {
    assert(c != NULL && c->closed_count == 0);
    if (c->header != VG_NO_BLOCK) give_chunk(c);
    EVP_MD_CTX_free(c->sha256);
    c->sha256 = NULL;
}

uint32_t vg_chunker_closed(vg_chunker *c) {
    if (c->closed_count == 0) return VG_NO_BLOCK;
    const uint32_t header = c->closed[c->closed_first];
    c->closed_first = (c->closed_first + 1) % CLOSED_MAX;
    c->closed_count--;
    return header;
}

void vg_chunker_read(const vg_chunker *c, vg_chunker_state *out) {
    *out = c->state;
}

void vg_chunker_watch(vg_chunker *c, vg_chunk_watch *watch, void *context) {
    c->watch = watch;
    c->watch_context = context;
}

const uint8_t *vg_chunker_head(const vg_chunker *c, size_t *size) {
    *size = c->head_bytes;
    return c->head_bytes > 0 ? c->head : NULL;
}

/* --- the chunk being filled --- */

static bool open_chunk(vg_chunker *c, const unit *u, int64_t decode, int64_t wall_ns) {
    const uint32_t header = vg_arena_take(c->arena);
    if (header == VG_NO_BLOCK) return false;
    uint32_t extra = VG_NO_BLOCK;
    if (c->head_bytes > SEGMENT_HEAD_HERE) {
        extra = vg_arena_take(c->arena);
        if (extra == VG_NO_BLOCK) {
            vg_arena_give(c->arena, header);
            return false;
        }
    }
    c->header = header;
    c->payload_bytes = 0;
    c->payload_blocks = 0;
    vg_arena_chunk *chunk = filling(c);
    memset(chunk, 0, offsetof(vg_arena_chunk, blocks));
    chunk->extra_block = extra;
    chunk->segment_head_bytes = (uint32_t)c->head_bytes;
    uint8_t *head = vg_arena_at(c->arena, header);
    if (extra != VG_NO_BLOCK)
        head = vg_arena_at(c->arena, extra);
    else
        chunk->segment_head_offset = VG_ARENA_BLOCK - (uint32_t)c->head_bytes;
    memcpy(head + chunk->segment_head_offset, c->head, c->head_bytes);
    memcpy(chunk->entry_sha256, c->entry_sha256, VG_SHA256_SIZE);

    c->claim = (vg_claim){
        .version = VG_FORMAT_VERSION,
        .run = c->start.run,
        .sequence = c->state.next_sequence,
        .wall_start_ns = wall_ns,
        .media_start = (uint64_t)decode,
        .timescale = VG_TIMESCALE,
        .camera_clock_ns = u->camera_clock_ns,
        .kind = u->kind,
    };
    if (u->synced) c->claim.flags |= VG_CLAIM_CLOCK_SYNCED;
    if (c->references_lost) c->claim.flags |= VG_CLAIM_REFERENCES_LOST;
    if (c->state.inband) c->claim.flags |= VG_CLAIM_INBAND;
    if (c->claim.sequence == 0) {
        c->claim.flags |= VG_CLAIM_FIRST;
        c->claim.predecessor_run = c->start.predecessor_run;
        c->claim.gap_reason = c->start.gap_reason;
        c->claim.gap_start_ns = c->start.gap_start_ns;
    }
    memcpy(c->claim.camera, c->start.camera, VG_ID_SIZE);
    memcpy(c->claim.stream, c->start.stream, VG_ID_SIZE);
    memcpy(c->claim.previous_sha256, c->previous_sha256, VG_SHA256_SIZE);
    return true;
}

static bool append(vg_chunker *c, const uint8_t *bytes, size_t size) {
    vg_arena_chunk *chunk = filling(c);
    while (size > 0) {
        const uint32_t fill = c->payload_bytes % VG_ARENA_BLOCK;
        if (c->payload_bytes == c->payload_blocks * (uint32_t)VG_ARENA_BLOCK) {
            if (c->payload_blocks == VG_ARENA_CHUNK_BLOCKS_MAX) return false;
            const uint32_t block = vg_arena_take(c->arena);
            if (block == VG_NO_BLOCK) return false;
            chunk->blocks[c->payload_blocks++] = block;
        }
        size_t part = VG_ARENA_BLOCK - fill;
        if (part > size) part = size;
        memcpy(vg_arena_at(c->arena, chunk->blocks[c->payload_blocks - 1]) + fill, bytes, part);
        c->payload_bytes += (uint32_t)part;
        bytes += part;
        size -= part;
    }
    return true;
}

static bool append_source(vg_chunker *c, const unit *u, const source *s) {
    if (s->packed != NULL) return append(c, s->packed, u->bytes);
    for (uint32_t i = 0; i < s->au->nal_count; i++) {
        const vg_nal_unit *nal = &s->au->nals[i];
        uint8_t length[4];
        if (!s->keep[i]) continue;
        vg_store_u32(length, nal->size);
        if (!append(c, length, sizeof length) || !append(c, s->au->bytes + nal->offset, nal->size))
            return false;
    }
    return true;
}

static void hash_from(vg_chunker *c, uint32_t offset) {
    const vg_arena_chunk *chunk = filling(c);
    while (offset < c->payload_bytes) {
        const uint32_t block = offset / VG_ARENA_BLOCK;
        const uint32_t start = offset % VG_ARENA_BLOCK;
        uint32_t part = VG_ARENA_BLOCK - start;
        if (part > c->payload_bytes - offset) part = c->payload_bytes - offset;
        const int ok =
            EVP_DigestUpdate(c->sha256, vg_arena_at(c->arena, chunk->blocks[block]) + start, part);
        assert(ok == 1);
        (void)ok;
        offset += part;
    }
}

/* The duration of the sample committed last, now that the next one's decode time is known. */
static void finish_last(vg_chunker *c, int64_t decode) {
    if (!c->has_last) return;
    const int64_t spacing = decode - c->last_decode;
    /* A hole is no spacing to guess the next duration by. */
    if (spacing <= VG_TIMESCALE) c->last_spacing = spacing;
    if (c->is_estimated) {
        /* A guess was written at the tick; what it was wrong by goes into the next duration,
         * unless nothing came for long: that is a hole and no sample's duration. */
        c->carry += decode - c->estimated_end;
        if (c->carry > VG_TIMESCALE || c->carry < -VG_TIMESCALE) c->carry = 0;
        c->is_estimated = false;
        return;
    }
    if (c->header == VG_NO_BLOCK || c->claim.samples == 0) return;
    int64_t duration = spacing + c->carry;
    if (duration < 1) duration = 1;
    c->carry += spacing - duration;
    c->samples[c->claim.samples - 1].duration = (uint32_t)duration;
}

static void close_chunk(vg_chunker *c, int64_t wall_end_ns) {
    assert(c->header != VG_NO_BLOCK && c->claim.samples > 0 && c->closed_count < CLOSED_MAX);
    vg_arena_chunk *chunk = filling(c);
    c->claim.video_bytes = c->payload_bytes;
    unsigned digest_size = VG_SHA256_SIZE;
    const int ok = EVP_DigestFinal_ex(c->sha256, c->claim.video_sha256, &digest_size) == 1 &&
                   EVP_DigestInit_ex(c->sha256, NULL, NULL) == 1;
    assert(ok);
    (void)ok;
    memcpy(c->claim.audio_sha256, c->nothing_sha256, VG_SHA256_SIZE);

    size_t head_bytes = 0;
    vg_fault fault;
    const vg_err err =
        vg_chunk_head_write(&c->claim, c->samples, vg_arena_at(c->arena, c->header) + HEAD_OFFSET,
                            VG_CHUNK_HEAD_MAX, &head_bytes, c->previous_sha256, &fault);
    assert(err == VG_OK);
    (void)err;
    chunk->head_offset = HEAD_OFFSET;
    chunk->head_bytes = (uint32_t)head_bytes;
    chunk->payload_bytes = c->payload_bytes;
    chunk->payload_blocks = c->payload_blocks;
    chunk->wall_end_ns = wall_end_ns;
    chunk->run = c->claim.run;
    chunk->sequence = c->claim.sequence;
    memcpy(chunk->camera, c->claim.camera, VG_ID_SIZE);
    memcpy(chunk->stream, c->claim.stream, VG_ID_SIZE);

    c->closed[(c->closed_first + c->closed_count++) % CLOSED_MAX] = c->header;
    c->header = VG_NO_BLOCK;
    c->payload_bytes = 0;
    c->state.next_sequence++;
    c->state.last_wall_end_ns = wall_end_ns;
}

static bool has_samples(const vg_chunker *c) {
    return c->header != VG_NO_BLOCK && c->claim.samples > 0;
}

/* --- committing --- */

/* More than two sync samples a second over the last four: an all-intra stream is cut at ticks
 * alone. */
static bool is_all_sync(const vg_chunker *c, int64_t decode) {
    if (c->sync_count < SYNC_WINDOW) return false;
    return decode - c->syncs[c->sync_count % SYNC_WINDOW] < SYNC_WINDOW_TICKS;
}

static bool must_cut(vg_chunker *c, const unit *u, int64_t decode) {
    bool cut = u->new_entry;
    if (u->kind != VG_SYNC_NONE) {
        if (!is_all_sync(c, decode) && c->sync_cuts < SYNC_CUTS_MAX) {
            c->sync_cuts++;
            cut = true;
        }
        c->syncs[c->sync_count++ % SYNC_WINDOW] = decode;
    }
    if (c->payload_bytes + u->bytes > VG_CHUNK_BYTES_MAX) cut = true;
    if (c->claim.samples == VG_SAMPLES_MAX) cut = true;
    return cut;
}

static void tell(const vg_chunker *c, const unit *u, uint32_t offset, int64_t wall_ns) {
    const vg_chunk_unit told = {
        .sequence = c->claim.sequence,
        .sample = c->claim.samples - 1,
        .header = c->header,
        .offset = offset,
        .bytes = u->bytes,
        .media_ticks = u->presentation < 0 ? 0 : (uint64_t)u->presentation,
        .wall_ns = wall_ns,
        .kind = u->kind,
        .damaged = u->damaged,
    };
    /* Viewers read payload blocks by the header's list. */
    filling(c)->payload_blocks = c->payload_blocks;
    c->watch(c->watch_context, &told);
}

static vg_err no_room(vg_chunker *c, int64_t wall_ns, vg_fault *fault) {
    if (has_samples(c))
        close_chunk(c, wall_ns);
    else if (c->header != VG_NO_BLOCK)
        give_chunk(c);
    c->waits_for_sync = true;
    c->state.dropped_no_room++;
    return vg_fail(fault, VG_LIMIT, 0, "the arena is full");
}

static int32_t composition(int64_t presentation, int64_t decode) {
    const int64_t offset = presentation - decode;
    if (offset > INT32_MAX) return INT32_MAX;
    if (offset < INT32_MIN) return INT32_MIN;
    return (int32_t)offset;
}

static vg_err commit(vg_chunker *c, const unit *u, const source *s, int64_t decode,
                     vg_fault *fault) {
    bool reanchored = false;
    const int64_t wall_ns = vg_timeline_wall(&c->timeline, decode, u->arrival_ns, &reanchored);
    finish_last(c, decode);
    bool cut = must_cut(c, u, decode);
    /* Times inside of a chunk are counted from its start: a new anchor is a new start. */
    if (reanchored && (c->claim.flags & VG_CLAIM_REANCHORED) == 0) cut = true;
    if (has_samples(c) && cut) close_chunk(c, wall_ns);
    if (u->kind != VG_SYNC_NONE) {
        c->references_lost = false;
        c->waits_for_sync = false;
    }
    if (c->waits_for_sync) {
        c->has_last = false; /* its duration was settled when the room ran out */
        c->state.dropped_no_room++;
        return vg_fail(fault, VG_LIMIT, 0, "the arena is full");
    }
    if (c->header == VG_NO_BLOCK && !open_chunk(c, u, decode, wall_ns))
        return no_room(c, wall_ns, fault);
    const uint32_t offset = c->payload_bytes;
    const uint32_t blocks = c->payload_blocks;
    if (!append_source(c, u, s)) {
        give_payload(c, blocks);
        c->payload_bytes = offset;
        return no_room(c, wall_ns, fault);
    }
    hash_from(c, offset);
    c->samples[c->claim.samples++] = (vg_sample){
        .bytes = u->bytes,
        .duration = 1,
        .composition_offset = composition(u->presentation, decode),
        .is_sync = u->kind != VG_SYNC_NONE,
        .is_leading = u->leading,
    };
    if (u->damaged) c->claim.flags |= VG_CLAIM_DAMAGED;
    if (u->dropped_sets) c->claim.flags |= VG_CLAIM_SETS_DROPPED;
    if (reanchored) c->claim.flags |= VG_CLAIM_REANCHORED;
    c->last_decode = decode;
    c->last_wall_ns = wall_ns;
    c->has_last = true;
    c->state.samples++;
    c->state.bytes += u->bytes;
    if (c->watch != NULL) tell(c, u, offset, wall_ns);
    return VG_OK;
}

/* Commits held units as far as their decode times are known. The first error is given back; the
 * others say the same. */
static vg_err commit_held(vg_chunker *c, bool flush, vg_fault *fault) {
    vg_err result = VG_OK;
    int64_t decode = 0;
    uint32_t done = 0;
    while (done < c->held_count && vg_reorder_pull(&c->reorder, flush, &decode)) {
        const unit *u = &c->held[done++];
        const source s = {.packed = c->hold + u->offset};
        const vg_err err = commit(c, u, &s, decode, fault);
        if (result == VG_OK) result = err;
    }
    if (done == 0) return result;
    c->held_count -= done;
    memmove(c->held, c->held + done, c->held_count * sizeof c->held[0]);
    const uint32_t gone = c->held_count > 0 ? c->held[0].offset : c->hold_used;
    memmove(c->hold, c->hold + gone, c->hold_used - gone);
    c->hold_used -= gone;
    for (uint32_t i = 0; i < c->held_count; i++)
        c->held[i].offset -= gone;
    return result;
}

/* --- parameter sets and the entry --- */

static void learn_sets(vg_chunker *c, const vg_access_unit *au) {
    vg_fault fault; /* a set that cannot be read or has no room stays in band and changes nothing */
    for (uint32_t i = 0; i < au->nal_count; i++) {
        const vg_nal_unit *nal = &au->nals[i];
        const vg_set_kind kind = vg_set_kind_of(c->latest.codec, nal->type);
        if (kind == VG_SET_NONE) continue;
        (void)vg_sets_put(&c->latest, kind, au->bytes + nal->offset, nal->size, &fault);
    }
}

static vg_err make_entry(vg_chunker *c, vg_fault *fault) {
    vg_sps sps;
    vg_sets view;
    if (!vg_sets_complete(&c->latest)) return vg_fail(fault, VG_VALUE, 0, "parameter sets missing");
    vg_err err = vg_sets_sps(&c->latest, &sps, fault);
    if (err != VG_OK) return err;
    vg_sets_view(&c->latest, c->state.inband, &view);
    /* Apart: a head that turns out too long may not stand where the old one still serves. */
    uint8_t head[sizeof c->head];
    size_t head_bytes = 0;
    err = vg_head_write(&view, VG_TIMESCALE, head, sizeof head, &head_bytes, fault);
    if (err != VG_OK) return err;
    memcpy(c->head, head, head_bytes);
    c->head_bytes = head_bytes;
    vg_sha256(c->head, c->head_bytes, c->entry_sha256);
    c->entry = c->latest;
    c->out_of_step = false;
    c->state.width = sps.width;
    c->state.height = sps.height;
    c->state.entries++;
    /* What the reorder buffer has learnt stays; only what the SPS tells is set anew. */
    if (sps.reorder_depth >= 0) {
        c->reorder.depth = (uint8_t)sps.reorder_depth;
        if (c->reorder.depth > VG_REORDER_MAX) c->reorder.depth = VG_REORDER_MAX;
        c->reorder.learns = false;
    } else {
        c->reorder.learns = true;
    }
    return VG_OK;
}

/* Called at a sync sample whose sets differ. The third change within the period ends the changing:
 * the stream is avc3/hev1 from then on. The old entry stays where the new one is unusable. */
static bool change_entry(vg_chunker *c) {
    vg_fault fault;
    const uint64_t second_last = c->changes[c->change_count % CHANGES_BEFORE];
    const bool flaps =
        c->change_count >= CHANGES_BEFORE && c->ticks - second_last < VG_CHUNKER_SETS_PERIOD_S;
    c->state.inband = flaps;
    if (make_entry(c, &fault) != VG_OK) {
        c->state.inband = false;
        return false;
    }
    c->changes[c->change_count++ % CHANGES_BEFORE] = c->ticks;
    return true;
}

/* Which NAL units are kept, and how long they are in mdat. Once another set than the entry's stands
 * in band, the one that takes its place again must stand there too (rtsp.md row 103: two SPS in
 * turns within a GOP). */
static void select_nals(vg_chunker *c, const vg_access_unit *au, unit *u, source *s) {
    bool has_sets = false;
    u->bytes = 0;
    for (uint32_t i = 0; i < au->nal_count; i++) {
        const vg_nal_unit *nal = &au->nals[i];
        const vg_set_kind kind = vg_set_kind_of(c->latest.codec, nal->type);
        s->keep[i] = 1;
        if (kind != VG_SET_NONE && !c->state.inband) {
            has_sets = true;
            const bool is_known = vg_sets_have(&c->entry, kind, au->bytes + nal->offset, nal->size);
            if (is_known && !c->out_of_step) {
                s->keep[i] = 0;
                u->dropped_sets = true;
                c->state.sets_dropped++;
                continue;
            }
            if (!is_known) c->out_of_step = true;
        }
        u->bytes += 4 + nal->size;
    }
    if (has_sets) c->out_of_step = !vg_sets_equal(&c->latest, &c->entry);
}

/* --- pushing --- */

/* Where all stamps are equal (rtsp.md row 83: a camera server that forgot them) arrival is the only
 * spacing there is. */
static int64_t media_time(vg_chunker *c, uint32_t stamp, int64_t arrival_ns) {
    const bool is_equal = c->timeline.started && stamp == c->last_stamp;
    const int64_t elapsed_ns = arrival_ns - c->last_arrival_ns;
    c->equal_stamps = is_equal ? c->equal_stamps + 1 : 0;
    c->last_stamp = stamp;
    c->last_arrival_ns = arrival_ns;
    const int64_t presentation = vg_timeline_media(&c->timeline, stamp);
    if (c->equal_stamps < EQUAL_STAMPS || elapsed_ns <= 0) return presentation;
    const int64_t most_ns = VG_JUMP_TICKS / VG_TIMESCALE * INT64_C(1000000000);
    const int64_t spacing_ns = elapsed_ns < most_ns ? elapsed_ns : most_ns;
    c->timeline.media_ticks += spacing_ns * VG_TIMESCALE / INT64_C(1000000000);
    return c->timeline.media_ticks;
}

static void hold_unit(vg_chunker *c, unit *u, const source *s) {
    u->offset = c->hold_used;
    for (uint32_t i = 0; i < s->au->nal_count; i++) {
        const vg_nal_unit *nal = &s->au->nals[i];
        if (!s->keep[i]) continue;
        vg_store_u32(c->hold + c->hold_used, nal->size);
        memcpy(c->hold + c->hold_used + 4, s->au->bytes + nal->offset, nal->size);
        c->hold_used += 4 + nal->size;
    }
    c->held[c->held_count++] = *u;
}

static vg_err push_unit(vg_chunker *c, unit *u, const source *s, vg_fault *fault) {
    vg_err result = VG_OK;
    /* Nothing crosses a sync sample; and the hold has room for one access unit of any size. */
    if (u->kind != VG_SYNC_NONE || u->bytes > HOLD_BYTES - c->hold_used)
        result = commit_held(c, true, fault);
    vg_reorder_push(&c->reorder, u->presentation);
    int64_t decode = 0;
    if (c->held_count == 0 && vg_reorder_pull(&c->reorder, false, &decode)) {
        const vg_err err = commit(c, u, s, decode, fault);
        return result != VG_OK ? result : err;
    }
    hold_unit(c, u, s);
    const vg_err err = commit_held(c, false, fault);
    return result != VG_OK ? result : err;
}

vg_err vg_chunker_push(vg_chunker *c, const vg_access_unit *au, int64_t arrival_wall_ns,
                       int64_t camera_clock_ns, bool clock_synced, vg_fault *fault) {
    assert(c != NULL && au != NULL && fault != NULL && c->sha256 != NULL);
    assert(au->nal_count <= VG_NALS_MAX);
    learn_sets(c, au);
    if (!au->is_picture) {
        c->state.skipped_before_sync++;
        return VG_OK;
    }
    unit u = {
        .arrival_ns = arrival_wall_ns,
        .camera_clock_ns = camera_clock_ns,
        .kind = (uint8_t)au->kind,
        .damaged = au->damaged,
        .leading = au->leading,
        .synced = clock_synced,
    };
    if (!c->has_started) {
        /* After a loop's restart the connection goes on in the middle of a GOP: that is kept, if
         * the parameter sets are known, since a GOP may last a minute. */
        const bool may_start =
            au->kind != VG_SYNC_NONE || (c->references_lost && vg_sets_complete(&c->latest));
        if (!may_start) {
            c->state.skipped_before_sync++;
            return VG_OK;
        }
        const vg_err err = make_entry(c, fault);
        if (err != VG_OK) {
            c->state.skipped_before_sync++;
            return err;
        }
        c->has_started = true;
    }
    u.presentation = media_time(c, au->timestamp, arrival_wall_ns);
    if (au->kind != VG_SYNC_NONE && !c->state.inband && !vg_sets_equal(&c->latest, &c->entry)) {
        vg_fault ignored; /* no room is counted, and told by the next push */
        (void)commit_held(c, true, &ignored);
        u.new_entry = change_entry(c);
    }
    source s = {.au = au};
    select_nals(c, au, &u, &s);
    return push_unit(c, &u, &s, fault);
}

static void close_estimating(vg_chunker *c) {
    if (!has_samples(c)) return;
    int64_t spacing = c->last_spacing;
    if (spacing < 1) spacing = c->timeline.usual_delta;
    if (spacing < 1) spacing = VG_TIMESCALE / 25;
    if (spacing > VG_TIMESCALE) spacing = VG_TIMESCALE;
    int64_t duration = spacing + c->carry;
    if (duration < 1) duration = 1;
    c->carry += spacing - duration;
    c->samples[c->claim.samples - 1].duration = (uint32_t)duration;
    c->is_estimated = true;
    c->estimated_end = c->last_decode + spacing;
    close_chunk(c, c->last_wall_ns + spacing * INT64_C(1000000000) / VG_TIMESCALE);
}

void vg_chunker_tick(vg_chunker *c) {
    assert(c != NULL);
    c->ticks++;
    c->sync_cuts = 0;
    close_estimating(c);
}

void vg_chunker_end(vg_chunker *c) {
    assert(c != NULL);
    vg_fault fault; /* no room is counted in the state */
    (void)commit_held(c, true, &fault);
    if (has_samples(c)) c->claim.flags |= VG_CLAIM_END;
    close_estimating(c);
}

void vg_chunker_filling(const vg_chunker *c, vg_chunk_watch *watch, void *context) {
    if (!has_samples(c)) return;
    filling(c)->payload_blocks = c->payload_blocks;
    uint32_t offset = 0;
    int64_t ticks = 0;
    for (uint32_t i = 0; i < c->claim.samples; i++) {
        const vg_sample *sample = &c->samples[i];
        const int64_t media = (int64_t)c->claim.media_start + ticks + sample->composition_offset;
        const vg_chunk_unit told = {
            .sequence = c->claim.sequence,
            .sample = i,
            .header = c->header,
            .offset = offset,
            .bytes = sample->bytes,
            .media_ticks = media < 0 ? 0 : (uint64_t)media,
            .wall_ns = c->claim.wall_start_ns + ticks * INT64_C(1000000000) / VG_TIMESCALE,
            .kind = i == 0 ? c->claim.kind : (uint8_t)VG_SYNC_NONE,
            .damaged = (c->claim.flags & VG_CLAIM_DAMAGED) != 0,
        };
        watch(context, &told);
        offset += sample->bytes;
        ticks += sample->duration;
    }
}
