"""Does the ring keep its figures: start, rebuild, index, commits, files left alone, deep check?

    python bench/store.py                          everything, at the size that is promised
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
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from box import Box
from camera_source import Source, make_clip
from footage import Chunk, chunks_of
from judge import Table, best_of, percentile
from store_sim import (
    BOX,
    SEGMENT_BYTES,
    Sealed,
    index_of_days,
    make_large,
    rows_bytes_as_recorded,
)

from vonggac._native import segment as native
from vonggac.store import disk as disks
from vonggac.store.archive import Archive
from vonggac.store.index import Index
from vonggac.store.rebuild import rebuild
from vonggac.store.recovery import recover
from vonggac.store.ring import Ring
from vonggac.store.start import read_journal
from vonggac.store.timeline import Tail, timeline, timeline_of_runs
from vonggac_appliance.disk_check import check_disk

CAMERAS = 16
DAY_NS = 86_400 * 10**9
START_NS = 1_763_700_000_123_456_789
MAIN_BYTES, SUB_BYTES = 500_000, 64_000
"""A second: 4 Mbit/s and 512 kbit/s, so that nine segments hold eight of main and one of sub."""
TRACED = (
    "openat,open,creat,unlink,unlinkat,rename,renameat,renameat2,truncate,ftruncate,fallocate,"
    "link,linkat,symlink,symlinkat,mkdir,mkdirat,rmdir,mknod,mknodat"
)


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
    checked_gb: float = 8.0

    @property
    def is_full(self) -> bool:
        return self == Size()


SMALL = Size(400_000, 900, 2, 2, 2, (2, 4), 80, 240, 0.5)


# --- start-up


def start(table: Table, room: Path, size: Size) -> None:
    """From starting `vonggac record` until every stream has something durable."""
    with Source(clip=make_clip(500_000)) as source, ExitStack() as stack:
        boxes: list[Box] = []
        for _ in range(2):
            box = stack.enter_context(Box(room, "2G"))
            for number in range(CAMERAS):
                box.add(f"cam{number}", source.url(f"cam{number}"))
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
    what = f"{size.days} days of one stream, every row"
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


# --- recording over and over


class Recording:
    """A ring in this process, as a keeper drives it: streams of a second a tick, commits."""

    def __init__(self, where: Path, streams: int, bits_per_second: int) -> None:
        self.disk = disks.open_disk(where, BOX, exclusive=True)
        snapshot = read_journal(self.disk)
        size = self.disk.index_bytes()
        path = self.disk.index_path()
        self.index = Index.open(path, self.disk.identity.disk, size, writable=True)
        archive = Archive(self.index)
        found = recover(self.disk, snapshot, archive)
        self.ring = Ring.start(self.disk, snapshot, archive, found)
        self.ring.spares.are_locks_known = True
        self.ring.spares.expected_streams = streams
        clip = make_clip(bits_per_second)
        self.sources = [
            chunks_of(clip, bytes([n]) * 16, bytes([n + 100]) * 16, START_NS, 1e12)
            for n in range(streams)
        ]
        self.waiting: list[Chunk] = []
        self.ticks = 0
        self.written_bytes = 0

    @property
    def wraps(self) -> float:
        identity = self.disk.identity
        return self.written_bytes / (identity.segments * identity.segment_bytes)

    def tick(self) -> float:
        """One tick; gives its writes and its sync, in ms."""
        due = [*self.waiting, *(next(source) for source in self.sources)]
        batch = self.ring.plan((chunk, chunk) for chunk in due)
        outcome = batch.run()
        if outcome.errno or batch.refused:
            raise RuntimeError(f"a tick failed: {outcome}, {batch.refused}")
        self.waiting = list(batch.waiting)
        self.written_bytes += batch.bytes_written
        self.ring.finish(batch)
        self.ticks += 1
        if self.ticks % 10 == 0:
            frozen = self.ring.freeze()
            self.index.commit(frozen)
            self.ring.committed(frozen)
        return outcome.tick_ms

    def close(self) -> None:
        self.ring.close()
        self.index.close()
        self.disk.close()


@contextmanager
def recording(where: Path, size: str, streams: int, bits_per_second: int) -> Iterator[Recording]:
    """On a disk of its own."""
    disks.format_disk(where, disks.parse_size(size), BOX, 16 << 20)
    made = Recording(where, streams, bits_per_second)
    try:
        yield made
    finally:
        made.close()
        shutil.rmtree(where)


def wraps(table: Table, room: Path, size: Size) -> None:
    """Ticks of two disks in turn, one in its second turn of the ring and one in a late one."""
    with (
        recording(room / "young", "400M", 8, 8_000_000) as young,
        recording(room / "old", "400M", 8, 8_000_000) as old,
    ):
        for one, turns in zip((young, old), size.wraps, strict=True):
            while one.wraps < turns - 1:
                one.tick()
        took: list[list[float]] = [[], []]
        for _ in range(size.ticks):
            for one, times in zip((young, old), took, strict=True):
                times.append(one.tick())
        turns = f"turn {size.wraps[1]} against {size.wraps[0]}"
        for name, share, limit in (("p50", 0.5, 1.1), ("p99", 0.99, 1.5)):
            early, late = (percentile(times, share) for times in took)
            ratio = late / early
            what = f"group commit, {name}, {turns} ({early:.1f}, {late:.1f} ms)"
            table.row(what, f"{ratio:.2f} ×", f"{limit:.2f} ×", ratio <= limit)


# --- files


def traced(table: Table, room: Path, size: Size) -> None:
    """Recording under strace: which calls made, removed, renamed, cut or lengthened a file."""
    strace = shutil.which("strace")
    if strace is None:
        table.row("files touched while recording", "no strace here")
        return
    where, log = room / "traced", room / "trace"
    disks.format_disk(where, disks.parse_size("200M"), BOX, 16 << 20)
    before = _files_of(where)
    command = [sys.executable, __file__, "--record", str(where), str(size.traced_s)]
    trace = [strace, "-f", "-y", "-o", str(log), "-e", f"trace={TRACED}"]
    done = subprocess.run([*trace, *command], capture_output=True, text=True, check=True)
    turns = done.stdout.strip().splitlines()[-1]
    lines = [line for line in log.read_text().splitlines() if str(where) in line]
    bad = [line for line in lines if _changes(line, before)]
    changed = before.items() ^ _files_of(where).items()
    table.row(
        f"calls that change files, {size.traced_s} s recorded, {turns}", str(len(bad)), "0", not bad
    )
    table.row(
        "files made, removed, renamed or of another size", str(len(changed)), "0", not changed
    )
    for line in bad[:5]:
        print(f"    {line}", file=sys.stderr)
    shutil.rmtree(where)


def _changes(line: str, before: dict[str, tuple[int, int]]) -> bool:
    """LMDB opens what is there with O_CREAT; that makes nothing."""
    if " = -1 " in line:
        return False
    if "open" in line:
        is_new = "O_CREAT" in line and not any(f'"{path}"' in line for path in before)
        return is_new or "O_TRUNC" in line
    if "fallocate" in line:
        return "KEEP_SIZE" not in line
    return True


def _files_of(where: Path) -> dict[str, tuple[int, int]]:
    """Inode and size of each; LMDB's lock file is its own."""
    return {
        str(path): (path.stat().st_ino, path.stat().st_size)
        for path in where.rglob("*")
        if path.is_file()
    }


