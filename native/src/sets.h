/* The parameter sets of a stream by kind and id, whole and without start code; used by the chunker
 * alone. */
#ifndef VG_SRC_SETS_H
#define VG_SRC_SETS_H

#include "vg/segment.h"

typedef enum vg_set_kind { VG_SET_VPS, VG_SET_SPS, VG_SET_PPS, VG_SET_NONE } vg_set_kind;

enum { VG_SETS_MAX = 4 + 4 + 8 };

typedef struct vg_set {
    uint8_t kind;
    uint8_t id;
    uint16_t size;
    uint32_t offset;
} vg_set;

typedef struct vg_set_table {
    vg_codec codec;
    uint32_t count, used;
    vg_set sets[VG_SETS_MAX];
    uint8_t bytes[VG_HEAD_MAX];
} vg_set_table;

vg_set_kind vg_set_kind_of(vg_codec codec, uint8_t nal_type);
/* Whether exactly this set is in the table. */
bool vg_sets_have(const vg_set_table *t, vg_set_kind kind, const uint8_t *nal, size_t size);
/* Takes the place of the set with the same id. VG_OK also when it was there already; VG_LIMIT
 * without room for it; else what is wrong with the set. */
vg_err vg_sets_put(vg_set_table *t, vg_set_kind kind, const uint8_t *nal, size_t size,
                   vg_fault *fault);
/* Every set of `from`; those that cannot be used are left out. */
void vg_sets_load(vg_set_table *t, const vg_sets *from);
/* `out` points into `t`. */
void vg_sets_view(const vg_set_table *t, bool inband, vg_sets *out);
/* Whether the two hold the same sets, in whatever order. */
bool vg_sets_equal(const vg_set_table *a, const vg_set_table *b);
/* At least one of each kind that the codec needs. */
bool vg_sets_complete(const vg_set_table *t);
/* Of the first SPS. */
vg_err vg_sets_sps(const vg_set_table *t, vg_sps *out, vg_fault *fault);

#endif
