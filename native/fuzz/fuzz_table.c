/* Holds for any bytes: a table that is accepted is the one that writing its rows again gives. */
#include <stdlib.h>
#include <string.h>

#include "vg/segment.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { SEGMENT_BYTES = 16 << 20, ROWS = 64 };

static void check(bool holds) {
    if (!holds) abort();
}

static void round_trip(const uint8_t *data, size_t size) {
    vg_row rows[ROWS];
    uint32_t count = 0;
    while (count < ROWS && size >= VG_ENTRY_SIZE) {
        vg_entry_read(data, &rows[count++]);
        data += VG_ENTRY_SIZE;
        size -= VG_ENTRY_SIZE;
    }
    const size_t bytes = vg_table_bytes(count);
    uint8_t *table = malloc(bytes);
    check(table != NULL);
    check(vg_table_write(rows, count, SEGMENT_BYTES, table, bytes) == VG_OK);
    vg_row again[ROWS];
    uint32_t found = 0;
    vg_fault fault = {0};
    check(vg_table_read(table, bytes, SEGMENT_BYTES, again, ROWS, &found, &fault) == VG_OK);
    check(found == count);
    for (uint32_t i = 0; i < count; i++) {
        uint8_t one[VG_ENTRY_SIZE];
        uint8_t other[VG_ENTRY_SIZE];
        vg_entry_write(&rows[i], one);
        vg_entry_write(&again[i], other);
        check(memcmp(one, other, sizeof one) == 0);
    }
    free(table);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    vg_row rows[ROWS];
    uint32_t count = 0;
    vg_fault fault = {0};
    const vg_err err = vg_table_read(data, size, SEGMENT_BYTES, rows, ROWS, &count, &fault);
    if (err == VG_OK) check(count <= ROWS && vg_table_bytes(count) <= size);
    if (err == VG_MORE) check(count == 0 || vg_table_bytes(count) > size);
    if (err != VG_OK && err != VG_MORE) check(fault.rule != NULL && fault.offset <= size);
    round_trip(data, size);
    return 0;
}
