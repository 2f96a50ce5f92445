#include "vg/rtcp.h"

#include <assert.h>

#include "bytes.h"

enum { TYPE_SR = 200, TYPE_RR = 201, TYPE_BYE = 203 };

vg_err vg_rtcp_next(const uint8_t *data, size_t size, size_t *offset, vg_rtcp_item *out,
                    vg_fault *fault) {
    assert(offset != NULL && *offset <= size && out != NULL && fault != NULL);
    if (*offset == size) return VG_MORE;

    const size_t start = *offset;
    vg_bytes r = vg_bytes_of(data + start, size - start);
    const uint8_t vpc = vg_bytes_u8(&r);
    const uint8_t type = vg_bytes_u8(&r);
    const size_t length = (size_t)4 * vg_bytes_u16(&r); /* without the first word */
    const uint8_t *body = vg_bytes_take(&r, length);
    if (r.overrun) return vg_fail(fault, VG_SHORT, start, "RFC 3550 6.4.1 length");
    if (vpc >> 6U != 2) return vg_fail(fault, VG_VALUE, start, "RFC 3550 6.4.1 V");

    vg_rtcp_item item = {.kind = VG_RTCP_OTHER};
    vg_bytes b = vg_bytes_of(body, length);
    if (type == TYPE_SR) {
        item.kind = VG_RTCP_SR;
        item.ssrc = vg_bytes_u32(&b);
        item.ntp = vg_bytes_u64(&b);
        item.rtp_timestamp = vg_bytes_u32(&b);
        (void)vg_bytes_u64(&b); /* packet and octet counts */
        if (b.overrun) return vg_fail(fault, VG_VALUE, start, "RFC 3550 6.4.1 sender info");
    } else if (type == TYPE_BYE) {
        item.kind = VG_RTCP_BYE;
        if (vpc & 0x1FU) item.ssrc = vg_bytes_u32(&b);
        if (b.overrun) return vg_fail(fault, VG_VALUE, start, "RFC 3550 6.6 SC");
    } else if (length >= 4) {
        item.ssrc = vg_bytes_u32(&b);
    }
    *out = item;
    *offset = start + vg_bytes_offset(&r);
    return VG_OK;
}

void vg_rtcp_write_rr(uint8_t out[VG_RTCP_RR_SIZE], uint32_t own_ssrc,
                      const vg_rtcp_report *report) {
    assert(out != NULL && report != NULL);
    out[0] = 0x81; /* version 2, no padding, one report */
    out[1] = TYPE_RR;
    vg_store_u16(out + 2, VG_RTCP_RR_SIZE / 4 - 1);
    vg_store_u32(out + 4, own_ssrc);
    vg_store_u32(out + 8, report->ssrc);
    vg_store_u32(out + 12, (uint32_t)report->fraction_lost << 24U | (report->lost & 0xFFFFFFU));
    vg_store_u32(out + 16, report->highest_sequence);
    vg_store_u32(out + 20, report->jitter);
    vg_store_u32(out + 24, report->last_sr);
    vg_store_u32(out + 28, report->delay_sr);
}
