/* The chunk being filled: its blocks of the arena, its hash, its claim; and its close. */
#include <assert.h>
#include <openssl/evp.h>
#include <string.h>

#include "bytes.h"
#include "chunker.h"

enum {
    HEAD_OFFSET = 1024,
    /* Where the segment's head fits behind the chunk's in the header block. */
    SEGMENT_HEAD_HERE = VG_ARENA_BLOCK - HEAD_OFFSET - VG_CHUNK_HEAD_MAX,
};

static_assert(sizeof(vg_arena_chunk) <= HEAD_OFFSET,
              "the chunk's head lies behind its description");

void vg_fill_give_back(vg_chunker *c, uint32_t keep) {
    const vg_arena_chunk *chunk = vg_fill_chunk(c);
    while (c->payload_blocks > keep)
        vg_arena_give(c->arena, chunk->blocks[--c->payload_blocks]);
}

void vg_fill_drop(vg_chunker *c) {
    vg_fill_give_back(c, 0);
    const vg_arena_chunk *chunk = vg_fill_chunk(c);
    if (chunk->extra_block != VG_NO_BLOCK) vg_arena_give(c->arena, chunk->extra_block);
    vg_arena_give(c->arena, c->header);
    c->header = VG_NO_BLOCK;
    c->payload_bytes = 0;
}

bool vg_fill_open(vg_chunker *c, const vg_pending *u, int64_t decode, int64_t wall_ns) {
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
    vg_arena_chunk *chunk = vg_fill_chunk(c);
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
    vg_sound_note_picture(c, u, decode, wall_ns);
    return true;
}

bool vg_fill_bytes(vg_chunker *c, const uint8_t *bytes, size_t size) {
    vg_arena_chunk *chunk = vg_fill_chunk(c);
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

bool vg_fill_append(vg_chunker *c, const vg_pending *u, const vg_source *s) {
    if (s->packed != NULL) return vg_fill_bytes(c, s->packed, u->bytes);
    for (uint32_t i = 0; i < s->au->nal_count; i++) {
        const vg_nal_unit *nal = &s->au->nals[i];
        uint8_t length[4];
        if (!s->keep[i]) continue;
        vg_store_u32(length, nal->size);
        if (!vg_fill_bytes(c, length, vg_prefix_bytes(c)) ||
            !vg_fill_bytes(c, s->au->bytes + nal->offset, nal->size))
            return false;
    }
    return true;
}

void vg_fill_hash(vg_chunker *c, uint32_t offset) {
    const vg_arena_chunk *chunk = vg_fill_chunk(c);
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

void vg_fill_finish_last(vg_chunker *c, int64_t decode) {
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

static void finish_hash(vg_chunker *c, uint8_t out[VG_SHA256_SIZE]) {
    unsigned digest_size = VG_SHA256_SIZE;
    const int ok = EVP_DigestFinal_ex(c->sha256, out, &digest_size) == 1 &&
                   EVP_DigestInit_ex(c->sha256, NULL, NULL) == 1;
    assert(ok);
    (void)ok;
}

void vg_fill_close(vg_chunker *c, int64_t wall_end_ns) {
    assert(c->header != VG_NO_BLOCK && c->claim.samples > 0 && c->closed_count < VG_CLOSED_MAX);
    vg_arena_chunk *chunk = vg_fill_chunk(c);
    c->claim.video_bytes = c->payload_bytes;
    finish_hash(c, c->claim.video_sha256);
    memcpy(c->claim.audio_sha256, c->nothing_sha256, VG_SHA256_SIZE);
    vg_sound_samples sound = {0};
    if (c->has_sound) vg_sound_close(c, wall_end_ns, &sound);
    if (sound.count > 0) {
        c->claim.audio_bytes = c->payload_bytes - c->claim.video_bytes;
        vg_fill_hash(c, c->claim.video_bytes);
        finish_hash(c, c->claim.audio_sha256);
    }

    size_t head_bytes = 0;
    vg_fault fault;
    const vg_err err = vg_chunk_head_write(
        &c->claim, c->samples, &sound, vg_arena_at(c->arena, c->header) + HEAD_OFFSET,
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

    c->closed[(c->closed_first + c->closed_count++) % VG_CLOSED_MAX] = c->header;
    c->header = VG_NO_BLOCK;
    c->payload_bytes = 0;
    c->state.next_sequence++;
    c->state.last_wall_end_ns = wall_end_ns;
}

void vg_fill_close_estimating(vg_chunker *c) {
    if (!vg_fill_has_samples(c)) return;
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
    vg_fill_close(c, c->last_wall_ns + spacing * INT64_C(1000000000) / VG_TIMESCALE);
}
