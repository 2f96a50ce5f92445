/* Track 2: mp4a with esds (ISO/IEC 14496-14 5.6), alaw and ulaw (QTFF, as RFC 3551 names them), and
 * Opus with dOps (opus-in-isobmff 4.3). There only where sound is recorded. */
#include "segment_layout.h"

#include "head_boxes.h"

/* ISO/IEC 14496-1 7.2.6.5, 7.2.6.6, 7.3.2.3. */
static void put_esds(vg_put *w, const vg_sound *sound) {
    enum { ES = 3, DECODER = 4, SPECIFIC = 5, SYNC_LAYER = 6, AAC = 0x40, AUDIO = 5 };
    const uint8_t specific = 2 + sound->config_size;
    const size_t box = vg_put_full_box(w, "esds", 0, 0);
    vg_put_u8(w, ES);
    vg_put_u8(w, (uint8_t)(3 + 2 + 13 + specific + 3));
    vg_put_u16(w, 0); /* the track's id takes its place in a file */
    vg_put_u8(w, 0);
    vg_put_u8(w, DECODER);
    vg_put_u8(w, (uint8_t)(13 + specific));
    vg_put_u8(w, AAC);
    vg_put_u8(w, AUDIO << 2U | 1U);
    vg_put_zeros(w, 3 + 4 + 4); /* buffer, highest and mean bit rate: not told */
    vg_put_u8(w, SPECIFIC);
    vg_put_u8(w, sound->config_size);
    vg_put_bytes(w, sound->config, sound->config_size);
    vg_put_u8(w, SYNC_LAYER);
    vg_put_u8(w, 1);
    vg_put_u8(w, 2); /* predefined: for MP4 files */
    vg_put_box_end(w, box);
}

/* What precedes a stream joined in its middle was decoded by nobody here: nothing is skipped. */
static void put_dops(vg_put *w, const vg_sound *sound) {
    const size_t box = vg_put_box(w, "dOps");
    vg_put_u8(w, 0); /* version */
    vg_put_u8(w, sound->channels);
    vg_put_u16(w, 0); /* pre-skip */
    vg_put_u32(w, sound->sample_rate);
    vg_put_u16(w, 0); /* gain */
    vg_put_u8(w, 0);  /* mapping family: mono or stereo, RFC 7587 7 */
    vg_put_box_end(w, box);
}

static bool is_aac(const vg_sound *sound) {
    return sound->codec == VG_SOUND_AAC || sound->codec == VG_SOUND_LATM;
}

static const char *entry_type(const vg_sound *sound) {
    if (is_aac(sound)) return "mp4a";
    if (sound->codec == VG_SOUND_OPUS) return "Opus";
    return sound->codec == VG_SOUND_PCMA ? "alaw" : "ulaw";
}

/* AudioSampleEntry, version 0 (14496-12 12.2.3). */
static void put_entry(vg_put *w, const vg_sound *sound) {
    const size_t box = vg_put_box(w, entry_type(sound));
    vg_put_zeros(w, 6);
    vg_put_u16(w, 1); /* data reference: this file */
    vg_put_zeros(w, 8);
    vg_put_u16(w, sound->channels);
    vg_put_u16(w, 16); /* bits: the template's, for all codecs */
    vg_put_u32(w, 0);
    /* 16.16: what is more does not fit, and the configuration tells it */
    vg_put_u32(w, sound->sample_rate <= UINT16_MAX ? sound->sample_rate << 16U : 0);
    if (is_aac(sound))
        put_esds(w, sound);
    else if (sound->codec == VG_SOUND_OPUS)
        put_dops(w, sound);
    vg_put_box_end(w, box);
}

static void put_tkhd(vg_put *w) {
    const size_t box = vg_put_full_box(w, "tkhd", 0, 3); /* enabled, in the movie */
    vg_put_u32(w, 0);
    vg_put_u32(w, 0);
    vg_put_u32(w, VG_SOUND_TRACK);
    vg_put_zeros(w, 4 + 4 + 8); /* reserved, duration, reserved */
    vg_put_u32(w, 0);           /* layer, group */
    vg_put_u16(w, 0x0100);      /* volume */
    vg_put_u16(w, 0);
    vg_put_matrix(w);
    vg_put_zeros(w, 4 + 4);
    vg_put_box_end(w, box);
}

void vg_sound_trak_put(vg_put *w, const vg_sound *sound, uint32_t timescale) {
    const size_t trak = vg_put_box(w, "trak");
    put_tkhd(w);
    const size_t mdia = vg_put_box(w, "mdia");
    vg_put_mdhd(w, timescale);
    vg_put_hdlr(w, "soun");
    const size_t minf = vg_put_box(w, "minf");
    const size_t smhd = vg_put_full_box(w, "smhd", 0, 0);
    vg_put_u32(w, 0); /* balance: centre */
    vg_put_box_end(w, smhd);
    vg_put_dinf(w);
    const size_t stbl = vg_put_box(w, "stbl");
    const size_t stsd = vg_put_full_box(w, "stsd", 0, 0);
    vg_put_u32(w, 1);
    put_entry(w, sound);
    vg_put_box_end(w, stsd);
    vg_put_no_samples(w);
    vg_put_box_end(w, stbl);
    vg_put_box_end(w, minf);
    vg_put_box_end(w, mdia);
    vg_put_box_end(w, trak);
}
