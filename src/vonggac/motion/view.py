"""What a camera looks at, as figures of its luma means; and how alike two views are. Pure.

Made once a minute from a picture in which nothing passes (docs/design/motion.md, *Camera trouble*).
Levels are whole ones of 8 bits; a cell's is the sum of its four means.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from operator import mul, sub

from vonggac.motion.detect import MEANS_COLUMNS, MEANS_ROWS
from vonggac.motion.slots import GRID_COLUMNS, GRID_ROWS

__all__ = ["Likeness", "View", "likeness", "still_of"]

_BLOCK_COLUMNS, _BLOCK_ROWS = 8, 6
"""Cells of a block: 8 x 6 of them are the picture."""
_COARSE = 4
"""Cells of a side of the coarse picture's parts."""
_BRIGHT = 225
"""Level from which a mean counts as dazzled; video white is 235."""
_STRUCTURE = 36.0
"""Of a block: mean square of a cell's slopes, from which there is something to know it again by."""
_KNOWN_AGAIN = 0.4
"""Correlation of a block's slopes; of two that have nothing to do with each other it is near 0."""
_SOFTER = 0.85
_FLAT = 0.1
"""Share of its slopes' squares that is left where something flat is before a block."""


def still_of(samples: Sequence[bytes]) -> bytes:
    """The median picture of these: what moved on is not in it."""
    middle = len(samples) // 2
    return bytes([sorted(levels)[middle] for levels in zip(*samples, strict=True)])


@dataclass(frozen=True)
class View:
    """A still picture's means; figures are made when they are asked for."""

    means: bytes

    @cached_property
    def level(self) -> float:
        """Of the whole picture."""
        return sum(self.means) / len(self.means)

    @cached_property
    def bright(self) -> float:
        """Share that is dazzled."""
        return sum(level >= _BRIGHT for level in self.means) / len(self.means)

    @cached_property
    def detail(self) -> float:
        """Mean slope from one mean to the next: what a lens out of focus loses first."""
        means, below = self.means, self.means[MEANS_COLUMNS:]
        across: int = sum(map(abs, map(sub, means[1:], means)))
        down: int = sum(map(abs, map(sub, below, means)))
        return (across + down) / (2 * len(means))

    @cached_property
    def coarse(self) -> list[int]:
        """16 x 9 parts: what it keeps."""
        sums = []
        for top in range(0, GRID_ROWS, _COARSE):
            rows = [self.cells[GRID_COLUMNS * (top + y) :][:GRID_COLUMNS] for y in range(_COARSE)]
            columns = list(map(sum, zip(*rows, strict=True)))
            sums += [sum(columns[x : x + _COARSE]) for x in range(0, GRID_COLUMNS, _COARSE)]
        return sums

    @cached_property
    def contrast(self) -> float:
        """Mean distance of the coarse parts from their mean, in levels."""
        middle = sum(self.coarse) / len(self.coarse)
        apart = sum(abs(part - middle) for part in self.coarse) / len(self.coarse)
        return apart / (4 * _COARSE * _COARSE)

    @property
    def sharpness(self) -> float:
        """Detail for each level of contrast: haze takes from both, a lens from the one."""
        return self.detail / max(self.contrast, 1.0)

    @cached_property
    def cells(self) -> list[int]:
        """64 x 36 sums of four means."""
        sums: list[int] = []
        for at in range(0, MEANS_COLUMNS * MEANS_ROWS, 2 * MEANS_COLUMNS):
            upper = self.means[at : at + MEANS_COLUMNS]
            lower = self.means[at + MEANS_COLUMNS : at + 2 * MEANS_COLUMNS]
            sums += map(sum, zip(upper[::2], upper[1::2], lower[::2], lower[1::2], strict=True))
        return sums

    @cached_property
    def slopes(self) -> list[list[int]]:
        """Of each block: from each cell to the next one on the right and below."""
        across = [*map(sub, self.cells[1:], self.cells), 0]
        down = [*map(sub, self.cells[GRID_COLUMNS:], self.cells), *[0] * GRID_COLUMNS]
        blocks = []
        for top in range(0, GRID_ROWS, _BLOCK_ROWS):
            for left in range(0, GRID_COLUMNS, _BLOCK_COLUMNS):
                block: list[int] = []
                for y in range(top, top + _BLOCK_ROWS):
                    at = y * GRID_COLUMNS + left
                    block += across[at : at + _BLOCK_COLUMNS]
                    block += down[at : at + _BLOCK_COLUMNS]
                blocks.append(block)
        return blocks

    @cached_property
    def structure(self) -> list[float]:
        """Of each block: the mean square of its slopes."""
        return [sum(map(mul, block, block)) / len(block) for block in self.slopes]


@dataclass(frozen=True, slots=True)
class Likeness:
    """How much of a known view is seen in another."""

    blocks: int
    """Of the known one that have structure; with fewer than a few nothing can be said."""
    known_again: float
    """Share of them whose edges are where they were, lighter or darker."""
    flat: float
    """Share of them in which hardly an edge is left."""
    softer: float
    """Share of them that lost more of their edges than the picture did of its contrast."""
    coarse: float
    """Correlation of light and shade at large, -1 to 1."""


def likeness(now: View, known: View) -> Likeness:
    """Of `now` to `known`."""
    blocks = again = flat = softer = 0
    fade = min(1.0, (now.contrast / max(known.contrast, 1.0)) ** 2)
    for index, energy in enumerate(known.structure):
        if energy < _STRUCTURE:
            continue
        blocks += 1
        left = now.structure[index]
        flat += left < _FLAT * energy
        softer += left < _SOFTER * fade * energy
        if left:
            product = sum(map(mul, now.slopes[index], known.slopes[index]))
            size = len(now.slopes[index]) * math.sqrt(left * energy)
            # An edge may turn round when the lamp moves from the sky to the camera.
            again += abs(product) >= _KNOWN_AGAIN * size
    count = max(blocks, 1)
    coarse = _correlation(now.coarse, known.coarse)
    return Likeness(blocks, again / count, flat / count, softer / count, coarse)


def _correlation(one: Sequence[int], other: Sequence[int]) -> float:
    ones, others = sum(one) / len(one), sum(other) / len(other)
    a = [value - ones for value in one]
    b = [value - others for value in other]
    size = math.sqrt(sum(map(mul, a, a)) * sum(map(mul, b, b)))
    return sum(map(mul, a, b)) / size if size else 0.0
