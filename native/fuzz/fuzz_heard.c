/* A camera whose sound is known: the input says how it is packed and which packets are lost or come
 * twice. After each packet exactly the frames are there that it completed, byte for byte, with
 * their times: nothing of a frame of which a part is missing, nothing twice; and losses are
 * counted.
 *
 * Input: byte 0 codec; then for each packet, or frame in several, a byte of how large its frames
 * are, a byte of how it is sent, a byte of which packets are lost. */
#include <stdlib.h>
#include <string.h>

#include "put.h"
#include "vg/sound.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
    STEPS_MAX = 64,
    TOGETHER_MAX = 4, /* frames of a packet */
    PARTS_MAX = 4,    /* packets of a frame */
    FRAME_MAX = 4 + 255,
    PACKET_MAX = 2048,
    CYCLE = 254, /* bytes 1 to 254: none looks like a file's header */
    TICKS = 1024,
    ADTS = 7,
};
/* How it is sent. */
enum {
    COUNT = 3,       /* so many more frames, or parts of one */
    IN_PARTS = 4,    /* AAC */
    AS_ADTS = 8,     /* AAC: in front of each frame, without AU headers */
    WITH_ADTS = 16,  /* AAC: behind AU headers */
    SENT_TWICE = 32, /* the first packet */
    PAUSE = 64,      /* silence before it was not sent */
};

typedef enum packed_as { AAC, AAC_SHORT, PCMA, PCMU_STEREO, OPUS, LATM, PACKINGS } packed_as;

typedef struct sender {
    packed_as packing;
    vg_sound_reader *reader;
    uint16_t sequence;
    uint32_t timestamp;
    uint8_t byte;
    uint64_t packets, lost, repeated, frames;
    uint64_t missing; /* since the last that came */
    bool has_come;
    bool has_split; /* LATM: an element in several packets came */
    uint32_t doubtful;
} sender;

/* What one packet is to give. */
typedef struct frames {
    uint8_t bytes[TOGETHER_MAX][FRAME_MAX];
    size_t sizes[TOGETHER_MAX];
    uint32_t timestamps[TOGETHER_MAX], ticks[TOGETHER_MAX];
    size_t count;
} frames;

static void check(bool holds) {
    if (!holds) abort();
}

static bool is_aac(const sender *s) {
    return s->packing == AAC || s->packing == AAC_SHORT || s->packing == LATM;
}

static vg_sound describe(packed_as packing) {
    static const uint8_t codecs[PACKINGS] = {VG_SOUND_AAC,  VG_SOUND_AAC,  VG_SOUND_PCMA,
                                             VG_SOUND_PCMU, VG_SOUND_OPUS, VG_SOUND_LATM};
    const bool is_short = packing == AAC_SHORT; /* RFC 3640 3.3.5: low bit rates */
    return (vg_sound){
        .codec = codecs[packing],
        .channels = packing == PCMU_STEREO ? 2 : 1,
        .size_bits = is_short ? 6 : 13,
        .index_bits = is_short ? 2 : 3,
        .delta_bits = is_short ? 2 : 3,
        .config_size = 2,
        .clock_rate = 48000,
        .sample_rate = 48000,
        .frame_ticks = TICKS,
    };
}

/* RFC 6716 3.1, table 2: tenths of a millisecond of a frame. */
static uint32_t opus_tenths(unsigned config) {
    static const uint32_t silk[4] = {100, 200, 400, 600};
    static const uint32_t celt[4] = {25, 50, 100, 200};
    if (config < 12) return silk[config % 4];
    return config < 16 ? silk[config % 2] : celt[config % 4];
}

static void make(sender *s, frames *f, uint8_t large, size_t count) {
    f->count = count;
    for (size_t i = 0; i < count; i++) {
        size_t size = 1 + (s->packing == AAC_SHORT ? large % 63U : large);
        if (s->packing == PCMU_STEREO) size *= size <= FRAME_MAX / 2 ? 2U : 1U;
        if (s->packing == PCMU_STEREO) size -= size % 2;
        if (size == 0) size = 2;
        for (size_t n = 0; n < size; n++)
            f->bytes[i][n] = (uint8_t)(1 + (s->byte + n) % CYCLE);
        s->byte = (uint8_t)((s->byte + size) % CYCLE);
        f->ticks[i] = is_aac(s) ? TICKS : (uint32_t)size;
        if (s->packing == PCMU_STEREO) f->ticks[i] = (uint32_t)size / 2;
        if (s->packing == OPUS) {
            f->bytes[i][0] = (uint8_t)(large % 32U << 3U); /* one frame */
            f->ticks[i] = opus_tenths(large % 32U) * 48 / 10;
        }
        f->sizes[i] = size;
        f->timestamps[i] = s->timestamp;
        s->timestamp += f->ticks[i];
    }
}

