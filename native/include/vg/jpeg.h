/* JPEG pictures of RTP (RFC 2435) as files: the headers that the payload leaves out, and the size
 * that a picture tells. Pure functions over the caller's memory. */
#ifndef VG_JPEG_H
#define VG_JPEG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vg/err.h"

enum {
    VG_JPEG_TABLES_MAX = 4 * 128, /* four tables of 64 entries of two bytes */
    VG_JPEG_HEAD_MAX = 2048,
};

/* What the packets of one picture say before the first byte of its scan. */
typedef struct vg_jpeg_frame {
    uint8_t type; /* 0: 4:2:2, 1: 4:2:0 (RFC 2435 4.1), without the bit for restart markers */
    uint16_t width, height;
    uint16_t restart_interval; /* in MCU; 0: none */
    uint8_t precision;         /* a bit a table, from the lowest: 1 for entries of two bytes */
    const uint8_t *tables;     /* in zigzag order, one behind the other */
    size_t tables_size;
} vg_jpeg_frame;

/* What one source has told and later pictures rely on. */
typedef struct vg_jpeg_source {
    uint16_t width, height; /* of the description, for pictures that are too large to say theirs */
    uint32_t offset;        /* the newest fragment's, of the picture being put together */
    uint32_t next_offset;   /* what the next one should say */
    uint32_t head_bytes;    /* before its scan */
    bool is_doubtful;       /* nothing says that it is whole, or that each part came once */
    uint8_t q;              /* whose tables are held; 0: none */
    uint8_t precision;
    uint16_t tables_size;
    uint8_t tables[VG_JPEG_TABLES_MAX];
} vg_jpeg_source;

/* The two tables of Q 1 to 99 (RFC 2435 4.2): luminance, then chrominance. */
void vg_jpeg_tables(uint8_t q, uint8_t out[128]);
/* SOI to SOS. VG_VALUE: there is no picture with that. */
vg_err vg_jpeg_head(const vg_jpeg_frame *frame, uint8_t out[VG_JPEG_HEAD_MAX], size_t *size,
                    vg_fault *fault);
/* Width and height of a picture, from its frame header (ITU T.81 B.2.2). */
vg_err vg_jpeg_size(const uint8_t *picture, size_t size, uint16_t *width, uint16_t *height,
                    vg_fault *fault);

#endif
