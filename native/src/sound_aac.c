/* AAC: access units behind their headers (RFC 3640 3.2), one in several packets (3.2.3), and ADTS
 * frames (ISO/IEC 14496-3 1.A.3) where a camera sends those instead or inside (rtsp.md row 112).
 * The index in an AU header is not looked at: nobody interleaves, and some write junk there. */
#include <string.h>

#include "bytes.h"
#include "sound.h"

enum {
    ADTS_HEADER = 7, /* two more with a CRC */
    ADTS_CRC = 2,
    AU_HEADERS_LENGTH = 2,
};

/* Bits of the AU headers, which have no emulation prevention. The caller knows that they are there.
 */
static uint32_t bits_at(const uint8_t *p, size_t at, unsigned count) {
    uint32_t value = 0;
    for (size_t i = at; i < at + count; i++)
        value = value << 1U | ((uint32_t)p[i / 8] >> (7 - i % 8) & 1U);
    return value;
}

static bool is_adts(const uint8_t *p, size_t size) {
    return size >= ADTS_HEADER && p[0] == 0xFF && (p[1] & 0xF6U) == 0xF0;
}

static uint32_t adts_size(const uint8_t *p) {
    return (p[3] & 3U) << 11U | (uint32_t)p[4] << 3U | (uint32_t)p[5] >> 5U;
}

static uint32_t adts_header(const uint8_t *p) {
    return (p[1] & 1U) != 0 ? ADTS_HEADER : ADTS_HEADER + ADTS_CRC;
}

/* A whole access unit, without the header of a file that some leave in front of it. */
static vg_err add(vg_sound_reader *r, const uint8_t *bytes, uint32_t size, uint32_t timestamp,
                  vg_fault *fault) {
    if (is_adts(bytes, size) && adts_size(bytes) == size && adts_header(bytes) <= size) {
        const uint32_t header = adts_header(bytes);
        bytes += header;
        size -= header;
    }
    const vg_sound_frame frame = {bytes, size, timestamp, r->sound.frame_ticks};
    return vg_sound_add(r, &frame, fault);
}

static vg_err take_adts(vg_sound_reader *r, const vg_rtp_packet *p, vg_fault *fault) {
    size_t at = 0;
    uint32_t timestamp = p->timestamp;
    while (at < p->payload_size) {
        const uint8_t *frame = p->payload + at;
        if (!is_adts(frame, p->payload_size - at))
            return vg_fail(fault, VG_VALUE, at, "14496-3 1.A.3.2 syncword");
        const uint32_t size = adts_size(frame);
        if (size < adts_header(frame) || size > p->payload_size - at)
            return vg_fail(fault, VG_SHORT, at, "14496-3 1.A.3.2 aac_frame_length");
        /* number_of_raw_data_blocks_in_frame: more than one cannot be told apart without decoding.
         */
        if ((frame[6] & 3U) != 0)
            return vg_fail(fault, VG_UNSUPPORTED, at, "14496-3 1.A.3.2 blocks of an ADTS frame");
        const vg_err err = add(r, frame, size, timestamp, fault);
        if (err != VG_OK) return err;
        timestamp += r->sound.frame_ticks;
        at += size;
    }
    return VG_OK;
}

/* RFC 3640 3.2.3: each fragment has the header of the whole access unit. */
static vg_err take_part(vg_sound_reader *r, const vg_rtp_packet *p, size_t from, uint32_t wanted,
                        vg_fault *fault) {
    if (wanted > VG_SOUND_FRAME_MAX) {
        r->part_wanted = 0;
        return vg_fail(fault, VG_LIMIT, 0, "VG_SOUND_FRAME_MAX");
    }
    if (r->part_wanted != wanted || r->part_timestamp != p->timestamp) {
        r->part_wanted = wanted;
        r->part_timestamp = p->timestamp;
        r->part_size = 0;
    }
    const size_t size = p->payload_size - from;
    if (size > wanted - r->part_size) {
        r->part_wanted = 0;
        return vg_fail(fault, VG_VALUE, from, "RFC 3640 3.2.3 fragments longer than the whole");
    }
    memcpy(r->part + r->part_size, p->payload + from, size);
    r->part_size += (uint32_t)size;
    if (r->part_size < wanted) return VG_OK;
    r->part_wanted = 0;
    return add(r, r->part, wanted, p->timestamp, fault);
}

vg_err vg_sound_take_aac(vg_sound_reader *r, const vg_rtp_packet *p, vg_fault *fault) {
    if (is_adts(p->payload, p->payload_size)) return take_adts(r, p, fault);
    if (p->payload_size < AU_HEADERS_LENGTH)
        return vg_fail(fault, VG_SHORT, 0, "RFC 3640 3.2.1 AU-headers-length");
    const size_t bits = vg_load_u16(p->payload);
    size_t at = AU_HEADERS_LENGTH + (bits + 7) / 8;
    if (at > p->payload_size) return vg_fail(fault, VG_SHORT, 0, "RFC 3640 3.2.1 AU headers");
    const uint8_t *headers = p->payload + AU_HEADERS_LENGTH;
    uint32_t timestamp = p->timestamp;
    for (size_t bit = 0; bit + r->sound.size_bits <= bits;) {
        const uint32_t size = bits_at(headers, bit, r->sound.size_bits);
        const bool is_first = bit == 0;
        bit += r->sound.size_bits;
        bit += is_first ? r->sound.index_bits : r->sound.delta_bits;
        if (size > p->payload_size - at) {
            const bool is_only = is_first && bit + r->sound.size_bits > bits;
            if (is_only) return take_part(r, p, at, size, fault);
            return vg_fail(fault, VG_SHORT, at, "RFC 3640 3.2.1.1 AU-size");
        }
        /* The last fragment is as long as what is missing, and its header tells the whole. */
        const vg_err err = add(r, p->payload + at, size, timestamp, fault);
        if (err != VG_OK) return err;
        at += size;
        timestamp += r->sound.frame_ticks;
    }
    return VG_OK;
}
