"""What a stream really delivers: pictures and bits a second, between two counts of one run."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

__all__ = ["Count", "Meter", "Rate"]

WINDOW_NS = 10_000_000_000
"""Long enough for a GOP or two, short enough that a person sees a change."""
_LEAST_NS = 1_500_000_000
"""Two counts of adjacent seconds lie closer than that; one second is no rate."""


@dataclass(frozen=True, slots=True)
class Count:
    """What a loop had counted of a run at a moment."""

    at_ns: int
    run: int
    size_bytes: int
    samples: int


@dataclass(frozen=True, slots=True)
class Rate:
    """Over the last ten seconds, or as much of them as is known."""

    samples_per_s: float
    bits_per_s: float


@dataclass(slots=True)
class Meter:
    """The counts of one stream in the window. Another run, or a clock set back, begins anew."""

    _counts: deque[Count] = field(default_factory=deque)

    def seen(self, count: Count) -> None:
        """Takes a count; one that was seen before, or is of no run, changes nothing."""
        if count.run == 0 or count.at_ns == 0:
            self._counts.clear()
            return
        if self._counts and self._counts[-1] == count:
            return
        if self._counts and not self._goes_on(self._counts[-1], count):
            self._counts.clear()
        self._counts.append(count)
        while len(self._counts) > 2 and count.at_ns - self._counts[1].at_ns >= WINDOW_NS:
            self._counts.popleft()

    def rate(self) -> Rate | None:
        """None until enough was counted."""
        if not self._counts:
            return None
        first, last = self._counts[0], self._counts[-1]
        span_ns = last.at_ns - first.at_ns
        if span_ns < _LEAST_NS:
            return None
        seconds = span_ns / 1e9
        return Rate(
            (last.samples - first.samples) / seconds,
            8 * (last.size_bytes - first.size_bytes) / seconds,
        )

    @staticmethod
    def _goes_on(before: Count, count: Count) -> bool:
        """Nobody asked for a while: an old count would give the mean over all of that."""
        return (
            count.run == before.run
            and 0 < count.at_ns - before.at_ns < WINDOW_NS
            and count.samples >= before.samples
            and count.size_bytes >= before.size_bytes
        )
