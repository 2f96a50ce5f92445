"""What does a power cut cost, and does the ring keep its promises through it?

    python bench/powercut.py                            16 cameras x 2 streams, 200 cuts, XFS
    python bench/powercut.py --fs ext4 --gop 250
    python bench/powercut.py --cuts 4 --cameras 2 --size 1G --padded --resume-every 2

Takes images of the disk at random moments under load (reflink_disk.py), a few a life of the
recorder. Then mounts each one in the disk's place: `disk check`, what was told to be durable
before the cut against what is there, how much of the newest is missing, ffprobe on segments that
were open; on some of them the recorder goes on, and all is looked at again. As root. Prints a table
for docs/performance.md; exit status 1 if a promise was broken, 77 where there are no loop devices.
"""

from __future__ import annotations

import argparse
import random
import shlex
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from box import Box
from camera_source import Source, make_clip, padded_clip
from procs import machine
from reflink_disk import FILE_SYSTEMS, NoLoops, ReflinkDisk, private_mounts
from told import BOUND_NS, Listener, entered, lost, probe

from vonggac.store.check import check
from vonggac.store.journal import SegmentState
from vonggac.store.start import open_for_reading
from vonggac.store.timeline import Range, Tail, timeline
from vonggac_appliance.camera_clip import Clip

EXIT_NOTHING_TO_TRY_WITH = 77
_CUTS_A_LIFE = 20
_DEEP_EVERY = 10
"""Of how many images one is looked at to the last byte."""
_GOES_ON_NS = 3_000_000_000
_FOREVER_NS = 1 << 62


@dataclass(frozen=True, slots=True)
class Cut:
    """An image, and what was known when it was taken."""

    number: int
    image: Path
    at_ns: int
    told: dict[bytes, list[int]]
    """By stream: wall times up to which it had been told to be durable, before the cut."""


@dataclass(slots=True)
class Report:
    """What was seen. `problems`: each is a broken promise."""

    cuts: int = 0
    missing_ns: list[int] = field(default_factory=list)
    """Of each stream at each cut, what of the newest is not there."""
    untold_ns: list[int] = field(default_factory=list)
    """And how much more was there than had been told."""
    probed: int = 0
    in_mid_gop: int = 0
    """Of them, those that go on within a GOP."""
    deep: int = 0
    resumed: int = 0
    cut_ms: list[float] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def broken(self, what: str) -> None:
        self.problems.append(what)
        print(f"BROKEN: {what}", flush=True)


