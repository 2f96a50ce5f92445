/* Rows packed for the index. A value: u8 version (1), u16 count, then each row as a control byte,
 * the fields that the row before does not predict, and five that are always there:
 *
 *   control bit 0  PLACE   segment, epoch             else those of the row before
 *           bit 1  OFFSET  zigzag(difference)         else the end of the row before; VG_BLOCK with
 * PLACE bit 2  RUN     run, sequence              else the same run, the next sequence bit 3  WALL
 * zigzag(difference)         else the wall end of the row before bit 4  SHAPE   moof_bytes;
 * chunk_bytes counts bytes   else moof_bytes from the samples; it counts blocks bit 5  FLAGS flags
 * else those of the last row that was sync or not, as this one bits 6-7 kind  0 none, 1 the last
 * one that was not none, 2 a byte follows samples | zigzag(duration - samples x mean spacing of the
 * row before) | chunk_bytes | first_sample_end - payload offset | zigzag(wall end - wall start -
 * duration - error of the row before)
 *
 * Numbers are LEB128: seven bits a byte, the lowest first. All differences wrap, so every row has a
 * form; the predictions only make the usual ones short (docs/ref/segment-format.md measures it). */
#include "claim.h"

enum {
    ROWS_VERSION = 1,
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
    SPANS_IN_TURNS = 8, /* so many runs may overlap and still be one span each */
};

/* What the rows so far say about the next one. */
typedef struct predictor {
    vg_packed_row last;
    uint32_t flags[2]; /* of the last row that was not sync, and that was */
    uint8_t sync_kind; /* the last one that was not none */
    int64_t error_ns;  /* of the last row: wall duration minus media duration; the slew goes on */
} predictor;

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
static void learn(predictor *p, uint64_t media_end) {
    const vg_row *r = &p->last.row;
    p->flags[r->kind != 0] = r->flags;
    if (r->kind != 0) p->sync_kind = r->kind;
    p->error_ns = (int64_t)((uint64_t)r->wall_end_ns - media_end);
}

static uint8_t kind_form(const predictor *p, uint8_t kind) {
    if (kind == 0) return KIND_NONE;
    return kind == p->sync_kind ? KIND_LAST : KIND_TOLD;
}

/* What a row is if nothing about it is told: place, offset, run, sequence, wall start, flags of its
 * kind. */
static vg_packed_row predict(const predictor *p) {
    vg_packed_row next = p->last;
    next.row.offset = p->last.row.offset + p->last.row.chunk_bytes;
    next.row.sequence = p->last.row.sequence + 1;
    next.row.wall_start_ns = p->last.row.wall_end_ns;
    return next;
}

