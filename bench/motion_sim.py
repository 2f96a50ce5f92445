"""Days of motion as cameras of a ward would see them, for benches: seeded, none of it real.

Four kinds of view, with a profile of the day: *quiet* (a gate), *office* (a yard, a corridor),
*street* (lanes full of vehicles) and *trees* (a street with wind in its trees). Somebody who passes
is a few cells wide or many, walks along a lane, and shows in about two thirds of the cells that he
covers. Beside that single false cells, and a light that is switched.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

COLUMNS, ROWS = 64, 36
DAY = 86_400
KINDS = ("quiet",) * 16 + ("office",) * 24 + ("street",) * 16 + ("trees",) * 8


@dataclass(frozen=True, slots=True)
class View:
    passes: int
    """A day."""
    night: float
    """Share of the passes that keep to no hour."""
    tall: tuple[int, int]
    """Height of who passes, in cells."""
    patches: int
    """Of leaves in the wind."""


VIEWS = {
    "quiet": View(250, 0.2, (6, 18), 0),
    "office": View(1100, 0.1, (6, 20), 0),
    "street": View(6000, 0.25, (4, 16), 0),
    "trees": View(2000, 0.2, (5, 16), 3),
}


def grid_day(kind: str, seed: int) -> NDArray[np.bool_]:
    """(86400, 36, 64): the cells that move in each second of a day."""
    rng = np.random.default_rng(seed)
    view = VIEWS[kind]
    grid = np.zeros((DAY, ROWS, COLUMNS), dtype=bool)
    lanes = [_lane(rng) for _ in range(4)]
    for _ in range(rng.poisson(view.passes)):
        _pass(grid, rng, lanes[rng.integers(len(lanes))], _moment(rng, view.night), view.tall)
    for _ in range(view.patches):
        _leaves(grid, rng)
    false_cells = rng.poisson(2000)
    grid.reshape(-1)[rng.integers(0, grid.size, false_cells)] = True
    for at in rng.integers(0, DAY - 2, 3):
        grid[at : at + 2] |= rng.random((2, ROWS, COLUMNS)) < 0.8
    return grid


def _moment(rng: np.random.Generator, night: float) -> int:
    """A second of the day: around 07:00, 11:30 and 17:30 mostly."""
    if rng.random() < night:
        return int(rng.integers(DAY))
    hour = rng.choice([7.0, 11.5, 17.5]) + rng.normal(0, 1.8)
    return int(hour * 3600) % DAY


def _lane(rng: np.random.Generator) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Where a lane begins and ends, in cells."""
    y0, y1 = rng.uniform(8, 32, 2)
    ends = np.array([-4.0, y0]), np.array([68.0, y1])
    return ends if rng.random() < 0.5 else (ends[1], ends[0])


def _pass(grid, rng, lane, start, tall) -> None:  # type: ignore[no-untyped-def]
    """Somebody, or a vehicle, goes along a lane; now and then he stands for a while."""
    height = rng.integers(*tall)
    is_vehicle = rng.random() < 0.5
    width = height * (1.2 if is_vehicle else 0.45)
    seconds = int(rng.uniform(3, 8) if is_vehicle else rng.uniform(12, 40))
    first, last = lane
    for step in range(seconds):
        second = start + step
        if second >= DAY:
            return
        x, y = first + (last - first) * (step + rng.uniform(-0.2, 0.2)) / seconds
        reach = abs(last[0] - first[0]) / seconds  # what he crosses within the second
        left, right = int(max(0, x - width / 2)), int(min(COLUMNS, x + width / 2 + reach / 2))
        top, bottom = int(max(0, y - height)), int(min(ROWS, y))
        if left >= right or top >= bottom:
            continue
        share = rng.uniform(0.5, 0.9)
        grid[second, top:bottom, left:right] |= rng.random((bottom - top, right - left)) < share


def _leaves(grid, rng) -> None:  # type: ignore[no-untyped-def]
    """A patch that moves in gusts of minutes, most of all in the afternoon."""
    height, width = rng.integers(6, 14, 2)
    top, left = rng.integers(0, ROWS - height), rng.integers(0, COLUMNS - width)
    often = rng.beta(1.2, 3, (height, width))
    at = int(rng.integers(600))
    while at < DAY:
        hour = at / 3600
        length = int(rng.exponential(90))
        strength = rng.random() * (0.25 + 0.6 * np.exp(-(((hour - 14) / 5) ** 2)))
        end = min(DAY, at + length)
        blown = rng.random((end - at, height, width)) < often * strength
        grid[at:end, top : top + height, left : left + width] |= blown
        at = end + int(rng.exponential(500))
