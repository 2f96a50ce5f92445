/* Holds for any bytes: a chunk that is accepted lies whole in the sizes it tells, and placing it
 * again changes no hash. Holds for any claim and samples made of the bytes: what is written is
 * read. */
#include <stdlib.h>
#include <string.h>

#include "bytes.h"
#include "vg/segment.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds) {
    if (!holds) abort();
}

static void check_fault(vg_err err, const vg_fault *fault, size_t size) {
    check(err == VG_MORE || (fault->rule != NULL && fault->offset <= size));
}

static void parse(const uint8_t *data, size_t size) {
    vg_chunk_view view;
    vg_fault fault = {0};
    const vg_err err = vg_chunk_parse(data, size, &view, &fault);
    if (err != VG_OK) {
        check_fault(err, &fault, size);
        return;
    }
    check(view.payload_offset <= size && view.payload_offset <= VG_CHUNK_HEAD_MAX);
    check(view.place.chunk_bytes % VG_BLOCK == 0);
    check(view.place.chunk_bytes >=
          view.payload_offset + view.claim.video_bytes + view.claim.audio_bytes);
    check((view.sound_samples > 0) == (view.claim.audio_bytes > 0));
    check(view.place.first_sample_end >= view.payload_offset);
    check(view.place.first_sample_end <= view.payload_offset + view.claim.video_bytes);
}

/* Placing reads the head first: it comes from another process. */
static void place(const uint8_t *data, size_t size) {
    if (size == 0) return;
    uint8_t *head = malloc(size);
    check(head != NULL);
    memcpy(head, data, size);
    vg_claim claim;
    uint8_t before[VG_SHA256_SIZE];
    vg_fault fault = {0};
    const vg_err err = vg_claim_read(head, size, &claim, before, &fault);
    if (err != VG_OK) check_fault(err, &fault, size);
    vg_place where = {.segment = 7, .epoch = 8, .offset = VG_BLOCK};
    if (vg_chunk_place(head, size, 9, 10, &where, &fault) == VG_OK) {
        vg_chunk_view view;
        check(vg_chunk_parse(head, size, &view, &fault) == VG_OK);
        check(view.place.epoch == 8 && view.decode_time == 9);
        const int64_t start = view.sound_start; /* sound keeps its distance, wherever it goes */
        check(vg_chunk_place(head, size, 90000, 11, &where, &fault) == VG_OK);
        check(vg_chunk_parse(head, size, &view, &fault) == VG_OK && view.sound_start == start);
        check(memcmp(view.claim_sha256, before, sizeof before) == 0);
    }
    free(head);
}

static void write(const uint8_t *data, size_t size) {
    vg_bytes r = vg_bytes_of(data, size);
    vg_claim claim = {.version = VG_FORMAT_VERSION, .timescale = 90000};
    claim.flags = vg_bytes_u16(&r);
    claim.kind = vg_bytes_u8(&r);
    claim.run = vg_bytes_u64(&r);
    claim.wall_start_ns = (int64_t)vg_bytes_u64(&r);
    claim.predecessor_run = claim.flags & VG_CLAIM_FIRST ? claim.run - 1 : 0;
    vg_sample samples[64];
    uint32_t count = 0;
    uint64_t video = 0;
    while (count < 64 && vg_bytes_left(&r) > 0) {
        const uint8_t flags = vg_bytes_u8(&r);
        samples[count] = (vg_sample){
            .bytes = vg_bytes_u16(&r),
            .duration = vg_bytes_u32(&r),
            .composition_offset = (int32_t)vg_bytes_u32(&r),
            .is_sync = flags & 1U,
            .is_leading = flags & 2U,
        };
        video += samples[count].bytes;
        count++;
    }
    claim.samples = count;
    claim.video_bytes = (uint32_t)video;
    /* Some of what made the pictures is heard as well. */
    vg_sound_sample heard[64];
    vg_sound_samples sound = {.samples = heard, .start = (int32_t)(uint32_t)claim.run};
    while (sound.count < count && (claim.flags & VG_CLAIM_DAMAGED) != 0) {
        const vg_sample *from = &samples[sound.count];
        heard[sound.count++] = (vg_sound_sample){.bytes = from->bytes, .duration = from->duration};
    }
    if (sound.count > 0) claim.audio_bytes = claim.video_bytes + VG_SOUND_START_SIZE;
    uint8_t head[4096];
    uint8_t own[VG_SHA256_SIZE];
    size_t head_size = 0;
    vg_fault fault = {0};
    if (vg_chunk_head_write(&claim, samples, &sound, head, sizeof head, &head_size, own, &fault) !=
        VG_OK) {
        check(fault.rule != NULL);
        return;
    }
    vg_place where = {.segment = 1, .epoch = 2, .offset = VG_BLOCK};
    check(vg_chunk_place(head, head_size, claim.run, count, &where, &fault) == VG_OK);
    vg_chunk_view view;
    check(vg_chunk_parse(head, head_size, &view, &fault) == VG_OK);
    check(view.claim.run == claim.run && view.claim.wall_start_ns == claim.wall_start_ns);
    check(view.claim.predecessor_run == claim.predecessor_run && view.claim.samples == count);
    check(view.sound_samples == sound.count);
    check(sound.count == 0 || view.sound_start == sound.start);
    check(view.place.crc32c == where.crc32c && view.place.chunk_bytes == where.chunk_bytes);
    check(memcmp(view.claim_sha256, own, sizeof own) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    parse(data, size);
    place(data, size);
    write(data, size);
    return 0;
}
