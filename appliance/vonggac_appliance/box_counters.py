"""Counters for measurement that only rise: sums over runs, ticks and gaps, as this process saw.

The recorder counts within a run; here a new run, or a recorder that was started anew, adds to what
was before. What happened while this process did not run is not in them.
"""

from __future__ import annotations

import threading
from bisect import bisect_left
from collections import deque
from dataclasses import dataclass, field

from vonggac_appliance import bus_control, bus_events

__all__ = ["BoxCounters", "Histogram", "PageCounters", "StreamSums"]

TICK_BOUNDS_S = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
"""A tick is a second; longer than half of it is slow."""
REQUEST_BOUNDS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
DAY_NS = 86_400_000_000_000
_MINUTE_NS = 60_000_000_000
_LEAST_NS = 10 * _MINUTE_NS
"""A rate of less than that would change the days it foretells at every look."""

StreamKey = tuple[str, str]


@dataclass(slots=True)
class StreamSums:
    """Of one stream, over all its runs."""

    size_bytes: int = 0
    samples: int = 0
    packets_lost: int = 0
    damaged: int = 0
    dropped: int = 0
    reconnects: int = 0
    gap_ns: int = 0
    """Of gaps that were closed."""
    _run: int = 0
    _last: tuple[int, ...] = (0, 0, 0, 0, 0)

    def seen(self, stream: bus_control.StreamStatus) -> None:
        """Adds what came since the last look; a run's first numbers count from its start."""
        now = (
            stream.bytes,
            stream.samples,
            stream.packets_lost,
            stream.damaged,
            stream.dropped,
        )
        if stream.run == 0 or stream.counted_ns == 0:
            return
        is_same = stream.run == self._run and all(
            a >= b for a, b in zip(now, self._last, strict=True)
        )
        before = self._last if is_same else (0, 0, 0, 0, 0)
        added = [a - b for a, b in zip(now, before, strict=True)]
        self.size_bytes += added[0]
        self.samples += added[1]
        self.packets_lost += added[2]
        self.damaged += added[3]
        self.dropped += added[4]
        self._run, self._last = stream.run, now


@dataclass(slots=True)
class Histogram:
    """How often something took how long."""

    bounds_s: tuple[float, ...]
    counts: list[int] = field(default_factory=list)
    """Each bound's own, the last beyond all; not cumulative."""
    sum_s: float = 0.0

    def __post_init__(self) -> None:
        self.counts = self.counts or [0] * (len(self.bounds_s) + 1)

    def seen(self, seconds: float) -> None:
        self.counts[bisect_left(self.bounds_s, seconds)] += 1
        self.sum_s += seconds

    def copy(self) -> Histogram:
        return Histogram(self.bounds_s, list(self.counts), self.sum_s)


@dataclass(slots=True)
class _Written:
    """Bytes by minute of one disk, for the last day."""

    minutes: deque[tuple[int, int]] = field(default_factory=deque)
    since_ns: int = 0

    def add(self, at_ns: int, size_bytes: int) -> None:
        minute = at_ns // _MINUTE_NS
        if not self.minutes:
            self.since_ns = at_ns
        if self.minutes and self.minutes[-1][0] == minute:
            self.minutes[-1] = (minute, self.minutes[-1][1] + size_bytes)
        else:
            self.minutes.append((minute, size_bytes))
        while self.minutes[0][0] < minute - DAY_NS // _MINUTE_NS:
            self.minutes.popleft()

    def rate(self, now_ns: int) -> tuple[float, int] | None:
        """Bytes a second, and over how many ns; None while too little was seen."""
        over_ns = min(now_ns - self.since_ns, DAY_NS)
        if not self.minutes or over_ns < _LEAST_NS:
            return None
        first = (now_ns - over_ns) // _MINUTE_NS
        total = sum(size for minute, size in self.minutes if minute >= first)
        return total / (over_ns / 1e9), over_ns


class BoxCounters:
    """Fed by two threads, read by requests."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._streams: dict[StreamKey, StreamSums] = {}
        self._ticks = Histogram(TICK_BOUNDS_S)
        self._written_bytes = 0
        self._written: dict[str, _Written] = {}
        self._disk_errors = 0

    def status(self, now: bus_control.StatusReply) -> None:
        """Takes an answer of the recorder."""
        with self._lock:
            for camera in now.cameras:
                for stream in camera.streams:
                    self._sums(camera.id, stream.name).seen(stream)
            if len(self._streams) > sum(len(camera.streams) for camera in now.cameras):
                known = {(c.id, s.name) for c in now.cameras for s in c.streams}
                self._streams = {k: v for k, v in self._streams.items() if k in known}

    def event(self, event: bus_events.Event, now_ns: int) -> None:
        """Takes an event of the bus."""
        with self._lock:
            if isinstance(event, bus_events.GapClosed):
                sums = self._sums(event.camera, event.stream)
                sums.reconnects += 1
                sums.gap_ns += max(0, event.end_ns - event.start_ns)
            elif isinstance(event, bus_events.DurableTick):
                self._ticks.seen(event.tick_ms / 1e3)
                self._written_bytes += event.bytes_written
                self._written.setdefault(event.disk, _Written()).add(now_ns, event.bytes_written)
            elif isinstance(event, bus_events.DiskChanged) and event.state == "failed":
                self._disk_errors += 1

    def streams(self) -> dict[StreamKey, StreamSums]:
        """A copy: sums by camera and stream."""
        with self._lock:
            return {key: _copy(sums) for key, sums in self._streams.items()}

    def ticks(self) -> Histogram:
        """A copy: how long syncs took, over all disks."""
        with self._lock:
            return self._ticks.copy()

    @property
    def written_bytes(self) -> int:
        """Made durable, over all disks."""
        with self._lock:
            return self._written_bytes

    @property
    def disk_errors(self) -> int:
        """How often a disk failed."""
        with self._lock:
            return self._disk_errors

    def written(self, disk: str, now_ns: int) -> tuple[float, int] | None:
        """Bytes a second that a disk (uuid in hex) took, over how many ns of the last day."""
        with self._lock:
            written = self._written.get(disk)
            return None if written is None else written.rate(now_ns)

    def _sums(self, camera: str, stream: str) -> StreamSums:
        return self._streams.setdefault((camera, stream), StreamSums())


class PageCounters:
    """What the page itself does; fed and read by requests."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._requests = Histogram(REQUEST_BOUNDS_S)
        self._sign_ins_refused = 0

    def request(self, seconds: float) -> None:
        """A request was answered after so long; sockets, which last, are none."""
        with self._lock:
            self._requests.seen(seconds)

    def sign_in_refused(self) -> None:
        """Somebody was not let in."""
        with self._lock:
            self._sign_ins_refused += 1

    def requests(self) -> Histogram:
        """A copy: how long requests took until their answer began."""
        with self._lock:
            return self._requests.copy()

    @property
    def sign_ins_refused(self) -> int:
        """How often somebody was not let in."""
        with self._lock:
            return self._sign_ins_refused


def _copy(sums: StreamSums) -> StreamSums:
    return StreamSums(
        sums.size_bytes,
        sums.samples,
        sums.packets_lost,
        sums.damaged,
        sums.dropped,
        sums.reconnects,
        sums.gap_ns,
    )
