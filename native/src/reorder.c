#include <assert.h>
#include <stddef.h>

#include "vg/timeline.h"

void vg_reorder_init(vg_reorder *r, int depth) {
    assert(r != NULL && depth >= -1);
    *r = (vg_reorder){.learns = depth < 0};
    if (depth > VG_REORDER_MAX) depth = VG_REORDER_MAX;
    if (depth > 0) r->depth = (uint8_t)depth;
}

/* How many pictures decoded before this one are shown after it. */
static uint8_t later_ones(const vg_reorder *r, int64_t presentation) {
    uint8_t count = 0;
    for (uint8_t i = 0; i < r->recent_count; i++)
        if (r->recent[i] > presentation) count++;
    return count;
}

static void remember(vg_reorder *r, int64_t presentation) {
    if (r->recent_count < VG_REORDER_MAX) {
        r->recent[r->recent_count++] = presentation;
        return;
    }
    for (size_t i = 1; i < VG_REORDER_MAX; i++)
        r->recent[i - 1] = r->recent[i];
    r->recent[VG_REORDER_MAX - 1] = presentation;
}

void vg_reorder_push(vg_reorder *r, int64_t presentation) {
    assert(r != NULL && r->count <= VG_REORDER_MAX);
    if (r->learns) {
        const uint8_t needed = later_ones(r, presentation);
        if (needed > r->depth && needed <= VG_REORDER_LEARNT_MAX) r->depth = needed;
        remember(r, presentation);
    }
    uint8_t at = r->count++;
    while (at > 0 && r->pending[at - 1] > presentation) {
        r->pending[at] = r->pending[at - 1];
        at--;
    }
    r->pending[at] = presentation;
}

bool vg_reorder_pull(vg_reorder *r, bool flush, int64_t *decode) {
    assert(r != NULL && decode != NULL);
    if (r->count == 0 || (!flush && r->count <= r->depth)) return false;
    int64_t next = r->pending[0];
    for (uint8_t i = 1; i < r->count; i++)
        r->pending[i - 1] = r->pending[i];
    r->count--;
    /* Before the run's start or not after the one before it: a camera lies, or leading pictures of
     * the first sync sample; one tick repairs it. */
    const int64_t least = r->started ? r->last_decode + 1 : 0;
    if (next < least) next = least;
    r->started = true;
    r->last_decode = next;
    *decode = next;
    return true;
}
