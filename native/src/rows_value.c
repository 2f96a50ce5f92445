/* A value of packed rows: u8 version, u16 count, in version 2 their sums, then the rows (rows.c).
 *
 *   sums: i64 latest wall end, u64 bytes of all chunks, u32 samples
 *
 * Version 2 says that the rows are one run, each the next of the one before, that none starts
 * before the first and each ends after its start. Then who asks for ranges need not read them: a
 * month of a stream is four million rows. */
#include <stdlib.h>

#include "rows.h"

enum { PLAIN = 1, WITH_SUMS = 2 };

/* The sums of rows, as they come. */
typedef struct sums {
    vg_rows_head head;
    int64_t start_ns; /* of the first row */
    uint64_t run, sequence;
} sums;

static void add(sums *s, const vg_row *row) {
    vg_rows_head *h = &s->head;
    if (h->count == 0) {
        h->has_sums = true;
        h->end_ns = row->wall_end_ns;
        s->start_ns = row->wall_start_ns;
    } else if (row->run != s->run || row->sequence != s->sequence + 1) {
        h->has_sums = false;
    }
    if (row->wall_start_ns < s->start_ns || row->wall_end_ns <= row->wall_start_ns)
        h->has_sums = false;
    if (row->wall_end_ns > h->end_ns) h->end_ns = row->wall_end_ns;
    h->samples += row->samples;
    h->bytes += row->chunk_bytes;
    if (h->samples > UINT32_MAX) h->has_sums = false;
    h->count++;
    s->run = row->run;
    s->sequence = row->sequence;
}

static bool same(const vg_rows_head *a, const vg_rows_head *b) {
    return b->has_sums && a->count == b->count && a->end_ns == b->end_ns &&
           a->samples == b->samples && a->bytes == b->bytes;
}

/* What ranges are told by is never other than the rows. */
static vg_err check_sums(const vg_rows_head *head, const sums *s, vg_fault *fault) {
    if (head->has_sums && !same(head, &s->head))
        return vg_fail(fault, VG_VALUE, VG_ROWS_HEADER, "sums of packed rows");
    return VG_OK;
}

vg_err vg_rows_head_get(vg_bytes *b, vg_rows_head *head, vg_fault *fault) {
    *head = (vg_rows_head){0};
    const uint8_t version = vg_bytes_u8(b);
    head->count = vg_bytes_u16(b);
    if (!b->overrun && version > WITH_SUMS)
        return vg_fail(fault, VG_UNSUPPORTED, 0, "version of packed rows");
    if (!b->overrun && version == 0) return vg_fail(fault, VG_VALUE, 0, "version of packed rows");
    if (version == WITH_SUMS) {
        head->has_sums = true;
        head->end_ns = (int64_t)vg_bytes_u64(b);
        head->bytes = vg_bytes_u64(b);
        head->samples = vg_bytes_u32(b);
    }
    if (b->overrun) return vg_fail(fault, VG_SHORT, vg_bytes_offset(b), "header of packed rows");
    if (head->has_sums && head->count == 0) return vg_fail(fault, VG_VALUE, 1, "sums of no rows");
    return VG_OK;
}

vg_err vg_rows_fault(const vg_bytes *b, vg_fault *fault) {
    return vg_fail(fault, VG_VALUE, vg_bytes_offset(b), "packed row");
}

vg_err vg_rows_end(const vg_bytes *b, vg_fault *fault) {
    if (vg_bytes_left(b) != 0)
        return vg_fail(fault, VG_VALUE, vg_bytes_offset(b), "bytes behind packed rows");
    return VG_OK;
}

/* Encodes `rows`, then the header before all of them: room for the larger one was left. */
static vg_err put_rows(vg_put *w, vg_predictor *p, sums *s, const vg_packed_row *rows,
                       uint32_t count, size_t *size) {
    for (uint32_t i = 0; i < count; i++) {
        vg_row_put(w, p, &rows[i]);
        add(s, &rows[i].row);
    }
    if (w->overrun) return VG_LIMIT;
    const vg_rows_head *h = &s->head;
    const size_t header = h->has_sums ? VG_ROWS_HEADER_MAX : VG_ROWS_HEADER;
    const size_t behind = vg_put_offset(w) - VG_ROWS_HEADER_MAX;
    if (!h->has_sums) memmove(w->start + header, w->start + VG_ROWS_HEADER_MAX, behind);
    vg_put front = vg_put_into(w->start, header);
    vg_put_u8(&front, h->has_sums ? WITH_SUMS : PLAIN);
    vg_put_u16(&front, (uint16_t)h->count);
    if (h->has_sums) {
        vg_put_u64(&front, (uint64_t)h->end_ns);
        vg_put_u64(&front, h->bytes);
        vg_put_u32(&front, (uint32_t)h->samples);
    }
    *size = header + behind;
    return VG_OK;
}

