"""Where a connection's units go on with what a live view has shown, and where it begins anew."""

from __future__ import annotations

from typing import Literal

from vonggac.media.chunk import SyncKind
from vonggac_appliance.live_client import SKIPPED, LiveUnit

__all__ = ["Joint"]

_LATE_NS = 2_000_000_000
"""Behind what it was at best: whoever is so slow sees the past. A loop drops by bytes, which of a
sub-stream are a minute."""


class Joint:
    """Where a connection's units go on with what was shown before, and where they begin anew."""

    def __init__(self, shown: tuple[int, tuple[int, int]] | None) -> None:
        self._shown = shown
        self._overlaps = False
        self._has_begun = False
        self._waits = False
        self._is_late = False
        self._least_ns: int | None = None
        """How late units were at best: a camera's own delay is nobody's slowness."""
        self.has_waited = False
        self.is_dropped = False
        """This unit is the first after others were left out for slowness."""

    def came(self, late_ns: int) -> None:
        """The next unit is so long ago. At the start that falls, for they come in a burst."""
        self._least_ns = late_ns if self._least_ns is None else min(self._least_ns, late_ns)
        self._is_late = late_ns - self._least_ns > _LATE_NS

    def wait_for_sync(self) -> None:
        """What precedes the units cannot be had."""
        self._waits = self.has_waited = True

    def step(self, unit: LiveUnit) -> Literal["leave", "add", "begin", "ring"]:
        """What to do with a unit: nothing, add it, begin with it, or with what comes before it."""
        self.is_dropped = False
        is_sync = unit.kind != SyncKind.NONE
        if not self._has_begun:
            return self._first(unit, is_sync)
        if self._is_late:
            self._waits, self.has_waited = True, False
            return "leave"
        if not self._waits:
            return "begin" if unit.flags & SKIPPED else "add"
        if not is_sync:
            return "leave"
        self._waits = False
        self.is_dropped = not self.has_waited
        return "begin"

    def _first(self, unit: LiveUnit, is_sync: bool) -> Literal["leave", "add", "begin", "ring"]:
        if self._shown is not None and unit.run == self._shown[0]:
            if unit.place <= self._shown[1]:
                self._overlaps = True
                return "leave"
            if self._overlaps:
                self._has_begun = True
                return "add"
        self._has_begun = True
        return "begin" if is_sync else "ring"
