/* Holds for any shared memory: what a reader is given lies inside the mapping, and a successor's
 * recovery ends with as many blocks in use as whole chunks claim. */
#include <stdlib.h>
#include <string.h>

#include "vg/arena.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { BLOCKS = 6, STATES = 64 /* where the state table starts */ };

static void check(bool holds) {
    if (!holds) abort();
}

static void check_chunk(const vg_arena *arena, const vg_arena_chunk *c) {
    check(c->payload_blocks <= VG_ARENA_CHUNK_BLOCKS_MAX);
    check(c->payload_bytes <= (uint64_t)c->payload_blocks * VG_ARENA_BLOCK);
    check((uint64_t)c->head_offset + c->head_bytes <= VG_ARENA_BLOCK);
    check((uint64_t)c->segment_head_offset + c->segment_head_bytes <= VG_ARENA_BLOCK);
    check(c->extra_block == VG_NO_BLOCK || c->extra_block < arena->blocks);
    for (uint32_t i = 0; i < c->payload_blocks; i++)
        check(c->blocks[i] >= arena->first && c->blocks[i] < arena->blocks);
}

/* The input: 8 bytes for the head, a state for each block, then the starts of the blocks in turn.
 */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static uint8_t memory[(size_t)BLOCKS * VG_ARENA_BLOCK];
    static size_t written; /* at the start of each block, by the input before */
    for (size_t i = 1; i < BLOCKS; i++)
        memset(memory + i * VG_ARENA_BLOCK, 0, written);
    memset(memory, 0, STATES + BLOCKS);
    written = 0;
    vg_arena arena;
    check(vg_arena_format(&arena, memory, (size_t)BLOCKS * VG_ARENA_BLOCK) == VG_OK);
    if (size >= 8 + BLOCKS) {
        if (data[0] == 0xFF) memcpy(memory, data, 8);
        memcpy(memory + STATES, data + 8, BLOCKS);
        const size_t share = (size - 8 - BLOCKS) / (BLOCKS - 1);
        written = share < VG_ARENA_BLOCK ? share : VG_ARENA_BLOCK;
        for (size_t i = 1; i < BLOCKS; i++)
            memcpy(memory + i * VG_ARENA_BLOCK, data + 8 + BLOCKS + (i - 1) * share, written);
    }
    if (vg_arena_attach(&arena, memory, (size_t)BLOCKS * VG_ARENA_BLOCK) == VG_OK) {
        vg_arena_chunk copy;
        vg_fault fault = {0};
        for (uint32_t header = 0; header <= BLOCKS; header++)
            if (vg_arena_chunk_copy(&arena, header, &copy, &fault)) check_chunk(&arena, &copy);
        uint32_t headers[BLOCKS];
        const uint32_t count = vg_arena_recover(&arena, headers, BLOCKS);
        check(arena.used <= arena.blocks - arena.first);
        check(vg_arena_sent(&arena, headers, BLOCKS) == count);
        uint32_t idle_from = 0;
        const uint32_t idle = vg_arena_idle(&arena, &idle_from);
        check(idle_from >= arena.first && idle_from <= arena.blocks - idle);
        uint32_t taken = 0;
        while (vg_arena_take(&arena) != VG_NO_BLOCK)
            taken++;
        check(arena.used == arena.blocks - arena.first && taken <= arena.used);
    }
    return 0;
}
