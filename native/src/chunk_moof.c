/* Writes, checks and places the `moof` of a chunk (ISO/IEC 14496-12 8.8). The layout is one:
 * everything but the numbers of samples has its fixed offset. */
#include "chunk_moof.h"

/* ISO/IEC 14496-12 8.8.3.1: is_leading, sample_depends_on, sample_is_non_sync_sample. */
enum {
    SAMPLE_SYNC = 0x02000000,  /* depends on no other */
    SAMPLE_OTHER = 0x01010000, /* depends on others; not a sync sample */
    SAMPLE_LEADING =
        0x04000000, /* leading: not decodable from the sync sample before it. True of RASL; a RADL
                       picture could be, and a player that skips it loses nothing it needs */
    TFHD_FLAGS = 0x020000, /* 8.8.7: default-base-is-moof */
    TRUN_FLAGS =
        0x000F01, /* 8.8.8: data offset; duration, size, flags, composition offset of each sample */
    SOUND_TFHD_FLAGS = 0x020020, /* and flags for all samples */
    SOUND_TRUN_FLAGS = 0x000301, /* data offset; duration and size of each sample */
    MFHD = 8,
    TRAF = 24,
    TFHD = 32,
    TFDT = 48,
    /* In the second traf. */
    SOUND_TFHD = 8,
    SOUND_TFDT = 28,
};

bool vg_moof_sum(const vg_sample *samples, uint32_t count, const vg_sound_samples *sound,
                 vg_moof_sums *out) {
    uint64_t ticks = 0;
    uint64_t video = 0;
    uint64_t audio = sound->count > 0 ? VG_SOUND_START_SIZE : 0;
    for (uint32_t i = 0; i < count; i++) {
        ticks += samples[i].duration;
        video += samples[i].bytes;
    }
    for (uint32_t i = 0; i < sound->count; i++)
        audio += sound->samples[i].bytes;
    if (ticks > UINT32_MAX || video > INT32_MAX || audio > INT32_MAX - video) return false;
    *out = (vg_moof_sums){(uint32_t)ticks, (uint32_t)video, (uint32_t)audio};
    return true;
}

