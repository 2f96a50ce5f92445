/* What a stream's camera sends, from bytes to chunks: items, packets, access units. */
#include <string.h>

#include "assembler.h"
#include "loop_reception.h"
#include "loop_sound.h"

enum {
    /* A second. The parent reads the messages of all cameras, in Python. */
    MESSAGES_MAX = 32,
    MESSAGE_MAX = VG_WIRE_MAX - VG_WIRE_HEADER - VG_ID_SIZE - 4,
    PARENT_S = 5, /* how long a run that lost pictures is left to the parent to end */
};

/* --- access units --- */

static bool drop_for_flood(stream *s, const vg_access_unit *au) {
    if (s->is_flood) {
        s->flood_waits_for_sync = true;
    } else if (s->flood_waits_for_sync && au->kind != VG_SYNC_NONE) {
        s->flood_waits_for_sync = false;
    }
    if (!s->flood_waits_for_sync) return false;
    s->dropped++;
    return true;
}

/* Room is given back to whole GOPs. A run that ran out of it takes none: its parent opens another,
 * whose first claim says what is missing. If the parent hangs, that costs the name of the hole and
 * not the pictures. */
static bool drop_without_room(stream *s, const vg_access_unit *au) {
    const loop *l = s->owner;
    if (!s->waits_for_room || !au->is_picture) return false;
    const bool is_ended = s->no_room_ns != 0 && l->now_ns - s->no_room_ns < PARENT_S * NS_PER_S;
    if (!is_ended && au->kind != VG_SYNC_NONE && keeper_has_room(l, s->keeper)) {
        s->waits_for_room = false;
        return false;
    }
    s->dropped++;
    return true;
}

static void note_no_room(stream *s, const char *rule) {
    s->waits_for_room = true;
    s->no_room_ns = s->owner->now_ns;
    stream_event(s, VG_EVENT_NO_ROOM, 0, rule);
}

static void note_picture(stream *s, const vg_access_unit *au) {
    const loop *l = s->owner;
    s->last_picture_ns = l->now_ns;
    if (s->is_stalled) {
        s->is_stalled = false;
        stream_event(s, VG_EVENT_RESUMED, 0, "");
    }
    if (au->kind == VG_SYNC_NONE) return;
    if (s->last_sync_ns != 0)
        s->keyframe_interval_ms = (au->timestamp - s->last_sync_rtp) / (VG_TIMESCALE / 1000);
    s->last_sync_ns = l->now_ns;
    s->last_sync_rtp = au->timestamp;
    s->told_late_keyframe = false;
    s->sync_samples++;
}

static void tell_changes(stream *s) {
    vg_chunker_state state;
    vg_chunker_read(s->chunker, &state);
    if (!s->told_first && state.samples > 0) {
        s->told_first = true;
        stream_event(s, VG_EVENT_FIRST_VIDEO, 0, "");
    }
    if (state.entries != s->entries) {
        if (s->entries > 0)
            stream_event(s, VG_EVENT_ENTRY_CHANGED, 0, state.inband ? "inband" : "");
        s->entries = state.entries;
    }
}

static void deliver(stream *s, const vg_access_unit *au) {
    loop *l = s->owner;
    if (au->is_picture) note_picture(s, au);
    if (drop_for_flood(s, au) || drop_without_room(s, au)) return;
    s->camera_clock_ns = reception_camera_clock(&s->rx, au->timestamp);
    vg_fault fault = {0, NULL};
    keeper_room(l, s->keeper);
    const int64_t arrival_ns = stream_arrival(s, au);
    const vg_err err =
        vg_chunker_push(s->chunker, au, arrival_ns, s->camera_clock_ns, l->clock_synced, &fault);
    stream_hand_over(s);
    s->set_rule = err == VG_VALUE || err == VG_SHORT || err == VG_UNSUPPORTED ? fault.rule : NULL;
    if (err == VG_LIMIT && !s->waits_for_room) note_no_room(s, fault.rule);
    tell_changes(s);
}

void stream_pull(stream *s) {
    vg_access_unit au;
    while (vg_assembler_pull(s->assembler, &au))
        deliver(s, &au);
}

