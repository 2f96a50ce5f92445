from libc.stdint cimport uint64_t

from vonggac._native.ctiles cimport VG_TILES


cdef class Region:
    cdef uint64_t words[VG_TILES]
    cdef readonly uint64_t tiles
