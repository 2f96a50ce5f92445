"""Rectangles and polygons become the cells that they touch."""

from __future__ import annotations

import math
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vonggac.errors import Invalid
from vonggac.motion import region
from vonggac.motion.slots import GRID_COLUMNS, GRID_ROWS, active_cells


def cells(mask: bytes) -> set[tuple[int, int]]:
    return {divmod(cell, GRID_COLUMNS) for cell in active_cells(mask)}


def test_the_whole_picture_is_every_cell() -> None:
    assert region.rectangle(0, 0, 1, 1) == region.EVERYWHERE
    assert region.polygon([(0, 0), (1, 0), (1, 1), (0, 1)]) == region.EVERYWHERE


def test_a_rectangle_along_cell_borders_takes_no_neighbour() -> None:
    mask = region.rectangle(2 / 64, 3 / 36, 2 / 64, 1 / 36)
    assert cells(mask) == {(3, 2), (3, 3)}


def test_a_rectangle_within_a_cell_is_that_cell() -> None:
    assert cells(region.rectangle(0.501, 0.501, 0.001, 0.001)) == {(18, 32)}


def test_a_triangle_takes_every_cell_that_it_touches() -> None:
    # Its upper left half, cut from corner to corner of a block of 4 x 4 cells.
    found = cells(region.polygon([(0, 0), (4 / 64, 0), (0, 4 / 36)]))
    assert found == {(row, column) for row in range(4) for column in range(4) if row + column < 4}


def test_a_concave_polygon_leaves_its_bay_out() -> None:
    points = [(0, 0), (8 / 64, 0), (8 / 64, 6 / 36), (6 / 64, 6 / 36), (6 / 64, 2 / 36),
              (2 / 64, 2 / 36), (2 / 64, 6 / 36), (0, 6 / 36)]  # fmt: skip
    found = cells(region.polygon(points))
    assert (0, 4) in found and (5, 0) in found and (5, 7) in found
    assert (4, 4) not in found and (2, 2) not in found
    assert found == cells(region.polygon(points[::-1]))


def test_a_polygon_that_is_asked_of_every_camera_costs_as_much_as_one() -> None:
    def took_s(shape: list[tuple[float, float]], times: int) -> float:
        began_s = time.process_time()
        for _ in range(times):
            region.polygon(list(shape))
        return time.process_time() - began_s

    around = [(math.cos(n / 30 * math.pi) / 2.1, math.sin(n / 30 * math.pi) / 2.1)
              for n in range(60)]  # fmt: skip
    ones = [took_s([(0.5 + x, 0.5 + y * part) for x, y in around], 1) for part in (0.8, 0.9, 1.0)]
    assert took_s([(0.5 + x, 0.5 + y * 0.7) for x, y in around], 512) < 20 * min(ones)


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("0.1,0.1,0,0.5", "empty"),
        ("0.1,0.1,0.0000001,0.5", "empty"),
        ("0.5,0.5,-0.2,0.1", "inverted"),
        ("0.5,0.5,0.6,0.1", "outside"),
        ("-0.1,0,0.5,0.5", "outside"),
        ("1e308,0,1e308,0.5", "outside"),
        ("0,0 1e308,0 0,1", "outside"),
        ("0.1,0.1 0.9,0.9 0.9,0.1 0.1,0.9", "crosses"),
        ("0.1,0.1 0.5,0.1 0.5,0.5 0.5,0.05", "crosses or touches"),
        ("0,0 0.5,0.5 1,1", "one line"),
        ("0,0 0.5,0.5 0,0", "three different"),
        ("0,0 2,0 1,1", "outside"),
        ("nan,0,0.5,0.5", "finite"),
        ("inf,0,0.5,0.5", "finite"),
        ("0.1,0.1,0.2", "a region is"),
        ("0,0 1,0 1", "a region is"),
        ("", "a region is"),
        ("left half", "no list of numbers"),
        (" ".join(["0,0"] * 101), "at most 100 points"),
    ],
)
def test_what_is_no_region_is_refused_with_the_reason(text: str, word: str) -> None:
    with pytest.raises(Invalid, match=word) as refused:
        region.parse(text)
    assert refused.value.field == "region"


def test_numbers_are_read_with_any_separators() -> None:
    assert region.parse("0, 0, .5, 1") == region.rectangle(0, 0, 0.5, 1)
    assert region.parse("0,0 1,0; 1,1") == region.polygon([(0, 0), (1, 0), (1, 1)])


def test_a_tree_is_left_out() -> None:
    left = region.rectangle(0, 0, 0.5, 1)
    assert region.without(region.EVERYWHERE, left) == region.rectangle(0.5, 0, 0.5, 1)
    assert region.without(left, region.EVERYWHERE) == region.NOWHERE
    assert region.union([left, region.rectangle(0.5, 0, 0.5, 1)]) == region.EVERYWHERE
    with pytest.raises(Invalid):
        region.union([])


corner = st.tuples(
    st.floats(0, 1, allow_nan=False, width=32), st.floats(0, 1, allow_nan=False, width=32)
)


@given(corner, corner)
def test_a_rectangle_and_its_polygon_are_the_same_cells(
    a: tuple[float, float], b: tuple[float, float]
) -> None:
    x0, x1 = sorted((a[0], b[0]))
    y0, y1 = sorted((a[1], b[1]))
    try:
        mask = region.polygon([(x0, y0), (x1, y0), (x1, y1), (x0, y1)])
    except Invalid:
        with pytest.raises(Invalid):
            region.rectangle(x0, y0, x1 - x0, y1 - y0)
        return
    assert mask == region.rectangle(x0, y0, x1 - x0, y1 - y0)


@given(st.lists(corner, min_size=3, max_size=3, unique=True))
def test_a_triangle_has_every_cell_in_which_it_has_a_point(
    triangle: list[tuple[float, float]],
) -> None:
    try:
        found = cells(region.polygon(triangle))
    except Invalid:
        return
    for one in range(1, 40):
        for other in range(1, 40 - one):
            shares = one / 40, other / 40, 1 - (one + other) / 40
            x = sum(share * point[0] for share, point in zip(shares, triangle, strict=True))
            y = sum(share * point[1] for share, point in zip(shares, triangle, strict=True))
            if min(math.modf(x * 64)[0], math.modf(y * 36)[0]) < 1e-3:
                continue  # a border is in both or in either
            assert (min(int(y * GRID_ROWS), 35), min(int(x * GRID_COLUMNS), 63)) in found