static void put_adts(vg_put *w, size_t size) {
    const size_t all = size + ADTS;
    vg_put_u16(w, 0xFFF1);
    vg_put_u8(w, 0x50);
    vg_put_u8(w, (uint8_t)(all >> 11U & 3U));
    vg_put_u8(w, (uint8_t)(all >> 3U));
    vg_put_u8(w, (uint8_t)((all & 7U) << 5U | 0x1FU));
    vg_put_u8(w, 0xFC);
}

static void put_au_headers(const sender *s, vg_put *w, const size_t *sizes, size_t count) {
    const unsigned bits = s->packing == AAC_SHORT ? 8 : 16;
    vg_put_u16(w, (uint16_t)(bits * count));
    for (size_t i = 0; i < count; i++) {
        if (bits == 8)
            vg_put_u8(w, (uint8_t)(sizes[i] << 2U));
        else
            vg_put_u16(w, (uint16_t)(sizes[i] << 3U));
    }
}

/* RFC 6416 6.3, ISO/IEC 14496-3 1.7.3.1: how long, in bytes that are added. */
static void put_latm(vg_put *w, const uint8_t *bytes, size_t size) {
    for (size_t left = size; left >= 255; left -= 255)
        vg_put_u8(w, 255);
    vg_put_u8(w, (uint8_t)(size % 255));
    vg_put_bytes(w, bytes, size);
}

/* Behind a loss nothing in a LATM packet tells whether it is the middle of an element: where the
 * camera splits them, those of the first timestamp may be left out. */
static bool may_be_left_out(sender *s, uint32_t timestamp) {
    if (s->missing > 0) s->doubtful = timestamp;
    return s->packing == LATM && s->has_split && s->doubtful == timestamp;
}

/* Sends `payload` and looks at what comes: `due`, or nothing. */
static void deliver(sender *s, const uint8_t *payload, size_t size, uint32_t timestamp,
                    const frames *due, bool again) {
    uint8_t *exact = malloc(size);
    check(exact != NULL);
    memcpy(exact, payload, size);
    const vg_rtp_packet packet = {
        .payload_type = 97,
        .ssrc = 1,
        .sequence = s->sequence,
        .timestamp = timestamp,
        .payload = exact,
        .payload_size = size,
    };
    const bool is_doubtful = may_be_left_out(s, timestamp);
    for (int times = 0; times <= (int)again; times++) {
        vg_fault fault = {0};
        const vg_err err = vg_sound_push(s->reader, &packet, &fault);
        s->packets++;
        s->repeated += times > 0;
        check(err == VG_OK || fault.rule != NULL);
        size_t count = due != NULL && times == 0 ? due->count : 0;
        if (is_doubtful && s->reader->frame_count == 0) count = 0;
        check(s->reader->frame_count == count);
        for (size_t i = 0; i < count; i++) {
            const vg_sound_frame *got = &s->reader->frames[i];
            check(got->size == due->sizes[i] && got->timestamp == due->timestamps[i]);
            check(got->ticks == due->ticks[i]);
            check(memcmp(got->bytes, due->bytes[i], got->size) == 0);
        }
        s->frames += count;
    }
    free(exact);
    if (s->has_come) s->lost += s->missing; /* before the first nobody can tell */
    s->missing = 0;
    s->has_come = true;
    s->sequence++;
    const vg_sound_counts *counts = &s->reader->counts;
    check(counts->packets == s->packets && counts->lost == s->lost);
    check(counts->repeated == s->repeated && counts->frames == s->frames);
}

static void lose(sender *s) {
    s->missing++;
    s->sequence++;
}

