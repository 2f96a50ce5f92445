#include "claim.h"

void vg_claim_put(vg_put *w, const vg_claim *claim) {
    vg_put_u16(w, claim->version);
    vg_put_u32(w, claim->flags);
    vg_put_bytes(w, claim->camera, VG_ID_SIZE);
    vg_put_bytes(w, claim->stream, VG_ID_SIZE);
    vg_put_u64(w, claim->run);
    vg_put_u64(w, claim->sequence);
    vg_put_u64(w, (uint64_t)claim->wall_start_ns);
    vg_put_u64(w, claim->media_start);
    vg_put_u32(w, claim->duration);
    vg_put_u32(w, claim->timescale);
    vg_put_u64(w, (uint64_t)claim->camera_clock_ns);
    vg_put_u32(w, claim->samples);
    vg_put_u8(w, claim->kind);
    vg_put_u32(w, claim->video_bytes);
    vg_put_u32(w, claim->audio_bytes);
    vg_put_bytes(w, claim->video_sha256, VG_SHA256_SIZE);
    vg_put_bytes(w, claim->audio_sha256, VG_SHA256_SIZE);
    vg_put_bytes(w, claim->trun_sha256, VG_SHA256_SIZE);
    vg_put_bytes(w, claim->previous_sha256, VG_SHA256_SIZE);
    if ((claim->flags & VG_CLAIM_FIRST) == 0) return;
    vg_put_u64(w, claim->predecessor_run);
    vg_put_u8(w, claim->gap_reason);
    vg_put_u64(w, (uint64_t)claim->gap_start_ns);
}

void vg_place_put(vg_put *w, const vg_place *place) {
    vg_put_bytes(w, place->disk, VG_ID_SIZE);
    vg_put_u32(w, place->segment);
    vg_put_u64(w, place->epoch);
    vg_put_u64(w, place->offset);
    vg_put_u32(w, place->moof_bytes);
    vg_put_u32(w, place->chunk_bytes);
    vg_put_u32(w, place->first_sample_end);
    vg_put_u32(w, place->crc32c);
}

static void get_bytes(vg_bytes *r, uint8_t *out, size_t size) {
    const uint8_t *p = vg_bytes_take(r, size);
    if (p != NULL) memcpy(out, p, size);
}

void vg_claim_get(vg_bytes *r, vg_claim *out) {
    *out = (vg_claim){0};
    out->version = vg_bytes_u16(r);
    out->flags = vg_bytes_u32(r);
    get_bytes(r, out->camera, VG_ID_SIZE);
    get_bytes(r, out->stream, VG_ID_SIZE);
    out->run = vg_bytes_u64(r);
    out->sequence = vg_bytes_u64(r);
    out->wall_start_ns = (int64_t)vg_bytes_u64(r);
    out->media_start = vg_bytes_u64(r);
    out->duration = vg_bytes_u32(r);
    out->timescale = vg_bytes_u32(r);
    out->camera_clock_ns = (int64_t)vg_bytes_u64(r);
    out->samples = vg_bytes_u32(r);
    out->kind = vg_bytes_u8(r);
    out->video_bytes = vg_bytes_u32(r);
    out->audio_bytes = vg_bytes_u32(r);
    get_bytes(r, out->video_sha256, VG_SHA256_SIZE);
    get_bytes(r, out->audio_sha256, VG_SHA256_SIZE);
    get_bytes(r, out->trun_sha256, VG_SHA256_SIZE);
    get_bytes(r, out->previous_sha256, VG_SHA256_SIZE);
    if ((out->flags & VG_CLAIM_FIRST) == 0) return;
    out->predecessor_run = vg_bytes_u64(r);
    out->gap_reason = vg_bytes_u8(r);
    out->gap_start_ns = (int64_t)vg_bytes_u64(r);
}

void vg_place_get(vg_bytes *r, vg_place *out) {
    *out = (vg_place){0};
    get_bytes(r, out->disk, VG_ID_SIZE);
    out->segment = vg_bytes_u32(r);
    out->epoch = vg_bytes_u64(r);
    out->offset = vg_bytes_u64(r);
    out->moof_bytes = vg_bytes_u32(r);
    out->chunk_bytes = vg_bytes_u32(r);
    out->first_sample_end = vg_bytes_u32(r);
    out->crc32c = vg_bytes_u32(r);
}

uint64_t vg_ntp_time(int64_t wall_ns) {
    const int64_t second_ns = INT64_C(1000000000);
    const uint64_t seconds_1900_to_1970 = UINT64_C(2208988800);
    int64_t seconds = wall_ns / second_ns;
    int64_t rest_ns = wall_ns % second_ns;
    if (rest_ns < 0) { /* a box whose clock stands before 1970 still records */
        rest_ns += second_ns;
        seconds--;
    }
    const uint64_t fraction = ((uint64_t)rest_ns << 32U) / (uint64_t)second_ns;
    return ((uint64_t)seconds + seconds_1900_to_1970) << 32U | fraction;
}
