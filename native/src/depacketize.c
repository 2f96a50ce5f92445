#include <assert.h>
#include <string.h>

#include "assembler.h"
#include "bytes.h"

/* Types of RTP payloads that are no NAL units (RFC 6184 5.2, RFC 7798 4.4). */
enum { H264_STAP_A = 24, H264_FU_A = 28, H265_AP = 48, H265_FU = 49 };
enum { START_CODE_SIZE = 3, SCAN_BLOCK = 64 };

/* An extension of gcc and clang on every processor; where there are no vectors they make words of
 * it. */
typedef uint8_t vector __attribute__((vector_size(16)));

static vector load(const uint8_t *p) {
    vector v;
    memcpy(&v, p, sizeof v);
    return v;
}

/* Are there two zeros in a row among the first bytes of `p`? Reads one byte more than a block. */
static bool has_zeros(const uint8_t *p) {
    vector found = {0};
    for (size_t i = 0; i < SCAN_BLOCK; i += sizeof(vector))
        found |= (vector)((load(p + i) | load(p + i + 1)) == 0);
    uint64_t halves[2];
    memcpy(halves, &found, sizeof halves);
    return (halves[0] | halves[1]) != 0;
}

/* The offset of the next 00 00 01, or `size`. A NAL unit never holds one (H.264 7.4.1) and seldom
 * two zeros, so this runs to the end nearly always, block by block. */
static size_t start_code(const uint8_t *p, size_t size) {
    size_t i = 0;
    while (size - i >= START_CODE_SIZE) {
        if (size - i > SCAN_BLOCK + 1 && !has_zeros(p + i)) {
            i += SCAN_BLOCK;
            continue;
        }
        const size_t left = size - i - (START_CODE_SIZE - 1);
        const size_t end = i + (left < SCAN_BLOCK ? left : SCAN_BLOCK);
        for (; i < end; i++)
            if (p[i] == 0 && p[i + 1] == 0 && p[i + 2] == 1) return i;
    }
    return size;
}

static bool is_kept(const vg_assembler *a, const uint8_t *nal, size_t size, uint8_t *type) {
    if (a->codec == VG_CODEC_H264) {
        enum { END_OF_SEQUENCE = 10, END_OF_STREAM = 11 };
        *type = nal[0] & 0x1FU;
        if (*type == 0 || *type >= H264_STAP_A) return false;
        return size > 1 || *type == END_OF_SEQUENCE || *type == END_OF_STREAM;
    }
    enum { END_OF_SEQUENCE = 36, END_OF_BITSTREAM = 37 };
    if (size < 2) return false;
    *type = nal[0] >> 1U & 0x3FU;
    const uint32_t layer = (nal[0] & 1U) << 5U | nal[1] >> 3U;
    const uint32_t temporal_id_plus1 = nal[1] & 7U;
    if (*type >= H265_AP || layer > 0 || temporal_id_plus1 == 0) return false;
    return size > 2 || *type == END_OF_SEQUENCE || *type == END_OF_BITSTREAM;
}

/* Adds the NAL unit at `start` to the list; false if it is none. */
static bool add(vg_assembler *a, uint32_t start, uint32_t size) {
    const uint8_t *nal = a->buffer + start;
    uint8_t type = 0;
    if (!is_kept(a, nal, size, &type)) {
        a->counts.nals_dropped++;
        return false;
    }
    uint8_t flags = 0;
    if (a->gap) flags |= VG_NOTE_GAP | VG_NOTE_BAD;
    if (a->dropped || nal[0] & 0x80U) flags |= VG_NOTE_BAD; /* 0x80: forbidden_zero_bit */
    a->gap = false;
    a->dropped = false;
    a->nals[a->count] = (vg_nal_unit){.offset = start, .size = size, .type = type};
    a->notes[a->count] = (vg_nal_note){.timestamp = a->timestamp, .flags = flags};
    a->count++;
    return true;
}

/* The bytes from `start` to `used` are a NAL unit, or several with start codes between them: V380
 * and Amatek AR-N3222F pack what their encoder gave as it is, in any kind of packet. */
