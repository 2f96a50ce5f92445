"""What native/src/motion_*.c is to compute, said a second time in numpy.

From docs/design/motion.md, slowly and with arrays of the whole film at hand where that is plainer.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

COLUMNS, ROWS = 128, 72
SECOND_NS = 1_000_000_000
MS_NS = 1_000_000

Grid = npt.NDArray[np.int64]


def borders(pixels: int, parts: int) -> list[tuple[int, int]]:
    spans = [(i * pixels // parts, (i + 1) * pixels // parts) for i in range(parts)]
    return [(start, max(end, start + 1)) for start, end in spans]


def means(luma: npt.NDArray[Any]) -> Grid:
    """Of a picture of 8-bit levels."""
    height, width = luma.shape
    sums = np.zeros((height + 1, width + 1), np.int64)
    sums[1:, 1:] = luma.astype(np.int64).cumsum(0).cumsum(1)
    y0, y1 = np.array(borders(height, ROWS)).T
    x0, x1 = np.array(borders(width, COLUMNS)).T
    total = (
        sums[np.ix_(y1, x1)] - sums[np.ix_(y0, x1)] - sums[np.ix_(y1, x0)] + sums[np.ix_(y0, x0)]
    )
    pixels = np.outer(y1 - y0, x1 - x0)
    return (2 * total + pixels) // (2 * pixels)


def cells(fine: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    return fine.reshape(36, 2, 64, 2).any((1, 3))


def around(grid: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    padded = np.pad(grid, 1)
    return np.any([padded[y : y + 36, x : x + 64] for y in range(3) for x in range(3)], 0)


def packed(grid: npt.NDArray[np.bool_]) -> bytes:
    return np.packbits(grid.reshape(-1), bitorder="little").tobytes()


@dataclass
class Oracle:
    """One stream."""

    size: tuple[int, int] | None = None
    kept: list[tuple[int, Grid]] = field(default_factory=list)
    noise: list[tuple[int, Grid]] = field(default_factory=list)
    strong: Grid | None = None
    judged: int = -1
    open: tuple[int, npt.NDArray[np.bool_], bool] | None = None

    def push(self, luma: npt.NDArray[Any], time_ns: int) -> list[tuple[int, bytes, bool]]:
        told = []
        step = time_ns - self.kept[-1][0] if self.kept else None
        is_same = self.size == luma.shape
        if is_same and step is not None and -SECOND_NS <= step < 60 * MS_NS:
            return []
        if not is_same or (step is not None and step < 0):
            told += self.finish()
            self.kept, self.noise, self.strong = [], [], None
        elif step is not None and step > 10 * SECOND_NS:
            self.kept = []
        self.size = luma.shape
        new = means(luma)
        older = [one for one in self.kept[-3:] if time_ns - one[0] >= 140 * MS_NS]
        self.kept.append((time_ns, new))
        if older:
            told += self.compare(time_ns, new, *older[-1])
        return told

    def compare(
        self, time_ns: int, new: Grid, before_ns: int, before: Grid
    ) -> list[tuple[int, bytes, bool]]:
        second = time_ns // SECOND_NS
        if self.strong is None or self.judged != second:
            self.strong, self.judged = self.threshold(time_ns), second
        d = np.abs(new - before)
        if self.noise and time_ns < self.noise[-1][0]:
            self.noise = []
        if not self.noise or time_ns - self.noise[-1][0] >= SECOND_NS // 2:
            self.noise = [*self.noise, (time_ns, d)][-16:]
        sure = cells(d >= self.strong)
        grid = sure | (cells(d >= -(-5 * self.strong // 8)) & around(sure))
        is_global = bool(grid.sum() > 0.6 * grid.size)
        told = []
        first = before_ns // SECOND_NS + 1
        if self.open is not None and self.open[0] != second:
            first = max(first, self.open[0] + 1)
            told += self.finish()
        told += [(between, packed(grid), is_global) for between in range(first, second)]
        was = self.open or (second, np.zeros_like(grid), False)
        self.open = second, was[1] | grid, was[2] or is_global
        return told

    def threshold(self, time_ns: int) -> Grid:
        planes = [d for at_ns, d in self.noise if time_ns - at_ns <= 8 * SECOND_NS]
        least = np.full((ROWS, COLUMNS), 8, np.int64)
        if not planes:
            return least
        median = np.sort(np.array(planes), 0)[(len(planes) - 1) // 2]
        return np.minimum(255, np.maximum(least, -(-9 * median // 2)))

    def part(self) -> None:
        self.kept = []

    def finish(self) -> list[tuple[int, bytes, bool]]:
        told = [] if self.open is None else [(self.open[0], packed(self.open[1]), self.open[2])]
        self.open = None
        return told
