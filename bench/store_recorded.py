"""A ring recorded over and over: ticks, files left alone, deep check. Part of bench/store.py."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from box import Box
from camera_source import Source, make_clip, padded_clip
from footage import Chunk, chunks_of
from judge import Table, best_of, percentile
from procs import tree
from store_sim import BOX
from store_size import Size

from vonggac.store import disk as disks
from vonggac.store.archive import Archive
from vonggac.store.formatting import format_disk, parse_size
from vonggac.store.index import Index
from vonggac.store.recovery import recover
from vonggac.store.ring import Ring
from vonggac.store.start import read_journal
from vonggac_appliance.disk_check import check_disk

_FAST_CAMERAS, _FAST_BITS_PER_SECOND = 8, 16_000_000
"""In 225 s they send what two cameras of 4 Mbit/s send in an hour."""
_RING_BYTES = 600_000_000
START_NS = 1_763_700_000_123_456_789
TRACED = (
    "openat,open,creat,unlink,unlinkat,rename,renameat,renameat2,truncate,ftruncate,fallocate,"
    "link,linkat,symlink,symlinkat,mkdir,mkdirat,rmdir,mknod,mknodat"
)


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
    format_disk(where, parse_size(size), BOX, 16 << 20)
    made = Recording(where, streams, bits_per_second)
    try:
        yield made
    finally:
        made.close()
        shutil.rmtree(where)


def wraps(table: Table, room: Path, size: Size) -> None:
    """Ticks of two disks in turn, one in its second turn of the ring and one in a late one.

    A turn is about as many ticks as are compared, so that neither goes far beyond its own.
    """
    with (
        recording(room / "young", "1600M", 16, 2_000_000) as young,
        recording(room / "old", "1600M", 16, 2_000_000) as old,
    ):
        for one, turns in zip((young, old), size.wraps, strict=True):
            while one.wraps < turns - 1:
                one.tick()
        took: list[list[float]] = [[], []]
        both = [*zip((young, old), took, strict=True)]
        for number in range(size.ticks):
            # Each is the first as often: what a disk still has to do falls to the second.
            for one, times in both if number % 2 else reversed(both):
                times.append(one.tick())
        which = f"turn {size.wraps[1]} against {size.wraps[0]}"
        for name, share, limit in (("p50", 0.5, 1.1), ("p99", 0.99, 1.5)):
            early, late = (percentile(times, share) for times in took)
            ratio = late / early
            what = f"group commit, {name}, {which} ({early:.1f}, {late:.1f} ms)"
            table.row(what, f"{ratio:.2f} ×", f"{limit:.2f} ×", ratio <= limit)


def traced(table: Table, room: Path, size: Size) -> None:
    """Recording under strace: which calls made, removed, renamed, cut or lengthened a file."""
    strace = shutil.which("strace")
    if strace is None:
        table.row("files touched while recording", "no strace here")
        return
    where, log = room / "traced", room / "trace"
    format_disk(where, parse_size("200M"), BOX, 16 << 20)
    before = _files_of(where)
    command = [sys.executable, __file__, str(where), str(size.traced_s)]
    trace = [strace, "-f", "-y", "-o", str(log), "-e", f"trace={TRACED}"]
    done = subprocess.run([*trace, *command], capture_output=True, text=True, check=True)
    turns = done.stdout.strip().splitlines()[-1]
    _tell(table, f"{size.traced_s} s of a ring, {turns}", where, before, log)
    shutil.rmtree(where)


def traced_recorder(table: Table, room: Path, size: Size) -> None:
    """The same of a whole recorder, all its processes, at a rate that turns its ring often."""
    strace = shutil.which("strace")
    if strace is None:
        table.row("files a recorder touches", "no strace here")
        return
    log = room / "trace-recorder"
    clip = padded_clip(_FAST_BITS_PER_SECOND)
    with Source(clip=clip) as source, Box(room, str(_RING_BYTES), segment_size="16M") as box:
        box.add_cameras(source, _FAST_CAMERAS)
        box.start()
        box.until_recording(2)
        before, recorded = _files_of(box.disk), _recorded_bytes(box)
        attached = [option for pid in tree(box.pid) for option in ("-p", str(pid))]
        trace = [strace, "-f", "-y", "-o", str(log), "-e", f"trace={TRACED}", *attached]
        with subprocess.Popen(trace, stderr=subprocess.PIPE) as tracer:
            assert tracer.stderr is not None
            tracer.stderr.readline()  # it has attached itself
            time.sleep(size.traced_recorder_s)
            tracer.send_signal(signal.SIGINT)
            tracer.stderr.read()
        turned = (_recorded_bytes(box) - recorded) / _RING_BYTES
        what = f"{size.traced_recorder_s} s of a recorder, {turned:.1f} turns"
        _tell(table, what, box.disk, before, log)
        box.stop()


def _recorded_bytes(box: Box) -> int:
    return sum(s.bytes for c in box.status().cameras for s in c.streams)


def _tell(
    table: Table, what: str, where: Path, before: dict[str, tuple[int, int]], log: Path
) -> None:
    lines = log.read_text().splitlines()
    bad = [line for line in lines if str(where) in line and _changes(line, before)]
    changed = before.items() ^ _files_of(where).items()
    figure = f"{len(bad)} of {len(lines)} seen"
    table.row(f"calls that change files, {what}", figure, "0", not bad)
    table.row(
        "files made, removed, renamed or of another size", str(len(changed)), "0", not changed
    )
    for line in bad[:5]:
        print(f"    {line}", file=sys.stderr)


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


def deep(table: Table, room: Path, size: Size) -> None:
    """`disk check --deep` against cat and sha256sum over the same files, all of them cached."""
    megabytes = int(size.checked_gb * 1000)
    where = room / "deep"
    format_disk(where, parse_size(f"{megabytes + 200}M"), BOX, 16 << 20)
    made = Recording(where, 8, 4_000_000)
    while made.wraps < 0.9:
        made.tick()
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
    shutil.rmtree(where)


if __name__ == "__main__":
    record(Path(sys.argv[1]), int(sys.argv[2]))
