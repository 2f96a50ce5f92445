"""A keeper's retention: looks at all segments again and again, has erased what is due, and tells
what it holds. Promise 6 of docs/design/storage.md.

What is decided stands in `vonggac.store.retention`; what is done goes through the ring's ticks.
"""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence

from vonggac.errors import StorageError
from vonggac.media.chunk import Row
from vonggac.store import retention
from vonggac.store.index_values import SegmentRow
from vonggac.store.retention import HOUR_NS, Limits, Policies, Step
from vonggac.store.sweep import Sweep
from vonggac.store.tombstone import Rule
from vonggac_appliance import sockets
from vonggac_appliance.clock import Clock, wall_ns
from vonggac_appliance.keep_chores import Desk, Obey
from vonggac_appliance.keep_retention_words import RetentionWords
from vonggac_appliance.keep_told_clock import ToldClock
from vonggac_appliance.messages import Kind
from vonggac_appliance.messages_keeper import ClockTold, KeptDays, Retention

__all__ = ["KeepRetention"]

_log = logging.getLogger("vonggac.keep")

_EVERY_S = 60.0
_SLICE_S = 0.005
"""Of each second: a million segments take less than an hour, and no tick waits for it."""
_PIECE = 64
_AGAIN_S = 43_200.0
"""When a segment of which nothing could be erased is looked at again."""
_IDLE_NS = 60 * 1_000_000_000


