"""native/include/vg/arena.h and ingest_loop.h, in their order. Declarations only."""

from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t, uint64_t

from vonggac._native.cvg cimport c_bool, vg_err, vg_fault

cdef extern from "vg/arena.h" nogil:
    enum:
        VG_ARENA_BLOCK
        VG_ARENA_MAGIC
        VG_ARENA_CHUNK_BLOCKS_MAX
        VG_ARENA_BLOCKS_MAX
        VG_BLOCK_FREE
        VG_BLOCK_FILL
        VG_BLOCK_SENT

    const uint32_t VG_NO_BLOCK

    ctypedef struct vg_arena_chunk:
        uint32_t magic
        uint32_t payload_blocks
        uint32_t payload_bytes
        uint32_t head_offset
        uint32_t head_bytes
        uint32_t segment_head_offset
        uint32_t segment_head_bytes
        uint32_t extra_block
        uint8_t entry_sha256[32]
        uint64_t order
        uint64_t keeper
        int64_t wall_end_ns
        uint8_t camera[16]
        uint8_t stream[16]
        uint64_t run
        uint64_t sequence
        uint32_t blocks[192]

    ctypedef struct vg_arena:
        uint8_t *base
        size_t size
        uint32_t blocks
        uint32_t first
        uint32_t hint
        uint32_t used
        uint32_t top
        uint32_t touched
        uint64_t order

    vg_err vg_arena_format(vg_arena *arena, uint8_t *base, size_t size) noexcept
    vg_err vg_arena_attach(vg_arena *arena, uint8_t *base, size_t size) noexcept
    uint32_t vg_arena_recover(vg_arena *arena, uint32_t *headers, uint32_t capacity) noexcept
    uint32_t vg_arena_take(vg_arena *arena) noexcept
    void vg_arena_give(vg_arena *arena, uint32_t block) noexcept
    uint8_t *vg_arena_at(const vg_arena *arena, uint32_t block) noexcept
    uint32_t vg_arena_idle(vg_arena *arena, uint32_t *start) noexcept
    void vg_arena_send(vg_arena *arena, uint32_t header) noexcept
    void vg_arena_durable(vg_arena *arena, uint32_t header) noexcept
    c_bool vg_arena_chunk_copy(const vg_arena *arena, uint32_t header, vg_arena_chunk *out,
                               vg_fault *fault) noexcept

cdef extern from "vg/ingest_loop.h" nogil:
    ctypedef struct vg_loop_config:
        int control_fd
        int arena_fd
        int arena_read_fd
        uint16_t number
        uint32_t incarnation
        uint64_t flood_bytes_per_second
        uint32_t calm_s
        int crash_page_fd

    int vg_ingest_loop(const vg_loop_config *config) noexcept
