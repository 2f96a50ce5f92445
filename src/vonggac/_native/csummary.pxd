"""native/include/vg/motion_summary.h. Declarations only."""

from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t

from vonggac._native.cvg cimport c_bool, vg_err, vg_fault

cdef extern from "vg/motion_summary.h" nogil:
    enum:
        VG_BLOCKS
        VG_SUMMARY_BEHIND

    ctypedef struct vg_blocks:
        pass

    ctypedef struct vg_summary:
        const uint8_t *bytes

    ctypedef struct vg_summary_ask:
        uint64_t cells[40]
        uint16_t at_least
        vg_blocks blocks

    vg_err vg_summary_make(const uint8_t *data, size_t size, uint8_t *bytes, size_t *used,
                           vg_summary *out, vg_fault *fault) noexcept
    void vg_summary_find(const vg_summary *summary, const vg_summary_ask *ask,
                         vg_blocks *found) noexcept
    uint64_t vg_summary_tiles(const vg_summary *summary, const vg_summary_ask *ask) noexcept
    void vg_blocks_add(vg_blocks *blocks, uint32_t start, uint32_t stop) noexcept
    c_bool vg_blocks_next(const vg_blocks *blocks, uint32_t *start, uint32_t *stop) noexcept
