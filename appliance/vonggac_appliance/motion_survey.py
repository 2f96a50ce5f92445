"""What is recorded, compared again and again with what the motion index knows: a thread of its own.

What was erased has to leave the index, whoever erased it and whether anybody told; what was
recorded while nobody looked has to come in. So all streams and days are gone through, the newest
first: at the start, then once an hour; and once a minute where each stream begins.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from vonggac.errors import Unavailable, VonggacError
from vonggac.motion import ranges
from vonggac.motion.ranges import Ranges
from vonggac_appliance.clock import Clock, wall_ns
from vonggac_appliance.motion_reading import MotionReader

__all__ = ["Begins", "Surveyed", "Surveyor"]

_log = logging.getLogger("vonggac.motion")

_S = 1_000_000_000
_DAY_S = 86_400
_SETTLED_S = 120
"""What is newer is indexed as it comes."""
_PASS_S = 3600.0
_EDGES_S = 60.0
_FIRST_PAUSE_S = 0.2
"""Between two questions of the first pass: a day's rows cost a keeper some milliseconds."""
_AGAIN_S = 5.0

Streams = dict[bytes, tuple[bytes, ...]]
"""Of each camera; empty bytes: of cameras that the catalog does not know any more."""


@dataclass(frozen=True, slots=True)
class Surveyed:
    """What is recorded of a camera in [from_s, to_s), by stream, unix seconds."""

    camera: bytes
    from_s: int
    to_s: int
    recorded: dict[bytes, Ranges]


@dataclass(frozen=True, slots=True)
class Begins:
    """Before this second nothing is recorded of a stream any more."""

    stream: bytes
    first_s: int


class Surveyor:
    """Tells by `tell`, in its thread."""

    def __init__(
        self,
        home: Path,
        disks: Callable[[], Sequence[bytes]],
        streams: Callable[[], Streams],
        days: Callable[[], Collection[int]],
        tell: Callable[[Surveyed | Begins], None],
        clock: Clock = wall_ns,
    ) -> None:
        """`days`: those that the index has, also such as are to come."""
        self._days = days
        self._reader = MotionReader(home, ())
        self._disks = disks
        self._streams = streams
        self._tell = tell
        self._clock = clock
        self._end = threading.Event()
        self._anew = threading.Event()
        self._thread = threading.Thread(target=self._run, name="survey", daemon=True)
        self.failure: BaseException | None = None
        """Our own mistake, which ends the process."""

    def start(self) -> None:
        """Begins with the first pass."""
        self._thread.start()

    def go_anew(self) -> None:
        """A pass begins now."""
        self._anew.set()

    def close(self) -> None:
        """Ends the thread."""
        self._end.set()
        self._anew.set()
        self._thread.join()
        self._reader.close()

    def _run(self) -> None:
        try:
            self._go_on()
        except BaseException as error:
            self.failure = error
            raise

    def _go_on(self) -> None:
        pause_s = _FIRST_PAUSE_S
        edges_s = 0.0
        while not self._end.is_set():
            self._anew.clear()
            began_s = time.monotonic()
            windows = list(self._windows())
            for camera, streams, from_s, to_s in windows:
                if time.monotonic() - edges_s > _EDGES_S:
                    edges_s = time.monotonic()
                    self._edges()
                self._look(camera, streams, from_s, to_s)
                if self._anew.wait(pause_s):
                    pause_s = _FIRST_PAUSE_S
                    break
            else:
                rest_s = _PASS_S - (time.monotonic() - began_s) if windows else _AGAIN_S
                edges_s = self._rest(rest_s, edges_s)
                pause_s = max(_FIRST_PAUSE_S, _PASS_S / max(len(windows), 1))

    def _rest(self, rest_s: float, edges_s: float) -> float:
        """Until the next pass is due; edges go on."""
        until_s = time.monotonic() + rest_s
        while (left_s := until_s - time.monotonic()) > 0:
            if time.monotonic() - edges_s > _EDGES_S:
                edges_s = time.monotonic()
                self._edges()
            if self._anew.wait(min(left_s, 1.0)):
                break
        return edges_s

    def _windows(self) -> Iterator[tuple[bytes, tuple[bytes, ...], int, int]]:
        """All cameras day by day, the newest day first; days that nobody has are left out: a clock
        that was set back may have left a row fifty years ago.
        """
        self._reader.disks = tuple(self._disks())
        if not self._reader.disks:
            return  # of a box without disks nobody says that its footage is gone
        now_s = self._clock() // _S
        settled_s = now_s - _SETTLED_S
        indexed = set(self._days())
        recorded = set(self._recorded_days(indexed, settled_s))
        for day in sorted(indexed | recorded, reverse=True):
            from_s, to_s = day * _DAY_S, (day + 1) * _DAY_S
            if from_s <= now_s:  # what is to come is erased like any other, and never recorded
                to_s = min(to_s, settled_s)
            if from_s < to_s:
                for camera, streams in self._streams().items():
                    yield camera, streams, from_s, to_s

    def _recorded_days(self, indexed: Collection[int], to_s: int) -> Iterator[int]:
        """Days with footage among those that the index does not have."""
        from_s = 0
        for edge_s in (*(day * _DAY_S for day in sorted(indexed)), to_s):
            while (first_s := self._first_s(from_s, min(edge_s, to_s))) is not None:
                yield first_s // _DAY_S
                from_s = (first_s // _DAY_S + 1) * _DAY_S
            from_s = edge_s + _DAY_S

    def _first_s(self, from_s: int, to_s: int) -> int | None:
        """Where the earliest footage of a range begins, to the day; None: there is none, or nobody
        tells.
        """
        found_s: int | None = None
        for stream in [stream for streams in self._streams().values() for stream in streams]:
            if from_s >= to_s or self._end.is_set():
                break
            try:
                first_ns = self._reader.first_ns(stream, from_s * _S, to_s * _S)
            except Unavailable:
                return None
            except VonggacError:
                continue
            if first_ns is not None:
                found_s = to_s = max(first_ns // _S, from_s)
                if found_s // _DAY_S == from_s // _DAY_S:
                    break  # and no other begins on an earlier day
        return found_s

    def _look(self, camera: bytes, streams: tuple[bytes, ...], from_s: int, to_s: int) -> None:
        recorded: dict[bytes, Ranges] = {}
        for stream in streams:
            try:
                spans = self._reader.spans(stream, from_s * _S, to_s * _S)
            except VonggacError as error:
                # Such as a row that is rotten: of this day nothing is known, of others it is.
                _log.error("what is recorded cannot be asked for: %s", error)
                return
            if spans is None:
                return  # a disk is away: what lies there is not gone
            recorded[stream] = ranges.within(ranges.of_spans(spans), from_s, to_s)
        self._tell(Surveyed(camera, from_s, to_s, recorded))

    def _edges(self) -> None:
        now_ns = self._clock()
        self._reader.disks = tuple(self._disks())
        if not self._reader.disks:
            return
        for streams in self._streams().values():
            for stream in streams:
                if self._end.is_set():
                    return
                try:
                    first_ns = self._reader.first_ns(stream, 0, now_ns)
                except Unavailable:
                    return
                except VonggacError:
                    continue
                settled_s = now_ns // _S - _SETTLED_S
                first_s = settled_s if first_ns is None else min(first_ns // _S, settled_s)
                self._tell(Begins(stream, first_s))
