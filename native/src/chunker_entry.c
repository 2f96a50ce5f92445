/* Parameter sets and the sample entry made of them. */
#include <string.h>

#include "bytes.h"
#include "chunker.h"
#include "vg/jpeg.h"

/* MJPEG has no sets; its size stands in each picture. */
static void learn_size(vg_chunker *c, const vg_access_unit *au) {
    uint16_t width = 0;
    uint16_t height = 0;
    vg_fault fault; /* a picture without a size stands behind the entry that there is */
    const vg_nal_unit *file = &au->nals[0];
    if (vg_jpeg_size(au->bytes + file->offset, file->size, &width, &height, &fault) != VG_OK)
        return;
    uint8_t set[VG_JPEG_SPS_SIZE];
    vg_store_u16(set, width);
    vg_store_u16(set + 2, height);
    (void)vg_sets_put(&c->latest, VG_SET_SPS, set, sizeof set, &fault);
}

void vg_entry_learn(vg_chunker *c, const vg_access_unit *au) {
    if (c->latest.codec == VG_CODEC_MJPEG && au->nal_count > 0) {
        learn_size(c, au);
        return;
    }
    vg_fault fault; /* a set that cannot be read or has no room stays in band and changes nothing */
    for (uint32_t i = 0; i < au->nal_count; i++) {
        const vg_nal_unit *nal = &au->nals[i];
        const vg_set_kind kind = vg_set_kind_of(c->latest.codec, nal->type);
        if (kind == VG_SET_NONE) continue;
        (void)vg_sets_put(&c->latest, kind, au->bytes + nal->offset, nal->size, &fault);
    }
}

vg_err vg_entry_make(vg_chunker *c, vg_fault *fault) {
    vg_sps sps;
    vg_sets view;
    if (!vg_sets_complete(&c->latest)) return vg_fail(fault, VG_VALUE, 0, "parameter sets missing");
    vg_err err = vg_sets_sps(&c->latest, &sps, fault);
    if (err != VG_OK) return err;
    vg_sets_view(&c->latest, c->state.inband, &view);
    view.sound = c->has_sound ? &c->sound : NULL;
    /* Apart: a head that turns out too long may not stand where the old one still serves. */
    uint8_t head[sizeof c->head];
    size_t head_bytes = 0;
    err = vg_head_write(&view, VG_TIMESCALE, head, sizeof head, &head_bytes, fault);
    if (err != VG_OK) return err;
    memcpy(c->head, head, head_bytes);
    c->head_bytes = head_bytes;
    vg_sha256(c->head, c->head_bytes, c->entry_sha256);
    c->entry = c->latest;
    c->out_of_step = false;
    c->state.width = sps.width;
    c->state.height = sps.height;
    c->state.entries++;
    /* What the reorder buffer has learnt stays; only what the SPS tells is set anew. */
    if (sps.reorder_depth >= 0) {
        c->reorder.depth = (uint8_t)sps.reorder_depth;
        if (c->reorder.depth > VG_REORDER_MAX) c->reorder.depth = VG_REORDER_MAX;
        c->reorder.learns = false;
    } else {
        c->reorder.learns = true;
    }
    return VG_OK;
}

bool vg_entry_change(vg_chunker *c) {
    vg_fault fault;
    const uint64_t second_last = c->changes[c->change_count % VG_CHANGES_BEFORE];
    const bool flaps =
        c->change_count >= VG_CHANGES_BEFORE && c->ticks - second_last < VG_CHUNKER_SETS_PERIOD_S;
    c->state.inband = flaps;
    if (vg_entry_make(c, &fault) != VG_OK) {
        c->state.inband = false;
        return false;
    }
    c->changes[c->change_count++ % VG_CHANGES_BEFORE] = c->ticks;
    return true;
}

void vg_entry_select(vg_chunker *c, const vg_access_unit *au, vg_pending *u, vg_source *s) {
    bool has_sets = false;
    u->bytes = 0;
    for (uint32_t i = 0; i < au->nal_count; i++) {
        const vg_nal_unit *nal = &au->nals[i];
        const vg_set_kind kind = vg_set_kind_of(c->latest.codec, nal->type);
        s->keep[i] = 1;
        if (kind != VG_SET_NONE && !c->state.inband) {
            has_sets = true;
            const bool is_known = vg_sets_have(&c->entry, kind, au->bytes + nal->offset, nal->size);
            if (is_known && !c->out_of_step) {
                s->keep[i] = 0;
                u->dropped_sets = true;
                c->state.sets_dropped++;
                continue;
            }
            if (!is_known) c->out_of_step = true;
        }
        u->bytes += vg_prefix_bytes(c) + nal->size;
    }
    if (has_sets) c->out_of_step = !vg_sets_equal(&c->latest, &c->entry);
}
