/* Reads the input as packets of sound, most of AAC with headers that fit. Holds for any: no crash;
 * every frame lies whole in its packet or in the reader, has a size and a length in time; AAC cut
 * into fragments comes out as it was, in AU headers and in LATM, and none comes out of an element
 * whose begin was lost; and the counts agree.
 *
 * Input: byte 0 codec and channels, byte 1 how AU headers are; then for each packet a byte of
 * flags, a byte of size and the payload. */
#include <stdlib.h>
#include <string.h>

#include "bytes.h"
#include "vg/sound.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
    LOST = 1,
    AGAIN = 2,
    NEW_TIMESTAMP = 4,
    OTHER_SOURCE = 8,
    ONE_UNIT = 16,  /* in front: AU headers, or a LATM length, of one access unit of this size */
    FRAGMENTS = 32, /* in three packets, each with the header of the whole */
    ADTS = 64,      /* in front: an ADTS header of this size */
    HEADERS = 2 + 2 + 7,
};

static void check(bool holds) {
    if (!holds) abort();
}

typedef struct run {
    vg_sound_reader *reader; /* of its own: a byte written behind it is seen */
    vg_rtp_packet packet;
    uint64_t frames, packets;
} run;

/* The payload in memory of its own size: a byte read behind it is seen. */
static vg_err push(run *r, const uint8_t *head, size_t head_size, const uint8_t *body,
                   size_t size) {
    uint8_t *payload = malloc(head_size + size + 1);
    check(payload != NULL);
    if (head_size > 0) memcpy(payload, head, head_size);
    if (size > 0) memcpy(payload + head_size, body, size);
    uint8_t *exact = realloc(payload, head_size + size > 0 ? head_size + size : 1);
    check(exact != NULL);
    r->packet.payload = exact;
    r->packet.payload_size = head_size + size;
    vg_fault fault = {0};
    const vg_err err = vg_sound_push(r->reader, &r->packet, &fault);
    check(err == VG_OK || (fault.rule != NULL && fault.offset <= head_size + size));
    check(r->reader->frame_count <= VG_SOUND_FRAMES_MAX);
    for (uint32_t i = 0; i < r->reader->frame_count; i++) {
        const vg_sound_frame *frame = &r->reader->frames[i];
        check(frame->size > 0 && frame->size <= VG_SOUND_FRAME_MAX && frame->ticks > 0);
        uint8_t last = frame->bytes[frame->size - 1]; /* AddressSanitizer looks */
        check(last == frame->bytes[frame->size - 1]);
    }
    r->frames += r->reader->frame_count;
    r->packets++;
    r->packet.sequence++;
    free(exact);
    return err;
}

/* RFC 3640 3.2.3: what is cut comes out whole, unless it looks like a file's header. */
static void push_fragments(run *r, const uint8_t *body, size_t size) {
    uint8_t head[4] = {0, 16};
    vg_store_u16(head + 2, (uint16_t)(size << 3U));
    const size_t part = size / 3;
    if (part == 0) return;
    r->packet.timestamp++;
    check(push(r, head, sizeof head, body, part) == VG_OK && r->reader->frame_count == 0);
    check(push(r, head, sizeof head, body + part, part) == VG_OK && r->reader->frame_count == 0);
    check(push(r, head, sizeof head, body + 2 * part, size - 2 * part) == VG_OK);
    check(r->reader->frame_count <= 1);
    if (r->reader->frame_count == 0) return;
    const vg_sound_frame *whole = &r->reader->frames[0];
    check(whole->timestamp == r->packet.timestamp && whole->size <= size);
    check(memcmp(whole->bytes, body + (size - whole->size), whole->size) == 0);
}

/* RFC 6416 6.3: an element in three packets of one timestamp; one of two frames, of which the
 * second is a byte. Behind a loss the rest of one gives nothing. */
