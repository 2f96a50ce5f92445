/* Holds for any parameter sets and any room: a head is refused, or fills whole blocks with ftyp,
 * moov and free, and is the same where the room is larger. First byte: codec and in-band; then
 * sizes and sets. */
#include <stdlib.h>
#include <string.h>

#include "bytes.h"
#include "vg/segment.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { ROOM = VG_HEAD_MAX + VG_BLOCK };

static void check(bool holds) {
    if (!holds) abort();
}

static void take_set(vg_bytes *r, const uint8_t **set, uint16_t *set_size) {
    size_t size = vg_bytes_u16(r);
    if (size > vg_bytes_left(r)) size = vg_bytes_left(r);
    *set = vg_bytes_take(r, size);
    *set_size = (uint16_t)size;
}

static void check_boxes(const uint8_t *head, size_t size) {
    static const char types[3][5] = {"ftyp", "moov", "free"};
    check(size % VG_BLOCK == 0);
    size_t at = 0;
    for (size_t i = 0; i < 3 && at < size; i++) {
        check(memcmp(head + at + 4, types[i], 4) == 0);
        at += vg_load_u32(head + at);
    }
    check(at == size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    vg_bytes r = vg_bytes_of(data, size);
    vg_sets sets = {0};
    const uint8_t form = vg_bytes_u8(&r);
    const size_t room = (size_t)vg_bytes_u8(&r) * 32;
    sets.codec = form & 1U ? VG_CODEC_H265 : VG_CODEC_H264;
    if ((form & 17U) == 16U) sets.codec = VG_CODEC_MJPEG;
    sets.inband = form & 2U;
    sets.vps_count = form & 1U;
    sets.sps_count = (uint8_t)(1U + (form >> 2U & 1U));
    sets.pps_count = (uint8_t)(1U + (form >> 3U & 1U));
    const vg_sound sound = {
        .codec = (uint8_t)(form >> 5U),
        .channels = 1,
        .size_bits = 13,
        .config_size = 2,
        .clock_rate = 48000,
        .sample_rate = 48000,
        .frame_ticks = 1024,
        .config = {0x11, 0x88},
    };
    if (sound.codec != 0) sets.sound = &sound;
    for (uint8_t i = 0; i < sets.vps_count; i++)
        take_set(&r, &sets.vps[i], &sets.vps_size[i]);
    for (uint8_t i = 0; i < sets.sps_count; i++)
        take_set(&r, &sets.sps[i], &sets.sps_size[i]);
    for (uint8_t i = 0; i < sets.pps_count; i++)
        take_set(&r, &sets.pps[i], &sets.pps_size[i]);

    static uint8_t whole[ROOM];
    size_t whole_size = 0;
    vg_fault fault = {0};
    const vg_err err = vg_head_write(&sets, 90000, whole, sizeof whole, &whole_size, &fault);
    if (err != VG_OK)
        check(fault.rule != NULL);
    else
        check_boxes(whole, whole_size);

    uint8_t *out = malloc(room + 1);
    check(out != NULL);
    size_t out_size = 0;
    const vg_err small = vg_head_write(&sets, 90000, out, room, &out_size, &fault);
    if (small == VG_OK)
        check(err == VG_OK && out_size == whole_size && memcmp(out, whole, out_size) == 0);
    else
        check(err != VG_OK || room < whole_size);
    free(out);
    return 0;
}
