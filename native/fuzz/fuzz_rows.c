/* Holds for any bytes: rows that are accepted come back the same when packed, one by one or at
 * once, their spans and fragments hold all their samples, sums tell the spans that rows tell, and
 * sorting loses none. */
#include <stdlib.h>
#include <string.h>

#include "vg/rows.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { ROWS = 256, ROOM = VG_ROWS_HEADER_MAX + ROWS * VG_PACKED_ROW_MAX };

static void check(bool holds) {
    if (!holds) abort();
}

static bool same(const vg_packed_row *a, const vg_packed_row *b) {
    uint8_t one[VG_ENTRY_SIZE];
    uint8_t other[VG_ENTRY_SIZE];
    vg_entry_write(&a->row, one);
    vg_entry_write(&b->row, other);
    return a->segment == b->segment && a->epoch == b->epoch && memcmp(one, other, sizeof one) == 0;
}

static void pack_again(const vg_packed_row *rows, uint32_t count) {
    static uint8_t packed[ROOM];
    static uint8_t half[ROOM];
    static uint8_t appended[ROOM];
    static vg_packed_row again[ROWS];
    size_t packed_size = 0;
    size_t half_size = 0;
    size_t appended_size = 0;
    uint32_t found = 0;
    vg_fault fault = {0};
    check(vg_rows_pack(rows, count, packed, sizeof packed, &packed_size) == VG_OK);
    check(packed_size <= VG_ROWS_HEADER_MAX + (size_t)count * VG_PACKED_ROW_MAX);
    check(vg_rows_unpack(packed, packed_size, again, ROWS, &found, &fault) == VG_OK);
    check(found == count);
    for (uint32_t i = 0; i < count; i++)
        check(same(&rows[i], &again[i]));
    const uint32_t first = count / 2;
    check(vg_rows_pack(rows, first, half, sizeof half, &half_size) == VG_OK);
    check(vg_rows_append(half, half_size, rows + first, count - first, appended, sizeof appended,
                         &appended_size, &fault) == VG_OK);
    check(appended_size == packed_size && memcmp(appended, packed, packed_size) == 0);
}

/* Room for one byte less is no room, and nothing is written behind it. */
static void pack_short(const vg_packed_row *rows, uint32_t count) {
    size_t whole = 0;
    size_t used = 0;
    static uint8_t packed[ROOM];
    check(vg_rows_pack(rows, count, packed, sizeof packed, &whole) == VG_OK);
    uint8_t *small = malloc(whole - 1);
    check(small != NULL);
    check(vg_rows_pack(rows, count, small, whole - 1, &used) == VG_LIMIT);
    free(small);
}

static void sort(vg_packed_row *rows, uint32_t count) {
    uint64_t before = 0;
    uint64_t after = 0;
    for (uint32_t i = 0; i < count; i++)
        before += rows[i].row.run ^ rows[i].row.offset ^ rows[i].row.samples;
    vg_rows_sort(rows, count);
    for (uint32_t i = 0; i < count; i++)
        after += rows[i].row.run ^ rows[i].row.offset ^ rows[i].row.samples;
    check(before == after);
    for (uint32_t i = 1; i < count; i++) {
        const vg_row *a = &rows[i - 1].row;
        const vg_row *b = &rows[i].row;
        check(a->run < b->run || (a->run == b->run && a->sequence <= b->sequence));
    }
}

static void sum_spans(const uint8_t *data, size_t size, const vg_packed_row *rows, uint32_t count) {
    static vg_span spans[ROWS];
    uint32_t found = 0;
    vg_fault fault = {0};
    check(vg_rows_spans(data, size, INT64_MIN, INT64_MAX, spans, ROWS, &found, &fault) == VG_OK);
    uint64_t in_rows = 0;
    uint64_t in_spans = 0;
    for (uint32_t i = 0; i < count; i++) {
        const vg_row *row = &rows[i].row;
        if (row->wall_end_ns > INT64_MIN && row->wall_start_ns < INT64_MAX) in_rows += row->samples;
    }
    for (uint32_t i = 0; i < found; i++)
        in_spans += spans[i].samples;
    check(found <= count && in_rows == in_spans);
}

/* The same value without its sums has the same spans. */
static void compare_spans(const uint8_t *data, size_t size) {
    static uint8_t plain[ROOM];
    static vg_span by_sums[ROWS];
    static vg_span by_rows[ROWS];
    uint32_t found = 0;
    uint32_t again = 0;
    vg_fault fault = {0};
    const size_t rows = size - VG_ROWS_HEADER_MAX;
    if (rows > sizeof plain - VG_ROWS_HEADER)
        return; /* numbers that are longer than they need be */
    plain[0] = 1;
    memcpy(plain + 1, data + 1, VG_ROWS_HEADER - 1);
    memcpy(plain + VG_ROWS_HEADER, data + VG_ROWS_HEADER_MAX, rows);
    check(vg_rows_spans(data, size, INT64_MIN, INT64_MAX, by_sums, ROWS, &found, &fault) == VG_OK);
    check(vg_rows_spans(plain, rows + VG_ROWS_HEADER, INT64_MIN, INT64_MAX, by_rows, ROWS, &again,
                        &fault) == VG_OK);
    check(found == again && memcmp(by_sums, by_rows, found * sizeof *by_sums) == 0);
}

/* Fragments hold every row that was asked for, in order, and bytes that follow each other. */
static void sum_fragments(const uint8_t *data, size_t size, const vg_packed_row *rows,
                          uint32_t count) {
    static vg_fragment fragments[ROWS];
    uint32_t found = 0;
    uint32_t next = 0;
    vg_fault fault = {0};
    check(vg_rows_fragments(data, size, INT64_MIN, INT64_MAX, fragments, ROWS, &found, &fault) ==
          VG_OK);
    for (uint32_t i = 0; i < found; i++) {
        const vg_fragment *f = &fragments[i];
        uint64_t at = f->offset;
        uint64_t samples = 0;
        for (uint32_t n = 0; n < f->chunks; n++) {
            while (rows[next].row.wall_end_ns == INT64_MIN ||
                   rows[next].row.wall_start_ns == INT64_MAX)
                next++;
            const vg_packed_row *r = &rows[next++];
            check(next <= count && r->row.offset == at && r->segment == f->segment);
            check(r->row.run == f->run && r->row.sequence == f->sequence + n);
            check(n == 0 ? r->row.kind == f->kind : r->row.kind == 0);
            if (n + 1 == f->chunks && n > 0) check(at == (uint64_t)f->offset + f->last_chunk);
            at += r->row.chunk_bytes;
            samples += r->row.samples;
        }
        check(at == (uint64_t)f->offset + f->bytes && samples == f->samples);
        check(f->chunks == 1 || f->duration <= VG_FRAGMENT_TICKS_MAX);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static vg_packed_row rows[ROWS];
    uint32_t count = 0;
    vg_fault fault = {0};
    const vg_err err = vg_rows_unpack(data, size, rows, ROWS, &count, &fault);
    if (err != VG_OK) {
        check(fault.rule != NULL && fault.offset <= size);
        return 0;
    }
    pack_again(rows, count);
    sum_spans(data, size, rows, count);
    if (data[0] == 2) compare_spans(data, size);
    sum_fragments(data, size, rows, count);
    pack_short(rows, count);
    sort(rows, count);
    return 0;
}
