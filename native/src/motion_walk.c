#include "motion_walk.h"

static size_t offset_of_mask(const vg_walk *w) {
    return VG_STRIP_HEAD + w->at;
}

vg_err vg_walk_to(vg_walk *w, uint32_t slots, vg_fault *fault) {
    const vg_strip *s = w->strip;
    if (w->time >= s->times_size)
        return vg_fail(fault, VG_VALUE, offset_of_mask(w), "a strip has a time for each slot");
    uint32_t passed = s->times[w->time++];
    if (passed == LONG_TIME) {
        if (s->times_size - w->time < LONG_TIME_BYTES)
            return vg_fail(fault, VG_VALUE, offset_of_mask(w), "a long time of a strip");
        const uint8_t *p = s->times + w->time;
        passed = (uint32_t)p[0] << 16U | (uint32_t)p[1] << 8U | p[2];
        w->time += LONG_TIME_BYTES;
    }
    w->slot = w->next + passed; /* both far below 2^31 */
    w->mask = s->masks[w->at];
    if (w->slot >= slots)
        return vg_fail(fault, VG_VALUE, offset_of_mask(w), "a slot beyond the strip's range");
    if (w->mask == 0) return vg_fail(fault, VG_VALUE, offset_of_mask(w), "a slot without a row");
    if (s->rows_size - w->row < vg_rows_of_mask[w->mask])
        return vg_fail(fault, VG_VALUE, offset_of_mask(w), "rows behind the end of a strip");
    w->next = w->slot + 1;
    return VG_OK;
}

vg_err vg_walk_ends(const vg_walk *w, vg_fault *fault) {
    if (w->time != w->strip->times_size || w->row != w->strip->rows_size)
        return vg_fail(fault, VG_VALUE, offset_of_mask(w), "a strip ends with its last slot");
    return VG_OK;
}
