/* A bounds-checked bit cursor over a NAL unit's payload (RBSP). Emulation prevention bytes are
 * skipped as they are met (H.264 7.4.1, H.265 7.4.2), so nothing is copied. The overrun is sticky,
 * as in bytes.h. Bit by bit: it reads headers of some dozen bits, not pictures. */
#ifndef VG_SRC_BITS_H
#define VG_SRC_BITS_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct vg_bits {
    const uint8_t *start;
    const uint8_t *pos; /* the next byte to load */
    const uint8_t *end;
    uint32_t zeros; /* zero bytes in a row before `pos` */
    uint8_t current;
    uint8_t left; /* unread bits of `current` */
    bool overrun;
} vg_bits;

/* `nal`: behind the NAL unit header. */
static inline vg_bits vg_bits_of(const uint8_t *rbsp, size_t size) {
    static const uint8_t nothing[1] = {0};
    assert(rbsp != NULL || size == 0);
    if (rbsp == NULL) rbsp = nothing;
    return (vg_bits){.start = rbsp, .pos = rbsp, .end = rbsp + size};
}

/* Bytes of the input that were touched, emulation prevention included. */
static inline size_t vg_bits_offset(const vg_bits *r) {
    return (size_t)(r->pos - r->start);
}

static inline uint32_t vg_bits_u1(vg_bits *r) {
    if (r->left == 0) {
        if (r->zeros >= 2 && r->pos < r->end && *r->pos == 3) {
            r->pos++;
            r->zeros = 0;
        }
        if (r->overrun || r->pos >= r->end) {
            r->overrun = true;
            return 0;
        }
        r->current = *r->pos++;
        r->left = 8;
        if (r->current == 0)
            r->zeros++;
        else
            r->zeros = 0;
    }
    r->left--;
    return (uint32_t)r->current >> r->left & 1U;
}

/* u(n), n from 0 to 32. */
static inline uint32_t vg_bits_u(vg_bits *r, unsigned count) {
    assert(count <= 32);
    uint32_t value = 0;
    for (unsigned i = 0; i < count; i++)
        value = value << 1U | vg_bits_u1(r);
    return value;
}

static inline bool vg_bits_flag(vg_bits *r) {
    return vg_bits_u1(r) != 0;
}

/* For fields nobody needs; `count` may be larger than 32. */
static inline void vg_bits_skip(vg_bits *r, unsigned count) {
    for (unsigned i = 0; i < count && !r->overrun; i++)
        (void)vg_bits_u1(r);
}

/* Whole bytes, as an SEI payload has them; quicker than bit by bit where the cursor is aligned. */
static inline void vg_bits_skip_bytes(vg_bits *r, uint32_t count) {
    if (r->left != 0) {
        for (uint32_t i = 0; i < count && !r->overrun; i++)
            vg_bits_skip(r, 8);
        return;
    }
    for (uint32_t i = 0; i < count && !r->overrun; i++) {
        (void)vg_bits_u1(r);
        r->left = 0;
    }
}

/* ue(v), H.264 9.1, H.265 9.2. Values go to 2^32 - 2, so more than 31 zeros cannot be meant. */
static inline uint32_t vg_bits_ue(vg_bits *r) {
    unsigned zeros = 0;
    while (vg_bits_u1(r) == 0) {
        zeros++;
        if (zeros == 32 || r->overrun) {
            r->overrun = true;
            return 0;
        }
    }
    if (zeros == 0) return 0;
    return ((uint32_t)1 << zeros) - 1 + vg_bits_u(r, zeros);
}

/* se(v), H.264 9.1.1, H.265 9.2.2. */
static inline int32_t vg_bits_se(vg_bits *r) {
    const uint32_t code = vg_bits_ue(r);
    const int64_t magnitude = ((int64_t)code + 1) / 2;
    if (code & 1U) return (int32_t)magnitude;
    return (int32_t)-magnitude;
}

#endif
