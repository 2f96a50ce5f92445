"""The memory that loops share with keepers (native/include/vg/arena.h)."""

from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t
from cpython.buffer cimport PyBuffer_FillInfo
from libc.stdlib cimport calloc, free
from libc.string cimport memcpy, memset
from posix.mman cimport MAP_FAILED, MAP_SHARED, PROT_READ, PROT_WRITE, mmap, munmap

from vonggac._native.carena cimport (
    VG_ARENA_BLOCK, VG_ARENA_BLOCKS_MAX, VG_ARENA_CHUNK_BLOCKS_MAX, VG_NO_BLOCK,
    vg_arena, vg_arena_at, vg_arena_attach, vg_arena_chunk, vg_arena_chunk_copy, vg_arena_durable,
    vg_arena_format, vg_arena_idle, vg_arena_recover, vg_arena_send, vg_arena_take,
)
from vonggac._native.cvg cimport VG_OK, VG_SYSTEM, VG_VALUE, vg_fault
from vonggac._native.fault cimport raise_fault

import os

BLOCK_BYTES = VG_ARENA_BLOCK
BLOCKS_MAX = VG_ARENA_BLOCKS_MAX


cdef class _Mapping:
    """Owns a shared mapping of an arena's descriptor; the descriptor stays the caller's."""

    cdef vg_arena _c
    cdef uint8_t *_base
    cdef size_t _size

    def __cinit__(self):
        self._base = NULL

    cdef int _map(self, int fd, size_t size, int protection) except -1:
        # Behind the end of the file a mapping is SIGBUS, so whoever gave the size is not believed.
        if os.fstat(fd).st_size < size or size < <size_t>VG_ARENA_BLOCK:
            raise ValueError("the arena is smaller than it is said to be")
        cdef void *base = mmap(NULL, size, protection, MAP_SHARED, fd, 0)
        if base == MAP_FAILED:
            raise_fault(VG_SYSTEM, NULL)
        self._base = <uint8_t *>base
        self._size = size
        return 0

    cdef int _attach(self) except -1:
        cdef vg_fault fault
        if vg_arena_attach(&self._c, self._base, self._size) != VG_OK:
            fault.offset = 0
            fault.rule = b"arena: magic, version or size"
            raise_fault(VG_VALUE, &fault)
        return 0

    def __dealloc__(self):
        if self._base != NULL:
            munmap(self._base, self._size)


def format_arena(int fd):
    """Makes the whole of an empty memfd an arena."""
    cdef _Mapping mapping = _Mapping()
    cdef size_t size = os.fstat(fd).st_size
    mapping._map(fd, size, PROT_READ | PROT_WRITE)
    if vg_arena_format(&mapping._c, mapping._base, size) != VG_OK:
        raise ValueError("an arena has at least one block behind its state table")


cdef class ArenaChunk:
    """A chunk as it was handed over. The views of the payload keep the mapping alive."""

    cdef readonly bytes camera, stream, entry_sha256, segment_head
    cdef readonly object run, sequence, keeper, order, wall_end_ns
    cdef readonly bytearray head
    cdef readonly list payload
    cdef readonly uint32_t payload_bytes


cdef class ArenaReader(_Mapping):
    """The arena of a loop, read-only."""

    def __init__(self, int fd, size_t size):
        self._map(fd, size, PROT_READ)
        self._attach()

    def __getbuffer__(self, Py_buffer *buffer, int flags):
        PyBuffer_FillInfo(buffer, self, self._base, self._size, 1, flags)

    def chunk(self, uint32_t header):
        """The chunk described in block `header`; MediaError where it does not hold together."""
        # A copy: the loop may die, or worse, between a check and a use.
        cdef vg_arena_chunk c
        cdef vg_fault fault
        if not vg_arena_chunk_copy(&self._c, header, &c, &fault):
            raise_fault(VG_VALUE, &fault)
        cdef uint8_t *block = vg_arena_at(&self._c, header)
        cdef uint8_t *segment_head = block
        if c.extra_block != VG_NO_BLOCK:
            segment_head = vg_arena_at(&self._c, c.extra_block)
        cdef ArenaChunk chunk = ArenaChunk.__new__(ArenaChunk)
        chunk.camera = c.camera[:16]
        chunk.stream = c.stream[:16]
        chunk.entry_sha256 = c.entry_sha256[:32]
        chunk.run = c.run
        chunk.sequence = c.sequence
        chunk.keeper = c.keeper
        chunk.order = c.order
        chunk.wall_end_ns = c.wall_end_ns
        chunk.payload_bytes = c.payload_bytes
        chunk.head = bytearray((<char *>block)[c.head_offset:c.head_offset + c.head_bytes])
        chunk.segment_head = (<char *>segment_head)[
            c.segment_head_offset:c.segment_head_offset + c.segment_head_bytes]
        chunk.payload = self._payload(&c)
        return chunk

    cdef list _payload(self, const vg_arena_chunk *c):
        """Neighbouring blocks are one view: fewer pieces for pwritev."""
        cdef list views = []
        cdef uint32_t i = 0
        cdef uint32_t last
        cdef size_t left = c.payload_bytes
        cdef size_t start, size
        whole = memoryview(self)
        while i < c.payload_blocks:
            last = i
            while last + 1 < c.payload_blocks and c.blocks[last + 1] == c.blocks[last] + 1:
                last += 1
            start = <size_t>c.blocks[i] * VG_ARENA_BLOCK
            size = min(left, <size_t>(last - i + 1) * VG_ARENA_BLOCK)
            views.append(whole[start:start + size])
            left -= size
            i = last + 1
        return views