@dataclass(slots=True)
class Bench:
    """A recorder on a disk whose power is cut."""

    disk: ReflinkDisk
    box: Box
    chance: random.Random
    streams: dict[bytes, str]
    resume_every: int
    report: Report = field(default_factory=Report)
    breaks_ns: list[tuple[int, int]] = field(default_factory=list)
    """When the recorder was stopped, and until when it was back."""

    def run(self, cuts: int) -> None:
        """All of them, a few a life."""
        while self.report.cuts < cuts:
            taken = self._life(min(_CUTS_A_LIFE, cuts - self.report.cuts))
            self.disk.unplug()
            for cut in taken:
                self._look(cut)
                self.disk.discard(cut.image)
            self.disk.plug()

    def _life(self, cuts: int) -> list[Cut]:
        stopped_ns = time.time_ns()
        self.box.start()
        listener = Listener(self.box.home)
        try:
            listener.wait_past(list(self.streams), time.time_ns() + 1_000_000_000)
            self.breaks_ns.append((stopped_ns - BOUND_NS, time.time_ns()))
            taken = []
            for _ in range(cuts):
                time.sleep(self.chance.uniform(0.1, 1.6))  # the random moment: a tick is a second
                taken.append(self._cut(listener))
            return taken
        finally:
            self.box.stop()
            listener.stop()

    def _cut(self, listener: Listener) -> Cut:
        self.report.cuts += 1
        told = {stream: listener.points(stream) for stream in self.streams}
        at_ns = time.time_ns()
        image = self.disk.cut()
        self.report.cut_ms.append((time.time_ns() - at_ns) / 1e6)
        return Cut(self.report.cuts, image, at_ns, told)

    def _look(self, cut: Cut) -> None:
        """At the disk as the cut left it, mounted in the place of the real one."""
        self.disk.plug(cut.image)
        try:
            is_deep = cut.number % _DEEP_EVERY == 0
            self._check(cut, is_deep=is_deep, where="after the cut")
            newest = self._compare(cut)
            for stream, name in self.streams.items():
                missing_ns = max(0, cut.at_ns - newest[stream])
                self.report.missing_ns.append(missing_ns)
                self.report.untold_ns.append(max(0, newest[stream] - cut.told[stream][-1]))
                if missing_ns > BOUND_NS:
                    self._broken(cut, f"{name} misses {missing_ns / 1e9:.2f} s")
            if cut.number % self.resume_every == 0:
                self._go_on(cut)
        finally:
            self.disk.unplug()
        print(
            f"{cut.number:4} missing at most "
            f"{max(self.report.missing_ns[-len(self.streams) :]) / 1e9:.2f} s",
            flush=True,
        )

    def _compare(self, cut: Cut) -> dict[bytes, int]:
        """What had been told against what is there; gives the end of each stream."""
        newest: dict[bytes, int] = {}
        for stream, ranges in _ranges(self.box.disk, list(self.streams)).items():
            name = self.streams[stream]
            if not ranges:
                self._broken(cut, f"nothing of {name} is there")
            # The ring may have wrapped: what it gave up is no loss.
            told = [p for p in cut.told[stream] if ranges and p > ranges[0].from_ns]
            for what in lost(told, ranges, self._is_broken):
                self._broken(cut, f"{name}: {what}")
            newest[stream] = ranges[-1].to_ns if ranges else 0
        return newest

    def _is_broken(self, from_ns: int, to_ns: int) -> bool:
        return any(from_ns <= back and stopped <= to_ns for stopped, back in self.breaks_ns)

    def _check(self, cut: Cut, *, is_deep: bool, where: str) -> None:
        self.report.deep += is_deep
        for problem in check(self.box.disk, is_deep=is_deep).problems:
            at = f"segment {problem.segment} at {problem.offset}"
            self._broken(cut, f"{where}: promise {problem.promise}: {at}: {problem.what}")
        reading = open_for_reading(self.box.disk)
        try:
            opened = [n for n, row in reading.archive.segments() if row.state is SegmentState.OPEN]
            # Each image has as many as streams: some of them, so that all kinds of ends are seen.
            some = entered(reading.archive, self.chance.sample(opened, min(4, len(opened))))
        finally:
            reading.close()
        self.report.in_mid_gop += sum(not is_entered for is_entered in some.values())
        for number, what in probe(self.box.disk, some):
            self.report.probed += 1
            if what:
                self._broken(cut, f"{where}: ffprobe on segment {number}: {what}")

    def _go_on(self, cut: Cut) -> None:
        """The recorder recovers the image for real, and records on it."""
        self.box.start()
        listener = Listener(self.box.home)
        try:
            listener.wait_past(list(self.streams), time.time_ns() + _GOES_ON_NS)
        finally:
            self.box.stop()
            listener.stop()
        self.report.resumed += 1
        self.breaks_ns.append((cut.at_ns - BOUND_NS, time.time_ns()))
        self._check(cut, is_deep=True, where="after going on")
        self._compare(cut)
        self.breaks_ns.pop()

    def _broken(self, cut: Cut, what: str) -> None:
        self.report.broken(f"cut {cut.number}: {what}")


