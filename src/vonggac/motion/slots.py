"""The values of the motion index: one second of one stream, as cells in which something moved.

The numbers are stored and never change. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum

__all__ = [
    "CELL_BYTES",
    "CELL_COUNT",
    "GRID_COLUMNS",
    "GRID_ROWS",
    "NO_CELLS",
    "Slot",
    "Tier",
    "active_cells",
    "cells_of",
]

GRID_COLUMNS = 64
GRID_ROWS = 36
CELL_COUNT = GRID_COLUMNS * GRID_ROWS
"""Cell = row * 64 + column, from the top left."""
CELL_BYTES = CELL_COUNT // 8
"""Cell c is bit (c & 7) of byte c >> 3."""
NO_CELLS = bytes(CELL_BYTES)


class Tier(IntEnum):
    """From which pictures a slot was made."""

    FULL = 1
    """All of them, compared about 0.2 s apart."""
    KEY = 2
    """Sync samples alone: says *between that key frame and this one*, and misses what was quick."""


@dataclass(frozen=True, slots=True)
class Slot:
    """One second in which pictures could be compared."""

    second: int
    """Unix seconds: the floor of the pictures' wall time, UTC of the box."""
    cells: bytes
    """`CELL_BYTES`; see there."""
    tier: Tier
    is_global: bool = False
    """Most of the picture changed at once: a light, a filter, a lens; the cells are kept."""


def active_cells(cells: bytes) -> list[int]:
    """The numbers of those that are set, rising."""
    bits = int.from_bytes(cells, "little")
    found = []
    while bits:
        lowest = bits & -bits
        found.append(lowest.bit_length() - 1)
        bits ^= lowest
    return found


def cells_of(numbers: Iterable[int]) -> bytes:
    """`CELL_BYTES` in which those cells are set; OverflowError for one outside of the grid."""
    bits = 0
    for number in numbers:
        bits |= 1 << number
    return bits.to_bytes(CELL_BYTES, "little")
