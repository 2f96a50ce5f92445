/* Inside of the access unit assembler, shared by its files:
 *   assembler.c    the interface; which packets count (payload type, SSRC, sequence)
 *   depacketize.c  what payloads of all codecs share: NAL units into the buffer, fragments, Annex B
 *                  where it does not belong; depacketize_h264.c (RFC 6184), depacketize_h265.c
 *                  (RFC 7798), depacketize_jpeg.c (RFC 2435: a picture is one "NAL unit")
 *   access_unit.c  NAL units to access units: where one ends, how it can be entered
 *
 * The buffer and the list hold, in order:
 *
 *     nals[]   | head ..... cut | cut ....... classified | ....... count |
 *              | ready to pull  | current access unit    | not looked at |
 *     buffer   | their bytes, with small holes where start codes stood  ... | FU in progress | used
 *
 * The next push moves everything behind `head` to the front, which is why an access unit lives
 * until then. */
#ifndef VG_SRC_ASSEMBLER_H
#define VG_SRC_ASSEMBLER_H

#include <stdbool.h>
#include <stdint.h>

#include "vg/jpeg.h"
#include "vg/nal.h"

enum {
    VG_NALS_HELD = 2 * VG_NALS_MAX, /* a ready access unit and the beginning of the next */
    VG_SSRC_TRUST = 3,              /* packets in a row that make another SSRC the stream's */
    VG_SEQUENCE_TRUST = 3,          /* the same for a sequence that begins anew */
    VG_FROZEN_TRUST = 32,           /* of one number: the camera does not count */
    VG_TYPE_TRUST = 32,             /* of one payload type, where the declared one never came */
    VG_TYPE_SOUND_LAST = 23, /* RFC 3551 table 4: what nobody may have agreed to is no pictures */
    VG_SEQUENCE_GAP_MAX = 3000, /* RFC 3550 A.1 MAX_DROPOUT: a longer step is no count of losses */
    VG_SKIP_MAX =
        8192, /* for streams with neither markers nor timestamps: 8 MiB of small packets */
};
#define VG_NO_INDEX UINT32_MAX

/* Where a NAL unit may stand in an access unit (H.264 7.4.1.2.3, H.265 7.4.2.4.4). */
typedef enum vg_nal_role {
    VG_ROLE_PREFIX, /* behind a slice it begins the next access unit */
    VG_ROLE_SLICE,
    VG_ROLE_SUFFIX, /* stays with the access unit that is open */
} vg_nal_role;

enum {
    VG_NOTE_MARKER = 1, /* its packet had the marker, and it was the last in it */
    VG_NOTE_BAD = 2,    /* its access unit misses something */
    VG_NOTE_GAP = 4,    /* something is missing before it: nobody knows whose it was */
};

typedef struct vg_nal_note {
    uint32_t timestamp;
    uint8_t flags;
} vg_nal_note;

/* What is known of the current access unit, nals[head] to nals[classified]. */
typedef struct vg_unit {
    uint32_t timestamp; /* of its first slice; before one, of its latest NAL unit */
    uint32_t
        tail; /* where NAL units begin that most likely belong to the next one, or VG_NO_INDEX */
    uint32_t markers; /* how many of its NAL units before the tail had one */
    bool last_marker; /* the last of those had */
    bool has_slice, damaged;
    bool idr, cra, bla, leading;
    bool recovery; /* recovery point SEI with a count of 0 */
    bool inter;    /* a slice that is not I */
} vg_unit;

struct vg_assembler {
    vg_codec codec;
    uint8_t payload_type;  /* that is taken */
    uint8_t declared_type; /* the same, once it has come */
    uint8_t *buffer;
    uint32_t capacity;
    uint32_t used;
    vg_nal_counts counts;

    /* packets */
    bool started;
    uint16_t next_sequence;
    uint16_t odd_sequence; /* would follow the packets that went back */
    uint8_t odd_count;
    uint8_t frozen_count; /* packets in a row with the number of the last one taken */
    uint8_t other_type;
    uint8_t type_count;  /* packets in a row of other_type, none of the declared one before */
    bool has_declared;   /* a packet of the declared type has come */
    bool is_extended;    /* H.264: the profile that has data partitions */
    uint8_t other_count; /* packets in a row of other_ssrc */
    uint32_t ssrc, other_ssrc;
    uint32_t timestamp;    /* of the last packet taken */
    bool gap;              /* something is missing before what comes next */
    bool dropped;          /* something with the current timestamp was dropped */
    bool lossy;            /* packets may be missing before the first that came */
    uint32_t skip_packets; /* at most so many more are of an access unit that was discarded */

    /* a fragmented NAL unit in progress */
    bool fu_open;
    bool fu_marker; /* its last fragment had the marker */
    bool fu_lost;   /* fragments of a NAL unit that is lost already: do not count each */
    uint8_t fu_type;
    uint32_t fu_start;

