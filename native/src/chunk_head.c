/* Writes, places and reads a chunk's head: prft, uuid (claim and place), moof, the header of mdat.
 * The layout is one: everything but the flags FIRST and the numbers of samples has its fixed
 * offset.
 */
#include "chunk_moof.h"

static const uint8_t chunk_usertype[16] = VG_CHUNK_USERTYPE;

enum {
    PRFT_FLAGS =
        24, /* 8.16.5: UTC with a consistent small offset to the real time of what is seen */
};

static void put_prft(vg_put *w, const vg_claim *claim) {
    const size_t box = vg_put_full_box(w, "prft", 1, PRFT_FLAGS);
    vg_put_u32(w, VG_VIDEO_TRACK);
    vg_put_u64(w, vg_ntp_time(claim->wall_start_ns));
    vg_put_u64(
        w,
        claim->media_start); /* the run's line; a segment's line is not known to who writes this */
    vg_put_box_end(w, box);
}

static void put_uuid(vg_put *w, const vg_claim *claim, const vg_place *place) {
    const size_t box = vg_put_box(w, "uuid");
    vg_put_bytes(w, chunk_usertype, sizeof chunk_usertype);
    vg_claim_put(w, claim);
    vg_place_put(w, place);
    vg_put_box_end(w, box);
}

static vg_err check_claim(const vg_claim *claim, uint32_t video_bytes, uint32_t audio_bytes,
                          vg_fault *fault) {
    if (claim->version != VG_FORMAT_VERSION)
        return vg_fail(fault, VG_UNSUPPORTED, 0, "version of the claim");
    if (claim->flags >> 16U != 0) return vg_fail(fault, VG_VALUE, 0, "flags of a row in a claim");
    if (claim->timescale == 0) return vg_fail(fault, VG_VALUE, 0, "timescale of the claim");
    if (claim->video_bytes != video_bytes)
        return vg_fail(fault, VG_VALUE, 0, "video bytes are not the samples'");
    if (claim->audio_bytes != audio_bytes)
        return vg_fail(fault, VG_VALUE, 0, "audio bytes are not the samples'");
    return VG_OK;
}

vg_err vg_chunk_head_write(vg_claim *claim, const vg_sample *samples, const vg_sound_samples *sound,
                           uint8_t *out, size_t capacity, size_t *size,
                           uint8_t claim_sha256[VG_SHA256_SIZE], vg_fault *fault) {
    static const vg_sound_samples silence = {0};
    assert(claim != NULL && samples != NULL && out != NULL && size != NULL &&
           claim_sha256 != NULL && fault != NULL);
    if (sound == NULL) sound = &silence;
    const uint32_t count = claim->samples;
    if (count == 0) return vg_fail(fault, VG_VALUE, 0, "chunk without samples");
    if (count > VG_SAMPLES_MAX) return vg_fail(fault, VG_LIMIT, 0, "VG_SAMPLES_MAX");
    if (sound->count > VG_SOUND_SAMPLES_MAX)
        return vg_fail(fault, VG_LIMIT, 0, "VG_SOUND_SAMPLES_MAX");
    vg_moof_sums sums;
    if (!vg_moof_sum(samples, count, sound, &sums))
        return vg_fail(fault, VG_LIMIT, 0, "duration or size of a chunk");
    const vg_err err = check_claim(claim, sums.video_bytes, sums.audio_bytes, fault);
    if (err != VG_OK) return err;
    const size_t moof = vg_moof_offset(claim->flags);
    const size_t moof_bytes = vg_moof_bytes_of(count, sound->count);
    const size_t head_bytes = moof + moof_bytes + VG_BOX;
    if (capacity < head_bytes) return vg_fail(fault, VG_LIMIT, 0, "room for a chunk's head");

    /* moof first: the claim holds the hash of its trun. */
    vg_put w = vg_put_into(out + moof, capacity - moof);
    vg_moof_put(&w, samples, count, sound, &sums);
    vg_put_u32(&w, VG_BOX + sums.video_bytes + sums.audio_bytes);
    vg_put_bytes(&w, "mdat", 4);
    assert(!w.overrun && vg_put_offset(&w) == moof_bytes + VG_BOX);

    claim->duration = sums.duration;
    vg_moof_hash(out + moof, count, sound->count, claim->trun_sha256);
    const vg_place place = {
        .moof_bytes = (uint32_t)moof_bytes,
        .first_sample_end = (uint32_t)head_bytes + samples[0].bytes,
    };
    w = vg_put_into(out, moof);
    put_prft(&w, claim);
    put_uuid(&w, claim, &place);
    assert(!w.overrun && vg_put_offset(&w) == moof);
    vg_sha256(out + vg_claim_offset(), vg_claim_bytes(claim->flags), claim_sha256);
    *size = head_bytes;
    return VG_OK;
}

