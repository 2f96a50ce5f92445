/* A bounds-checked writing cursor with a sticky overrun, the counterpart of bytes.h: write in
 * straight lines, test `overrun` once before the output is used. Writes big-endian integers and
 * ISO/IEC 14496-12 boxes. */
#ifndef VG_SRC_PUT_H
#define VG_SRC_PUT_H

#include <string.h>

#include "bytes.h"

typedef struct vg_put {
    uint8_t *start;
    uint8_t *pos;
    uint8_t *end;
    bool overrun; /* something did not fit; never cleared */
} vg_put;

static inline vg_put vg_put_into(uint8_t *out, size_t capacity) {
    assert(out != NULL);
    return (vg_put){.start = out, .pos = out, .end = out + capacity, .overrun = false};
}

static inline size_t vg_put_offset(const vg_put *w) {
    return (size_t)(w->pos - w->start);
}

/* Room for the next `size` bytes, or NULL and overrun. */
static inline uint8_t *vg_put_room(vg_put *w, size_t size) {
    if (w->overrun || size > (size_t)(w->end - w->pos)) {
        w->overrun = true;
        return NULL;
    }
    uint8_t *room = w->pos;
    w->pos += size;
    return room;
}

static inline void vg_put_u8(vg_put *w, uint8_t value) {
    uint8_t *p = vg_put_room(w, 1);
    if (p != NULL) *p = value;
}

static inline void vg_put_u16(vg_put *w, uint16_t value) {
    uint8_t *p = vg_put_room(w, 2);
    if (p != NULL) vg_store_u16(p, value);
}

static inline void vg_put_u32(vg_put *w, uint32_t value) {
    uint8_t *p = vg_put_room(w, 4);
    if (p != NULL) vg_store_u32(p, value);
}

static inline void vg_put_u64(vg_put *w, uint64_t value) {
    uint8_t *p = vg_put_room(w, 8);
    if (p != NULL) vg_store_u64(p, value);
}

static inline void vg_put_bytes(vg_put *w, const void *bytes, size_t size) {
    uint8_t *p = vg_put_room(w, size);
    if (p != NULL && size > 0) memcpy(p, bytes, size);
}

static inline void vg_put_zeros(vg_put *w, size_t size) {
    uint8_t *p = vg_put_room(w, size);
    if (p != NULL) memset(p, 0, size);
}

/* Starts a box whose size is filled in by vg_put_box_end. `type`: four characters. Gives its
 * offset. */
static inline size_t vg_put_box(vg_put *w, const char type[4]) {
    const size_t offset = vg_put_offset(w);
    vg_put_u32(w, 0);
    vg_put_bytes(w, type, 4);
    return offset;
}

static inline size_t vg_put_full_box(vg_put *w, const char type[4], uint8_t version,
                                     uint32_t flags) {
    const size_t offset = vg_put_box(w, type);
    vg_put_u32(w, (uint32_t)version << 24U | flags);
    return offset;
}

static inline void vg_put_box_end(vg_put *w, size_t offset) {
    if (!w->overrun) vg_store_u32(w->start + offset, (uint32_t)(vg_put_offset(w) - offset));
}

#endif
