/* Rec. ITU-T H.264: sequence parameter sets, and the little of SEI and slices that tells how an
 * access unit can be entered. */
#include <assert.h>
#include <string.h>

#include "assembler.h"
#include "bits.h"
#include "bytes.h"

enum {
    TYPE_SEI = 6,
    TYPE_SPS = 7,
    TYPE_AUD = 9,
    TYPE_PREFIX = 14,
    TYPE_PREFIX_LAST = 18,
    TYPE_SLICE = 1,
    TYPE_SLICE_LAST = 5,
};
enum { SEI_RECOVERY_POINT = 6, SEI_MESSAGES_MAX = 32 };
enum { BASELINE = 66, EXTENDED_SAR = 255 };
enum { MACROBLOCKS_MAX = 1056 }; /* H.264 A.3.1: sqrt(8 * MaxFS) of level 6.2, in each direction */
enum { REORDER_MAX = 16 };       /* H.264 A.3.1: MaxDpbFrames */

vg_nal_role vg_h264_role(uint8_t type) {
    if (type >= TYPE_SLICE && type <= TYPE_SLICE_LAST) return VG_ROLE_SLICE;
    if (type >= TYPE_SEI && type <= TYPE_AUD) return VG_ROLE_PREFIX;
    if (type >= TYPE_PREFIX && type <= TYPE_PREFIX_LAST) return VG_ROLE_PREFIX;
    return VG_ROLE_SUFFIX;
}

/* payloadType and payloadSize: any number of FF, then a byte that is not (H.264 7.3.2.3.1). */
static uint32_t sei_number(vg_bits *r) {
    uint32_t value = 0;
    for (;;) {
        const uint32_t byte = vg_bits_u(r, 8);
        value += byte;
        if (byte != 0xFF || r->overrun) return value;
    }
}

bool vg_h264_sei_is_recovery(const uint8_t *nal, size_t size) {
    vg_bits r = vg_bits_of(nal + 1, size - 1);
    for (int i = 0; i < SEI_MESSAGES_MAX; i++) {
        const uint32_t type = sei_number(&r);
        const uint32_t bytes = sei_number(&r);
        if (r.overrun) return false;
        if (type == SEI_RECOVERY_POINT) {
            const uint32_t frames = vg_bits_ue(&r);
            return !r.overrun && frames == 0;
        }
        vg_bits_skip_bytes(&r, bytes);
    }
    return false;
}

bool vg_h264_slice_is_intra(const uint8_t *nal, size_t size) {
    vg_bits r = vg_bits_of(nal + 1, size - 1);
    (void)vg_bits_ue(&r); /* first_mb_in_slice */
    const uint32_t type = vg_bits_ue(&r);
    return !r.overrun && (type == 2 || type == 7); /* Table 7-6: I */
}

static void skip_scaling_list(vg_bits *r, int count) {
    int32_t last = 8;
    int32_t next = 8;
    for (int i = 0; i < count; i++) {
        if (next != 0) next = (last + vg_bits_se(r) % 256 + 256) % 256;
        if (next != 0) last = next;
    }
}

/* What profiles above Main have. False: a value is forbidden. */
static bool read_high(vg_bits *r, vg_sps *sps) {
    const uint32_t chroma = vg_bits_ue(r);
    if (chroma > 3) return false;
    if (chroma == 3) (void)vg_bits_flag(r); /* separate_colour_plane_flag */
    const uint32_t luma = vg_bits_ue(r);
    const uint32_t chroma_depth = vg_bits_ue(r);
    if (luma > 6 || chroma_depth > 6) return false;
    sps->chroma_format = (uint8_t)chroma;
    sps->bit_depth_luma = (uint8_t)(8 + luma);
    sps->bit_depth_chroma = (uint8_t)(8 + chroma_depth);
    (void)vg_bits_flag(r); /* qpprime_y_zero_transform_bypass_flag */
    if (!vg_bits_flag(r)) return true;
    const int lists = chroma == 3 ? 12 : 8;
    for (int i = 0; i < lists; i++)
        if (vg_bits_flag(r)) skip_scaling_list(r, i < 6 ? 16 : 64);
    return true;
}

