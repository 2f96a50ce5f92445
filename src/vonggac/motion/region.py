"""Rectangles and polygons of a picture as sets of grid cells. Pure.

A region is given in parts of the picture, 0..1 from its upper left corner, and becomes a mask of
`CELL_BYTES` (slots.py). A cell belongs to the region if any part of it lies inside, however small:
whoever searches would rather see a moment too many.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache

from vonggac.errors import Invalid
from vonggac.motion.slots import CELL_BYTES, GRID_COLUMNS, GRID_ROWS, NO_CELLS

__all__ = [
    "EVERYWHERE",
    "NOWHERE",
    "POINTS_MAX",
    "parse",
    "polygon",
    "rectangle",
    "union",
    "without",
]

NOWHERE = NO_CELLS
EVERYWHERE = b"\xff" * CELL_BYTES
POINTS_MAX = 100
_POLYGONS_KEPT = 4096
"""As many as 512 cameras have masks; 2.5 KB each of 20 points."""

# A point is kept as whole steps, so that what touches a cell's border is decided exactly.
_CELL = 4096
_WIDTH = GRID_COLUMNS * _CELL
_HEIGHT = GRID_ROWS * _CELL

_Point = tuple[int, int]


def rectangle(x: float, y: float, width: float, height: float) -> bytes:
    """The cells that a rectangle touches. Invalid: empty, inverted or not within the picture."""
    _expect_numbers((x, y, width, height))
    if width < 0 or height < 0:
        raise Invalid("region", "the rectangle is inverted: width and height must be above 0")
    left, top = _step(x, y)
    right, bottom = _step(x + width, y + height)
    if left >= right or top >= bottom:
        raise Invalid("region", "the rectangle is empty")
    mask = bytearray(CELL_BYTES)
    for row in range(top // _CELL, -(-bottom // _CELL)):
        for column in range(left // _CELL, -(-right // _CELL)):
            _set(mask, row, column)
    return bytes(mask)


def polygon(points: Sequence[tuple[float, float]]) -> bytes:
    """The cells that a polygon touches; the last point is joined to the first, in either direction.

    Invalid: fewer than three points or more than 100, empty, crossing or touching itself, or not
    within the picture.
    """
    return _polygon(tuple(points))


# It takes milliseconds, and a search asks the same one of many cameras.
@lru_cache(maxsize=_POLYGONS_KEPT)
def _polygon(points: tuple[tuple[float, float], ...]) -> bytes:
    if len(points) > POINTS_MAX:
        raise Invalid("region", f"a polygon has at most {POINTS_MAX} points, not {len(points)}")
    for point in points:
        _expect_numbers(point)
    steps = _without_repeats([_step(x, y) for x, y in points])
    if len(steps) < 3:
        raise Invalid("region", "a polygon needs three different points or more")
    edges = list(zip(steps, steps[1:] + steps[:1], strict=True))
    if all(_side(steps[0], steps[1], point) == 0 for point in steps):
        raise Invalid("region", "the polygon is empty: its points lie on one line")
    if _crosses_itself(edges):
        raise Invalid("region", "the polygon crosses or touches itself")
    mask = bytearray(CELL_BYTES)
    for row, column in (*_inside(edges), *_crossed(edges)):
        _set(mask, row, column)
    return bytes(mask)


def parse(text: str) -> bytes:
    """`x,y,width,height`, or the points `x,y` of a polygon one after the other. Invalid."""
    words = [word for word in re.split(r"[,;\s]+", text.strip()) if word]
    try:
        numbers = [float(word) for word in words]
    except ValueError:
        raise Invalid("region", f"«{text}» is no list of numbers") from None
    if len(numbers) == 4:
        return rectangle(numbers[0], numbers[1], numbers[2], numbers[3])
    if len(numbers) < 6 or len(numbers) % 2:
        raise Invalid(
            "region", "a region is x,y,width,height or the points x,y of a polygon, from 0 to 1"
        )
    return polygon(list(zip(numbers[::2], numbers[1::2], strict=True)))


def union(masks: Iterable[bytes]) -> bytes:
    """The cells of any of them. Invalid: there is none, so nothing is asked for."""
    parts = list(masks)
    if not parts:
        raise Invalid("region", "there is no region")
    whole = 0
    for mask in parts:
        whole |= _number(mask)
    return whole.to_bytes(CELL_BYTES, "little")


def without(mask: bytes, hidden: bytes) -> bytes:
    """The cells of `mask` but those of `hidden`: a tree that is left out of a search."""
    return (_number(mask) & ~_number(hidden)).to_bytes(CELL_BYTES, "little")


def _number(mask: bytes) -> int:
    if len(mask) != CELL_BYTES:
        raise Invalid("region", f"a mask has {CELL_BYTES} bytes, not {len(mask)}")
    return int.from_bytes(mask, "little")


def _set(mask: bytearray, row: int, column: int) -> None:
    cell = row * GRID_COLUMNS + column
    mask[cell >> 3] |= 1 << (cell & 7)


def _expect_numbers(numbers: Sequence[float]) -> None:
    if not all(math.isfinite(number) for number in numbers):
        raise Invalid("region", "a region needs finite numbers")


def _step(x: float, y: float) -> _Point:
    """A point in steps of 1/4096 of a cell. Invalid: it is not within the picture."""
    if -1 <= x <= 2 and -1 <= y <= 2:  # what is far larger has no number of steps
        across, down = round(x * _WIDTH), round(y * _HEIGHT)
        if 0 <= across <= _WIDTH and 0 <= down <= _HEIGHT:
            return across, down
    raise Invalid("region", f"({x:g}, {y:g}) is outside of the picture, 0..1")


def _without_repeats(points: list[_Point]) -> list[_Point]:
    """Points that stand twice in a row, the last and the first too, once."""
    return [point for at, point in enumerate(points) if point != points[at - 1]]


def _side(a: _Point, b: _Point, p: _Point) -> int:
    """Above 0: p lies on one side of the line from a to b, below: on the other, 0: on it."""
    return (b[0] - a[0]) * (p[1] - a[1]) - (b[1] - a[1]) * (p[0] - a[0])


def _is_between(a: _Point, b: _Point, p: _Point) -> bool:
    """Whether p, which lies on the line through a and b, lies from a to b."""
    return min(a[0], b[0]) <= p[0] <= max(a[0], b[0]) and min(a[1], b[1]) <= p[1] <= max(a[1], b[1])


def _touch(a: _Point, b: _Point, c: _Point, d: _Point) -> bool:
    """Whether two edges have a point in common."""
    first, second = _side(a, b, c), _side(a, b, d)
    third, fourth = _side(c, d, a), _side(c, d, b)
    if first * second < 0 and third * fourth < 0:
        return True
    ends = ((first, a, b, c), (second, a, b, d), (third, c, d, a), (fourth, c, d, b))
    return any(side == 0 and _is_between(start, end, p) for side, start, end, p in ends)


def _crosses_itself(edges: list[tuple[_Point, _Point]]) -> bool:
    count = len(edges)
    for one in range(count):
        a, b = edges[one]
        c = edges[(one + 1) % count][1]
        # The next edge goes back on this one: a spike.
        if _side(a, b, c) == 0 and (_is_between(a, b, c) or _is_between(b, c, a)):
            return True
        for other in range(one + 2, count - (one == 0)):
            if _touch(a, b, *edges[other]):
                return True
    return False


def _crossed(edges: list[tuple[_Point, _Point]]) -> Iterator[tuple[int, int]]:
    """The cells through whose inside an edge runs."""
    for a, b in edges:
        left, right = min(a[0], b[0]), max(a[0], b[0])
        top, bottom = min(a[1], b[1]), max(a[1], b[1])
        for row in range(top // _CELL, min(GRID_ROWS, bottom // _CELL + 1)):
            y = row * _CELL
            from_x, to_x = left, right
            if a[1] != b[1]:
                ends = (_across(a, b, y), _across(a, b, y + _CELL))
                from_x, to_x = max(left, min(ends)), min(right, max(ends))
            for column in range(from_x // _CELL, min(GRID_COLUMNS, to_x // _CELL + 1)):
                x = column * _CELL
                if not (left < x + _CELL and right > x and top < y + _CELL and bottom > y):
                    continue
                corners = [
                    _side(a, b, corner)
                    for corner in (
                        (x, y), (x + _CELL, y), (x, y + _CELL), (x + _CELL, y + _CELL)
                    )
                ]  # fmt: skip
                if min(corners) < 0 < max(corners):
                    yield row, column


def _across(a: _Point, b: _Point, y: int) -> int:
    """Where the line through a and b is at the height y, rounded down."""
    return a[0] + (b[0] - a[0]) * (y - a[1]) // (b[1] - a[1])


def _inside(edges: list[tuple[_Point, _Point]]) -> Iterator[tuple[int, int]]:
    """The cells whose middle lies inside: to the right of an odd number of edges."""
    for row in range(GRID_ROWS):
        y = row * _CELL + _CELL // 2
        crossing = [(a, b) if a[1] < b[1] else (b, a) for a, b in edges if (a[1] > y) != (b[1] > y)]
        firsts = sorted(_first_behind(upper, lower, y) for upper, lower in crossing)
        for first, end in zip(firsts[::2], firsts[1::2], strict=True):
            for column in range(first, min(end, GRID_COLUMNS)):
                yield row, column


def _first_behind(upper: _Point, lower: _Point, y: int) -> int:
    """The first column whose middle lies to the right of an edge at the height y."""
    height = lower[1] - upper[1]
    x = upper[0] * height + (lower[0] - upper[0]) * (y - upper[1])  # times the height
    return (x - _CELL // 2 * height) // (_CELL * height) + 1
