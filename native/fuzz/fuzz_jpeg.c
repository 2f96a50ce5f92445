/* Reads the input as packets of JPEG pictures (RFC 2435), most of them with headers that fit. Holds
 * for any of them: no crash; the state's invariants after every step; each access unit is one file
 * with a beginning and an end; and what is pulled is what was counted. The bytes themselves are
 * also read as a file.
 *
 * Input: byte 0 room; then for each packet a byte of flags, a byte of size, a byte of Q and the
 * payload. */
#include <stdlib.h>
#include <string.h>

#include "../src/assembler.h"
#include "bytes.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
    NEW_TIMESTAMP = 1,
    MARKER = 2,
    LOST = 4,
    BEGINS = 8,
    RESTART = 16,
    TABLES = 32,
    RAW = 64, /* the payload is the input's, and four times the size */
    LAZY = 128,
    HEADERS_MAX = 8 + 4 + 4 + 128,
};

static void check_file(const vg_access_unit *au, size_t capacity) {
    if (au->nal_count != 1 || au->kind != VG_SYNC_IDR || !au->is_picture) abort();
    const vg_nal_unit *file = &au->nals[0];
    const uint8_t *p = au->bytes + file->offset;
    if (file->size < 4 || file->size > capacity || file->type != 0) abort();
    if (vg_load_u16(p) != 0xFFD8 || vg_load_u16(p + file->size - 2) != 0xFFD9) abort();
}

static uint64_t pull_all(vg_assembler *a, size_t capacity) {
    uint64_t pulled = 0;
    vg_access_unit au;
    while (vg_assembler_pull(a, &au)) {
        check_file(&au, capacity);
        vg_assembler_check(a);
        pulled++;
    }
    return pulled;
}

/* Headers that lead on from what was sent. */
static size_t write_headers(uint8_t *p, uint8_t flags, uint8_t q, uint32_t *offset) {
    if (flags & BEGINS) *offset = 0;
    vg_store_u32(p, *offset);
    p[4] = (uint8_t)((flags & RESTART ? 64 : 0) | (q & 1U));
    p[5] = q;
    p[6] = 4;
    p[7] = (uint8_t)(q & 2U); /* sometimes 0: not told */
    size_t used = 8;
    if (flags & RESTART) {
        vg_store_u32(p + used, 0x0010FFFF);
        used += 4;
    }
    if (q < 128 || *offset > 0) return used;
    const uint8_t tables = flags & TABLES ? 128 : 0;
    vg_store_u32(p + used, tables);
    memset(p + used + 4, q, tables);
    return used + 4 + tables;
}

static void read_as_file(const uint8_t *data, size_t size) {
    uint16_t width = 0;
    uint16_t height = 0;
    vg_fault fault = {0};
    const vg_err err = vg_jpeg_size(data, size, &width, &height, &fault);
    if (err == VG_OK ? width == 0 || height == 0 : fault.rule == NULL) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size == 0) return 0;
    read_as_file(data, size);
    const size_t capacity = 1 + (size_t)data[0] * 64;
    static vg_assembler state;
    vg_assembler *a = &state;
    uint8_t *buffer = malloc(capacity);
    if (buffer == NULL) abort();
    vg_assembler_init(a, VG_CODEC_MJPEG, 26, buffer, capacity);
    if (data[0] & 1U) vg_assembler_expect_size(a, 2560, 1920);

    vg_rtp_packet packet = {.payload_type = 26, .ssrc = 1};
    uint64_t pulled = 0;
    uint32_t offset = 0;
    size_t at = 1;
    while (size - at >= 3) {
        const uint8_t flags = data[at];
        size_t want = (size_t)data[at + 1] * (flags & RAW ? 4 : 1);
        const uint8_t q = data[at + 2];
        at += 3;
        if (want > size - at) want = size - at;
        uint8_t headers[HEADERS_MAX];
        const size_t head = flags & RAW ? 0 : write_headers(headers, flags, q, &offset);
        uint8_t *payload = malloc(head + want); /* exactly: a byte read behind it is seen */
        if (payload == NULL && head + want > 0) abort();
        if (head > 0) memcpy(payload, headers, head);
        if (want > 0) memcpy(payload + head, data + at, want);
        at += want;
        offset = (offset + (uint32_t)want) & 0xFFFFFFU;

        if (flags & NEW_TIMESTAMP) packet.timestamp += 3600;
        if (flags & LOST) packet.sequence++;
        packet.marker = (flags & MARKER) != 0;
        packet.payload = payload;
        packet.payload_size = head + want;
        vg_fault fault = {0};
        for (int tries = 0;; tries++) {
            const vg_err err = vg_assembler_push(a, &packet, &fault);
            vg_assembler_check(a);
            if (err == VG_AGAIN) {
                if (tries == 2) abort();
                pulled += pull_all(a, capacity);
                continue;
            }
            if (err != VG_OK && (fault.rule == NULL || (err != VG_VALUE && err != VG_SHORT)))
                abort();
            break;
        }
        free(payload);
        packet.sequence++;
        if (!(flags & LAZY)) pulled += pull_all(a, capacity);
    }
    vg_assembler_flush(a);
    pulled += pull_all(a, capacity);
    if (vg_assembler_counts(a)->access_units != pulled) abort();
    free(buffer);
    return 0;
}
