/* The block states are one byte each behind the header; the low bits are vg_block_state. Nobody but
 * the one loop that owns the arena writes any of it; release and acquire order what readers see. */
#include <assert.h>
#include <string.h>

#include "bytes.h"
#include "vg/arena.h"

enum {
    STATE_MASK = 0x0F,
    /* Marks the header block of a chunk: what a camera sends must never be taken for a header. */
    IS_HEADER = 0x40,
    IDLE_MIN = 16, /* blocks, 1 MiB: less is not worth a system call and its faults */
};

typedef struct head {
    uint32_t magic; /* written last */
    uint32_t version, blocks, first;
    uint8_t reserved[48];
    uint8_t
        states[]; /* atomic: of the compiler's own, which clang-tidy reads with gcc's headers too */
} head;

static_assert(sizeof(head) == 64, "the layout is shared between processes");

static head *head_of(const vg_arena *arena) {
    return (head *)(void *)arena->base;
}

static uint8_t state_of(const vg_arena *arena, uint32_t block) {
    return __atomic_load_n(&head_of(arena)->states[block], __ATOMIC_ACQUIRE);
}

static void set_state(vg_arena *arena, uint32_t block, uint8_t state) {
    __atomic_store_n(&head_of(arena)->states[block], state, __ATOMIC_RELEASE);
}

/* Blocks that header and states take. */
static uint32_t table_blocks(uint32_t blocks) {
    return (uint32_t)((sizeof(head) + blocks + VG_ARENA_BLOCK - 1) / VG_ARENA_BLOCK);
}

static uint32_t blocks_of(size_t size) {
    const size_t blocks = size / VG_ARENA_BLOCK;
    return blocks > VG_ARENA_BLOCKS_MAX ? VG_ARENA_BLOCKS_MAX : (uint32_t)blocks;
}

vg_err vg_arena_format(vg_arena *arena, uint8_t *base, size_t size) {
    assert(arena != NULL && base != NULL);
    const uint32_t blocks = blocks_of(size);
    const uint32_t first = table_blocks(blocks);
    if (blocks <= first) return VG_VALUE;
    head *h = (head *)(void *)base;
    h->version = VG_ARENA_VERSION;
    h->blocks = blocks;
    h->first = first;
    memset(h->reserved, 0, sizeof h->reserved);
    for (uint32_t i = 0; i < blocks; i++)
        __atomic_store_n(&h->states[i], (uint8_t)VG_BLOCK_FREE, __ATOMIC_RELAXED);
    __atomic_store_n(&h->magic, (uint32_t)VG_ARENA_MAGIC, __ATOMIC_RELEASE);
    return vg_arena_attach(arena, base, size);
}

vg_err vg_arena_attach(vg_arena *arena, uint8_t *base, size_t size) {
    assert(arena != NULL && base != NULL);
    if (size < VG_ARENA_BLOCK) return VG_VALUE;
    head *h = (head *)(void *)base;
    if (__atomic_load_n(&h->magic, __ATOMIC_ACQUIRE) != VG_ARENA_MAGIC) return VG_VALUE;
    const uint32_t blocks = h->blocks;
    const uint32_t first = h->first;
    if (h->version != VG_ARENA_VERSION || blocks != blocks_of(size)) return VG_VALUE;
    if (first != table_blocks(blocks) || first >= blocks) return VG_VALUE;
    *arena = (vg_arena){
        .base = base,
        .size = size,
        .blocks = blocks,
        .first = first,
        .hint = first,
        .top = first,
        .touched = blocks, /* nobody knows what a predecessor wrote to */
    };
    return VG_OK;
}

uint8_t *vg_arena_at(const vg_arena *arena, uint32_t block) {
    assert(block < arena->blocks);
    return arena->base + (size_t)block * VG_ARENA_BLOCK;
}

uint32_t vg_arena_take(vg_arena *arena) {
    if (arena->is_closed) return VG_NO_BLOCK;
    for (uint32_t block = arena->hint; block < arena->blocks; block++) {
        if (state_of(arena, block) != VG_BLOCK_FREE) continue;
        set_state(arena, block, VG_BLOCK_FILL);
        arena->hint = block + 1;
        arena->used++;
        if (block >= arena->top) arena->top = block + 1;
        if (block >= arena->touched) arena->touched = block + 1;
        return block;
    }
    arena->hint = arena->blocks;
    return VG_NO_BLOCK;
}

