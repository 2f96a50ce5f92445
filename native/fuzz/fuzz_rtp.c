/* Holds for any bytes: no crash, and the payload lies inside the datagram. */
#include <stdlib.h>

#include "vg/rtp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    vg_rtp_packet packet;
    vg_fault fault;
    if (vg_rtp_parse(data, size, &packet, &fault) != VG_OK) {
        if (fault.rule == NULL || fault.offset > size) abort();
        return 0;
    }
    if (packet.payload < data || packet.payload_size > size - (size_t)(packet.payload - data))
        abort();
    return 0;
}
