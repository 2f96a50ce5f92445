"""Which recorded time is locked (promise 5 of docs/design/storage.md). Pure.

Ranges are half-open, [from_ns, to_ns). What lasts no time at all lies in its own nanosecond.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass, field
from typing import Self

from vonggac._native import segment as native
from vonggac.store.journal import Lock

__all__ = ["RANGES_MAX", "LockSet", "pinned", "union", "without"]

RANGES_MAX = 4096
"""A range is a lock of one stream. All of them stand in each snapshot of a journal: 192 KiB."""

Range = tuple[int, int]


@dataclass(frozen=True, slots=True)
class LockSet:
    """Locked time by stream: ranges merged and in order, so that a question is one bisection."""

    _ranges: Mapping[bytes, tuple[Range, ...]] = field(default_factory=dict)
    _ends: Mapping[bytes, tuple[int, ...]] = field(default_factory=dict)

    @classmethod
    def of(cls, locks: Iterable[Lock]) -> Self:
        by_stream: dict[bytes, list[Range]] = {}
        for lock in locks:
            by_stream.setdefault(lock.stream, []).append((lock.from_ns, lock.to_ns))
        ranges = {stream: _merged(found) for stream, found in by_stream.items()}
        return cls(ranges, {s: tuple(end for _, end in found) for s, found in ranges.items()})

    @property
    def streams(self) -> Set[bytes]:
        """Those of which anything is locked."""
        return self._ranges.keys()

    def ranges(self, stream: bytes) -> tuple[Range, ...]:
        """All that is locked of a stream, merged, in order."""
        return self._ranges.get(stream, ())

    def is_locked(self, stream: bytes, from_ns: int, to_ns: int) -> bool:
        """Whether any of [from_ns, to_ns) is: then whoever would free that range leaves it."""
        found = self._ranges.get(stream)
        if found is None:
            return False
        first = bisect_right(self._ends[stream], from_ns)
        return first < len(found) and found[first][0] < max(to_ns, from_ns + 1)

    def unlocked(self, stream: bytes, from_ns: int, to_ns: int) -> list[Range]:
        """The parts of [from_ns, to_ns) that no lock covers, in order."""
        parts: list[Range] = []
        for start, end in self.ranges(stream):
            if end <= from_ns:
                continue
            if start >= to_ns:
                break
            if from_ns < start:
                parts.append((from_ns, start))
            from_ns = max(from_ns, end)
        if from_ns < to_ns:
            parts.append((from_ns, to_ns))
        return parts


def union(held: Iterable[Lock], more: Iterable[Lock]) -> tuple[Lock, ...]:
    """Both. Where they differ about a lock's range of a stream, the wider one."""
    found: dict[tuple[bytes, bytes], Lock] = {}
    for lock in (*held, *more):
        key = (lock.lock, lock.stream)
        before = found.get(key, lock)
        from_ns, to_ns = min(lock.from_ns, before.from_ns), max(lock.to_ns, before.to_ns)
        found[key] = Lock(lock.lock, lock.stream, from_ns, to_ns)
    return tuple(found.values())


def without(held: Iterable[Lock], gone: Set[bytes]) -> tuple[Lock, ...]:
    """Those whose lock is none of `gone`."""
    return tuple(lock for lock in held if lock.lock not in gone)


def pinned(packed: Iterable[bytes], ranges: Iterable[Range]) -> set[int]:
    """Segments of one disk that hold a chunk within `ranges`; `packed`: a stream's index values."""
    wanted = LockSet.of(Lock(b"", b"", from_ns, to_ns) for from_ns, to_ns in ranges)
    return {
        row.segment
        for value in packed
        for row in native.rows_unpack(value)
        if wanted.is_locked(b"", row.row.wall_start_ns, row.row.wall_end_ns)
    }


def _merged(ranges: list[Range]) -> tuple[Range, ...]:
    merged: list[Range] = []
    for start, end in sorted(ranges):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        elif start < end:
            merged.append((start, end))
    return tuple(merged)
