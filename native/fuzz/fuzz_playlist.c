/* Holds for any fragments, here the bytes themselves: stretches follow each other and cover them
 * all, text fits into the room that is promised, durations add up, and the map has as long a time
 * as the list. */
#include <stdlib.h>
#include <string.h>

#include "vg/playlist.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { FRAGMENTS = 64, URI = 9 };

static void check(bool holds) {
    if (!holds) abort();
}

/* The bytes of a struct are any numbers, but a bool would be none; there is none in it. */
static uint32_t take(const uint8_t *data, size_t size, vg_fragment *out) {
    const size_t whole = size / sizeof *out;
    const uint32_t count = (uint32_t)(whole < FRAGMENTS ? whole : FRAGMENTS);
    if (count > 0) memcpy(out, data, count * sizeof *out);
    for (uint32_t i = 0; i < count; i++)
        out[i].duration %= UINT64_C(1) << 50; /* of 65,535 rows at the most */
    return count;
}

static uint64_t write_all(const vg_fragment *fragments, uint32_t count, vg_list_kind kind) {
    static uint8_t text[FRAGMENTS * (VG_LIST_ENTRY_MAX + URI)];
    vg_list list = {0};
    size_t used = 0;
    for (uint32_t at = 0; at < count;) {
        const uint32_t length = vg_fragments_stretch(fragments + at, count - at);
        check(length >= 1 && length <= count - at);
        size_t written = 0;
        check(vg_list_write(&list, kind, at == 0, fragments + at, length, "S-0.0.mp4", URI,
                            text + used, length * (size_t)(VG_LIST_ENTRY_MAX + URI),
                            &written) == VG_OK);
        used += written;
        at += length;
    }
    check(count == 0 || text[used - 1] == '\n');
    check(list.steps == (list.ticks * 10 + 4) / 9 && list.longest <= list.steps);
    uint8_t little[8];
    size_t written = 0;
    vg_list other = {0};
    if (count > 0)
        check(vg_list_write(&other, kind, true, fragments, count, "S", 1, little, sizeof little,
                            &written) == VG_LIMIT &&
              written <= sizeof little);
    return list.ticks;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static vg_fragment fragments[FRAGMENTS];
    static vg_map_piece pieces[FRAGMENTS];
    const uint32_t count = take(data, size, fragments);
    const uint64_t ticks = write_all(fragments, count, VG_LIST_RANGES);
    check(write_all(fragments, count, VG_LIST_KEYS) == ticks);
    check(write_all(fragments, count, VG_LIST_FILES) == ticks);
    uint32_t found = 0;
    check(vg_map_add(false, fragments, count, pieces, FRAGMENTS, &found) == VG_OK);
    check(found <= count && (found == 0) == (count == 0));
    for (uint32_t i = 1; i < found; i++)
        check(pieces[i].start_ticks == pieces[i - 1].end_ticks);
    check(found == 0 || pieces[found - 1].end_ticks == ticks);
    return 0;
}
