/* Reads the input as a list of packets (lost, marked, new timestamp, fragment, aggregate, other
 * SSRC), not as bytes, so that most of them get past the first check. Holds for any of them: no
 * crash; the state's invariants after every step; NAL units lie in the access unit, in order,
 * within its limits, have a legal type, and hold no start code; and what is pulled is what was
 * counted.
 *
 * Input: byte 0 codec, room and whether H.265 numbers its NAL units; then for each packet a byte of
 * flags, a byte of size, a byte of kind and the payload. Lost and doubled at once: the camera goes
 * on from another number. */
#include <stdlib.h>
#include <string.h>

#include "../src/assembler.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
    NEW_TIMESTAMP = 1,
    MARKER = 2,
    LOST = 4,
    DUPLICATE = 8,
    OTHER_SSRC = 16,
    OTHER_TYPE = 32,
    BREAK = 64,
    LAZY = 128, /* do not pull */
    FAR = 4000, /* packets */
};

static void check_unit(const vg_access_unit *au, vg_codec codec, size_t capacity) {
    if (au->nal_count == 0 || au->nal_count > VG_NALS_MAX) abort();
    uint32_t last = 0;
    for (uint32_t i = 0; i < au->nal_count; i++) {
        const vg_nal_unit *nal = &au->nals[i];
        if (nal->offset < last || nal->size == 0) abort();
        last = nal->offset + nal->size;
        if (last > capacity) abort();
        const uint8_t *p = au->bytes + nal->offset;
        const uint8_t type = codec == VG_CODEC_H264 ? p[0] & 0x1FU : p[0] >> 1U & 0x3FU;
        if (type != nal->type || p[nal->size - 1] == 0) abort();
        if (codec == VG_CODEC_H264 ? type == 0 || type > 23 : type > 47) abort();
        if (memmem(p, nal->size, "\0\0\1", 3) != NULL) abort();
    }
    if (au->kind != VG_SYNC_NONE && !au->is_picture) abort();
}

static uint64_t pull_all(vg_assembler *a, vg_codec codec, size_t capacity) {
    uint64_t pulled = 0;
    vg_access_unit au;
    while (vg_assembler_pull(a, &au)) {
        check_unit(&au, codec, capacity);
        vg_assembler_check(a);
        pulled++;
    }
    return pulled;
}

/* The payload's header, so that fragments and aggregates are frequent. */
static size_t write_header(uint8_t *p, vg_codec codec, uint8_t kind, uint8_t detail) {
    if (codec == VG_CODEC_H264) {
        static const uint8_t types[] = {0x65, 0x41, 0x67, 0x06, 0x09, 0x78, 0x7C, 0x7C,
                                        0x65, 0x41, 0x79, 0x7A, 0x7B, 0x78, 0x7D, 0x7D};
        p[0] = types[kind % 16];
        p[1] = detail;
        return kind % 8 >= 6 ? 2 : 1;
    }
    static const uint8_t types[] = {19, 1, 33, 39, 40, 48, 49, 49, 19, 1, 50, 50, 50, 48, 49, 50};
    p[0] = (uint8_t)(types[kind % 16] << 1U);
    p[1] = 1;
    p[2] = detail;
    return kind % 8 >= 6 ? 3 : 2;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size == 0) return 0;
    const vg_codec codec = data[0] & 1U ? VG_CODEC_H264 : VG_CODEC_H265;
    const size_t capacity = 1 + ((size_t)data[0] >> 1U) * 16;
    static vg_assembler state;
    vg_assembler *a = &state;
    uint8_t *buffer = malloc(capacity);
    if (buffer == NULL) abort();
    vg_assembler_init(a, codec, 96, buffer, capacity);

    if (data[0] & 0x20U) vg_assembler_lossy(a);
    if (codec == VG_CODEC_H265 && data[0] & 0x40U) vg_assembler_expect_donl(a);
    vg_rtp_packet packet = {.payload_type = 96, .ssrc = 1};
    uint64_t pulled = 0;
    size_t at = 1;
    while (size - at >= 3) {
        const uint8_t flags = data[at];
        size_t want = data[at + 1];
        const uint8_t kind = data[at + 2];
        at += 3;
        if (want > size - at) want = size - at;
        uint8_t header[3];
        size_t head = 0;
        if (kind & 0x80U) head = write_header(header, codec, kind, want > 0 ? data[at] : 0);
        uint8_t *payload = malloc(head + want); /* exactly: a byte read behind it is seen */
        if (payload == NULL && head + want > 0) abort();
        if (head > 0) memcpy(payload, header, head);
        if (want > 0) memcpy(payload + head, data + at, want);
        at += want;

        if (flags & NEW_TIMESTAMP) packet.timestamp += 3600;
        if ((flags & (LOST | DUPLICATE)) == (LOST | DUPLICATE))
            packet.sequence = (uint16_t)(packet.sequence - FAR);
        else if (flags & LOST)
            packet.sequence++;
        if (flags & BREAK) vg_assembler_break(a);
        packet.marker = (flags & MARKER) != 0;
        packet.payload_type = flags & OTHER_TYPE ? 50 : 96;
        packet.ssrc = flags & OTHER_SSRC ? 2 : 1;
        packet.payload = payload;
        packet.payload_size = head + want;
        vg_fault fault = {0};
        for (int tries = 0;; tries++) {
            const vg_err err = vg_assembler_push(a, &packet, &fault);
            vg_assembler_check(a);
            if (err == VG_OK) break;
            if (err == VG_AGAIN) {
                if (tries == 2) abort();
                pulled += pull_all(a, codec, capacity);
                continue;
            }
            if (fault.rule == NULL || (err != VG_VALUE && err != VG_SHORT)) abort();
            break;
        }
        free(payload);
        if ((flags & (LOST | DUPLICATE)) != DUPLICATE) packet.sequence++;
        if (!(flags & LAZY)) pulled += pull_all(a, codec, capacity);
    }
    vg_assembler_flush(a);
    pulled += pull_all(a, codec, capacity);
    vg_access_unit au;
    if (vg_assembler_pull(a, &au)) abort();
    if (vg_assembler_counts(a)->access_units != pulled) abort();
    free(buffer);
    return 0;
}