static void make_free(vg_arena *arena, uint32_t block) {
    assert(arena->used > 0);
    set_state(arena, block, VG_BLOCK_FREE);
    arena->used--;
    if (block < arena->hint) arena->hint = block;
}

void vg_arena_give(vg_arena *arena, uint32_t block) {
    assert(block >= arena->first && block < arena->blocks);
    assert(state_of(arena, block) == VG_BLOCK_FILL);
    make_free(arena, block);
}

uint32_t vg_arena_idle(vg_arena *arena, uint32_t *from) {
    assert(arena != NULL && from != NULL);
    uint32_t held = arena->touched; /* behind what is used now: it may have been taken long ago */
    while (held > arena->first && state_of(arena, held - 1) == VG_BLOCK_FREE)
        held--;
    *from = arena->top > held ? arena->top : held;
    arena->top = held;
    const uint32_t count = arena->touched - *from;
    if (count < IDLE_MIN) return 0;
    arena->touched = *from;
    return count;
}

static vg_arena_chunk *chunk_of(const vg_arena *arena, uint32_t header) {
    return (vg_arena_chunk *)(void *)vg_arena_at(arena, header);
}

void vg_arena_send(vg_arena *arena, uint32_t header) {
    assert(header >= arena->first && header < arena->blocks);
    assert(state_of(arena, header) == VG_BLOCK_FILL);
    vg_arena_chunk *chunk = chunk_of(arena, header);
    assert(chunk->payload_blocks <= VG_ARENA_CHUNK_BLOCKS_MAX);
    for (uint32_t i = 0; i < chunk->payload_blocks; i++)
        set_state(arena, chunk->blocks[i], VG_BLOCK_SENT);
    if (chunk->extra_block != VG_NO_BLOCK) set_state(arena, chunk->extra_block, VG_BLOCK_SENT);
    chunk->order = arena->order++;
    chunk->magic = VG_ARENA_MAGIC;
    set_state(arena, header, VG_BLOCK_SENT | IS_HEADER);
}

void vg_arena_durable(vg_arena *arena, uint32_t header) {
    assert(header >= arena->first && header < arena->blocks);
    assert(state_of(arena, header) == (VG_BLOCK_SENT | IS_HEADER));
    vg_arena_chunk *chunk = chunk_of(arena, header);
    /* Header first: whoever dies between the lines leaves blocks that no header claims, and
     * vg_arena_recover frees those. */
    set_state(arena, header, VG_BLOCK_DURABLE);
    for (uint32_t i = 0; i < chunk->payload_blocks; i++)
        make_free(arena, chunk->blocks[i]);
    if (chunk->extra_block != VG_NO_BLOCK) make_free(arena, chunk->extra_block);
    chunk->magic = 0;
    make_free(arena, header);
}

/* Whether `block` may belong to a chunk that is handed over. */
static bool is_sent_payload(const vg_arena *arena, uint32_t block) {
    return block >= arena->first && block < arena->blocks &&
           state_of(arena, block) == VG_BLOCK_SENT;
}

static bool lies_in_block(uint32_t offset, uint32_t bytes) {
    return offset <= VG_ARENA_BLOCK && bytes <= VG_ARENA_BLOCK - offset;
}

static const char *broken_rule(const vg_arena *arena, const vg_arena_chunk *c) {
    if (c->magic != VG_ARENA_MAGIC) return "arena chunk: magic";
    if (c->payload_blocks > VG_ARENA_CHUNK_BLOCKS_MAX)
        return "arena chunk: VG_ARENA_CHUNK_BLOCKS_MAX";
    if (c->payload_bytes > (uint64_t)c->payload_blocks * VG_ARENA_BLOCK)
        return "arena chunk: payload";
    if (c->payload_blocks > 0 &&
        c->payload_bytes <= (uint64_t)(c->payload_blocks - 1) * VG_ARENA_BLOCK)
        return "arena chunk: payload";
    if (c->head_offset < sizeof *c || !lies_in_block(c->head_offset, c->head_bytes))
        return "arena chunk: head";
    if (!lies_in_block(c->segment_head_offset, c->segment_head_bytes))
        return "arena chunk: segment head";
    if (c->extra_block != VG_NO_BLOCK && !is_sent_payload(arena, c->extra_block))
        return "arena chunk: extra block";
    for (uint32_t i = 0; i < c->payload_blocks; i++)
        if (!is_sent_payload(arena, c->blocks[i])) return "arena chunk: block";
    return NULL;
}

