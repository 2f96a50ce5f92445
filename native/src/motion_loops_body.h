/* The loops of motion_grid.h, for TARGET under the names that NAMED gives, with vectors of VECTOR:
 * motion_loops.c includes this once for each kind of processor. Vectors of GNU C become that
 * processor's instructions only in a function that is built for it, hence no shared inline
 * function. */

TARGET static void NAMED(columns)(const uint8_t *rows_start, size_t stride, uint32_t rows,
                                  uint32_t width, uint16_t *sums) {
    uint32_t x = 0;
    for (; x + sizeof(vg_bytes16) <= width; x += (uint32_t)sizeof(vg_bytes16)) {
        vg_sums sum = {0};
        for (uint32_t y = 0; y < rows; y++) {
            vg_bytes16 row;
            memcpy(&row, rows_start + (size_t)y * stride + x, sizeof row);
            sum += __builtin_convertvector(row, vg_sums);
        }
        memcpy(sums + x, &sum, sizeof sum);
    }
    for (; x < width; x++) {
        uint32_t sum = 0;
        for (uint32_t y = 0; y < rows; y++)
            sum += rows_start[(size_t)y * stride + x];
        sums[x] = (uint16_t)sum;
    }
}

TARGET static void NAMED(differ)(const uint8_t *a, const uint8_t *b, const uint8_t *weak,
                                 const uint8_t *strong, uint8_t *difference, uint8_t *marks) {
    for (size_t i = 0; i < VG_MOTION_FINE; i += sizeof(VECTOR)) {
        VECTOR left, right, from_weak, from_strong;
        memcpy(&left, a + i, sizeof left);
        memcpy(&right, b + i, sizeof right);
        memcpy(&from_weak, weak + i, sizeof from_weak);
        memcpy(&from_strong, strong + i, sizeof from_strong);
        const VECTOR is_more = (VECTOR)(left > right);
        const VECTOR d = ((left - right) & is_more) | ((right - left) & ~is_more);
        const VECTOR mark = ((VECTOR)(d >= from_weak) & 1U) | ((VECTOR)(d >= from_strong) & 2U);
        memcpy(difference + i, &d, sizeof d);
        memcpy(marks + i, &mark, sizeof mark);
    }
}

/* Bit by bit from the highest: the largest value that no more than (count - 1) / 2 differences lie
 * below, which is the one that stands there when they are sorted. */
TARGET static void NAMED(median)(const uint8_t *const *planes, uint32_t count, uint8_t *medians) {
    const uint8_t rank = (uint8_t)((count - 1) / 2);
    for (size_t i = 0; i < VG_MOTION_FINE; i += sizeof(VECTOR)) {
        VECTOR found = {0};
        for (uint32_t bit = 128; bit > 0; bit >>= 1U) {
            const VECTOR tried = found | (uint8_t)bit;
            VECTOR below = {0};
            for (uint32_t p = 0; p < count; p++) {
                VECTOR plane;
                memcpy(&plane, planes[p] + i, sizeof plane);
                below -= (VECTOR)(plane < tried); /* true is 255 */
            }
            found |= (VECTOR)(below <= rank) & (uint8_t)bit;
        }
        memcpy(medians + i, &found, sizeof found);
    }
}

static const vg_motion_loops NAMED(loops) = {NAMED(columns), NAMED(differ), NAMED(median)};

#undef TARGET
#undef NAMED
#undef VECTOR
