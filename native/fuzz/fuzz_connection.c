/* A connection that is known: the input says which packets and messages come, and in what pieces.
 * Each comes out once, whole and in order, as soon as its last byte is there; no byte is taken for
 * garbage, whatever stands inside of a packet or of a body.
 *
 * Input: byte 0 size of the pieces; then for each item a byte of what it is, a byte of how long, a
 * byte of what stands in it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "put.h"
#include "vg/rtsp_frame.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
    ITEMS_MAX = 24,
    BYTES_MAX = ITEMS_MAX * 512,
    CHANNELS = 4,
    PIECES_MAX = 64,
};
/* What an item is; the two lowest bits are a packet's channel. */
enum {
    CHANNEL = 3,
    IS_MESSAGE = 4,
    IS_REQUEST = 8,
    HAS_BODY = 16,
    LINE_FEEDS = 32, /* without CR */
    LINES_BEFORE = 64,
    IS_LONG = 128,
};

typedef struct item {
    size_t end;         /* behind its last byte, in all */
    size_t start, size; /* of what has to come out */
    uint8_t channel;
    vg_rtsp_kind kind;
} item;

typedef struct sender {
    vg_put w;
    item *items;
    size_t count, seen;
} sender;

static void check(bool holds) {
    if (!holds) abort();
}

/* Bytes that mean something where an item begins. */
static void put_misleading(vg_put *w, size_t size, uint8_t seed) {
    static const uint8_t bytes[16] = {'$', 0,   1,   2,   0x80, 'R',  'T',  'S',
                                      'P', '/', ' ', '1', '\r', '\n', 0xFF, 8};
    uint32_t state = seed;
    for (size_t i = 0; i < size; i++) {
        state = state * 1664525U + 1013904223U;
        vg_put_u8(w, bytes[state >> 28U]);
    }
}

static void put_text(vg_put *w, const char *text) {
    vg_put_bytes(w, text, strlen(text));
}

static void put_message(vg_put *w, uint8_t what, uint8_t length, uint8_t seed) {
    const char *end = (what & LINE_FEEDS) != 0 ? "\n" : "\r\n";
    char line[64];
    put_text(w, (what & IS_REQUEST) != 0 ? "GET_PARAMETER rtsp://10.0.0.1/a RTSP/1.0"
                                         : "RTSP/1.0 200 OK");
    put_text(w, end);
    check(snprintf(line, sizeof line, "CSeq: %u%sX-A: $", length, end) > 0);
    put_text(w, line);
    put_text(w, end);
    const size_t body = (what & HAS_BODY) != 0 ? length % ((what & IS_LONG) != 0 ? 256U : 32U) : 0;
    if (body > 0) {
        check(snprintf(line, sizeof line, "content-LENGTH \t:  %zu%s", body, end) > 0);
        put_text(w, line);
    }
    put_text(w, end);
    put_misleading(w, body, seed);
}

static void put_item(sender *s, const uint8_t *of) {
    const uint8_t what = of[0];
    vg_put *w = &s->w;
    item *made = &s->items[s->count++];
    if ((what & LINES_BEFORE) != 0) put_text(w, "\r\n\n");
    made->start = vg_put_offset(w);
    if ((what & IS_MESSAGE) != 0) {
        made->kind = VG_RTSP_MESSAGE;
        put_message(w, what, of[1], of[2]);
    } else {
        const size_t size = of[1] % ((what & IS_LONG) != 0 ? 256U : 32U);
        made->kind = VG_RTSP_PACKET;
        made->channel = what & CHANNEL;
        vg_put_u8(w, '$');
        vg_put_u8(w, made->channel);
        vg_put_u16(w, (uint16_t)size);
        made->start += 4;
        put_misleading(w, size, of[2]);
    }
    check(!w->overrun);
    made->end = vg_put_offset(w);
    made->size = made->end - made->start;
}

/* Takes what is there; gives how many bytes of it are done with. */
static size_t take(sender *s, vg_rtsp_splitter *splitter, size_t from, size_t size) {
    uint8_t *exact = malloc(size); /* so that a byte read too far is seen */
    check(exact != NULL);
    memcpy(exact, s->w.start + from, size);
    size_t done = 0;
    while (done < size) {
        vg_rtsp_item got;
        vg_fault fault;
        const vg_err err = vg_rtsp_next(splitter, exact + done, size - done, &got, &fault);
        if (err == VG_MORE) break;
        check(err == VG_OK && s->seen < s->count);
        const item *due = &s->items[s->seen++];
        check(got.kind == due->kind && got.size == due->size);
        check(from + done + got.consumed == due->end);
        check(got.kind == VG_RTSP_MESSAGE || got.channel == due->channel);
        check(memcmp(got.bytes, s->w.start + due->start, got.size) == 0);
        done += got.consumed;
    }
    free(exact);
    check(s->seen == s->count || s->items[s->seen].end > from + size); /* none waits in vain */
    return done;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < 4) return 0;
    static item items[ITEMS_MAX];
    static uint8_t bytes[BYTES_MAX + 1024];
    sender s = {.items = items, .w = vg_put_into(bytes, sizeof bytes)};
    for (size_t i = 0; i < ITEMS_MAX && 4 + 3 * i <= size; i++)
        put_item(&s, data + 1 + 3 * i);
    const size_t all = vg_put_offset(&s.w);
    const size_t step = 1 + data[0] * (size_t)data[0] / 64 + all / PIECES_MAX;
    vg_rtsp_splitter splitter = {.channels = {(1U << CHANNELS) - 1}};
    size_t done = 0;
    for (size_t have = 0; have < all;) {
        have += all - have < step ? all - have : step;
        done += take(&s, &splitter, done, have - done);
    }
    check(s.seen == s.count);
    return 0;
}