def _ranges(disk: Path, streams: Sequence[bytes]) -> dict[bytes, tuple[Range, ...]]:
    """What lies on a disk that no recorder has."""
    reading = open_for_reading(disk)
    try:
        found = {}
        for stream in streams:
            packed = list(reading.archive.packed_minutes(stream, 0, _FOREVER_NS))
            runs = reading.archive.runs(stream, 0, _FOREVER_NS)
            tail = Tail(None, _FOREVER_NS)
            found[stream] = timeline(packed, runs, 0, _FOREVER_NS, tail).ranges
        return found
    finally:
        reading.close()


def run(
    room: Path, file_system: str, gib: float, cameras: int, cuts: int, resume_every: int,
    seed: int, clip: Clip | None = None,
) -> Report:  # fmt: skip
    """`cuts` images of one disk. Raises NoLoops where none can be taken."""
    private_mounts()
    size = int(gib * (1 << 30))
    with (
        ReflinkDisk(room, file_system, size) as disk,
        Source(clip=clip) as source,
        Box(room, str(size), disk.path / "ring") as box,
    ):
        streams = box.add_pairs(source, cameras)
        bench = Bench(disk, box, random.Random(seed), streams, resume_every)
        bench.run(cuts)
        if (sent := source.stop()).lost:
            bench.report.broken(f"void: the source itself lost {sent.lost} pictures")
    return bench.report


def table(report: Report, file_system: str, gop_s: float) -> None:
    """A row for docs/performance.md."""
    head = (
        "file system", "GOP", "cuts", "missing of a stream: median", "most", "limit",
        "told and lost", "promises broken",
    )  # fmt: skip
    missing = sorted(report.missing_ns)
    lost_count = sum("reported durable" in problem for problem in report.problems)
    row = (
        file_system, f"{gop_s:g} s", str(report.cuts), f"{missing[len(missing) // 2] / 1e9:.2f} s",
        f"{missing[-1] / 1e9:.2f} s", f"{BOUND_NS / 1e9:.0f} s", str(lost_count),
        str(len(report.problems)),
    )  # fmt: skip
    print(f"\n| {' | '.join(head)} |\n|{'---|' * len(head)}\n| {' | '.join(row)} |")
    untold = sorted(report.untold_ns)
    print(f"\nthere beyond what had been told: median {untold[len(untold) // 2] / 1e9:.2f} s")
    print(f"looked at to the last byte: {report.deep}; recorded on: {report.resumed}")
    print(f"segments opened in ffprobe: {report.probed}, within a GOP: {report.in_mid_gop}")
    print(f"an image takes {sorted(report.cut_ms)[len(report.cut_ms) // 2]:.1f} ms")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--fs", choices=FILE_SYSTEMS, default=FILE_SYSTEMS[0])
    parser.add_argument("--cuts", type=int, default=200)
    parser.add_argument("--cameras", type=int, default=16, help="each with two streams")
    parser.add_argument("--gib", type=float, default=8.0, help="size of the ring")
    parser.add_argument("--gop", type=int, default=50, help="pictures from key frame to key frame")
    parser.add_argument("--resume-every", type=int, default=10, help="images that are recorded on")
    parser.add_argument("--padded", action="store_true", help="the clip that needs no ffmpeg")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--room", type=Path, default=Path(tempfile.gettempdir()))
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # by way of every __exit__
    print(f"machine: {machine()}\ncommand: python {shlex.join(sys.argv)}\n", flush=True)
    clip = padded_clip(1_000_000) if options.padded else make_clip(gop=options.gop)
    try:
        report = run(
            options.room, options.fs, options.gib, options.cameras, options.cuts,
            options.resume_every, options.seed, clip,
        )  # fmt: skip
    except NoLoops as error:
        print(f"nothing to try with: {error}", file=sys.stderr)
        return EXIT_NOTHING_TO_TRY_WITH
    table(report, options.fs, 2.0 if options.padded else options.gop / 25)
    return 1 if report.problems else 0


if __name__ == "__main__":
    sys.exit(main())
