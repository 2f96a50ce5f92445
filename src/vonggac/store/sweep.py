"""One look at all sealed segments, a slice at a time: what is due, what is promised, how it fills.

Goes along the order of sealing; a disk of 100 TB takes half an hour of slices. Reads the index
alone.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass, field

from vonggac.store.archive import Archive
from vonggac.store.index_values import SegmentRow
from vonggac.store.locks import LockSet
from vonggac.store.retention import DAY_NS, HOUR_NS, Due, Limits, Policies, due

__all__ = ["Sweep", "Tally"]

_DUE_MAX = 10_000
"""Remembered for one plan: 320 GB, more than it may erase."""
_PREFERRED_MAX = 4096
_RECENT_NS = DAY_NS
_LEAST_NS = HOUR_NS


@dataclass(slots=True)
class Tally:
    """A stream on this disk. Bytes are those of whole segments."""

    camera: bytes
    segments: int = 0
    oldest_ns: int = 0
    newest_ns: int = 0
    recent_bytes: int = 0
    """Recorded in the last day."""

    def bytes_a_day(self, now_ns: int) -> int | None:
        """At the rate of the last day; None where it was recorded for less than an hour."""
        over_ns = min(now_ns - self.oldest_ns, _RECENT_NS)
        return None if over_ns < _LEAST_NS else self.recent_bytes * DAY_NS // over_ns


@dataclass(slots=True)
class Sweep:
    """`step` until it says False; then the fields are complete."""

    archive: Archive
    policies: Policies
    locks: LockSet
    now_ns: int
    segments: int
    """Of the disk."""
    segment_bytes: int
    streams: dict[bytes, Tally] = field(default_factory=dict)
    held_bytes: int = 0
    pinned_bytes: int = 0
    """Of segments that a lock reaches into."""
    due_bytes: int = 0
    """Of those that are due as a whole."""
    due: list[tuple[int, SegmentRow]] = field(default_factory=list)
    _promised: list[tuple[int, int, int, int]] = field(default_factory=list)
    _unpromised: list[tuple[int, int]] = field(default_factory=list)
    _priorities: set[int] = field(default_factory=set)
    """Of what is promised."""
    _is_full_of_unpromised: bool = False
    """All that is reused for long stands at the head of the order anyway."""
    _rows: Iterator[tuple[int, SegmentRow]] = field(init=False)

    def __post_init__(self) -> None:
        self._rows = self.archive.reusable(self.segments + 1)

    def step(self, most: int) -> bool:
        """Looks at so many segments; False when there are no more."""
        for _ in range(most):
            found = next(self._rows, None)
            if found is None:
                return False
            self._look(*found)
        return True

    def preferred(self) -> list[tuple[int, int]]:
        """(number, epoch) of what may be reused before the footage that is next in order, where
        the latter is promised; empty where the order of sealing breaks no promise.

        First what nobody was promised, in order; then promises of the lowest priority.
        """
        is_in_order = self._is_full_of_unpromised or not self._promised
        if is_in_order or (not self._unpromised and len(self._priorities) == 1):
            return []
        room = _PREFERRED_MAX - len(self._unpromised)
        lowest = heapq.nsmallest(room, self._promised)
        return self._unpromised + [(number, epoch) for _, _, number, epoch in lowest]

    def _look(self, number: int, row: SegmentRow) -> None:
        limits = self.policies.of(row.camera)
        what = due(row, limits, self.locks, self.now_ns)
        if what is not Due.NOTHING and len(self.due) < _DUE_MAX:
            self.due.append((number, row))
        if not row.chunks:
            return
        self._count(row)
        is_pinned = self.locks.is_locked(row.stream, row.wall_start_ns, row.wall_end_ns)
        if is_pinned:
            self.pinned_bytes += self.segment_bytes
        if what is Due.WHOLE:
            self.due_bytes += self.segment_bytes
        elif not is_pinned:
            self._rank(number, row, limits)

    def _rank(self, number: int, row: SegmentRow, limits: Limits) -> None:
        if row.wall_end_ns > self.now_ns - limits.days_min * DAY_NS:
            self._priorities.add(limits.priority)
            self._promised.append((limits.priority, row.order, number, row.epoch))
            if len(self._promised) > 2 * _PREFERRED_MAX:  # only the lowest are ever wanted
                self._promised = heapq.nsmallest(_PREFERRED_MAX, self._promised)
        elif len(self._unpromised) < _PREFERRED_MAX:
            self._unpromised.append((number, row.epoch))
            is_full = len(self._unpromised) == _PREFERRED_MAX
            self._is_full_of_unpromised = is_full and not self._promised

    def _count(self, row: SegmentRow) -> None:
        tally = self.streams.get(row.stream)
        if tally is None:
            tally = self.streams[row.stream] = Tally(row.camera, oldest_ns=row.wall_start_ns)
        tally.segments += 1
        tally.oldest_ns = min(tally.oldest_ns, row.wall_start_ns)
        tally.newest_ns = max(tally.newest_ns, row.wall_end_ns)
        self.held_bytes += self.segment_bytes
        from_ns = max(row.wall_start_ns, self.now_ns - _RECENT_NS)
        if row.wall_end_ns > from_ns and row.wall_start_ns < self.now_ns:
            span_ns = max(row.wall_end_ns - row.wall_start_ns, 1)
            part_ns = row.wall_end_ns - from_ns
            tally.recent_bytes += row.used_bytes * part_ns // span_ns
