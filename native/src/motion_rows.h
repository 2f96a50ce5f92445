/* Rows of a tile that a mask names, moved together: byte 0 is the lowest row that it names. */
#ifndef VG_SRC_MOTION_ROWS_H
#define VG_SRC_MOTION_ROWS_H

#include <stdint.h>
#include <string.h>

/* Built once for processors that count bits themselves, and once for any. */
#define VG_BUILT_TWICE static inline __attribute__((always_inline))
#if defined(__x86_64__)
#define VG_POPCNT __attribute__((target("popcnt")))
#endif

/* How many rows a mask names. */
extern const uint8_t vg_rows_of_mask[256];

/* The cells of the rows that a mask names. */
extern const uint64_t vg_whole_rows[256];

/* For each mask the rows of `cells` that it names. */
void vg_rows_by_mask(uint64_t cells, uint64_t by_mask[256]);

static inline uint64_t load_little(const uint8_t *p) {
    uint64_t word;
    memcpy(&word, p, sizeof word);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    word = __builtin_bswap64(word);
#endif
    return word;
}

#endif
