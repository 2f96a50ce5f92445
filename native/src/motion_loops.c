#include <string.h>

#include "motion_grid.h"

typedef uint8_t vg_bytes16 __attribute__((vector_size(16)));
typedef uint8_t vg_bytes32 __attribute__((vector_size(32)));
typedef uint16_t vg_sums __attribute__((vector_size(32))); /* of 16 columns */

#define TARGET
#define NAMED(name) name##_plain
#define VECTOR vg_bytes16
#include "motion_loops_body.h"

const vg_motion_loops *vg_motion_loops_plain(void) {
    return &loops_plain;
}

#if defined(__x86_64__)
#define TARGET __attribute__((target("avx2")))
#define NAMED(name) name##_avx2
#define VECTOR vg_bytes32
#include "motion_loops_body.h"

const vg_motion_loops *vg_motion_loops_best(void) {
    return __builtin_cpu_supports("avx2") ? &loops_avx2 : &loops_plain;
}
#else
const vg_motion_loops *vg_motion_loops_best(void) {
    return &loops_plain;
}
#endif
