/* For clang-tidy only, in front of gcc's own, which clang does not understand. */
#ifndef VG_TIDY_EMMINTRIN_H
#define VG_TIDY_EMMINTRIN_H

typedef long long __m128i __attribute__((vector_size(16)));

__m128i _mm_loadu_si128(const __m128i *p);
__m128i _mm_set1_epi16(short value);
__m128i _mm_setzero_si128(void);
__m128i _mm_subs_epu16(__m128i a, __m128i b);
__m128i _mm_cmpeq_epi16(__m128i a, __m128i b);
__m128i _mm_packs_epi16(__m128i a, __m128i b);
int _mm_movemask_epi8(__m128i a);

#endif