static void push_element(run *r, const uint8_t *body, size_t size) {
    uint8_t element[2 + 255 + 2];
    size_t used = 0;
    if (size < 6) return;
    if (size == 255) element[used++] = 255;
    element[used++] = size == 255 ? 0 : (uint8_t)size;
    memcpy(element + used, body, size);
    used += size;
    element[used++] = 1;
    element[used++] = body[0];
    const size_t part = used / 3;
    (void)push(r, NULL, 0, element, 0); /* whatever was lost before, this one ends it */
    r->packet.timestamp++;
    check(push(r, NULL, 0, element, part) == VG_OK && r->reader->frame_count == 0);
    check(push(r, NULL, 0, element + part, part) == VG_OK && r->reader->frame_count == 0);
    check(push(r, NULL, 0, element + 2 * part, used - 2 * part) == VG_OK);
    check(r->reader->frame_count == 2);
    const vg_sound_frame *frames = r->reader->frames;
    check(frames[0].size == size && memcmp(frames[0].bytes, body, size) == 0);
    check(frames[1].size == 1 && frames[1].bytes[0] == body[0]);
    check(frames[1].timestamp == r->packet.timestamp + frames[0].ticks);
    r->packet.timestamp++;
    r->packet.sequence++; /* its begin */
    (void)push(r, NULL, 0, element + 2 * part, used - 2 * part);
    check(r->reader->frame_count == 0);
}

static size_t write_head(uint8_t *out, uint8_t codec, uint8_t flags, size_t size) {
    size_t used = 0;
    if (codec == VG_SOUND_LATM) {
        if ((flags & ONE_UNIT) == 0) return 0;
        if (size == 255) out[used++] = 255;
        out[used++] = size == 255 ? 0 : (uint8_t)size;
        return used;
    }
    const size_t unit = size + ((flags & ADTS) != 0 ? 7 : 0);
    if ((flags & ONE_UNIT) != 0) {
        vg_store_u16(out, 16);
        vg_store_u16(out + 2, (uint16_t)(unit << 3U));
        used = 4;
    }
    if ((flags & ADTS) == 0) return used;
    const uint8_t adts[7] = {0xFF,
                             0xF1,
                             0x50,
                             (uint8_t)(unit >> 11U & 3U),
                             (uint8_t)(unit >> 3U),
                             (uint8_t)((unit & 7U) << 5U | 0x1FU),
                             0xFC};
    memcpy(out + used, adts, sizeof adts);
    return used + sizeof adts;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < 2) return 0;
    const bool is_usual = (data[1] & 1U) == 0;
    const vg_sound sound = {
        .codec = (uint8_t)(data[0] % 6U),
        .channels = (uint8_t)(data[0] >> 4U),
        .size_bits = is_usual ? 13 : data[1] % 18U,
        .index_bits = is_usual ? 3 : data[1] >> 4U,
        .delta_bits = is_usual ? 3 : data[1] >> 5U,
        .config_size = 2,
        .clock_rate = (data[1] & 2U) != 0 ? 48000 : 48000 + (uint32_t)data[0] * 4096,
        .sample_rate = 48000,
        .frame_ticks = 1024,
    };
    if (vg_sound_refuse(&sound) != NULL) return 0;
    static vg_sound_reader reader;
    run r = {.reader = &reader, .packet = {.ssrc = 1, .sequence = 65530}};
    vg_sound_init(r.reader, &sound);
    size_t at = 2;
    while (size - at >= 2) {
        const uint8_t flags = data[at];
        size_t want = data[at + 1];
        at += 2;
        if (want > size - at) want = size - at;
        if ((flags & LOST) != 0) r.packet.sequence++;
        if ((flags & AGAIN) != 0) r.packet.sequence--;
        if ((flags & NEW_TIMESTAMP) != 0) r.packet.timestamp += 1024;
        if ((flags & OTHER_SOURCE) != 0) r.packet.ssrc ^= 2;
        if ((flags & FRAGMENTS) != 0 && is_usual && (flags & AGAIN) == 0 &&
            sound.codec == VG_SOUND_AAC) {
            push_fragments(&r, data + at, want);
        } else if ((flags & FRAGMENTS) != 0 && (flags & AGAIN) == 0 &&
                   sound.codec == VG_SOUND_LATM) {
            push_element(&r, data + at, want);
        } else {
            uint8_t head[HEADERS];
            (void)push(&r, head, write_head(head, sound.codec, flags, want), data + at, want);
        }
        at += want;
    }
    check(r.reader->counts.packets == r.packets && r.reader->counts.frames == r.frames);
    return 0;
}
