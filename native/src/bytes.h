/* A bounds-checked reading cursor with a sticky overrun: read in straight lines, test `overrun`
 * once, before any value is used as a length or an index. Reads big-endian integers. Behind an
 * overrun every read gives 0 and moves nothing. Also the unchecked big-endian loads and stores for
 * places whose size is already known. */
#ifndef VG_SRC_BYTES_H
#define VG_SRC_BYTES_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vg/err.h"

typedef struct vg_bytes {
    const uint8_t *start;
    const uint8_t *pos;
    const uint8_t *end;
    bool overrun; /* something behind the end was asked for; never cleared */
} vg_bytes;

static inline vg_bytes vg_bytes_of(const uint8_t *data, size_t size) {
    static const uint8_t nothing[1] = {0};
    assert(data != NULL || size == 0);
    if (data == NULL) data = nothing; /* arithmetic on NULL is undefined, even with 0 */
    return (vg_bytes){.start = data, .pos = data, .end = data + size, .overrun = false};
}

static inline size_t vg_bytes_left(const vg_bytes *r) {
    return (size_t)(r->end - r->pos);
}

/* Where the cursor stands, from the start of the input. */
static inline size_t vg_bytes_offset(const vg_bytes *r) {
    return (size_t)(r->pos - r->start);
}

/* The next `size` bytes, or NULL and overrun. The bytes belong to the input's owner. */
static inline const uint8_t *vg_bytes_take(vg_bytes *r, size_t size) {
    if (r->overrun || size > vg_bytes_left(r)) {
        r->overrun = true;
        return NULL;
    }
    const uint8_t *taken = r->pos;
    r->pos += size;
    return taken;
}

static inline uint16_t vg_load_u16(const uint8_t p[2]) {
    return (uint16_t)((uint32_t)p[0] << 8U | p[1]);
}

static inline uint32_t vg_load_u32(const uint8_t p[4]) {
    return (uint32_t)p[0] << 24U | (uint32_t)p[1] << 16U | (uint32_t)p[2] << 8U | p[3];
}

static inline uint64_t vg_load_u64(const uint8_t p[8]) {
    return (uint64_t)vg_load_u32(p) << 32U | vg_load_u32(p + 4);
}

static inline void vg_store_u16(uint8_t p[2], uint16_t value) {
    p[0] = (uint8_t)(value >> 8U);
    p[1] = (uint8_t)value;
}

static inline void vg_store_u32(uint8_t p[4], uint32_t value) {
    p[0] = (uint8_t)(value >> 24U);
    p[1] = (uint8_t)(value >> 16U);
    p[2] = (uint8_t)(value >> 8U);
    p[3] = (uint8_t)value;
}

static inline void vg_store_u64(uint8_t p[8], uint64_t value) {
    vg_store_u32(p, (uint32_t)(value >> 32U));
    vg_store_u32(p + 4, (uint32_t)value);
}

static inline uint8_t vg_bytes_u8(vg_bytes *r) {
    const uint8_t *p = vg_bytes_take(r, 1);
    if (p == NULL) return 0;
    return p[0];
}

static inline uint16_t vg_bytes_u16(vg_bytes *r) {
    const uint8_t *p = vg_bytes_take(r, 2);
    if (p == NULL) return 0;
    return vg_load_u16(p);
}

static inline uint32_t vg_bytes_u32(vg_bytes *r) {
    const uint8_t *p = vg_bytes_take(r, 4);
    if (p == NULL) return 0;
    return vg_load_u32(p);
}

static inline uint64_t vg_bytes_u64(vg_bytes *r) {
    const uint8_t *p = vg_bytes_take(r, 8);
    if (p == NULL) return 0;
    return vg_load_u64(p);
}

/* Fills in a fault and gives `err` back, so that a parser fails in one line. */
static inline vg_err vg_fail(vg_fault *fault, vg_err err, size_t offset, const char *rule) {
    fault->offset = offset;
    fault->rule = rule;
    return err;
}

#endif
