from libc.stdint cimport uint8_t

from vonggac._native.cvg cimport vg_err, vg_fault


cdef int raise_fault(vg_err err, const vg_fault *fault) except -1


cdef inline const uint8_t *start_of(const uint8_t[::1] data) noexcept:
    """The address of the first byte; of nothing where there is none: indexing would refuse."""
    return &data[0] if data.shape[0] > 0 else <const uint8_t *><const char *>b""
