#include "assembler.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "bytes.h"

typedef enum admission {
    REFUSED,
    TAKEN,
    NEW_STREAM, /* the first of another SSRC */
} admission;

size_t vg_assembler_size(void) {
    return sizeof(vg_assembler);
}

void vg_assembler_init(vg_assembler *a, vg_codec codec, uint8_t payload_type, uint8_t *buffer,
                       size_t capacity) {
    assert(a != NULL && buffer != NULL && capacity > 0 && capacity <= VG_AU_MAX);
    assert(codec == VG_CODEC_H264 || codec == VG_CODEC_H265 || codec == VG_CODEC_MJPEG);
    memset(a, 0, sizeof *a);
    a->codec = codec;
    a->payload_type = payload_type;
    a->declared_type = payload_type;
    a->buffer = buffer;
    a->capacity = (uint32_t)capacity;
    a->timestamp_change = VG_NO_INDEX;
    vg_unit_restart(a);
}

void vg_assembler_expect_donl(vg_assembler *a) {
    assert(a != NULL && a->codec == VG_CODEC_H265);
    a->has_donl = true;
}

void vg_assembler_expect_size(vg_assembler *a, uint16_t width, uint16_t height) {
    assert(a != NULL && a->codec == VG_CODEC_MJPEG);
    a->jpeg.width = width;
    a->jpeg.height = height;
}

bool vg_assembler_takes(const vg_assembler *a, uint8_t payload_type) {
    return payload_type == a->payload_type;
}

const vg_nal_counts *vg_assembler_counts(const vg_assembler *a) {
    return &a->counts;
}

/* GeoVision and Hikvision mix in other payload types, with sequence numbers used twice. Where the
 * declared one never comes, the description was wrong and another one is the video's (rtsp.md row
 * 32); the declared one is taken as soon as it does come. */
static bool admit_type(vg_assembler *a, uint8_t payload_type) {
    if (payload_type == a->declared_type) {
        a->gap |= a->payload_type != payload_type;
        a->has_declared = true;
        a->payload_type = payload_type;
        return true;
    }
    if (a->has_declared || payload_type <= VG_TYPE_SOUND_LAST) return false;
    if (payload_type == a->payload_type) return true;
    if (payload_type != a->other_type) a->type_count = 0;
    a->other_type = payload_type;
    a->type_count++;
    if (a->type_count < VG_TYPE_TRUST) return false;
    a->type_count = 0;
    a->gap = true; /* what was not taken until now */
    a->payload_type = payload_type;
    return true;
}

/* A packet of another SSRC: an old session that the camera forgot to end sends a few (Reolink
 * RLC-410), a camera that changes it sends no others. */
static admission admit_ssrc(vg_assembler *a, uint32_t ssrc) {
    if (ssrc != a->other_ssrc) a->other_count = 0;
    a->other_ssrc = ssrc;
    a->other_count++;
    if (a->other_count < VG_SSRC_TRUST) {
        a->counts.packets_foreign++;
        return REFUSED;
    }
    a->ssrc = ssrc;
    return NEW_STREAM;
}

static admission admit(vg_assembler *a, const vg_rtp_packet *packet) {
    admission is = TAKEN;
    if (!a->started) {
        a->started = true;
        a->ssrc = packet->ssrc;
        a->next_sequence = packet->sequence;
        a->timestamp = packet->timestamp;
    } else if (packet->ssrc != a->ssrc) {
        is = admit_ssrc(a, packet->ssrc);
        if (is == REFUSED) return REFUSED;
        a->next_sequence = packet->sequence;
        a->gap = true;
    }
    a->other_count = 0;

    const uint16_t step = (uint16_t)(packet->sequence - a->next_sequence);
    if (step != UINT16_MAX)
        a->frozen_count = 0;
    else if (a->frozen_count < VG_FROZEN_TRUST)
        a->frozen_count++;
    if (a->frozen_count == VG_FROZEN_TRUST) {
        a->dropped = true; /* nothing tells what is missing, so no picture looks whole */
        return is;
    }
    if (step >= 0x8000) {
        /* Back: a duplicate, or a camera that counts anew. */
        if (packet->sequence != a->odd_sequence) a->odd_count = 0;
        a->odd_count++;
        a->odd_sequence = (uint16_t)(packet->sequence + 1);
        if (a->odd_count < VG_SEQUENCE_TRUST) {
            a->counts.packets_duplicate++;
            return REFUSED;
        }
        a->gap = true;
    } else if (step > 0) {
        a->counts.packets_lost += step <= VG_SEQUENCE_GAP_MAX ? step : 1;
        a->gap = true;
    }
    a->odd_count = 0;
    a->next_sequence = (uint16_t)(packet->sequence + 1);
    return is;
}

