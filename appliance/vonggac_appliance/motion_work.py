"""A job of decoding as far as it has come."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from vonggac.media.chunk import SyncKind
from vonggac.motion import ranges
from vonggac.motion.ranges import Ranges
from vonggac.motion.slots import Slot, Tier
from vonggac_appliance.motion_eyes import Eyes
from vonggac_appliance.motion_reading import Footage, MotionReader, Placed
from vonggac_appliance.motion_watch import Job

__all__ = ["Work"]

_TOGETHER = 8
"""Chunks: who stops before the end has not read many more than he looked at."""


@dataclass(slots=True)
class Work:
    """What came of a job; `reached_ns` begins where the job does."""

    job: Job
    stream: bytes
    reached_ns: int
    goes_on: bool = False
    """It was stopped, and the rest is to be next."""
    slots: list[Slot] = field(default_factory=list)
    lost: int = 0
    pixels: int = 0
    pictures: int = 0
    footage_ns: int = 0

    @property
    def shape(self) -> tuple[int, float]:
        """Pixels, pictures a second."""
        return self.pixels, self.pictures * 1e9 / max(self.footage_ns, 1)

    @property
    def seen(self) -> Ranges:
        """Seconds of which there is a slot."""
        return ranges.union((slot.second, slot.second + 1) for slot in self.slots)

    def look(
        self,
        reader: MotionReader,
        eyes: Eyes,
        rows: Sequence[Placed],
        is_enough: Callable[[Footage], bool],
    ) -> bool:
        """Looks at these chunks, by key frames alone at no others; False: it was enough before."""
        wanted = [
            placed
            for placed in rows
            if eyes.tier is Tier.FULL or placed.packed.row.kind != SyncKind.NONE
        ]
        parts = (wanted[at : at + _TOGETHER] for at in range(0, len(wanted), _TOGETHER))
        for footage in (one for part in parts for one in reader.read(self.stream, part)):
            self.slots += eyes.see(footage)
            self.pixels = max(self.pixels, eyes.pixels)
            self.pictures += len(footage.pictures)
            self.footage_ns += footage.wall_end_ns - footage.claim.wall_start_ns
            self.lost += eyes.lost
            eyes.lost = 0
            self.job.watch.what = eyes.what
            if is_enough(footage):
                return False
        return True
