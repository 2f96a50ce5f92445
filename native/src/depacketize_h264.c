/* RFC 6184: single NAL units, STAP-A and -B, MTAP16 and -24, FU-A and -B. packetization-mode is not
 * asked: cameras that declare 0 send all of the first (rtsp.md row 101). */
#include "assembler.h"
#include "bytes.h"

enum { STAP_A = 24, STAP_B = 25, MTAP16 = 26, MTAP24 = 27, FU_A = 28, FU_B = 29 };

/* STAP-A: a size of two bytes before each NAL unit; STAP-B: a decoding order number before the
 * first. */
static vg_err take_stap(vg_assembler *a, const vg_rtp_packet *packet, bool has_don,
                        vg_fault *fault) {
    vg_bytes r = vg_bytes_of(packet->payload, packet->payload_size);
    (void)vg_bytes_take(&r, 1);
    uint16_t don = has_don ? vg_bytes_u16(&r) : 0;
    if (r.overrun) return vg_refuse(a, VG_SHORT, packet->payload_size, "RFC 6184 5.7.1 DON", fault);
    while (vg_bytes_left(&r) > 0) {
        const uint16_t size = vg_bytes_u16(&r);
        if (size == 0) {
            /* Some pad with zeros. Two more of them are another empty NAL unit, one is nothing. */
            if (r.overrun) break;
            continue;
        }
        const uint8_t *nal = vg_bytes_take(&r, size);
        if (nal == NULL)
            return vg_refuse(a, VG_SHORT, vg_bytes_offset(&r), "RFC 6184 5.7.1 size", fault);
        if (has_don) vg_take_don(a, don++);
        const vg_err err = vg_take_nal(a, nal, size, NULL, 0, fault);
        if (err != VG_OK) return err;
    }
    return VG_OK;
}

/* Each NAL unit has its own number and timestamp, told as distances of one and of two or three
 * bytes. */
static vg_err take_mtap(vg_assembler *a, const vg_rtp_packet *packet, size_t offset_bytes,
                        vg_fault *fault) {
    vg_bytes r = vg_bytes_of(packet->payload, packet->payload_size);
    (void)vg_bytes_take(&r, 1);
    const uint16_t base = vg_bytes_u16(&r);
    while (vg_bytes_left(&r) > 0) {
        const uint16_t size = vg_bytes_u16(&r);
        const uint8_t distance = vg_bytes_u8(&r);
        uint32_t later = offset_bytes == 3 ? vg_bytes_u8(&r) : 0;
        later = later << 16U | vg_bytes_u16(&r);
        const uint8_t *nal = vg_bytes_take(&r, size);
        if (r.overrun || nal == NULL)
            return vg_refuse(a, VG_SHORT, vg_bytes_offset(&r), "RFC 6184 5.7.2 size", fault);
        if (size == 0) continue;
        vg_take_don(a, (uint16_t)(base + distance));
        /* Stays for the next packet to be compared with. Where pictures part in here is told by
         * their first slices: nothing can be lost inside of a packet. */
        a->timestamp = packet->timestamp + later;
        const vg_err err = vg_take_nal(a, nal, size, NULL, 0, fault);
        if (err != VG_OK) return err;
    }
    return VG_OK;
}

static vg_err take_fu(vg_assembler *a, const vg_rtp_packet *packet, bool has_don, vg_fault *fault) {
    const uint8_t *p = packet->payload;
    const size_t header_bytes = has_don ? 4 : 2;
    if (packet->payload_size < header_bytes) {
        a->dropped = true;
        return vg_fail(fault, VG_SHORT, packet->payload_size, "RFC 6184 5.8 FU header");
    }
    const vg_fragment_unit f = {
        .start = p[1] & 0x80U,
        .end = p[1] & 0x40U,
        .reserved = p[1] & 0x20U,
        .type = p[1] & 0x1FU,
        .header = {(uint8_t)((p[0] & 0xE0U) | (p[1] & 0x1FU))},
        .header_size = 1,
        .bytes = p + header_bytes,
        .size = packet->payload_size - header_bytes,
    };
    if (has_don && f.start) vg_take_don(a, vg_load_u16(p + 2));
    return vg_take_fragment(a, &f, packet->marker, "RFC 6184 5.8 S", fault);
}

vg_err vg_depacketize_h264(vg_assembler *a, const vg_rtp_packet *packet, vg_fault *fault) {
    const uint8_t type = packet->payload[0] & 0x1FU;
    if (type == FU_A || type == FU_B) return take_fu(a, packet, type == FU_B, fault);
    vg_fu_interrupt(a);
    if (type < STAP_A) return vg_take_nal(a, packet->payload, packet->payload_size, NULL, 0, fault);
    if (type <= STAP_B) return take_stap(a, packet, type == STAP_B, fault);
    if (type <= MTAP24) return take_mtap(a, packet, type == MTAP24 ? 3 : 2, fault);
    return vg_refuse(a, VG_VALUE, 0, "RFC 6184 5.2 type", fault);
}