/* From prft to the end of the padding. A `free` box cannot have 1 to 7 bytes: then it takes a block
 * more. */
static uint64_t padded(uint64_t bytes) {
    const uint64_t rest = bytes % VG_BLOCK;
    if (rest == 0) return bytes;
    const uint64_t padding = VG_BLOCK - rest;
    return bytes + (padding >= VG_BOX ? padding : padding + VG_BLOCK);
}

/* The bytes every chunk of any version starts with; `size` may end inside them. */
static vg_err check_magic(const uint8_t *data, size_t size, vg_fault *fault) {
    static const uint8_t prft[16] = {0, 0, 0, VG_PRFT_BYTES, 'p', 'r', 'f', 't',
                                     1, 0, 0, PRFT_FLAGS,    0,   0,   0,   VG_VIDEO_TRACK};
    const size_t prft_bytes = size < sizeof prft ? size : sizeof prft;
    if (memcmp(data, prft, prft_bytes) != 0) return vg_fail(fault, VG_VALUE, 0, "prft of a chunk");
    if (size < vg_claim_offset() + 2) return VG_MORE;
    if (memcmp(data + VG_PRFT_BYTES + 4, "uuid", 4) != 0 ||
        memcmp(data + VG_PRFT_BYTES + VG_BOX, chunk_usertype, sizeof chunk_usertype) != 0)
        return vg_fail(fault, VG_VALUE, VG_PRFT_BYTES, "uuid of a chunk");
    const uint16_t version = vg_load_u16(data + vg_claim_offset());
    if (version > VG_FORMAT_VERSION)
        return vg_fail(fault, VG_UNSUPPORTED, vg_claim_offset(), "version of the claim");
    if (version == 0) return vg_fail(fault, VG_VALUE, vg_claim_offset(), "version of the claim");
    return VG_OK;
}

vg_err vg_claim_read(const uint8_t *data, size_t size, vg_claim *out,
                     uint8_t claim_sha256[VG_SHA256_SIZE], vg_fault *fault) {
    assert(data != NULL && out != NULL && claim_sha256 != NULL && fault != NULL);
    const vg_err err = check_magic(data, size, fault);
    if (err != VG_OK) return err;
    vg_bytes r = vg_bytes_of(data + vg_claim_offset(), size - vg_claim_offset());
    vg_claim claim;
    vg_claim_get(&r, &claim);
    if (r.overrun) return VG_MORE;
    const size_t claim_bytes = vg_claim_bytes(claim.flags);
    if (vg_load_u32(data + VG_PRFT_BYTES) != VG_UUID_BOX + claim_bytes + VG_PLACE_SIZE)
        return vg_fail(fault, VG_VALUE, VG_PRFT_BYTES, "size of the uuid of a chunk");
    vg_sha256(data + vg_claim_offset(), claim_bytes, claim_sha256);
    *out = claim;
    return VG_OK;
}

static uint32_t head_crc(const uint8_t *data, size_t place, size_t end) {
    static const uint8_t zeros[4] = {0};
    uint32_t crc = vg_crc32c(0, data, place + VG_PLACE_CRC);
    crc = vg_crc32c(crc, zeros, sizeof zeros);
    return vg_crc32c(crc, data + place + VG_PLACE_SIZE, end - place - VG_PLACE_SIZE);
}

