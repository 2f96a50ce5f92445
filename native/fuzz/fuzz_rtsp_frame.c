/* Holds for any bytes on channels 0 to 3: no crash; every item lies inside what it consumed; a
 * buffer of the promised size never waits for more; and bytes that come in small pieces (the first
 * byte of the input tells how small) leave the splitter as far as it came before, or further.
 * Whatever came, of packets that follow one by one the fourth is given at the latest, and each one
 * behind it. */
#include <stdlib.h>
#include <string.h>

#include "vg/rtsp_frame.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
    ENOUGH = VG_RTSP_HEADER_MAX + VG_RTSP_BODY_MAX + 4,
    PACKETS = 6,
    PACKET = 24,
    LATEST = 3, /* the first of them that has to be given, from 0 */
};

static size_t take_all(vg_rtsp_splitter *splitter, const uint8_t *data, size_t size, int *broken) {
    size_t done = 0;
    for (;;) {
        vg_rtsp_item item;
        vg_fault fault;
        const vg_err err = vg_rtsp_next(splitter, data + done, size - done, &item, &fault);
        if (err == VG_MORE) {
            if (size - done >= ENOUGH) abort();
            return done;
        }
        if (err == VG_LIMIT) {
            if (fault.rule == NULL) abort();
            *broken = 1;
            return done;
        }
        if (err != VG_OK || item.consumed == 0 || item.consumed > size - done) abort();
        if (item.bytes < data + done) abort();
        if (item.size > item.consumed - (size_t)(item.bytes - (data + done))) abort();
        done += item.consumed;
    }
}

/* Takes what stands there. VG_OK: all of it was taken, `last` came last. */
static vg_err take_rest(vg_rtsp_splitter *splitter, const uint8_t *data, size_t size, size_t *done,
                        vg_rtsp_item *last) {
    vg_err err = VG_OK;
    while (*done < size && err == VG_OK) {
        vg_fault fault;
        err = vg_rtsp_next(splitter, data + *done, size - *done, last, &fault);
        if (err == VG_OK) *done += last->consumed;
    }
    return err;
}

/* Packets inside which nothing begins, one by one, behind the `rest` that is waited with. */
static void find_way_back(vg_rtsp_splitter *splitter, const uint8_t *rest, size_t size) {
    uint8_t *bytes = malloc(size + PACKETS * PACKET);
    if (bytes == NULL) abort();
    if (size > 0) memcpy(bytes, rest, size);
    size_t done = 0;
    for (uint8_t i = 0; i < PACKETS; i++) {
        const uint8_t packet[PACKET] = {'$', i % 4U, 0, PACKET - 4, 0x80, 96, 0, i};
        memcpy(bytes + size, packet, PACKET);
        size += PACKET;
        vg_rtsp_item last = {0};
        const vg_err err = take_rest(splitter, bytes, size, &done, &last);
        if (err == VG_LIMIT) break; /* the caller connects anew */
        if (i < LATEST) continue;
        if (err != VG_OK || last.kind != VG_RTSP_PACKET || last.size != PACKET - 4) abort();
        if (memcmp(last.bytes, packet + 4, last.size) != 0) abort();
    }
    free(bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size == 0) return 0;
    const size_t step = 1 + data[0];
    data++;
    size--;
    vg_rtsp_splitter splitter = {.channels = {0x0F}};
    int broken = 0;
    size_t done = 0;
    for (size_t have = 0; have < size && !broken;) {
        have += size - have < step ? size - have : step;
        /* exactly what came, so that a byte read too far is seen */
        uint8_t *exact = malloc(have - done);
        if (exact == NULL && have > done) abort();
        if (have > done) memcpy(exact, data + done, have - done);
        done += take_all(&splitter, exact, have - done, &broken);
        free(exact);
    }
    if (!broken) find_way_back(&splitter, data + done, size - done);
    return 0;
}
