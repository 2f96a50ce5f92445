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

from vonggac.store.archive import Archive
from vonggac.store.batch import Batch, Spare
from vonggac.store.disk import Disk
from vonggac.store.index_values import SegmentRow
from vonggac.store.journal import JournalSegment, SegmentState
from vonggac.store.open_segment import OpenSegment
from vonggac.store.tombstone import RECYCLED, Rule

_LEAD_TICKS = 6
"""A spare takes three ticks to be ready; twice that, for a stream that grows meanwhile."""
_SLACK = 2
_CANDIDATES_MAX = 64
"""How far the order of reuse is searched for a segment that nobody is reading."""
_LOOKED_MAX = 4096
"""Segments looked at in one tick, about 20 ms: locked ones gather at the head of the order."""
_DUE_A_TICK = 16
"""Expired segments given up in one tick: each costs a zeroing of up to 2 ms."""


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
    due: deque[tuple[int, int, Rule]] = field(default_factory=deque)
    """Whole segments whose time has come: number, epoch, why."""
    preferred: deque[tuple[int, int]] = field(default_factory=deque)
    """(number, epoch) of footage that goes before what is next in order, which is promised."""
    surplus_max: int = 64
    """So many more than wanted stay ready; what is zeroed beyond that becomes free."""
    returned: list[JournalSegment] = field(default_factory=list)
    """Free again, which the index does not know before its next commit."""
    _committing: list[JournalSegment] = field(default_factory=list)
    _wanted: int = 0
    _out_of_turn: set[int] = field(default_factory=set)
    """Taken before what is next in order: that says nothing of how far the ring has turned."""
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
        reserved = [JournalSegment(s.number, SegmentState.RESERVED, s.epoch) for s in self.reserved]
        again = {entry.number for entry in reserved}
        back = [e for e in (*self._committing, *self.returned) if e.number not in again]
        return [*back, *ready, *reserved]

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
        self._give_up_due(batch, is_locked)
        self._wanted = self.wanted(open_segments, waiting)
        missing = self._wanted - len(self.ready) - len(self.reserved)
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
        taken = self._preferred(count, is_locked)
        before = {number for number, _ in taken}
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
            if number in before:
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

    def _preferred(
        self, count: int, is_locked: Callable[[SegmentRow], bool]
    ) -> list[tuple[int, SegmentRow]]:
        """Footage that is not promised, while what is next in order is; empty where room is free.

        Only what a sweep with a trusted clock has named: else the order is that of sealing alone.
        """
        found: list[tuple[int, SegmentRow]] = []
        segments = self.disk.identity.segments
        if self.preferred and next(self.archive.reusable(0, segments), None) is not None:
            return found
        while self.preferred and len(found) < count:
            row = self._still(*self.preferred.popleft(), is_locked)
            if row is not None:
                self._out_of_turn.add(row[0])
                found.append(row)
        return found

    def _still(
        self, number: int, epoch: int, is_locked: Callable[[SegmentRow], bool]
    ) -> tuple[int, SegmentRow] | None:
        """The segment, if it still lives that life and may be given up."""
        row = self.archive.segment(number)
        if row is None or (row.state, row.epoch) != (SegmentState.SEALED, epoch):
            return None
        is_held = not self._may_give_up or is_locked(row) or self.is_leased(number, epoch)
        return None if is_held else (number, row)

    def _give_up_due(self, batch: Batch[Any], is_locked: Callable[[SegmentRow], bool]) -> None:
        """Promise 6: what has expired is zeroed as what is recycled is. What is locked or read
        meanwhile stays until it is found again.
        """
        for _ in range(min(len(self.due), _DUE_A_TICK)):
            number, epoch, rule = self.due.popleft()
            found = self._still(number, epoch, is_locked)
            if found is not None:
                batch.reserved.append(self._reserve(*found, rule))

    @property
    def _may_give_up(self) -> bool:
        return self.may_reuse_sealed and self.are_locks_known

    def _reserve(self, number: int, row: SegmentRow, rule: Rule = RECYCLED) -> Spare:
        if row.state is SegmentState.SEALED:
            self.archive.forget(number, rule)
            if rule == RECYCLED and number not in self._out_of_turn:
                self.oldest_order = row.order
            self._out_of_turn.discard(number)
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
        while len(self.ready) > self._wanted + self.surplus_max:
            self._return(self.ready.pop())

    def _return(self, spare: Spare) -> None:
        """Zeroed, and not needed soon: free, and taken before any footage."""
        os.close(spare.fd)
        row = SegmentRow(SegmentState.FREE, epoch=spare.epoch, order=spare.number)
        self.archive.put_segment(spare.number, row)
        self.returned.append(JournalSegment(spare.number, SegmentState.READY, spare.epoch))

    def freeze(self) -> None:
        """The index's next commit says that these are free."""
        self._committing, self.returned = self.returned, []

    def committed(self) -> bool:
        """The commit is on the disk; True when the journal lists less than before."""
        is_less = bool(self._committing)
        self._committing = []
        return is_less

    @property
    def is_settled(self) -> bool:
        return not (self.reserved or self.due)

    def close(self) -> None:
        for spare in (*self.ready, *self.reserved):
            os.close(spare.fd)
