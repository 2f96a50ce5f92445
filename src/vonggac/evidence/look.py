"""What a look may span, how long it lasts, and how much of it was really seen. Pure.

Times are wall time in ns since 1970 UTC.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import deque

from vonggac.errors import Invalid
from vonggac.evidence.receipt import LIFETIME_NS

__all__ = [
    "LIVE_BACK_NS",
    "LOOKS_A_MINUTE",
    "STORED_MAX_NS",
    "UNHELD_NS",
    "Delivered",
    "LookPace",
    "check_stored",
    "lifetime_ns",
]

_NS_PER_S = 1_000_000_000
STORED_MAX_NS = 48 * 3600 * _NS_PER_S
LIVE_BACK_NS = 60 * _NS_PER_S
"""A live view begins with the GOP that is being sent; smart cameras have long ones."""
UNHELD_NS = 7 * _NS_PER_S
"""After so long without a request or a page's socket nobody is there any more (evidence V-1)."""
LOOKS_A_MINUTE = 120
"""Of one session: opened, renewed and refused ones together, since each is a line."""
_MINUTE_NS = 60 * _NS_PER_S
_HOUSEHOLD_NS = 5 * 60 * _NS_PER_S
_TIME_MAX_NS = 1 << 62
_TOUCHING_NS = 1_000_000


def lifetime_ns(is_household: bool) -> int:
    """How long a look lasts before it is logged again (evidence V-3)."""
    return _HOUSEHOLD_NS if is_household else LIFETIME_NS


def check_stored(from_ns: int, to_ns: int, now_ns: int) -> None:
    """Raises Invalid for a range that nobody can have meant."""
    if not 0 <= from_ns < _TIME_MAX_NS:
        raise Invalid("from", "that is no time")
    if not 0 <= to_ns < _TIME_MAX_NS:
        raise Invalid("to", "that is no time")
    if to_ns <= from_ns:
        raise Invalid("to", "a range ends after it begins")
    if to_ns - from_ns > STORED_MAX_NS:
        raise Invalid("to", "a look has 48 hours at most")
    if from_ns >= now_ns:
        raise Invalid("from", "nothing is recorded yet of the time to come")


class Delivered:
    """Wall ranges whose pictures were sent; what was sent twice counts once."""

    __slots__ = ("_ends", "_starts")

    def __init__(self) -> None:
        self._starts: list[int] = []
        self._ends: list[int] = []

    def add(self, from_ns: int, to_ns: int) -> None:
        """[from_ns, to_ns) was sent. Ranges that touch become one, and so do frames that lie
        rounding errors apart.
        """
        if to_ns <= from_ns:
            return
        first = bisect_left(self._ends, from_ns - _TOUCHING_NS)
        last = bisect_right(self._starts, to_ns + _TOUCHING_NS)
        if first < last:
            from_ns = min(from_ns, self._starts[first])
            to_ns = max(to_ns, self._ends[last - 1])
        self._starts[first:last] = [from_ns]
        self._ends[first:last] = [to_ns]

    @property
    def total_ms(self) -> int:
        """Of recorded time."""
        return (sum(self._ends) - sum(self._starts)) // 1_000_000

    @property
    def ranges(self) -> tuple[tuple[int, int], ...]:
        """In their order."""
        return tuple(zip(self._starts, self._ends, strict=True))


class LookPace:
    """So many lines a minute one session may have written by asking for looks. Pure.

    Whoever flips through all cameras of a wall stays far below; a script that asks in a loop would
    fill the chain.
    """

    def __init__(self) -> None:
        self._asked: dict[str, deque[int]] = {}
        self._refused: set[str] = set()

    def wait_ns(self, session: str, now_ns: int) -> tuple[int, bool]:
        """0 and it counts, or how long until the next may be asked for; and whether that is the
        first refusal since the last that was not.
        """
        asked = self._asked.setdefault(session, deque(maxlen=LOOKS_A_MINUTE))
        if len(asked) < LOOKS_A_MINUTE or now_ns - asked[0] >= _MINUTE_NS:
            asked.append(now_ns)
            self._refused.discard(session)
            return 0, False
        is_first = session not in self._refused
        self._refused.add(session)
        return asked[0] + _MINUTE_NS - now_ns, is_first

    def forget(self, session: str) -> None:
        """It has ended."""
        self._asked.pop(session, None)
        self._refused.discard(session)
