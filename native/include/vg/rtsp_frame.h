/* Splits an RTSP connection into interleaved packets (RFC 2326 10.12) and messages, and finds its
 * way back after garbage. Reads the caller's buffer, keeps no bytes. */
#ifndef VG_RTSP_FRAME_H
#define VG_RTSP_FRAME_H

#include "vg/err.h"
#include <stdbool.h>
#include <stdint.h>

typedef enum vg_rtsp_kind {
    VG_RTSP_PACKET,  /* `$`, channel, length, bytes */
    VG_RTSP_MESSAGE, /* a request or a response, header and body */
    VG_RTSP_GARBAGE, /* bytes of neither, already skipped: the current access unit is not whole */
} vg_rtsp_kind;

typedef struct vg_rtsp_item {
    vg_rtsp_kind kind;
    uint8_t channel;      /* PACKET */
    const uint8_t *bytes; /* PACKET: the payload; MESSAGE: all of it; into the caller's buffer */
    size_t size;
    size_t consumed; /* how far the caller's buffer is done with, this item included */
} vg_rtsp_item;

enum {
    VG_RTSP_HEADER_MAX = 16 * 1024,
    VG_RTSP_BODY_MAX = 64 * 1024,
    VG_RTSP_RESYNC_MAX = 256 * 1024, /* garbage in a row; more is VG_LIMIT */
};

/* Zero it before first use, then set `channels`. */
typedef struct vg_rtsp_splitter {
    uint64_t channels[4]; /* bit set: this interleaved channel was agreed in SETUP */
    size_t searched;      /* bytes of the buffer's head known to hold no end of header */
    size_t skipped;       /* bytes of garbage in a row */
} vg_rtsp_splitter;

/* The next item at the head of `data`.
 * VG_OK: `out` is written. VG_MORE: read more (a caller's buffer of VG_RTSP_HEADER_MAX +
 * VG_RTSP_BODY_MAX + 4 bytes is always enough; nothing is consumed). Nothing is waited for inside
 * which two packets and the head of a third stand one behind the other: that is garbage. VG_LIMIT:
 * no way back; reconnect. Blanks and line ends between items are skipped. A packet on a channel
 * that was never set up is an item if its length leads to another `$` or message or to the end of
 * the data, else garbage. */
vg_err vg_rtsp_next(vg_rtsp_splitter *splitter, const uint8_t *data, size_t size, vg_rtsp_item *out,
                    vg_fault *fault);

#endif
