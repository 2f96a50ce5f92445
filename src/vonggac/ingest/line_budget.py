"""How many lines of the audit chain strangers may cause: the chain is kept for ever.

What is left out is counted, and the next line of its kind says so. Time is an argument.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field, replace

from vonggac.ingest.backoff import StartLimiter

__all__ = ["LineBudget"]

_DAY_S = 86_400.0
_KNOWN_MAX = 4096


@dataclass(slots=True)
class LineBudget:
    """Budgets by name; a day's worth may go at once, and comes back in a day."""

    _known: OrderedDict[str, tuple[StartLimiter, int]] = field(default_factory=OrderedDict)
    """And how many were left out since the last line."""

    def takes(self, name: str, a_day: int, now_s: float) -> int | None:
        """How many were left out before this one, which is written; None: it is left out too."""
        full = StartLimiter(a_day / _DAY_S, float(a_day), float(a_day), now_s)
        limiter, left_out = self._known.pop(name, (full, 0))
        after, wait_s = limiter.take(now_s)
        is_written = wait_s <= 0
        self._known[name] = (after, 0) if is_written else (limiter, left_out + 1)
        if len(self._known) > _KNOWN_MAX:
            self._known.popitem(last=False)
        return left_out if is_written else None

    def gives_back(self, name: str, left_out: int) -> None:
        """The line that was taken is not written after all, so the next one tells of those that it
        would have told of."""
        limiter, since = self._known[name]
        back = replace(limiter, tokens=limiter.tokens + 1.0)
        self._known[name] = back, since + left_out
