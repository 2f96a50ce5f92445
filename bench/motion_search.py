"""How soon does a search of the motion index answer, and how large is the index?

    python bench/motion_search.py                          64 cameras x 30 days: about ten minutes
    python bench/motion_search.py --cameras 8 --days 3     a look

Each camera has a day of its own (motion_sim.py), which stands in the index once for each day. CPU
time of one thread, files in the page cache, the best of five. Beside it the other way, which keeps
no cells: decoding the key frames of the range when somebody searches. That is measured on thirty
and multiplied.
"""

from __future__ import annotations

import argparse
import io
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import av
import motion_sim
import numpy as np
import numpy.typing as npt
from judge import Table, best_of, calibrate, percentile

from vonggac._native.tiles import Grid
from vonggac.motion import day_file, region
from vonggac.motion.episodes import Found
from vonggac.motion.heat import heat_of_day
from vonggac.motion.index import MotionIndex
from vonggac.motion.query import DAY_SECONDS, Ask, Query

FIRST_DAY = 20_000
ROUNDS = 3
SHARES = ((0.01, 0.7), (0.05, 1.3), (0.25, 2.0), (1.0, None))
"""Of the picture, and the bound of a search for all seconds of everything, in seconds of CPU."""
GOP_S = 2
OPTIONS = {"preset": "veryfast", "g": "2", "crf": "28"}


@dataclass(frozen=True, slots=True)
class Written:
    streams: list[bytes]
    cell_seconds: int
    active_seconds: int
    size_bytes: int


def grid_of(kind: str, seed: int) -> tuple[Grid, int, int]:
    """A day of a camera, its active cells and its active seconds."""
    cells = motion_sim.grid_day(kind, seed).reshape(DAY_SECONDS, -1)
    packed = np.packbits(cells, axis=1, bitorder="little")
    grid = Grid(DAY_SECONDS)
    active = np.flatnonzero(cells.any(axis=1)).tolist()
    for second in active:
        grid.put(second, packed[second].tobytes(), 1)
    grid.set_codes(b"\1" * DAY_SECONDS)
    return grid, int(cells.sum()), len(active)


