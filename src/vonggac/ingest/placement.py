"""Which loop reads a camera and which disk keeps a stream."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

_BUSY_MS = 100.0
"""Below that a tick says nothing about how many streams a disk could take."""
_BUDGET_MS = 500.0
"""Half a tick: more makes ticks longer, and with them what a power cut takes."""


@dataclass(frozen=True, slots=True)
class LoopLoad:
    """A loop and how many cameras it reads."""

    number: int
    cameras: int
    is_household: bool
    """Household cameras have loops of their own: home Wi-Fi must not touch State lines."""


@dataclass(frozen=True, slots=True)
class DiskLoad:
    """A disk that can be written and how many streams it takes."""

    slot: int
    streams: int
    segments: int
    streams_max: int | None = None
    """What its seeks allow, as measured (`stream_budget`); None: nobody knows of a limit."""
    is_doubtful: bool = False
    """It failed, hung or is slow: taken where there is no other."""

    @property
    def has_room(self) -> bool:
        """Whether one more stream stays within what its seeks allow."""
        return self.streams_max is None or self.streams < self.streams_max


def choose_loop(loops: Sequence[LoopLoad], is_household: bool, cameras_max: int) -> int | None:
    """The number of the loop that takes one more camera; None: a new one is needed.

    The fullest one with room, so that few loops, and few arenas, are ever made.
    """
    fit = [x for x in loops if x.is_household == is_household and x.cameras < cameras_max]
    return max(fit, key=lambda x: (x.cameras, -x.number)).number if fit else None


def choose_disk(disks: Sequence[DiskLoad], before: int | None = None) -> int | None:
    """The slot of the disk that takes one more stream; None: there is none.

    `before`: the slot that holds the stream's open segment, kept so that it is resumed. Otherwise
    a sound disk before a doubtful one, one with seeks to spare before one without, and then the one
    with the most segments for each of its streams, the new one counted.
    """
    if any(x.slot == before for x in disks):
        return before
    fit = [x for x in disks if x.segments > 0]
    if not fit:
        return None
    return max(fit, key=_preference).slot


def _preference(disk: DiskLoad) -> tuple[bool, bool, float, int]:
    share = disk.segments / (disk.streams + 1)
    return not disk.is_doubtful, disk.has_room, share, -disk.slot


def stream_budget(streams: int, tick_ms: float) -> int | None:
    """How many streams a disk takes within half a tick, from what `streams` of them cost it now.

    None while a tick is too short to tell: a stream costs seeks, and seeks cost time.
    """
    if streams <= 0 or tick_ms < _BUSY_MS:
        return None
    return int(streams * _BUDGET_MS / tick_ms)


def surplus(streams: int, tick_ms: float) -> int:
    """How many streams have to leave a slow disk; at least one where it holds any."""
    budget = stream_budget(streams, tick_ms)
    return 0 if budget is None or not streams else max(1, streams - budget)