static vg_err finish(vg_assembler *a, uint32_t start, vg_fault *fault) {
    const uint32_t end = a->used;
    uint32_t kept_end = start;
    uint32_t at = start;
    bool is_split = false;
    for (;;) {
        const uint32_t code = (uint32_t)start_code(a->buffer + at, end - at);
        uint32_t size = code;
        while (size > 0 && a->buffer[at + size - 1] == 0)
            size--; /* trailing_zero_8bits */
        if (size > 0) {
            if (a->count == VG_NALS_HELD) {
                vg_unit_discard(a);
                return vg_fail(fault, VG_VALUE, 0, "VG_NALS_MAX");
            }
            if (add(a, at, size)) kept_end = at + size;
        }
        if (at + code >= end) break;
        is_split = true;
        at += code + START_CODE_SIZE;
    }
    a->used = kept_end;
    a->counts.start_codes_inside += is_split;
    return VG_OK;
}

static bool append(vg_assembler *a, const uint8_t *bytes, size_t size) {
    if (size > a->capacity - a->used) {
        vg_unit_discard(a);
        return false;
    }
    memcpy(a->buffer + a->used, bytes, size);
    a->used += (uint32_t)size;
    return true;
}

static vg_err take_nal(vg_assembler *a, const uint8_t *nal, size_t size, vg_fault *fault) {
    const uint32_t start = a->used;
    if (!append(a, nal, size)) return vg_fail(fault, VG_VALUE, 0, "VG_AU_MAX");
    return finish(a, start, fault);
}

/* STAP-A and AP: a size of two bytes before each NAL unit. */
static vg_err take_aggregate(vg_assembler *a, const vg_rtp_packet *packet, size_t header_size,
                             const char *rule, vg_fault *fault) {
    vg_bytes r = vg_bytes_of(packet->payload, packet->payload_size);
    (void)vg_bytes_take(&r, header_size);
    while (vg_bytes_left(&r) > 0) {
        const uint16_t size = vg_bytes_u16(&r);
        if (size == 0) {
            /* Some pad with zeros. Two more of them are another empty NAL unit, one is nothing. */
            if (r.overrun) break;
            continue;
        }
        const uint8_t *nal = vg_bytes_take(&r, size);
        if (nal == NULL) {
            a->dropped = true;
            a->counts.nals_dropped++;
            return vg_fail(fault, VG_SHORT, vg_bytes_offset(&r), rule);
        }
        const vg_err err = take_nal(a, nal, size, fault);
        if (err != VG_OK) return err;
    }
    return VG_OK;
}

typedef struct fragment {
    bool start, end, reserved;
    uint8_t type;
    uint8_t header[2]; /* of the NAL unit it is from */
    size_t header_size;
    const uint8_t *bytes;
    size_t size;
} fragment;

static vg_err begin_fu(vg_assembler *a, const fragment *f, vg_fault *fault) {
    if (a->fu_open) vg_fu_close(a);
    a->fu_lost = false;
    a->fu_start = a->used;
    if (!append(a, f->header, f->header_size)) return vg_fail(fault, VG_VALUE, 0, "VG_AU_MAX");
    a->fu_open = true;
    a->fu_type = f->type;
    return VG_OK;
}

static vg_err take_fragment(vg_assembler *a, const fragment *f, bool marker, const char *rule,
                            vg_fault *fault) {
    /* CostarHD and OpenIPC send whole NAL units as one fragment; some send empty ones. */
    if ((f->start && f->end) || f->reserved || f->size == 0) a->counts.fu_odd++;
    if (f->start) {
        const vg_err err = begin_fu(a, f, fault);
        if (err != VG_OK) return err;
    } else if (!a->fu_open) {
        if (!a->fu_lost) {
            a->fu_lost = true;
            a->counts.fu_odd++;
            a->counts.nals_dropped++;
        }
        a->dropped = true;
        return vg_fail(fault, VG_VALUE, f->header_size, rule);
    } else if (f->type != a->fu_type) {
        a->counts.fu_odd++; /* the first fragment's type holds */
    }
    if (!append(a, f->bytes, f->size)) return vg_fail(fault, VG_VALUE, 0, "VG_AU_MAX");
    a->fu_marker = marker;
    if (!f->end) return VG_OK;
    a->fu_open = false;
    return finish(a, a->fu_start, fault);
}

