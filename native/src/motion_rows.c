#include "motion_rows.h"

#define TWO(n) (n), (n) + 1, (n) + 1, (n) + 2
#define FOUR(n) TWO(n), TWO((n) + 1), TWO((n) + 1), TWO((n) + 2)
#define SIX(n) FOUR(n), FOUR((n) + 1), FOUR((n) + 1), FOUR((n) + 2)
const uint8_t vg_rows_of_mask[256] = {SIX(0), SIX(1), SIX(1), SIX(2)};

#define ROW(n, row) ((n) | UINT64_C(0xFF) << 8U * (row))
#define LOWEST(n) (n), ROW(n, 0)
#define LOW2(n) LOWEST(n), LOWEST(ROW(n, 1))
#define LOW3(n) LOW2(n), LOW2(ROW(n, 2))
#define LOW4(n) LOW3(n), LOW3(ROW(n, 3))
#define LOW5(n) LOW4(n), LOW4(ROW(n, 4))
#define LOW6(n) LOW5(n), LOW5(ROW(n, 5))
#define LOW7(n) LOW6(n), LOW6(ROW(n, 6))
const uint64_t vg_whole_rows[256] = {LOW7(UINT64_C(0)), LOW7(ROW(UINT64_C(0), 7))};

/* From those of the masks that name only rows above a row to those that name it too, from the
 * highest row down. */
void vg_rows_by_mask(uint64_t cells, uint64_t by_mask[256]) {
    by_mask[0] = 0;
    for (uint32_t bit = 128; bit != 0; bit >>= 1U) {
        const uint64_t row = cells >> 8U * (uint32_t)__builtin_ctz(bit) & 0xFFU;
        for (uint32_t mask = 0; mask < 256; mask += 2 * bit)
            by_mask[mask + bit] = by_mask[mask] << 8U | row;
    }
}
