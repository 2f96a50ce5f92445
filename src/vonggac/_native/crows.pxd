"""native/include/vg/rows.h, in its order. Declarations only."""

from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t

from vonggac._native.csegment cimport vg_row
from vonggac._native.cvg cimport vg_err, vg_fault

cdef extern from "vg/rows.h" nogil:
    ctypedef struct vg_packed_row:
        uint32_t segment
        uint64_t epoch
        vg_row row

    enum:
        VG_ROWS_MAX
        VG_ROWS_HEADER
        VG_ROWS_HEADER_MAX
        VG_PACKED_ROW_MAX

    vg_err vg_rows_pack(const vg_packed_row *rows, uint32_t count, uint8_t *out, size_t capacity,
                        size_t *size) noexcept
    vg_err vg_rows_append(const uint8_t *data, size_t data_size, const vg_packed_row *rows,
                          uint32_t count, uint8_t *out, size_t capacity, size_t *size,
                          vg_fault *fault) noexcept
    vg_err vg_rows_unpack(const uint8_t *data, size_t size, vg_packed_row *out, uint32_t capacity,
                          uint32_t *count, vg_fault *fault) noexcept

    void vg_rows_sort(vg_packed_row *rows, uint32_t count) noexcept

    ctypedef struct vg_span:
        int64_t start_ns
        int64_t end_ns
        uint64_t samples
        uint64_t bytes

    vg_err vg_rows_spans(const uint8_t *data, size_t size, int64_t from_ns, int64_t to_ns,
                         vg_span *spans, uint32_t capacity, uint32_t *count,
                         vg_fault *fault) noexcept

    ctypedef struct vg_fragment:
        uint32_t segment
        uint32_t offset
        uint32_t bytes
        uint64_t epoch
        uint32_t moof_start
        uint32_t first_sample_end
        uint32_t last_chunk
        int64_t wall_start_ns
        int64_t wall_end_ns
        uint64_t duration
        uint64_t samples
        uint32_t flags
        uint8_t kind
        uint64_t run
        uint64_t sequence
        uint32_t chunks

    vg_err vg_rows_fragments(const uint8_t *data, size_t size, int64_t from_ns, int64_t to_ns,
                             vg_fragment *fragments, uint32_t capacity, uint32_t *count,
                             vg_fault *fault) noexcept
