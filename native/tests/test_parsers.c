/* Parsers at the edge of a mapped page: each input ends where memory ends, cut at every length, so
 * that a byte read too far is a fault of the processor, with vectors and libc's own loops too. And
 * the cursors, by value. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../src/assembler.h"
#include "../src/bits.h"
#include "../src/bytes.h"
#include "vg/rtcp.h"
#include "vg/rtsp_frame.h"

static const uint8_t rtp[] = {0xB1, 0xE0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3,   9,
                              9,    9,    9, 0, 0, 0, 1, 8, 8, 8, 8, 'a', 1};
static const uint8_t rtcp[] = {0x80, 200, 0, 6, 1, 2, 3, 4, 0, 0, 0,    1,   0, 0, 0, 2, 0, 0,
                               0,    3,   0, 0, 0, 4, 0, 0, 0, 5, 0x81, 203, 0, 1, 1, 2, 3, 4};
static const uint8_t rtsp[] =
    "RTSP/1.0 200 OK\r\nContent-Length: 3\r\n\r\nabc\r\n$\0\0\5hello$\1\0\1x?$\0";
static const uint8_t h264_sps[] = {0x67, 0x64, 0x00, 0x1F, 0xAC, 0xB4, 0x06, 0x00,
                                   0x93, 0x42, 0x00, 0x00, 0x03, 0x00, 0x02, 0x00,
                                   0x00, 0x03, 0x00, 0x28, 0x1E, 0x30, 0x65, 0x40};
static const uint8_t h265_sps[] = {0x42, 0x01, 0x01, 0x01, 0x60, 0x00, 0x00, 0x03, 0x00, 0xB0,
                                   0x00, 0x00, 0x03, 0x00, 0x00, 0x03, 0x00, 0x5D, 0xA0, 0x02,
                                   0x80, 0x80, 0x2D, 0x16, 0x59, 0x5E, 0x49, 0x30};

/* `size` bytes that end at the end of a page, behind which nothing may be read. */
static uint8_t *at_the_edge(size_t size) {
    static uint8_t *edge;
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    const size_t pages = 32;
    assert(size <= pages * page);
    if (edge == NULL) {
        uint8_t *map = mmap(NULL, (pages + 1) * page, PROT_READ | PROT_WRITE,
                            MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        assert(map != MAP_FAILED);
        edge = map + pages * page;
        const int failed = mprotect(edge, page, PROT_NONE);
        assert(failed == 0);
    }
    return edge - size;
}

static const uint8_t *put(const uint8_t *bytes, size_t size) {
    uint8_t *edge = at_the_edge(size);
    memcpy(edge, bytes, size);
    return edge;
}

static void test_every_cut_of_a_packet(void) {
    vg_fault fault;
    for (size_t size = 0; size <= sizeof rtp; size++) {
        vg_rtp_packet packet;
        const vg_err err = vg_rtp_parse(put(rtp, size), size, &packet, &fault);
        assert((err == VG_SHORT) == (size < 24));
        if (size == sizeof rtp) assert(packet.payload_size == 1 && packet.payload[0] == 'a');
    }
    for (size_t size = 0; size <= sizeof rtcp; size++) {
        size_t offset = 0;
        vg_rtcp_item item;
        const uint8_t *edge = put(rtcp, size);
        vg_err err = VG_OK;
        while (err == VG_OK)
            err = vg_rtcp_next(edge, size, &offset, &item, &fault);
        const bool is_whole = size == 0 || size == 28 || size == sizeof rtcp;
        assert((err == VG_MORE) == is_whole);
    }
}

static void test_every_cut_of_a_connection(void) {
    const size_t all = sizeof rtsp - 1;
    for (size_t size = 0; size <= all; size++) {
        vg_rtsp_splitter splitter = {.channels = {3}};
        const uint8_t *edge = put(rtsp, size);
        size_t done = 0;
        vg_rtsp_item item;
        vg_fault fault;
        while (vg_rtsp_next(&splitter, edge + done, size - done, &item, &fault) == VG_OK)
            done += item.consumed;
        assert(done <= size);
    }
}

static void test_every_cut_of_a_parameter_set(void) {
    vg_sps sps;
    vg_fault fault;
    for (size_t size = 0; size <= sizeof h264_sps; size++)
        (void)vg_h264_sps_parse(put(h264_sps, size), size, &sps, &fault);
    assert(sps.width == 768 && sps.height == 576);
    for (size_t size = 0; size <= sizeof h265_sps; size++)
        (void)vg_h265_sps_parse(put(h265_sps, size), size, &sps, &fault);
    assert(sps.width == 1280 && sps.height == 720);
}

/* The scan for start codes reads blocks: here the buffer's last byte is the page's. */
static void test_start_codes_at_the_end_of_the_buffer(void) {
    vg_assembler *a = malloc(vg_assembler_size());
    assert(a != NULL);
    for (size_t size = 4; size <= 300; size++) {
        for (size_t code = 1; code + 5 <= size; code += 7) {
            uint8_t nal[300];
            memset(nal, 0x41, sizeof nal);
            memcpy(nal + code, "\0\0\1", 3);
            uint8_t *buffer = at_the_edge(size);
            vg_assembler_init(a, VG_CODEC_H264, 96, buffer, size);
            const vg_rtp_packet packet = {.payload_type = 96, .payload = nal, .payload_size = size};
            vg_fault fault;
            const vg_err err = vg_assembler_push(a, &packet, &fault);
            assert(err == VG_OK);
            vg_assembler_flush(a);
            vg_access_unit au;
            const bool is_pulled = vg_assembler_pull(a, &au);
            assert(is_pulled);
            const vg_nal_unit *last = &au.nals[au.nal_count - 1];
            assert(last->size == size - code - 3);
            assert(vg_assembler_counts(a)->start_codes_inside == 1);
        }
    }
    free(a);
}

static void test_a_cursor_stays_where_it_ran_out(void) {
    static const uint8_t bytes[] = {1, 2, 3, 4, 5};
    vg_bytes r = vg_bytes_of(put(bytes, sizeof bytes), sizeof bytes);
    assert(vg_bytes_u32(&r) == 0x01020304 && !r.overrun);
    assert(vg_bytes_u16(&r) == 0 && r.overrun);
    assert(vg_bytes_u8(&r) == 0 && vg_bytes_offset(&r) == 4); /* sticky: even what would fit */
    assert(vg_bytes_take(&r, 0) == NULL);
    vg_bytes empty = vg_bytes_of(NULL, 0);
    assert(vg_bytes_left(&empty) == 0 && vg_bytes_u64(&empty) == 0 && empty.overrun);
    uint8_t stored[8];
    vg_store_u64(stored, 0x0102030405060708);
    assert(vg_load_u64(stored) == 0x0102030405060708 && stored[0] == 1);
}

static void test_bits_skip_emulation_prevention(void) {
    static const uint8_t bytes[] = {0, 0, 3, 1, 0, 0, 3, 0, 0, 3, 0xFF};
    vg_bits r = vg_bits_of(put(bytes, sizeof bytes), sizeof bytes);
    assert(vg_bits_u(&r, 24) == 1);
    assert(vg_bits_u(&r, 32) == 0); /* 00 00 03 00 00: the 03 is none of it */
    assert(vg_bits_u(&r, 8) == 0xFF && !r.overrun);
    assert(vg_bits_u1(&r) == 0 && r.overrun);
}

static void test_exp_golomb_ends_at_32_zeros(void) {
    static const uint8_t largest[] = {0, 0, 3, 0, 1, 0xFF, 0xFF, 0xFF, 0xFE};
    vg_bits r = vg_bits_of(put(largest, sizeof largest), sizeof largest);
    assert(vg_bits_ue(&r) == UINT32_MAX - 1 && !r.overrun);
    r = vg_bits_of(put(largest, sizeof largest), sizeof largest);
    assert(vg_bits_se(&r) == -INT32_MAX && !r.overrun);
    static const uint8_t endless[] = {0, 0, 3, 0, 0, 3, 0x80, 0, 0, 0};
    r = vg_bits_of(put(endless, sizeof endless), sizeof endless);
    assert(vg_bits_ue(&r) == 0 && r.overrun);
    static const uint8_t few[] = {0xA6, 0x42, 0x98, 0xE2, 0x04, 0x8A}; /* H.264 table 9-2 */
    r = vg_bits_of(put(few, sizeof few), sizeof few);
    for (uint32_t value = 0; value < 9; value++) {
        const uint32_t read = vg_bits_ue(&r);
        assert(read == value);
    }
}

int main(void) {
    test_every_cut_of_a_packet();
    test_every_cut_of_a_connection();
    test_every_cut_of_a_parameter_set();
    test_start_codes_at_the_end_of_the_buffer();
    test_a_cursor_stays_where_it_ran_out();
    test_bits_skip_emulation_prevention();
    test_exp_golomb_ends_at_32_zeros();
    (void)puts("parsers: 7 tests passed");
    return 0;
}
