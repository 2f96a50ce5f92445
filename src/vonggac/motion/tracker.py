"""Episodes of one stream as they happen: seconds go in, beginnings and ends come out. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace

from vonggac.motion.slots import Slot, Tier

__all__ = ["Happening", "Tracker"]

_QUIET_S = 5
"""Seconds without motion that end an episode."""
_LONGEST_S = 60
"""Then it is told, and what goes on is the next one: whoever listens does not wait for the night's
end."""

_LATE_S = 60
"""Of a second that is told after later ones, as by two threads; beyond, the clock was set back."""


@dataclass(frozen=True, slots=True)
class Happening:
    """An episode at its beginning or its end."""

    from_s: int
    to_s: int
    """The second after the last one with motion."""
    strongest_s: int
    cells: int
    """In the strongest second, of the whole picture."""
    tier: Tier
    is_over: bool = False


class Tracker:
    """Of one stream."""

    def __init__(self) -> None:
        self._open: Happening | None = None
        self._last_s = -1

    def add(self, slot: Slot) -> list[Happening]:
        """The next second, or more of the last one; what is a little earlier says nothing.

        What is much earlier is a clock that was set back: what is open ends, and it begins anew.
        """
        told = []
        if slot.second < self._last_s:
            if self._last_s - slot.second <= _LATE_S:
                return []
            told = self._end()
        self._last_s = slot.second
        told += self.quiet_until(slot.second)
        cells = int.from_bytes(slot.cells, "little").bit_count()
        if not cells or slot.is_global:
            return told
        second = slot.second
        if self._open is None:
            self._open = Happening(second, second + 1, second, cells, slot.tier)
            return [*told, self._open]
        is_stronger = cells > self._open.cells
        self._open = replace(
            self._open,
            to_s=second + 1,
            strongest_s=second if is_stronger else self._open.strongest_s,
            cells=max(cells, self._open.cells),
            tier=max(slot.tier, self._open.tier),
        )
        return told

    def quiet_until(self, second: int) -> list[Happening]:
        """The end of the open episode, where `second` is too late for it."""
        now = self._open
        if now is None:
            return []
        if second - now.to_s < _QUIET_S and second - now.from_s < _LONGEST_S:
            return []
        return self._end()

    def _end(self) -> list[Happening]:
        now, self._open = self._open, None
        return [] if now is None else [replace(now, is_over=True)]