static uint8_t control_of(const predictor *p, const vg_packed_row *predicted,
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

static void put_row(vg_put *w, predictor *p, const vg_packed_row *row) {
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

/* Makes p->last the next row, in its place: a camera's day is 130,000 of them and has 5 ms.
 * False: the bytes are no row. */
static bool get_row(vg_bytes *b, predictor *p) {
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

/* Reads the header of a value; the cursor stands behind it. */
static vg_err get_header(vg_bytes *b, uint32_t *count, vg_fault *fault) {
    const uint8_t version = vg_bytes_u8(b);
    const uint16_t rows = vg_bytes_u16(b);
    if (b->overrun) return vg_fail(fault, VG_SHORT, vg_bytes_offset(b), "header of packed rows");
    if (version > ROWS_VERSION) return vg_fail(fault, VG_UNSUPPORTED, 0, "version of packed rows");
    if (version == 0) return vg_fail(fault, VG_VALUE, 0, "version of packed rows");
    *count = rows;
    return VG_OK;
}

static vg_err row_fault(const vg_bytes *b, vg_fault *fault) {
    return vg_fail(fault, VG_VALUE, vg_bytes_offset(b), "packed row");
}

static vg_err get_end(const vg_bytes *b, vg_fault *fault) {
    if (vg_bytes_left(b) != 0)
        return vg_fail(fault, VG_VALUE, vg_bytes_offset(b), "bytes behind packed rows");
    return VG_OK;
}

/* Encodes `rows` behind what `w` holds, and the count of all. */
static vg_err put_rows(vg_put *w, predictor *p, uint32_t before, const vg_packed_row *rows,
                       uint32_t count, size_t *size) {
    for (uint32_t i = 0; i < count; i++)
        put_row(w, p, &rows[i]);
    if (w->overrun) return VG_LIMIT;
    w->start[0] = ROWS_VERSION;
    vg_store_u16(w->start + 1, (uint16_t)(before + count));
    *size = vg_put_offset(w);
    return VG_OK;
}

vg_err vg_rows_pack(const vg_packed_row *rows, uint32_t count, uint8_t *out, size_t capacity,
                    size_t *size) {
    assert((rows != NULL || count == 0) && out != NULL && size != NULL);
    if (count > VG_ROWS_MAX) return VG_LIMIT;
    vg_put w = vg_put_into(out, capacity);
    vg_put_zeros(&w, VG_ROWS_HEADER);
    predictor p = {0};
    return put_rows(&w, &p, 0, rows, count, size);
}

vg_err vg_rows_append(const uint8_t *data, size_t data_size, const vg_packed_row *rows,
                      uint32_t count, uint8_t *out, size_t capacity, size_t *size,
                      vg_fault *fault) {
    assert((rows != NULL || count == 0) && out != NULL && size != NULL && fault != NULL);
    vg_bytes b = vg_bytes_of(data, data_size);
    uint32_t before = 0;
    vg_err err = get_header(&b, &before, fault);
    if (err != VG_OK) return err;
    if (count > VG_ROWS_MAX - before) return vg_fail(fault, VG_LIMIT, 1, "VG_ROWS_MAX");
    predictor p = {0};
    for (uint32_t i = 0; i < before; i++)
        if (!get_row(&b, &p)) return row_fault(&b, fault);
    err = get_end(&b, fault);
    if (err != VG_OK) return err;
    vg_put w = vg_put_into(out, capacity);
    vg_put_bytes(&w, data, data_size);
    if (put_rows(&w, &p, before, rows, count, size) != VG_OK)
        return vg_fail(fault, VG_LIMIT, 0, "room for packed rows");
    return VG_OK;
}

vg_err vg_rows_unpack(const uint8_t *data, size_t size, vg_packed_row *out, uint32_t capacity,
                      uint32_t *count, vg_fault *fault) {
    assert((out != NULL || capacity == 0) && count != NULL && fault != NULL);
    vg_bytes b = vg_bytes_of(data, size);
    *count = 0;
    const vg_err err = get_header(&b, count, fault);
    if (err != VG_OK) return err;
    if (*count > capacity) return vg_fail(fault, VG_LIMIT, 1, "room for unpacked rows");
    predictor p = {0};
    for (uint32_t i = 0; i < *count; i++) {
        if (!get_row(&b, &p)) return row_fault(&b, fault);
        out[i] = p.last;
    }
    return get_end(&b, fault);
}

static bool follows(const vg_span *span, const vg_row *row) {
    return row->run == span->run && row->sequence == span->sequence + 1;
}

/* The span that a row goes on with; NULL: it begins one. Where the box's clock was set back, the
 * runs of before and of after lie in the same minutes, in turns. */
static vg_span *span_before(vg_span *spans, uint32_t count, const vg_row *row) {
    if (count == 0) return NULL;
    vg_span *last = &spans[count - 1];
    if (follows(last, row)) return last;
    for (uint32_t back = 2; back <= SPANS_IN_TURNS && back <= count; back++)
        if (follows(&spans[count - back], row)) return &spans[count - back];
    const int64_t distance_ns = (int64_t)((uint64_t)row->wall_start_ns - (uint64_t)last->end_ns);
    return distance_ns > -VG_SPAN_JOIN_NS && distance_ns < VG_SPAN_JOIN_NS ? last : NULL;
}

vg_err vg_rows_spans(const uint8_t *data, size_t size, int64_t from_ns, int64_t to_ns,
                     vg_span *spans, uint32_t capacity, uint32_t *count, vg_fault *fault) {
    assert((spans != NULL || capacity == 0) && count != NULL && *count <= capacity &&
           fault != NULL);
    vg_bytes b = vg_bytes_of(data, size);
    uint32_t rows = 0;
    const vg_err err = get_header(&b, &rows, fault);
    if (err != VG_OK) return err;
    if (rows > capacity - *count) return vg_fail(fault, VG_LIMIT, 1, "room for spans");
    predictor p = {0};
    const vg_row *const row = &p.last.row;
    for (uint32_t i = 0; i < rows; i++) {
        if (!get_row(&b, &p)) return row_fault(&b, fault);
        if (row->wall_end_ns <= from_ns || row->wall_start_ns >= to_ns) continue;
        vg_span *span = span_before(spans, *count, row);
        if (span != NULL) {
            if (row->wall_end_ns > span->end_ns) span->end_ns = row->wall_end_ns;
            span->samples += row->samples;
            span->bytes += row->chunk_bytes;
            span->run = row->run;
            span->sequence = row->sequence;
            continue;
        }
        spans[(*count)++] = (vg_span){
            .start_ns = row->wall_start_ns,
            .end_ns = row->wall_end_ns,
            .samples = row->samples,
            .bytes = row->chunk_bytes,
            .run = row->run,
            .sequence = row->sequence,
        };
    }
    return get_end(&b, fault);
}

/* Whether a row's bytes lie directly behind the fragment's and belong to it. */
static bool extends(const vg_fragment *fragment, const vg_packed_row *packed) {
    const vg_row *row = &packed->row;
    const uint64_t end = (uint64_t)fragment->offset + fragment->bytes;
    return row->kind == 0 && packed->segment == fragment->segment &&
           packed->epoch == fragment->epoch && row->run == fragment->run &&
           row->sequence == fragment->sequence + fragment->chunks && row->offset == end &&
           end + row->chunk_bytes <= UINT32_MAX &&
           fragment->duration + row->duration <= VG_FRAGMENT_TICKS_MAX;
}

static void extend(vg_fragment *fragment, const vg_row *row) {
    fragment->last_chunk = fragment->bytes;
    fragment->bytes += row->chunk_bytes;
    if (row->wall_end_ns > fragment->wall_end_ns) fragment->wall_end_ns = row->wall_end_ns;
    fragment->duration += row->duration;
    fragment->samples += row->samples;
    fragment->flags |= row->flags;
    fragment->chunks++;
}

static vg_fragment fragment_of(const vg_packed_row *packed) {
    const vg_row *row = &packed->row;
    return (vg_fragment){
        .segment = packed->segment,
        .offset = row->offset,
        .bytes = row->chunk_bytes,
        .epoch = packed->epoch,
        .moof_start = (uint32_t)vg_moof_offset(row->flags),
        .first_sample_end = row->first_sample_end,
        .wall_start_ns = row->wall_start_ns,
        .wall_end_ns = row->wall_end_ns,
        .duration = row->duration,
        .samples = row->samples,
        .flags = row->flags,
        .kind = row->kind,
        .run = row->run,
        .sequence = row->sequence,
        .chunks = 1,
    };
}

vg_err vg_rows_fragments(const uint8_t *data, size_t size, int64_t from_ns, int64_t to_ns,
                         vg_fragment *fragments, uint32_t capacity, uint32_t *count,
                         vg_fault *fault) {
    assert((fragments != NULL || capacity == 0) && count != NULL && *count <= capacity &&
           fault != NULL);
    vg_bytes b = vg_bytes_of(data, size);
    uint32_t rows = 0;
    const vg_err err = get_header(&b, &rows, fault);
    if (err != VG_OK) return err;
    if (rows > capacity - *count) return vg_fail(fault, VG_LIMIT, 1, "room for fragments");
    predictor p = {0};
    const vg_row *const row = &p.last.row;
    for (uint32_t i = 0; i < rows; i++) {
        if (!get_row(&b, &p)) return row_fault(&b, fault);
        if (row->wall_end_ns <= from_ns || row->wall_start_ns >= to_ns) continue;
        if (*count > 0 && extends(&fragments[*count - 1], &p.last))
            extend(&fragments[*count - 1], row);
        else
            fragments[(*count)++] = fragment_of(&p.last);
    }
    return get_end(&b, fault);
}
