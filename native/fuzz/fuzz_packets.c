/* A camera that is known: the input says which access units there are, how they are packetised and
 * which packets are lost, and what comes out is held against what was sent. Without a loss all of
 * it comes, in order and unmarked; with losses, what is not marked is exactly what was sent. So a
 * NAL unit that is lost, doubled, cut or put into another picture without a mark is found at once.
 *
 * Input: byte 0 codec and size of packets; then for each access unit a byte of what stands in it, a
 * byte of how it is sent, a byte of which packets are lost. */
#include <stdlib.h>
#include <string.h>

#include "../src/assembler.h"
#include "put.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
    UNITS_MAX = 64,
    NALS_A_UNIT = 8,
    NAL_MAX = 96,
    PACKETS_MAX = 64, /* of an access unit */
    PACKET_MAX = 256,
    CAPACITY = 1 << 16,
};
/* What stands in an access unit. */
enum { SLICES = 3, WITH_SETS = 4, WITH_SEI = 8, IS_IDR = 16, LARGE = 32 };
/* How it is sent. */
enum {
    AGGREGATED = 1,
    NUMBERED = 2,
    MANY_TIMES = 4,
    NO_MARKER = 8,
    EMPTY_PACKET = 16,
    UNFINISHED = 32, /* what is lost never had a sequence number: the camera's own mistake */
    OLD_STAMP = 64,  /* what stands before the slices has the timestamp of the picture before */
};

typedef struct nal {
    uint8_t bytes[NAL_MAX];
    size_t size;
} nal;

typedef struct unit {
    nal nals[NALS_A_UNIT];
    size_t count;
    uint32_t timestamp;
    bool is_whole; /* nothing of it was lost */
    bool came;     /* as it was sent, and unmarked */
} unit;

typedef struct packet {
    uint8_t bytes[PACKET_MAX];
    size_t size;
    bool is_prefix; /* it stands before the slices */
    bool is_edge;   /* the first or last fragment of a NAL unit */
} packet;

typedef struct sender {
    vg_codec codec;
    size_t room;
    unit *units;             /* UNITS_MAX of them */
    size_t unit_count, seen; /* seen: how many came out, or are passed */
    packet *packets;         /* PACKETS_MAX */
    size_t packet_count;
    uint16_t sequence, don;
    uint8_t byte;
    bool has_lost;
    vg_assembler *assembler;
} sender;

static void check(bool holds) {
    if (!holds) abort();
}

/* --- what is sent --- */

/* What goes on where it ended. Never 0, so that no start code arises. */
static void put_body(sender *s, uint8_t *out, size_t size) {
    static uint8_t cycle[UINT8_MAX + NAL_MAX]; /* 1 to 255, and the first ones again */
    for (size_t i = 0; cycle[sizeof cycle - 1] == 0 && i < sizeof cycle; i++)
        cycle[i] = (uint8_t)(1 + i % UINT8_MAX);
    memcpy(out, cycle + s->byte, size);
    s->byte = (uint8_t)((s->byte + size) % UINT8_MAX);
}

static void add_nal(sender *s, unit *u, uint8_t type, size_t body, bool first) {
    check(u->count < NALS_A_UNIT);
    nal *n = &u->nals[u->count++];
    n->size = 0;
    if (s->codec == VG_CODEC_H264) {
        n->bytes[n->size++] = (uint8_t)(0x60U | type);
    } else {
        n->bytes[n->size++] = (uint8_t)(type << 1U);
        n->bytes[n->size++] = 1;
    }
    n->bytes[n->size++] = first ? 0x80 : 0x40; /* first_mb_in_slice 0 or 1 */
    put_body(s, n->bytes + n->size, body - n->size);
    n->size = body;
}

static void make_unit(sender *s, unit *u, uint8_t what, uint32_t timestamp) {
    const bool is_h264 = s->codec == VG_CODEC_H264;
    u->count = 0;
    u->is_whole = true;
    u->came = false;
    u->timestamp = timestamp;
    if (what & WITH_SETS) {
        add_nal(s, u, is_h264 ? 7 : 33, 9, false);
        add_nal(s, u, is_h264 ? 8 : 34, 5, false);
    }
    if (what & WITH_SEI) add_nal(s, u, is_h264 ? 6 : 39, 7, false);
    const uint8_t slice = is_h264 ? (what & IS_IDR ? 5 : 1) : (what & IS_IDR ? 19 : 1);
    for (unsigned i = 0; i <= (what & SLICES); i++)
        add_nal(s, u, slice, what & LARGE ? NAL_MAX : 12, i == 0);
}

/* --- how it is sent --- */

