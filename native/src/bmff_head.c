/* ftyp and moov of a segment: a video track, and one of sound where that is recorded, without
 * samples: they come in fragments.
 * Nothing in it depends on time or place: equal parameter sets give equal bytes, and their hash
 * names the entry. */
#include "segment_layout.h"

#include "head_boxes.h"

static void put_ftyp(vg_put *w) {
    const size_t box = vg_put_box(w, "ftyp");
    /* iso6: tfdt, prft, default-base-is-moof and signed composition offsets; mp42: for readers that
     * want an MPEG-4 brand. Not cmfc: free boxes between chunks and zeros at the end are no CMAF
     * track file. */
    vg_put_bytes(w, "iso6", 4);
    vg_put_u32(w, 0);
    vg_put_bytes(w, "iso6iso5mp42", 12);
    vg_put_box_end(w, box);
}

static void put_mvhd(vg_put *w, uint32_t timescale, uint32_t tracks) {
    const size_t box = vg_put_full_box(w, "mvhd", 0, 0);
    vg_put_u32(w, 0); /* created, modified: not told; true time is in the claims */
    vg_put_u32(w, 0);
    vg_put_u32(w, timescale);
    vg_put_u32(w, 0);          /* duration: in fragments */
    vg_put_u32(w, 0x00010000); /* rate */
    vg_put_u16(w, 0x0100);     /* volume */
    vg_put_zeros(w, 10);
    vg_put_matrix(w);
    vg_put_zeros(w, 24);
    vg_put_u32(w, tracks + 1); /* next track */
    vg_put_box_end(w, box);
}

static void put_tkhd(vg_put *w, const vg_sps *sps) {
    const size_t box = vg_put_full_box(w, "tkhd", 0, 3); /* enabled, in the movie */
    vg_put_u32(w, 0);
    vg_put_u32(w, 0);
    vg_put_u32(w, VG_VIDEO_TRACK);
    vg_put_zeros(w, 4 + 4 + 8);     /* reserved, duration, reserved */
    vg_put_zeros(w, 2 + 2 + 2 + 2); /* layer, group, volume, reserved */
    vg_put_matrix(w);
    vg_put_u32(w, sps->width << 16U);
    vg_put_u32(w, sps->height << 16U);
    vg_put_box_end(w, box);
}

static void put_stbl(vg_put *w, const vg_sets *sets, const vg_sps *sps) {
    const size_t stbl = vg_put_box(w, "stbl");
    const size_t stsd = vg_put_full_box(w, "stsd", 0, 0);
    vg_put_u32(w, 1);
    vg_sample_entry_put(w, sets, sps);
    vg_put_box_end(w, stsd);
    vg_put_no_samples(w);
    vg_put_box_end(w, stbl);
}

static void put_minf(vg_put *w, const vg_sets *sets, const vg_sps *sps) {
    const size_t minf = vg_put_box(w, "minf");
    const size_t box = vg_put_full_box(w, "vmhd", 0, 1);
    vg_put_zeros(w, 8);
    vg_put_box_end(w, box);
    vg_put_dinf(w);
    put_stbl(w, sets, sps);
    vg_put_box_end(w, minf);
}

static void put_trex(vg_put *w, uint32_t track) {
    const size_t box = vg_put_full_box(w, "trex", 0, 0);
    vg_put_u32(w, track);
    vg_put_u32(w, 1);    /* sample description */
    vg_put_zeros(w, 12); /* no defaults: every trun tells its own */
    vg_put_box_end(w, box);
}

static void put_moov(vg_put *w, const vg_sets *sets, const vg_sps *sps, uint32_t timescale) {
    const size_t moov = vg_put_box(w, "moov");
    put_mvhd(w, timescale, sets->sound != NULL ? VG_SOUND_TRACK : VG_VIDEO_TRACK);
    const size_t trak = vg_put_box(w, "trak");
    put_tkhd(w, sps);
    const size_t mdia = vg_put_box(w, "mdia");
    vg_put_mdhd(w, timescale);
    vg_put_hdlr(w, "vide");
    put_minf(w, sets, sps);
    vg_put_box_end(w, mdia);
    vg_put_box_end(w, trak);
    if (sets->sound != NULL) vg_sound_trak_put(w, sets->sound, timescale);
    const size_t mvex = vg_put_box(w, "mvex");
    put_trex(w, VG_VIDEO_TRACK);
    if (sets->sound != NULL) put_trex(w, VG_SOUND_TRACK);
    vg_put_box_end(w, mvex);
    vg_put_box_end(w, moov);
}

