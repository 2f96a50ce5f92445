/* Holds for any bytes: no crash, each step moves forward and stays inside, and there are no more
 * items than words. */
#include <stdlib.h>

#include "vg/rtcp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    size_t offset = 0;
    for (size_t items = 0; items <= size / 4; items++) {
        vg_rtcp_item item;
        vg_fault fault;
        const size_t before = offset;
        const vg_err err = vg_rtcp_next(data, size, &offset, &item, &fault);
        if (err == VG_OK) {
            if (offset <= before || offset > size) abort();
            continue;
        }
        if (offset != before) abort();
        if (err == VG_MORE && offset != size) abort();
        if (err != VG_MORE && (fault.rule == NULL || fault.offset > size)) abort();
        return 0;
    }
    abort();
}
