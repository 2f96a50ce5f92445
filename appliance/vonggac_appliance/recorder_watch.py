"""What the recorder says of its cameras, asked once a second while somebody wants to know.

No request waits for the recorder longer than its deadline. What it said last stays known, with the
moment of its last sign of life, which is also noted in HOME/serve: a page that is started anew can
tell since when the recorder is away.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import zmq

from vonggac.errors import Unavailable
from vonggac.ingest.rates import Count, Meter, Rate
from vonggac_appliance import bus_control, bus_events, control
from vonggac_appliance.box_counters import BoxCounters
from vonggac_appliance.clock import Clock, wall_ns
from vonggac_appliance.recorder_events import RecorderEvents
from vonggac_appliance.while_asked import WhileAsked

__all__ = ["RecorderWatch", "Seen"]

_EVERY_S = 1.0
_ANSWER_S = 2.0
_FRESH_S = _EVERY_S + _ANSWER_S + 0.5
"""What was found out (an answer, or none) not longer ago is given without waiting."""
_NOTED_EVERY_NS = 10_000_000_000

StreamKey = tuple[str, str]
"""Camera's code and stream's name."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What is known of the recorder."""

    status: bus_control.StatusReply | None = None
    """Its newest answer, however old; None: it never answered this process."""
    is_answering: bool = False
    seen_ns: int | None = None
    """Its last sign of life, an answer or an event; None: nobody knows of any."""
    rates: Mapping[StreamKey, Rate] = field(default_factory=dict)


class RecorderWatch:
    """One thread asks, all requests read. Nothing is started before the first question."""

    def __init__(self, home: Path, events: RecorderEvents, clock: Clock = wall_ns) -> None:
        self.counters = BoxCounters()
        self._home = home
        self._clock = clock
        self._note = home / "serve" / "recorder-seen"
        self._noted_ns = _mtime_ns(self._note)
        self._seen = Seen(seen_ns=self._noted_ns or None)
        self._answered_s = float("-inf")
        self._meters: dict[StreamKey, Meter] = {}
        self._asked = WhileAsked("recorder-watch", _EVERY_S, self._ask)
        self._changed = self._asked.changed
        self._stop_hearing = events.listen(self._hear)

    def now(self, deadline_s: float = 1.0) -> Seen:
        """What is known; waits at most `deadline_s` for an answer where none is fresh."""
        with self._changed:
            self._asked.want()
            if self._changed.wait_for(self._is_fresh, deadline_s):
                return self._seen
            return Seen(self._seen.status, False, self._seen.seen_ns)

    def close(self) -> None:
        """Ends the thread."""
        self._stop_hearing()
        self._asked.close()

    def _is_fresh(self) -> bool:
        return time.monotonic() - self._answered_s <= _FRESH_S

    def _ask(self) -> None:
        try:
            status = control.status(self._home, _ANSWER_S)
        except (Unavailable, zmq.ZMQError, OSError):
            self._is_away()
            return
        seen_ns = self._clock()
        rates = self._measured(status)
        self.counters.status(status)
        with self._changed:
            self._seen = Seen(status, True, seen_ns, rates)
            self._answered_s = time.monotonic()
            self._changed.notify_all()
        self._noted(seen_ns)

    def _is_away(self) -> None:
        with self._changed:
            self._seen = Seen(self._seen.status, False, self._seen.seen_ns)
            self._answered_s = time.monotonic()
            self._changed.notify_all()
        self._meters.clear()

    def _measured(self, status: bus_control.StatusReply) -> dict[StreamKey, Rate]:
        rates: dict[StreamKey, Rate] = {}
        meters: dict[StreamKey, Meter] = {}
        for camera in status.cameras:
            for stream in camera.streams:
                key = camera.id, stream.name
                meter = meters[key] = self._meters.get(key) or Meter()
                meter.seen(Count(stream.counted_ns, stream.run, stream.bytes, stream.samples))
                if stream.state == "recording" and (rate := meter.rate()) is not None:
                    rates[key] = rate
        self._meters = meters
        return rates

    def _hear(self, event: bus_events.Event) -> None:
        """A sign of life of its own, also while nobody asks."""
        seen_ns = self._clock()
        self.counters.event(event, seen_ns)
        with self._changed:
            old = self._seen
            self._seen = Seen(old.status, old.is_answering, seen_ns, old.rates)
        self._noted(seen_ns)

    def _noted(self, seen_ns: int) -> None:
        """For the next life of this process, every ten seconds."""
        if 0 <= seen_ns - self._noted_ns < _NOTED_EVERY_NS:
            return
        self._noted_ns = seen_ns
        # The page is right without it, but for the sentence since when; a full disk is told there.
        with contextlib.suppress(OSError):
            self._note.parent.mkdir(mode=0o700, exist_ok=True)
            self._note.touch(mode=0o600)
            os.utime(self._note, ns=(seen_ns, seen_ns))


def _mtime_ns(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0
