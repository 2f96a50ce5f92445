/* Planes at the edge of a mapped page, of every width and of strides longer than a row: a sample
 * read outside of a plane is a fault of the processor, in front of it and behind it. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "motion_grid.h"

enum { PAGES = 64 };

/* A page that may not be touched before and behind what may be. */
static uint8_t *fenced(size_t *size) {
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    uint8_t *map = mmap(NULL, (PAGES + 2) * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert(map != MAP_FAILED);
    const int failed = mprotect(map + page, PAGES * page, PROT_READ | PROT_WRITE);
    assert(failed == 0);
    *size = PAGES * page;
    return map + page;
}

static void both_read_no_further(const vg_luma *luma) {
    uint8_t best[VG_MOTION_FINE], plain[VG_MOTION_FINE];
    vg_fault fault;
    const vg_err err = vg_motion_means_by(vg_motion_loops_best(), luma, best, &fault);
    assert(err == VG_OK);
    const vg_err also = vg_motion_means_by(vg_motion_loops_plain(), luma, plain, &fault);
    assert(also == VG_OK && memcmp(best, plain, sizeof best) == 0);
}

static void test_planes_between_two_fences(void) {
    size_t size = 0;
    uint8_t *memory = fenced(&size);
    for (size_t i = 0; i < size; i++)
        memory[i] = (uint8_t)(i * 7 + i / 251);
    uint32_t planes = 0;
    for (uint32_t width = 1; width <= 700; width += width < 160 ? 1 : 13) {
        for (uint32_t bits = 8; bits <= 10; bits += 2) {
            const size_t row = (size_t)width * (bits > 8 ? 2 : 1);
            for (size_t more = 0; more <= 17; more += 17) {
                const uint32_t height = width % 2 ? 75 : 31;
                const size_t exact = (row + more) * (height - 1) + row;
                vg_luma luma = {memory, exact, row + more, width, height, bits};
                both_read_no_further(&luma);
                luma.bytes = memory + size - exact;
                both_read_no_further(&luma);
                planes += 2;
            }
        }
    }
    assert(planes > 1000);
}

static void test_a_plane_one_byte_too_short_is_refused(void) {
    static const uint8_t bytes[640 * 360];
    uint8_t means[VG_MOTION_FINE];
    vg_fault fault;
    vg_luma luma = {bytes, sizeof bytes - 1, 640, 640, 360, 8};
    assert(vg_motion_means(&luma, means, &fault) == VG_SHORT);
    luma.stride = SIZE_MAX / 2; /* a product would overflow */
    assert(vg_motion_means(&luma, means, &fault) == VG_SHORT);
    luma.stride = 639;
    assert(vg_motion_means(&luma, means, &fault) == VG_VALUE);
}

static void test_the_largest_sums_fit(void) {
    const uint32_t side = VG_MOTION_SIDE_MAX;
    uint8_t *white = malloc((size_t)side * side);
    assert(white != NULL);
    memset(white, 255, (size_t)side * side);
    uint8_t means[VG_MOTION_FINE];
    vg_fault fault;
    vg_luma luma = {white, (size_t)side * side, side, side, side, 8};
    const vg_err err = vg_motion_means(&luma, means, &fault);
    assert(err == VG_OK);
    for (uint32_t i = 0; i < VG_MOTION_FINE; i++)
        assert(means[i] == 255);
    luma.width++;
    assert(vg_motion_means(&luma, means, &fault) == VG_LIMIT);
    free(white);
}

/* Division by a product is exact for every sum that a mean can have. */
static void test_means_of_one_column_are_rounded_halves_up(void) {
    static uint8_t plane[72 * 128];
    uint8_t means[VG_MOTION_FINE];
    vg_fault fault;
    for (uint32_t height = 72; height <= 144; height += 72) {
        for (uint32_t level = 0; level < 255; level++) {
            for (uint32_t i = 0; i < sizeof plane; i++)
                plane[i] = (uint8_t)(level + (i / 64) % 2);
            const vg_luma luma = {plane, sizeof plane, 64, 64, height, 8};
            const vg_err err = vg_motion_means(&luma, means, &fault);
            assert(err == VG_OK);
            assert(means[0] == (height == 72 ? level : level + 1));
        }
    }
}

int main(void) {
    test_planes_between_two_fences();
    test_a_plane_one_byte_too_short_is_refused();
    test_the_largest_sums_fit();
    test_means_of_one_column_are_rounded_halves_up();
    (void)puts("motion: 4 tests passed");
    return 0;
}
