/* A unit whose decode time is known becomes a sample: where chunks are cut, what is dropped for
 * want of room, who is told. */
#include <string.h>

#include "bytes.h"
#include "chunker.h"

enum {
    SYNC_WINDOW_TICKS = 4 * VG_TIMESCALE, /* as many within it: over two a second */
    /* Between two ticks: a camera's timestamps can claim any distance between its sync samples, and
       each chunk takes two blocks of an arena that it shares with its neighbours. */
    SYNC_CUTS_MAX = 32,
};

/* More than two sync samples a second over the last four: an all-intra stream is cut at ticks
 * alone. */
static bool is_all_sync(const vg_chunker *c, int64_t decode) {
    if (c->sync_count < VG_SYNC_WINDOW) return false;
    return decode - c->syncs[c->sync_count % VG_SYNC_WINDOW] < SYNC_WINDOW_TICKS;
}

static bool must_cut(vg_chunker *c, const vg_pending *u, int64_t decode) {
    bool cut = u->new_entry;
    if (u->kind != VG_SYNC_NONE) {
        if (!is_all_sync(c, decode) && c->sync_cuts < SYNC_CUTS_MAX) {
            c->sync_cuts++;
            cut = true;
        }
        c->syncs[c->sync_count++ % VG_SYNC_WINDOW] = decode;
    }
    if (c->payload_bytes + u->bytes > VG_CHUNK_BYTES_MAX) cut = true;
    if (c->claim.samples == VG_SAMPLES_MAX) cut = true;
    return cut;
}

static void tell(const vg_chunker *c, const vg_pending *u, uint32_t offset, int64_t wall_ns) {
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
    vg_fill_chunk(c)->payload_blocks = c->payload_blocks;
    c->watch(c->watch_context, &told);
}

static vg_err no_room(vg_chunker *c, int64_t wall_ns, vg_fault *fault) {
    if (vg_fill_has_samples(c))
        vg_fill_close(c, wall_ns);
    else if (c->header != VG_NO_BLOCK)
        vg_fill_drop(c);
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

vg_err vg_commit(vg_chunker *c, const vg_pending *u, const vg_source *s, int64_t decode,
                 vg_fault *fault) {
    bool reanchored = false;
    const int64_t wall_ns = vg_timeline_wall(&c->timeline, decode, u->arrival_ns, &reanchored);
    vg_fill_finish_last(c, decode);
    bool cut = must_cut(c, u, decode);
    /* Times inside of a chunk are counted from its start: a new anchor is a new start. */
    if (reanchored && (c->claim.flags & VG_CLAIM_REANCHORED) == 0) cut = true;
    if (vg_fill_has_samples(c) && cut) vg_fill_close(c, wall_ns);
    if (u->kind != VG_SYNC_NONE) {
        c->references_lost = false;
        c->waits_for_sync = false;
    }
    if (c->waits_for_sync) {
        c->has_last = false; /* its duration was settled when the room ran out */
        c->state.dropped_no_room++;
        return vg_fail(fault, VG_LIMIT, 0, "the arena is full");
    }
    if (c->header == VG_NO_BLOCK && !vg_fill_open(c, u, decode, wall_ns))
        return no_room(c, wall_ns, fault);
    const uint32_t offset = c->payload_bytes;
    const uint32_t blocks = c->payload_blocks;
    if (!vg_fill_append(c, u, s)) {
        vg_fill_give_back(c, blocks);
        c->payload_bytes = offset;
        return no_room(c, wall_ns, fault);
    }
    vg_fill_hash(c, offset);
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

vg_err vg_commit_held(vg_chunker *c, bool flush, vg_fault *fault) {
    vg_err result = VG_OK;
    int64_t decode = 0;
    uint32_t done = 0;
    while (done < c->held_count && vg_reorder_pull(&c->reorder, flush, &decode)) {
        const vg_pending *u = &c->held[done++];
        const vg_source s = {.packed = c->hold + u->offset};
        const vg_err err = vg_commit(c, u, &s, decode, fault);
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

void vg_chunker_filling(const vg_chunker *c, vg_chunk_watch *watch, void *context) {
    if (!vg_fill_has_samples(c)) return;
    vg_fill_chunk(c)->payload_blocks = c->payload_blocks;
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
