"""What a gap is called while it is open.

A gap has one reason in its run's first claim. A camera that was off for an hour and refused the
first connection after it came back was off: the reason that held longest names the gap.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from vonggac.media.chunk import GapReason


@dataclass(frozen=True, slots=True)
class OpenGap:
    """A stream that is not being recorded."""

    start_ns: int
    """Wall time of the last recorded sample's end; of the first try if there is none."""
    predecessor: int
    """The run before it; 0 if none is known."""
    current: GapReason
    since_ns: int
    """Wall time since which `current` holds."""
    spells: tuple[tuple[GapReason, int], ...] = ()
    """Reasons that held before, and for how many ns in all."""

    def said(self, reason: GapReason, now_ns: int) -> OpenGap:
        """The gap once `reason` was seen at `now_ns`."""
        if reason == self.current:
            return self
        return replace(self, current=reason, since_ns=now_ns, spells=self._closed(now_ns))

    def reason(self, now_ns: int) -> GapReason:
        """The reason that held longest; among equals, and in the first second, the latest."""
        spells = self._closed(now_ns)
        longest = max(ns for _, ns in spells)
        if longest < 1_000_000_000:
            return self.current
        return next(reason for reason, ns in reversed(spells) if ns == longest)

    def _closed(self, now_ns: int) -> tuple[tuple[GapReason, int], ...]:
        held = max(0, now_ns - self.since_ns)  # the wall clock may have been set back
        before = dict(self.spells)
        held += before.pop(self.current, 0)
        return (*before.items(), (self.current, held))


def open_gap(start_ns: int, predecessor: int, reason: GapReason, now_ns: int) -> OpenGap:
    """A gap that began at `start_ns` for `reason`. What lies before now counts for that reason."""
    return OpenGap(start_ns, predecessor, reason, min(start_ns, now_ns))
