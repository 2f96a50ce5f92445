"""native/include/vg/motion_tiles.h, and what is used of zstd.h. Declarations only."""

from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t

from vonggac._native.cvg cimport c_bool, vg_err, vg_fault

cdef extern from "vg/motion_tiles.h" nogil:
    enum:
        VG_TILES
        VG_CELL_BYTES
        VG_SLOTS_MAX
        VG_STRIP_HEAD
        VG_STRIP_SLOT_MAX
        VG_SLOT_TIER
        VG_SLOT_GLOBAL

    ctypedef struct vg_strip:
        uint32_t count

    ctypedef struct vg_set:
        const uint8_t *data
        size_t size
        size_t offset
        uint32_t next_tile

    ctypedef struct vg_episode:
        uint32_t start "from"
        uint32_t to
        uint32_t strongest
        uint16_t cells
        uint8_t tier
        c_bool is_global

    ctypedef struct vg_slot_range:
        uint32_t start "from"
        uint32_t to

    vg_err vg_strip_read(const uint8_t *data, size_t size, vg_strip *out, size_t *consumed,
                         vg_fault *fault) noexcept
    vg_err vg_strip_join(const uint8_t *head, size_t head_size, const uint8_t *rows,
                         size_t rows_size, vg_strip *out, vg_fault *fault) noexcept
    vg_err vg_strip_count(const vg_strip *strip, uint64_t cells, uint16_t *counts, uint32_t slots,
                          c_bool *any, vg_fault *fault) noexcept
    vg_err vg_strip_spread(const vg_strip *strip, uint64_t *words, uint32_t slots,
                           vg_fault *fault) noexcept
    size_t vg_strip_write(const uint64_t *words, uint32_t slots, uint8_t *out,
                          size_t capacity) noexcept
    uint32_t vg_words_used(const uint64_t *words, uint32_t slots) noexcept
    vg_err vg_set_next(vg_set *set, uint32_t *tile, vg_strip *strip, vg_fault *fault) noexcept
    void vg_words_heat(const uint64_t *words, uint32_t slots, uint32_t *heat) noexcept
    uint64_t vg_tile_of(const uint8_t *cells, uint32_t tile) noexcept
    void vg_tile_put(uint64_t word, uint32_t tile, uint8_t *cells) noexcept
    void vg_hits(const uint16_t *counts, uint32_t slots, uint16_t at_least,
                 uint64_t *hits) noexcept
    c_bool vg_episode_next(const uint64_t *hits, const uint16_t *counts, const uint8_t *codes,
                           vg_slot_range *range, uint32_t gap, vg_episode *out) noexcept

cdef extern from "vg/segment.h" nogil:
    uint32_t vg_crc32c(uint32_t crc, const void *data, size_t size) noexcept

cdef extern from "zstd.h" nogil:
    ctypedef struct ZSTD_DCtx:
        pass

    ZSTD_DCtx *ZSTD_createDCtx() noexcept
    size_t ZSTD_freeDCtx(ZSTD_DCtx *context) noexcept
    size_t ZSTD_decompressDCtx(ZSTD_DCtx *context, void *out, size_t capacity, const void *data,
                               size_t size) noexcept
    size_t ZSTD_compress(void *out, size_t capacity, const void *data, size_t size,
                         int level) noexcept
    size_t ZSTD_compressBound(size_t size) noexcept
    unsigned ZSTD_isError(size_t code) noexcept
