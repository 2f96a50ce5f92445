/* The claim and the place as bytes, and where a chunk's head has them. */
#ifndef VG_SRC_CLAIM_H
#define VG_SRC_CLAIM_H

#include "segment_layout.h"

static inline size_t vg_claim_bytes(uint32_t flags) {
    return (flags & VG_CLAIM_FIRST) != 0 ? VG_CLAIM_FIRST_SIZE : VG_CLAIM_SIZE;
}

static inline size_t vg_claim_offset(void) {
    return VG_PRFT_BYTES + VG_UUID_BOX;
}

static inline size_t vg_place_offset(uint32_t flags) {
    return vg_claim_offset() + vg_claim_bytes(flags);
}

static inline size_t vg_moof_offset(uint32_t flags) {
    return vg_place_offset(flags) + VG_PLACE_SIZE;
}

static inline size_t vg_moof_bytes(uint32_t samples) {
    return VG_MOOF_FIXED + (size_t)VG_TRUN_SAMPLE * samples;
}

void vg_claim_put(vg_put *w, const vg_claim *claim);
void vg_place_put(vg_put *w, const vg_place *place);
/* Reads exactly what the flags say is there; the reader's `overrun` tells if it was not. */
void vg_claim_get(vg_bytes *r, vg_claim *out);
void vg_place_get(vg_bytes *r, vg_place *out);

/* 64-bit NTP time (RFC 5905 6) of a UTC time: seconds since 1900, of which 32 bits are kept, and a
 * fraction. */
uint64_t vg_ntp_time(int64_t wall_ns);

#endif