/* One element; of the first that is split nothing is lost. */
static void send_latm_parts(sender *s, const frames *f, size_t parts, uint8_t lost, bool again) {
    uint8_t payload[PACKET_MAX];
    vg_put w = vg_put_into(payload, sizeof payload);
    put_latm(&w, f->bytes[0], f->sizes[0]);
    check(!w.overrun);
    const size_t size = vg_put_offset(&w);
    const size_t each = size / parts;
    bool all_came = true;
    for (size_t i = 0; i < parts; i++) {
        const bool is_last = i + 1 == parts;
        if (s->has_split && ((unsigned)lost >> i & 1U) != 0) {
            lose(s);
            all_came = false;
            continue;
        }
        deliver(s, payload + i * each, is_last ? size - i * each : each, f->timestamps[0],
                is_last && all_came ? f : NULL, again && i == 0);
    }
    s->has_split |= parts > 1;
}

/* RFC 3640 3.2.3: the header of the whole in front of each part. */
static void send_parts(sender *s, const frames *f, size_t parts, uint8_t lost, bool again) {
    const size_t size = f->sizes[0];
    const size_t each = size / parts;
    bool all_came = true;
    for (size_t i = 0; i < parts; i++) {
        uint8_t payload[PACKET_MAX];
        vg_put w = vg_put_into(payload, sizeof payload);
        const bool is_last = i + 1 == parts;
        put_au_headers(s, &w, &size, 1);
        vg_put_bytes(&w, f->bytes[0] + i * each, is_last ? size - i * each : each);
        check(!w.overrun);
        if (((unsigned)lost >> i & 1U) != 0) {
            lose(s);
            all_came = false;
            continue;
        }
        deliver(s, payload, vg_put_offset(&w), f->timestamps[0], is_last && all_came ? f : NULL,
                again && i == 0);
    }
}

static void send_together(sender *s, const frames *f, uint8_t how, bool again) {
    uint8_t payload[PACKET_MAX];
    vg_put w = vg_put_into(payload, sizeof payload);
    const bool has_adts = is_aac(s) && (how & (AS_ADTS | WITH_ADTS)) != 0 && s->packing == AAC;
    const bool is_latm = s->packing == LATM;
    if (is_aac(s) && !is_latm && !(has_adts && (how & AS_ADTS) != 0)) {
        size_t sizes[TOGETHER_MAX];
        for (size_t i = 0; i < f->count; i++)
            sizes[i] = f->sizes[i] + (has_adts ? ADTS : 0);
        put_au_headers(s, &w, sizes, f->count);
    }
    for (size_t i = 0; i < f->count; i++) {
        if (has_adts) put_adts(&w, f->sizes[i]);
        if (is_latm)
            put_latm(&w, f->bytes[i], f->sizes[i]);
        else
            vg_put_bytes(&w, f->bytes[i], f->sizes[i]);
    }
    check(!w.overrun);
    deliver(s, payload, vg_put_offset(&w), f->timestamps[0], f, again);
}

static void send(sender *s, const uint8_t *of) {
    static frames f;
    const uint8_t how = of[1];
    if ((how & PAUSE) != 0) s->timestamp += 9600;
    const size_t count = 1 + (how & COUNT);
    const bool in_parts = is_aac(s) && (how & IN_PARTS) != 0 && of[0] >= 2 * PARTS_MAX;
    make(s, &f, of[0], is_aac(s) && !in_parts ? count : 1);
    if (in_parts && s->packing == LATM)
        send_latm_parts(s, &f, count, of[2], (how & SENT_TWICE) != 0);
    else if (in_parts && f.sizes[0] >= count)
        send_parts(s, &f, count, of[2], (how & SENT_TWICE) != 0);
    else if ((of[2] & 1U) != 0)
        lose(s);
    else
        send_together(s, &f, how, (how & SENT_TWICE) != 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < 4) return 0;
    static vg_sound_reader reader;
    sender s = {
        .packing = (packed_as)(data[0] % PACKINGS),
        .reader = &reader,
        .sequence = 65500,
        .timestamp = UINT32_MAX - 9999,
    };
    const vg_sound sound = describe(s.packing);
    check(vg_sound_refuse(&sound) == NULL);
    vg_sound_init(&reader, &sound);
    for (size_t i = 0; i < STEPS_MAX && 4 + 3 * i <= size; i++)
        send(&s, data + 1 + 3 * i);
    return 0;
}
