/* A row among packed rows: a control byte, the fields that the row before does not predict, and
 * five that are always there.
 *
 *   control bit    set: follows here             not set
 *   0  PLACE       segment, epoch                those of the row before
 *   1  OFFSET      zigzag(difference)            the end of the row before; VG_BLOCK with PLACE
 *   2  RUN         run, sequence                 the same run, the next sequence
 *   3  WALL        zigzag(difference)            the wall end of the row before
 *   4  SHAPE       moof_bytes, and chunk_bytes   moof_bytes from the samples, and chunk_bytes
 *                  counts bytes                  counts blocks
 *   5  FLAGS       flags                         those of the last row that was sync or not, as
 *                                                this one
 *   6-7 kind       2: a byte                     0: none, 1: the last one that was not none
 *
 *   samples
 *   zigzag(duration - samples x mean spacing of the row before)
 *   chunk_bytes
 *   first_sample_end - payload offset
 *   zigzag(wall end - wall start - duration - error of the row before)
 *
 * Numbers are LEB128: seven bits a byte, the lowest first. All differences wrap, so every row has a
 * form; the predictions only make the usual ones short (docs/ref/segment-format.md measures it). */
#include "rows.h"

#include "claim.h"

enum {
    HAS_PLACE = 0x01,
    HAS_OFFSET = 0x02,
    HAS_RUN = 0x04,
    HAS_WALL = 0x08,
    HAS_SHAPE = 0x10,
    HAS_FLAGS = 0x20,
    KIND_SHIFT = 6,
    KIND_NONE = 0,
    KIND_LAST = 1,
    KIND_TOLD = 2,
};

static uint64_t zigzag(int64_t value) {
    return (uint64_t)value << 1U ^ (value < 0 ? UINT64_MAX : 0);
}

static int64_t unzigzag(uint64_t value) {
    return (int64_t)(value >> 1U ^ ((value & 1U) != 0 ? UINT64_MAX : 0));
}

static void put_number(vg_put *w, uint64_t value) {
    uint8_t bytes[10];
    size_t count = 0;
    for (; value >= 0x80; value >>= 7U)
        bytes[count++] = (uint8_t)(value | 0x80U);
    bytes[count++] = (uint8_t)value;
    vg_put_bytes(w, bytes, count);
}

/* Byte by byte: taking eight at once was tried and is slower, because lengths are as predictable as
 * rows are. A value of more than 64 bits, or one that does not end, is an overrun as well. */
static uint64_t get_number(vg_bytes *r) {
    uint64_t value = 0;
    const uint8_t *p = r->pos;
    const uint8_t *const end = (size_t)(r->end - p) > 10 ? p + 10 : r->end;
    for (unsigned int shift = 0; p < end; shift += 7) {
        const uint8_t byte = *p++;
        value |= (uint64_t)(byte & 0x7FU) << shift;
        if (byte < 0x80) {
            if (shift == 63 && byte > 1) break;
            r->pos = p;
            return value;
        }
    }
    r->overrun = true;
    return 0;
}

static uint32_t get_number32(vg_bytes *r) {
    const uint64_t value = get_number(r);
    if (value > UINT32_MAX) r->overrun = true;
    return (uint32_t)value;
}

/* 90 kHz to ns: exact but for the division. */
static uint64_t media_ns(uint32_t ticks) {
    return (uint64_t)ticks * 100000U / 9U;
}

static uint32_t predict_duration(const vg_row *before, uint32_t samples) {
    if (before->samples == 0) return 0;
    return (uint32_t)((uint64_t)before->duration * samples / before->samples);
}

/* The slew of the row before, in proportion: drift against the camera's clock is slow. */
static uint64_t predict_error(uint32_t before, int64_t error_ns, uint32_t duration) {
    const int64_t usual_ns = 1000000000;
    if (before == 0 || error_ns > usual_ns || error_ns < -usual_ns) return 0;
    return (uint64_t)(error_ns * (int64_t)duration / (int64_t)before);
}

static uint32_t predict_payload(uint32_t flags, uint32_t moof_bytes) {
    return (uint32_t)vg_moof_offset(flags) + moof_bytes + VG_BOX;
}

/* p->last is the row; `media_end`: where it would end without slew. */
static void learn(vg_predictor *p, uint64_t media_end) {
    const vg_row *r = &p->last.row;
    p->flags[r->kind != 0] = r->flags;
    if (r->kind != 0) p->sync_kind = r->kind;
    p->error_ns = (int64_t)((uint64_t)r->wall_end_ns - media_end);
}

static uint8_t kind_form(const vg_predictor *p, uint8_t kind) {
    if (kind == 0) return KIND_NONE;
    return kind == p->sync_kind ? KIND_LAST : KIND_TOLD;
}

/* What a row is if nothing about it is told: place, offset, run, sequence, wall start, flags of its
 * kind. */
static vg_packed_row predict(const vg_predictor *p) {
    vg_packed_row next = p->last;
    next.row.offset = p->last.row.offset + p->last.row.chunk_bytes;
    next.row.sequence = p->last.row.sequence + 1;
    next.row.wall_start_ns = p->last.row.wall_end_ns;
    return next;
}

