/* A JPEG camera that is known (RFC 2435): the input says which pictures there are, how they are
 * sent and which packets are lost or come twice, and what comes out is held against what was sent,
 * byte for byte. What is not marked is exactly what was sent; a picture of which all came is there;
 * and where nothing is missing around it, it is not marked.
 *
 * Input: byte 0 size of the parts; then for each picture a byte of what it is, a byte of how it is
 * sent, a byte of which packets are lost. */
#include <stdlib.h>
#include <string.h>

#include "../src/assembler.h"
#include "put.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
    PICTURES_MAX = 48,
    SCAN_MAX = 4 + 15 * 12 + 2,
    HEADERS_MAX = 8 + 4 + 4 + 128,
    CAPACITY = 1 << 14,
    CYCLE = 254, /* bytes 1 to 254: no marker arises in a scan */
    WIDTH = 640,
    HEIGHT = 480,
    Q_COMPUTED = 60,
    Q_INBAND = 200, /* or one more */
};
/* What a picture is. */
enum { SIZE = 15, OWN_TABLES = 16, OTHER_TABLES = 32, RESTARTS = 64, TYPE_1 = 128 };
/* How it is sent. */
enum {
    NO_MARKER = 1,
    HAS_END = 2,     /* with the end of a file behind the scan */
    NO_SIZE = 4,     /* only the description tells it */
    TOLD_BEFORE = 8, /* tables that the picture before had under the same Q are not sent again */
    SENT_TWICE = 16, /* its second packet, or its only one */
};

typedef struct picture {
    uint8_t file[VG_JPEG_HEAD_MAX + SCAN_MAX + 2];
    size_t file_size;
    size_t scan_size; /* with an end that is sent */
    uint8_t scan[SCAN_MAX];
    uint32_t timestamp;
    uint8_t type, q, how, lost;
    uint8_t tables[128];
    bool sends_tables, has_restarts;
    bool is_whole; /* all its packets came */
    bool came, came_unmarked;
} picture;

typedef struct sender {
    picture *pictures;
    size_t count, seen;
    size_t room;
    uint8_t byte;
    uint16_t sequence;
    vg_assembler *assembler;
} sender;

static void check(bool holds) {
    if (!holds) abort();
}

static void put_cycle(sender *s, uint8_t *out, size_t size) {
    for (size_t i = 0; i < size; i++)
        out[i] = (uint8_t)(1 + (s->byte + i) % CYCLE);
    s->byte = (uint8_t)((s->byte + size) % CYCLE);
}

/* The file that has to come out. */
static void write_file(picture *p) {
    const vg_jpeg_frame frame = {
        .type = p->type,
        .width = WIDTH,
        .height = HEIGHT,
        .restart_interval = p->has_restarts ? 16 : 0,
        .tables = p->tables,
        .tables_size = sizeof p->tables,
    };
    vg_fault fault = {0};
    check(vg_jpeg_head(&frame, p->file, &p->file_size, &fault) == VG_OK);
    memcpy(p->file + p->file_size, p->scan, p->scan_size);
    p->file_size += p->scan_size;
    if ((p->how & HAS_END) != 0) return;
    vg_store_u16(p->file + p->file_size, 0xFFD9);
    p->file_size += 2;
}

static void make(sender *s, const uint8_t *of) {
    picture *p = &s->pictures[s->count];
    const picture *before = s->count > 0 ? p - 1 : NULL;
    p->timestamp = 0xFFFF0000U + (uint32_t)s->count * 3600U;
    p->how = of[1];
    p->lost = of[2];
    p->type = (of[0] & TYPE_1) != 0;
    p->has_restarts = (of[0] & RESTARTS) != 0;
    p->came = p->came_unmarked = p->sends_tables = false;
    p->scan_size = 4 + (size_t)(of[0] & SIZE) * 12;
    put_cycle(s, p->scan, p->scan_size);
    if ((p->how & HAS_END) != 0) {
        vg_store_u16(p->scan + p->scan_size, 0xFFD9);
        p->scan_size += 2;
    }
    p->q = Q_COMPUTED;
    if ((of[0] & OWN_TABLES) != 0) {
        p->q = Q_INBAND + ((of[0] & OTHER_TABLES) != 0);
        p->sends_tables = (p->how & TOLD_BEFORE) == 0 || before == NULL || before->q != p->q;
        memset(p->tables, p->q, sizeof p->tables);
    } else {
        vg_jpeg_tables(p->q, p->tables);
    }
    write_file(p);
    s->count++;
}

