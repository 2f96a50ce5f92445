"""The motion index and the ring: what comes in, and what has to go. In the thread that has it."""

from __future__ import annotations

import fcntl
import logging
import os
import time
from pathlib import Path

from vonggac.errors import StorageError, Unavailable
from vonggac.motion import ranges
from vonggac.motion.index import MotionIndex
from vonggac.motion.ranges import Range, Ranges
from vonggac.registry.camera import Camera
from vonggac.registry.rules import is_indexed
from vonggac_appliance.clock import wall_ns
from vonggac_appliance.motion_decoding import Seen
from vonggac_appliance.motion_plan import LIVE_BACK_S, MotionPlan
from vonggac_appliance.motion_survey import Begins, Streams, Surveyed

__all__ = ["MotionKeeping", "just_now", "own_folder"]

_log = logging.getLogger("vonggac.motion")

_DAY_S = 86_400
_FILE_S = 3600.0
_GONE_STEP_S = 3600
"""A full ring forgets a minute each minute, and the index would write its oldest days anew each
time: 37 MB a minute of 64 streams, where whole hours are 1 GB a day. The rest goes hourly too, when
all days are gone through."""
_COMPLAIN_S = 60.0
_JUST_NOW_S = 150
_FAR_S = 1 << 36


def just_now(now_ns: int) -> Range:
    """The last minutes, which a survey leaves out, up to where a plan begins."""
    now_s = now_ns // 1_000_000_000
    return now_s - _JUST_NOW_S, now_s - LIVE_BACK_S + 1


def own_folder(folder: Path) -> int:
    """Makes the index's folder, private, and gives a descriptor that keeps a second process out.

    Raises Unavailable where one has it, StorageError.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise StorageError(f"{folder} cannot be used: {error.strerror}") from error
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(fd)
        raise Unavailable(f"another `vonggac motion run` has {folder}") from None
    return fd


class MotionKeeping:
    """The index, and what is done to it. StorageErrors of a full or broken disk are told once a
    minute: what could not be kept is still in the ring, and is found missing again.
    """

    def __init__(self, folder: Path, size_bytes: int, plan: MotionPlan) -> None:
        """`folder`: from `own_folder`."""
        self.index = MotionIndex(folder, max_bytes=size_bytes)
        self.streams: Streams = {b"": tuple(self.index.streams())}
        """Of each camera that is indexed; under empty bytes those of no such camera."""
        self.days: frozenset[int] = frozenset()
        """Days that the index has, as of the last look."""
        self._plan = plan
        self._begins_s: dict[bytes, int] = {}
        self._to_cut: set[bytes] = set()
        """Streams whose begin has moved."""
        self._indexed: dict[bytes, Camera] = {}
        self._is_filing = False
        self._file_due_s = time.monotonic() + _FILE_S
        self._told_s = 0.0

    def close(self) -> None:
        """Keeps what is open."""
        try:
            self.index.close()
        except StorageError as error:
            _log.error("%s; it is made again from the ring", error)

    def take_cameras(self, cameras: list[Camera], now_ns: int) -> None:
        """The catalog as it is now."""
        indexed = [camera for camera in cameras if is_indexed(camera, now_ns)]
        known = set(self.streams)
        self._indexed = {camera.id: camera for camera in indexed}
        streams = {c.id: tuple(stream.id for stream in c.streams) for c in indexed}
        self._plan.update(indexed)
        shut = {s.id for c in cameras if c.id not in streams for s in c.streams}
        for stream in shut & self.index.streams():
            self.forget(stream, (0, _FAR_S))
        wanted = {stream for of in streams.values() for stream in of}
        others = tuple(self.index.streams() - wanted)
        self.streams = {**streams, **({b"": others} if others else {})}
        for camera in indexed:
            if camera.id not in known:
                # What a process before knew was not kept, or may end within a second.
                self._plan.add_old(camera.id, [just_now(now_ns), *self._ends(streams[camera.id])])

    def see(self, seen: Seen) -> bool:
        """Seconds of a stream; False: it is not indexed any more, and nothing was kept."""
        if seen.stream not in self.streams.get(seen.camera, ()):
            return False
        try:
            self.index.add(seen.stream, seen.slots)
        except StorageError as error:
            self._complain(error)
        return True

    def begins(self, told: Begins) -> None:
        """Earlier footage of a stream is gone; what the index knows of it is told no more at once,
        and goes by whole hours, a stream a turn: all of them cross an hour in the same minute.
        """
        self._begins_s[told.stream] = told.first_s
        self._to_cut.add(told.stream)

    def may_tell(self, camera: bytes) -> bool:
        """Whether its motion may be known at this moment: an agreement ends by the clock."""
        row = self._indexed.get(camera)
        return row is not None and is_indexed(row, wall_ns())

    def begins_s(self, stream: bytes) -> int:
        """Before it there is no footage of this stream, as of the last minute."""
        return self._begins_s.get(stream, 0)

    def reconcile(self, found: Surveyed) -> None:
        """What is not recorded any more goes; what is recorded and not known is to be indexed."""
        missing: Ranges = ()
        for stream, recorded in found.recorded.items():
            for span in ranges.minus(self._known(stream, found.from_s, found.to_s), recorded):
                self.forget(stream, span)
            missing = ranges.union((*missing, *recorded))
        for stream in self.streams.get(found.camera, ()) if found.camera else ():
            missing = ranges.minus(missing, self._known(stream, found.from_s, found.to_s))
        if found.camera:  # a full index would not take what is decoded of before its floor
            missing = ranges.within(missing, self.index.floor_s, found.to_s)
            self._plan.add_old(found.camera, missing)

    def forget(self, stream: bytes, span: Range) -> None:
        """Nothing is known of that time of a stream any more."""
        try:
            self.index.forget(stream, *span)
        except StorageError as error:
            self._complain(error)

    def turn(self) -> bool:
        """A step of what is done now and then; True: another one waits."""
        if self._to_cut:
            stream = self._to_cut.pop()
            self.forget(stream, (0, self._begins_s[stream] // _GONE_STEP_S * _GONE_STEP_S))
            return True
        now_s = time.monotonic()
        if now_s >= self._file_due_s:
            self._file_due_s = now_s + _FILE_S
            self._is_filing = True
        if not self._is_filing:
            return False
        try:
            self._is_filing = self.index.compact_step()
            if not self._is_filing:
                self._drop_oldest()
        except StorageError as error:
            self._is_filing = False
            self._complain(error)
        return self._is_filing

    def look_back(self) -> None:
        """Sees which days the index has; every few seconds."""
        index = self.index
        self.days = frozenset(day for stream in index.streams() for day in index.days(stream))

    def _drop_oldest(self) -> None:
        dropped = self.index.compact()
        if dropped:
            _log.warning("the motion index is full: %d of its oldest days are gone", len(dropped))

    def _known(self, stream: bytes, from_s: int, to_s: int) -> Ranges:
        covered = self.index.covered(stream, from_s, to_s)
        return ranges.union((known.from_s, known.to_s) for known in covered)

    def _ends(self, streams: tuple[bytes, ...]) -> list[Range]:
        """What was known last of each, however long ago: it may end within a second."""
        found: list[Range] = []
        for stream in streams:
            days = self.index.days(stream)
            if days and (known := self._known(stream, max(days) * _DAY_S, _FAR_S)):
                found.append((known[-1][1] - _JUST_NOW_S, known[-1][1]))
        return found

    def _complain(self, error: StorageError) -> None:
        if time.monotonic() - self._told_s > _COMPLAIN_S:
            self._told_s = time.monotonic()
            _log.error("%s", error)
