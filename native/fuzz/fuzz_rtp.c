/* Holds for any bytes: no crash, and the payload lies inside the datagram. And for a packet that is
 * known: whatever lists, extension and padding stand around it, its payload and its numbers come
 * out (the input's first bytes are its header, the rest its payload). */
#include <stdlib.h>
#include <string.h>

#include "put.h"
#include "vg/rtp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { PAYLOAD_MAX = 64, PLAN = 16, PACKET_MAX = 12 + 15 * 4 + 4 + 255 * 4 + PAYLOAD_MAX + 256 };

static void check(bool holds) {
    if (!holds) abort();
}

static void parse(const uint8_t *data, size_t size) {
    vg_rtp_packet packet;
    vg_fault fault;
    if (vg_rtp_parse(data, size, &packet, &fault) != VG_OK) {
        check(fault.rule != NULL && fault.offset <= size);
        return;
    }
    check(packet.payload >= data && packet.payload_size <= size - (size_t)(packet.payload - data));
}

static void read_back(const uint8_t *plan, const uint8_t *payload, size_t size) {
    static uint8_t bytes[PACKET_MAX];
    const bool has_extension = (plan[0] & 0x10U) != 0;
    const uint8_t padding = (plan[0] & 0x20U) != 0 ? plan[12] : 0;
    vg_put w = vg_put_into(bytes, sizeof bytes);
    vg_put_u8(&w, (uint8_t)(0x80U | (plan[0] & 0x1FU) | (padding > 0 ? 0x20U : 0U)));
    vg_put_bytes(&w, plan + 1, 11);
    vg_put_zeros(&w, (size_t)4 * (plan[0] & 15U));
    if (has_extension) {
        vg_put_u16(&w, 0xABAC);
        vg_put_u16(&w, plan[13]);
        vg_put_zeros(&w, (size_t)4 * plan[13]);
    }
    vg_put_bytes(&w, payload, size);
    if (padding > 0) vg_put_zeros(&w, (size_t)padding - 1);
    if (padding > 0) vg_put_u8(&w, padding);
    check(!w.overrun);
    vg_rtp_packet packet;
    vg_fault fault;
    check(vg_rtp_parse(bytes, vg_put_offset(&w), &packet, &fault) == VG_OK);
    check(packet.payload_size == size && memcmp(packet.payload, payload, size) == 0);
    check(packet.marker == (plan[1] >= 128) && packet.payload_type == (plan[1] & 127U));
    check(packet.sequence == vg_load_u16(plan + 2) && packet.timestamp == vg_load_u32(plan + 4));
    check(packet.ssrc == vg_load_u32(plan + 8));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    parse(data, size);
    if (size <= PLAN) return 0;
    const size_t rest = size - PLAN;
    read_back(data, data + PLAN, rest < PAYLOAD_MAX ? rest : PAYLOAD_MAX);
    return 0;
}
