/* The interface of the chunker, and how a unit waits for its decode time. */
#include "chunker.h"

#include <assert.h>
#include <openssl/evp.h>
#include <string.h>

#include "bytes.h"

enum {
    EQUAL_STAMPS = 3, /* so many in a row are no fields of a picture and no accident */
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

void vg_chunker_drop(vg_chunker *c) {
    assert(c != NULL && c->closed_count == 0);
    if (c->header != VG_NO_BLOCK) vg_fill_drop(c);
    EVP_MD_CTX_free(c->sha256);
    c->sha256 = NULL;
}

uint32_t vg_chunker_closed(vg_chunker *c) {
    if (c->closed_count == 0) return VG_NO_BLOCK;
    const uint32_t header = c->closed[c->closed_first];
    c->closed_first = (c->closed_first + 1) % VG_CLOSED_MAX;
    c->closed_count--;
    return header;
}

void vg_chunker_read(const vg_chunker *c, vg_chunker_state *out) {
    *out = c->state;
    out->stamps_odd = c->timeline.counts_outlier;
}

void vg_chunker_watch(vg_chunker *c, vg_chunk_watch *watch, void *context) {
    c->watch = watch;
    c->watch_context = context;
}

const uint8_t *vg_chunker_head(const vg_chunker *c, size_t *size) {
    *size = c->head_bytes;
    return c->head_bytes > 0 ? c->head : NULL;
}

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

static void hold_unit(vg_chunker *c, vg_pending *u, const vg_source *s) {
    u->offset = c->hold_used;
    for (uint32_t i = 0; i < s->au->nal_count; i++) {
        const vg_nal_unit *nal = &s->au->nals[i];
        if (!s->keep[i]) continue;
        if (vg_prefix_bytes(c) > 0) vg_store_u32(c->hold + c->hold_used, nal->size);
        c->hold_used += vg_prefix_bytes(c);
        memcpy(c->hold + c->hold_used, s->au->bytes + nal->offset, nal->size);
        c->hold_used += nal->size;
    }
    c->held[c->held_count++] = *u;
}

static vg_err push_unit(vg_chunker *c, vg_pending *u, const vg_source *s, vg_fault *fault) {
    vg_err result = VG_OK;
    /* Nothing crosses a sync sample; and the hold has room for one access unit of any size. */
    if (u->kind != VG_SYNC_NONE || u->bytes > VG_HOLD_BYTES - c->hold_used)
        result = vg_commit_held(c, true, fault);
    vg_reorder_push(&c->reorder, u->presentation);
    int64_t decode = 0;
    if (c->held_count == 0 && vg_reorder_pull(&c->reorder, false, &decode)) {
        const vg_err err = vg_commit(c, u, s, decode, fault);
        return result != VG_OK ? result : err;
    }
    hold_unit(c, u, s);
    const vg_err err = vg_commit_held(c, false, fault);
    return result != VG_OK ? result : err;
}

vg_err vg_chunker_push(vg_chunker *c, const vg_access_unit *au, int64_t arrival_wall_ns,
                       int64_t camera_clock_ns, bool clock_synced, vg_fault *fault) {
    assert(c != NULL && au != NULL && fault != NULL && c->sha256 != NULL);
    assert(au->nal_count <= VG_NALS_MAX);
    vg_entry_learn(c, au);
    if (!au->is_picture) {
        c->state.skipped_before_sync++;
        return VG_OK;
    }
    vg_pending u = {
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
        const vg_err err = vg_entry_make(c, fault);
        if (err != VG_OK) {
            c->state.skipped_before_sync++;
            return err;
        }
        c->has_started = true;
    }
    u.presentation = media_time(c, au->timestamp, arrival_wall_ns);
    if (au->kind != VG_SYNC_NONE && !c->state.inband && !vg_sets_equal(&c->latest, &c->entry)) {
        vg_fault ignored; /* no room is counted, and told by the next push */
        (void)vg_commit_held(c, true, &ignored);
        u.new_entry = vg_entry_change(c);
    }
    vg_source s = {.au = au};
    vg_entry_select(c, au, &u, &s);
    return push_unit(c, &u, &s, fault);
}

void vg_chunker_tick(vg_chunker *c) {
    assert(c != NULL);
    c->ticks++;
    c->sync_cuts = 0;
    vg_fill_close_estimating(c);
}

void vg_chunker_end(vg_chunker *c) {
    assert(c != NULL);
    vg_fault fault; /* no room is counted in the state */
    (void)vg_commit_held(c, true, &fault);
    if (vg_fill_has_samples(c)) c->claim.flags |= VG_CLAIM_END;
    vg_fill_close_estimating(c);
}

/* Media time, and what was measured in it. How the camera spaces and reorders is learnt already. */
static void begin_time(vg_chunker *c) {
    c->timeline = (vg_timeline){.usual_delta = c->timeline.usual_delta};
    const uint8_t depth = c->reorder.depth;
    vg_reorder_init(&c->reorder, c->reorder.learns ? -1 : depth);
    c->reorder.depth = depth;
    c->sync_count = 0;
    c->equal_stamps = 0;
    c->has_last = false;
    c->is_estimated = false;
    c->carry = 0;
    vg_sound_begin_time(c);
}

bool vg_chunker_begin_again(vg_chunker *c, uint64_t run, uint8_t reason) {
    vg_chunker_end(c);
    begin_time(c);
    if (c->state.next_sequence == 0) return false;
    c->start.predecessor_run = c->start.run;
    c->start.run = run;
    c->start.gap_reason = reason;
    c->start.gap_start_ns = c->state.last_wall_end_ns;
    c->state.next_sequence = 0;
    c->references_lost = true; /* up to the first sync sample, which usually is the next unit */
    memset(c->previous_sha256, 0, sizeof c->previous_sha256);
    return true;
}
