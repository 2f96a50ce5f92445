"""The index with meaning: segments, the order of reuse, sample entries, rows, runs, streams,
sessions.

docs/ref/index.md draws the keys; `index_values` and `row_values` know what the values hold. Rows
that became durable since the last commit wait unpacked in `_tails`, because a value that is still
growing would be packed anew for every chunk.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Set
from dataclasses import dataclass, field, replace

from vonggac._native import rows as native
from vonggac.media.chunk import PackedRow, Row
from vonggac.store.index import Index, IndexDamaged, Table
from vonggac.store.index_values import (
    I64,
    U32,
    U64,
    U64_MAX,
    RunRow,
    SegmentRow,
    StreamRow,
    minute_of,
    run_row,
    run_value,
    segment_row,
    segment_value,
    stream_row,
    stream_value,
    unpack,
)
from vonggac.store.journal import SegmentState
from vonggac.store.row_values import RowValues
from vonggac.store.tombstone import RECYCLED, Rule, bury

_FREE = b"free"


@dataclass(slots=True)
class Archive:
    """Typed access to an Index."""

    index: Index
    rows: RowValues = field(init=False)
    _tails: dict[tuple[bytes, int], list[PackedRow]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.rows = RowValues(self.index)

    # segments and the order of reuse

    def segment(self, number: int) -> SegmentRow | None:
        value = self.index.get(Table.SEGMENTS, U32.pack(number))
        return None if value is None else segment_row(value)

    def put_segment(self, number: int, row: SegmentRow) -> None:
        """Files the segment; keeps LIVE and ORDER in step.

        Where another stands at its place in the order of reuse, it comes after that.
        """
        key = U32.pack(number)
        old = self.segment(number)
        was_free = old is not None and old.state is SegmentState.FREE
        self._count_free((row.state is SegmentState.FREE) - was_free)
        if old is not None and _is_ordered(old.state):
            place = U64.pack(old.order)
            if self.index.get(Table.ORDER, place) == key:
                self.index.delete(Table.ORDER, place)
        if _is_ordered(row.state):
            row = replace(row, order=self._place_from(row.order, key))
            self.index.put(Table.ORDER, U64.pack(row.order), key)
            self.index.delete(Table.LIVE, key)
        else:
            self.index.put(Table.LIVE, key, b"")
        self.index.put(Table.SEGMENTS, key, segment_value(row))

    def _place_from(self, order: int, key: bytes) -> int:
        """The first place from `order` on that no other segment has: one that lost its place would
        never be reused, and its room be lost.
        """
        if self.index.get(Table.ORDER, U64.pack(order)) in (None, key):
            return order
        for place, value in self.index.items(Table.ORDER, U64.pack(order), b"\xff" * 8):
            if value == key or unpack(U64, place) != order:
                break
            order += 1
        return order

    def segments(self) -> Iterator[tuple[int, SegmentRow]]:
        """All of them: for check and disk list, not for start-up."""
        for key, value in self.index.items(Table.SEGMENTS, b"", b"\xff" * 4):
            yield unpack(U32, key), segment_row(value)

    def live(self) -> list[int]:
        """Segments that are reserved, ready or open."""
        return [unpack(U32, key) for key, _ in self.index.items(Table.LIVE, b"", b"\xff" * 4)]

    def reusable(self, first: int = 0, last: int = U64_MAX) -> Iterator[tuple[int, SegmentRow]]:
        """Free and sealed segments in the order of reuse, of the orders [first, last]."""
        for _, value in self.index.items(Table.ORDER, U64.pack(first), U64.pack(last)):
            number = unpack(U32, value)
            row = self.segment(number)
            if row is None:
                raise IndexDamaged(f"the index orders segment {number}, which it does not know")
            yield number, row

    def places(self) -> Iterator[tuple[int, int]]:
        """(order, number) as the order of reuse has them, whatever the segments' rows say."""
        for key, value in self.index.items(Table.ORDER, b"", b"\xff" * 8):
            yield unpack(U64, key), unpack(U32, value)

    def free_count(self, segments: int) -> int:
        """Segments that hold nothing: their order is their number, below that of any sealed one.

        Counted once in the life of an index: of a new disk's millions that takes seconds.
        """
        known = self._known_free()
        if known is None or known > segments:
            known = sum(1 for _ in self.index.items(Table.ORDER, b"", U64.pack(segments - 1)))
            self.index.put(Table.META, _FREE, U32.pack(known))
        return known

    def _known_free(self) -> int | None:
        """None: the index does not say, or says nonsense; then it is counted."""
        value = self.index.get(Table.META, _FREE)
        return None if value is None or len(value) != U32.size else U32.unpack(value)[0]

    def _count_free(self, change: int) -> None:
        known = self._known_free() if change else None
        if known is not None:
            self.index.put(Table.META, _FREE, U32.pack(max(known + change, 0)))

    def oldest_sealed(self, segments: int) -> SegmentRow | None:
        """The next footage to be given up, on a disk of so many segments."""
        for _, value in self.index.items(Table.ORDER, U64.pack(segments), b"\xff" * 8):
            return self.segment(unpack(U32, value))
        return None

    def forget(self, number: int, rule: Rule = RECYCLED) -> None:
        """Takes a segment's rows, and the runs that end in it, out of the index, and leaves their
        tombstones: it is being reused, or its time has come.
        """
        row = self.segment(number)
        if row is None or row.state not in (SegmentState.SEALED, SegmentState.OPEN):
            return
        self._take_out(number, row, None, rule)
        self._count_entry(row.entry_sha256, -1, b"")

    def erase(self, number: int, offsets: Set[int], rule: Rule) -> None:
        """Takes the rows of a sealed segment's chunks at `offsets` out; the segment stays."""
        row = self.segment(number)
        if row is None or row.state is not SegmentState.SEALED:
            return
        kept = self._take_out(number, row, offsets, rule)
        self.put_segment(
            number,
            replace(
                row,
                wall_start_ns=min((r.wall_start_ns for r in kept), default=0),
                wall_end_ns=max((r.wall_end_ns for r in kept), default=0),
                chunks=len(kept),
            ),
        )

    def _take_out(
        self, number: int, row: SegmentRow, offsets: Set[int] | None, rule: Rule
    ) -> list[Row]:
        """Rows of a segment's chunks at `offsets` (None: all of them); gives those that stay."""
        taken: list[Row] = []
        left: list[Row] = []
        for minute, value, own in self._values_of(number, row):
            gone = [r for r in own if offsets is None or r.offset in offsets]
            left += [r for r in own if offsets is not None and r.offset not in offsets]
            if gone:
                rest = native.rows_without(value, number, row.epoch, offsets)
                self.rows.replace(row.stream, minute, rest)
            for one in gone:
                self._forget_run_at_its_end(row.stream, one)
            taken += gone
        owner = (row.camera, row.stream)
        bury(self.index, (number, row.epoch), owner, taken, rule, time.time_ns())
        return left

    def _forget_run_at_its_end(self, stream: bytes, row: Row) -> None:
        run = self.run(stream, row.run)
        if run is not None and run.last_sequence == row.sequence:
            self.index.delete(Table.RUNS, stream + U64.pack(row.run))

    # sample entries, counted by the segments that use them

    def entry(self, sha256: bytes) -> bytes | None:
        """ftyp + moov."""
        value = self.index.get(Table.ENTRIES, sha256)
        return None if value is None else value[4:]

    def use_entry(self, sha256: bytes, head: bytes) -> None:
        self._count_entry(sha256, 1, head)

    def _count_entry(self, sha256: bytes, change: int, head: bytes) -> None:
        value = self.index.get(Table.ENTRIES, sha256)
        count = change + (unpack(U32, value[:4]) if value is not None else 0)
        if count > 0:
            head = head if value is None else value[4:]
            self.index.put(Table.ENTRIES, sha256, U32.pack(count) + head)
        elif value is not None:
            self.index.delete(Table.ENTRIES, sha256)

    # rows

    def add_row(self, stream: bytes, row: PackedRow) -> None:
        """A chunk that is durable; added in the order of the segment."""
        key = (stream, minute_of(row.row.wall_start_ns))
        self._tails.setdefault(key, []).append(row)

    def file_tails(self, stream: bytes | None = None) -> None:
        """Packs what waits (of one stream, for a question; of all, for a commit)."""
        wanted = [key for key in self._tails if stream is None or key[0] == stream]
        for key in wanted:
            self.rows.add(*key, self._tails.pop(key))

    def _values_of(self, number: int, row: SegmentRow) -> list[tuple[int, bytes, list[Row]]]:
        self.file_tails(row.stream)
        return self.rows.of_segment(
            row.stream, row.wall_start_ns, row.wall_end_ns, number, row.epoch
        )

    def row_values(self, stream: bytes, from_ns: int, to_ns: int) -> Iterator[tuple[int, bytes]]:
        """Values that may hold rows which overlap [from_ns, to_ns), each with the minute it stands
        under: clip after unpacking.
        """
        self.file_tails(stream)
        yield from self.rows.touching(stream, from_ns, to_ns)

    def packed_minutes(self, stream: bytes, from_ns: int, to_ns: int) -> Iterator[bytes]:
        """As `row_values`, without their minutes."""
        for _, value in self.row_values(stream, from_ns, to_ns):
            yield value

    def rows_of_segment(self, number: int, row: SegmentRow) -> list[Row]:
        """A segment's rows in the order of their place."""
        found = [r for _, _, own in self._values_of(number, row) for r in own]
        return sorted(found, key=lambda r: r.offset)

    def mark_row(self, stream: bytes, number: int, epoch: int, row: Row, flag: int) -> None:
        """Adds a row flag to one row of a segment's life."""
        self.file_tails(stream)
        self.rows.flag(stream, number, epoch, row, flag)

    def mark_last_row(self, stream: bytes, number: int, row: SegmentRow, flag: int) -> None:
        """Adds a row flag to a segment's last row (the fragment goes on in the next segment)."""
        # The last by its place: a clock that was set back files it under an earlier minute
        # (promise 7).
        rows = self.rows_of_segment(number, row)
        if rows:
            self.rows.flag(stream, number, row.epoch, rows[-1], flag)

    # runs, streams, sessions

    def run(self, stream: bytes, run: int) -> RunRow | None:
        value = self.index.get(Table.RUNS, stream + U64.pack(run))
        return None if value is None else run_row(run, value)

    def put_run(self, stream: bytes, row: RunRow) -> None:
        self.index.put(Table.RUNS, stream + U64.pack(row.run), run_value(row))

    def runs(self, stream: bytes, from_ns: int, to_ns: int) -> list[RunRow]:
        """Runs of a stream that overlap [from_ns, to_ns), by their numbers."""
        first, last = stream + U64.pack(0), stream + U64.pack(U64_MAX)
        found = (
            run_row(unpack(U64, key[16:]), value)
            for key, value in self.index.items(Table.RUNS, first, last)
        )
        return [r for r in found if r.wall_start_ns < to_ns and r.wall_end_ns > from_ns]

    def stream(self, stream: bytes) -> StreamRow | None:
        value = self.index.get(Table.STREAMS, stream)
        return None if value is None else stream_row(value)

    def put_stream(self, stream: bytes, row: StreamRow) -> None:
        self.index.put(Table.STREAMS, stream, stream_value(row))

    def streams(self) -> list[tuple[bytes, StreamRow]]:
        found = self.index.items(Table.STREAMS, b"", b"\xff" * 16)
        return [(key, stream_row(value)) for key, value in found]

    def put_session(self, start_ns: int, end_ns: int) -> None:
        """From when to when (box's wall clock) a keeper wrote here."""
        self.index.put(Table.SESSIONS, U64.pack(max(start_ns, 0)), I64.pack(end_ns))

    def sessions(self) -> list[tuple[int, int]]:
        found = self.index.items(Table.SESSIONS, b"", b"\xff" * 8)
        return [(unpack(U64, key), unpack(I64, value)) for key, value in found]

    def trim_sessions(self, most: int) -> None:
        """Forgets the oldest ones: each start adds one."""
        for start_ns, _ in self.sessions()[:-most]:
            self.index.delete(Table.SESSIONS, U64.pack(start_ns))

    def fill_free(self, numbers: Iterable[int]) -> None:
        """A new disk's segments: free, in the order of their numbers."""
        self.index.put(Table.META, _FREE, U32.pack(0))
        for number in numbers:
            self.put_segment(number, SegmentRow(SegmentState.FREE, order=number))


def _is_ordered(state: SegmentState) -> bool:
    return state in (SegmentState.FREE, SegmentState.SEALED)
