"""How long a session holds, and how long to wait after wrong passwords. Pure."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = [
    "ABSOLUTE_NS",
    "FORGET_NS",
    "FREE_TRIES",
    "IDLE_NS",
    "NO_TRIES",
    "WAIT_MOST_NS",
    "Tries",
    "end_of_session",
    "is_session_over",
]

_SECOND_NS = 1_000_000_000
IDLE_NS = 30 * 60 * _SECOND_NS
"""A session that nobody uses ends after this."""
ABSOLUTE_NS = 12 * 3600 * _SECOND_NS
"""Every session ends after this: a shift."""
_CLOCK_SLACK_NS = 60 * _SECOND_NS
"""A clock may be put right by so much without ending sessions."""
FREE_TRIES = 3
WAIT_MOST_NS = 5 * 60 * _SECOND_NS
FORGET_NS = 3600 * _SECOND_NS
"""After so long without a wrong password nothing is held against anybody."""
_DOUBLINGS_MAX = 9
"""2⁹ s is more than WAIT_MOST_NS."""


def end_of_session(created_ns: int, seen_ns: int) -> int:
    """When a session ends that was last used at `seen_ns` (wall times)."""
    return min(created_ns + ABSOLUTE_NS, seen_ns + IDLE_NS)


def is_session_over(created_ns: int, seen_ns: int, now_ns: int) -> bool:
    """Whether it has ended by `now_ns`.

    It also ends when the clock stepped back, or one that was a year fast gave a year's session.
    """
    return now_ns >= end_of_session(created_ns, seen_ns) or now_ns < seen_ns - _CLOCK_SLACK_NS


@dataclass(frozen=True, slots=True)
class Tries:
    """Wrong passwords in a row, of an account or from an address. Times are monotonic."""

    failures: int
    last_ns: int
    before_ns: int = 0
    """`last_ns` before the latest one."""

    def wait_ns(self, now_ns: int) -> int:
        """How long until the next try is looked at; 0: now."""
        if self.failures < FREE_TRIES or self.is_forgotten(now_ns):
            return 0
        doublings = min(self.failures - FREE_TRIES, _DOUBLINGS_MAX)
        wait_ns = min(_SECOND_NS << doublings, WAIT_MOST_NS)
        return max(0, self.last_ns + wait_ns - now_ns)

    def more(self, now_ns: int) -> Tries:
        """After another one."""
        return Tries(1 if self.is_forgotten(now_ns) else self.failures + 1, now_ns, self.last_ns)

    def less(self) -> Tries:
        """After the latest one turned out to be right: it did not make the wait any longer."""
        return Tries(max(0, self.failures - 1), self.before_ns, self.before_ns)

    def is_forgotten(self, now_ns: int) -> bool:
        """Whether so long has passed that it counts no more."""
        return now_ns - self.last_ns >= FORGET_NS


NO_TRIES = Tries(0, 0)