class KeepRetention:
    """The chore. `revoke`: takes a segment's leases away, (number, epoch)."""

    def __init__(
        self,
        desk: Desk,
        revoke: Callable[[int, int], None],
        clock: Clock = wall_ns,
    ) -> None:
        self._desk = desk
        self._ring = desk.ring
        self._revoke = revoke
        self._clock = clock
        self._told_clock = ToldClock(clock)
        self._told = RetentionWords(desk)
        self._policies: Policies | None = None
        self._arriving: dict[bytes, Limits] = {}
        self._is_confirmed = False
        self._now_s = 0.0
        self._filled_s: float | None = None
        self._budget_bytes = 0.0
        self._sweep: Sweep | None = None
        self._next_s = 0.0
        self._steps: deque[Step] = deque()
        self._wanted_commits = 0
        self._settled: dict[int, tuple[int, int, float, bool]] = {}
        """Of which nothing more is due: number, then epoch, hash of its locks, until when, and
        whether it waits for a proof of its time."""
        self._proven: dict[bytes, tuple[int, int]] = {}
        """By stream, of what was sealed last of all that was looked into, is due and has a proven
        time: its order, its end. It outlives the segment: what was sealed before is due as well.
        """

    @property
    def obeys(self) -> Mapping[Kind, Obey]:
        """Limits, and the clock."""
        return {
            Kind.RETENTION: self._limits,
            Kind.CLOCK_TOLD: self._clock_told,
        }

    def turn(self, now_s: float) -> None:
        """A slice of the look at all segments, or a few steps of what came of it."""
        self._now_s = now_s
        self._fill_budget()
        ring = self._ring
        self._see_it_through()
        self._hear_eraser()
        if retention.why_held(self._told_clock.state(self._now_s)):
            self._withdraw()
        spares = ring.spares
        is_whole = ring.can_commit and not ring.is_index_lost
        if self._policies is None or not (is_whole and spares.may_reuse_sealed):
            return
        if self._steps:
            self._take_steps()
        elif self._sweep is not None:
            self._look_on(self._sweep)
        elif now_s >= self._next_s:
            self._sweep = self._begin(self._policies)

    def close(self) -> None:
        """Nothing is left open."""

    # --- what the parent tells

    def _limits(self, message: sockets.Message) -> None:
        told = sockets.decode(message, Retention)
        self._arriving |= {camera: _limits_of(kept) for camera, kept in told.cameras.items()}
        self._told.names |= told.names
        if told.more:
            return
        cameras, self._arriving = self._arriving, {}
        policies = Policies(cameras, _limits_of(told.others))
        if policies != self._policies or told.is_confirmed != self._is_confirmed:
            self._sweep, self._next_s = None, 0.0  # it applies to what is recorded already
            self._withdraw()
            self._settled.clear()
        self._policies = policies
        self._is_confirmed = told.is_confirmed

    def _clock_told(self, message: sockets.Message) -> None:
        self._told_clock.tell(sockets.decode(message, ClockTold), self._now_s)

    # --- looking

    def _begin(self, policies: Policies) -> Sweep:
        identity = self._ring.disk.identity
        return Sweep(
            self._ring.archive,
            policies,
            self._ring.lock_set,
            self._clock(),
            identity.segments,
            identity.segment_bytes,
        )

    def _look_on(self, sweep: Sweep) -> None:
        until_s = time.monotonic() + _SLICE_S
        while sweep.step(_PIECE):
            if time.monotonic() >= until_s:
                return
        self._sweep, self._next_s = None, self._now_s + _EVERY_S
        clock = self._told_clock.state(self._now_s)
        held = retention.why_held(clock)
        self._ring.spares.preferred = deque([] if held else sweep.preferred())
        room = retention.Room(
            sweep.segment_bytes,
            sweep.held_bytes,
            sweep.due_bytes,
            int(self._budget_bytes),
            self._is_confirmed,
        )
        due = [found for found in sweep.due if not self._is_settled(*found)]
        plan = retention.plan(due, sweep.policies, self._ring.lock_set, clock, room)
        self._steps.extend(plan.steps)
        if not held:
            self._retire_open(sweep.policies, clock.now_ns)
        self._told.tell(sweep, plan)

    def _retire_open(self, policies: Policies, now_ns: int) -> None:
        """Only sealed segments are erased: what is open and holds expired footage is sealed."""
        for segment in self._ring.streams_open():
            line = retention.line_ns(policies.of(segment.camera), now_ns)
            if line is not None and segment.count and segment.wall_start_ns <= line:
                is_idle = segment.wall_end_ns < now_ns - _IDLE_NS
                self._ring.retire(segment.number, is_idle=is_idle)
                self._desk.hurry()

    # --- erasing

    def _take_steps(self) -> None:
        """What was planned, judged anew by the chunks themselves."""
        clock = self._told_clock.state(self._now_s)
        if retention.why_held(clock):
            self._withdraw()
            return
        until_s = time.monotonic() + _SLICE_S
        while self._steps:
            step = self._steps.popleft()
            try:
                self._erase(step, clock.now_ns)
            except StorageError as error:
                _log.error("segment %d cannot be judged: %s", step.number, error)
            if time.monotonic() >= until_s:
                return

    def _erase(self, step: Step, now_ns: int) -> None:
        ring = self._ring
        row = ring.archive.segment(step.number)
        if row != step.row or not ring.is_filed(step.number) or ring.eraser.holds(row.epoch):
            return
        rows = ring.archive.rows_of_segment(step.number, row)
        if len(rows) != row.chunks:
            what = f"the index counts {row.chunks} chunks and has rows for {len(rows)}"
            self._fail(f"segment {step.number} cannot be erased: {what}")
            self._settle(step.number, row)
            return
        locks = ring.lock_set
        self._note_proof(row, rows, step.limits, now_ns)
        gone = retention.rows_due(rows, row.stream, step.limits, locks, now_ns)
        if len(gone) < len(rows) and not retention.is_proven(rows):
            later_ns = self._later_ns(row)
            gone = retention.rows_due(rows, row.stream, step.limits, locks, now_ns, later_ns)
        rule = Rule("expired", step.limits.days_max or 0, step.limits.by)
        is_span_locked = locks.is_locked(row.stream, row.wall_start_ns, row.wall_end_ns)
        if len(gone) == len(rows) and not (rows and is_span_locked):
            ring.spares.due.append((step.number, row.epoch, rule))
            self._budget_bytes -= ring.disk.identity.segment_bytes
        elif gone:
            self._revoke(step.number, row.epoch)
            ring.eraser.wish(step.number, row.epoch, gone, rule)
            self._budget_bytes -= sum(one.chunk_bytes for one in gone)
        else:
            waits = not retention.is_proven(rows) and self._later_ns(row) is None
            self._settle(step.number, row, waits=waits)
            return
        # The next commit may hold the rows still; the one after it does not.
        self._wanted_commits = ring.archive.index.meta.commits + 2

    def _note_proof(
        self, row: SegmentRow, rows: Sequence[Row], limits: Limits, now_ns: int
    ) -> None:
        """Before it is erased: what its stream recorded before has no better proof of its time."""
        line = retention.line_ns(limits, now_ns)
        ends = [
            one.wall_end_ns
            for one in rows
            if line is not None and one.wall_end_ns <= line and retention.is_proven((one,))
        ]
        order, _ = self._proven.get(row.stream, (-1, 0))
        if ends and row.order > order:
            self._proven[row.stream] = (row.order, max(ends))

    def _later_ns(self, row: SegmentRow) -> int | None:
        """The proven end of footage of its stream that was sealed later, as far as one is known."""
        order, end_ns = self._proven.get(row.stream, (-1, 0))
        return end_ns if order > row.order else None

    def _withdraw(self) -> None:
        """What was planned by other limits, or by a clock that is not trusted any more, stays."""
        spares = self._ring.spares
        self._steps.clear()
        self._budget_bytes += len(spares.due) * self._ring.disk.identity.segment_bytes
        spares.due.clear()
        spares.preferred.clear()
        self._ring.eraser.withdraw()

    def _hear_eraser(self) -> None:
        """What it could not erase, and what that leaves of the budget."""
        eraser = self._ring.eraser
        self._budget_bytes += eraser.returned_bytes
        eraser.returned_bytes = 0
        for fault in eraser.faults:
            row = self._ring.archive.segment(fault.number)
            if fault.is_all and row is not None and row.epoch == fault.epoch:
                self._settle(fault.number, row)
            self._fail(str(fault))
        eraser.faults.clear()

    def _fail(self, what: str) -> None:
        _log.error("%s", what)
        self._desk.alarm("erase-failed", str(self._ring.disk.path), what)

    def _settle(self, number: int, row: SegmentRow, *, waits: bool = False) -> None:
        """`waits`: for a proof of its time."""
        until_s = self._now_s + _AGAIN_S
        self._settled[number] = (row.epoch, self._locks_of(row), until_s, waits)

    def _is_settled(self, number: int, row: SegmentRow) -> bool:
        known = self._settled.get(number)
        if known is None:
            return False
        epoch, locks, until_s, waits = known
        is_same = (epoch, locks) == (row.epoch, self._locks_of(row))
        is_proven = waits and self._later_ns(row) is not None
        if is_same and not is_proven and self._now_s < until_s:
            return True
        del self._settled[number]
        return False

    def _locks_of(self, row: SegmentRow) -> int:
        return hash(self._ring.lock_set.ranges(row.stream))

    def _see_it_through(self) -> None:
        """Ticks until all of it is committed, also where nothing is recorded."""
        ring = self._ring
        is_settled = ring.eraser.is_settled and ring.spares.is_settled
        if is_settled and ring.archive.index.meta.commits >= self._wanted_commits:
            return
        if ring.can_commit and not ring.is_index_lost:
            ring.is_journal_dirty = True
            self._desk.hurry()

    def _fill_budget(self) -> None:
        """5 % of the disk an hour; nothing is saved up for more than an hour."""
        identity = self._ring.disk.identity
        most = identity.segments * identity.segment_bytes * retention.SHARE_AN_HOUR
        # A segment is the least that can be given up, however small the disk.
        most = max(most, float(identity.segment_bytes))
        if self._filled_s is not None:
            self._budget_bytes += most * (self._now_s - self._filled_s) * 1e9 / HOUR_NS
        self._filled_s = self._now_s
        self._budget_bytes = min(self._budget_bytes, most)


def _limits_of(kept: KeptDays) -> Limits:
    return Limits(kept.days_min, kept.days_max, kept.priority, kept.by)
