#include <assert.h>
#include <string.h>

#include "assembler.h"

enum { H264_IDR = 5, H264_SEI = 6, H264_PARTITION_B = 3, H264_PARTITION_C = 4 };
enum { H265_RADL_N = 6, H265_RASL_R = 9, H265_BLA_FIRST = 16, H265_BLA_LAST = 18 };
enum { H265_IDR_FIRST = 19, H265_IDR_LAST = 20, H265_CRA = 21 };

void vg_unit_restart(vg_assembler *a) {
    a->unit = (vg_unit){.tail = VG_NO_INDEX};
}

static vg_nal_role role_of(const vg_assembler *a, uint8_t type) {
    if (a->codec == VG_CODEC_MJPEG) return VG_ROLE_SLICE;
    return a->codec == VG_CODEC_H264 ? vg_h264_role(type) : vg_h265_role(type);
}

/* first_mb_in_slice is 0, or first_slice_segment_in_pic_flag. Told from one bit: ue(v) 0 is `1`.
 * That is the rule of H.264 7.4.1.2.4 but for arbitrary slice order and redundant slices, which
 * belong to profiles that no camera has. */
static bool is_first_slice(const vg_assembler *a, const vg_nal_unit *nal) {
    const uint8_t *p = a->buffer + nal->offset;
    if (a->codec == VG_CODEC_MJPEG) return true; /* a whole picture */
    if (a->codec == VG_CODEC_H265) return p[2] & 0x80U;
    if (nal->type == H264_PARTITION_B || nal->type == H264_PARTITION_C) return false;
    return p[1] & 0x80U;
}

/* Whether the marker on the last packet says that nothing of the access unit is missing. */
static bool is_closed_by_marker(const vg_assembler *a) {
    return a->unit.last_marker && !a->marker_lies;
}

/* Compares the marker with the end that the rule found. */
static void judge_marker(vg_assembler *a) {
    if (a->unit.damaged) return; /* the packet with the marker may be what is missing */
    if (a->unit.markers == 1 && a->unit.last_marker) {
        if (a->marker_agreed < VG_MARKER_TRUST) a->marker_agreed++;
        return;
    }
    a->marker_lies = true;
    a->counts.marker_wrong++;
}

static bool end_unit(vg_assembler *a, uint32_t cut) {
    assert(cut > a->head && cut <= a->classified);
    a->cut = cut;
    a->ready = true;
    return true;
}

/* The current access unit ends where the next one begins. */
static bool end_by_rule(vg_assembler *a) {
    judge_marker(a);
    a->by_marker = false;
    return end_unit(a, a->unit.tail != VG_NO_INDEX ? a->unit.tail : a->classified);
}

/* Is something missing before a NAL unit between the access unit's own and `end`? It may have been
 * the access unit's. */
static bool has_gap_behind(const vg_assembler *a, uint32_t end) {
    for (uint32_t k = a->unit.tail != VG_NO_INDEX ? a->unit.tail : end; k < end; k++)
        if ((a->notes[k].flags & VG_NOTE_GAP) != 0) return true;
    return false;
}

/* Does a slice stand at `i` that begins another picture? Its timestamp is the current one. */
static bool begins_picture(vg_assembler *a, uint32_t i) {
    if (!a->unit.has_slice) return false;
    if (role_of(a, a->nals[i].type) != VG_ROLE_SLICE) return false;
    if (!is_first_slice(a, &a->nals[i])) return false;
    const bool gap = has_gap_behind(a, i) || (a->notes[i].flags & VG_NOTE_GAP) != 0;
    if (gap && !is_closed_by_marker(a)) a->unit.damaged = true;
    return true;
}

/* The first NAL unit behind an access unit that its marker ended: was that right? */
static void check_last_marker(vg_assembler *a, uint32_t i, vg_nal_role role) {
    const bool same = a->by_marker && a->notes[i].timestamp == a->by_marker_at;
    a->by_marker = false;
    if (!same || role == VG_ROLE_PREFIX) return;
    if (role == VG_ROLE_SLICE && is_first_slice(a, &a->nals[i])) return;
    a->marker_lies = true;
    a->counts.marker_wrong++;
    if (role == VG_ROLE_SLICE) a->unit.damaged = true; /* its first slices are gone already */
}

static void include_slice(vg_assembler *a, const vg_nal_unit *nal) {
    vg_unit *unit = &a->unit;
    if (a->codec == VG_CODEC_MJPEG) {
        unit->idr = true;
        return;
    }
    if (a->codec == VG_CODEC_H264) {
        unit->idr |= nal->type == H264_IDR;
        if (unit->recovery && !unit->inter)
            unit->inter = !vg_h264_slice_is_intra(a->buffer + nal->offset, nal->size);
        return;
    }
    unit->idr |= nal->type >= H265_IDR_FIRST && nal->type <= H265_IDR_LAST;
    unit->bla |= nal->type >= H265_BLA_FIRST && nal->type <= H265_BLA_LAST;
    unit->cra |= nal->type == H265_CRA;
    unit->leading |= nal->type >= H265_RADL_N && nal->type <= H265_RASL_R;
}

