/* RFC 7798: single NAL units, AP, FU, and what PACI carries; decoding order numbers where the
 * description declares them (sprop-max-don-diff above 0), since no packet tells. */
#include "assembler.h"
#include "bytes.h"

enum { AP = 48, FU = 49, PACI = 50, HEADER = 2 };

/* A payload whose header may have been rebuilt: what follows it stands apart. */
typedef struct part {
    uint8_t header[HEADER];
    const uint8_t *rest;
    size_t size;
    bool marker;
} part;

static vg_err take_single(vg_assembler *a, const part *p, vg_fault *fault) {
    vg_bytes r = vg_bytes_of(p->rest, p->size);
    if (a->has_donl) {
        const uint16_t don = vg_bytes_u16(&r);
        if (r.overrun) return vg_refuse(a, VG_SHORT, p->size, "RFC 7798 4.4.1 DONL", fault);
        vg_take_don(a, don);
    }
    const size_t size = vg_bytes_left(&r);
    return vg_take_nal(a, p->header, HEADER, vg_bytes_take(&r, size), size, fault);
}

static vg_err take_ap(vg_assembler *a, const part *p, vg_fault *fault) {
    vg_bytes r = vg_bytes_of(p->rest, p->size);
    bool is_first = true;
    uint16_t don = 0;
    while (vg_bytes_left(&r) > 0) {
        if (a->has_donl) don = is_first ? vg_bytes_u16(&r) : (uint16_t)(don + vg_bytes_u8(&r) + 1);
        is_first = false;
        const uint16_t size = vg_bytes_u16(&r);
        if (size == 0) {
            /* Some pad with zeros. Two more of them are another empty NAL unit, one is nothing. */
            if (r.overrun) break;
            continue;
        }
        const uint8_t *nal = vg_bytes_take(&r, size);
        if (nal == NULL)
            return vg_refuse(a, VG_SHORT, HEADER + p->size, "RFC 7798 4.4.2 NALU size", fault);
        if (a->has_donl) vg_take_don(a, don);
        const vg_err err = vg_take_nal(a, nal, size, NULL, 0, fault);
        if (err != VG_OK) return err;
    }
    return VG_OK;
}

static vg_err take_fu(vg_assembler *a, const part *p, vg_fault *fault) {
    vg_bytes r = vg_bytes_of(p->rest, p->size);
    const uint8_t bits = vg_bytes_u8(&r);
    const bool starts = bits & 0x80U;
    const uint16_t don = a->has_donl && starts ? vg_bytes_u16(&r) : 0;
    if (r.overrun) {
        a->dropped = true;
        return vg_fail(fault, VG_SHORT, HEADER + p->size, "RFC 7798 4.4.3 FU header");
    }
    if (a->has_donl && starts) vg_take_don(a, don);
    const size_t size = vg_bytes_left(&r);
    const vg_fragment_unit f = {
        .start = starts,
        .end = bits & 0x40U,
        .type = bits & 0x3FU,
        .header = {(uint8_t)((p->header[0] & 0x81U) | (bits & 0x3FU) << 1U), p->header[1]},
        .header_size = HEADER,
        .bytes = vg_bytes_take(&r, size),
        .size = size,
    };
    return vg_take_fragment(a, &f, p->marker, "RFC 7798 4.4.3 S", fault);
}

static vg_err take(vg_assembler *a, const part *p, vg_fault *fault) {
    const uint8_t type = p->header[0] >> 1U & 0x3FU;
    if (type == FU) return take_fu(a, p, fault);
    vg_fu_interrupt(a);
    if (type < AP) return take_single(a, p, fault);
    if (type == AP) return take_ap(a, p, fault);
    return vg_refuse(a, VG_VALUE, 0, "RFC 7798 4.4 Type", fault);
}

/* RFC 7798 4.4.4: another payload with hints in front of it, which nothing here needs. */
static vg_err unwrap(vg_assembler *a, const part *p, vg_fault *fault) {
    vg_bytes r = vg_bytes_of(p->rest, p->size);
    const uint16_t fields = vg_bytes_u16(&r); /* A, cType 6, PHSsize 5, F0..2, Y */
    (void)vg_bytes_take(&r, fields >> 4U & 0x1FU);
    if (r.overrun) return vg_refuse(a, VG_SHORT, HEADER + p->size, "RFC 7798 4.4.4 PHSsize", fault);
    const part inner = {
        .header = {(uint8_t)(fields >> 8U & 0xFEU) | (p->header[0] & 1U), p->header[1]},
        .rest = r.pos,
        .size = vg_bytes_left(&r),
        .marker = p->marker,
    };
    return take(a, &inner, fault);
}

vg_err vg_depacketize_h265(vg_assembler *a, const vg_rtp_packet *packet, vg_fault *fault) {
    if (packet->payload_size < HEADER)
        return vg_refuse(a, VG_SHORT, packet->payload_size, "RFC 7798 4.4 payload header", fault);
    const uint8_t *p = packet->payload;
    const part whole = {{p[0], p[1]}, p + HEADER, packet->payload_size - HEADER, packet->marker};
    if ((p[0] >> 1U & 0x3FU) == PACI) return unwrap(a, &whole, fault);
    return take(a, &whole, fault);
}
