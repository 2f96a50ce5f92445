/* Parameter sets that come one after the other, from a description or in the stream. Holds for any:
 * what is taken is there, what it did not replace is there still, a set that is refused changes
 * nothing, and a table that is loaded from a view of another is equal to it.
 *
 * Input: byte 0 codec; then for each set a byte of its kind, two of its size, and its bytes. */
#include <stdlib.h>
#include <string.h>

#include "../src/sets.h"
#include "bytes.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { SIZE_MAX_HERE = 4096 };

static void check(bool holds) {
    if (!holds) abort();
}

static const uint8_t *set_at(const vg_set_table *t, uint32_t i) {
    check(t->sets[i].offset <= t->used && t->sets[i].size <= t->used - t->sets[i].offset);
    return t->bytes + t->sets[i].offset;
}

static void check_table(const vg_set_table *t) {
    uint32_t sum = 0;
    check(t->count <= VG_SETS_MAX && t->used <= sizeof t->bytes);
    for (uint32_t i = 0; i < t->count; i++) {
        sum += t->sets[i].size;
        check(vg_sets_have(t, (vg_set_kind)t->sets[i].kind, set_at(t, i), t->sets[i].size));
        for (uint32_t k = 0; k < i; k++)
            check(t->sets[i].kind != t->sets[k].kind || t->sets[i].id != t->sets[k].id);
    }
    check(sum == t->used);
}

/* How many sets of `before` are gone. */
static uint32_t count_gone(const vg_set_table *before, const vg_set_table *t, vg_set_kind kind) {
    uint32_t gone = 0;
    for (uint32_t i = 0; i < before->count; i++) {
        const vg_set *set = &before->sets[i];
        if (vg_sets_have(t, (vg_set_kind)set->kind, set_at(before, i), set->size)) continue;
        check(set->kind == kind);
        gone++;
    }
    return gone;
}

static void put(vg_set_table *t, vg_set_kind kind, const uint8_t *bytes, size_t size) {
    static vg_set_table before;
    before = *t;
    vg_fault fault = {0};
    const vg_err err = vg_sets_put(t, kind, bytes, size, &fault);
    check_table(t);
    if (err != VG_OK) {
        check(fault.rule != NULL && vg_sets_equal(&before, t) && vg_sets_equal(t, &before));
        return;
    }
    check(vg_sets_have(t, kind, bytes, size));
    const uint32_t gone = count_gone(&before, t, kind);
    check(gone <= 1 && t->count + gone <= before.count + 1 && t->count >= before.count);
}

static void load_again(const vg_set_table *t) {
    static vg_set_table other;
    vg_sets view;
    vg_sets_view(t, false, &view);
    check((uint32_t)view.vps_count + view.sps_count + view.pps_count == t->count);
    vg_sets_load(&other, &view);
    check_table(&other);
    check(vg_sets_equal(t, &other) && vg_sets_complete(t) == vg_sets_complete(&other));
    vg_sps sps;
    vg_fault fault = {0};
    const vg_err err = vg_sets_sps(t, &sps, &fault);
    check((err == VG_OK) == (view.sps_count > 0));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static vg_set_table table;
    static const vg_codec codecs[] = {VG_CODEC_H264, VG_CODEC_H265, VG_CODEC_MJPEG};
    vg_bytes r = vg_bytes_of(data, size);
    const vg_sets nothing = {.codec = codecs[vg_bytes_u8(&r) % 3U]};
    vg_sets_load(&table, &nothing);
    while (vg_bytes_left(&r) > 3) {
        const uint8_t type = vg_bytes_u8(&r);
        const size_t whole = vg_bytes_u16(&r) % SIZE_MAX_HERE;
        const size_t given = whole < vg_bytes_left(&r) ? whole : vg_bytes_left(&r);
        const vg_set_kind kind = vg_set_kind_of(table.codec, type);
        uint8_t *bytes = calloc(1, whole + 1); /* what the input lacks is zeros */
        check(bytes != NULL);
        if (given > 0) memcpy(bytes, vg_bytes_take(&r, given), given);
        uint8_t *exact = realloc(bytes, whole > 0 ? whole : 1);
        check(exact != NULL);
        if (kind != VG_SET_NONE) put(&table, kind, exact, whole);
        if (table.codec == VG_CODEC_MJPEG) put(&table, VG_SET_SPS, exact, whole);
        free(exact);
    }
    load_again(&table);
    return 0;
}
