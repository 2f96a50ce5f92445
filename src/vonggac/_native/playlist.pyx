"""Fragments of the index and the text of playlists (native/include/vg/playlist.h).

Thin: a day has 43,200 fragments, which stay in C unless somebody asks for one.
"""

from libc.stdint cimport int64_t, uint8_t, uint32_t
from libc.stdlib cimport free
from libc.string cimport memset

from vonggac._native.cplaylist cimport (
    VG_LIST_ENTRY_MAX, VG_LIST_FILES, VG_LIST_KEYS, VG_LIST_RANGES, VG_LIST_STEPS_S,
    vg_fragments_stretch, vg_list, vg_list_kind, vg_list_write, vg_map_add, vg_map_piece,
)
from vonggac._native.crows cimport VG_ROWS_HEADER, vg_fragment, vg_rows_fragments
from vonggac._native.cvg cimport VG_OK, vg_err, vg_fault
from vonggac._native.fault cimport raise_fault, start_of
from vonggac._native.room cimport with_room

from vonggac.errors import MediaError
from vonggac.media.fragment import Fragment

RANGES = VG_LIST_RANGES
KEYS = VG_LIST_KEYS
FILES = VG_LIST_FILES
STEPS_S = VG_LIST_STEPS_S


cdef class Fragments:
    """Fragments of one disk, in the order in which they were added. A sequence."""

    cdef vg_fragment *fragments
    cdef uint32_t count
    cdef uint32_t capacity
    cdef readonly int disk

    def __cinit__(self, int disk=0):
        self.disk = disk

    def __dealloc__(self):
        free(self.fragments)

    def __len__(self):
        return self.count

    def __iter__(self):
        return (self[at] for at in range(self.count))

    def __getitem__(self, Py_ssize_t at):
        if at < 0 or at >= self.count:
            raise IndexError(at)
        cdef vg_fragment *f = &self.fragments[at]
        return Fragment(
            self.disk, f.segment, f.epoch, f.offset, f.bytes, f.moof_start, f.first_sample_end,
            f.last_chunk, f.wall_start_ns, f.wall_end_ns, f.duration, f.samples, f.flags, f.kind,
            f.run, f.sequence, f.chunks)

    cdef int reserve(self, uint32_t more) except -1:
        """Room for `more` fragments behind those there are."""
        self.fragments = <vg_fragment *>with_room(
            self.fragments, self.count, more, &self.capacity, sizeof(vg_fragment))
        return 0

    cdef int add_rows(self, const uint8_t[::1] packed, int64_t from_ns, int64_t to_ns) except -1:
        cdef vg_fault fault
        cdef vg_err err
        if packed.shape[0] >= VG_ROWS_HEADER:  # shorter ones are told by vg_rows_fragments
            self.reserve(<uint32_t>packed[1] << 8 | packed[2])
        cdef const uint8_t *p = start_of(packed)
        cdef size_t size = packed.shape[0]
        with nogil:
            err = vg_rows_fragments(p, size, from_ns, to_ns, self.fragments, self.capacity,
                                    &self.count, &fault)
        if err != VG_OK:
            raise_fault(err, &fault)
        return 0

    cdef int add(self, fragment) except -1:
        self.reserve(1)
        cdef vg_fragment *f = &self.fragments[self.count]
        (_, f.segment, f.epoch, f.offset, f.bytes, f.moof_start, f.first_sample_end, f.last_chunk,
         f.wall_start_ns, f.wall_end_ns, f.duration, f.samples, f.flags, f.kind, f.run, f.sequence,
         f.chunks) = fragment
        self.count += 1
        return 0

    cdef const vg_fragment *part(self, uint32_t start, uint32_t stop) except NULL:
        if start >= stop or stop > self.count:
            raise IndexError(f"[{start}, {stop}) of {self.count}")
        return &self.fragments[start]

    def stretch(self, uint32_t start):
        """Where the stretch that begins at `start` stops."""
        return start + vg_fragments_stretch(self.part(start, self.count), self.count - start)

    def first_after(self, uint32_t start, uint32_t stop, int64_t wall_ns):
        """The first in [start, stop) that ends after a time; `stop` where none does."""
        while start < stop and self.part(start, stop).wall_end_ns <= wall_ns:
            start += 1
        return start

    def flagged(self, uint32_t start, uint32_t stop, uint32_t flags):
        """Those in [start, stop) that have any of the flags."""
        cdef const vg_fragment *f = self.part(start, stop)
        cdef uint32_t at
        return [self[start + at] for at in range(stop - start) if f[at].flags & flags]


def rows_fragments(packed, int64_t from_ns, int64_t to_ns, int disk=0):
    """Fragments of the rows that touch [from_ns, to_ns), in the order of the values."""
    cdef Fragments found = Fragments(disk)
    for value in packed:
        found.add_rows(value, from_ns, to_ns)
    return found


def fragments_of(fragments):
    """The same as a sequence in C. All of one disk."""
    cdef list kept = list(fragments)
    cdef Fragments made = Fragments(kept[0].disk if kept else 0)
    for fragment in kept:
        made.add(fragment)
    return made


cdef class ListText:
    """The lines of a playlist, being written."""

    cdef vg_list list
    cdef list parts

    def __cinit__(self):
        memset(&self.list, 0, sizeof(self.list))
        self.parts = []

    @property
    def longest_steps(self):
        """The longest duration, in units of 10 us."""
        return self.list.longest

    @property
    def text(self):
        """All lines so far."""
        return b"".join(self.parts)

    def tag(self, str line not None):
        """A line that is no entry."""
        self.parts.append(f"{line}\n".encode())

    def entries(self, int kind, bint tells, Fragments fragments not None, uint32_t start,
                uint32_t stop, str uri not None):
        """The entries of fragments [start, stop); `tells`: wall time, before the first."""
        cdef const vg_fragment *first = fragments.part(start, stop)
        cdef uint32_t count = stop - start
        cdef bytes address = uri.encode()
        cdef const char *p = address
        cdef size_t length = len(address)
        cdef size_t size = 0
        cdef vg_err err
        cdef bytearray out = bytearray(count * (VG_LIST_ENTRY_MAX + length))
        cdef uint8_t *room = <uint8_t *>out
        cdef size_t capacity = len(out)
        with nogil:
            err = vg_list_write(&self.list, <vg_list_kind>kind, tells, first, count, p, length,
                                room, capacity, &size)
        if err != VG_OK:
            raise MediaError("limit", "VG_LIST_ENTRY_MAX", size)
        self.parts.append(bytes(memoryview(out)[:size]))


cdef class MapPieces:
    """The map between wall time and the player's, being made."""

    cdef vg_map_piece *found
    cdef uint32_t count
    cdef uint32_t capacity

    def __dealloc__(self):
        free(self.found)

    def add(self, bint breaks, Fragments fragments not None, uint32_t start, uint32_t stop):
        """Fragments [start, stop); `breaks`: the first begins a piece whatever its time."""
        cdef const vg_fragment *first = fragments.part(start, stop)
        self.found = <vg_map_piece *>with_room(
            self.found, self.count, stop - start, &self.capacity, sizeof(vg_map_piece))
        vg_map_add(breaks, first, stop - start, self.found, self.capacity, &self.count)

    def pieces(self):
        """(wall_start_ns, wall_end_ns, start_ticks, end_ticks) of each."""
        cdef uint32_t at
        return [
            (self.found[at].wall_start_ns, self.found[at].wall_end_ns,
             self.found[at].start_ticks, self.found[at].end_ticks)
            for at in range(self.count)
        ]
