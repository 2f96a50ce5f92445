"""How often each cell of a picture moved in a day, whichever streams tell of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from vonggac._native.tiles import Grid
from vonggac.motion.query import DAY_SECONDS
from vonggac.motion.slots import CELL_COUNT

__all__ = ["Source", "heat_of_day"]


class Source(Protocol):
    """What is asked of the index."""

    def grid(self, stream: bytes, day: int) -> Grid: ...


def heat_of_day(
    source: Source, begins_s: Mapping[bytes, int], day: int, from_s: int, to_s: int
) -> list[int]:
    """In how many seconds of [from_s, to_s) in a day each of the 2304 cells moved.

    `begins_s`: streams of one picture, and the second before which nothing of each counts. A second
    that several of them tell counts once: by the better tier, of the same tier the cells of both.
    """
    starts_s = day * DAY_SECONDS
    first, last = max(from_s - starts_s, 0), min(to_s - starts_s, DAY_SECONDS)
    merged: Grid | None = None
    for stream, begin_s in begins_s.items():
        if first >= last or begin_s >= starts_s + last:
            continue
        grid = source.grid(stream, day)
        if begin_s > starts_s:
            grid.forget(0, begin_s - starts_s)
        if merged is None:
            merged = grid
        else:
            merged.merge(grid, 0)
    return [0] * CELL_COUNT if merged is None else merged.heat(first, last)
