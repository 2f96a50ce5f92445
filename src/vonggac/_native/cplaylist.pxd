"""native/include/vg/playlist.h. Declarations only."""

from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t

from vonggac._native.crows cimport vg_fragment
from vonggac._native.cvg cimport c_bool, vg_err

cdef extern from "vg/playlist.h" nogil:
    enum:
        VG_LIST_ENTRY_MAX
        VG_LIST_STEPS_S

    uint32_t vg_fragments_stretch(const vg_fragment *fragments, uint32_t count) noexcept

    ctypedef enum vg_list_kind:
        VG_LIST_RANGES
        VG_LIST_KEYS
        VG_LIST_FILES

    ctypedef struct vg_list:
        uint64_t ticks
        uint64_t steps
        uint64_t longest
        uint64_t told_ticks
        int64_t told_ns

    vg_err vg_list_write(vg_list *list, vg_list_kind kind, c_bool tells,
                         const vg_fragment *fragments, uint32_t count, const char *uri,
                         size_t uri_size, uint8_t *out, size_t capacity, size_t *size) noexcept

    ctypedef struct vg_map_piece:
        int64_t wall_start_ns
        int64_t wall_end_ns
        uint64_t start_ticks
        uint64_t end_ticks
        c_bool is_uneven

    vg_err vg_map_add(c_bool breaks, const vg_fragment *fragments, uint32_t fragment_count,
                      vg_map_piece *pieces, uint32_t capacity, uint32_t *count) noexcept
