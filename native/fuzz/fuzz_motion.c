/* Holds for any sequence of pictures and times: means are what a plain sum says, both builds of the
 * loops tell the same slots, seconds of slots follow from the times, and nothing is read outside of
 * a plane.
 *
 * Input: pictures of 8 bytes (width, height, stride beyond a row, bits, time step in 20 ms (i16),
 * where the plane begins, what to do), whose planes lie in the input itself and end with it. */
#include <stdlib.h>
#include <string.h>

#include "motion_grid.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { RECORD = 8, PICTURES = 24 };

static void check(bool holds) {
    if (!holds) abort();
}

static uint32_t sample(const vg_luma *luma, uint32_t x, uint32_t y) {
    const uint8_t *row = luma->bytes + y * luma->stride;
    if (luma->bits == 8) return row[x];
    return (row[2 * x] + 256U * row[2 * x + 1]) >> (luma->bits - 8) & 255U;
}

static uint8_t plain_mean(const vg_luma *luma, uint32_t i, uint32_t j) {
    const uint32_t left = i * luma->width / VG_MOTION_FINE_COLUMNS;
    const uint32_t top = j * luma->height / VG_MOTION_FINE_ROWS;
    uint32_t right = (i + 1) * luma->width / VG_MOTION_FINE_COLUMNS;
    uint32_t bottom = (j + 1) * luma->height / VG_MOTION_FINE_ROWS;
    if (right == left) right++;
    if (bottom == top) bottom++;
    uint32_t sum = 0;
    for (uint32_t y = top; y < bottom; y++)
        for (uint32_t x = left; x < right; x++)
            sum += sample(luma, x, y);
    const uint32_t pixels = (right - left) * (bottom - top);
    return (uint8_t)((2 * sum + pixels) / (2 * pixels));
}

static void check_means(const vg_luma *luma, const uint8_t *means) {
    for (uint32_t j = 0; j < VG_MOTION_FINE_ROWS; j += 5)
        for (uint32_t i = 0; i < VG_MOTION_FINE_COLUMNS; i += 3)
            check(means[j * VG_MOTION_FINE_COLUMNS + i] == plain_mean(luma, i, j));
}

static bool fits(const vg_luma *luma) {
    const size_t row = (size_t)luma->width * (luma->bits > 8 ? 2 : 1);
    return luma->stride * (luma->height - 1) + row <= luma->size;
}

static vg_luma luma_of(const uint8_t *record, const uint8_t *data, size_t size) {
    /* Some are as wide as rows are in truth: what is read lies in the last byte's neighbourhood. */
    const uint32_t width = record[0] * (record[7] & 16U ? 4U : 1U);
    const uint32_t bits = record[3] % 16;
    const size_t start = record[6] < size ? record[6] : size;
    return (vg_luma){
        .bytes = data + start,
        .size = size - start,
        .stride = (size_t)width * (bits > 8 ? 2 : 1) + record[2] % 8,
        .width = width,
        .height = record[1],
        .bits = bits,
    };
}

static void same(const vg_motion_slot *a, const vg_motion_slot *b, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        check(a[i].second == b[i].second && a[i].is_global == b[i].is_global);
        check(memcmp(a[i].rows, b[i].rows, sizeof a[i].rows) == 0);
        /* The first may be from before a hole, or before the clock was set back. */
        check(i == 0 || a[i].second == a[i - 1].second + 1 ||
              (i == 1 && a[1].second != a[0].second));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static vg_motion best, plain;
    memset(&best, 0, sizeof best);
    memset(&plain, 0, sizeof plain);
    static const uint8_t nothing[1];
    if (data == NULL) data = nothing;
    int64_t time_ns = INT64_C(1700000000) * 1000000000;
    for (size_t at = 0; at + RECORD <= size && at < (size_t)RECORD * PICTURES; at += RECORD) {
        const uint8_t *record = data + at;
        const vg_luma luma = luma_of(record, data, size);
        time_ns += (int16_t)(record[4] << 8U | record[5]) * INT64_C(20000000);
        vg_motion_slot slots[VG_MOTION_SLOTS_MAX], others[VG_MOTION_SLOTS_MAX];
        uint32_t count = 99, other_count = 98;
        vg_fault fault;
        uint8_t means[VG_MOTION_FINE];
        const vg_err err = vg_motion_means(&luma, means, &fault);
        if (err == VG_OK) {
            check(luma.bits >= 8 && luma.width > 0 && luma.height > 0 && fits(&luma));
            check_means(&luma, means);
        }
        check(err != VG_SHORT || !fits(&luma));
        const vg_err pushed = vg_motion_push(&best, &luma, time_ns, slots, &count, &fault);
        check(pushed == vg_motion_push_by(vg_motion_loops_plain(), &plain, &luma, time_ns, others,
                                          &other_count, &fault));
        check(pushed == VG_OK || pushed == err || time_ns < 0);
        check(count == other_count && count <= VG_MOTION_SLOTS_MAX);
        check(pushed == VG_OK || count == 0);
        same(slots, others, count);
        if ((record[7] & 15U) == 1) {
            vg_motion_break(&best);
            vg_motion_break(&plain);
            check(vg_motion_latest(&best) == NULL);
        }
        if ((record[7] & 15U) == 2) {
            const bool was_open = vg_motion_finish(&best, &slots[0]);
            check(was_open == vg_motion_finish(&plain, &others[0]));
            same(slots, others, was_open);
            check(!vg_motion_finish(&best, &slots[0]));
        }
    }
    return 0;
}
