"""How much bench/store.py does."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Size:
    """How much of it."""

    segments: int = 3_200_000
    rebuilt: int = 9_000
    days: int = 30
    hours: int = 24
    rounds: int = 5
    wraps: tuple[int, int] = (2, 10)
    ticks: int = 400
    traced_s: int = 3_600
    traced_recorder_s: int = 225
    checked_gb: float = 8.0


SMALL = Size(400_000, 900, 2, 2, 2, (2, 4), 80, 240, 20, 0.5)
