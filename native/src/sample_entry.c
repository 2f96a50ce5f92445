/* Video sample entries: avc1/avc3 with avcC (ISO/IEC 14496-15 5.3.3, 5.4.2), hvc1/hev1 with hvcC
 * (14496-15 8.3.3, 8.4.1) and mp4v with esds for MJPEG (14496-14 5.6; object type 0x6C of MP4RA).
 * No `pasp` and no `colr`: the parameter sets say it, and what is said twice can differ. */
#include "segment_layout.h"

enum { H265_VPS = 32, H265_SPS = 33, H265_PPS = 34 };

static void put_sets(vg_put *w, const uint8_t *const *sets, const uint16_t *sizes, uint8_t count) {
    for (uint8_t i = 0; i < count; i++) {
        vg_put_u16(w, sizes[i]);
        vg_put_bytes(w, sets[i], sizes[i]);
    }
}

static void put_avcc(vg_put *w, const vg_sets *sets, const vg_sps *sps) {
    const size_t box = vg_put_box(w, "avcC");
    vg_put_u8(w, 1); /* configurationVersion */
    vg_put_u8(w, sps->profile);
    vg_put_u8(w, sps->compatibility);
    vg_put_u8(w, sps->level);
    vg_put_u8(w, 0xFC | 3); /* lengths of NAL units have 4 bytes */
    vg_put_u8(w, (uint8_t)(0xE0U | sets->sps_count));
    put_sets(w, sets->sps, sets->sps_size, sets->sps_count);
    vg_put_u8(w, sets->pps_count);
    put_sets(w, sets->pps, sets->pps_size, sets->pps_count);
    /* For the High profiles; Baseline (66), Main (77) and Extended (88) have no such fields. */
    if (sps->profile != 66 && sps->profile != 77 && sps->profile != 88) {
        vg_put_u8(w, (uint8_t)(0xFCU | sps->chroma_format));
        vg_put_u8(w, (uint8_t)(0xF8U | (uint8_t)(sps->bit_depth_luma - 8)));
        vg_put_u8(w, (uint8_t)(0xF8U | (uint8_t)(sps->bit_depth_chroma - 8)));
        vg_put_u8(w, 0); /* SPS extensions */
    }
    vg_put_box_end(w, box);
}

static void put_hevc_array(vg_put *w, uint8_t type, bool complete, const uint8_t *const *sets,
                           const uint16_t *sizes, uint8_t count) {
    if (count == 0) return;
    vg_put_u8(w, (uint8_t)((complete ? 0x80U : 0U) | type));
    vg_put_u16(w, count);
    put_sets(w, sets, sizes, count);
}

static void put_hvcc(vg_put *w, const vg_sets *sets, const vg_sps *sps) {
    const size_t box = vg_put_box(w, "hvcC");
    vg_put_u8(w, 1); /* configurationVersion */
    vg_put_bytes(w, sps->tier_profile, sizeof sps->tier_profile);
    vg_put_u16(w, 0xF000); /* min_spatial_segmentation_idc 0: not told */
    vg_put_u8(w, 0xFC);    /* parallelismType 0: not told */
    vg_put_u8(w, (uint8_t)(0xFCU | sps->chroma_format));
    vg_put_u8(w, (uint8_t)(0xF8U | (uint8_t)(sps->bit_depth_luma - 8)));
    vg_put_u8(w, (uint8_t)(0xF8U | (uint8_t)(sps->bit_depth_chroma - 8)));
    vg_put_u16(w, 0); /* avgFrameRate: not told */
    /* constantFrameRate 0 (not told), numTemporalLayers, temporalIdNested, lengths of 4 bytes */
    vg_put_u8(w,
              (uint8_t)((sps->temporal_layers & 7U) << 3U | (sps->temporal_nested ? 4U : 0U) | 3U));
    const uint8_t arrays = (uint8_t)((sets->vps_count > 0 ? 1 : 0) + (sets->sps_count > 0 ? 1 : 0) +
                                     (sets->pps_count > 0 ? 1 : 0));
    vg_put_u8(w, arrays);
    const bool complete = !sets->inband;
    put_hevc_array(w, H265_VPS, complete, sets->vps, sets->vps_size, sets->vps_count);
    put_hevc_array(w, H265_SPS, complete, sets->sps, sets->sps_size, sets->sps_count);
    put_hevc_array(w, H265_PPS, complete, sets->pps, sets->pps_size, sets->pps_count);
    vg_put_box_end(w, box);
}

/* ISO/IEC 14496-1 7.2.6.5, 7.2.6.6, 7.3.2.3. A JPEG file needs no configuration. */
static void put_esds(vg_put *w) {
    enum { ES = 3, DECODER = 4, SYNC_LAYER = 6, JPEG = 0x6C, VISUAL = 4 };
    const size_t box = vg_put_full_box(w, "esds", 0, 0);
    vg_put_u8(w, ES);
    vg_put_u8(w, 3 + 2 + 13 + 2 + 1);
    vg_put_u16(w, 0); /* the track's id takes its place in a file */
    vg_put_u8(w, 0);
    vg_put_u8(w, DECODER);
    vg_put_u8(w, 13);
    vg_put_u8(w, JPEG);
    vg_put_u8(w, VISUAL << 2U | 1U);
    vg_put_zeros(w, 3 + 4 + 4); /* buffer, highest and mean bit rate: not told */
    vg_put_u8(w, SYNC_LAYER);
    vg_put_u8(w, 1);
    vg_put_u8(w, 2); /* predefined: for MP4 files */
    vg_put_box_end(w, box);
}

static const char *entry_type(const vg_sets *sets) {
    if (sets->codec == VG_CODEC_MJPEG) return "mp4v";
    if (sets->codec == VG_CODEC_H264) return sets->inband ? "avc3" : "avc1";
    return sets->inband ? "hev1" : "hvc1";
}

void vg_sample_entry_put(vg_put *w, const vg_sets *sets, const vg_sps *sps) {
    const size_t box = vg_put_box(w, entry_type(sets));
    vg_put_zeros(w, 6);
    vg_put_u16(w, 1); /* data reference: this file */
    vg_put_zeros(w, 16);
    vg_put_u16(w, (uint16_t)sps->width);
    vg_put_u16(w, (uint16_t)sps->height);
    vg_put_u32(w, 0x00480000); /* 72 dpi, as the standard demands */
    vg_put_u32(w, 0x00480000);
    vg_put_u32(w, 0);
    vg_put_u16(w, 1); /* frame count a sample */
    vg_put_zeros(w, 32);
    vg_put_u16(w, 0x0018); /* depth */
    vg_put_u16(w, 0xFFFF);
    if (sets->codec == VG_CODEC_H264)
        put_avcc(w, sets, sps);
    else if (sets->codec == VG_CODEC_H265)
        put_hvcc(w, sets, sps);
    else
        put_esds(w);
    vg_put_box_end(w, box);
}