/* What can be said without looking into a set. */
static vg_err check_sets(const vg_sets *sets, vg_fault *fault) {
    const size_t vps_max = sizeof sets->vps / sizeof sets->vps[0];
    const size_t sps_max = sizeof sets->sps / sizeof sets->sps[0];
    const size_t pps_max = sizeof sets->pps / sizeof sets->pps[0];
    assert(sets->vps_count <= vps_max && sets->sps_count <= sps_max && sets->pps_count <= pps_max);
    if (sets->codec != VG_CODEC_H264 && sets->codec != VG_CODEC_H265 &&
        sets->codec != VG_CODEC_MJPEG)
        return vg_fail(fault, VG_UNSUPPORTED, 0, "codec of the sample entry");
    if (sets->sound != NULL && vg_sound_refuse(sets->sound) != NULL)
        return vg_fail(fault, VG_VALUE, 0, vg_sound_refuse(sets->sound));
    if (sets->sps_count == 0) return vg_fail(fault, VG_VALUE, 0, "sample entry without SPS");
    if (sets->pps_count == 0 && sets->codec != VG_CODEC_MJPEG)
        return vg_fail(fault, VG_VALUE, 0, "sample entry without PPS");
    for (uint8_t i = 0; i < sets->vps_count; i++)
        if (sets->vps_size[i] == 0) return vg_fail(fault, VG_VALUE, 0, "empty VPS");
    for (uint8_t i = 0; i < sets->sps_count; i++)
        if (sets->sps_size[i] == 0) return vg_fail(fault, VG_VALUE, 0, "empty SPS");
    for (uint8_t i = 0; i < sets->pps_count; i++)
        if (sets->pps_size[i] == 0) return vg_fail(fault, VG_VALUE, 0, "empty PPS");
    return VG_OK;
}

vg_err vg_sps_of(vg_codec codec, const uint8_t *nal, size_t size, vg_sps *out, vg_fault *fault) {
    if (codec == VG_CODEC_H264) return vg_h264_sps_parse(nal, size, out, fault);
    if (codec == VG_CODEC_H265) return vg_h265_sps_parse(nal, size, out, fault);
    return vg_jpeg_sps_parse(nal, size, out, fault);
}

static vg_err parse_sps(const vg_sets *sets, vg_sps *sps, vg_fault *fault) {
    const vg_err err = vg_sps_of(sets->codec, sets->sps[0], sets->sps_size[0], sps, fault);
    if (err != VG_OK) return err;
    if (sps->width == 0 || sps->height == 0 || sps->width > UINT16_MAX || sps->height > UINT16_MAX)
        return vg_fail(fault, VG_VALUE, 0, "14496-12 12.1.3 width and height of 16 bits");
    if (sps->chroma_format > 3 || sps->bit_depth_luma < 8 || sps->bit_depth_luma > 15 ||
        sps->bit_depth_chroma < 8 || sps->bit_depth_chroma > 15)
        return vg_fail(fault, VG_VALUE, 0,
                       "14496-15 chroma format and bit depths of the configuration");
    return VG_OK;
}

vg_err vg_head_write(const vg_sets *sets, uint32_t timescale, uint8_t *out, size_t capacity,
                     size_t *size, vg_fault *fault) {
    assert(sets != NULL && out != NULL && size != NULL && fault != NULL && timescale > 0);
    vg_err err = check_sets(sets, fault);
    if (err != VG_OK) return err;
    vg_sps sps;
    err = parse_sps(sets, &sps, fault);
    if (err != VG_OK) return err;

    vg_put w = vg_put_into(out, capacity);
    put_ftyp(&w);
    put_moov(&w, sets, &sps, timescale);
    const size_t used = vg_put_offset(&w);
    if (w.overrun || used > VG_HEAD_MAX) return vg_fail(fault, VG_LIMIT, 0, "VG_HEAD_MAX");
    const size_t rest = VG_BLOCK - used % VG_BLOCK;
    if (rest != VG_BLOCK) {
        const size_t padding = rest >= VG_BOX ? rest : rest + VG_BLOCK;
        const size_t box = vg_put_box(&w, "free");
        vg_put_zeros(&w, padding - VG_BOX);
        vg_put_box_end(&w, box);
    }
    if (w.overrun) return vg_fail(fault, VG_LIMIT, 0, "room for ftyp and moov");
    *size = vg_put_offset(&w);
    return VG_OK;
}
