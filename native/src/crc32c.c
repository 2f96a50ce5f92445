/* CRC-32C (Castagnoli polynomial, reflected 0x82F63B78; RFC 3720 appendix B.4 has the test
 * vectors). */
#include "segment_layout.h"

#if defined(__x86_64__)
#include <nmmintrin.h>
#include <string.h>

__attribute__((target("sse4.2"))) static uint32_t crc_sse42(uint32_t crc, const uint8_t *p,
                                                            size_t size) {
    uint64_t wide = crc;
    for (; size >= 8; size -= 8, p += 8) {
        uint64_t word;
        memcpy(&word, p, 8);
        wide = _mm_crc32_u64(wide, word);
    }
    crc = (uint32_t)wide;
    for (; size > 0; size--, p++)
        crc = _mm_crc32_u8(crc, *p);
    return crc;
}
#endif

/* Half a byte at a time: heads are a kilobyte, so a table of 64 bytes that stays in the cache will
 * do. */
static uint32_t crc_table(uint32_t crc, const uint8_t *p, size_t size) {
    static const uint32_t nibble[16] = {
        0x00000000, 0x105EC76F, 0x20BD8EDE, 0x30E349B1, 0x417B1DBC, 0x5125DAD3,
        0x61C69362, 0x7198540D, 0x82F63B78, 0x92A8FC17, 0xA24BB5A6, 0xB21572C9,
        0xC38D26C4, 0xD3D3E1AB, 0xE330A81A, 0xF36E6F75,
    };
    for (; size > 0; size--, p++) {
        crc ^= *p;
        crc = nibble[crc & 15U] ^ crc >> 4U;
        crc = nibble[crc & 15U] ^ crc >> 4U;
    }
    return crc;
}

uint32_t vg_crc32c(uint32_t crc, const void *data, size_t size) {
#if defined(__x86_64__)
    if (__builtin_cpu_supports("sse4.2")) return ~crc_sse42(~crc, data, size);
#endif
    return ~crc_table(~crc, data, size);
}

uint32_t vg_crc32c_portable(uint32_t crc, const void *data, size_t size) {
    return ~crc_table(~crc, data, size);
}