/* Everything in a head that does not depend on the keeper. */
static vg_err read_head(const uint8_t *data, size_t size, vg_chunk_view *out, uint64_t *chunk_bytes,
                        vg_fault *fault) {
    vg_err err = vg_claim_read(data, size, &out->claim, out->claim_sha256, fault);
    if (err != VG_OK) return err;
    const vg_claim *claim = &out->claim;
    if (claim->samples == 0 || claim->samples > VG_SAMPLES_MAX)
        return vg_fail(fault, VG_VALUE, vg_claim_offset(), "samples of a chunk");
    const size_t moof = vg_moof_offset(claim->flags);
    if (size < moof + 4) return VG_MORE;
    if (!vg_moof_sounds(data + moof, claim->samples, &out->sound_samples))
        return vg_fail(fault, VG_VALUE, moof, "boxes of moof");
    const size_t moof_bytes = vg_moof_bytes_of(claim->samples, out->sound_samples);
    if (size < moof + moof_bytes + VG_BOX) return VG_MORE;
    uint32_t first_bytes = 0;
    err = vg_moof_check(data + moof, claim, out->sound_samples, &first_bytes, fault);
    if (err != VG_OK) return err;
    err = check_claim(claim, claim->video_bytes, claim->audio_bytes, fault);
    if (err != VG_OK) return err;

    vg_bytes r = vg_bytes_of(data + vg_place_offset(claim->flags), VG_PLACE_SIZE);
    vg_place_get(&r, &out->place);
    out->payload_offset = (uint32_t)(moof + moof_bytes + VG_BOX);
    out->decode_time = vg_moof_time(data + moof);
    out->sound_start =
        out->sound_samples > 0 ? vg_moof_sound_start(data + moof, claim->samples) : 0;
    *chunk_bytes = padded((uint64_t)out->payload_offset + claim->video_bytes + claim->audio_bytes);
    if (*chunk_bytes > INT32_MAX) return vg_fail(fault, VG_LIMIT, 0, "size of a chunk");
    if (out->place.moof_bytes != moof_bytes ||
        out->place.first_sample_end != out->payload_offset + first_bytes)
        return vg_fail(fault, VG_VALUE, vg_place_offset(claim->flags), "lengths of the place");
    return VG_OK;
}

vg_err vg_chunk_place(uint8_t *head, size_t size, uint64_t decode_time, uint32_t fragment_number,
                      vg_place *place, vg_fault *fault) {
    assert(head != NULL && place != NULL && fault != NULL);
    vg_chunk_view view;
    uint64_t chunk_bytes = 0;
    const vg_err err = read_head(head, size, &view, &chunk_bytes, fault);
    if (err == VG_MORE) return vg_fail(fault, VG_SHORT, size, "a chunk's head");
    if (err != VG_OK) return err;

    const size_t moof = vg_moof_offset(view.claim.flags);
    vg_moof_place(head + moof, view.claim.samples, view.sound_samples, decode_time,
                  fragment_number);
    place->moof_bytes = view.place.moof_bytes;
    place->first_sample_end = view.place.first_sample_end;
    place->chunk_bytes = (uint32_t)chunk_bytes;
    place->crc32c = 0;
    const size_t at = vg_place_offset(view.claim.flags);
    vg_put w = vg_put_into(head + at, VG_PLACE_SIZE);
    vg_place_put(&w, place);
    place->crc32c = head_crc(head, at, view.payload_offset - VG_BOX);
    vg_store_u32(head + at + VG_PLACE_CRC, place->crc32c);
    return VG_OK;
}

vg_err vg_chunk_parse(const uint8_t *data, size_t size, vg_chunk_view *out, vg_fault *fault) {
    assert((data != NULL || size == 0) && out != NULL && fault != NULL);
    if (size == 0) return VG_MORE;
    vg_chunk_view view;
    uint64_t chunk_bytes = 0;
    const vg_err err = read_head(data, size, &view, &chunk_bytes, fault);
    if (err != VG_OK) return err;
    const size_t at = vg_place_offset(view.claim.flags);
    if (view.place.crc32c != head_crc(data, at, view.payload_offset - VG_BOX))
        return vg_fail(fault, VG_VALUE, at + VG_PLACE_CRC, "CRC-32C of a chunk's head");
    if (view.place.chunk_bytes != chunk_bytes)
        return vg_fail(fault, VG_VALUE, at, "lengths of the place");
    *out = view;
    return VG_OK;
}