static uint8_t control_of(const vg_predictor *p, const vg_packed_row *predicted,
                          const vg_packed_row *row) {
    const vg_row *r = &row->row;
    const bool moved = row->segment != predicted->segment || row->epoch != predicted->epoch;
    const uint32_t offset = moved ? VG_BLOCK : predicted->row.offset;
    uint8_t control = (uint8_t)(kind_form(p, r->kind) << KIND_SHIFT);
    if (moved) control |= HAS_PLACE;
    if (r->offset != offset) control |= HAS_OFFSET;
    if (r->run != predicted->row.run || r->sequence != predicted->row.sequence) control |= HAS_RUN;
    if (r->wall_start_ns != predicted->row.wall_start_ns) control |= HAS_WALL;
    if (r->moof_bytes != (uint32_t)vg_moof_bytes(r->samples) || r->chunk_bytes % VG_BLOCK != 0)
        control |= HAS_SHAPE;
    if (r->flags != p->flags[r->kind != 0]) control |= HAS_FLAGS;
    return control;
}

void vg_row_put(vg_put *w, vg_predictor *p, const vg_packed_row *row) {
    const vg_row *r = &row->row;
    const vg_packed_row predicted = predict(p);
    const uint8_t control = control_of(p, &predicted, row);
    vg_put_u8(w, control);
    if (control & HAS_PLACE) {
        put_number(w, row->segment);
        put_number(w, row->epoch);
    }
    if (control & HAS_OFFSET) {
        const uint32_t offset = control & HAS_PLACE ? VG_BLOCK : predicted.row.offset;
        put_number(w, zigzag((int64_t)r->offset - (int64_t)offset));
    }
    if (control & HAS_RUN) {
        put_number(w, r->run);
        put_number(w, r->sequence);
    }
    if (control & HAS_WALL)
        put_number(w, zigzag((int64_t)((uint64_t)r->wall_start_ns -
                                       (uint64_t)predicted.row.wall_start_ns)));
    if (control & HAS_FLAGS) put_number(w, r->flags);
    if (control >> KIND_SHIFT == KIND_TOLD) vg_put_u8(w, r->kind);
    put_number(w, r->samples);
    const uint32_t usual = predict_duration(&p->last.row, r->samples);
    put_number(w, zigzag((int64_t)r->duration - (int64_t)usual));
    if (control & HAS_SHAPE) put_number(w, r->moof_bytes);
    put_number(w, control & HAS_SHAPE ? r->chunk_bytes : r->chunk_bytes / VG_BLOCK);
    put_number(w, r->first_sample_end - predict_payload(r->flags, r->moof_bytes));
    const uint64_t media_end = (uint64_t)r->wall_start_ns + media_ns(r->duration);
    const uint64_t end = media_end + predict_error(p->last.row.duration, p->error_ns, r->duration);
    put_number(w, zigzag((int64_t)((uint64_t)r->wall_end_ns - end)));
    p->last = *row;
    learn(p, media_end);
}

/* In its place: a camera's day is 130,000 rows and has 5 ms. */
bool vg_row_get(vg_bytes *b, vg_predictor *p) {
    vg_row *r = &p->last.row;
    const vg_row before = *r;
    const uint8_t control = vg_bytes_u8(b);
    const uint8_t kind = control >> KIND_SHIFT;
    r->offset = before.offset + before.chunk_bytes;
    r->sequence = before.sequence + 1;
    r->wall_start_ns = before.wall_end_ns;
    if (control & HAS_PLACE) {
        p->last.segment = get_number32(b);
        p->last.epoch = get_number(b);
        r->offset = VG_BLOCK;
    }
    if (control & HAS_OFFSET) r->offset += (uint32_t)(uint64_t)unzigzag(get_number(b));
    if (control & HAS_RUN) {
        r->run = get_number(b);
        r->sequence = get_number(b);
    }
    if (control & HAS_WALL)
        r->wall_start_ns =
            (int64_t)((uint64_t)r->wall_start_ns + (uint64_t)unzigzag(get_number(b)));
    uint32_t told_flags = 0;
    if (control & HAS_FLAGS) told_flags = get_number32(b);
    r->kind = 0;
    if (kind == KIND_LAST) r->kind = p->sync_kind;
    if (kind == KIND_TOLD) r->kind = vg_bytes_u8(b);
    r->flags = control & HAS_FLAGS ? told_flags : p->flags[r->kind != 0];
    r->samples = get_number32(b);
    r->duration =
        predict_duration(&before, r->samples) + (uint32_t)(uint64_t)unzigzag(get_number(b));
    r->moof_bytes = control & HAS_SHAPE ? get_number32(b) : (uint32_t)vg_moof_bytes(r->samples);
    const uint32_t chunk = get_number32(b);
    r->chunk_bytes = control & HAS_SHAPE ? chunk : chunk * VG_BLOCK;
    r->first_sample_end = predict_payload(r->flags, r->moof_bytes) + get_number32(b);
    const uint64_t media_end = (uint64_t)r->wall_start_ns + media_ns(r->duration);
    const uint64_t end = media_end + predict_error(before.duration, p->error_ns, r->duration);
    r->wall_end_ns = (int64_t)(end + (uint64_t)unzigzag(get_number(b)));
    learn(p, media_end);
    return !b->overrun && kind <= KIND_TOLD;
}
