"""Does the ring keep its figures: start, rebuild, index, commits, files left alone, deep check?

    python bench/store.py                          everything, at the size that is promised: on a
                                                   quiet machine a quarter of an hour
    python bench/store.py --small                  a few minutes: smaller, extrapolated
    python bench/store.py --only index,deep

Large disks are simulated (bench/store_sim.py says how); figures from a smaller one say so. Prints a
table with each figure's limit and how disturbed the machine was; exit status 1 if one is over it.
"""

from __future__ import annotations

import argparse
import random
import re
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from box import Box
from camera_source import Source, make_clip
from judge import Table, best_of, percentile
from store_recorded import START_NS, deep, traced, traced_recorder, wraps
from store_sim import (
    BOX,
    SEGMENT_BYTES,
    Sealed,
    index_of_days,
    make_large,
    rows_bytes_as_recorded,
)
from store_size import SMALL, Size

from vonggac._native import segment as native
from vonggac.store import disk as disks
from vonggac.store.archive import Archive
from vonggac.store.rebuild_whole import rebuild
from vonggac.store.timeline import Tail, timeline, timeline_of_runs

CAMERAS = 16
DAY_NS = 86_400 * 10**9
MAIN_BYTES, SUB_BYTES = 500_000, 64_000
"""A second: 4 Mbit/s and 512 kbit/s, so that nine segments hold eight of main and one of sub."""


# --- start-up


def start(table: Table, room: Path, size: Size) -> None:
    """From starting `vonggac record` until every stream has something durable."""
    with Source(clip=make_clip(500_000)) as source, ExitStack() as stack:
        boxes: list[Box] = []
        for _ in range(2):
            box = stack.enter_context(Box(room, "2G"))
            box.add_cameras(source, CAMERAS)
            boxes.append(box)
        began = time.monotonic()
        make_large(boxes[1].disk, size.segments)
        table.row(f"index of {size.segments:,} segments made", f"{time.monotonic() - began:.0f} s")
        took: list[list[float]] = [[], []]
        for _ in range(size.rounds):
            for box, times in zip(boxes, took, strict=True):
                times.append(_started_s(box))
        empty_s, large_s = map(min, took)
        what = f"{CAMERAS} streams durable after"
        table.row(f"{what}, empty disk", f"{empty_s:.2f} s")
        scale = f"{size.segments * SEGMENT_BYTES / 1e12:.0f} TB"
        table.row(f"{what}, {scale} simulated", f"{large_s:.2f} s", "5 s", large_s <= 5)
        ratio = large_s / empty_s
        table.row("  against the empty one", f"{ratio:.2f} ×", "1.20 ×", ratio <= 1.2)


def _started_s(box: Box) -> float:
    began = time.monotonic()
    box.start()
    box.until_recording(0.1)
    took = time.monotonic() - began
    box.stop()
    return took


# --- rebuild


def rebuilt(table: Table, room: Path, size: Size) -> None:
    """CPU and bytes read of a rebuild, main and sub streams mixed; scaled to 20 TB."""
    where = room / "rebuilt"
    where.mkdir()
    count = size.rebuilt
    disk = b"r" * 16
    identity = disks.Identity(disk, BOX, SEGMENT_BYTES, count, 1)
    (where / disks.IDENTITY_NAME).write_bytes(identity.to_json())
    (where / disks.JOURNAL_NAME).write_bytes(bytes(2 << 20))
    for number in range(count):
        path = disks.segment_path(where, number)
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as file:
            file.truncate(SEGMENT_BYTES)
    sealed = Sealed(where, disk, 1 << 40)
    sequences: dict[bytes, int] = {}
    for number in range(count):
        is_sub = number % 9 == 8
        stream = bytes(15) + bytes([number % 9 + (100 if is_sub else 0)])
        made = sealed.write(
            number, stream, 7, SUB_BYTES if is_sub else MAIN_BYTES, sequences.get(stream, 0)
        )
        sequences[stream] = sequences.get(stream, 0) + made
    read_bytes, cpu_s = _read_bytes(), time.process_time()
    report = rebuild(where, BOX)
    cpu_s, read_bytes = time.process_time() - cpu_s, _read_bytes() - read_bytes
    if report.sealed != count:
        raise RuntimeError(f"{report.sealed} of {count} segments were found again: {report}")
    whole = 20e12 / SEGMENT_BYTES
    minutes = cpu_s / count * whole / 60
    share = read_bytes / (count * SEGMENT_BYTES)
    note = f"20 TB from {count:,} segments"
    table.row(f"rebuild: CPU, {note}", f"{minutes:.1f} min", "15 min", minutes <= 15)
    table.row("rebuild: bytes read of all", f"{share:.3%}", "0.15 %", share <= 0.0015)
    shutil.rmtree(where)


def _read_bytes() -> int:
    text = Path("/proc/self/io").read_text()
    return int(re.search(r"rchar: (\d+)", text)[1])  # type: ignore[index]


