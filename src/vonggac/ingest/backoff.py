"""When a camera is tried again, and how many may start in a second."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace


@dataclass(frozen=True, slots=True)
class Backoff:
    """Seconds between tries: doubling from `first_s` to `most_s`, for ever."""

    first_s: float = 1.0
    most_s: float = 30.0
    jitter: float = 0.25
    """A share of the delay taken off by chance, so that cameras behind one switch spread."""
    after: str = "failure"
    """What it follows: two with the same seconds count by themselves."""

    def delay_s(self, failures: int, chance: float) -> float:
        """The wait after `failures` failures in a row (from 1); `chance` lies in [0, 1)."""
        doublings = min(max(failures, 1) - 1, 32)  # 2^32 s is beyond any `most_s`
        full = min(self.first_s * float(1 << doublings), self.most_s)
        return full * (1.0 - self.jitter * chance)


WRONG_PASSWORD = Backoff(first_s=120.0, most_s=900.0)
"""Hikvision and Dahua lock an account for 5 to 30 minutes after a handful of wrong passwords."""


def of_away(rule: Backoff) -> Backoff:
    """The same for a camera that could not be connected: what it does while it boots is another
    story, and begins with the first wait. A knock ends these waits early (`camera_knock.py`)."""
    return replace(rule, after="away")


BUSY = Backoff(first_s=5.0, most_s=60.0)
"""A camera that serves as many as it can (453, 503): somebody else has to go first."""


@dataclass(slots=True)
class Failures:
    """Those of one stream in a row, each rule's by itself.

    A camera that was away for an hour and is busy while it boots is no camera that was busy for an
    hour.
    """

    _counts: Counter[Backoff] = field(default_factory=Counter)

    def one_more(self, rule: Backoff, chance: float, spent_s: float = 0.0) -> float:
        """The wait after this one, seconds. `spent_s`: what the try itself waited for an answer,
        which was as long a rest for the camera.
        """
        self._counts[rule] += 1
        delay_s = rule.delay_s(self._counts[rule], chance)
        return max(delay_s - spent_s, rule.delay_s(1, chance))

    def clear(self) -> None:
        """There was a picture, or a person wants it now."""
        self._counts.clear()


@dataclass(frozen=True, slots=True)
class StartLimiter:
    """A bucket of starts. 64 cameras do not open their sessions in one second."""

    per_second: float
    burst: float
    tokens: float
    at_s: float
    """Monotonic seconds of the last taking."""

    def take(self, now_s: float) -> tuple[StartLimiter, float]:
        """The limiter after one more start, and how many seconds that start has to wait."""
        filled = min(self.burst, self.tokens + (now_s - self.at_s) * self.per_second)
        left = filled - 1.0
        wait_s = max(0.0, -left / self.per_second)
        return replace(self, tokens=left, at_s=now_s), wait_s


def start_limiter(per_second: float, now_s: float) -> StartLimiter:
    """A full limiter: a second's worth of starts may go at once."""
    burst = max(1.0, per_second)
    return StartLimiter(per_second=per_second, burst=burst, tokens=burst, at_s=now_s)
