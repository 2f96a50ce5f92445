/* Holds for any packets of sound: frames lie in what was given or held, have a length and a time,
 * are no more than the bytes can be, and every packet comes to an end.
 *
 * Input: byte 0 codec, byte 1 fields of AU headers; then for each packet a byte of flags (1 the
 * same timestamp, 2 lost), a byte of size and the payload. */
#include <stdlib.h>
#include <string.h>

#include "vg/audio.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds) {
    if (!holds) abort();
}

static void pull_all(vg_audio_source *s, const uint8_t *payload, size_t size) {
    vg_audio_frame frame;
    size_t frames = 0;
    while (vg_audio_pull(s, &frame)) {
        check(++frames <= size && frame.size > 0 && frame.bytes != NULL);
        const bool is_held = frame.bytes == s->hold && frame.size <= sizeof s->hold;
        check(is_held || (frame.bytes >= payload && frame.size <= size &&
                          (size_t)(frame.bytes - payload) <= size - frame.size));
        uint8_t *copy = malloc(frame.size); /* reads every byte */
        check(copy != NULL);
        memcpy(copy, frame.bytes, frame.size);
        free(copy);
    }
    check(s->held <= VG_AAC_FRAME_MAX && s->wanted <= VG_AAC_FRAME_MAX);
    check(s->wanted == 0 || s->held < s->wanted);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < 2) return 0;
    vg_audio_source *s = malloc(sizeof *s);
    check(s != NULL);
    const vg_aac_mode mode = {
        .size_length = data[1] & 0x80U ? 6 : 13,
        .index_length = data[1] & 7U,
        .index_delta_length = data[1] >> 3U & 7U,
    };
    vg_audio_init(s, (vg_audio_codec)(1 + data[0] % 3), &mode, 1 + data[0] / 128);
    vg_rtp_packet packet = {.ssrc = 1, .sequence = 65533};
    size_t at = 2;
    while (size - at >= 2) {
        size_t want = data[at + 1];
        if ((data[at] & 1U) == 0) packet.timestamp += 1024;
        if ((data[at] & 2U) != 0) packet.sequence++;
        at += 2;
        if (want > size - at) want = size - at;
        uint8_t *payload = malloc(want);
        check(payload != NULL || want == 0);
        if (want > 0) memcpy(payload, data + at, want);
        at += want;
        packet.payload = payload;
        packet.payload_size = want;
        vg_fault fault = {0};
        const vg_err err = vg_audio_push(s, &packet, &fault);
        check(err == VG_OK || ((err == VG_SHORT || err == VG_VALUE) && fault.rule != NULL));
        pull_all(s, payload, want);
        packet.sequence++;
        free(payload);
    }
    free(s);
    return 0;
}