vg_err vg_rows_pack(const vg_packed_row *rows, uint32_t count, uint8_t *out, size_t capacity,
                    size_t *size) {
    assert((rows != NULL || count == 0) && out != NULL && size != NULL);
    if (count > VG_ROWS_MAX) return VG_LIMIT;
    vg_put w = vg_put_into(out, capacity);
    vg_put_zeros(&w, VG_ROWS_HEADER_MAX);
    vg_predictor p = {0};
    sums s = {0};
    return put_rows(&w, &p, &s, rows, count, size);
}

vg_err vg_rows_append(const uint8_t *data, size_t data_size, const vg_packed_row *rows,
                      uint32_t count, uint8_t *out, size_t capacity, size_t *size,
                      vg_fault *fault) {
    assert((rows != NULL || count == 0) && out != NULL && size != NULL && fault != NULL);
    vg_bytes b = vg_bytes_of(data, data_size);
    vg_rows_head head;
    vg_err err = vg_rows_head_get(&b, &head, fault);
    if (err != VG_OK) return err;
    if (count > VG_ROWS_MAX - head.count) return vg_fail(fault, VG_LIMIT, 1, "VG_ROWS_MAX");
    const size_t first = vg_bytes_offset(&b);
    vg_predictor p = {0};
    sums s = {0};
    for (uint32_t i = 0; i < head.count; i++) {
        if (!vg_row_get(&b, &p)) return vg_rows_fault(&b, fault);
        add(&s, &p.last.row);
    }
    err = vg_rows_end(&b, fault);
    if (err != VG_OK) return err;
    err = check_sums(&head, &s, fault);
    if (err != VG_OK) return err;
    vg_put w = vg_put_into(out, capacity);
    vg_put_zeros(&w, VG_ROWS_HEADER_MAX);
    vg_put_bytes(&w, b.start + first, data_size - first);
    if (put_rows(&w, &p, &s, rows, count, size) != VG_OK)
        return vg_fail(fault, VG_LIMIT, 0, "room for packed rows");
    return VG_OK;
}

vg_err vg_rows_unpack(const uint8_t *data, size_t size, vg_packed_row *out, uint32_t capacity,
                      uint32_t *count, vg_fault *fault) {
    assert((out != NULL || capacity == 0) && count != NULL && fault != NULL);
    vg_bytes b = vg_bytes_of(data, size);
    vg_rows_head head;
    *count = 0;
    vg_err err = vg_rows_head_get(&b, &head, fault);
    if (err != VG_OK) return err;
    *count = head.count;
    if (*count > capacity) return vg_fail(fault, VG_LIMIT, 1, "room for unpacked rows");
    vg_predictor p = {0};
    sums s = {0};
    for (uint32_t i = 0; i < *count; i++) {
        if (!vg_row_get(&b, &p)) return vg_rows_fault(&b, fault);
        out[i] = p.last;
        add(&s, &p.last.row);
    }
    err = check_sums(&head, &s, fault);
    return err == VG_OK ? vg_rows_end(&b, fault) : err;
}

static int in_order(const void *one, const void *other) {
    const vg_packed_row *a = one;
    const vg_packed_row *b = other;
    if (a->row.run != b->row.run) return a->row.run < b->row.run ? -1 : 1;
    if (a->row.sequence != b->row.sequence) return a->row.sequence < b->row.sequence ? -1 : 1;
    if (a->epoch != b->epoch) return a->epoch < b->epoch ? -1 : 1;
    return a->row.offset < b->row.offset ? -1 : a->row.offset > b->row.offset;
}

void vg_rows_sort(vg_packed_row *rows, uint32_t count) {
    if (count > 1) qsort(rows, count, sizeof *rows, in_order);
}
