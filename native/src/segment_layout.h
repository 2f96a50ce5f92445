/* What the writers and readers of a segment share. docs/ref/segment-format.md draws it. */
#ifndef VG_SRC_SEGMENT_LAYOUT_H
#define VG_SRC_SEGMENT_LAYOUT_H

#include "put.h"
#include "vg/segment.h"

/* The extended types of our two `uuid` boxes (ISO/IEC 14496-12 4.2): random, and never used for
 * another layout that does not start with a version. */
#define VG_CHUNK_USERTYPE                                                                          \
    {0xB8, 0x9B, 0x0F, 0x98, 0xDC, 0xA4, 0x42, 0x70, 0xBE, 0xAF, 0x32, 0x5D, 0x79, 0xDF, 0x3D, 0x23}
#define VG_TABLE_USERTYPE                                                                          \
    {0x45, 0x57, 0x98, 0x13, 0xA3, 0xF0, 0x49, 0xC1, 0x9C, 0xC4, 0xA4, 0x18, 0x15, 0x1F, 0x2B, 0x1F}

enum {
    VG_VIDEO_TRACK = 1,
    VG_SOUND_TRACK = 2,
    VG_BOX = 8, /* size, type */
    VG_UUID_BOX = VG_BOX + 16,
    VG_PRFT_BYTES = 32,
    VG_TRUN_FIXED = 20,  /* header, count, data offset */
    VG_TRUN_SAMPLE = 16, /* duration, size, flags, composition offset */
    VG_TRUN_OFFSET = 68, /* of trun in moof: header 8, mfhd 16, traf 8, tfhd 16, tfdt 20 */
    VG_MOOF_FIXED = VG_TRUN_OFFSET + VG_TRUN_FIXED,
    VG_MFHD_NUMBER = 20, /* of the sequence number in moof */
    VG_TFDT_TIME = 60,   /* of the decode time in moof */
    VG_PLACE_CRC = VG_PLACE_SIZE - 4,
    /* The second traf: header 8, tfhd 20, tfdt 20, trun 20; then duration and size of each. */
    VG_SOUND_TRUN_OFFSET = 48,
    VG_SOUND_TRAF_FIXED = VG_SOUND_TRUN_OFFSET + VG_TRUN_FIXED,
    VG_SOUND_TRUN_SAMPLE = 8,
    VG_SOUND_TFDT_TIME = 40, /* in the second traf */
};

/* The software form of vg_crc32c, for machines without SSE4.2 and for the test that compares both.
 */
uint32_t vg_crc32c_portable(uint32_t crc, const void *data, size_t size);

vg_err vg_sps_of(vg_codec codec, const uint8_t *nal, size_t size, vg_sps *out, vg_fault *fault);
/* The video sample entry (avc1, avc3, hvc1, hev1, mp4v) with its configuration box; `sps` is that
 * of the first set. */
void vg_sample_entry_put(vg_put *w, const vg_sets *sets, const vg_sps *sps);
/* The whole second track. */
void vg_sound_trak_put(vg_put *w, const vg_sound *sound, uint32_t timescale);

#endif
