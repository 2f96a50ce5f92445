"""Older footage, a little at a time: what was seen of a minute waits for its next turn.

A thread that decoded a minute in one go would keep the newest footage of all cameras waiting for
seconds; and to begin anew each time costs twelve seconds of footage.
"""

from __future__ import annotations

import time
from collections.abc import Collection
from dataclasses import dataclass

from vonggac_appliance.motion_eyes import Eyes
from vonggac_appliance.motion_reading import Footage, MotionReader, Placed
from vonggac_appliance.motion_watch import Job
from vonggac_appliance.motion_work import Work

__all__ = ["TURN_S", "WARM_S", "OlderFootage"]

_S = 1_000_000_000
WARM_S = 12
"""Before it: noise is known after 8 s, and a key frame comes first."""
TURN_S = 0.5
"""At least a chunk is looked at in a turn."""


@dataclass(slots=True)
class _Begun:
    """Whose eyes have seen what comes before `from_ns`."""

    eyes: Eyes
    from_ns: int
    seen: tuple[int, int] = (-1, -1)
    """Run and sequence of the last chunk."""

    def left(self, rows: list[Placed]) -> list[Placed]:
        """Those that were not seen; they come in the order of recording."""
        return [p for p in rows if (p.packed.row.run, p.packed.row.sequence) > self.seen]


class OlderFootage:
    """For all threads; one at a time has a camera."""

    def __init__(self) -> None:
        self._begun: dict[bytes, _Begun] = {}

    def keep_only(self, cameras: Collection[bytes]) -> None:
        """Of others no picture stays in memory."""
        for camera in set(self._begun) - set(cameras):
            self._begun.pop(camera, None)

    def look(self, reader: MotionReader, job: Job, work: Work) -> None:
        """A turn; what is not reached and does not go on is found missing another time."""
        camera = job.watch.camera
        begun = self._begun.pop(camera, None)
        rows = _rows(reader, job, work)
        if rows is None:
            return
        eyes = begun.eyes if begun is not None and begun.from_ns == job.from_ns else None
        if begun is None or eyes is None or (eyes.stream, eyes.tier) != (work.stream, job.tier):
            begun = _Begun(Eyes(work.stream, job.tier), job.from_ns)
        until_s = time.monotonic() + TURN_S

        def is_enough(footage: Footage) -> bool:
            begun.seen = footage.claim.run, footage.claim.sequence
            return time.monotonic() >= until_s

        reader.was_refused = False
        is_whole = work.look(reader, begun.eyes, begun.left(rows), is_enough)
        left = [] if is_whole else begun.left(rows)
        work.slots += [] if left else begun.eyes.end()
        first, last = job.from_ns // _S, job.to_ns // _S
        work.slots[:] = [slot for slot in work.slots if first <= slot.second < last]
        if reader.was_refused:
            return
        if left:  # a clock that was set back may have put what follows before what was seen
            reached = max((slot.second + 1 for slot in work.slots), default=first)
            until = min(placed.packed.row.wall_start_ns for placed in left) // _S
            begun.from_ns = work.reached_ns = max(first, min(reached, until)) * _S
            work.goes_on = True
            self._begun[camera] = begun
        else:
            work.reached_ns = job.to_ns


def _rows(reader: MotionReader, job: Job, work: Work) -> list[Placed] | None:
    """Of the stream that has it; None: a disk is away."""
    rows: list[Placed] = []
    for stream in dict.fromkeys((job.stream, *job.watch.streams.values())):
        work.stream = stream
        rows, _, missing = reader.rows(stream, job.from_ns - WARM_S * _S, job.to_ns)
        if missing:
            return None
        if any(placed.packed.row.wall_end_ns > job.from_ns for placed in rows):
            break
    return rows