void vg_fu_drop(vg_assembler *a) {
    assert(a->fu_open);
    a->fu_open = false;
    a->fu_lost = true;
    a->used = a->fu_start;
    a->dropped = true;
    a->counts.nals_dropped++;
}

void vg_fu_close(vg_assembler *a) {
    assert(a->fu_open);
    a->counts.fu_odd++;
    if (!a->fu_marker) {
        vg_fu_drop(a);
        return;
    }
    a->fu_open = false;
    const uint32_t before = a->count;
    vg_fault ignored;
    if (finish(a, a->fu_start, &ignored) != VG_OK) return; /* discarded, and counted */
    vg_mark_last(a, before);
}

static vg_err refuse(vg_assembler *a, const char *rule, vg_fault *fault) {
    a->dropped = true;
    a->counts.nals_dropped++;
    return vg_fail(fault, VG_VALUE, 0, rule);
}

static vg_err depacketize_h264(vg_assembler *a, const vg_rtp_packet *packet, vg_fault *fault) {
    const uint8_t *p = packet->payload;
    const size_t size = packet->payload_size;
    const uint8_t type = p[0] & 0x1FU;
    if (type != H264_FU_A) {
        if (a->fu_open) vg_fu_close(a);
        a->fu_lost = false;
        /* packetization-mode is not asked: cameras that declare 0 send all of these. */
        if (type < H264_STAP_A) return take_nal(a, p, size, fault);
        if (type == H264_STAP_A) return take_aggregate(a, packet, 1, "RFC 6184 5.7.1 size", fault);
        return refuse(a, "RFC 6184 5.2 type", fault);
    }
    if (size < 2) {
        a->dropped = true;
        return vg_fail(fault, VG_SHORT, size, "RFC 6184 5.8 FU header");
    }
    const fragment f = {
        .start = p[1] & 0x80U,
        .end = p[1] & 0x40U,
        .reserved = p[1] & 0x20U,
        .type = p[1] & 0x1FU,
        .header = {(uint8_t)((p[0] & 0xE0U) | (p[1] & 0x1FU))},
        .header_size = 1,
        .bytes = p + 2,
        .size = size - 2,
    };
    return take_fragment(a, &f, packet->marker, "RFC 6184 5.8 S", fault);
}

static vg_err depacketize_h265(vg_assembler *a, const vg_rtp_packet *packet, vg_fault *fault) {
    const uint8_t *p = packet->payload;
    const size_t size = packet->payload_size;
    const uint8_t type = p[0] >> 1U & 0x3FU;
    if (type != H265_FU) {
        if (a->fu_open) vg_fu_close(a);
        a->fu_lost = false;
        if (type < H265_AP) return take_nal(a, p, size, fault);
        if (type == H265_AP) return take_aggregate(a, packet, 2, "RFC 7798 4.4.2 NALU size", fault);
        return refuse(a, "RFC 7798 4.4 Type", fault);
    }
    if (size < 3) {
        a->dropped = true;
        return vg_fail(fault, VG_SHORT, size, "RFC 7798 4.4.3 FU header");
    }
    const fragment f = {
        .start = p[2] & 0x80U,
        .end = p[2] & 0x40U,
        .type = p[2] & 0x3FU,
        .header = {(uint8_t)((p[0] & 0x81U) | (p[2] & 0x3FU) << 1U), p[1]},
        .header_size = 2,
        .bytes = p + 3,
        .size = size - 3,
    };
    return take_fragment(a, &f, packet->marker, "RFC 7798 4.4.3 S", fault);
}

vg_err vg_depacketize(vg_assembler *a, const vg_rtp_packet *packet, vg_fault *fault) {
    if (packet->payload_size == 0) return VG_OK; /* padding only */
    if (a->codec == VG_CODEC_H264) return depacketize_h264(a, packet, fault);
    return depacketize_h265(a, packet, fault);
}