def record(where: Path, seconds: int) -> None:
    """Two streams, as fast as the disk takes them; what `traced` runs."""
    made = Recording(where, 2, 4_000_000)
    for _ in range(seconds):
        made.tick()
    print(f"{made.wraps:.1f} turns")
    made.close()


# --- deep check


def deep(table: Table, room: Path, size: Size) -> None:
    """`disk check --deep` against cat and sha256sum over the same files, all of them cached."""
    megabytes = int(size.checked_gb * 1000)
    with recording(room / "deep", f"{megabytes + 200}M", 8, 4_000_000) as made:
        while made.wraps < 0.9:
            made.tick()
        where = made.disk.path
        frozen = made.ring.freeze()
        made.index.commit(frozen)
        made.ring.committed(frozen)
        made.close()
        held = [p for p in sorted(where.rglob("*.mp4")) if p.read_bytes()[:8].strip(b"\0")]

        def rate(work: Callable[[], object]) -> float:
            for path in held:
                path.read_bytes()
            began = time.perf_counter()
            work()
            return time.perf_counter() - began

        def by_hand() -> None:
            files = " ".join(f"'{path}'" for path in held)
            subprocess.run(["sh", "-c", f"cat {files} | sha256sum"], check=True, stdout=-3)

        def by_check() -> None:
            report = check_disk(room, where, is_deep=True)
            if not report.is_ok:
                raise RuntimeError(f"{report.problems[:3]}")

        hand_s, _ = best_of(lambda: rate(by_hand), float, size.rounds)
        check_s, load = best_of(lambda: rate(by_check), float, size.rounds)
        held_gb = len(held) * (16 << 20) / 1e9
        table.row(f"cat | sha256sum, {held_gb:.1f} GB", f"{held_gb / hand_s:.2f} GB/s")
        ratio = hand_s / check_s
        what = f"disk check --deep ({held_gb / check_s:.2f} GB/s), against it"
        table.row(what, f"{ratio:.2f} ×", "0.80 ×", ratio >= 0.8, load)
        began = time.perf_counter()
        check_disk(room, where, is_deep=False)
        table.row("disk check without --deep", f"{time.perf_counter() - began:.2f} s")
        made.__init__(where, 1, 500_000)  # type: ignore[misc]  # so that leaving closes it


PARTS: dict[str, Callable[[Table, Path, Size], None]] = {
    "start": start,
    "rebuild": rebuilt,
    "index": index,
    "wraps": wraps,
    "trace": traced,
    "deep": deep,
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--small", action="store_true", help="smaller, and faster")
    parser.add_argument("--only", default=",".join(PARTS), help="some of: " + ", ".join(PARTS))
    parser.add_argument("--room", type=Path, default=Path(tempfile.gettempdir()))
    parser.add_argument("--record", nargs=2, metavar=("DISK", "S"), help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.record:
        record(Path(args.record[0]), int(args.record[1]))
        return 0
    size = SMALL if args.small else Size()
    table = Table()
    with tempfile.TemporaryDirectory(prefix="vonggac-store-", dir=args.room) as folder:
        for name in args.only.split(","):
            PARTS[name](table, Path(folder), size)
    return 0 if table.is_all_well else 1


if __name__ == "__main__":
    sys.exit(main())
