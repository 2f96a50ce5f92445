"""Packed rows of the index (native/include/vg/rows.h): values in, bytes out, and back.

Thin: what a byte means is decided in C. Rows that only go from value to value become no objects:
a minute of a stream has ninety, and each costs more than all of the rest.
"""

from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t
from libc.stdlib cimport free

from vonggac._native.crows cimport (
    VG_PACKED_ROW_MAX, VG_ROWS_HEADER, VG_ROWS_HEADER_MAX, vg_packed_row, vg_rows_append,
    vg_rows_pack, vg_rows_sort, vg_rows_spans, vg_rows_unpack, vg_span,
)
from vonggac._native.csegment cimport vg_row
from vonggac._native.cvg cimport VG_OK, vg_err, vg_fault
from vonggac._native.fault cimport raise_fault, start_of
from vonggac._native.room cimport with_room

from vonggac.errors import MediaError
from vonggac.media.chunk import PackedRow, Row


cdef int row_from(row, vg_row *out) except -1:
    """The C form of a Row."""
    out.offset = row.offset
    out.chunk_bytes = row.chunk_bytes
    out.moof_bytes = row.moof_bytes
    out.first_sample_end = row.first_sample_end
    out.wall_start_ns = row.wall_start_ns
    out.wall_end_ns = row.wall_end_ns
    out.duration = row.duration_ticks
    out.samples = row.samples
    out.flags = row.flags
    out.kind = row.kind
    out.run = row.run
    out.sequence = row.sequence
    return 0


cdef object row_value(const vg_row *r):
    return Row(
        r.offset,
        r.chunk_bytes,
        r.moof_bytes,
        r.first_sample_end,
        r.wall_start_ns,
        r.wall_end_ns,
        r.duration,
        r.samples,
        r.flags,
        r.kind,
        r.run,
        r.sequence,
    )


cdef class Rows:
    """Rows being collected; owns their memory."""

    cdef vg_packed_row *rows
    cdef uint32_t count
    cdef uint32_t capacity

    def __dealloc__(self):
        free(self.rows)

    cdef int reserve(self, size_t more) except -1:
        """Room for `more` rows behind those there are."""
        if <size_t>self.count + more > 0xFFFFFFFF:
            raise MediaError("limit", "rows at once", <size_t>self.count + more)
        if self.rows == NULL and more == 0:  # no rows have an address too
            more = 1
        self.rows = <vg_packed_row *>with_room(
            self.rows, self.count, more, &self.capacity, sizeof(vg_packed_row))
        return 0

    cdef int unpack(self, const uint8_t[::1] packed) except -1:
        """Adds those of a value."""
        cdef vg_fault fault
        cdef uint32_t count = 0
        cdef const uint8_t *p = start_of(packed)
        if packed.shape[0] >= VG_ROWS_HEADER:  # shorter ones are told by vg_rows_unpack
            self.reserve(<uint32_t>packed[1] << 8 | packed[2])
        cdef vg_err err = vg_rows_unpack(p, packed.shape[0], self.rows + self.count,
                                         self.capacity - self.count, &count, &fault)
        if err != VG_OK:
            raise_fault(err, &fault)
        self.count += count
        return 0

    cdef int add(self, list rows) except -1:
        """Adds PackedRows."""
        cdef vg_packed_row *r
        self.reserve(len(rows))
        for packed in rows:
            r = &self.rows[self.count]
            r.segment = packed.segment
            r.epoch = packed.epoch
            row_from(packed.row, &r.row)
            self.count += 1
        return 0

    cdef int copy(self, const vg_packed_row *row) except -1:
        self.reserve(1)
        self.rows[self.count] = row[0]
        self.count += 1
        return 0

    cdef bytes pack(self):
        """All of them as one value."""
        cdef size_t size = 0
        cdef bytearray out = bytearray(VG_ROWS_HEADER_MAX + self.count * VG_PACKED_ROW_MAX)
        self.reserve(0)
        cdef vg_err err = vg_rows_pack(self.rows, self.count, <uint8_t *>out, len(out), &size)
        if err != VG_OK:
            raise MediaError("limit", "VG_ROWS_MAX", self.count)
        return bytes(memoryview(out)[:size])

    cdef object value(self, uint32_t at):
        cdef vg_packed_row *r = &self.rows[at]
        return PackedRow(r.segment, r.epoch, row_value(&r.row))


cdef inline bint is_of(const vg_packed_row *row, uint32_t segment, uint64_t epoch) noexcept:
    return row.segment == segment and row.epoch == epoch


cdef Rows unpacked(const uint8_t[::1] packed):
    cdef Rows found = Rows()
    found.unpack(packed)
    return found