    /* decoding order numbers, where a camera sends them */
    bool has_donl; /* H.265: its description declares them */
    bool has_don;
    uint16_t don; /* of the NAL unit that came last */

    vg_jpeg_source jpeg;

    /* access units */
    uint32_t head, classified, count;
    uint32_t cut; /* with `ready` */
    uint32_t
        timestamp_change; /* index of the first NAL unit with another timestamp, or VG_NO_INDEX */
    bool change_bad, change_gap; /* what was dropped or missing there */
    bool ready, flushing;
    vg_unit unit;
    uint8_t marker_agreed; /* access units in a row, up to VG_MARKER_TRUST */
    bool marker_lies;
    bool by_marker;        /* the last access unit ended at its marker */
    uint32_t by_marker_at; /* and had this timestamp */

    vg_nal_unit nals[VG_NALS_HELD];
    vg_nal_note notes[VG_NALS_HELD];
};

/* depacketize.c */

typedef struct vg_fragment_unit {
    bool start, end, reserved;
    uint8_t type;
    uint8_t header[2]; /* of the NAL unit it is from */
    size_t header_size;
    const uint8_t *bytes;
    size_t size;
} vg_fragment_unit;

vg_err vg_depacketize(vg_assembler *a, const vg_rtp_packet *packet, vg_fault *fault);
/* False where there is no room: what was being put together is gone then, and counted. */
bool vg_append(vg_assembler *a, const uint8_t *bytes, size_t size);
/* The bytes of the buffer from `start` are a NAL unit for the list; there is room in it. */
void vg_list_unit(vg_assembler *a, uint32_t start, uint32_t size, uint8_t type, bool is_bad);
/* A whole NAL unit in two pieces, of which the second may be empty. */
vg_err vg_take_nal(vg_assembler *a, const uint8_t *header, size_t header_size, const uint8_t *rest,
                   size_t size, vg_fault *fault);
/* The decoding order number of the NAL unit that comes next. */
void vg_take_don(vg_assembler *a, uint16_t don);
vg_err vg_take_fragment(vg_assembler *a, const vg_fragment_unit *f, bool marker, const char *rule,
                        vg_fault *fault);
/* A fragment of something whose beginning is missing: counted once. */
vg_err vg_refuse_part(vg_assembler *a, size_t offset, const char *rule, vg_fault *fault);
/* A packet, or what remains of it, that cannot be used; its picture is damaged. */
vg_err vg_refuse(vg_assembler *a, vg_err err, size_t offset, const char *rule, vg_fault *fault);
/* Something else than a fragment comes. */
void vg_fu_interrupt(vg_assembler *a);
/* Ends a fragmented NAL unit that something else follows: whole if its last fragment had the marker
 * and nothing is missing (Longse CMSEKL800 sets the marker and never E), else dropped. */
void vg_fu_close(vg_assembler *a);
void vg_fu_drop(vg_assembler *a);

/* depacketize_h264.c, depacketize_h265.c, depacketize_jpeg.c: of a payload that is not empty. */

vg_err vg_depacketize_h264(vg_assembler *a, const vg_rtp_packet *packet, vg_fault *fault);
vg_err vg_depacketize_h265(vg_assembler *a, const vg_rtp_packet *packet, vg_fault *fault);
vg_err vg_depacketize_jpeg(vg_assembler *a, const vg_rtp_packet *packet, vg_fault *fault);
/* A picture ends that had no marker: no packet of it is missing, so it is whole. */
void vg_jpeg_close(vg_assembler *a);

/* The marker belongs to the last NAL unit, if there are more than `before`. */
static inline void vg_mark_last(vg_assembler *a, uint32_t before) {
    if (a->count > before && a->count <= VG_NALS_HELD)
        a->notes[a->count - 1].flags |= VG_NOTE_MARKER;
}

/* access_unit.c */

/* Looks at NAL units until an access unit is ready (true) or there are no more. */
bool vg_unit_advance(vg_assembler *a);
/* The current access unit is larger than there is room: it is dropped, with what remains of it. */
void vg_unit_discard(vg_assembler *a);
/* The next NAL unit will have another timestamp. */
void vg_unit_change_timestamp(vg_assembler *a);
/* Makes the pulled access unit's room free. */
void vg_unit_compact(vg_assembler *a);
void vg_unit_restart(vg_assembler *a);

/* h264.c, h265.c: `nal` has `size` bytes, at least one behind its header if it is a slice. */

vg_nal_role vg_h264_role(uint8_t type);
vg_nal_role vg_h265_role(uint8_t type);
/* Recovery point with recovery_frame_cnt 0 (H.264 D.1.8)? */
bool vg_h264_sei_is_recovery(const uint8_t *nal, size_t size);
bool vg_h264_slice_is_intra(const uint8_t *nal, size_t size);

/* Ends the process where an invariant of the state does not hold. For the fuzz targets. */
void vg_assembler_check(const vg_assembler *a);

#endif
