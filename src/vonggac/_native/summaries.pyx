"""Summaries of days, searched (native/include/vg/motion_summary.h).

Thin: what a byte means is decided in C.
"""

from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t
from libc.stdlib cimport free, malloc, realloc
from libc.string cimport memcpy, memset

from vonggac._native.csummary cimport (
    VG_BLOCKS, VG_SUMMARY_BEHIND, vg_blocks, vg_blocks_add, vg_blocks_next, vg_summary,
    vg_summary_ask, vg_summary_find, vg_summary_make, vg_summary_tiles,
)
from vonggac._native.cvg cimport VG_OK, vg_err, vg_fault
from vonggac._native.fault cimport raise_fault, start_of
from vonggac._native.tile_counts cimport Region

cdef enum:
    BLOCK_SECONDS = 120
    DAY_SECONDS = VG_BLOCKS * BLOCK_SECONDS


cdef class Blocks:
    """The blocks of a day that ranges of its seconds touch."""

    cdef vg_blocks blocks

    def __cinit__(self, ranges):
        cdef uint32_t start, stop
        memset(&self.blocks, 0, sizeof(self.blocks))
        for start, stop in ranges:
            if start > stop or stop > DAY_SECONDS:
                raise IndexError(f"[{start}, {stop}) of a day")
            if start < stop:
                vg_blocks_add(&self.blocks, start // BLOCK_SECONDS,
                              (stop + BLOCK_SECONDS - 1) // BLOCK_SECONDS)


cdef int put_ask(vg_summary_ask *ask, Region region, Blocks blocks, uint16_t at_least) except -1:
    if at_least == 0:
        raise ValueError("a hit has a cell at least")
    memcpy(ask.cells, region.words, sizeof(ask.cells))
    ask.blocks = blocks.blocks
    ask.at_least = at_least
    return 0


cdef class Summary:
    """Which cells moved in which block of a day."""

    cdef vg_summary summary
    cdef uint8_t *room
    cdef readonly size_t size_bytes

    def __cinit__(self, const uint8_t[::1] data not None):
        cdef vg_fault fault
        cdef size_t size = data.shape[0]
        cdef size_t used = 0
        cdef const uint8_t *start = start_of(data)
        cdef uint8_t *less
        cdef vg_err err
        self.room = <uint8_t *>malloc(size + VG_SUMMARY_BEHIND)
        if self.room == NULL:
            raise MemoryError
        with nogil:
            err = vg_summary_make(start, size, self.room, &used, &self.summary, &fault)
        if err != VG_OK:
            raise_fault(err, &fault)
        less = <uint8_t *>realloc(self.room, used)
        if less != NULL:
            self.room = less
            self.summary.bytes = less
        self.size_bytes = used + sizeof(self.summary)

    def __dealloc__(self):
        free(self.room)

    def tiles(self, Region region not None, Blocks blocks not None, uint16_t at_least):
        """The tiles, as bits, that have a cell of the region in a block that may hold a hit."""
        cdef vg_summary_ask ask
        put_ask(&ask, region, blocks, at_least)
        return vg_summary_tiles(&self.summary, &ask)

    def ranges(self, Region region not None, Blocks blocks not None, uint16_t at_least,
               int64_t starts_s):
        """The blocks that may hold a hit, joined, of a day that starts at that second."""
        cdef vg_summary_ask ask
        cdef vg_blocks found
        cdef uint32_t start = 0
        cdef uint32_t stop = 0
        cdef list made = []
        put_ask(&ask, region, blocks, at_least)
        vg_summary_find(&self.summary, &ask, &found)
        while vg_blocks_next(&found, &start, &stop):
            made.append((starts_s + start * BLOCK_SECONDS, starts_s + stop * BLOCK_SECONDS))
            start = stop
        return made
