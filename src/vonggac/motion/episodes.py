"""Seconds with motion joined into episodes. Pure."""

from __future__ import annotations

import heapq
import struct
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import overload

from vonggac.motion.slots import Tier

__all__ = [
    "PACKED_EPISODE",
    "DayFound",
    "Episode",
    "Found",
    "PackedEpisodes",
    "join",
    "newest_first",
    "newest_first_by_days",
]


@dataclass(frozen=True, slots=True)
class Episode:
    """Motion from the second `from_s` until `to_s` (excluded), with gaps of a few seconds at most.

    `cells`: how many cells of the region moved in `strongest_s`, the first second that has the
    most; `tier`: the coarsest of the seconds in it; `is_global`: in every one of them most of the
    picture changed, as when a light is switched.
    """

    from_s: int
    to_s: int
    strongest_s: int
    cells: int
    tier: Tier
    is_global: bool = False


@dataclass(frozen=True, slots=True)
class Found:
    """An episode of a stream."""

    stream: bytes
    episode: Episode


PACKED_EPISODE = struct.Struct("=IIIHB?")
"""From, to (excluded), strongest, its cells, tier, whether all is global: a vg_episode."""


class PackedEpisodes(Sequence[Episode]):
    """Episodes of a day from the oldest on, as the counting gives them: made when asked for.

    A search of a month finds a hundred thousand, of which somebody looks at the first few.
    """

    def __init__(self, packed: bytes, starts_s: int) -> None:
        self._packed = packed
        self._starts_s = starts_s

    def __len__(self) -> int:
        return len(self._packed) // PACKED_EPISODE.size

    @overload
    def __getitem__(self, at: int) -> Episode: ...
    @overload
    def __getitem__(self, at: slice) -> list[Episode]: ...
    def __getitem__(self, at: int | slice) -> Episode | list[Episode]:
        if isinstance(at, slice):
            return [self[one] for one in range(*at.indices(len(self)))]
        if not -len(self) <= at < len(self):
            raise IndexError(at)
        first, last, most, cells, tier, whole = PACKED_EPISODE.unpack_from(
            self._packed, at % len(self) * PACKED_EPISODE.size
        )
        starts_s = self._starts_s
        return Episode(starts_s + first, starts_s + last, starts_s + most, cells, Tier(tier), whole)


@dataclass(frozen=True, slots=True)
class DayFound:
    """The episodes of one UTC day, of every stream that has some: each from the oldest on."""

    starts_s: int
    streams: Mapping[bytes, Sequence[Episode]]


def join(earlier: Episode, later: Episode) -> Episode:
    """Two episodes of one stream as one; `earlier` begins first."""
    strongest = later if later.cells > earlier.cells else earlier
    return Episode(
        earlier.from_s,
        max(later.to_s, earlier.to_s),
        strongest.strongest_s,
        strongest.cells,
        max(later.tier, earlier.tier),
        later.is_global and earlier.is_global,
    )


def newest_first(days: Iterable[DayFound], gap_s: int) -> Iterator[Found]:
    """All of them by their beginnings, the newest first; those that midnight cuts are joined.

    `days`: from the newest to the oldest, each once. What reaches back to the start of its day
    waits for the day before, in which it began: by its end it would come too late.
    """
    return (found for found in newest_first_by_days(days, gap_s) if found is not None)


def newest_first_by_days(days: Iterable[DayFound], gap_s: int) -> Iterator[Found | None]:
    """The same, and None after each day, also one of which nothing is told."""
    waiting: dict[bytes, Episode] = {}
    for day in days:
        told: list[Iterator[Found]] = []
        for stream in {*day.streams, *waiting}:
            episodes = day.streams.get(stream, ())
            first, last = 0, len(episodes)
            newest = waiting.pop(stream, None)
            if newest and last and newest.from_s - episodes[-1].to_s <= gap_s:
                last -= 1
                newest = join(episodes[last], newest)
            if last and episodes[0].from_s - day.starts_s <= gap_s:
                waiting[stream] = episodes[0]
                first = 1
            elif newest and not last and newest.from_s - day.starts_s <= gap_s:
                waiting[stream] = newest
                newest = None
            told.append(_backwards(stream, newest, episodes, first, last))
        yield from heapq.merge(*told, key=_newness)
        yield None
    oldest = [_backwards(stream, episode, (), 0, 0) for stream, episode in waiting.items()]
    yield from heapq.merge(*oldest, key=_newness)


def _backwards(
    stream: bytes, newest: Episode | None, episodes: Sequence[Episode], first: int, last: int
) -> Iterator[Found]:
    """`newest`, where there is one, then episodes[first:last] from the last on."""
    if newest:
        yield Found(stream, newest)
    for at in range(last - 1, first - 1, -1):
        yield Found(stream, episodes[at])


def _newness(found: Found) -> tuple[int, int]:
    return -found.episode.from_s, -found.episode.to_s
