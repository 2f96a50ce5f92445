"""Segments on their way to be used next.

Reserved: taken from the order of reuse, its epoch goes into this tick's journal. In the next tick
it is zeroed; from the third it may be opened. So a crash never finds old bytes under a new epoch,
nor a segment that is emptied while the journal still calls it footage (promises 1 and 6).
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

from vonggac.store.archive import Archive, SegmentRow
from vonggac.store.batch import Batch, Spare
from vonggac.store.disk import Disk
from vonggac.store.journal import JournalSegment, SegmentState
from vonggac.store.open_segment import OpenSegment

_LEAD_TICKS = 6
"""A spare takes three ticks to be ready; twice that, for a stream that grows meanwhile."""
_SLACK = 2
_CANDIDATES_MAX = 64
"""How far the order of reuse is searched for a segment that nobody is reading."""
_LOOKED_MAX = 4096
"""Segments looked at in one tick, about 20 ms: locked ones gather at the head of the order."""


@dataclass(slots=True)
class Spares:
    disk: Disk
    archive: Archive
    highest_epoch: int
    expected_streams: int = 0
    is_leased: Callable[[int, int], bool] = lambda number, epoch: False
    """Whether somebody reads (segment, epoch) now; such a segment is reused last."""
    may_reuse_sealed: bool = True
    """False while a rebuild has not seen all segments: the oldest is not known yet."""
    are_locks_known: bool = True
    """False until the catalog's locks were told: before, no footage is given up (promise 5)."""
    ready: deque[Spare] = field(default_factory=deque)
    reserved: list[Spare] = field(default_factory=list)
    is_full: bool = False
    """Nothing could be taken when it was needed: everything is locked, or the disk is too small."""
    oldest_order: int | None = None
    """The order of sealing of the footage that was last given up."""
    _locked_below: int = 0
    """All that stands below this in the order of reuse is locked: not looked at again."""
    _is_searched: bool = True
    """The last search has seen all there is, or found enough."""

    def adopt(self, number: int, epoch: int) -> None:
        """A spare that recovery found: journalled, and zeroed anew because nobody knows."""
        fd = self.disk.open_segment(number, writable=True)
        self.reserved.append(Spare(number, epoch, fd, is_journalled=True))
        self.archive.put_segment(number, SegmentRow(SegmentState.RESERVED, epoch=epoch))

    def entries(self) -> list[JournalSegment]:
        """What the journal lists."""
        ready = [JournalSegment(s.number, SegmentState.READY, s.epoch) for s in self.ready]
        return ready + [
            JournalSegment(s.number, SegmentState.RESERVED, s.epoch) for s in self.reserved
        ]

    def wanted(self, open_segments: Sequence[OpenSegment], waiting: int) -> int:
        """How many should be on their way: for streams without a segment, and for segments soon
        full.
        """
        without = max(self.expected_streams - len(open_segments), waiting, 0)
        soon_full = sum(segment.needs_successor_within(_LEAD_TICKS) for segment in open_segments)
        return without + soon_full + _SLACK

    def move_on(
        self,
        batch: Batch[Any],
        open_segments: Sequence[OpenSegment],
        waiting: int,
        is_locked: Callable[[SegmentRow], bool],
    ) -> None:
        """Zeroes what was journalled before, and reserves what is missing."""
        batch.zeros.extend(spare for spare in self.reserved if spare.is_journalled)
        missing = self.wanted(open_segments, waiting) - len(self.ready) - len(self.reserved)
        self.is_full = False
        if missing > 0:
            taken = self._candidates(missing, is_locked)
            is_hopeless = self._is_searched and not taken and not self.reserved
            self.is_full = waiting > 0 and is_hopeless
            batch.reserved.extend(self._reserve(number, row) for number, row in taken)
        for segment in open_segments:
            segment.end_tick()

    def look_again(self) -> None:
        """A lock was taken away: what is locked is found out anew."""
        self._locked_below = 0

    def _candidates(
        self, count: int, is_locked: Callable[[SegmentRow], bool]
    ) -> list[tuple[int, SegmentRow]]:
        taken: list[tuple[int, SegmentRow]] = []
        leased: list[tuple[int, SegmentRow]] = []
        locked = 0
        self._is_searched = False
        for seen, (number, row) in enumerate(self._in_order()):
            if len(taken) == count or seen - locked == _CANDIDATES_MAX + count:
                break
            if seen == _LOOKED_MAX:
                # Going on in the next tick: locks cost time, never the recording.
                return taken + leased[: count - len(taken)]
            if row.state is SegmentState.SEALED and not self._may_give_up:
                continue
            if is_locked(row):
                locked += 1
                if not leased and self._may_give_up:
                    self._locked_below = row.order + 1
                continue
            (leased if self.is_leased(number, row.epoch) else taken).append((number, row))
        self._is_searched = True
        # A reader delays the reuse of its segment, but never the recording.
        return taken + leased[: count - len(taken)]

    def _in_order(self) -> Iterator[tuple[int, SegmentRow]]:
        segments = self.disk.identity.segments
        free = self.archive.reusable(0, segments)  # their order is their number
        return chain(free, self.archive.reusable(max(self._locked_below, segments + 1)))

    @property
    def _may_give_up(self) -> bool:
        return self.may_reuse_sealed and self.are_locks_known

    def _reserve(self, number: int, row: SegmentRow) -> Spare:
        if row.state is SegmentState.SEALED:
            self.archive.forget(number)
            self.oldest_order = row.order
        self.highest_epoch += 1
        fd = self.disk.open_segment(number, writable=True)
        spare = Spare(number, self.highest_epoch, fd)
        self.archive.put_segment(number, SegmentRow(SegmentState.RESERVED, epoch=spare.epoch))
        self.reserved.append(spare)
        return spare

    def finish(self, batch: Batch[Any]) -> None:
        """The batch is durable: its reservations are journalled, its zeros are zeros."""
        for spare in batch.zeros:
            self.reserved.remove(spare)
            self.ready.append(spare)
        for spare in batch.reserved:
            spare.is_journalled = True

    @property
    def is_settled(self) -> bool:
        return not self.reserved

    def close(self) -> None:
        for spare in (*self.ready, *self.reserved):
            os.close(spare.fd)
