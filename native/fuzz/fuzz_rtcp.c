/* Holds for any bytes: no crash, each step moves forward and stays inside, and there are no more
 * items than words. And for a compound that is known, of our own report and a camera's: each of its
 * items is read as it was written (the input is their numbers). */
#include <stdlib.h>
#include <string.h>

#include "put.h"
#include "vg/rtcp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { NUMBERS = 28, TYPE_SR = 200, TYPE_BYE = 203 };

static void check(bool holds) {
    if (!holds) abort();
}

static void read_any(const uint8_t *data, size_t size) {
    size_t offset = 0;
    for (size_t items = 0; items <= size / 4; items++) {
        vg_rtcp_item item;
        vg_fault fault;
        const size_t before = offset;
        const vg_err err = vg_rtcp_next(data, size, &offset, &item, &fault);
        if (err == VG_OK) {
            check(offset > before && offset <= size);
            continue;
        }
        check(offset == before);
        check(err != VG_MORE || offset == size);
        check(err == VG_MORE || (fault.rule != NULL && fault.offset <= size));
        return;
    }
    abort();
}

static void read_back(const uint8_t *n) {
    uint8_t bytes[VG_RTCP_RR_SIZE + 28 + 8];
    const vg_rtcp_report report = {
        .ssrc = vg_load_u32(n),
        .fraction_lost = n[4],
        .lost = vg_load_u32(n + 5),
        .highest_sequence = vg_load_u32(n + 9),
        .jitter = vg_load_u32(n + 13),
        .last_sr = vg_load_u32(n + 17),
        .delay_sr = vg_load_u32(n + 21),
    };
    vg_rtcp_write_rr(bytes, vg_load_u32(n + 3), &report);
    check(vg_load_u32(bytes + 8) == report.ssrc && bytes[12] == report.fraction_lost);
    check((vg_load_u32(bytes + 12) & 0xFFFFFFU) == (report.lost & 0xFFFFFFU));
    vg_put w = vg_put_into(bytes + VG_RTCP_RR_SIZE, sizeof bytes - VG_RTCP_RR_SIZE);
    vg_put_u8(&w, 0x80);
    vg_put_u8(&w, TYPE_SR);
    vg_put_u16(&w, 28 / 4 - 1);
    vg_put_bytes(&w, n, 24);
    vg_put_u8(&w, 0x81);
    vg_put_u8(&w, TYPE_BYE);
    vg_put_u16(&w, 1);
    vg_put_bytes(&w, n + 24, 4);
    check(!w.overrun);

    size_t at = 0;
    vg_rtcp_item item;
    vg_fault fault;
    check(vg_rtcp_next(bytes, sizeof bytes, &at, &item, &fault) == VG_OK);
    check(item.kind == VG_RTCP_OTHER && item.ssrc == vg_load_u32(n + 3));
    check(vg_rtcp_next(bytes, sizeof bytes, &at, &item, &fault) == VG_OK);
    check(item.kind == VG_RTCP_SR && item.ssrc == vg_load_u32(n));
    check(item.ntp == vg_load_u64(n + 4) && item.rtp_timestamp == vg_load_u32(n + 12));
    check(vg_rtcp_next(bytes, sizeof bytes, &at, &item, &fault) == VG_OK);
    check(item.kind == VG_RTCP_BYE && item.ssrc == vg_load_u32(n + 24));
    check(vg_rtcp_next(bytes, sizeof bytes, &at, &item, &fault) == VG_MORE);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    read_any(data, size);
    if (size >= NUMBERS) read_back(data);
    return 0;
}
