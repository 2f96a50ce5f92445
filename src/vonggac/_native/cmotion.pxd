"""native/include/vg/motion.h, and its loops for every processor. Declarations only."""

from libc.stdint cimport int64_t, uint8_t, uint32_t

from vonggac._native.cvg cimport c_bool, vg_err, vg_fault

cdef extern from "motion_grid.h" nogil:
    enum:
        VG_MOTION_FINE
        VG_MOTION_CELL_BYTES
        VG_MOTION_SLOTS_MAX

    ctypedef struct vg_luma:
        const uint8_t *bytes
        size_t size
        size_t stride
        uint32_t width
        uint32_t height
        uint32_t bits

    ctypedef struct vg_motion_slot:
        int64_t second
        c_bool is_global

    ctypedef struct vg_motion:
        pass

    ctypedef struct vg_motion_loops:
        pass

    const vg_motion_loops *vg_motion_loops_best() noexcept
    const vg_motion_loops *vg_motion_loops_plain() noexcept
    vg_err vg_motion_means_by(const vg_motion_loops *loops, const vg_luma *luma, uint8_t *means,
                              vg_fault *fault) noexcept
    vg_err vg_motion_push_by(const vg_motion_loops *loops, vg_motion *motion, const vg_luma *luma,
                             int64_t time_ns, vg_motion_slot *slots, uint32_t *count,
                             vg_fault *fault) noexcept
    c_bool vg_motion_finish(vg_motion *motion, vg_motion_slot *slot) noexcept
    void vg_motion_break(vg_motion *motion) noexcept
    void vg_motion_cells(const vg_motion_slot *slot, uint8_t *cells) noexcept
    const uint8_t *vg_motion_latest(const vg_motion *motion) noexcept
