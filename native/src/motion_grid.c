#include <assert.h>
#include <string.h>

#include "motion_grid.h"

static vg_err fail(vg_fault *fault, vg_err err, size_t offset, const char *rule) {
    *fault = (vg_fault){.offset = offset, .rule = rule};
    return err;
}

static vg_err check(const vg_luma *luma, vg_fault *fault) {
    const uint32_t width = luma->width, height = luma->height;
    if (width == 0 || height == 0) return fail(fault, VG_VALUE, 0, "a picture without pixels");
    if (width > VG_MOTION_SIDE_MAX || height > VG_MOTION_SIDE_MAX)
        return fail(fault, VG_LIMIT, 0, "VG_MOTION_SIDE_MAX");
    if (luma->bits < 8 || luma->bits > 16) return fail(fault, VG_VALUE, 0, "bits of a sample");
    const size_t row = luma->bits > 8 ? (size_t)2 * width : width;
    if (luma->stride < row) return fail(fault, VG_VALUE, 0, "a stride shorter than a row");
    /* Without a product that could overflow: the last row needs no padding behind it. */
    if (luma->size < row || (luma->size - row) / luma->stride < height - 1)
        return fail(fault, VG_SHORT, luma->size, "a plane shorter than its rows");
    return VG_OK;
}

/* The part of a side that mean `at` covers. */
typedef struct span {
    uint32_t start, pixels;
} span;

static span span_of(uint32_t at, uint32_t pixels, uint32_t parts) {
    const uint32_t start = at * pixels / parts;
    const uint32_t end = (at + 1) * pixels / parts;
    return (span){start, end > start ? end - start : 1};
}

/* Division by a number of pixels n, as a product: exact for numbers up to 256 * n, since the factor
 * is less than n / 2^40 too large and 256 * n * n less than 2^40 (n is at most 65 * 114). */
typedef struct divisor {
    uint64_t factor;
    uint32_t half;
} divisor;

static divisor divisor_of(uint32_t pixels) {
    return (divisor){((UINT64_C(1) << 40U) + pixels - 1) / pixels, pixels / 2};
}

static uint8_t rounded(uint32_t sum, divisor by) {
    return (uint8_t)((sum + by.half) * by.factor >> 40U);
}

/* Samples of more than 8 bits, which few cameras send: one by one. */
static void columns_deep(const uint8_t *rows_start, const vg_luma *luma, uint32_t rows,
                         uint16_t *sums) {
    const uint32_t shift = luma->bits - 8;
    for (uint32_t x = 0; x < luma->width; x++) {
        uint32_t sum = 0;
        for (uint32_t y = 0; y < rows; y++) {
            const uint8_t *p = rows_start + (size_t)y * luma->stride + (size_t)2 * x;
            sum += (uint8_t)((p[0] | (uint32_t)p[1] << 8U) >> shift);
        }
        sums[x] = (uint16_t)sum;
    }
}

enum { LANES = 4 }; /* sums that are added at once, as the parts of one word */

/* How the columns of a picture become means: all of them cover `narrow` columns or one more. */
typedef struct columns {
    uint32_t narrow;
    uint32_t whole[2];     /* words of LANES sums, by whether there is one more, */
    uint64_t last_mask[2]; /* and which sums of the word behind them */
    uint32_t starts[VG_MOTION_FINE_COLUMNS];
    uint8_t is_wide[VG_MOTION_FINE_COLUMNS];
} columns;

static void plan(uint32_t width, columns *out) {
    out->narrow = width < VG_MOTION_FINE_COLUMNS ? 1 : width / VG_MOTION_FINE_COLUMNS;
    for (uint32_t more = 0; more < 2; more++) {
        uint16_t lanes[LANES] = {0};
        for (uint32_t i = 0; i < (out->narrow + more) % LANES; i++)
            lanes[i] = UINT16_MAX;
        out->whole[more] = (out->narrow + more) / LANES;
        memcpy(&out->last_mask[more], lanes, sizeof lanes);
    }
    for (uint32_t i = 0; i < VG_MOTION_FINE_COLUMNS; i++) {
        const span covered = span_of(i, width, VG_MOTION_FINE_COLUMNS);
        out->starts[i] = covered.start;
        out->is_wide[i] = covered.pixels > out->narrow;
    }
}

/* Two sums of two lanes each; as all sums are less than 2^15, so many do not overflow. */
static uint64_t halves(const uint16_t *sums, uint64_t mask) {
    const uint64_t odd = UINT64_C(0x0000FFFF0000FFFF);
    uint64_t word;
    memcpy(&word, sums, sizeof word);
    word &= mask;
    return (word & odd) + (word >> 16U & odd);
}

/* The means of one band of rows, of the sums of its columns; LANES more may be read. */
static void across(const uint16_t *sums, const columns *of, uint32_t rows, uint8_t *means) {
    const divisor by[2] = {divisor_of(rows * of->narrow), divisor_of(rows * (of->narrow + 1))};
    for (uint32_t i = 0; i < VG_MOTION_FINE_COLUMNS; i++) {
        const uint16_t *p = sums + of->starts[i];
        const uint32_t is_wide = of->is_wide[i];
        uint64_t sum = 0;
        for (uint32_t word = of->whole[is_wide]; word > 0; word--, p += LANES)
            sum += halves(p, UINT64_MAX);
        sum += halves(p, of->last_mask[is_wide]);
        means[i] = rounded((uint32_t)sum + (uint32_t)(sum >> 32U), by[is_wide]);
    }
}

vg_err vg_motion_means_by(const vg_motion_loops *loops, const vg_luma *luma,
                          uint8_t means[VG_MOTION_FINE], vg_fault *fault) {
    assert(loops != NULL && luma != NULL && means != NULL && fault != NULL);
    const vg_err err = check(luma, fault);
    if (err != VG_OK) return err;

    columns of;
    plan(luma->width, &of);
    uint16_t sums[VG_MOTION_SIDE_MAX + LANES]; /* at most 114 rows of 255 each */
    memset(sums + luma->width, 0, LANES * sizeof sums[0]);
    for (uint32_t j = 0; j < VG_MOTION_FINE_ROWS; j++) {
        const span band = span_of(j, luma->height, VG_MOTION_FINE_ROWS);
        const uint8_t *first = luma->bytes + (size_t)band.start * luma->stride;
        if (luma->bits > 8)
            columns_deep(first, luma, band.pixels, sums);
        else
            loops->columns(first, luma->stride, band.pixels, luma->width, sums);
        across(sums, &of, band.pixels, means + (size_t)j * VG_MOTION_FINE_COLUMNS);
    }
    return VG_OK;
}

vg_err vg_motion_means(const vg_luma *luma, uint8_t means[VG_MOTION_FINE], vg_fault *fault) {
    return vg_motion_means_by(vg_motion_loops_best(), luma, means, fault);
}
