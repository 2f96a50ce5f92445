/* Holds for any access units at any times: chunks hold exactly the bytes that were kept, their
 * times and numbers rise, and when the run is over the arena is empty. */
#include <stdlib.h>
#include <string.h>

#include "../src/chunker.h"
#include "bytes.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { BLOCKS = 24, NALS = 4, PICTURE_MAX = 24 * 1024 };

static const uint8_t SPS[] = {0x67, 0x42, 0xC0, 0x0C, 0xDA, 0x05, 0x06, 0x7E,
                              0x7C, 0x04, 0x40, 0x00, 0x00, 0x03, 0x00, 0x40,
                              0x00, 0x00, 0x0C, 0x83, 0xC5, 0x0A, 0xA8};
static const uint8_t PPS[] = {0x68, 0xCE, 0x0F, 0xC8};

typedef struct run {
    vg_arena arena;
    vg_chunker *chunker;
    uint64_t payload, next_sequence, number;
    int64_t wall_end_ns;
    bool hears;
    uint32_t waiting[BLOCKS]; /* handed over, not acknowledged */
    uint32_t waiting_count;
} run;

static void check(bool holds) {
    if (!holds) abort();
}

static void take_closed(run *r) {
    uint32_t header;
    while ((header = vg_chunker_closed(r->chunker)) != VG_NO_BLOCK) {
        vg_arena_send(&r->arena, header);
        vg_arena_chunk chunk;
        vg_claim claim;
        vg_fault fault = {0};
        uint8_t hash[VG_SHA256_SIZE];
        check(vg_arena_chunk_copy(&r->arena, header, &chunk, &fault));
        check(vg_claim_read(vg_arena_at(&r->arena, header) + chunk.head_offset, chunk.head_bytes,
                            &claim, hash, &fault) == VG_OK);
        check(claim.run == r->number);
        check(claim.sequence == r->next_sequence++);
        check((uint64_t)claim.video_bytes + claim.audio_bytes == chunk.payload_bytes);
        check(claim.samples > 0 && claim.duration >= claim.samples);
        r->payload += claim.video_bytes;
        r->waiting[r->waiting_count++] = header;
    }
}

/* The box's clock was set. */
static void begin_again(run *r) {
    const bool is_new = vg_chunker_begin_again(r->chunker, r->number + 1, VG_GAP_CLOCK_SET);
    take_closed(r);
    check(is_new == (r->next_sequence > 0));
    if (!is_new) return;
    r->number++;
    r->next_sequence = 0;
}

static void acknowledge(run *r) {
    for (uint32_t i = 0; i < r->waiting_count; i++)
        vg_arena_durable(&r->arena, r->waiting[i]);
    r->waiting_count = 0;
}

/* A frame beside each picture, at whatever time. */
static void hear(run *r, const uint8_t *bytes, uint32_t rtp, int64_t arrival, uint8_t what) {
    const vg_sound_frame frame = {
        .bytes = bytes,
        .size = 1 + (uint32_t)what * 32,
        .timestamp = rtp / 2,
        .ticks = 1 + what,
    };
    vg_chunker_hear(r->chunker, &frame, arrival, VG_CAMERA_CLOCK_UNKNOWN);
}

/* A picture from five bytes: what it holds, its size, how its times step. */
static void push(run *r, vg_bytes *in, uint8_t *bytes, uint32_t *rtp, int64_t *arrival) {
    const uint8_t what = vg_bytes_u8(in);
    const uint16_t step = vg_bytes_u16(in);
    const uint8_t large = vg_bytes_u8(in);
    const uint8_t late = vg_bytes_u8(in);
    vg_nal_unit nals[NALS];
    uint32_t count = 0;
    uint32_t used = 0;
    if ((what & 1U) != 0) {
        memcpy(bytes, SPS, sizeof SPS);
        nals[count++] = (vg_nal_unit){.offset = 0, .size = sizeof SPS, .type = 7};
        memcpy(bytes + sizeof SPS, PPS, sizeof PPS);
        used = sizeof SPS + sizeof PPS;
        /* Another PPS now and then: behind its stop bit anything may stand. */
        uint32_t pps_size = sizeof PPS;
        if ((what & 2U) != 0) bytes[used++] = large, pps_size++;
        nals[count++] = (vg_nal_unit){.offset = sizeof SPS, .size = pps_size, .type = 8};
    }
    /* Most are small, since hashing them is most of the work. */
    const uint32_t picture = 1 + (large < 192 ? large : (large - 191U) * (PICTURE_MAX / 64));
    nals[count++] = (vg_nal_unit){.offset = used, .size = picture, .type = 1};
    *rtp += (uint32_t)(int32_t)(int16_t)step * ((what & 4U) != 0 ? 20000U : 1U);
    *arrival += (int64_t)late * 10000000 - ((what & 8U) != 0 ? 1000000000 : 0);
    const vg_access_unit au = {
        .bytes = bytes,
        .nals = nals,
        .nal_count = count,
        .timestamp = *rtp,
        .kind = (what & 16U) != 0 ? VG_SYNC_IDR : VG_SYNC_NONE,
        .damaged = (what & 32U) != 0,
        .is_picture = true,
    };
    if (late == UINT8_MAX) begin_again(r);
    if (r->hears) hear(r, bytes, *rtp, *arrival, what);
    vg_fault fault = {0};
    const vg_err err =
        vg_chunker_push(r->chunker, &au, *arrival, VG_CAMERA_CLOCK_UNKNOWN, false, &fault);
    check(err == VG_OK || fault.rule != NULL);
    take_closed(r);
    if ((what & 64U) != 0) vg_chunker_tick(r->chunker);
    take_closed(r);
    if ((what & 128U) != 0) acknowledge(r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static uint8_t memory[(size_t)BLOCKS * VG_ARENA_BLOCK];
    static uint8_t bytes[PICTURE_MAX + 64];
    run r = {.number = 7};
    check(vg_arena_format(&r.arena, memory, sizeof memory) == VG_OK);
    static vg_chunker chunker; /* as the input before left it: nothing may rely on zeros */
    r.chunker = &chunker;
    vg_bytes in = vg_bytes_of(data, size);
    const uint8_t how = vg_bytes_u8(&in);
    const vg_run_start start = {
        .run = r.number, .references_lost = (how & 1U) != 0, .inband = (how & 2U) != 0};
    const vg_sets sets = {
        .codec = VG_CODEC_H264,
        .sps = {SPS},
        .sps_size = {sizeof SPS},
        .sps_count = (how & 4U) != 0,
        .pps = {PPS},
        .pps_size = {sizeof PPS},
        .pps_count = (how & 4U) != 0,
    };
    vg_chunker_init(r.chunker, &r.arena, &start, &sets);
    const vg_sound sound = {
        .codec = VG_SOUND_PCMU, .channels = 1, .clock_rate = 8000, .sample_rate = 8000};
    r.hears = (how & 8U) != 0;
    if (r.hears) vg_chunker_expect_sound(r.chunker, &sound);
    uint32_t rtp = 0;
    int64_t arrival = INT64_C(1763700000000000000);
    while (vg_bytes_left(&in) >= 5)
        push(&r, &in, bytes, &rtp, &arrival);
    vg_chunker_end(r.chunker);
    take_closed(&r);
    vg_chunker_state state;
    vg_chunker_read(r.chunker, &state);
    check(state.bytes == r.payload && state.next_sequence == r.next_sequence);
    acknowledge(&r);
    vg_chunker_drop(r.chunker);
    check(r.arena.used == 0);
    return 0;
}