def write_days(folder: Path, cameras: int, days: int) -> Written:
    """The files of all cameras and days, as `compact` leaves them."""
    kinds = [motion_sim.KINDS[at * len(motion_sim.KINDS) // cameras] for at in range(cameras)]
    streams, cell_seconds, active_seconds, size_bytes = [], 0, 0, 0
    for number, kind in enumerate(kinds):
        stream = number.to_bytes(16, "big")
        grid, cells, active = grid_of(kind, number)
        parts = day_file.parts_of(grid)
        home = folder / "days" / stream.hex()
        home.mkdir(parents=True)
        for day in range(FIRST_DAY, FIRST_DAY + days):
            content = day_file.assemble(stream, day, parts)
            date = np.datetime64(day, "D")
            (home / f"{date}.motion").write_bytes(content)
            size_bytes += len(content)
        streams.append(stream)
        cell_seconds += cells * days
        active_seconds += active * days
    return Written(streams, cell_seconds, active_seconds, size_bytes)


def rectangles(share: float) -> list[bytes]:
    """Masks of that share of the picture, here and there, their borders on no cell's."""
    rng = np.random.default_rng(int(share * 1000))
    side = share**0.5
    places = rng.uniform(0, 1 - side, (ROUNDS, 2)) if share < 1 else np.zeros((1, 2))
    return [region.rectangle(x, y, min(side, 1 - x), min(side, 1 - y)) for x, y in places.tolist()]


def cpu_s(work: Callable[[], object]) -> float:
    """CPU seconds of this process for it."""
    before = time.process_time()
    work()
    return time.process_time() - before


def asked(written: Written, mask: bytes, days: int, at_least: int = 1) -> Query:
    asks = tuple(Ask(stream, mask) for stream in written.streams)
    from_s = FIRST_DAY * DAY_SECONDS
    return Query(asks, from_s, from_s + days * DAY_SECONDS, at_least=at_least)


def coarse_of(index: MotionIndex, query: Query) -> int:
    """Takes the answers that come from memory alone, as values."""
    return sum(len(answer.ranges) for answer in index.blocks_found(query))


def exact_of(index: MotionIndex, query: Query) -> int:
    """Finds every second; what is told of them is made when somebody asks for it."""
    return sum(len(found) for day in index.days_found(query) for found in day.streams.values())


def told_of(index: MotionIndex, query: Query, most: int | None = None) -> int:
    found = (answer for answer in index.search(query) if isinstance(answer, Found))
    return sum(1 for _ in islice(found, most))


def summary_bytes(index: MotionIndex, written: Written, days: int) -> int:
    """Of memory."""
    held = (index.file_of(one, FIRST_DAY + day) for one in written.streams for day in range(days))
    return sum(file.summary.size_bytes for file in held if file)


def sizes(table: Table, written: Written) -> None:
    each = written.size_bytes / written.cell_seconds
    load = calibrate().stretch
    table.row(
        "active cells an active second", f"{written.cell_seconds / written.active_seconds:.0f}"
    )
    table.row("bytes an active cell and second", f"{each:.3f}", "≤ 0.6", each <= 0.6, load)
    table.row("the whole index, MB", f"{written.size_bytes / 1e6:.0f}")


def best_s(queries: list[Query], work: Callable[[Query], object]) -> tuple[float, float]:
    """CPU seconds of the slowest of the queries, each the best of five; the least load beside."""
    found = [best_of(lambda q=query: cpu_s(lambda: work(q)), float) for query in queries]  # type: ignore[misc]
    return max(took_s for took_s, _ in found), min(load for _, load in found)


def searches(table: Table, index: MotionIndex, written: Written, days: int) -> None:
    """All cameras and days at once."""
    full = len(written.streams) * days >= 64 * 30
    for share, bound_s in SHARES:
        name = f"{share:.0%} of the picture"
        queries = [asked(written, mask, days) for mask in rectangles(share)]
        first_s, load = best_s(queries, lambda query: next(index.search(query)))
        table.row(f"{name}: the first block, ms", f"{first_s * 1e3:.1f}", load=load)
        blocks_s, load = best_s(queries, lambda query: coarse_of(index, query))
        ok = blocks_s <= 0.1 if full else None
        table.row(f"{name}: all blocks, ms", f"{blocks_s * 1e3:.0f}", "≤ 100", ok, load)
        exact_s, load = best_s(queries, lambda query: exact_of(index, query))
        ok = exact_s <= bound_s if bound_s and full else None
        bound = f"≤ {bound_s}" if bound_s else ""
        table.row(f"{name}: every second, s", f"{exact_s:.2f}", bound, ok, load)
        read = index.bytes_read
        last_s = cpu_s(lambda q=queries[-1]: exact_of(index, q))  # type: ignore[misc]
        read = index.bytes_read - read
        table.row(
            f"{name}: read, MB; against memcpy",
            f"{read / 1e6:.0f}; {last_s / memcpy_s(read):.0f} x",
        )
    query = asked(written, rectangles(0.05)[0], days)
    took_s, load = best_s([query], lambda query: told_of(index, query, 1000))
    table.row("5 %: the newest 1,000 episodes, s", f"{took_s:.3f}", load=load)


def odd_searches(table: Table, index: MotionIndex, written: Written, days: int) -> None:
    """All cameras and days; regions and questions that no rectangle of a share is like."""
    five, everywhere = rectangles(0.05)[0], region.EVERYWHERE
    night = {"hours": (20 * 3600, 2 * 3600)}
    odd: dict[str, tuple[bytes, dict[str, Any]]] = {
        "one cell": (region.rectangle(0.501, 0.501, 0.001, 0.001), {}),
        "a line across": (region.rectangle(0, 0.5, 1, 0.001), {}),
        "a line down": (region.rectangle(0.5, 0, 0.001, 1), {}),
        "a triangle of a third": (region.polygon([(0.1, 0.1), (0.9, 0.2), (0.4, 0.9)]), {}),
        "5 %, at least 5 cells": (five, {"at_least": 5}),
        "100 %, at least 20 cells": (everywhere, {"at_least": 20}),
        "5 %, from 20:00 to 02:00": (five, night),
    }
    for name, (mask, more) in odd.items():
        queries = [replace(asked(written, mask, days), **more)]
        blocks_s, load = best_s(queries, lambda query: coarse_of(index, query))
        table.row(f"{name}: all blocks, ms", f"{blocks_s * 1e3:.0f}", load=load)
        exact_s, load = best_s(queries, lambda query: exact_of(index, query))
        table.row(f"{name}: every second, s", f"{exact_s:.2f}", load=load)


def memcpy_s(size: float) -> float:
    """CPU seconds to copy so many bytes."""
    block = np.zeros(64 << 20, dtype=np.uint8)
    other = np.ones_like(block)
    return cpu_s(lambda: np.copyto(block, other)) * size / block.size


def one_day(table: Table, index: MotionIndex, written: Written) -> None:
    """One camera and day, each once."""
    from_s = FIRST_DAY * DAY_SECONDS
    times = []
    for stream in written.streams:
        for mask in rectangles(0.05):
            query = Query((Ask(stream, mask),), from_s, from_s + DAY_SECONDS)
            times.append(cpu_s(partial(exact_of, index, query)))
    p95 = percentile(times, 0.95) * 1e3
    load = calibrate().stretch
    table.row("one camera-day, 5 %: p95, ms", f"{p95:.2f}", "≤ 5", p95 <= 5, load)
    heat = [
        cpu_s(partial(heat_of_day, index, {one: 0}, FIRST_DAY, from_s, from_s + DAY_SECONDS))
        for one in written.streams
    ]
    table.row("heat picture of a camera-day: p95, ms", f"{percentile(heat, 0.95) * 1e3:.0f}")


def key_frames() -> bytes:
    """Thirty key frames of 1080p in H.264, each with a picture that follows it."""
    rng = np.random.default_rng(5)
    out = io.BytesIO()
    still = rng.integers(40, 200, (1080 // 8, 1920 // 8), dtype=np.uint8).repeat(8, 0).repeat(8, 1)
    with av.open(out, "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=25, options=OPTIONS)
        stream.width, stream.height, stream.pix_fmt = 1920, 1080, "yuv420p"
        for number in range(60):
            picture = still + rng.integers(0, 12, still.shape, dtype=np.uint8)
            picture[400:600, 12 * number : 12 * number + 80] = 16
            frame = av.VideoFrame.from_ndarray(picture, format="gray").reformat(format="yuv420p")
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return out.getvalue()


def pictures(clip: bytes) -> Iterator[npt.NDArray[np.uint8]]:
    with av.open(io.BytesIO(clip), "r") as container:
        stream = container.streams.video[0]
        stream.codec_context.skip_frame = "NONKEY"
        stream.thread_count = 1
        for frame in container.decode(stream):
            yield frame.to_ndarray(format="gray")[::5, ::5].astype(np.uint8, copy=False)


def decoding(table: Table, cameras: int, days: int) -> None:
    """What it costs to decode the key frames of the same range and compare each with the last."""
    clip = key_frames()
    count = 0

    def search() -> None:
        nonlocal count
        last = None
        for picture in pictures(clip):
            if last is not None:
                (np.abs(picture.astype(np.int16) - last) > 20).any()
            last = picture.astype(np.int16)
            count += 1

    each_s = statistics.median(cpu_s(search) for _ in range(ROUNDS)) / (count / ROUNDS)
    whole = each_s * cameras * days * DAY_SECONDS / GOP_S
    table.row("decoding: a key frame of 1080p, ms (measured)", f"{each_s * 1e3:.1f}")
    table.row("decoding: one camera-day, s (multiplied)", f"{each_s * DAY_SECONDS / GOP_S:.0f}")
    table.row("decoding: the same range, hours (multiplied)", f"{whole / 3600:.0f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cameras", type=int, default=64)
    parser.add_argument("--days", type=int, default=30)
    parser.add_argument("--room", type=Path, help="where the index is written")
    options = parser.parse_args()
    table = Table()
    with tempfile.TemporaryDirectory(dir=options.room) as folder:
        written = write_days(Path(folder), options.cameras, options.days)
        sizes(table, written)
        opened: list[MotionIndex] = []
        took_s = cpu_s(lambda: opened.append(MotionIndex(Path(folder), max_bytes=1 << 40)))
        table.row("opened, s", f"{took_s:.2f}")
        held = summary_bytes(opened[0], written, options.days)
        table.row("summaries in memory, MB", f"{held / 1e6:.0f}")
        searches(table, opened[0], written, options.days)
        odd_searches(table, opened[0], written, options.days)
        one_day(table, opened[0], written)
    decoding(table, options.cameras, options.days)
    raise SystemExit(not table.is_all_well)


if __name__ == "__main__":
    main()
