"""Marks whose footage is gone, found by a thread of its own.

No event is trusted for it: all days that have marks are gone through, at the start and once an
hour, and compared with what the keepers still have. A disk that does not answer makes the answer
unknown, and then nothing is said of it.
"""

from __future__ import annotations

import contextlib
import logging
import queue
import threading
from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from vonggac.errors import VonggacError
from vonggac.motion import ranges
from vonggac.motion.mark_files import days_of, marks_of_day
from vonggac.motion.marks import Mark
from vonggac.motion.ranges import Ranges
from vonggac_appliance.clock import Clock, wall_ns
from vonggac_appliance.motion_reading import MotionReader

__all__ = ["MarkSurvey", "Shown"]

_log = logging.getLogger("vonggac.hooks")

_S = 1_000_000_000
_FIRST_S = 30.0
_PASS_S = 3600.0
_STOP_S = 2.0
_PAUSE_S = 0.2
"""Between two questions: a day's rows cost a keeper some milliseconds."""
_SETTLED_NS = 600 * _S
"""What ended later may still become durable."""
_MARGIN_NS = 30 * _S
"""Another computer's clock is not ours."""


@dataclass(frozen=True, slots=True)
class Shown:
    """What footage still shows of a camera's marks of one day."""

    camera: bytes
    day: str
    recorded: Ranges
    """Wall time in ns, as far as any mark reaches."""
    from_ns: int
    to_ns: int
    """What lies outside came while the keepers were asked: nobody knows of its footage."""
    settled_ns: int

    def has(self, mark: Mark) -> bool:
        """Whether its footage is there, may still come, or was not asked for."""
        if mark.to_ns > self.settled_ns or mark.from_ns < self.from_ns or mark.to_ns > self.to_ns:
            return True
        at = bisect_right(self.recorded, (mark.to_ns - 1, 1 << 63)) - 1
        return at >= 0 and self.recorded[at][1] > mark.from_ns


class MarkSurvey:
    """`gone`: days of which something has to go; who keeps the marks erases it."""

    def __init__(
        self,
        home: Path,
        folder: Path,
        streams: Callable[[], Mapping[bytes, Sequence[bytes]]],
        disks: Callable[[], Sequence[bytes]],
        clock: Clock = wall_ns,
    ) -> None:
        """`streams`: of each camera that the catalog knows, or knew."""
        self.gone: queue.SimpleQueue[Shown] = queue.SimpleQueue()
        self._folder = folder
        self._streams = streams
        self._disks = disks
        self._clock = clock
        self._reader = MotionReader(home, (), "view")
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run, name="marks", daemon=True)
        self.failure: BaseException | None = None
        """Our own mistake, which ends the process."""

    def start(self) -> None:
        """Begins with the first pass, soon."""
        self._thread.start()

    def close(self) -> None:
        """Ends the thread; one that waits for a disk ends with the process."""
        self._end.set()
        if self._thread.ident is not None:
            self._thread.join(_STOP_S)
        if not self._thread.is_alive():
            self._reader.close()

    def look(self) -> None:
        """One pass over all days; in the thread, or before it is started."""
        self._reader.disks = tuple(self._disks())
        if not self._reader.disks:
            return  # of a box without disks nobody says that its footage is gone
        for camera, streams in self._streams().items():
            with _others_go_on(camera):
                for day in days_of(self._folder, camera):
                    with _others_go_on(camera):
                        self._look_at(camera, streams, day)
                    if self._end.wait(_PAUSE_S):
                        return

    def _run(self) -> None:
        wait_s = _FIRST_S
        try:
            while not self._end.wait(wait_s):
                wait_s = _PASS_S
                self.look()
        except BaseException as error:
            self.failure = error
            raise

    def _look_at(self, camera: bytes, streams: Sequence[bytes], day: str) -> None:
        settled_ns = self._clock() - _SETTLED_NS
        # Read twice rather than held: 32 hooks may have 50,000 each.
        first_ns, last_ns = settled_ns, 0
        for mark in marks_of_day(self._folder, camera, day):
            if mark.to_ns <= settled_ns:
                first_ns, last_ns = min(first_ns, mark.from_ns), max(last_ns, mark.to_ns)
        if not last_ns:
            return
        spans: list[tuple[int, int]] = []
        for stream in streams:
            found = self._reader.spans(stream, first_ns - _MARGIN_NS, last_ns + _MARGIN_NS)
            if found is None:
                return  # a disk is away: what lies there is not gone
            spans += found
        recorded = ranges.union((start - _MARGIN_NS, end + _MARGIN_NS) for start, end in spans)
        shown = Shown(camera, day, recorded, first_ns, last_ns, settled_ns)
        if not all(map(shown.has, marks_of_day(self._folder, camera, day))):
            self.gone.put(shown)


@contextlib.contextmanager
def _others_go_on(camera: bytes) -> Iterator[None]:
    """What is rotten of one day, or cannot be read now, keeps no other from being compared."""
    try:
        yield
    except (VonggacError, OSError) as error:  # OSError: no descriptor is left
        _log.error("marks of %s are not compared with the footage: %s", camera.hex(), error)
