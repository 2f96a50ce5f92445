"""What monitoring is told of other people's programs. `FAMILIES`: name, kind, what it says."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

from vonggac_appliance.bus_events import Event, HookCounts
from vonggac_appliance.recorder_events import RecorderEvents

__all__ = ["FAMILIES", "HookWatch", "samples"]

FAMILIES = (
    ("vonggac_hooks_up", "gauge", "1 while the process that serves programs is heard."),
    ("vonggac_hook_marks_total", "counter", "Marks of a hook that were kept."),
    ("vonggac_hook_marks_refused_total", "counter", "Marks of a hook that were refused."),
    ("vonggac_hook_marks_bytes", "gauge", "Size of all marks that are kept."),
)
_SILENT_S = 30.0
"""It tells every ten."""

_Sample = tuple[str, float, tuple[tuple[str, str], ...]]
"""Family, value, labels."""


class HookWatch:
    """Hears `hooks run`, which cannot be asked: strangers speak to it."""

    def __init__(self, home: Path) -> None:
        self._lock = threading.Lock()
        self._counts: HookCounts | None = None
        self._heard_s = 0.0
        self._events = RecorderEvents(home, "hooks")
        self._events.listen(self._hear)

    def close(self) -> None:
        """Ends the thread."""
        self._events.close()

    def now(self) -> tuple[HookCounts, bool] | None:
        """What it said last, and whether it is heard; None: it was not, since this began."""
        with self._lock:
            if self._counts is None:
                return None
            return self._counts, time.monotonic() - self._heard_s < _SILENT_S

    def _hear(self, event: Event) -> None:
        if isinstance(event, HookCounts):
            with self._lock:
                self._counts, self._heard_s = event, time.monotonic()


def samples(told: tuple[HookCounts, bool] | None) -> Iterator[_Sample]:
    """Of a box that lets no program in nothing is said."""
    if told is None:
        return
    counts, is_heard = told
    yield "vonggac_hooks_up", float(is_heard), ()
    if not is_heard:
        return
    for one in counts.hooks:
        label = ("hook", str(one.hook))
        yield "vonggac_hook_marks_total", one.kept, (label,)
        for code, count in sorted(one.refused.items()):
            yield "vonggac_hook_marks_refused_total", count, (label, ("reason", code))
    yield "vonggac_hook_marks_bytes", counts.marks_bytes, ()
