#include "vg/rtp.h"

#include <assert.h>

#include "bytes.h"

vg_err vg_rtp_parse(const uint8_t *data, size_t size, vg_rtp_packet *out, vg_fault *fault) {
    assert(out != NULL && fault != NULL);

    vg_bytes r = vg_bytes_of(data, size);
    const uint8_t vpxcc = vg_bytes_u8(&r);
    const uint8_t mpt = vg_bytes_u8(&r);
    const uint16_t sequence = vg_bytes_u16(&r);
    const uint32_t timestamp = vg_bytes_u32(&r);
    const uint32_t ssrc = vg_bytes_u32(&r);
    if (r.overrun) return vg_fail(fault, VG_SHORT, size, "RFC 3550 5.1 fixed header");
    if (vpxcc >> 6U != 2) return vg_fail(fault, VG_VALUE, 0, "RFC 3550 5.1 V");

    (void)vg_bytes_take(&r, (size_t)4 * (vpxcc & 0x0FU)); /* CSRC list */
    if (vpxcc & 0x10U) {
        (void)vg_bytes_u16(
            &r); /* defined by the profile; 0xABAC of an ONVIF replay is passed over */
        (void)vg_bytes_take(&r, (size_t)4 * vg_bytes_u16(&r));
    }
    if (r.overrun) return vg_fail(fault, VG_SHORT, vg_bytes_offset(&r), "RFC 3550 5.3.1 length");

    size_t payload_size = vg_bytes_left(&r);
    if ((vpxcc & 0x20U) && payload_size > 0) {
        /* The last byte counts the padding, itself included. A count of 0 breaks that; such cameras
         * set the bit and pad nothing, so nothing is taken away. */
        const size_t padding = data[size - 1];
        if (padding > payload_size) return vg_fail(fault, VG_VALUE, size - 1, "RFC 3550 5.1 P");
        payload_size -= padding;
    }

    *out = (vg_rtp_packet){
        .marker = mpt >> 7U,
        .payload_type = mpt & 0x7FU,
        .sequence = sequence,
        .timestamp = timestamp,
        .ssrc = ssrc,
        .payload = r.pos,
        .payload_size = payload_size,
    };
    return VG_OK;
}