/* No room for the packet, but it has another timestamp: the current access unit can go first. */
static bool ends_for_room(vg_assembler *a, const vg_rtp_packet *packet) {
    /* A fragment brings its NAL unit header again, and a JPEG file more than its packets. */
    const size_t more = a->codec == VG_CODEC_MJPEG ? VG_JPEG_HEAD_MAX : 2;
    if (packet->payload_size + more <= a->capacity - a->used) return false;
    if (!a->started || packet->ssrc != a->ssrc || packet->sequence != a->next_sequence)
        return false;
    if (packet->timestamp == a->timestamp) return false;
    vg_unit_change_timestamp(a);
    return vg_unit_advance(a);
}

vg_err vg_assembler_push(vg_assembler *a, const vg_rtp_packet *packet, vg_fault *fault) {
    assert(a != NULL && packet != NULL && fault != NULL);
    if (vg_unit_advance(a)) return VG_AGAIN;
    vg_unit_compact(a);

    if (!admit_type(a, packet->payload_type)) {
        a->counts.packets++;
        a->counts.packets_foreign++;
        return VG_OK;
    }
    if (ends_for_room(a, packet)) return VG_AGAIN;
    a->counts.packets++;
    const bool earlier_gap = a->gap; /* still unseen: no NAL unit is finished since */
    a->gap = false;
    const admission is = admit(a, packet);
    if (a->gap && a->fu_open) vg_fu_drop(a);
    a->gap |= earlier_gap;
    if (is == REFUSED) return VG_OK;

    if (is == NEW_STREAM || packet->timestamp != a->timestamp) {
        vg_unit_change_timestamp(a);
        a->skip_packets = 0;
    }
    a->timestamp = packet->timestamp;
    if (a->skip_packets > 0) {
        a->skip_packets = packet->marker ? 0 : a->skip_packets - 1;
        return vg_fail(fault, VG_VALUE, 0, "VG_AU_MAX");
    }

    const uint32_t before = a->count;
    const vg_err err = vg_depacketize(a, packet, fault);
    if (packet->marker) vg_mark_last(a, before);
    return err;
}

bool vg_assembler_pull(vg_assembler *a, vg_access_unit *out) {
    assert(a != NULL && out != NULL);
    if (!vg_unit_advance(a)) return false;

    const uint32_t base = a->nals[a->head].offset;
    for (uint32_t i = a->head; i < a->cut; i++)
        a->nals[i].offset -= base;
    vg_sync_kind kind = VG_SYNC_NONE;
    if (a->unit.idr)
        kind = VG_SYNC_IDR;
    else if (a->unit.cra)
        kind = VG_SYNC_CRA;
    else if (a->unit.bla)
        kind = VG_SYNC_BLA;
    else if (a->unit.has_slice && a->unit.recovery && !a->unit.inter)
        kind = VG_SYNC_RECOVERY;
    *out = (vg_access_unit){
        .bytes = a->buffer + base,
        .nals = a->nals + a->head,
        .nal_count = a->cut - a->head,
        .timestamp = a->unit.timestamp,
        .kind = kind,
        .damaged = a->unit.damaged,
        .leading = a->unit.leading,
        .is_picture = a->unit.has_slice,
    };
    a->counts.access_units++;
    a->counts.damaged += a->unit.damaged;

    a->head = a->cut;
    a->classified = a->cut;
    a->ready = false;
    vg_unit_restart(a);
    return true;
}

void vg_assembler_lossy(vg_assembler *a) {
    assert(a != NULL);
    a->lossy = true;
}

void vg_assembler_break(vg_assembler *a) {
    assert(a != NULL);
    if (a->fu_open) vg_fu_drop(a);
    a->gap = true;
    const uint32_t from = a->ready ? a->cut : a->head;
    if (from == a->count) return;
    a->notes[a->count - 1].flags |= VG_NOTE_BAD; /* if it is still to be looked at */
    if (!a->ready && a->classified == a->count) a->unit.damaged = true;
}

void vg_assembler_flush(vg_assembler *a) {
    assert(a != NULL);
    if (a->fu_open) vg_fu_close(a);
    if (a->dropped) vg_assembler_break(a);
    a->flushing = true;
}

void vg_assembler_check(const vg_assembler *a) {
    if (a->used > a->capacity || a->count > VG_NALS_HELD) abort();
    if (a->head > a->classified || a->classified > a->count) abort();
    if (a->ready && (a->cut <= a->head || a->cut > a->classified)) abort();
    if (a->fu_open && a->fu_start > a->used) abort();
    const uint32_t end = a->fu_open ? a->fu_start : a->used;
    uint32_t last = 0;
    for (uint32_t i = a->head; i < a->count; i++) {
        const vg_nal_unit *nal = &a->nals[i];
        if (nal->size == 0 || nal->offset < last || nal->size > end ||
            nal->offset > end - nal->size)
            abort();
        last = nal->offset + nal->size;
    }
}
