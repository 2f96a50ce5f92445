"""What a search asks for, and what it answers. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from vonggac.errors import Invalid
from vonggac.motion.slots import CELL_BYTES, CELL_COUNT, NO_CELLS

__all__ = ["BLOCK_SECONDS", "DAY_SECONDS", "Ask", "Coarse", "Query", "windows"]

BLOCK_SECONDS = 120
DAY_SECONDS = 86_400
_GAP_MAX_SECONDS = 3600
_EDGE = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Ask:
    """The cells (region.py) that are asked for in one stream's pictures."""

    stream: bytes
    mask: bytes

    def __post_init__(self) -> None:
        if len(self.mask) != CELL_BYTES:
            raise Invalid("region", f"a mask has {CELL_BYTES} bytes, not {len(self.mask)}")
        if self.mask == NO_CELLS:
            raise Invalid("region", "the region has no cell: it is empty, or masked out")


@dataclass(frozen=True, slots=True)
class Query:
    """Seconds of [from_s, to_s) in which at least so many cells of a stream's region moved.

    `hours`: (from, to) in seconds of the local day of `zone`, over midnight where from is later;
    the same twice means the whole day. `gap_s`: hits that are no further apart are one episode.
    Invalid.
    """

    asks: tuple[Ask, ...]
    from_s: int
    to_s: int
    at_least: int = 1
    hours: tuple[int, int] | None = None
    zone: tzinfo = UTC
    gap_s: int = 2

    def __post_init__(self) -> None:
        if not self.asks:
            raise Invalid("cameras", "a search needs a camera")
        if len({ask.stream for ask in self.asks}) < len(self.asks):
            raise Invalid("cameras", "a camera stands twice in the search")
        if self.from_s >= self.to_s:
            raise Invalid("to", "the search ends before it begins")
        if not 1 <= self.at_least <= CELL_COUNT:
            raise Invalid("cells", "at least 1 cell, at most 2304")
        if self.hours and not all(0 <= at <= DAY_SECONDS for at in self.hours):
            raise Invalid("hours", "an hour of the day is from 00:00 to 24:00")
        if not 0 <= self.gap_s <= _GAP_MAX_SECONDS:
            raise Invalid("gap", "a gap is from 0 s to an hour")


@dataclass(frozen=True, slots=True)
class Coarse:
    """Two-minute blocks of a stream's UTC day that may hold a hit.

    `ranges`: [from, to) in unix seconds, rising, of blocks that follow each other. They are told
    before anything is read from the disk; the seconds in them follow. No second of them lies
    outside of what is asked: of a block that is cut, on the disk, nothing is told.
    """

    stream: bytes
    day: int
    ranges: tuple[tuple[int, int], ...]


def windows(query: Query) -> tuple[tuple[int, int], ...]:
    """The ranges [from_s, to_s) that the query's hours leave of its range, ascending, disjoint."""
    whole = (query.from_s, query.to_s)
    if query.hours is None or query.hours[0] == query.hours[1]:
        return (whole,)
    found: list[tuple[int, int]] = []
    for start, end in _hours(query):
        start, end = max(start, whole[0]), min(end, whole[1])
        if found and start <= found[-1][1]:  # an hour that a zone has twice
            start, end = found[-1][0], max(end, found.pop()[1])
        if start < end:
            found.append((start, end))
    return tuple(found)


def _hours(query: Query) -> Iterator[tuple[int, int]]:
    """The hours of each local day that touches the range, in unix seconds."""
    assert query.hours is not None
    opens, closes = query.hours
    first = datetime.fromtimestamp(query.from_s, query.zone).date() - _EDGE
    last = datetime.fromtimestamp(query.to_s, query.zone).date() + _EDGE
    day = first
    while day <= last:
        ends_on = day if opens < closes else day + _EDGE
        yield _at(day, opens, query.zone), _at(ends_on, closes, query.zone)
        day += _EDGE


def _at(day: date, second: int, zone: tzinfo) -> int:
    """The unix second of a second of a local day; 24:00 is the next day's 00:00."""
    days, second = divmod(second, DAY_SECONDS)
    moment = time(second // 3600, second // 60 % 60, second % 60, tzinfo=zone)
    return int(datetime.combine(day + days * _EDGE, moment).timestamp())