static bool has_high(uint8_t profile) {
    static const uint8_t profiles[] = {100, 110, 122, 244, 44,  83, 86,
                                       118, 128, 138, 139, 134, 135};
    return memchr(profiles, profile, sizeof profiles) != NULL;
}

/* False: a value is forbidden. `*output_order`: pictures come out as they go in. */
static bool read_order_count(vg_bits *r, bool *output_order) {
    if (vg_bits_ue(r) > 12) return false; /* log2_max_frame_num_minus4 */
    const uint32_t type = vg_bits_ue(r);
    *output_order = type == 2;
    if (type > 2) return false;
    if (type == 0) return vg_bits_ue(r) <= 12; /* log2_max_pic_order_cnt_lsb_minus4 */
    if (type == 2) return true;
    (void)vg_bits_flag(r); /* delta_pic_order_always_zero_flag */
    (void)vg_bits_se(r);   /* offset_for_non_ref_pic */
    (void)vg_bits_se(r);   /* offset_for_top_to_bottom_field */
    const uint32_t cycle = vg_bits_ue(r);
    if (cycle > 255) return false;
    for (uint32_t i = 0; i < cycle; i++)
        (void)vg_bits_se(r); /* offset_for_ref_frame */
    return true;
}

/* Size of the picture, cropped. False: a value is forbidden. */
static bool read_size(vg_bits *r, vg_sps *sps) {
    const uint32_t width_mbs = vg_bits_ue(r);
    const uint32_t height_units = vg_bits_ue(r);
    if (width_mbs >= MACROBLOCKS_MAX || height_units >= MACROBLOCKS_MAX) return false;
    const bool frames_only = vg_bits_flag(r);
    if (!frames_only) (void)vg_bits_flag(r); /* mb_adaptive_frame_field_flag */
    (void)vg_bits_flag(r);                   /* direct_8x8_inference_flag */
    const uint32_t fields = frames_only ? 1 : 2;
    sps->interlaced = !frames_only;
    sps->width = 16 * (width_mbs + 1);
    sps->height = 16 * fields * (height_units + 1);
    if (!vg_bits_flag(r)) return true;

    const uint64_t left = vg_bits_ue(r);
    const uint64_t right = vg_bits_ue(r);
    const uint64_t top = vg_bits_ue(r);
    const uint64_t bottom = vg_bits_ue(r);
    const uint32_t unit_x = sps->chroma_format == 1 || sps->chroma_format == 2 ? 2 : 1;
    const uint32_t unit_y = (sps->chroma_format == 1 ? 2 : 1) * fields;
    const uint64_t crop_x = unit_x * (left + right);
    const uint64_t crop_y = unit_y * (top + bottom);
    /* A window with nothing in it cannot be meant: the whole picture is better than no stream. */
    if (crop_x >= sps->width || crop_y >= sps->height) return true;
    sps->width -= (uint32_t)crop_x;
    sps->height -= (uint32_t)crop_y;
    return true;
}

static void skip_hrd(vg_bits *r) {
    const uint32_t count = vg_bits_ue(r); /* cpb_cnt_minus1 */
    if (count > 31) r->overrun = true;    /* E.2.2 */
    vg_bits_skip(r, 8);
    for (uint32_t i = 0; i <= count && !r->overrun; i++) {
        (void)vg_bits_ue(r);
        (void)vg_bits_ue(r);
        (void)vg_bits_flag(r);
    }
    vg_bits_skip(r, 20);
}

