/* Shared memory between a loop and keepers: a memfd of 64 KiB blocks, written by one loop, mapped
 * read-only by keepers, made by the parent and outliving both.
 *
 * A block is FREE -> FILL (a chunk grows here) -> SENT (handed over) -> DURABLE -> FREE. A chunk is
 * a header block and payload blocks. The header block alone describes it (vg_arena_chunk, then the
 * head from vg_chunk_head_write, then ftyp+moov), so that a new loop or keeper finds everything
 * that is SENT without being told. States live in the arena's first blocks and are atomics: what a
 * killed loop was filling is freed by its successor. */
#ifndef VG_ARENA_H
#define VG_ARENA_H

#include "vg/segment.h"

enum {
    VG_ARENA_BLOCK = 64 * 1024,
    VG_ARENA_MAGIC = 0x56474152, /* "VGAR" */
    VG_ARENA_VERSION = 1,
    VG_ARENA_CHUNK_BLOCKS_MAX = 192, /* 8 MiB of access unit behind 4 MiB of chunk */
    VG_ARENA_BLOCKS_MAX = 1 << 16,   /* 4 GiB */
};
#define VG_NO_BLOCK UINT32_MAX

typedef enum vg_block_state {
    VG_BLOCK_FREE,
    VG_BLOCK_FILL,
    VG_BLOCK_SENT,
    VG_BLOCK_DURABLE
} vg_block_state;

/* At the start of a chunk's header block. Native byte order: it never leaves the machine. */
typedef struct vg_arena_chunk {
    uint32_t magic;                   /* VG_ARENA_MAGIC, written last */
    uint32_t payload_blocks;          /* count; their indices below, in order */
    uint32_t payload_bytes;           /* in all but the last block VG_ARENA_BLOCK each */
    uint32_t head_offset, head_bytes; /* from vg_chunk_head_write, in this block */
    /* ftyp+moov, a multiple of VG_BLOCK; may lie in `extra_block` */
    uint32_t segment_head_offset, segment_head_bytes;
    /* VG_NO_BLOCK, or the block that holds the segment head where it does not fit here */
    uint32_t extra_block;
    uint8_t entry_sha256[VG_SHA256_SIZE]; /* of ftyp+moov: another one is another segment */
    uint64_t order;      /* counts chunks of this arena: the order of handing over */
    uint64_t keeper;     /* the slot it was handed to */
    int64_t wall_end_ns; /* the start of what follows, as far as known when it was closed */
    uint8_t camera[VG_ID_SIZE], stream[VG_ID_SIZE];
    uint64_t run, sequence;
    uint32_t blocks[VG_ARENA_CHUNK_BLOCKS_MAX];
} vg_arena_chunk;

typedef struct vg_arena {
    uint8_t *base; /* the mapping */
    size_t size;
    uint32_t blocks;  /* in all, the ones of the state table included */
    uint32_t first;   /* the first usable one */
    uint32_t hint;    /* where to look next: low blocks first, so that few pages are ever touched */
    uint32_t used;    /* FILL and SENT */
    uint32_t top;     /* behind the highest block taken since the last vg_arena_idle */
    uint32_t touched; /* behind the highest block that may cost memory */
    bool is_closed;   /* set by the owner: whoever asks now gets no block, as if it were full */
    uint64_t order;
} vg_arena;

/* Formats a fresh memfd's mapping; attach reads an existing one (VG_VALUE: not an arena). The
 * caller maps. */
vg_err vg_arena_format(vg_arena *arena, uint8_t *base, size_t size);
vg_err vg_arena_attach(vg_arena *arena, uint8_t *base, size_t size);
/* After attach by a new loop: frees FILL and DURABLE blocks; gives the SENT headers in order.
 * Returns their count. */
uint32_t vg_arena_recover(vg_arena *arena, uint32_t *headers, uint32_t capacity);

/* a FREE block, now FILL; VG_NO_BLOCK when there is none or the arena is closed */
uint32_t vg_arena_take(vg_arena *arena);
void vg_arena_give(vg_arena *arena, uint32_t block); /* FILL -> FREE */
uint8_t *vg_arena_at(const vg_arena *arena, uint32_t block);
/* The blocks at the end that cost memory and were not used since the last call: `*from`, and how
 * many. They count as untouched from then on, so the caller gives their memory back (what they hold
 * is nobody's). 0 where it is not worth the call. */
uint32_t vg_arena_idle(vg_arena *arena, uint32_t *from);
/* all blocks of a chunk FILL -> SENT, the header last */
void vg_arena_send(vg_arena *arena, uint32_t header);
/* SENT -> FREE (by way of DURABLE), the header first */
void vg_arena_durable(vg_arena *arena, uint32_t header);
/* For readers (keepers): the chunk at `header` with every index and length checked against the
 * mapping; NULL if it is not a SENT chunk that holds together. A hostile or dying loop cannot make
 * a reader overrun. */
const vg_arena_chunk *vg_arena_chunk_at(const vg_arena *arena, uint32_t header, vg_fault *fault);
/* The same, checked and given as a copy: what a reader of somebody else's memory works with, since
 * the original may change between a check and a use. */
bool vg_arena_chunk_copy(const vg_arena *arena, uint32_t header, vg_arena_chunk *out,
                         vg_fault *fault);
/* The headers that are SENT, in the order of handing over. Returns their count, at most `capacity`.
 */
uint32_t vg_arena_sent(const vg_arena *arena, uint32_t *headers, uint32_t capacity);

#endif
