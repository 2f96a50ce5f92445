/* Holds for any bytes on channels 0 to 3: no crash; every item lies inside what it consumed; a
 * buffer of the promised size never waits for more; and bytes that come in small pieces (the first
 * byte of the input tells how small) leave the splitter as far as it came before, or further. */
#include <stdlib.h>
#include <string.h>

#include "vg/rtsp_frame.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { ENOUGH = VG_RTSP_HEADER_MAX + VG_RTSP_BODY_MAX + 4 };

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
    return 0;
}