static size_t headers(const picture *p, uint32_t offset, uint8_t *out) {
    vg_put w = vg_put_into(out, HEADERS_MAX);
    const bool has_size = (p->how & NO_SIZE) == 0;
    vg_put_u32(&w, offset);
    vg_put_u8(&w, (uint8_t)(p->type + (p->has_restarts ? 64 : 0)));
    vg_put_u8(&w, p->q);
    vg_put_u8(&w, has_size ? WIDTH / 8 : 0);
    vg_put_u8(&w, has_size ? HEIGHT / 8 : 0);
    if (p->has_restarts) vg_put_u32(&w, 0x0010FFFF);
    if (p->q >= 128 && offset == 0) {
        vg_put_u16(&w, 0);
        vg_put_u16(&w, p->sends_tables ? sizeof p->tables : 0);
        if (p->sends_tables) vg_put_bytes(&w, p->tables, sizeof p->tables);
    }
    check(!w.overrun);
    return vg_put_offset(&w);
}

static void pull_all(sender *s) {
    vg_access_unit au;
    while (vg_assembler_pull(s->assembler, &au)) {
        vg_assembler_check(s->assembler);
        check(au.nal_count == 1 && au.is_picture && au.kind == VG_SYNC_IDR);
        const uint8_t *file = au.bytes + au.nals[0].offset;
        const size_t size = au.nals[0].size;
        size_t at = s->seen;
        while (at < s->count && s->pictures[at].timestamp != au.timestamp)
            at++;
        check(at < s->count); /* none comes twice, none goes back */
        picture *p = &s->pictures[at];
        const bool is_same = size == p->file_size && memcmp(file, p->file, size) == 0;
        check(au.damaged || is_same);
        p->came = is_same;
        p->came_unmarked = is_same && !au.damaged;
        s->seen = at + 1;
    }
}

static void push(sender *s, const vg_rtp_packet *sent) {
    vg_fault fault = {0};
    vg_err err = vg_assembler_push(s->assembler, sent, &fault);
    vg_assembler_check(s->assembler);
    if (err == VG_AGAIN) {
        pull_all(s);
        err = vg_assembler_push(s->assembler, sent, &fault);
        vg_assembler_check(s->assembler);
    }
    check(err == VG_OK || (err == VG_VALUE && fault.rule != NULL));
    pull_all(s);
}

static void send(sender *s, picture *p, bool is_last) {
    p->is_whole = true;
    size_t number = 0;
    for (size_t at = 0; at < p->scan_size; number++) {
        const size_t part = p->scan_size - at < s->room ? p->scan_size - at : s->room;
        uint8_t head[HEADERS_MAX];
        const size_t head_size = headers(p, (uint32_t)at, head);
        uint8_t *payload = malloc(head_size + part); /* exactly: a byte read behind it is seen */
        check(payload != NULL);
        memcpy(payload, head, head_size);
        memcpy(payload + head_size, p->scan + at, part);
        at += part;
        const bool is_end = at == p->scan_size;
        const vg_rtp_packet sent = {
            .payload_type = 26,
            .ssrc = 1,
            .sequence = s->sequence++,
            .timestamp = p->timestamp,
            .marker = is_end && (p->how & NO_MARKER) == 0,
            .payload = payload,
            .payload_size = head_size + part,
        };
        /* Nothing tells that something is missing before the first packet or behind the last. */
        const bool is_edge = (p == s->pictures && number == 0) || (is_last && is_end);
        const bool is_lost = ((unsigned)p->lost >> number % 8U & 1U) != 0 && !is_edge;
        if (is_lost)
            p->is_whole = false;
        else
            push(s, &sent);
        const bool again = (p->how & SENT_TWICE) != 0 && (number == 1 || is_end);
        if (again && !is_lost) push(s, &sent);
        free(payload);
    }
}

static void check_all_came(const sender *s) {
    bool was_fine = true; /* the picture before */
    for (size_t i = 0; i < s->count; i++) {
        const picture *p = &s->pictures[i];
        const bool is_followed = i + 1 == s->count || p[1].is_whole;
        const bool ends = (p->how & NO_MARKER) == 0 || is_followed;
        const bool has_tables = p->q == Q_COMPUTED || p->sends_tables || was_fine;
        const bool is_fine = p->is_whole && ends && has_tables;
        check(!is_fine || p->came);
        check(!is_fine || !was_fine || !is_followed || p->came_unmarked);
        was_fine = is_fine;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < 4) return 0;
    static picture pictures[PICTURES_MAX];
    static uint8_t buffer[CAPACITY];
    static vg_assembler assembler;
    sender s = {
        .pictures = pictures,
        .room = 4U + data[0] % 64U,
        .sequence = 65520,
        .assembler = &assembler,
    };
    vg_assembler_init(&assembler, VG_CODEC_MJPEG, 26, buffer, sizeof buffer);
    vg_assembler_expect_size(&assembler, WIDTH, HEIGHT);
    const size_t count = (size - 1) / 3 < PICTURES_MAX ? (size - 1) / 3 : PICTURES_MAX;
    for (size_t i = 0; i < count; i++)
        make(&s, data + 1 + 3 * i);
    for (size_t i = 0; i < count; i++)
        send(&s, &pictures[i], i + 1 == count);
    vg_assembler_flush(&assembler);
    pull_all(&s);
    check_all_came(&s);
    return 0;
}
