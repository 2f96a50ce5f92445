"""The packed rows of the index: which value a row goes to, and which values hold a time.

A value stands under the minute of its first row and holds rows of that minute up to the minute of
the next value, an hour's at most. It is closed when it would outgrow a page of LMDB: then it lies
in a page of its own and fills it, whereas of values of half a kilobyte each split leaves a page
three quarters full at best (docs/design/storage.md, "The index").
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from typing import Final

from vonggac._native import rows as native
from vonggac.errors import MediaError
from vonggac.media.chunk import PackedRow, Row
from vonggac.store.index import Index, IndexDamaged, Table
from vonggac.store.index_values import MINUTE_NS, U32, minute_of, unpack

VALUE_BYTES: Final = 4096 - 16
"""What fits into one page of its own, behind LMDB's page header."""
_SPAN_MINUTES: Final = 60
_LAST_MINUTE: Final = (1 << 32) - 1
_KNOWN_MAX: Final = 256
_DAY_MINUTES: Final = 1440


@dataclass(slots=True)
class _Known:
    """The minutes of all values of a stream from `first` on, in order."""

    first: int
    minutes: list[int]


@dataclass(slots=True)
class RowValues:
    """Table.ROWS of an index; nobody else writes it."""

    index: Index
    is_unordered: bool = False
    """While a rebuild files segments in the order of their numbers."""
    _known: dict[bytes, _Known] = field(default_factory=dict)
    """By stream: whoever walks the index for each minute that is filed walks all the time."""

    def add(self, stream: bytes, minute: int, rows: Sequence[PackedRow]) -> None:
        """Files rows that start in one minute behind what is there, or in the order of their runs
        and sequences while that is `is_unordered`.
        """
        at = self._value_of(stream, minute)
        value = None if at is None else self.index.get(Table.ROWS, _key(stream, at))
        if at is None or value is None:
            self._put(stream, minute, self._packed(rows))
            return
        longer = self._joined(value, rows)
        if at == minute or len(longer) <= VALUE_BYTES:
            self._put(stream, at, longer)
            return
        if not self._has_rows_from(value, minute + 1):
            self._put(stream, minute, self._packed(rows))
            return
        # The clock was set back: what follows this minute must not stand under one before it.
        before, behind = native.rows_split(longer, minute * MINUTE_NS)
        self.replace(stream, at, before)
        self.replace(stream, minute, behind)

    def _packed(self, rows: Sequence[PackedRow]) -> bytes:
        return native.rows_pack(sorted(rows, key=_in_order) if self.is_unordered else rows)

    def _joined(self, value: bytes, rows: Sequence[PackedRow]) -> bytes:
        with _readable():
            if self.is_unordered:
                return native.rows_merge(value, rows)
            return native.rows_append(value, rows)

    def _has_rows_from(self, value: bytes, minute: int) -> bool:
        with _readable():
            return native.rows_split(value, minute * MINUTE_NS)[1] is not None

    def of(self, stream: bytes, first_minute: int, last_minute: int) -> Iterator[tuple[int, bytes]]:
        """Values that may hold rows of these minutes, each with its own minute; the first may hold
        none.
        """
        first = _key(stream, max(first_minute - _SPAN_MINUTES, 0))
        before: tuple[int, bytes] | None = None
        for key, value in self.index.items(Table.ROWS, first, _key(stream, last_minute)):
            minute = _minute(key)
            if minute < first_minute:
                before = minute, value
                continue
            if before is not None:
                yield before
                before = None
            yield minute, value
        if before is not None:
            yield before

    def touching(self, stream: bytes, from_ns: int, to_ns: int) -> Iterator[tuple[int, bytes]]:
        """Values with rows that overlap [from_ns, to_ns), and others: clip after unpacking."""
        # A row lasts a tick, or one access unit's wait: less than a minute.
        first = minute_of(from_ns - MINUTE_NS)
        for minute, value in self.of(stream, first, minute_of(to_ns)):
            if minute >= first or _touches(value, from_ns, to_ns):
                yield minute, value

    def of_segment(
        self, stream: bytes, wall_start_ns: int, wall_end_ns: int, number: int, epoch: int
    ) -> list[tuple[int, bytes, list[Row]]]:
        """Values with rows of one life of a segment, whose rows lie in these times, and those rows.
        Usually a few; but where the clock was set while it was open, a year may lie between its
        first chunk and its last, with all that was recorded in it.
        """
        found = self.of(stream, minute_of(wall_start_ns), minute_of(wall_end_ns))
        seen = ((minute, value, _own(value, number, epoch)) for minute, value in found)
        return [one for one in seen if one[2]]

    def flag(self, stream: bytes, number: int, epoch: int, row: Row, flag: int) -> None:
        """Adds a flag to one row of a segment's life."""
        minute = minute_of(row.wall_start_ns)
        for at, value in self.of(stream, minute, minute):
            with _readable():
                self._put(stream, at, native.rows_flag(value, number, epoch, row.offset, flag))

    def replace(self, stream: bytes, minute: int, value: bytes | None) -> None:
        """Another value in the place of one; None: no more rows are there."""
        if value is not None:
            self._put(stream, minute, value)
            return
        self.index.delete(Table.ROWS, _key(stream, minute))
        known = self._known.get(stream)
        if known is not None:
            at = bisect_left(known.minutes, minute)
            del known.minutes[at : bisect_right(known.minutes, minute)]

    def _put(self, stream: bytes, minute: int, value: bytes) -> None:
        self.index.put(Table.ROWS, _key(stream, minute), value)
        known = self._known.get(stream)
        if known is None or minute < known.first:
            return
        at = bisect_left(known.minutes, minute)
        if known.minutes[at : at + 1] != [minute]:
            insort(known.minutes, minute)
        if len(known.minutes) > _KNOWN_MAX and not self.is_unordered:
            del known.minutes[: -_KNOWN_MAX // 2]
            known.first = known.minutes[0]

    def _value_of(self, stream: bytes, minute: int) -> int | None:
        """Under which minute the value stands that holds a minute's rows; None: none does."""
        first = max(minute - _SPAN_MINUTES + 1, 0)
        minutes = self._minutes_from(stream, first, minute)
        at = bisect_right(minutes, minute)
        return minutes[at - 1] if at and minutes[at - 1] >= first else None

    def _minutes_from(self, stream: bytes, first: int, last: int) -> list[int]:
        """The minutes of all values in [first, last], in order, and perhaps of others."""
        known = self._known.get(stream)
        if known is None:
            known = self._known[stream] = self._known_from(stream, first)
        if first < known.first and self.is_unordered:
            earlier = max(first - _DAY_MINUTES, 0)  # a walk for each hour would be as many
            known.minutes[:0] = self._walk(stream, earlier, known.first - 1)
            known.first = earlier
        elif first < known.first:  # the clock was set back
            return list(self._walk(stream, first, last))
        return known.minutes

    def _known_from(self, stream: bytes, first: int) -> _Known:
        """Of a stream that nothing is known of. A box whose clock begins in 1970 has all it ever
        recorded ahead of it: that is not read for one row, and nothing is known then.
        """
        found = self._walk(stream, first, _LAST_MINUTE)
        if self.is_unordered:
            return _Known(first, list(found))
        some = list(islice(found, _KNOWN_MAX + 1))
        return _Known(first, some) if len(some) <= _KNOWN_MAX else _Known(_LAST_MINUTE + 1, [])

    def _walk(self, stream: bytes, first: int, last: int) -> Iterator[int]:
        found = self.index.keys(Table.ROWS, _key(stream, first), _key(stream, last))
        return (_minute(key) for key in found)


def _key(stream: bytes, minute: int) -> bytes:
    return stream + U32.pack(minute)


def _minute(key: bytes) -> int:
    return unpack(U32, key[-U32.size :])


def _in_order(packed: PackedRow) -> tuple[int, int]:
    return packed.row.run, packed.row.sequence


def _own(value: bytes, number: int, epoch: int) -> list[Row]:
    with _readable():
        return native.rows_of(value, number, epoch)


def _touches(value: bytes, from_ns: int, to_ns: int) -> bool:
    with _readable():
        return bool(native.rows_spans([value], from_ns, to_ns))


@contextmanager
def _readable() -> Iterator[None]:
    """What is no value of the index is a damaged index."""
    try:
        yield
    except MediaError as error:
        raise IndexDamaged(f"packed rows in the index: {error}") from error
