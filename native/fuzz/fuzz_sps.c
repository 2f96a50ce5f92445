/* Holds for any bytes: no crash, and what is read lies in the ranges that the writer of sample
 * entries relies on. The first bit of the input chooses the codec. */
#include <stdlib.h>

#include "vg/nal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size == 0) return 0;
    vg_sps sps;
    vg_fault fault;
    vg_err err;
    if (data[0] & 1U)
        err = vg_h264_sps_parse(data + 1, size - 1, &sps, &fault);
    else
        err = vg_h265_sps_parse(data + 1, size - 1, &sps, &fault);
    if (err != VG_OK) {
        if (fault.rule == NULL || fault.offset > size - 1) abort();
        return 0;
    }
    if (sps.width == 0 || sps.width > 16896 || sps.height == 0 || sps.height > 33792) abort();
    if (sps.chroma_format > 3 || sps.bit_depth_luma < 8 || sps.bit_depth_luma > 16) abort();
    if (sps.reorder_depth < -1 || sps.reorder_depth > 16 || sps.id > 31) abort();
    return 0;
}
