"""Does what the recorder holds grow in an hour? Part of bench/record.py."""

from __future__ import annotations

import statistics
import time
from pathlib import Path

from box import Box
from camera_source import Source, make_clip
from judge import Table, calibrate
from procs import Cost

_WARM_UP_S = 1200
"""The newest claims first go to the ledger after 15 minutes, by a thread of their own; and the ring
has turned once by then: from there on nothing happens that has not happened before.
"""
_RING = ("4G", "16M")
"""Its size and that of its segments: 64 × 500 kbit/s fill it in 18 minutes."""
_SAMPLE_S = 60
_CAMERAS = 64


def _counts(cost: Cost) -> tuple[int, int, int]:
    return cost.descriptors, cost.threads, cost.processes


def _tell_processes(table: Table, each: list[dict[int, int]], loads: list[float]) -> None:
    table.row("memory: samples, a minute apart", f"{len(each)}")
    # A busy machine writes later, and more video waits in the arenas: that is load, not growth.
    halves = (
        statistics.median(loads[: len(loads) // 2]),
        statistics.median(loads[len(loads) // 2 :]),
    )
    table.row("load beside it, median of either half", f"{halves[0]:.2f} {halves[1]:.2f}")
    for number, pid in enumerate(each[0]):
        mib = [one[pid] / 2**20 for one in each if pid in one]
        table.row(
            f"process {number}: first, last, most, MiB",
            f"{mib[0]:.1f} {mib[-1]:.1f} {max(mib):.1f}",
        )


def growth(table: Table, room: Path, seconds: int) -> None:
    """64 cameras of 500 kbit/s, 20 minutes to warm up, a sample a minute from then on.

    The rate is low so that the hour can share its machine; the ring turns three times in it.
    """
    size, segment_size = _RING
    with (
        Source(clip=make_clip(500_000)) as source,
        Box(room, size, segment_size=segment_size) as box,
    ):
        box.add_cameras(source, _CAMERAS)
        box.start()
        box.until_recording(8)
        time.sleep(_WARM_UP_S)
        costs, loads, began = [box.cost()], [calibrate().stretch], time.monotonic()
        each = [box.allocated()]
        for number in range(seconds // _SAMPLE_S):
            time.sleep(max(0.0, began + (number + 1) * _SAMPLE_S - time.monotonic()))
            costs.append(box.cost())
            each.append(box.allocated())
            loads.append(calibrate().stretch)
        broken = sum(s.state != "recording" for c in box.status().cameras for s in c.streams)
        box.stop()
        source.stop()
    _tell_processes(table, each, loads)
    # Program text is left out: it counts for less while other programs share it.
    allocated = [cost.anonymous_bytes / 2**20 for cost in costs]
    arenas = [cost.arena_bytes / 2**20 for cost in costs]
    both = [a + b for a, b in zip(allocated, arenas, strict=True)]
    for name, mib in (("allocated", allocated), ("arenas", arenas), ("both", both)):
        spread = f"{mib[0]:.1f} {mib[-1]:.1f} {max(mib):.1f}"
        table.row(f"{name}: first, last, most, MiB", spread)
    percent = percent_an_hour(both)
    table.row("growth of memory, % an hour", f"{percent:.2f}", "1", percent <= 1)
    # A segment that is just being sealed is open once more: the least of ten minutes is kept.
    kept = [
        tuple(min(counts) for counts in zip(*(_counts(cost) for cost in part), strict=True))
        for part in (costs[:10], costs[-10:])
    ]
    table.row(
        "descriptors, threads, processes: first / last",
        "/".join(",".join(map(str, counts)) for counts in kept),
        "the same",
        kept[0] == kept[1],
    )
    table.row("streams that do not record at the end", f"{broken}", "0", not broken)


def percent_an_hour(mib: list[float]) -> float:
    """The slope of samples a minute apart, of what they begin with."""
    hours = [number * _SAMPLE_S / 3600 for number in range(len(mib))]
    slope, start = statistics.linear_regression(hours, mib)
    return 100 * slope / start
