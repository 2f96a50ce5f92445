"""Blocks of motion that no day's file holds yet: those being told, and those in the logs. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from vonggac._native.tiles import Grid
from vonggac.motion.block import BLOCK_SECONDS, PackedBlock, code_of, grid_of, pack
from vonggac.motion.query import DAY_SECONDS
from vonggac.motion.slots import Slot

__all__ = ["BLOCKS_PER_DAY", "Recent"]

BLOCKS_PER_DAY = DAY_SECONDS // BLOCK_SECONDS
_OPEN_MAX = 2
"""Blocks of a stream that are told at once: the newest, and one that is caught up."""

_UNLOGGED_MAX = 60
"""Blocks that wait for a log that refuses them: two hours of a stream."""


class Recent:
    """Of one stream. A block is *open* until it is whole, or others are told of."""

    def __init__(self) -> None:
        self._open: dict[int, Grid] = {}
        self._logged: dict[int, PackedBlock] = {}
        self.size_bytes = 0
        """Of what is logged, in memory."""

    def put(self, slot: Slot) -> None:
        """Adds a slot."""
        number, at = divmod(slot.second, BLOCK_SECONDS)
        grid = self._open.pop(number, None) or Grid(BLOCK_SECONDS)
        grid.put(at, slot.cells, code_of(slot))
        self._open[number] = grid  # the one that was told of last stands last

    def due(self, stream: bytes, *, everything: bool = False) -> Iterator[PackedBlock]:
        """Open blocks that are to be logged; each stays open until `logged` is told of it."""
        numbers = list(self._open)
        for place, number in enumerate(numbers):
            is_old = place < len(numbers) - _OPEN_MAX
            if everything or is_old or 0 not in self._open[number].get_codes():
                yield pack(self._open[number], stream, number)

    def logged(self, packed: PackedBlock) -> None:
        """A block is in the log. MediaError: its strips are none."""
        before = self._logged.get(packed.number)
        if before is not None:
            grid = grid_of(before)
            grid.merge(grid_of(packed), 0)
            packed = pack(grid, packed.stream, packed.number)
            self.size_bytes -= len(before.strips)
        self._logged[packed.number] = packed
        self._open.pop(packed.number, None)
        self.size_bytes += len(packed.strips)

    def bound_open(self) -> None:
        """Drops the oldest of very many blocks that could not be logged."""
        for number in list(self._open)[:-_UNLOGGED_MAX]:
            del self._open[number]

    def days(self) -> set[int]:
        """Days of the blocks there are."""
        return {number // BLOCKS_PER_DAY for number in (*self._open, *self._logged)}

    def logged_days(self) -> set[int]:
        """Days of the blocks that are in the log."""
        return {number // BLOCKS_PER_DAY for number in self._logged}

    def grids(self, day: int, *, logged_only: bool = False) -> Iterator[tuple[int, Grid]]:
        """(first second of the day, grid) of its blocks; the open ones with what they have."""
        numbers = self._logged.keys() if logged_only else self._open.keys() | self._logged.keys()
        for number in sorted(numbers):
            if number // BLOCKS_PER_DAY == day:
                yield number % BLOCKS_PER_DAY * BLOCK_SECONDS, self._grid(number, logged_only)

    def blocks(self, stream: bytes, day: int) -> Iterator[tuple[int, PackedBlock]]:
        """(first second of the day, block) of its blocks."""
        for number in sorted(self._open.keys() | self._logged.keys()):
            if number // BLOCKS_PER_DAY != day:
                continue
            packed = self._logged.get(number)
            if packed is None or number in self._open:
                packed = pack(self._grid(number, False), stream, number)
            yield number % BLOCKS_PER_DAY * BLOCK_SECONDS, packed

    def filed(self, day: int) -> None:
        """What is logged of a day is in its file now."""
        for number in [n for n in self._logged if n // BLOCKS_PER_DAY == day]:
            self.size_bytes -= len(self._logged.pop(number).strips)

    def forget(self, stream: bytes, from_s: int, to_s: int) -> None:
        """Nothing is known of [from_s, to_s) any more."""
        for number in list(self._open):
            kept = _without(self._open[number], number, from_s, to_s)
            if kept is None:
                del self._open[number]
        for number, packed in list(self._logged.items()):
            if not _touches(number, from_s, to_s):
                continue
            kept = _without(grid_of(packed), number, from_s, to_s)
            self.size_bytes -= len(packed.strips)
            del self._logged[number]
            if kept is not None:
                self._logged[number] = pack(kept, stream, number)
                self.size_bytes += len(self._logged[number].strips)

    def _grid(self, number: int, logged_only: bool) -> Grid:
        grid = Grid(BLOCK_SECONDS)
        if number in self._logged:
            grid.merge(grid_of(self._logged[number]), 0)
        if number in self._open and not logged_only:
            grid.merge(self._open[number], 0)
        return grid


def _touches(number: int, from_s: int, to_s: int) -> bool:
    return number * BLOCK_SECONDS < to_s and from_s < (number + 1) * BLOCK_SECONDS


def _without(grid: Grid, number: int, from_s: int, to_s: int) -> Grid | None:
    """The grid of a block without a range; None: nothing is left."""
    starts_s = number * BLOCK_SECONDS
    first = min(max(from_s - starts_s, 0), BLOCK_SECONDS)
    last = min(max(to_s - starts_s, first), BLOCK_SECONDS)
    grid.forget(first, last)
    return grid if any(grid.get_codes()) else None
