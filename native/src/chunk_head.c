/* Writes, places and reads a chunk's head: prft, uuid (claim and place), moof, the header of mdat.
 * The layout is one: everything but the flags FIRST and the number of samples has its fixed offset.
 */
#include "claim.h"

static const uint8_t chunk_usertype[16] = VG_CHUNK_USERTYPE;

/* ISO/IEC 14496-12 8.8.3.1: is_leading, sample_depends_on, sample_is_non_sync_sample. */
enum {
    SAMPLE_SYNC = 0x02000000,  /* depends on no other */
    SAMPLE_OTHER = 0x01010000, /* depends on others; not a sync sample */
    SAMPLE_LEADING =
        0x04000000, /* leading: not decodable from the sync sample before it. True of RASL; a RADL
                       picture could be, and a player that skips it loses nothing it needs */
    PRFT_FLAGS =
        24, /* 8.16.5: UTC with a consistent small offset to the real time of what is seen */
    TFHD_FLAGS = 0x020000, /* 8.8.7: default-base-is-moof */
    TRUN_FLAGS =
        0x000F01, /* 8.8.8: data offset; duration, size, flags, composition offset of each sample */
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

static void put_trun(vg_put *w, const vg_sample *samples, uint32_t count, size_t moof_bytes) {
    const size_t box = vg_put_full_box(w, "trun", 1, TRUN_FLAGS);
    vg_put_u32(w, count);
    vg_put_u32(w, (uint32_t)(moof_bytes + VG_BOX)); /* the payload, from the start of moof */
    for (uint32_t i = 0; i < count; i++) {
        const vg_sample *s = &samples[i];
        uint32_t flags = s->is_sync ? SAMPLE_SYNC : SAMPLE_OTHER;
        if (s->is_leading) flags |= SAMPLE_LEADING;
        vg_put_u32(w, s->duration);
        vg_put_u32(w, s->bytes);
        vg_put_u32(w, flags);
        vg_put_u32(w, (uint32_t)s->composition_offset);
    }
    vg_put_box_end(w, box);
}

static void put_moof(vg_put *w, const vg_sample *samples, uint32_t count) {
    const size_t moof = vg_put_box(w, "moof");
    const size_t mfhd = vg_put_full_box(w, "mfhd", 0, 0);
    vg_put_u32(w, 0); /* sequence number: the keeper's */
    vg_put_box_end(w, mfhd);
    const size_t traf = vg_put_box(w, "traf");
    const size_t tfhd = vg_put_full_box(w, "tfhd", 0, TFHD_FLAGS);
    vg_put_u32(w, VG_VIDEO_TRACK);
    vg_put_box_end(w, tfhd);
    const size_t tfdt = vg_put_full_box(w, "tfdt", 1, 0);
    vg_put_u64(w, 0); /* decode time: the keeper's */
    vg_put_box_end(w, tfdt);
    put_trun(w, samples, count, vg_moof_bytes(count));
    vg_put_box_end(w, traf);
    vg_put_box_end(w, moof);
}

/* What the samples sum up to; false if a sum leaves 32 bits. */
static bool sum_samples(const vg_sample *samples, uint32_t count, uint32_t *duration,
                        uint32_t *bytes) {
    uint64_t ticks = 0;
    uint64_t size = 0;
    for (uint32_t i = 0; i < count; i++) {
        ticks += samples[i].duration;
        size += samples[i].bytes;
    }
    if (ticks > UINT32_MAX || size > INT32_MAX) return false;
    *duration = (uint32_t)ticks;
    *bytes = (uint32_t)size;
    return true;
}

static vg_err check_claim(const vg_claim *claim, uint32_t video_bytes, vg_fault *fault) {
    if (claim->version != VG_FORMAT_VERSION)
        return vg_fail(fault, VG_UNSUPPORTED, 0, "version of the claim");
    if (claim->flags >> 16U != 0) return vg_fail(fault, VG_VALUE, 0, "flags of a row in a claim");
    if (claim->timescale == 0) return vg_fail(fault, VG_VALUE, 0, "timescale of the claim");
    if (claim->audio_bytes != 0) return vg_fail(fault, VG_UNSUPPORTED, 0, "audio in a chunk");
    if (claim->video_bytes != video_bytes)
        return vg_fail(fault, VG_VALUE, 0, "video bytes are not the samples'");
    return VG_OK;
}

vg_err vg_chunk_head_write(vg_claim *claim, const vg_sample *samples, uint8_t *out, size_t capacity,
                           size_t *size, uint8_t claim_sha256[VG_SHA256_SIZE], vg_fault *fault) {
    assert(claim != NULL && samples != NULL && out != NULL && size != NULL &&
           claim_sha256 != NULL && fault != NULL);
    const uint32_t count = claim->samples;
    if (count == 0) return vg_fail(fault, VG_VALUE, 0, "chunk without samples");
    if (count > VG_SAMPLES_MAX) return vg_fail(fault, VG_LIMIT, 0, "VG_SAMPLES_MAX");
    uint32_t duration = 0;
    uint32_t video_bytes = 0;
    if (!sum_samples(samples, count, &duration, &video_bytes))
        return vg_fail(fault, VG_LIMIT, 0, "duration or size of a chunk");
    const vg_err err = check_claim(claim, video_bytes, fault);
    if (err != VG_OK) return err;
    const size_t moof = vg_moof_offset(claim->flags);
    const size_t moof_bytes = vg_moof_bytes(count);
    const size_t head_bytes = moof + moof_bytes + VG_BOX;
    if (capacity < head_bytes) return vg_fail(fault, VG_LIMIT, 0, "room for a chunk's head");

    /* moof first: the claim holds the hash of its trun. */
    vg_put w = vg_put_into(out + moof, capacity - moof);
    put_moof(&w, samples, count);
    vg_put_u32(&w, VG_BOX + video_bytes);
    vg_put_bytes(&w, "mdat", 4);
    assert(!w.overrun && vg_put_offset(&w) == moof_bytes + VG_BOX);

    claim->duration = duration;
    vg_sha256(out + moof + VG_TRUN_OFFSET, moof_bytes - VG_TRUN_OFFSET, claim->trun_sha256);
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

static bool is_box(const uint8_t *p, uint64_t size, const char type[4]) {
    return vg_load_u32(p) == size && memcmp(p + 4, type, 4) == 0;
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

/* Checks the structure behind the claim: every box where it must be, every length what the claim
 * says. */
static vg_err check_boxes(const uint8_t *data, size_t size, const vg_claim *claim,
                          vg_fault *fault) {
    if (claim->samples == 0 || claim->samples > VG_SAMPLES_MAX)
        return vg_fail(fault, VG_VALUE, vg_claim_offset(), "samples of a chunk");
    const size_t moof = vg_moof_offset(claim->flags);
    const size_t moof_bytes = vg_moof_bytes(claim->samples);
    if (size < moof + moof_bytes + VG_BOX) return VG_MORE;
    const uint8_t *p = data + moof;
    if (!is_box(p, moof_bytes, "moof") || !is_box(p + 8, 16, "mfhd") ||
        !is_box(p + 24, moof_bytes - 24, "traf") || !is_box(p + 32, 16, "tfhd") ||
        !is_box(p + 48, 20, "tfdt") ||
        !is_box(p + VG_TRUN_OFFSET, moof_bytes - VG_TRUN_OFFSET, "trun"))
        return vg_fail(fault, VG_VALUE, moof, "boxes of moof");
    if (vg_load_u32(p + 40) != TFHD_FLAGS || vg_load_u32(p + 44) != VG_VIDEO_TRACK ||
        vg_load_u32(p + 56) != UINT32_C(1) << 24U ||
        vg_load_u32(p + VG_TRUN_OFFSET + 8) != (UINT32_C(1) << 24U | TRUN_FLAGS) ||
        vg_load_u32(p + VG_TRUN_OFFSET + 12) != claim->samples ||
        vg_load_u32(p + VG_TRUN_OFFSET + 16) != moof_bytes + VG_BOX)
        return vg_fail(fault, VG_VALUE, moof, "fields of moof");
    if (!is_box(p + moof_bytes, (uint64_t)VG_BOX + claim->video_bytes, "mdat"))
        return vg_fail(fault, VG_VALUE, moof + moof_bytes, "mdat of a chunk");
    return VG_OK;
}

/* The samples' sums against the claim. Gives the first sample's size. */
static vg_err check_trun(const uint8_t *trun, const vg_claim *claim, uint32_t *first_bytes,
                         vg_fault *fault) {
    uint64_t ticks = 0;
    uint64_t bytes = 0;
    for (uint32_t i = 0; i < claim->samples; i++) {
        const uint8_t *sample = trun + VG_TRUN_FIXED + (size_t)VG_TRUN_SAMPLE * i;
        ticks += vg_load_u32(sample);
        bytes += vg_load_u32(sample + 4);
    }
    const size_t at = vg_moof_offset(claim->flags) + VG_TRUN_OFFSET;
    if (ticks != claim->duration || bytes != claim->video_bytes)
        return vg_fail(fault, VG_VALUE, at, "sums of trun");
    uint8_t sha256[VG_SHA256_SIZE];
    vg_sha256(trun, VG_TRUN_FIXED + (size_t)VG_TRUN_SAMPLE * claim->samples, sha256);
    if (memcmp(sha256, claim->trun_sha256, sizeof sha256) != 0)
        return vg_fail(fault, VG_VALUE, at, "hash of trun");
    *first_bytes = vg_load_u32(trun + VG_TRUN_FIXED + 4);
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
    err = check_boxes(data, size, &out->claim, fault);
    if (err != VG_OK) return err;
    err = check_claim(&out->claim, out->claim.video_bytes, fault);
    if (err != VG_OK) return err;
    const size_t moof = vg_moof_offset(out->claim.flags);
    const size_t moof_bytes = vg_moof_bytes(out->claim.samples);
    uint32_t first_bytes = 0;
    err = check_trun(data + moof + VG_TRUN_OFFSET, &out->claim, &first_bytes, fault);
    if (err != VG_OK) return err;

    vg_bytes r = vg_bytes_of(data + vg_place_offset(out->claim.flags), VG_PLACE_SIZE);
    vg_place_get(&r, &out->place);
    out->payload_offset = (uint32_t)(moof + moof_bytes + VG_BOX);
    out->decode_time = vg_load_u64(data + moof + VG_TFDT_TIME);
    *chunk_bytes = padded((uint64_t)out->payload_offset + out->claim.video_bytes);
    if (*chunk_bytes > INT32_MAX) return vg_fail(fault, VG_LIMIT, 0, "size of a chunk");
    if (out->place.moof_bytes != moof_bytes ||
        out->place.first_sample_end != out->payload_offset + first_bytes)
        return vg_fail(fault, VG_VALUE, vg_place_offset(out->claim.flags), "lengths of the place");
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
    vg_store_u32(head + moof + VG_MFHD_NUMBER, fragment_number);
    vg_store_u64(head + moof + VG_TFDT_TIME, decode_time);
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