static vg_put add_packet(sender *s) {
    check(s->packet_count < PACKETS_MAX);
    packet *p = &s->packets[s->packet_count++];
    p->is_prefix = false;
    p->is_edge = false;
    return vg_put_into(p->bytes, sizeof p->bytes);
}

static void end_packet(sender *s, const vg_put *w) {
    check(!w->overrun);
    s->packets[s->packet_count - 1].size = vg_put_offset(w);
}

static size_t header_size(const sender *s) {
    return s->codec == VG_CODEC_H264 ? 1 : 2;
}

static void put_header(const sender *s, vg_put *w, const nal *n, uint8_t type) {
    if (s->codec == VG_CODEC_H264) {
        vg_put_u8(w, (uint8_t)((n->bytes[0] & 0xE0U) | type));
        return;
    }
    vg_put_u8(w, (uint8_t)(type << 1U));
    vg_put_u8(w, n->bytes[1]);
}

static void send_fragments(sender *s, const nal *n, bool is_numbered) {
    const uint8_t type = s->codec == VG_CODEC_H264 ? n->bytes[0] & 0x1FU : n->bytes[0] >> 1U;
    for (size_t at = header_size(s); at < n->size; at += s->room) {
        const size_t part = n->size - at < s->room ? n->size - at : s->room;
        const bool starts = at == header_size(s);
        const bool has_don = is_numbered && starts && s->codec == VG_CODEC_H264;
        vg_put w = add_packet(s);
        if (s->codec == VG_CODEC_H264)
            put_header(s, &w, n, has_don ? 29 : 28);
        else
            put_header(s, &w, n, 49);
        vg_put_u8(&w,
                  (uint8_t)((starts ? 0x80U : 0U) | (at + part == n->size ? 0x40U : 0U) | type));
        if (has_don) vg_put_u16(&w, s->don++);
        vg_put_bytes(&w, n->bytes + at, part);
        end_packet(s, &w);
        s->packets[s->packet_count - 1].is_edge = starts || at + part == n->size;
    }
}

static void send_together(sender *s, const unit *u, uint8_t how) {
    const bool is_h264 = s->codec == VG_CODEC_H264;
    const bool has_times = is_h264 && (how & MANY_TIMES) != 0;
    const bool has_don = is_h264 && (how & NUMBERED) != 0;
    vg_put w = add_packet(s);
    put_header(s, &w, &u->nals[0], is_h264 ? (has_times ? 26 : has_don ? 25 : 24) : 48);
    const uint16_t base = s->don;
    if (has_times || has_don) vg_put_u16(&w, base);
    for (size_t i = 0; i < u->count; i++) {
        vg_put_u16(&w, (uint16_t)u->nals[i].size);
        if (has_times) {
            vg_put_u8(&w, (uint8_t)i);
            vg_put_u16(&w, 0);
        }
        vg_put_bytes(&w, u->nals[i].bytes, u->nals[i].size);
    }
    s->don = (uint16_t)(base + u->count);
    end_packet(s, &w);
}

static bool is_slice(const sender *s, const nal *n) {
    if (s->codec == VG_CODEC_H264) return (n->bytes[0] & 0x1FU) <= 5;
    return n->bytes[0] >> 1U <= 19;
}

static void packetise(sender *s, const unit *u, uint8_t how) {
    s->packet_count = 0;
    size_t together = 0;
    for (size_t i = 0; i < u->count; i++)
        together += u->nals[i].size + 5;
    if (how & AGGREGATED && together + 5 < PACKET_MAX) {
        send_together(s, u, how);
        return;
    }
    for (size_t i = 0; i < u->count; i++) {
        const nal *n = &u->nals[i];
        if (n->size > s->room + 3) {
            send_fragments(s, n, (how & NUMBERED) != 0);
            continue;
        }
        vg_put w = add_packet(s);
        vg_put_bytes(&w, n->bytes, n->size);
        end_packet(s, &w);
        s->packets[s->packet_count - 1].is_prefix = !is_slice(s, n);
    }
}

/* --- what comes out --- */

static bool is_same(const vg_access_unit *au, const unit *u) {
    if (au->nal_count != u->count || au->timestamp != u->timestamp) return false;
    for (uint32_t i = 0; i < au->nal_count; i++) {
        const vg_nal_unit *got = &au->nals[i];
        if (got->size != u->nals[i].size) return false;
        if (memcmp(au->bytes + got->offset, u->nals[i].bytes, got->size) != 0) return false;
    }
    return true;
}

