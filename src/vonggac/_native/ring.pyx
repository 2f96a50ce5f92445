"""Writing a tick (native/include/vg/ring_file.h). Thin: what to write is decided elsewhere."""

from cpython.buffer cimport PyBUF_SIMPLE, PyBuffer_Release, PyObject_GetBuffer
from libc.stdint cimport uint32_t, uint64_t
from libc.stdlib cimport calloc, free

from vonggac._native.csegment cimport iovec, vg_sync, vg_write, vg_writes, vg_zero


cdef class Batch:
    """Writes on their way: holds the buffers exported, so that no owner can free or resize one."""

    cdef vg_write *writes
    cdef iovec *parts
    cdef Py_buffer *views
    cdef Py_ssize_t held

    def __cinit__(self, Py_ssize_t writes, Py_ssize_t parts):
        self.writes = <vg_write *>calloc(writes + 1, sizeof(vg_write))
        self.parts = <iovec *>calloc(parts + 1, sizeof(iovec))
        self.views = <Py_buffer *>calloc(parts + 1, sizeof(Py_buffer))
        if self.writes == NULL or self.parts == NULL or self.views == NULL:
            raise MemoryError

    def __dealloc__(self):
        cdef Py_ssize_t i
        for i in range(self.held):
            PyBuffer_Release(&self.views[i])
        free(self.views)
        free(self.parts)
        free(self.writes)

    cdef int hold(self, object buffer) except -1:
        """The next part of the write being filled in."""
        PyObject_GetBuffer(buffer, &self.views[self.held], PyBUF_SIMPLE)
        self.parts[self.held].iov_base = self.views[self.held].buf
        self.parts[self.held].iov_len = self.views[self.held].len
        self.held += 1
        return 0


def write_batch(writes):
    """Writes each (descriptor, offset, buffers); gives an errno each, 0 where all is written."""
    cdef list kept = [(fd, offset, list(buffers)) for fd, offset, buffers in writes]
    cdef int count = <int>len(kept)
    cdef Batch batch = Batch(count, sum([len(buffers) for _, _, buffers in kept]))
    cdef int i
    for i, (fd, offset, buffers) in enumerate(kept):
        batch.writes[i].fd = fd
        batch.writes[i].offset = <uint64_t>offset
        batch.writes[i].parts = &batch.parts[batch.held]
        batch.writes[i].part_count = <int>len(buffers)
        for buffer in buffers:
            batch.hold(buffer)
    with nogil:
        vg_writes(batch.writes, count)
    return [batch.writes[i].error for i in range(count)]


def sync(int fd):
    """syncfs of the descriptor's file system: 0 or errno."""
    cdef int error
    with nogil:
        error = vg_sync(fd)
    return error


def zero(int fd, uint64_t size, uint64_t offset=0):
    """Zeros [offset, offset + size) of a file without changing its size: 0 or errno."""
    cdef int error
    with nogil:
        error = vg_zero(fd, offset, size)
    return error


def free_header(uint32_t size):
    """The 8 bytes that start a `free` box of `size` bytes, for room that is zero already."""
    if size < 8:
        raise ValueError("a box has 8 bytes at least")
    return size.to_bytes(4, "big") + b"free"


def free_box(uint32_t size):
    """A `free` box of `size` bytes, header and zeros; nothing for 0."""
    if size == 0:
        return b""
    return free_header(size) + bytes(size - 8)