def rows_pack(rows):
    """Rows as one value of the index."""
    cdef Rows made = Rows()
    made.add(list(rows))
    return made.pack()


def rows_append(const uint8_t[::1] packed not None, rows):
    """A value of the index with `rows` behind what it holds."""
    cdef Rows more = Rows()
    cdef size_t size = 0
    cdef vg_fault fault
    more.add(list(rows))
    cdef bytearray out = bytearray(
        packed.shape[0] + VG_ROWS_HEADER_MAX + more.count * VG_PACKED_ROW_MAX)
    cdef vg_err err = vg_rows_append(start_of(packed), packed.shape[0], more.rows, more.count,
                                     <uint8_t *>out, len(out), &size, &fault)
    if err != VG_OK:
        raise_fault(err, &fault)
    return bytes(memoryview(out)[:size])


def rows_merge(const uint8_t[::1] packed not None, rows):
    """A value of the index with `rows` among what it holds, by run and sequence."""
    cdef Rows made = unpacked(packed)
    made.add(list(rows))
    vg_rows_sort(made.rows, made.count)
    return made.pack()


def rows_split(const uint8_t[::1] packed not None, int64_t wall_ns):
    """A value of the index as two: rows that start before `wall_ns`, and the others; None: there
    are none.
    """
    cdef Rows found = unpacked(packed)
    cdef Rows before = Rows()
    cdef Rows behind = Rows()
    cdef uint32_t i
    for i in range(found.count):
        (before if found.rows[i].row.wall_start_ns < wall_ns else behind).copy(&found.rows[i])
    return before.pack() if before.count else None, behind.pack() if behind.count else None


def rows_unpack(const uint8_t[::1] packed not None):
    """The rows of one value of the index."""
    cdef Rows found = unpacked(packed)
    cdef uint32_t i
    return [found.value(i) for i in range(found.count)]


def rows_of(const uint8_t[::1] packed not None, uint32_t segment, uint64_t epoch):
    """Rows of this life of a segment in one value of the index."""
    cdef Rows found = unpacked(packed)
    cdef uint32_t i
    return [
        row_value(&found.rows[i].row)
        for i in range(found.count)
        if is_of(&found.rows[i], segment, epoch)
    ]


def rows_without(const uint8_t[::1] packed not None, uint32_t segment, uint64_t epoch,
                 offsets=None):
    """A value of the index without the rows of this life of a segment."""
    cdef Rows found = unpacked(packed)
    cdef Rows kept = Rows()
    cdef uint32_t i
    for i in range(found.count):
        if (not is_of(&found.rows[i], segment, epoch)
                or not (offsets is None or found.rows[i].row.offset in offsets)):
            kept.copy(&found.rows[i])
    return kept.pack() if kept.count else None


def rows_flag(const uint8_t[::1] packed not None, uint32_t segment, uint64_t epoch, uint32_t offset,
              uint32_t flags):
    """A value of the index with `flags` added to one row, where it has that row."""
    cdef Rows found = unpacked(packed)
    cdef uint32_t i
    for i in range(found.count):
        if is_of(&found.rows[i], segment, epoch) and found.rows[i].row.offset == offset:
            found.rows[i].row.flags |= flags
    return found.pack()


cdef class Spans:
    """Spans being collected; owns their memory."""

    cdef vg_span *spans
    cdef uint32_t count
    cdef uint32_t capacity

    def __dealloc__(self):
        free(self.spans)

    cdef int reserve(self, uint32_t more) except -1:
        """Room for `more` spans behind those there are."""
        self.spans = <vg_span *>with_room(
            self.spans, self.count, more, &self.capacity, sizeof(vg_span))
        return 0

    cdef int add(self, const uint8_t[::1] packed, int64_t from_ns, int64_t to_ns) except -1:
        cdef vg_fault fault
        cdef vg_err err
        if packed.shape[0] >= VG_ROWS_HEADER:  # shorter ones are told by vg_rows_spans
            self.reserve(<uint32_t>packed[1] << 8 | packed[2])
        err = vg_rows_spans(start_of(packed), packed.shape[0], from_ns, to_ns, self.spans,
                            self.capacity, &self.count, &fault)
        if err != VG_OK:
            raise_fault(err, &fault)
        return 0


def rows_spans(packed, int64_t from_ns, int64_t to_ns):
    """Ranges of contiguous rows that touch [from_ns, to_ns): (start_ns, end_ns, samples, bytes)."""
    cdef Spans found = Spans()
    cdef uint32_t i
    for value in packed:
        found.add(value, from_ns, to_ns)
    return [
        (found.spans[i].start_ns, found.spans[i].end_ns, found.spans[i].samples,
         found.spans[i].bytes)
        for i in range(found.count)
    ]