static void pull_all(sender *s) {
    vg_access_unit au;
    while (vg_assembler_pull(s->assembler, &au)) {
        vg_assembler_check(s->assembler);
        if (!s->has_lost) {
            check(!au.damaged && s->seen < s->unit_count && is_same(&au, &s->units[s->seen]));
            s->units[s->seen++].came = true;
            continue;
        }
        if (au.damaged || !au.is_picture) continue;
        size_t at = s->seen;
        while (at < s->unit_count && !is_same(&au, &s->units[at]))
            at++;
        check(at < s->unit_count);
        s->units[at].came = true;
        s->seen = at + 1;
    }
}

static void send_all(sender *s, unit *u, uint8_t how, uint8_t lost, bool is_last) {
    bool has_swallowed = false;
    for (size_t i = 0; i < s->packet_count; i++) {
        const bool is_end = i + 1 == s->packet_count;
        /* Nothing tells that something is missing before the first packet or behind the last. */
        const bool is_edge = (u == s->units && i == 0) || (is_last && is_end);
        const packet *p = &s->packets[i];
        bool is_lost = ((unsigned)lost >> i % 8U & 1U) != 0 && !is_edge;
        if (is_lost && (how & UNFINISHED) != 0) {
            /* Of the middle of a NAL unit, of a whole one, or of the end of one and the beginning
             * of the next, nobody could tell. */
            is_lost = p->is_edge && !has_swallowed;
            if (is_lost) s->sequence--;
            has_swallowed |= is_lost;
        }
        const bool is_old = (how & OLD_STAMP) != 0 && p->is_prefix && u > s->units;
        const vg_rtp_packet sent = {
            .payload_type = 96,
            .ssrc = 1,
            .sequence = s->sequence++,
            .timestamp = is_old ? u[-1].timestamp : u->timestamp,
            .marker = is_end && (how & NO_MARKER) == 0,
            .payload = p->bytes,
            .payload_size = p->size,
        };
        s->has_lost |= is_lost;
        if (is_lost) u->is_whole = false;
        if (is_lost) continue;
        vg_fault fault = {0};
        vg_err err = vg_assembler_push(s->assembler, &sent, &fault);
        vg_assembler_check(s->assembler);
        if (err == VG_AGAIN) {
            pull_all(s);
            err = vg_assembler_push(s->assembler, &sent, &fault);
        }
        check(s->has_lost ? err != VG_AGAIN : err == VG_OK);
        pull_all(s);
    }
}

static void add_empty_packet(sender *s, const unit *u) {
    const vg_rtp_packet empty = {
        .payload_type = 96, .ssrc = 1, .sequence = s->sequence++, .timestamp = u->timestamp};
    vg_fault fault = {0};
    vg_err err = vg_assembler_push(s->assembler, &empty, &fault);
    if (err == VG_AGAIN) {
        pull_all(s);
        err = vg_assembler_push(s->assembler, &empty, &fault);
    }
    check(err == VG_OK);
    pull_all(s);
}

/* A picture of which all came, and of its neighbours too, is there. */
static void check_all_came(const sender *s) {
    for (size_t i = 0; i < s->unit_count; i++) {
        const unit *u = &s->units[i];
        const bool follows = i == 0 || u[-1].is_whole;
        const bool is_followed = i + 1 == s->unit_count || u[1].is_whole;
        check(!u->is_whole || !follows || !is_followed || u->came);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < 4) return 0;
    /* Each for itself, so that what is written behind its end is seen; not from the heap, which
     * took more time than all the rest. */
    static unit all_units[UNITS_MAX];
    static packet packets[PACKETS_MAX];
    static uint8_t buffer[CAPACITY];
    static vg_assembler assembler;
    sender of_input = {
        .codec = data[0] & 1U ? VG_CODEC_H264 : VG_CODEC_H265,
        .room = 8U + (data[0] >> 1U) % 64U,
        .sequence = 65500,
        .don = 65520,
        .units = all_units,
        .packets = packets,
        .assembler = &assembler,
    };
    sender *s = &of_input;
    vg_assembler_init(s->assembler, s->codec, 96, buffer, CAPACITY);

    const size_t units = (size - 1) / 3 < UNITS_MAX ? (size - 1) / 3 : UNITS_MAX;
    for (size_t i = 0; i < units; i++) {
        const uint8_t *of = data + 1 + 3 * i;
        unit *u = &s->units[s->unit_count++];
        make_unit(s, u, of[0], (uint32_t)i * 3600U + 0xFFFF0000U);
        packetise(s, u, of[1]);
        if (of[1] & EMPTY_PACKET) add_empty_packet(s, u);
        send_all(s, u, of[1], of[2], i + 1 == units);
    }
    vg_assembler_flush(s->assembler);
    pull_all(s);
    check(s->has_lost || s->seen == units);
    check_all_came(s);
    return 0;
}