# --- the index


def index(table: Table, room: Path, size: Size) -> None:
    """Its size for a stream-day, and how long its answers take."""
    grown = rows_bytes_as_recorded(room / "grown", 8, min(size.hours, 6))
    table.row("index, a stream-day as recorded", f"{grown / 1e6:.2f} MB", "1.5 MB", grown <= 1.5e6)
    shutil.rmtree(room / "grown")
    streams = 128
    found, rows_bytes = index_of_days(room / "days", streams, size.days)
    archive = Archive(found)
    held = f"{streams} streams × {size.days} days, {rows_bytes / 1e9:.1f} GB"
    table.row(f"index of {held}", f"{rows_bytes / streams / size.days / 1e6:.2f} MB")
    rng = random.Random(1)

    def ask(days: int) -> float:
        stream = rng.randrange(streams).to_bytes(16, "big")
        from_ns = START_NS + rng.randrange(size.days - days + 1) * DAY_NS
        return _asked_ms(archive, stream, from_ns, from_ns + days * DAY_NS)

    (day_ms, load) = best_of(lambda: min(ask(1) for _ in range(5)), float, size.rounds)
    table.row("a day of one stream", f"{day_ms:.1f} ms", "5 ms", day_ms <= 5, load)
    (month_ms, load) = best_of(lambda: ask(size.days), float, size.rounds)
    limit_ms = 50 * size.days / 30
    what = f"{size.days} days of one stream: ranges, pictures, bytes"
    table.row(what, f"{month_ms:.1f} ms", f"{limit_ms:.1f} ms", month_ms <= limit_ms, load)
    (runs_ms, load) = best_of(lambda: _runs_ms(archive, rng, streams, size.days), float)
    what = f"{size.days} days of one stream by its runs, as the page's months"
    table.row(what, f"{runs_ms:.1f} ms", f"{limit_ms:.1f} ms", runs_ms <= limit_ms, load)

    def instants() -> float:
        return percentile(
            [_instant_ms(archive, rng, streams, size.days) for _ in range(2000)], 0.99
        )

    (p99_ms, load) = best_of(instants, float, size.rounds)
    table.row("an instant of any stream, p99", f"{p99_ms:.2f} ms", "1 ms", p99_ms <= 1, load)
    found.close()
    shutil.rmtree(room / "days")


def _asked_ms(archive: Archive, stream: bytes, from_ns: int, to_ns: int) -> float:
    began = time.perf_counter()
    packed = list(archive.packed_minutes(stream, from_ns, to_ns))
    line = timeline(packed, (), from_ns, to_ns, Tail(None, to_ns))
    took = time.perf_counter() - began
    if not line.ranges:
        raise RuntimeError("the index holds nothing of that day")
    return took * 1000


def _runs_ms(archive: Archive, rng: random.Random, streams: int, days: int) -> float:
    stream = rng.randrange(streams).to_bytes(16, "big")
    to_ns = START_NS + days * DAY_NS
    began = time.perf_counter()
    found = archive.runs(stream, START_NS, to_ns)
    line = timeline_of_runs(found, START_NS, START_NS, to_ns, Tail(None, to_ns))
    took = time.perf_counter() - began
    if not line.ranges:
        raise RuntimeError("the index holds no run of that month")
    return took * 1000


def _instant_ms(archive: Archive, rng: random.Random, streams: int, days: int) -> float:
    stream = rng.randrange(streams).to_bytes(16, "big")
    # Each day of bench/packed_rows.py is a few minutes short of one.
    at_ns = START_NS + rng.randrange(days) * DAY_NS + rng.randrange(10**9, DAY_NS * 97 // 100)
    began = time.perf_counter()
    packed = list(archive.packed_minutes(stream, at_ns, at_ns + 1))
    found = native.rows_spans(packed, at_ns, at_ns + 1)
    took = time.perf_counter() - began
    if not found:
        raise RuntimeError("the index holds nothing of that instant")
    return took * 1000


PARTS: dict[str, Callable[[Table, Path, Size], None]] = {
    "start": start,
    "rebuild": rebuilt,
    "index": index,
    "wraps": wraps,
    "trace": traced,
    "trace-recorder": traced_recorder,
    "deep": deep,
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--small", action="store_true", help="smaller, and faster")
    parser.add_argument("--only", default=",".join(PARTS), help="some of: " + ", ".join(PARTS))
    parser.add_argument("--room", type=Path, default=Path(tempfile.gettempdir()))
    args = parser.parse_args()
    size = SMALL if args.small else Size()
    table = Table()
    with tempfile.TemporaryDirectory(prefix="vonggac-store-", dir=args.room) as folder:
        for name in args.only.split(","):
            PARTS[name](table, Path(folder), size)
    return 0 if table.is_all_well else 1


if __name__ == "__main__":
    sys.exit(main())
