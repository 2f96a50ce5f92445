"""Frames of zstd (libzstd). Thin."""

from cpython.bytes cimport PyBytes_FromStringAndSize
from libc.stdint cimport uint8_t
from libc.stdlib cimport free, malloc

from vonggac._native.ctiles cimport (
    ZSTD_compress, ZSTD_compressBound, ZSTD_createDCtx, ZSTD_DCtx, ZSTD_decompressDCtx,
    ZSTD_freeDCtx, ZSTD_isError,
)
from vonggac._native.fault cimport start_of

from vonggac.errors import MediaError


def compress(const uint8_t[::1] data not None, int level=3):
    """The bytes as one frame of zstd."""
    cdef size_t capacity = ZSTD_compressBound(data.shape[0])
    cdef size_t size
    cdef const uint8_t *p = start_of(data)
    cdef size_t length = data.shape[0]
    cdef uint8_t *out = <uint8_t *>malloc(capacity)
    if out == NULL:
        raise MemoryError
    try:
        with nogil:
            size = ZSTD_compress(out, capacity, p, length, level)
        if ZSTD_isError(size):
            raise MemoryError
        return PyBytes_FromStringAndSize(<char *>out, size)
    finally:
        free(out)


cdef class Unpacker:
    """Unpacks frames of zstd; keeps what that takes between them."""

    cdef ZSTD_DCtx *context

    def __cinit__(self):
        self.context = ZSTD_createDCtx()
        if self.context == NULL:
            raise MemoryError

    def __dealloc__(self):
        ZSTD_freeDCtx(self.context)

    def unpack(self, const uint8_t[::1] data not None, size_t size):
        """The `size` bytes of a frame. MediaError: it is none, or of another size."""
        cdef size_t got
        cdef const uint8_t *p = start_of(data)
        cdef size_t length = data.shape[0]
        cdef bytes out = PyBytes_FromStringAndSize(NULL, size)
        cdef char *room = out
        with nogil:
            got = ZSTD_decompressDCtx(self.context, room, size, p, length)
        if ZSTD_isError(got) or got != size:
            raise MediaError("value", "a frame of zstd of the size that is told")
        return out
