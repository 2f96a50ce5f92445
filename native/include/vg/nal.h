/* From RTP packets to access units: H.264 (RFC 6184), H.265 (RFC 7798) and MJPEG (RFC 2435: one
 * "NAL unit", a JPEG file, is an access unit). Push packets, pull access units. The memory is the
 * caller's; no I/O, no clock.
 *
 * An access unit ends where the next begins: at a first slice (H.264 7.4.1.2.4, H.265 7.4.2.4.4) or
 * at a new timestamp. The marker bit alone ends one only after it has agreed with that rule on
 * VG_MARKER_TRUST access units in a row, and never again once it did not (TP-Link TC70 and Reolink
 * Duo 2 set it on parameter sets, OBS on every slice, FLIR M400 never). */
#ifndef VG_NAL_H
#define VG_NAL_H

#include "vg/rtp.h"
#include <stdbool.h>
#include <stdint.h>

typedef enum vg_codec { VG_CODEC_H264 = 1, VG_CODEC_H265 = 2, VG_CODEC_MJPEG = 3 } vg_codec;

/* How an access unit can be entered. Stored in claims: the numbers never change. */
typedef enum vg_sync_kind {
    VG_SYNC_NONE = 0,
    VG_SYNC_IDR = 1, /* and every picture of MJPEG */
    VG_SYNC_CRA = 2,
    VG_SYNC_BLA = 3,
    VG_SYNC_RECOVERY = 4, /* intra picture with a recovery point SEI, recovery_frame_cnt 0 */
} vg_sync_kind;

enum { VG_AU_MAX = 8 << 20, VG_NALS_MAX = 512, VG_MARKER_TRUST = 16 };

typedef struct vg_nal_unit {
    uint32_t offset; /* into the access unit's bytes */
    uint32_t size;   /* with the NAL unit header, without start code or length */
    uint8_t type;    /* nal_unit_type of the codec; 0 of MJPEG */
} vg_nal_unit;

typedef struct vg_access_unit {
    const uint8_t *bytes;
    const vg_nal_unit *nals;
    uint32_t nal_count;
    uint32_t timestamp; /* RTP */
    vg_sync_kind kind;
    bool damaged;    /* a packet or part of it is missing */
    bool leading;    /* H.265 RASL or RADL: belongs to the CRA before it */
    bool is_picture; /* holds at least one slice */
} vg_access_unit;

/* What was odd, by the tables of docs/design/rtsp-interop.md (a count each, for people and
 * metrics). */
typedef struct vg_nal_counts {
    /* foreign: other SSRC or payload type */
    uint64_t packets, packets_lost, packets_duplicate, packets_foreign;
    uint64_t access_units, damaged;
    uint64_t nals_dropped; /* unfinished, empty, forbidden type, layer > 0 */
    uint64_t marker_wrong, start_codes_inside, fu_odd;
    uint64_t order_odd; /* decoding order numbers that go back */
} vg_nal_counts;

typedef struct vg_assembler vg_assembler;

/* Bytes to allocate for an assembler (its access unit buffer not included). */
size_t vg_assembler_size(void);
/* `buffer`: where access units are put together, grown by nobody: one larger than `capacity`
 * (at most VG_AU_MAX) is dropped as damaged and counted. */
void vg_assembler_init(vg_assembler *a, vg_codec codec, uint8_t payload_type, uint8_t *buffer,
                       size_t capacity);

/* Before the first packet. H.265: the description declares decoding order numbers
 * (sprop-max-don-diff above 0). MJPEG: its size, for pictures of more than 2040 lines or columns,
 * which cannot tell theirs. */
void vg_assembler_expect_donl(vg_assembler *a);
void vg_assembler_expect_size(vg_assembler *a, uint16_t width, uint16_t height);

/* Whether packets of this payload type are the stream's: of the declared one, or of the only one
 * that comes. */
bool vg_assembler_takes(const vg_assembler *a, uint8_t payload_type);
/* VG_OK: taken. VG_AGAIN: pull first, then push the same packet again. VG_VALUE, VG_SHORT: the
 * packet was dropped (what it damaged is marked). */
vg_err vg_assembler_push(vg_assembler *a, const vg_rtp_packet *packet, vg_fault *fault);
/* True: `out` is one access unit, valid until the next push or flush. */
bool vg_assembler_pull(vg_assembler *a, vg_access_unit *out);
/* The stream has a hole here (garbage in the connection): what is being assembled is damaged. */
void vg_assembler_break(vg_assembler *a);
/* Packets may be missing before the first one (datagrams), of which no sequence number tells: an
 * access unit whose first slice is not a picture's first is damaged. */
void vg_assembler_lossy(vg_assembler *a);
/* The stream ends: makes the pending access unit ready to pull. */
void vg_assembler_flush(vg_assembler *a);
const vg_nal_counts *vg_assembler_counts(const vg_assembler *a);

/* What the file needs of a sequence parameter set; everything else stays in its raw bytes.
 * (H.264 7.3.2.1.1, H.265 7.3.2.2). `nal`: with its header, emulation prevention bytes in place. */
typedef struct vg_sps {
    uint32_t width, height; /* luma samples after cropping */
    /* H.264: profile_idc, constraint flags byte, level_idc */
    uint8_t profile, compatibility, level;
    /* H.265: general profile_tier_level, 12 bytes as in hvcC */
    uint8_t tier_profile[12];
    uint8_t chroma_format, bit_depth_luma, bit_depth_chroma;
    uint8_t temporal_layers; /* H.265: sps_max_sub_layers_minus1 + 1 */
    bool temporal_nested;
    bool interlaced; /* H.264: frame_mbs_only_flag is 0 */
    /* pictures that may precede one in decoding and follow it in output; -1: not told */
    int8_t reorder_depth;
    uint32_t id;
} vg_sps;

vg_err vg_h264_sps_parse(const uint8_t *nal, size_t size, vg_sps *out, vg_fault *fault);
vg_err vg_h265_sps_parse(const uint8_t *nal, size_t size, vg_sps *out, vg_fault *fault);
/* MJPEG has none; what takes its place is the picture's width and height, two bytes each. */
enum { VG_JPEG_SPS_SIZE = 4 };
vg_err vg_jpeg_sps_parse(const uint8_t *nal, size_t size, vg_sps *out, vg_fault *fault);

#endif
