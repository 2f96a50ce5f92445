/* What the depacketisers of all codecs share: NAL units into the buffer, start codes where they do
 * not belong, fragments. */
#include <assert.h>
#include <string.h>

#include "assembler.h"
#include "bytes.h"

/* Types of RTP payloads begin here that are no NAL units (RFC 6184 5.2, RFC 7798 4.4). */
enum { H264_STAP_A = 24, H265_AP = 48 };
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

static bool is_kept(vg_assembler *a, const uint8_t *nal, size_t size, uint8_t *type) {
    if (a->codec == VG_CODEC_H264) {
        enum { END_OF_SEQUENCE = 10, END_OF_STREAM = 11 };
        enum { PARTITION_A = 2, PARTITION_C = 4, SPS = 7, EXTENDED = 88 };
        *type = nal[0] & 0x1FU;
        if (*type == 0 || *type >= H264_STAP_A) return false;
        if (*type == SPS && size > 1) a->is_extended = nal[1] == EXTENDED;
        /* Partitions are of one profile alone (A.2.3), which no camera has; but so does H.265 look
         * once a camera sends that instead, and would be recorded for ever as pictures. */
        if (*type >= PARTITION_A && *type <= PARTITION_C && !a->is_extended) return false;
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

void vg_list_unit(vg_assembler *a, uint32_t start, uint32_t size, uint8_t type, bool is_bad) {
    assert(a->count < VG_NALS_HELD);
    uint8_t flags = 0;
    if (a->gap || a->dropped) flags |= VG_NOTE_GAP | VG_NOTE_BAD;
    if (is_bad) flags |= VG_NOTE_BAD;
    a->gap = false;
    a->dropped = false;
    a->nals[a->count] = (vg_nal_unit){.offset = start, .size = size, .type = type};
    a->notes[a->count] = (vg_nal_note){.timestamp = a->timestamp, .flags = flags};
    a->count++;
}

/* Adds the NAL unit at `start` to the list; false if it is none. */
static bool add(vg_assembler *a, uint32_t start, uint32_t size) {
    const uint8_t *nal = a->buffer + start;
    uint8_t type = 0;
    if (!is_kept(a, nal, size, &type)) {
        a->counts.nals_dropped++;
        return false;
    }
    vg_list_unit(a, start, size, type, (nal[0] & 0x80U) != 0); /* forbidden_zero_bit */
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

bool vg_append(vg_assembler *a, const uint8_t *bytes, size_t size) {
    if (size > a->capacity - a->used) {
        vg_unit_discard(a);
        return false;
    }
    if (size > 0) memcpy(a->buffer + a->used, bytes, size);
    a->used += (uint32_t)size;
    return true;
}

vg_err vg_take_nal(vg_assembler *a, const uint8_t *header, size_t header_size, const uint8_t *rest,
                   size_t size, vg_fault *fault) {
    const uint32_t start = a->used;
    if (!vg_append(a, header, header_size) || !vg_append(a, rest, size))
        return vg_fail(fault, VG_VALUE, 0, "VG_AU_MAX");
    return finish(a, start, fault);
}

void vg_take_don(vg_assembler *a, uint16_t don) {
    /* RFC 6184 5.5, RFC 7798 6: what decodes before something that came already. No camera is known
     * to send in another order than it encoded; where one does, its pictures are marked. */
    if (a->has_don && (uint16_t)(don - a->don) >= 0x8000) {
        a->counts.order_odd++;
        a->dropped = true;
    }
    a->has_don = true;
    a->don = don;
}

static vg_err begin_fu(vg_assembler *a, const vg_fragment_unit *f, vg_fault *fault) {
    if (a->fu_open) vg_fu_close(a);
    a->fu_lost = false;
    a->fu_start = a->used;
    if (!vg_append(a, f->header, f->header_size)) return vg_fail(fault, VG_VALUE, 0, "VG_AU_MAX");
    a->fu_open = true;
    a->fu_type = f->type;
    return VG_OK;
}

vg_err vg_refuse_part(vg_assembler *a, size_t offset, const char *rule, vg_fault *fault) {
    if (!a->fu_lost) {
        a->fu_lost = true;
        a->counts.fu_odd++;
        a->counts.nals_dropped++;
    }
    a->dropped = true;
    return vg_fail(fault, VG_VALUE, offset, rule);
}

vg_err vg_take_fragment(vg_assembler *a, const vg_fragment_unit *f, bool marker, const char *rule,
                        vg_fault *fault) {
    /* CostarHD and OpenIPC send whole NAL units as one fragment; some send empty ones. */
    if ((f->start && f->end) || f->reserved || f->size == 0) a->counts.fu_odd++;
    if (f->start) {
        const vg_err err = begin_fu(a, f, fault);
        if (err != VG_OK) return err;
    } else if (!a->fu_open) {
        return vg_refuse_part(a, f->header_size, rule, fault);
    } else if (f->type != a->fu_type) {
        a->counts.fu_odd++; /* the first fragment's type holds */
    }
    if (!vg_append(a, f->bytes, f->size)) return vg_fail(fault, VG_VALUE, 0, "VG_AU_MAX");
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
    if (a->codec == VG_CODEC_MJPEG) {
        vg_jpeg_close(a);
        return;
    }
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

void vg_fu_interrupt(vg_assembler *a) {
    if (a->fu_open) vg_fu_close(a);
    a->fu_lost = false;
}

vg_err vg_refuse(vg_assembler *a, vg_err err, size_t offset, const char *rule, vg_fault *fault) {
    a->dropped = true;
    a->counts.nals_dropped++;
    return vg_fail(fault, err, offset, rule);
}

vg_err vg_depacketize(vg_assembler *a, const vg_rtp_packet *packet, vg_fault *fault) {
    if (packet->payload_size == 0) return VG_OK; /* padding only */
    if (a->codec == VG_CODEC_H264) return vg_depacketize_h264(a, packet, fault);
    if (a->codec == VG_CODEC_H265) return vg_depacketize_h265(a, packet, fault);
    return vg_depacketize_jpeg(a, packet, fault);
}