static void put_trun(vg_put *w, const vg_sample *samples, uint32_t count, size_t data_offset) {
    const size_t box = vg_put_full_box(w, "trun", 1, TRUN_FLAGS);
    vg_put_u32(w, count);
    vg_put_u32(w, (uint32_t)data_offset);
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

static void put_tfdt(vg_put *w, int64_t time) {
    const size_t tfdt = vg_put_full_box(w, "tfdt", 1, 0);
    vg_put_u64(w, (uint64_t)time);
    vg_put_box_end(w, tfdt);
}

static void put_sound(vg_put *w, const vg_sound_samples *sound, size_t data_offset) {
    const size_t traf = vg_put_box(w, "traf");
    const size_t tfhd = vg_put_full_box(w, "tfhd", 0, SOUND_TFHD_FLAGS);
    vg_put_u32(w, VG_SOUND_TRACK);
    vg_put_u32(w, SAMPLE_SYNC);
    vg_put_box_end(w, tfhd);
    put_tfdt(w, sound->start);
    const size_t trun = vg_put_full_box(w, "trun", 1, SOUND_TRUN_FLAGS);
    vg_put_u32(w, sound->count);
    vg_put_u32(w, (uint32_t)data_offset);
    for (uint32_t i = 0; i < sound->count; i++) {
        vg_put_u32(w, sound->samples[i].duration);
        vg_put_u32(w, sound->samples[i].bytes);
    }
    vg_put_box_end(w, trun);
    vg_put_box_end(w, traf);
}

void vg_moof_put(vg_put *w, const vg_sample *samples, uint32_t count, const vg_sound_samples *sound,
                 const vg_moof_sums *sums) {
    const size_t payload = vg_moof_bytes_of(count, sound->count) + VG_BOX; /* from moof's start */
    const size_t moof = vg_put_box(w, "moof");
    const size_t mfhd = vg_put_full_box(w, "mfhd", 0, 0);
    vg_put_u32(w, 0); /* sequence number: the keeper's */
    vg_put_box_end(w, mfhd);
    const size_t traf = vg_put_box(w, "traf");
    const size_t tfhd = vg_put_full_box(w, "tfhd", 0, TFHD_FLAGS);
    vg_put_u32(w, VG_VIDEO_TRACK);
    vg_put_box_end(w, tfhd);
    put_tfdt(w, 0); /* decode time: the keeper's */
    put_trun(w, samples, count, payload);
    vg_put_box_end(w, traf);
    if (sound->count > 0) put_sound(w, sound, payload + sums->video_bytes + VG_SOUND_START_SIZE);
    vg_put_box_end(w, moof);
}

static bool is_box(const uint8_t *p, uint64_t size, const char type[4]) {
    return vg_load_u32(p) == size && memcmp(p + 4, type, 4) == 0;
}

bool vg_moof_sounds(const uint8_t *p, uint32_t samples, uint32_t *sounds) {
    const size_t size = vg_load_u32(p);
    const size_t pictures = vg_moof_bytes(samples);
    *sounds = 0;
    if (size == pictures) return true;
    if (size < pictures + VG_SOUND_TRAF_FIXED + VG_SOUND_TRUN_SAMPLE) return false;
    const size_t rest = size - pictures - VG_SOUND_TRAF_FIXED;
    *sounds = (uint32_t)(rest / VG_SOUND_TRUN_SAMPLE);
    return rest % VG_SOUND_TRUN_SAMPLE == 0 && *sounds <= VG_SOUND_SAMPLES_MAX;
}

static bool check_sound_boxes(const uint8_t *p, const vg_claim *claim, uint32_t sounds,
                              size_t moof_bytes) {
    const size_t trun = VG_TRUN_FIXED + (size_t)VG_SOUND_TRUN_SAMPLE * sounds;
    const uint64_t data = moof_bytes + VG_BOX + (uint64_t)claim->video_bytes + VG_SOUND_START_SIZE;
    return is_box(p, VG_SOUND_TRUN_OFFSET + trun, "traf") && is_box(p + SOUND_TFHD, 20, "tfhd") &&
           is_box(p + SOUND_TFDT, 20, "tfdt") && is_box(p + VG_SOUND_TRUN_OFFSET, trun, "trun") &&
           vg_load_u32(p + SOUND_TFHD + 8) == SOUND_TFHD_FLAGS &&
           vg_load_u32(p + SOUND_TFHD + 12) == VG_SOUND_TRACK &&
           vg_load_u32(p + SOUND_TFHD + 16) == SAMPLE_SYNC &&
           vg_load_u32(p + SOUND_TFDT + 8) == UINT32_C(1) << 24U &&
           vg_load_u32(p + VG_SOUND_TRUN_OFFSET + 8) == (UINT32_C(1) << 24U | SOUND_TRUN_FLAGS) &&
           vg_load_u32(p + VG_SOUND_TRUN_OFFSET + 12) == sounds &&
           vg_load_u32(p + VG_SOUND_TRUN_OFFSET + 16) == data;
}

static vg_err check_boxes(const uint8_t *p, const vg_claim *claim, uint32_t sounds,
                          vg_fault *fault) {
    const size_t moof = vg_moof_offset(claim->flags);
    const size_t pictures = vg_moof_bytes(claim->samples);
    const size_t moof_bytes = vg_moof_bytes_of(claim->samples, sounds);
    if (!is_box(p, moof_bytes, "moof") || !is_box(p + MFHD, 16, "mfhd") ||
        !is_box(p + TRAF, pictures - TRAF, "traf") || !is_box(p + TFHD, 16, "tfhd") ||
        !is_box(p + TFDT, 20, "tfdt") ||
        !is_box(p + VG_TRUN_OFFSET, pictures - VG_TRUN_OFFSET, "trun"))
        return vg_fail(fault, VG_VALUE, moof, "boxes of moof");
    if (vg_load_u32(p + TFHD + 8) != TFHD_FLAGS || vg_load_u32(p + TFHD + 12) != VG_VIDEO_TRACK ||
        vg_load_u32(p + TFDT + 8) != UINT32_C(1) << 24U ||
        vg_load_u32(p + VG_TRUN_OFFSET + 8) != (UINT32_C(1) << 24U | TRUN_FLAGS) ||
        vg_load_u32(p + VG_TRUN_OFFSET + 12) != claim->samples ||
        vg_load_u32(p + VG_TRUN_OFFSET + 16) != moof_bytes + VG_BOX)
        return vg_fail(fault, VG_VALUE, moof, "fields of moof");
    if (sounds > 0 && !check_sound_boxes(p + pictures, claim, sounds, moof_bytes))
        return vg_fail(fault, VG_VALUE, moof + pictures, "traf of the sound");
    const uint64_t payload = (uint64_t)claim->video_bytes + claim->audio_bytes;
    if (!is_box(p + moof_bytes, VG_BOX + payload, "mdat"))
        return vg_fail(fault, VG_VALUE, moof + moof_bytes, "mdat of a chunk");
    return VG_OK;
}

vg_err vg_moof_check(const uint8_t *moof, const vg_claim *claim, uint32_t sounds,
                     uint32_t *first_bytes, vg_fault *fault) {
    const vg_err err = check_boxes(moof, claim, sounds, fault);
    if (err != VG_OK) return err;
    const uint8_t *trun = moof + VG_TRUN_OFFSET;
    uint64_t ticks = 0;
    uint64_t video = 0;
    for (uint32_t i = 0; i < claim->samples; i++) {
        const uint8_t *sample = trun + VG_TRUN_FIXED + (size_t)VG_TRUN_SAMPLE * i;
        ticks += vg_load_u32(sample);
        video += vg_load_u32(sample + 4);
    }
    const uint8_t *heard =
        moof + vg_moof_bytes(claim->samples) + VG_SOUND_TRUN_OFFSET + VG_TRUN_FIXED;
    uint64_t audio = sounds > 0 ? VG_SOUND_START_SIZE : 0;
    for (uint32_t i = 0; i < sounds; i++)
        audio += vg_load_u32(heard + (size_t)VG_SOUND_TRUN_SAMPLE * i + 4);
    const size_t at = vg_moof_offset(claim->flags) + VG_TRUN_OFFSET;
    if (ticks != claim->duration || video != claim->video_bytes || audio != claim->audio_bytes)
        return vg_fail(fault, VG_VALUE, at, "sums of trun");
    uint8_t sha256[VG_SHA256_SIZE];
    vg_moof_hash(moof, claim->samples, sounds, sha256);
    if (memcmp(sha256, claim->trun_sha256, sizeof sha256) != 0)
        return vg_fail(fault, VG_VALUE, at, "hash of trun");
    *first_bytes = vg_load_u32(trun + VG_TRUN_FIXED + 4);
    return VG_OK;
}

void vg_moof_hash(const uint8_t *moof, uint32_t samples, uint32_t sounds,
                  uint8_t out[VG_SHA256_SIZE]) {
    const size_t pictures = vg_moof_bytes(samples);
    const size_t first = pictures - VG_TRUN_OFFSET;
    if (sounds == 0) {
        vg_sha256(moof + VG_TRUN_OFFSET, first, out);
        return;
    }
    const size_t second = VG_TRUN_FIXED + (size_t)VG_SOUND_TRUN_SAMPLE * sounds;
    vg_sha256_two(moof + VG_TRUN_OFFSET, first, moof + pictures + VG_SOUND_TRUN_OFFSET, second,
                  out);
}

uint64_t vg_moof_time(const uint8_t *moof) {
    return vg_load_u64(moof + VG_TFDT_TIME);
}

int64_t vg_moof_sound_start(const uint8_t *moof, uint32_t samples) {
    return (int64_t)(vg_load_u64(moof + vg_moof_bytes(samples) + VG_SOUND_TFDT_TIME) -
                     vg_moof_time(moof));
}

void vg_moof_place(uint8_t *moof, uint32_t samples, uint32_t sounds, uint64_t decode_time,
                   uint32_t number) {
    if (sounds > 0) {
        const uint64_t distance = (uint64_t)vg_moof_sound_start(moof, samples);
        vg_store_u64(moof + vg_moof_bytes(samples) + VG_SOUND_TFDT_TIME, decode_time + distance);
    }
    vg_store_u32(moof + VG_MFHD_NUMBER, number);
    vg_store_u64(moof + VG_TFDT_TIME, decode_time);
}
