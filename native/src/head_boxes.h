/* Boxes of `moov` that both tracks have (ISO/IEC 14496-12 8). */
#ifndef VG_SRC_HEAD_BOXES_H
#define VG_SRC_HEAD_BOXES_H

#include "put.h"

static inline void vg_put_matrix(vg_put *w) {
    static const uint32_t unity[9] = {0x00010000, 0, 0, 0, 0x00010000, 0, 0, 0, 0x40000000};
    for (size_t i = 0; i < 9; i++)
        vg_put_u32(w, unity[i]);
}

static inline void vg_put_mdhd(vg_put *w, uint32_t timescale) {
    const size_t box = vg_put_full_box(w, "mdhd", 0, 0);
    vg_put_u32(w, 0);
    vg_put_u32(w, 0);
    vg_put_u32(w, timescale);
    vg_put_u32(w, 0);
    vg_put_u16(w, 0x55C4); /* und */
    vg_put_u16(w, 0);
    vg_put_box_end(w, box);
}

static inline void vg_put_hdlr(vg_put *w, const char handler[4]) {
    const size_t box = vg_put_full_box(w, "hdlr", 0, 0);
    vg_put_u32(w, 0);
    vg_put_bytes(w, handler, 4);
    vg_put_zeros(w, 12);
    vg_put_u8(w, 0); /* name */
    vg_put_box_end(w, box);
}

static inline void vg_put_dinf(vg_put *w) {
    const size_t box = vg_put_box(w, "dinf");
    const size_t dref = vg_put_full_box(w, "dref", 0, 0);
    vg_put_u32(w, 1);
    const size_t url = vg_put_full_box(w, "url ", 0, 1); /* 1: the data are in this file */
    vg_put_box_end(w, url);
    vg_put_box_end(w, dref);
    vg_put_box_end(w, box);
}

/* The tables of a track whose samples come in fragments. */
static inline void vg_put_no_samples(vg_put *w) {
    static const char empty[3][5] = {"stts", "stsc", "stco"};
    for (size_t i = 0; i < 3; i++) {
        const size_t box = vg_put_full_box(w, empty[i], 0, 0);
        vg_put_u32(w, 0);
        vg_put_box_end(w, box);
    }
    const size_t stsz = vg_put_full_box(w, "stsz", 0, 0);
    vg_put_u32(w, 0);
    vg_put_u32(w, 0);
    vg_put_box_end(w, stsz);
}

#endif
