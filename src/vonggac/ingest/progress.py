"""How far a stream is recorded, which run is open, and the gap that its next run will name."""

from __future__ import annotations

from dataclasses import dataclass

from vonggac.ingest.gap import OpenGap, open_gap
from vonggac.media.chunk import GapReason


@dataclass(frozen=True, slots=True)
class Opening:
    """What a run's first claim says of what was before it."""

    predecessor: int
    """0: none is known."""
    reason: GapReason
    gap_start_ns: int
    """0: there was nothing before, and no try either."""


@dataclass(slots=True)
class Progress:
    """Changed by what keepers and loops report; times are wall times in ns."""

    run: int = 0
    """The open one; 0: none."""
    last_run: int = 0
    """The newest of which something was kept."""
    last_end_ns: int | None = None
    """Its end, as far as known."""
    durable_until_ns: int | None = None
    gap: OpenGap | None = None
    """Kept while a run is open, too: one that keeps nothing leaves its gap open."""
    is_inband: bool = False
    _run_start_ns: int = 0
    _run_end_ns: int = 0
    _recorded_before_ns: int = 0

    @property
    def recorded_ns(self) -> int:
        """Wall time made durable since this object was made."""
        return self._recorded_before_ns + max(0, self._run_end_ns - self._run_start_ns)

    @property
    def is_gap_open(self) -> bool:
        """Whether nothing was kept since it opened: a run that kept nothing does not end a gap."""
        return self.gap is not None and (self.run == 0 or self.last_run != self.run)

    def known(
        self, run: int, end_ns: int, before: tuple[int, int] | None, is_inband: bool, now_ns: int
    ) -> None:
        """A disk tells of an earlier life; `before`: (start, reason) of a gap in its journal."""
        if run < self.last_run or self.run:
            return
        self.last_run, self.last_end_ns, self.durable_until_ns = run, end_ns, end_ns
        self.is_inband = is_inband
        if self.gap is None:
            start_ns, reason = before or (end_ns, GapReason.BOX_STOPPED)
            self.gap = open_gap(start_ns, run, GapReason(reason), now_ns)

    def durable(self, run: int, end_ns: int, is_inband: bool) -> None:
        """A sync covers this much."""
        is_known = run == self.last_run and self.durable_until_ns is not None
        if is_known and end_ns < (self.durable_until_ns or 0):
            return  # said late, by a disk that the stream has left
        self.durable_until_ns = end_ns
        self.is_inband = is_inband
        if run >= self.last_run:
            self.last_run, self.last_end_ns = run, end_ns
        if run == self.run:
            self._run_start_ns = self._run_start_ns or end_ns
            self._run_end_ns = end_ns

    def ended(self, run: int, next_sequence: int, end_ns: int) -> None:
        """A loop has closed a run; with sequence 0 nothing of it was kept."""
        if next_sequence > 0 and run >= self.last_run:
            self.last_run, self.last_end_ns = run, end_ns

    def begin(self, run: int, now_ns: int) -> Opening:
        """A run opens."""
        self._close_sum()
        self.run = run
        if self.gap is None:
            return Opening(0, GapReason.UNKNOWN, 0)
        return Opening(self.gap.predecessor, self.gap.reason(now_ns), self.gap.start_ns)

    def went_on(self, run: int) -> None:
        """The open run goes on as another one, because the box's clock was set: nothing is lost."""
        self._close_sum()
        self.run, self.gap = run, None

    def stopped(self, reason: GapReason, now_ns: int) -> bool:
        """Nothing is recorded now, for `reason`. True if the gap is new or has another name."""
        goes_on = self.is_gap_open
        self._close_sum()
        self.run = 0
        if self.gap is None or not goes_on:
            start_ns = now_ns if self.last_end_ns is None else self.last_end_ns
            self.gap = open_gap(start_ns, self.last_run, reason, now_ns)
            return True
        before = self.gap.reason(now_ns)
        self.gap = self.gap.said(reason, now_ns)
        return self.gap.reason(now_ns) != before

    def _close_sum(self) -> None:
        """Times of another run have nothing to do with those of this one."""
        self._recorded_before_ns = self.recorded_ns
        self._run_start_ns = self._run_end_ns = 0
