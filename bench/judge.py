"""A table of figures with their limits, and how disturbed the machine was while they were taken.

A figure over its limit on a machine that also did other work says nothing about us: the verdict is
then `inconclusive`, never `holds`.
"""

from __future__ import annotations

import hashlib
import os
import shlex
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from procs import machine

ROUNDS = 5
BUSY = 1.15
"""From here on others had a part of the core that a round needed."""
_BLOCK = bytes(1 << 20)
_BLOCKS = 96

Found = TypeVar("Found")


@dataclass(frozen=True, slots=True)
class Load:
    """The calibration loop: seconds that pass for a second of each core, and its CPU seconds."""

    stretch: float
    cpu_s: float


def calibrate() -> Load:
    """Sums of the same memory on every core at once, as a browser and its server need them all:
    takes as long as it computes where nobody else wants one.
    """
    cores = os.cpu_count() or 1
    threads = [threading.Thread(target=_sums) for _ in range(cores)]
    wall_s, cpu_s = time.perf_counter(), time.process_time()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    wall_s, cpu_s = time.perf_counter() - wall_s, time.process_time() - cpu_s
    return Load(wall_s * cores / cpu_s, cpu_s / cores)


def _sums() -> None:
    for _ in range(_BLOCKS):
        hashlib.sha256(_BLOCK).digest()  # without the GIL


@dataclass(slots=True)
class Table:
    """Rows of (what, figure, limit, load, verdict), printed as they come."""

    is_all_well: bool = True

    def __post_init__(self) -> None:
        print(f"machine: {machine()}\ncommand: python {shlex.join(sys.argv)}")
        load = calibrate()
        print(f"calibration: {load.cpu_s * 1000:.0f} ms a core in {load.stretch:.2f} × as long\n")
        print(f"| {'what':<66} | {'figure':>16} | {'limit':>9} | {'load':>5} | verdict      |")
        print(f"|{'-' * 68}|{'-' * 17}:|{'-' * 10}:|{'-' * 6}:|--------------|")

    def row(
        self,
        what: str,
        figure: str,
        limit: str = "",
        holds: bool | None = None,
        load: float | None = None,
    ) -> None:
        """`load`: the stretch of the calibration loop around what was measured."""
        verdict = {None: "", True: "holds", False: "NOT"}[holds]
        if holds is False:
            if load is not None and load >= BUSY:
                verdict = "inconclusive"
            self.is_all_well = False
        shown = "" if load is None else f"{load:.2f}"
        print(
            f"| {what:<66} | {figure:>16} | {limit:>9} | {shown:>5} | {verdict:<12} |", flush=True
        )


def best_of(
    measure: Callable[[], Found], key: Callable[[Found], float], rounds: int = ROUNDS
) -> tuple[Found, float]:
    """The round with the lowest `key`, and the least stretch of the calibration loop beside any."""
    found, loads = [], []
    for _ in range(rounds):
        before = calibrate().stretch
        found.append(measure())
        loads.append(max(before, calibrate().stretch))
    return min(found, key=key), min(loads)


def percentile(values: list[float], share: float) -> float:
    """The value that `share` of them do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
