"""What recovery found, as values: what the ring starts from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from vonggac.media.chunk import Row
from vonggac.store.index_values import SegmentRow
from vonggac.store.journal import JournalSegment, OpenGap, SegmentState
from vonggac.store.segment import Life

__all__ = ["Fresh", "Recovered", "RecoveredSegment"]

_MISSING_MAX = 64
"""Chunks of a stream that are looked for behind the newest; ten ticks bring ten, or some more."""


@dataclass(slots=True)
class RecoveredSegment:
    """A live segment with chunks in it: it goes on at `offset`."""

    life: Life
    camera: bytes
    stream: bytes
    entry_sha256: bytes
    rows: list[Row]
    offset: int
    decode_end_ticks: int
    last_run: int
    order: int
    holes: list[tuple[int, int]]
    """Torn ranges between whole chunks, none of it ever reported durable, or damaged since."""
    known_end: int
    """Where the indexed part ends: nothing before it is mended."""

    def summary(self, state: SegmentState) -> SegmentRow:
        """The index's row of it."""
        return SegmentRow(
            state=state,
            epoch=self.life.epoch,
            camera=self.camera,
            stream=self.stream,
            entry_sha256=self.entry_sha256,
            wall_start_ns=min(r.wall_start_ns for r in self.rows),
            wall_end_ns=max(r.wall_end_ns for r in self.rows),
            order=self.order,
            chunks=len(self.rows),
            used_bytes=self.offset,
        )


@dataclass(slots=True)
class Recovered:
    """What the ring starts from."""

    segments: list[RecoveredSegment] = field(default_factory=list)
    spares: list[JournalSegment] = field(default_factory=list)
    """Reserved or ready, and empty: zeroed again before they are used."""
    sealed: list[JournalSegment] = field(default_factory=list)
    """Sealed since the index was committed, and now filed."""
    gaps: dict[bytes, OpenGap] = field(default_factory=dict)
    inband: set[bytes] = field(default_factory=set)
    last_run: int = 0
    notes: list[str] = field(default_factory=list)
    """What was odd, a sentence each."""
    fresh: dict[tuple[bytes, int], Fresh] = field(default_factory=dict)
    """By stream and run."""
    torn: list[str] = field(default_factory=list)
    """Holes between whole chunks, a sentence each: what a cut may leave of its last tick."""


@dataclass(slots=True)
class Fresh:
    """Chunks of one run that the index did not have yet."""

    indexed: int
    """The last sequence that it had; -1: none."""
    whole: set[int] = field(default_factory=set)
    newest: int = -1

    def missing(self) -> Iterator[int]:
        """Those before the newest that are not whole here: they were never acknowledged, so whoever
        still has one hands it over again.
        """
        first = max(self.indexed + 1, self.newest - _MISSING_MAX)
        return (n for n in range(first, self.newest + 1) if n not in self.whole)
