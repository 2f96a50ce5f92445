/* The loop's arena: taken over from a predecessor, and given back to the system where it lies idle.
 * Blocks are taken from the low end, so what a busy minute needed lies at the high end afterwards.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "loop.h"

bool arena_open(loop *l) {
    struct stat st;
    if (fstat(l->config.arena_fd, &st) != 0) return false;
    const size_t size = (size_t)st.st_size;
    void *base = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, l->config.arena_fd, 0);
    if (base == MAP_FAILED) return false;
    if (vg_arena_attach(&l->arena, base, size) != VG_OK) {
        errno = EINVAL;
        return false;
    }
    l->handed = calloc(l->arena.blocks, sizeof *l->handed);
    l->sent = calloc(l->arena.blocks, sizeof *l->sent);
    if (l->handed == NULL || l->sent == NULL) return false;
    /* What a killed predecessor was filling is free; what it handed over waits for its keeper. */
    const uint32_t count = vg_arena_recover(&l->arena, l->sent, l->arena.blocks);
    for (uint32_t i = 0; i < count; i++)
        keeper_inherit(l, l->sent[i]);
    return true;
}

void arena_close(loop *l) {
    if (l->arena.base != NULL) (void)munmap(l->arena.base, l->arena.size);
    free(l->handed);
    free(l->sent);
}

void arena_tick(loop *l, uint64_t second) {
    if (second % l->config.calm_s != l->config.number % l->config.calm_s) return;
    uint32_t from;
    const uint32_t count = vg_arena_idle(&l->arena, &from);
    if (count == 0) return;
    /* A hole in the memfd: its seals forbid another size, not that. */
    if (madvise(vg_arena_at(&l->arena, from), (size_t)count * VG_ARENA_BLOCK, MADV_REMOVE) != 0)
        (void)fprintf(stderr, "<4>loop %u: idle memory cannot be given back: %s\n",
                      (unsigned)l->config.number, strerror(errno));
}
