/* Rec. ITU-T H.265: sequence parameter sets, and where a NAL unit stands in an access unit. */
#include <assert.h>
#include <string.h>

#include "assembler.h"
#include "bits.h"
#include "bytes.h"

enum {
    TYPE_SLICE_LAST = 9, /* TRAIL, TSA, STSA, RADL, RASL; 10 to 15 are reserved */
    TYPE_IRAP = 16,
    TYPE_IRAP_LAST = 21, /* 22 and 23 are reserved */
    TYPE_VPS = 32,
    TYPE_SPS = 33,
    TYPE_AUD = 35,
    TYPE_PREFIX_SEI = 39,
    TYPE_RSV_NVCL41 = 41,
    TYPE_RSV_NVCL44 = 44,
};
enum { SIZE_MAX_SAMPLES = 16888 }; /* H.265 A.4.1: sqrt(8 * MaxLumaPs) of level 6.2 */
enum { REORDER_MAX = 16 };         /* H.265 A.4.2: MaxDpbSize */

vg_nal_role vg_h265_role(uint8_t type) {
    if (type <= TYPE_SLICE_LAST || (type >= TYPE_IRAP && type <= TYPE_IRAP_LAST))
        return VG_ROLE_SLICE;
    if (type >= TYPE_VPS && type <= TYPE_AUD) return VG_ROLE_PREFIX;
    if (type == TYPE_PREFIX_SEI || (type >= TYPE_RSV_NVCL41 && type <= TYPE_RSV_NVCL44))
        return VG_ROLE_PREFIX;
    return VG_ROLE_SUFFIX;
}

/* profile_tier_level(1, layers - 1), 7.3.3. */
static void read_profile(vg_bits *r, vg_sps *sps) {
    for (size_t i = 0; i < sizeof sps->tier_profile; i++)
        sps->tier_profile[i] = (uint8_t)vg_bits_u(r, 8);
    sps->profile = sps->tier_profile[0] & 0x1FU;
    sps->level = sps->tier_profile[11];

    const uint32_t below = sps->temporal_layers - 1U;
    uint32_t has_profile = 0;
    uint32_t has_level = 0;
    for (uint32_t i = 0; i < below; i++) {
        has_profile |= vg_bits_u1(r) << i;
        has_level |= vg_bits_u1(r) << i;
    }
    if (below > 0) vg_bits_skip(r, 2 * (8 - below)); /* reserved_zero_2bits */
    for (uint32_t i = 0; i < below; i++) {
        if (has_profile >> i & 1U) vg_bits_skip(r, 88);
        if (has_level >> i & 1U) vg_bits_skip(r, 8);
    }
}

/* Size of the picture in its conformance window. False: a value is forbidden. */
static bool read_size(vg_bits *r, vg_sps *sps) {
    const uint32_t chroma = vg_bits_ue(r);
    if (chroma > 3) return false;
    sps->chroma_format = (uint8_t)chroma;
    if (chroma == 3) (void)vg_bits_flag(r); /* separate_colour_plane_flag */
    sps->width = vg_bits_ue(r);
    sps->height = vg_bits_ue(r);
    if (sps->width == 0 || sps->width > SIZE_MAX_SAMPLES) return false;
    if (sps->height == 0 || sps->height > SIZE_MAX_SAMPLES) return false;
    if (!vg_bits_flag(r)) return true;

    const uint64_t left = vg_bits_ue(r);
    const uint64_t right = vg_bits_ue(r);
    const uint64_t top = vg_bits_ue(r);
    const uint64_t bottom = vg_bits_ue(r);
    const uint64_t crop_x = (chroma == 1 || chroma == 2 ? 2 : 1) * (left + right);
    const uint64_t crop_y = (chroma == 1 ? 2 : 1) * (top + bottom);
    /* As in H.264: no window at all rather than an empty one. */
    if (crop_x >= sps->width || crop_y >= sps->height) return true;
    sps->width -= (uint32_t)crop_x;
    sps->height -= (uint32_t)crop_y;
    return true;
}

static bool read_depth(vg_bits *r, vg_sps *sps) {
    const uint32_t luma = vg_bits_ue(r);
    const uint32_t chroma = vg_bits_ue(r);
    if (luma > 8 || chroma > 8) return false;
    sps->bit_depth_luma = (uint8_t)(8 + luma);
    sps->bit_depth_chroma = (uint8_t)(8 + chroma);
    return true;
}

/* sps_max_num_reorder_pics of the highest sub-layer, or -1 where it is not told or cannot be true.
 */
static int8_t read_reorder(vg_bits *r, uint32_t layers) {
    if (vg_bits_ue(r) > 12) return -1; /* log2_max_pic_order_cnt_lsb_minus4 */
    uint32_t count = 1;
    if (vg_bits_flag(r)) count = layers; /* sps_sub_layer_ordering_info_present_flag */
    uint32_t reorder = 0;
    for (uint32_t i = 0; i < count; i++) {
        (void)vg_bits_ue(r); /* sps_max_dec_pic_buffering_minus1 */
        reorder = vg_bits_ue(r);
        (void)vg_bits_ue(r); /* sps_max_latency_increase_plus1 */
    }
    if (r->overrun || reorder > REORDER_MAX) return -1;
    return (int8_t)reorder;
}

vg_err vg_h265_sps_parse(const uint8_t *nal, size_t size, vg_sps *out, vg_fault *fault) {
    assert(out != NULL && fault != NULL);
    vg_bytes head = vg_bytes_of(nal, size);
    const uint8_t type = vg_bytes_u8(&head) >> 1U & 0x3FU;
    (void)vg_bytes_u8(&head);
    if (head.overrun) return vg_fail(fault, VG_SHORT, size, "H.265 7.3.1.2 nal_unit_header");
    if (type != TYPE_SPS) return vg_fail(fault, VG_VALUE, 0, "H.265 7.4.2.2 nal_unit_type");

    vg_sps sps = {0};
    vg_bits r = vg_bits_of(head.pos, vg_bytes_left(&head));
    (void)vg_bits_u(&r, 4); /* sps_video_parameter_set_id */
    const uint32_t layers = vg_bits_u(&r, 3) + 1;
    sps.temporal_nested = vg_bits_flag(&r);
    sps.temporal_layers = (uint8_t)layers;
    const char *rule = NULL;
    if (layers > 7) {
        rule = "H.265 7.4.3.2.1 sps_max_sub_layers_minus1";
    } else {
        read_profile(&r, &sps);
        sps.id = vg_bits_ue(&r);
        if (sps.id > 15)
            rule = "H.265 7.4.3.2.1 sps_seq_parameter_set_id";
        else if (!read_size(&r, &sps))
            rule = "H.265 7.4.3.2.1 pic_width_in_luma_samples";
        else if (!read_depth(&r, &sps))
            rule = "H.265 7.4.3.2.1 bit_depth_luma_minus8";
    }
    const size_t offset = 2 + vg_bits_offset(&r);
    if (r.overrun) return vg_fail(fault, VG_SHORT, offset, "H.265 7.3.2.2.1 seq_parameter_set");
    if (rule != NULL) return vg_fail(fault, VG_VALUE, offset, rule);

    sps.reorder_depth = read_reorder(&r, layers);
    *out = sps;
    return VG_OK;
}
