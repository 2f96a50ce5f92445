/* `moof` of a chunk: a traf of pictures, and one of sound where the second brought any. */
#ifndef VG_SRC_CHUNK_MOOF_H
#define VG_SRC_CHUNK_MOOF_H

#include "claim.h"

static inline size_t vg_moof_bytes_of(uint32_t samples, uint32_t sounds) {
    const size_t pictures = vg_moof_bytes(samples);
    if (sounds == 0) return pictures;
    return pictures + VG_SOUND_TRAF_FIXED + (size_t)VG_SOUND_TRUN_SAMPLE * sounds;
}

/* What the samples sum up to, `mdat`'s bytes with the start in front of the sound. */
typedef struct vg_moof_sums {
    uint32_t duration, video_bytes, audio_bytes;
} vg_moof_sums;

/* False if a sum leaves 31 bits. */
bool vg_moof_sum(const vg_sample *samples, uint32_t count, const vg_sound_samples *sound,
                 vg_moof_sums *out);
void vg_moof_put(vg_put *w, const vg_sample *samples, uint32_t count, const vg_sound_samples *sound,
                 const vg_moof_sums *sums);
/* How many samples of sound a `moof` has, whose first bytes are at `p`: its size tells. False where
 * no `moof` of so many pictures is so large. */
bool vg_moof_sounds(const uint8_t *p, uint32_t samples, uint32_t *sounds);
/* Every box where it must be, every length and hash what the claim says. `moof` and the header of
 * `mdat` are there. Gives the size of the first picture. */
vg_err vg_moof_check(const uint8_t *moof, const vg_claim *claim, uint32_t sounds,
                     uint32_t *first_bytes, vg_fault *fault);
/* Of the one `trun`, or of both, the second behind the first. */
void vg_moof_hash(const uint8_t *moof, uint32_t samples, uint32_t sounds,
                  uint8_t out[VG_SHA256_SIZE]);
/* The keeper's numbers; sound keeps its distance from the pictures. */
void vg_moof_place(uint8_t *moof, uint32_t samples, uint32_t sounds, uint64_t decode_time,
                   uint32_t number);
uint64_t vg_moof_time(const uint8_t *moof);
/* Ticks from the first picture's decode time to the first sound. */
int64_t vg_moof_sound_start(const uint8_t *moof, uint32_t samples);

#endif