bool vg_arena_chunk_copy(const vg_arena *arena, uint32_t header, vg_arena_chunk *out,
                         vg_fault *fault) {
    assert(out != NULL && fault != NULL);
    const char *rule = "arena chunk: header block";
    if (header >= arena->first && header < arena->blocks &&
        state_of(arena, header) == (VG_BLOCK_SENT | IS_HEADER)) {
        memcpy(out, vg_arena_at(arena, header), sizeof *out);
        rule = broken_rule(arena, out);
    }
    if (rule == NULL) return true;
    (void)vg_fail(fault, VG_VALUE, (size_t)header * VG_ARENA_BLOCK, rule);
    return false;
}

const vg_arena_chunk *vg_arena_chunk_at(const vg_arena *arena, uint32_t header, vg_fault *fault) {
    vg_arena_chunk copy;
    if (!vg_arena_chunk_copy(arena, header, &copy, fault)) return NULL;
    return chunk_of(arena, header);
}

static void insert_by_order(const vg_arena *arena, uint32_t *headers, uint32_t count,
                            uint32_t header) {
    const uint64_t order = chunk_of(arena, header)->order;
    uint32_t at = count;
    while (at > 0 && chunk_of(arena, headers[at - 1])->order > order) {
        headers[at] = headers[at - 1];
        at--;
    }
    headers[at] = header;
}

uint32_t vg_arena_sent(const vg_arena *arena, uint32_t *headers, uint32_t capacity) {
    uint32_t count = 0;
    vg_arena_chunk copy;
    vg_fault fault;
    for (uint32_t block = arena->first; block < arena->blocks && count < capacity; block++)
        if ((state_of(arena, block) & IS_HEADER) != 0 &&
            vg_arena_chunk_copy(arena, block, &copy, &fault))
            insert_by_order(arena, headers, count++, block);
    return count;
}

/* DURABLE marks what is claimed while an arena is recovered. */
enum { CLAIMED = VG_BLOCK_DURABLE | IS_HEADER };

/* False: a block has an owner already. What was claimed till then is nobody's. */
static bool claim(vg_arena *arena, uint32_t header) {
    const vg_arena_chunk *chunk = chunk_of(arena, header);
    for (uint32_t k = 0; k <= chunk->payload_blocks; k++) {
        const uint32_t block = k < chunk->payload_blocks ? chunk->blocks[k] : chunk->extra_block;
        if (block == VG_NO_BLOCK) continue;
        if (state_of(arena, block) != CLAIMED) {
            set_state(arena, block, CLAIMED);
            continue;
        }
        while (k > 0)
            set_state(arena, chunk->blocks[--k], VG_BLOCK_SENT);
        return false;
    }
    set_state(arena, header, CLAIMED);
    return true;
}

uint32_t vg_arena_recover(vg_arena *arena, uint32_t *headers, uint32_t capacity) {
    const uint32_t found = vg_arena_sent(arena, headers, capacity);
    /* What no whole chunk claims is free; what two claim would be freed twice, and end every
     * successor in turn. */
    uint32_t count = 0;
    arena->used = 0;
    arena->order = 0;
    for (uint32_t i = 0; i < found; i++) {
        if (!claim(arena, headers[i])) continue;
        arena->order = chunk_of(arena, headers[i])->order + 1;
        headers[count++] = headers[i];
    }
    for (uint32_t block = arena->first; block < arena->blocks; block++) {
        const bool is_claimed = state_of(arena, block) == CLAIMED;
        set_state(arena, block, is_claimed ? VG_BLOCK_SENT : VG_BLOCK_FREE);
        if (is_claimed) arena->used++;
    }
    for (uint32_t i = 0; i < count; i++)
        set_state(arena, headers[i], VG_BLOCK_SENT | IS_HEADER);
    arena->hint = arena->first;
    return count;
}