/* E.1.1. max_num_reorder_frames, or -1 where it is not told or cannot be true. */
static int8_t read_vui_reorder(vg_bits *r) {
    if (!vg_bits_flag(r)) return -1;
    if (vg_bits_flag(r) && vg_bits_u(r, 8) == EXTENDED_SAR) vg_bits_skip(r, 32);
    if (vg_bits_flag(r)) (void)vg_bits_flag(r); /* overscan */
    if (vg_bits_flag(r)) {                      /* video_signal_type_present_flag */
        vg_bits_skip(r, 4);
        if (vg_bits_flag(r)) vg_bits_skip(r, 24);
    }
    if (vg_bits_flag(r)) { /* chroma_loc_info_present_flag */
        (void)vg_bits_ue(r);
        (void)vg_bits_ue(r);
    }
    if (vg_bits_flag(r)) vg_bits_skip(r, 65); /* timing_info */
    const bool nal_hrd = vg_bits_flag(r);
    if (nal_hrd) skip_hrd(r);
    const bool vcl_hrd = vg_bits_flag(r);
    if (vcl_hrd) skip_hrd(r);
    if (nal_hrd || vcl_hrd) (void)vg_bits_flag(r); /* low_delay_hrd_flag */
    (void)vg_bits_flag(r);                         /* pic_struct_present_flag */
    if (!vg_bits_flag(r)) return -1;               /* bitstream_restriction_flag */
    (void)vg_bits_flag(r);
    for (int i = 0; i < 4; i++)
        (void)vg_bits_ue(r);
    const uint32_t reorder = vg_bits_ue(r);
    if (r->overrun || reorder > REORDER_MAX) return -1;
    return (int8_t)reorder;
}

/* Profiles that are intra only with constraint_set3_flag (E.2.1, max_num_reorder_frames). */
static bool is_intra_only(const vg_sps *sps) {
    if (!(sps->compatibility & 0x10U)) return false;
    static const uint8_t profiles[] = {44, 86, 100, 110, 122, 244};
    return memchr(profiles, sps->profile, sizeof profiles) != NULL;
}

vg_err vg_h264_sps_parse(const uint8_t *nal, size_t size, vg_sps *out, vg_fault *fault) {
    assert(out != NULL && fault != NULL);
    vg_bytes head = vg_bytes_of(nal, size);
    const uint8_t type = vg_bytes_u8(&head) & 0x1FU;
    vg_sps sps = {
        .profile = vg_bytes_u8(&head),
        .compatibility = vg_bytes_u8(&head),
        .level = vg_bytes_u8(&head),
        .chroma_format = 1,
        .bit_depth_luma = 8,
        .bit_depth_chroma = 8,
        .temporal_layers = 1,
    };
    if (head.overrun) return vg_fail(fault, VG_SHORT, size, "H.264 7.3.2.1.1 profile_idc");
    if (type != TYPE_SPS) return vg_fail(fault, VG_VALUE, 0, "H.264 7.4.1 nal_unit_type");

    vg_bits r = vg_bits_of(head.pos, vg_bytes_left(&head));
    sps.id = vg_bits_ue(&r);
    bool output_order = false;
    const char *rule = NULL;
    if (sps.id > 31)
        rule = "H.264 7.4.2.1.1 seq_parameter_set_id";
    else if (has_high(sps.profile) && !read_high(&r, &sps))
        rule = "H.264 7.4.2.1.1 chroma_format_idc";
    else if (!read_order_count(&r, &output_order))
        rule = "H.264 7.4.2.1.1 pic_order_cnt_type";
    if (rule == NULL) {
        (void)vg_bits_ue(&r);   /* max_num_ref_frames */
        (void)vg_bits_flag(&r); /* gaps_in_frame_num_value_allowed_flag */
        if (!read_size(&r, &sps)) rule = "H.264 7.4.2.1.1 pic_width_in_mbs_minus1";
    }
    const size_t offset = 4 + vg_bits_offset(&r);
    if (r.overrun)
        return vg_fail(fault, VG_SHORT, offset, "H.264 7.3.2.1.1 seq_parameter_set_data");
    if (rule != NULL) return vg_fail(fault, VG_VALUE, offset, rule);

    sps.reorder_depth = read_vui_reorder(&r);
    if (sps.profile == BASELINE || output_order || is_intra_only(&sps)) sps.reorder_depth = 0;
    *out = sps;
    return VG_OK;
}
