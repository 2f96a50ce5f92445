"""Which loop reads a camera and which disk keeps a stream."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


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


def choose_loop(loops: Sequence[LoopLoad], is_household: bool, cameras_max: int) -> int | None:
    """The number of the loop that takes one more camera; None: a new one is needed.

    The fullest one with room, so that few loops, and few arenas, are ever made.
    """
    fit = [x for x in loops if x.is_household == is_household and x.cameras < cameras_max]
    return max(fit, key=lambda x: (x.cameras, -x.number)).number if fit else None


def choose_disk(disks: Sequence[DiskLoad], before: int | None = None) -> int | None:
    """The slot of the disk that takes one more stream; None: there is none.

    `before`: the slot that holds the stream's open segment, kept so that it is resumed. Otherwise
    the one with the most segments for each of its streams, the new one counted.
    """
    if any(x.slot == before for x in disks):
        return before
    fit = [x for x in disks if x.segments > 0]
    if not fit:
        return None
    return max(fit, key=lambda x: (x.segments / (x.streams + 1), -x.slot)).slot
