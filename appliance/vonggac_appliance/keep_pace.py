"""When a keeper's tick begins, and how long ticks are. Pure; monotonic seconds are arguments."""

from __future__ import annotations

from dataclasses import dataclass

TICK_S = 1.0
LONGEST_S = 5.0
_AFTER_FIRST_S = 0.25
"""How long the slowest loop is waited for once the first one has ticked."""
_WITHOUT_TICKS = 1.2
_EARLY_S = 0.3
"""Loops tick at whole seconds, and a batch may begin late: the next is not put off for that."""
_GROW, _SHRINK = 0.5, 0.2


@dataclass(slots=True)
class Pace:
    """A disk that needs more than half a tick for a tick gets longer ticks, up to 5 s."""

    interval_s: float = TICK_S
    last_begin_s: float = float("-inf")
    last_tick_ms: float = 0.0
    _first_tick_s: float | None = None

    @property
    def is_slow(self) -> bool:
        return self.interval_s > TICK_S

    @property
    def loss_bound_ms(self) -> float:
        """What a power cut may take of a stream: a chunk being filled, the wait, and the sync."""
        return 1000.0 * self.interval_s + self.last_tick_ms + 1000.0 * _AFTER_FIRST_S

    def first_tick(self, now_s: float) -> None:
        if self._first_tick_s is None:
            self._first_tick_s = now_s

    def tick_over(self) -> None:
        self._first_tick_s = None

    def is_due(self, now_s: float, all_ticked: bool) -> bool:
        """Whether a batch begins now, if there is something to write."""
        since_s = now_s - self.last_begin_s
        if since_s >= _WITHOUT_TICKS * self.interval_s:
            return True
        if since_s < self.interval_s - _EARLY_S:
            return False
        first_s = self._first_tick_s
        return all_ticked or (first_s is not None and now_s - first_s >= _AFTER_FIRST_S)

    def wait_s(self, now_s: float, has_work: bool) -> float:
        """How long nothing needs to be looked at without an event."""
        if not has_work:
            return 1.0
        due_s = self.last_begin_s + _WITHOUT_TICKS * self.interval_s
        if self._first_tick_s is not None:
            due_s = min(due_s, max(self._first_tick_s + _AFTER_FIRST_S, now_s + 0.02))
        return min(max(due_s - now_s, 0.01), 1.0)

    def begin(self, now_s: float) -> None:
        self.last_begin_s = now_s

    def finished(self, tick_ms: float) -> bool:
        """Takes how long a tick took; True when ticks become longer or shorter."""
        self.last_tick_ms = tick_ms
        before_s = self.interval_s
        if tick_ms > 1000.0 * _GROW * self.interval_s:
            self.interval_s = min(LONGEST_S, self.interval_s * 1.5)
        elif tick_ms < 1000.0 * _SHRINK * self.interval_s:
            self.interval_s = max(TICK_S, self.interval_s / 1.5)
        return self.interval_s != before_s
