/* What packed rows say of time and of bytes, without a row being handed out: ranges and fragments.
 */
#include "claim.h"
#include "rows.h"

enum { SPANS_IN_TURNS = 8 /* so many runs may overlap and still be one span each */ };

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

/* A span of the rows of one value, `row` being the first of them. */
static void add_span(vg_span *spans, uint32_t *count, const vg_row *row, const vg_rows_head *rows) {
    const uint64_t sequence = row->sequence + rows->count - 1;
    vg_span *span = span_before(spans, *count, row);
    if (span == NULL) {
        span = &spans[(*count)++];
        *span = (vg_span){.start_ns = row->wall_start_ns, .end_ns = rows->end_ns};
    }
    if (rows->end_ns > span->end_ns) span->end_ns = rows->end_ns;
    span->samples += rows->samples;
    span->bytes += rows->bytes;
    span->run = row->run;
    span->sequence = sequence;
}

vg_err vg_rows_spans(const uint8_t *data, size_t size, int64_t from_ns, int64_t to_ns,
                     vg_span *spans, uint32_t capacity, uint32_t *count, vg_fault *fault) {
    assert((spans != NULL || capacity == 0) && count != NULL && *count <= capacity &&
           fault != NULL);
    vg_bytes b = vg_bytes_of(data, size);
    vg_rows_head head;
    const vg_err err = vg_rows_head_get(&b, &head, fault);
    if (err != VG_OK) return err;
    if (head.count > capacity - *count) return vg_fail(fault, VG_LIMIT, 1, "room for spans");
    vg_predictor p = {0};
    const vg_row *const row = &p.last.row;
    for (uint32_t i = 0; i < head.count; i++) {
        if (!vg_row_get(&b, &p)) return vg_rows_fault(&b, fault);
        if (i == 0 && head.has_sums && row->wall_start_ns >= from_ns && head.end_ns <= to_ns) {
            add_span(spans, count, row, &head);
            return VG_OK;
        }
        if (row->wall_end_ns <= from_ns || row->wall_start_ns >= to_ns) continue;
        const vg_rows_head alone = {
            .count = 1,
            .end_ns = row->wall_end_ns,
            .samples = row->samples,
            .bytes = row->chunk_bytes,
        };
        add_span(spans, count, row, &alone);
    }
    return vg_rows_end(&b, fault);
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
    vg_rows_head head;
    const vg_err err = vg_rows_head_get(&b, &head, fault);
    if (err != VG_OK) return err;
    if (head.count > capacity - *count) return vg_fail(fault, VG_LIMIT, 1, "room for fragments");
    vg_predictor p = {0};
    const vg_row *const row = &p.last.row;
    for (uint32_t i = 0; i < head.count; i++) {
        if (!vg_row_get(&b, &p)) return vg_rows_fault(&b, fault);
        if (row->wall_end_ns <= from_ns || row->wall_start_ns >= to_ns) continue;
        if (*count > 0 && extends(&fragments[*count - 1], &p.last))
            extend(&fragments[*count - 1], row);
        else
            fragments[(*count)++] = fragment_of(&p.last);
    }
    return vg_rows_end(&b, fault);
}
