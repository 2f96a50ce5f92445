"""The share of the CPU that decoding may take, in two accounts. Not thread-safe, without a clock.

The newest footage has all of the share, older footage what flows over. So nobody who catches up
can owe what the newest footage needs, and both together take no more than was agreed.
"""

from __future__ import annotations

__all__ = ["Share"]

_NEWEST_S = 2.0
_OLDER_S = 0.5
"""Of the share: so much of it is held for a moment in which more is needed."""


class Share:
    """In seconds of CPU. A job may overdraw its account, which is paid back before the next."""

    def __init__(self, cores: float, now_s: float) -> None:
        self.cores = cores
        self._newest_s = cores * _NEWEST_S
        self._older_s = cores * _OLDER_S
        self._counted_s = now_s

    def earn(self, now_s: float) -> None:
        """Time has passed."""
        self._newest_s += self.cores * (now_s - self._counted_s)
        self._counted_s = now_s
        over_s = max(0.0, self._newest_s - self.cores * _NEWEST_S)
        self._newest_s -= over_s
        self._older_s = min(self._older_s + over_s, self.cores * _OLDER_S)

    @property
    def has_newest(self) -> bool:
        """Whether newest footage may be decoded."""
        return self._newest_s > 0

    @property
    def has_older(self) -> bool:
        """Whether older footage may be."""
        return self._newest_s > 0 and self._older_s > 0

    def spend(self, cpu_s: float, *, is_newest: bool) -> None:
        """A job took so much."""
        if is_newest:
            self._newest_s -= cpu_s
        else:
            self._older_s -= cpu_s
