"""One second of the motion index as a value."""

from __future__ import annotations

import pytest

from vonggac.motion.slots import (
    CELL_BYTES,
    CELL_COUNT,
    GRID_COLUMNS,
    NO_CELLS,
    Tier,
    active_cells,
    cells_of,
)


def test_the_numbers_of_the_index_are_what_is_stored() -> None:
    assert (GRID_COLUMNS, CELL_COUNT, CELL_BYTES) == (64, 2304, 288)
    assert (Tier.FULL, Tier.KEY) == (1, 2)


def test_a_cell_is_a_bit_counted_from_the_top_left() -> None:
    row, column = 2, 3
    cells = cells_of([row * GRID_COLUMNS + column])
    assert cells[16] == 1 << 3 and sum(cells) == 1 << 3


def test_cells_come_back_as_they_went_in() -> None:
    assert active_cells(cells_of([0, 7, 8, 1000, CELL_COUNT - 1])) == [0, 7, 8, 1000, 2303]
    assert cells_of([]) == NO_CELLS and active_cells(NO_CELLS) == []


def test_a_cell_outside_of_the_grid_is_refused() -> None:
    with pytest.raises(OverflowError):
        cells_of([CELL_COUNT])