/* --- packets and messages --- */

void stream_rtp(stream *s, const uint8_t *bytes, size_t size) {
    vg_rtp_packet packet;
    vg_fault fault;
    if (vg_rtp_parse(bytes, size, &packet, &fault) != VG_OK) {
        s->skipped_bytes += size;
        return;
    }
    if (vg_assembler_takes(s->assembler, packet.payload_type))
        reception_packet(&s->rx, &packet, s->owner->now_ns);
    /* Each pull takes NAL units away, so this ends; the bound is theirs. */
    for (int i = 0; i < VG_NALS_MAX; i++) {
        if (vg_assembler_push(s->assembler, &packet, &fault) != VG_AGAIN) break;
        stream_pull(s);
    }
    stream_pull(s);
}

static void on_sender_report(stream *s, const vg_rtcp_item *sr) {
    if (!s->rx.started) return;
    if (sr->ssrc != s->rx.ssrc)
        s->odd.reports_foreign++; /* rtsp.md row 77 */
    else if (!reception_report(&s->rx, sr, s->owner->now_ns))
        s->odd.clocks_absurd++;
}

void stream_rtcp(stream *s, const uint8_t *bytes, size_t size) {
    size_t offset = 0;
    vg_rtcp_item item;
    vg_fault fault;
    vg_err err;
    while ((err = vg_rtcp_next(bytes, size, &offset, &item, &fault)) == VG_OK) {
        if (item.kind == VG_RTCP_SR) on_sender_report(s, &item);
        const bool is_ours = item.ssrc == 0 || !s->rx.started || item.ssrc == s->rx.ssrc;
        if (item.kind == VG_RTCP_BYE && is_ours && !s->had_bye) {
            s->had_bye = true;
            stream_event(s, VG_EVENT_BYE, 0, "");
        }
    }
    s->odd.reports_broken += err != VG_MORE;
}

static void on_packet(stream *s, const vg_rtsp_item *item) {
    if (item->channel != s->rtp_channel && item->channel != s->rtcp_channel) {
        s->odd.channels_strange++;
        return;
    }
    /* "some servers" swap the channels (rtsp.md row 74): the second byte tells, RFC 5761 4. */
    const bool is_rtcp = item->size >= 2 && item->bytes[1] >= 200 && item->bytes[1] <= 204;
    if (is_rtcp && item->channel == s->rtp_channel && s->rtp_channel != s->rtcp_channel)
        s->odd.reports_swapped++;
    if (is_rtcp)
        stream_rtcp(s, item->bytes, item->size);
    else
        stream_rtp(s, item->bytes, item->size);
}

static void on_message(stream *s, const vg_rtsp_item *item) {
    /* No answer that anybody waits for is that long, and none comes in such a crowd. */
    if (item->size > MESSAGE_MAX || s->messages == MESSAGES_MAX) {
        s->skipped_bytes += item->size;
        return;
    }
    s->messages++;
    wire_writer w;
    wire_start(&w, VG_WIRE_MESSAGE, 0, 0, true);
    wire_bytes(&w, s->id, VG_ID_SIZE);
    wire_blob(&w, item->bytes, item->size);
    loop_tell_parent(s->owner, &w);
}

size_t stream_parse(stream *s, const uint8_t *data, size_t size, vg_fault *fault) {
    size_t done = 0;
    while (done < size) {
        vg_rtsp_item item;
        const vg_err err = vg_rtsp_next(&s->splitter, data + done, size - done, &item, fault);
        if (err == VG_MORE) break;
        if (err != VG_OK) return SIZE_MAX;
        done += item.consumed;
        switch (item.kind) {
        case VG_RTSP_PACKET:
            if (!sound_take(s, &item)) on_packet(s, &item);
            break;
        case VG_RTSP_MESSAGE:
            on_message(s, &item);
            break;
        case VG_RTSP_GARBAGE:
            s->skipped_bytes += item.size;
            vg_assembler_break(s->assembler);
            break;
        }
    }
    return done;
}