cdef class ArenaWriter(_Mapping):
    """The loop's side: for tests of keepers, which need no loop then."""

    def __init__(self, int fd):
        self._map(fd, os.fstat(fd).st_size, PROT_READ | PROT_WRITE)
        self._attach()

    @property
    def used(self):
        """Blocks that are not free."""
        return self._c.used

    def idle(self):
        """As a loop once a minute: the first block whose memory may go back, and how many."""
        cdef uint32_t start = 0
        cdef uint32_t count = vg_arena_idle(&self._c, &start)
        return start, count

    def recover(self):
        """As a loop's successor: frees what was not handed over, gives the headers in order."""
        cdef uint32_t *headers = <uint32_t *>calloc(self._c.blocks, sizeof(uint32_t))
        if headers == NULL:
            raise MemoryError
        try:
            count = vg_arena_recover(&self._c, headers, self._c.blocks)
            return [headers[i] for i in range(count)]
        finally:
            free(headers)

    cdef uint32_t _take(self) except? 0xFFFFFFFF:
        cdef uint32_t block = vg_arena_take(&self._c)
        if block == VG_NO_BLOCK:
            raise MemoryError("the arena is full")
        return block

    def put(self, *, bytes camera, bytes stream, uint64_t run, uint64_t sequence, uint64_t keeper,
            int64_t wall_end_ns, bytes entry_sha256, const uint8_t[::1] head,
            const uint8_t[::1] segment_head, const uint8_t[::1] payload, bint send=True):
        """A chunk of these parts; gives its header block. `send`: hand it over as well."""
        if len(camera) != 16 or len(stream) != 16 or len(entry_sha256) != 32:
            raise ValueError("ids have 16 bytes, hashes 32")
        cdef uint32_t header = self._take()
        cdef uint8_t *block = vg_arena_at(&self._c, header)
        cdef vg_arena_chunk *c = <vg_arena_chunk *>block
        memset(c, 0, sizeof(vg_arena_chunk))
        if sizeof(vg_arena_chunk) + head.shape[0] + segment_head.shape[0] > <size_t>VG_ARENA_BLOCK:
            raise ValueError("the heads do not fit into a block")
        c.extra_block = VG_NO_BLOCK
        memcpy(c.camera, <const uint8_t *>camera, 16)
        memcpy(c.stream, <const uint8_t *>stream, 16)
        memcpy(c.entry_sha256, <const uint8_t *>entry_sha256, 32)
        c.run = run
        c.sequence = sequence
        c.keeper = keeper
        c.wall_end_ns = wall_end_ns
        c.head_offset = sizeof(vg_arena_chunk)
        c.head_bytes = head.shape[0]
        c.segment_head_offset = c.head_offset + c.head_bytes
        c.segment_head_bytes = segment_head.shape[0]
        if head.shape[0] > 0:
            memcpy(block + c.head_offset, &head[0], head.shape[0])
        if segment_head.shape[0] > 0:
            memcpy(block + c.segment_head_offset, &segment_head[0], segment_head.shape[0])
        self._put_payload(c, payload)
        if send:
            vg_arena_send(&self._c, header)
        return header

    cdef int _put_payload(self, vg_arena_chunk *c, const uint8_t[::1] payload) except -1:
        cdef size_t done = 0
        cdef size_t size
        cdef uint32_t block
        while done < <size_t>payload.shape[0]:
            if c.payload_blocks == <uint32_t>VG_ARENA_CHUNK_BLOCKS_MAX:
                raise ValueError("the payload is too large for a chunk")
            block = self._take()
            c.blocks[c.payload_blocks] = block
            c.payload_blocks += 1
            size = min(<size_t>VG_ARENA_BLOCK, payload.shape[0] - done)
            memcpy(vg_arena_at(&self._c, block), &payload[done], size)
            done += size
        c.payload_bytes = done
        return 0

    def durable(self, uint32_t header):
        """Frees a chunk that was handed over."""
        cdef vg_arena_chunk c
        cdef vg_fault fault
        if not vg_arena_chunk_copy(&self._c, header, &c, &fault):
            raise_fault(VG_VALUE, &fault)
        vg_arena_durable(&self._c, header)

    def poke(self, size_t offset, const uint8_t[::1] data):
        """Writes anywhere, as a loop gone wrong would."""
        if data.shape[0] == 0 or offset > self._size or data.shape[0] > self._size - offset:
            raise ValueError("outside the arena")
        memcpy(self._base + offset, &data[0], data.shape[0])
