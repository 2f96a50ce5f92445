#include "sets.h"

#include <assert.h>
#include <string.h>

#include "bits.h"
#include "bytes.h"
#include "segment_layout.h"

static const uint8_t ROOM[] = {[VG_SET_VPS] = 4, [VG_SET_SPS] = 4, [VG_SET_PPS] = 8};

vg_set_kind vg_set_kind_of(vg_codec codec, uint8_t nal_type) {
    if (codec == VG_CODEC_H264) { /* H.264 table 7-1 */
        if (nal_type == 7) return VG_SET_SPS;
        if (nal_type == 8) return VG_SET_PPS;
        return VG_SET_NONE;
    }
    if (codec == VG_CODEC_MJPEG) return VG_SET_NONE;
    if (nal_type == 32) return VG_SET_VPS; /* H.265 table 7-1 */
    if (nal_type == 33) return VG_SET_SPS;
    if (nal_type == 34) return VG_SET_PPS;
    return VG_SET_NONE;
}

static const uint8_t *bytes_of(const vg_set_table *t, const vg_set *set) {
    return t->bytes + set->offset;
}

bool vg_sets_have(const vg_set_table *t, vg_set_kind kind, const uint8_t *nal, size_t size) {
    for (uint32_t i = 0; i < t->count; i++) {
        const vg_set *set = &t->sets[i];
        if (set->kind == kind && set->size == size && memcmp(bytes_of(t, set), nal, size) == 0)
            return true;
    }
    return false;
}

/* The id by which a later set replaces this one. */
static vg_err id_of(vg_codec codec, vg_set_kind kind, const uint8_t *nal, size_t size, uint32_t *id,
                    vg_fault *fault) {
    const size_t header = codec == VG_CODEC_H265 ? 2 : 1;
    if (size <= header) return vg_fail(fault, VG_SHORT, size, "parameter set: NAL unit header");
    if (kind == VG_SET_SPS) {
        vg_sps sps;
        const vg_err err = vg_sps_of(codec, nal, size, &sps, fault);
        if (err == VG_OK) *id = sps.id;
        return err;
    }
    vg_bits r = vg_bits_of(nal + header, size - header);
    uint32_t most;
    if (kind == VG_SET_VPS) {
        *id = vg_bits_u(&r, 4); /* H.265 7.3.2.1 */
        most = 15;
    } else {
        *id = vg_bits_ue(&r); /* H.264 7.3.2.2, H.265 7.3.2.3.1 */
        most = codec == VG_CODEC_H264 ? 255 : 63;
    }
    if (r.overrun || *id > most) return vg_fail(fault, VG_VALUE, header, "parameter set: id");
    return VG_OK;
}

static void remove_at(vg_set_table *t, uint32_t at) {
    const vg_set gone = t->sets[at];
    memmove(t->bytes + gone.offset, t->bytes + gone.offset + gone.size,
            t->used - gone.offset - gone.size);
    t->used -= gone.size;
    for (uint32_t i = at + 1; i < t->count; i++) {
        t->sets[i - 1] = t->sets[i];
        t->sets[i - 1].offset -= gone.size;
    }
    t->count--;
}

vg_err vg_sets_put(vg_set_table *t, vg_set_kind kind, const uint8_t *nal, size_t size,
                   vg_fault *fault) {
    assert(kind != VG_SET_NONE);
    if (vg_sets_have(t, kind, nal, size)) return VG_OK;
    uint32_t id = 0;
    const vg_err err = id_of(t->codec, kind, nal, size, &id, fault);
    if (err != VG_OK) return err;
    uint32_t same = t->count;
    uint32_t of_kind = 0;
    for (uint32_t i = 0; i < t->count; i++) {
        if (t->sets[i].kind != kind) continue;
        if (t->sets[i].id == id)
            same = i;
        else
            of_kind++;
    }
    const size_t freed = same < t->count ? t->sets[same].size : 0;
    if (of_kind >= ROOM[kind] || size > UINT16_MAX || size > sizeof t->bytes - (t->used - freed))
        return vg_fail(fault, VG_LIMIT, 0, "parameter sets: VG_HEAD_MAX or their count");
    if (same < t->count) remove_at(t, same);
    memcpy(t->bytes + t->used, nal, size);
    t->sets[t->count++] = (vg_set){
        .kind = (uint8_t)kind, .id = (uint8_t)id, .size = (uint16_t)size, .offset = t->used};
    t->used += (uint32_t)size;
    return VG_OK;
}

void vg_sets_load(vg_set_table *t, const vg_sets *from) {
    t->codec = from->codec;
    t->count = 0;
    t->used = 0;
    vg_fault fault; /* what the SDP says wrongly, the stream says better (rtsp.md row 36) */
    for (uint8_t i = 0; i < from->vps_count; i++)
        (void)vg_sets_put(t, VG_SET_VPS, from->vps[i], from->vps_size[i], &fault);
    for (uint8_t i = 0; i < from->sps_count; i++)
        (void)vg_sets_put(t, VG_SET_SPS, from->sps[i], from->sps_size[i], &fault);
    for (uint8_t i = 0; i < from->pps_count; i++)
        (void)vg_sets_put(t, VG_SET_PPS, from->pps[i], from->pps_size[i], &fault);
}

void vg_sets_view(const vg_set_table *t, bool inband, vg_sets *out) {
    *out = (vg_sets){.codec = t->codec, .inband = inband};
    /* By id, so that the order in which they came makes no other entry. */
    for (uint32_t id = 0; id < 256; id++) {
        for (uint32_t i = 0; i < t->count; i++) {
            const vg_set *set = &t->sets[i];
            if (set->id != id) continue;
            const uint8_t *bytes = bytes_of(t, set);
            if (set->kind == VG_SET_VPS) {
                out->vps[out->vps_count] = bytes;
                out->vps_size[out->vps_count++] = set->size;
            } else if (set->kind == VG_SET_SPS) {
                out->sps[out->sps_count] = bytes;
                out->sps_size[out->sps_count++] = set->size;
            } else {
                out->pps[out->pps_count] = bytes;
                out->pps_size[out->pps_count++] = set->size;
            }
        }
    }
}

bool vg_sets_equal(const vg_set_table *a, const vg_set_table *b) {
    if (a->count != b->count || a->codec != b->codec) return false;
    for (uint32_t i = 0; i < a->count; i++) {
        const vg_set *set = &a->sets[i];
        if (!vg_sets_have(b, (vg_set_kind)set->kind, bytes_of(a, set), set->size)) return false;
    }
    return true;
}

bool vg_sets_complete(const vg_set_table *t) {
    uint32_t counts[] = {[VG_SET_VPS] = 0, [VG_SET_SPS] = 0, [VG_SET_PPS] = 0};
    for (uint32_t i = 0; i < t->count; i++)
        counts[t->sets[i].kind]++;
    if (t->codec == VG_CODEC_H265 && counts[VG_SET_VPS] == 0) return false;
    if (t->codec == VG_CODEC_MJPEG) return counts[VG_SET_SPS] > 0;
    return counts[VG_SET_SPS] > 0 && counts[VG_SET_PPS] > 0;
}

vg_err vg_sets_sps(const vg_set_table *t, vg_sps *out, vg_fault *fault) {
    vg_sets view;
    vg_sets_view(t, false, &view);
    if (view.sps_count == 0) return vg_fail(fault, VG_VALUE, 0, "parameter sets: no SPS");
    return vg_sps_of(t->codec, view.sps[0], view.sps_size[0], out, fault);
}
