/* For clang-tidy alone, as stdatomic.h beside it: the two instructions that crc32c.c uses. */
#ifndef VG_TIDY_NMMINTRIN_H
#define VG_TIDY_NMMINTRIN_H

#define _mm_crc32_u8(crc, byte) __builtin_ia32_crc32qi(crc, byte)
#define _mm_crc32_u64(crc, word) __builtin_ia32_crc32di(crc, word)

#endif
