/* AAC in LATM (RFC 6416 6.3, ISO/IEC 14496-3 1.7.3): an element is frames of one layer, each behind
 * its length, and its configuration was told in the description. It stands in one packet, or goes
 * on in those that follow with the same timestamp. */
#include <string.h>

#include "bytes.h"
#include "sound.h"

enum { LENGTH_GOES_ON = 255 };

/* ISO/IEC 14496-3 1.7.3.1, PayloadLengthInfo with frameLengthType 0: bytes up to the first that is
 * not 255, all added. False: the length itself is not all there. */
static bool take_length(vg_bytes *r, size_t *size) {
    *size = 0;
    uint8_t byte = LENGTH_GOES_ON;
    while (byte == LENGTH_GOES_ON && vg_bytes_left(r) > 0) {
        byte = vg_bytes_u8(r);
        *size += byte;
    }
    return byte != LENGTH_GOES_ON;
}

/* Whether the bytes are an element and nothing of it is missing. */
static bool is_whole(const uint8_t *bytes, size_t size) {
    vg_bytes r = vg_bytes_of(bytes, size);
    size_t frame = 0;
    while (vg_bytes_left(&r) > 0) {
        if (!take_length(&r, &frame) || frame > vg_bytes_left(&r)) return false;
        (void)vg_bytes_take(&r, frame);
    }
    return true;
}

/* What is whole, frame by frame. Bytes that fill it up are lengths of nothing. */
static vg_err take_element(vg_sound_reader *r, const uint8_t *bytes, size_t size,
                           uint32_t timestamp, vg_fault *fault) {
    vg_bytes element = vg_bytes_of(bytes, size);
    size_t length = 0;
    while (vg_bytes_left(&element) > 0 && take_length(&element, &length)) {
        if (length > VG_SOUND_FRAME_MAX)
            return vg_fail(fault, VG_LIMIT, vg_bytes_offset(&element), "VG_SOUND_FRAME_MAX");
        const uint8_t *at = vg_bytes_take(&element, length);
        const vg_sound_frame frame = {at, (uint32_t)length, timestamp, r->sound.frame_ticks};
        const vg_err err = vg_sound_add(r, &frame, fault);
        if (err != VG_OK) return err;
        timestamp += r->sound.frame_ticks;
    }
    return VG_OK;
}

/* One more packet of an element that is not whole yet. */
static vg_err take_part(vg_sound_reader *r, const vg_rtp_packet *p, vg_fault *fault) {
    if (p->payload_size > sizeof r->part - r->part_size) {
        r->part_wanted = 0;
        return vg_fail(fault, VG_LIMIT, 0, "RFC 6416 6.3 an element in packets without end");
    }
    memcpy(r->part + r->part_size, p->payload, p->payload_size);
    r->part_size += (uint32_t)p->payload_size;
    if (!is_whole(r->part, r->part_size)) return VG_OK;
    r->part_wanted = 0;
    return take_element(r, r->part, r->part_size, p->timestamp, fault);
}

/* Behind a loss a packet of a camera that splits elements may be the middle of one, which nothing
 * in it tells: what has its timestamp is left out. */
static bool is_middle(vg_sound_reader *r, const vg_rtp_packet *p) {
    if (r->is_behind_loss && r->splits) {
        r->skips = true;
        r->part_timestamp = p->timestamp;
    }
    r->is_behind_loss = false;
    r->skips = r->skips && p->timestamp == r->part_timestamp;
    return r->skips;
}

vg_err vg_sound_take_latm(vg_sound_reader *r, const vg_rtp_packet *p, vg_fault *fault) {
    if (is_middle(r, p))
        return vg_fail(fault, VG_VALUE, 0, "RFC 6416 6.3 an element whose begin was lost");
    if (r->part_wanted != 0 && p->timestamp == r->part_timestamp) return take_part(r, p, fault);
    const bool is_cut_off = r->part_wanted != 0;
    r->part_wanted = 0;
    if (is_cut_off) r->counts.odd++;
    if (is_whole(p->payload, p->payload_size))
        return take_element(r, p->payload, p->payload_size, p->timestamp, fault);
    r->splits = true;
    r->part_wanted = 1; /* how much is told by the parts themselves */
    r->part_timestamp = p->timestamp;
    r->part_size = 0;
    return take_part(r, p, fault);
}