/* The NAL units up to `i` belong to the current access unit for good. */
static void include(vg_assembler *a, uint32_t i) {
    const uint32_t from = a->unit.tail != VG_NO_INDEX ? a->unit.tail : i;
    for (uint32_t k = from; k <= i; k++) {
        a->unit.markers += a->notes[k].flags & VG_NOTE_MARKER;
        a->unit.damaged |= (a->notes[k].flags & VG_NOTE_BAD) != 0;
    }
    a->unit.last_marker = a->notes[i].flags & VG_NOTE_MARKER;
    a->unit.tail = VG_NO_INDEX;
}

static void classify(vg_assembler *a, uint32_t i) {
    const vg_nal_unit *nal = &a->nals[i];
    const vg_nal_role role = role_of(a, nal->type);
    vg_unit *unit = &a->unit;
    if (i == a->head) check_last_marker(a, i, role);

    if (role == VG_ROLE_SLICE) {
        include(a, i);
        if (a->lossy && !unit->has_slice && !is_first_slice(a, nal)) unit->damaged = true;
        if (!unit->has_slice) unit->timestamp = a->notes[i].timestamp;
        unit->has_slice = true;
        include_slice(a, nal);
    } else if (!unit->has_slice) {
        /* Reolink RLC-822A gives parameter sets the timestamp of the picture before: the slice's
         * holds. */
        include(a, i);
        unit->timestamp = a->notes[i].timestamp;
        if (a->codec == VG_CODEC_H264 && nal->type == H264_SEI)
            unit->recovery |= vg_h264_sei_is_recovery(a->buffer + nal->offset, nal->size);
    } else if (unit->tail == VG_NO_INDEX && role == VG_ROLE_SUFFIX) {
        include(a, i);
    } else if (unit->tail == VG_NO_INDEX) {
        unit->tail = i;
    }
}

static bool ends_at_marker(const vg_assembler *a) {
    return a->unit.has_slice && a->unit.last_marker && a->unit.tail == VG_NO_INDEX &&
           !a->marker_lies && a->marker_agreed == VG_MARKER_TRUST;
}

/* At the place where the timestamp changes. True: the access unit before it is ready. */
static bool pass_timestamp_change(vg_assembler *a) {
    a->timestamp_change = VG_NO_INDEX;
    if (a->change_bad) a->unit.damaged = true;
    if (!a->unit.has_slice) return false;
    /* Reolink RLC-822A: parameter sets behind the gap have the timestamp of the picture before. */
    const bool gap = a->change_gap || has_gap_behind(a, a->classified);
    if (gap && !is_closed_by_marker(a)) a->unit.damaged = true;
    return end_by_rule(a);
}

static bool end_for_flush(vg_assembler *a) {
    if (a->head == a->count) {
        a->flushing = false;
        return false;
    }
    a->by_marker = false;
    if (has_gap_behind(a, a->count) && !is_closed_by_marker(a)) a->unit.damaged = true;
    return end_unit(a, a->unit.tail != VG_NO_INDEX ? a->unit.tail : a->count);
}

bool vg_unit_advance(vg_assembler *a) {
    if (a->ready) return true;
    for (;;) {
        if (a->classified == a->timestamp_change && pass_timestamp_change(a)) return true;
        if (a->classified == a->count) break;
        if (begins_picture(a, a->classified)) return end_by_rule(a);
        classify(a, a->classified);
        a->classified++;
        if (a->classified - a->head > VG_NALS_MAX) {
            vg_unit_discard(a);
            return false;
        }
        if (ends_at_marker(a)) {
            a->by_marker = true;
            a->by_marker_at = a->unit.timestamp;
            return end_unit(a, a->classified);
        }
    }
    return a->flushing && end_for_flush(a);
}

void vg_unit_change_timestamp(vg_assembler *a) {
    if (a->fu_open) vg_fu_close(a);
    a->fu_lost = false;
    a->timestamp_change = a->count;
    a->change_bad = a->dropped;
    a->change_gap = a->gap;
    a->dropped = false;
}

void vg_unit_discard(vg_assembler *a) {
    a->counts.damaged++;
    a->counts.nals_dropped += a->count - a->head + a->fu_open;
    a->fu_open = false;
    a->head = 0;
    a->classified = 0;
    a->count = 0;
    a->used = 0;
    a->ready = false;
    a->timestamp_change = VG_NO_INDEX;
    a->gap = true; /* what comes next refers to a picture that is gone */
    a->skip_packets = VG_SKIP_MAX;
    vg_unit_restart(a);
}

void vg_unit_compact(vg_assembler *a) {
    if (a->head == 0) return;
    assert(!a->ready && a->timestamp_change == VG_NO_INDEX);
    const uint32_t keep = a->count - a->head;
    uint32_t base = a->used;
    if (a->fu_open) base = a->fu_start;
    if (keep > 0) base = a->nals[a->head].offset;
    memmove(a->buffer, a->buffer + base, a->used - base);
    memmove(a->nals, a->nals + a->head, keep * sizeof a->nals[0]);
    memmove(a->notes, a->notes + a->head, keep * sizeof a->notes[0]);
    for (uint32_t i = 0; i < keep; i++)
        a->nals[i].offset -= base;
    if (a->unit.tail != VG_NO_INDEX) a->unit.tail -= a->head;
    a->used -= base;
    a->fu_start -= a->fu_open ? base : a->fu_start;
    a->classified -= a->head;
    a->count = keep;
    a->head = 0;
}
