"""Does a recorder keep its promises when it is killed, whatever of it and whenever?

    python bench/kill.py                              32 cameras x 2 streams, 50 kills of each
    python bench/kill.py --times 3 --cameras 4 --size 1G --seed 7

Kills the recorder, a loop or a keeper with SIGKILL at random moments under load. After each: what
was reported durable on the bus is there, and how much of the newest is missing; after a recorder's
death also `disk check`, the count of segments and ffprobe on those that were open. At the end all
of the ring. Prints what it found; exit status 1 if a promise was broken.
"""

from __future__ import annotations

import argparse
import os
import random
import shlex
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from box import Box
from camera_source import Source
from procs import children, machine, tree
from seams import seams
from told import BOUND_NS, DEADLINE_S, Listener, entered, lost, probe

from vonggac.registry.catalog import Catalog
from vonggac.store.check import check
from vonggac.store.journal import SegmentState
from vonggac.store.start import open_for_reading
from vonggac.store.timeline import Range
from vonggac_appliance import footage
from vonggac_appliance.camera_clip import Clip

KINDS = ("record", "loop", "keeper")
_NEAR_NS = 1_000_000_000
"""Children of a dead parent go on until they see the end of its sockets."""
_LATE_NS = 200_000_000
"""A run's last picture lasts beyond the moment at which its loop died."""
_LONG_NS = 10_000_000_000
"""A run that ended so long before it died of something else: the ring has wrapped since."""
_CHECK_EVERY = 20
"""Deaths of the recorder between two looks at the whole disk."""


@dataclass(slots=True)
class Report:
    """What was seen. `problems`: each is a broken promise."""

    kills: Counter[str] = field(default_factory=Counter)
    missing_ns: dict[str, list[int]] = field(default_factory=dict)
    """For each kill the most that any stream lost: its newest for record, the hole for a keeper,
    the pictures between two runs for a loop."""
    away_ns: dict[str, list[int]] = field(default_factory=dict)
    """For each kill the longest hole in any stream: for record mostly its start."""
    guilty: int = 0
    """Streams that a loop was parsing when it was killed: they count as the cause."""
    checks: int = 0
    states: Counter[str] = field(default_factory=Counter)
    """Of all segments, at the end."""
    probed: int = 0
    in_mid_gop: int = 0
    """Of them, those that go on within a GOP."""
    problems: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Killer:
    """One recorder under load, and all that is done to it."""

    box: Box
    random: random.Random
    streams: dict[bytes, str]
    listener: Listener
    clip: Clip
    """What all cameras send."""
    report: Report = field(default_factory=Report)
    breaks_ns: list[tuple[int, int]] = field(default_factory=list)
    """When something died whose death ends runs, and until when it was noticed."""
    loops_ns: list[tuple[int, frozenset[bytes]]] = field(default_factory=list)
    """When a loop was killed, and the streams that it was parsing, which connected anew."""

    def kill(self, kind: str) -> None:
        """Kills at a random moment, waits until all streams are back, and looks."""
        time.sleep(self.random.uniform(0.0, 1.5))  # the random moment: a tick is a second
        self.report.kills[kind] += 1
        left = tree(self.box.pid)[1:]
        pid = self._victim(kind)
        at_ns = time.time_ns()
        if kind == "record":
            self.box.kill()
            self._start_again(left)
        else:
            os.kill(pid, signal.SIGKILL)
        if kind != "keeper":
            self.breaks_ns.append((at_ns, time.time_ns() + _NEAR_NS))
        self.listener.wait_past(list(self.streams), time.time_ns() + 1_000_000_000)
        self._look(kind, at_ns)

    def _victim(self, kind: str) -> int:
        loops = [pid for _, pid in self.box.status().loops if pid]
        if kind == "loop":
            return self.random.choice(loops)
        (forker,) = children(self.box.pid)
        return self.random.choice([pid for pid in children(forker) if pid not in loops])

    def _start_again(self, left: Sequence[int]) -> None:
        """Most often at once, while keepers of the dead recorder still finish their sync."""
        if self.report.kills["record"] % _CHECK_EVERY == 1:
            _wait_gone(left)
            self.look_at_disk(is_deep=False)
        self.box.start()

    def _look(self, kind: str, at_ns: int) -> None:
        """At every stream around a kill."""
        worst_ns = away_ns = 0
        guilty = set()
        for stream, name in self.streams.items():
            told = [p for p in self.listener.points(stream) if p > at_ns - 10_000_000_000]
            ranges = self._ranges(stream, at_ns - 15_000_000_000)
            self._compare(name, told, ranges)
            hole = _hole(ranges, at_ns)
            if kind == "loop" and self.listener.is_guilty(name, at_ns):
                self.report.guilty += 1
                guilty.add(stream)
                continue
            away_ns = max(away_ns, hole[1] - hole[0])
            if kind != "loop":
                missing_ns = max(0, at_ns - hole[0]) if kind == "record" else hole[1] - hole[0]
                worst_ns = max(worst_ns, missing_ns)
                self._judge(name, kind, missing_ns)
        self.report.away_ns.setdefault(kind, []).append(away_ns)
        if kind == "loop":
            self.loops_ns.append((at_ns, frozenset(guilty)))
        else:
            self.report.missing_ns.setdefault(kind, []).append(worst_ns)

    def _judge(self, name: str, kind: str, missing_ns: int) -> None:
        if missing_ns > (0 if kind == "keeper" else BOUND_NS):
            self._broken(f"{name} misses {missing_ns / 1e9:.2f} s after the {kind}'s death")

    def _look_at_loops(self) -> None:
        """What each death of a loop cost those who kept their connection."""
        worst_ns = [0] * len(self.loops_ns)
        for stream, name in self.streams.items():
            found = seams(self.box.disk, stream, self.clip)
            for number, (at_ns, guilty) in enumerate(self.loops_ns):
                ended = [seam for seam in found if seam.at_ns < at_ns + _LATE_NS]
                if ended and stream not in guilty and ended[-1].at_ns > at_ns - _LONG_NS:
                    missing_ns = ended[-1].missing * self.clip.frame_ns
                    worst_ns[number] = max(worst_ns[number], missing_ns)
                    self._judge(name, "loop", missing_ns)
        self.report.missing_ns["loop"] = worst_ns

    def _ranges(self, stream: bytes, from_ns: int) -> tuple[Range, ...]:
        with Catalog(self.box.home, is_readonly=True) as catalog:
            disks = [(Path(disk.path), disk.uuid) for disk in catalog.disks()]
        # Beyond now: what a new loop finds waiting is stamped when it is read, and on from there.
        to_ns = time.time_ns() + 10_000_000_000
        return footage.timeline_of(self.box.home, disks, stream, from_ns, to_ns).ranges

    def _compare(self, name: str, told: Sequence[int], ranges: Sequence[Range]) -> None:
        for what in lost(told, ranges, self._is_broken):
            self._broken(f"{name}: {what}")

    def _is_broken(self, from_ns: int, to_ns: int) -> bool:
        return any(from_ns <= noticed and at <= to_ns for at, noticed in self.breaks_ns)

    def look_at_disk(self, *, is_deep: bool) -> None:
        """`disk check`, the room, and ffprobe: of open segments, at the end of all."""
        self.report.checks += 1
        for problem in check(self.box.disk, is_deep=is_deep).problems:
            self._broken(f"disk check: segment {problem.segment}: {problem.what}")
        reading = open_for_reading(self.box.disk)
        try:
            rows = dict(reading.archive.segments())
            total = reading.disk.identity.segments
            kinds = (SegmentState.OPEN, SegmentState.SEALED) if is_deep else (SegmentState.OPEN,)
            held = sorted(number for number, row in rows.items() if row.state in kinds)
            probed = entered(reading.archive, held)
        finally:
            reading.close()
        self.report.states = Counter(row.state.name for row in rows.values())
        open_of = Counter(row.stream for row in rows.values() if row.state is SegmentState.OPEN)
        spares = self.report.states["READY"] + self.report.states["RESERVED"]
        if len(rows) != total:
            self._broken(f"{total - len(rows)} of {total} segments are in no state")
        if any(count > 1 for count in open_of.values()):
            self._broken(f"a stream has {max(open_of.values())} open segments")
        if spares > 2 * len(self.streams) + 8:
            self._broken(f"{spares} segments stand by for {len(self.streams)} streams")
        self.report.in_mid_gop += sum(not is_entered for is_entered in probed.values())
        self._probe(probed)

    def _probe(self, segments: Mapping[int, bool]) -> None:
        for number, what in probe(self.box.disk, segments):
            self.report.probed += 1
            if what:
                self._broken(f"ffprobe on segment {number}: {what}")

    def look_at_all(self) -> None:
        """At the end, with the recorder stopped: the disk, and all that was ever reported."""
        self.look_at_disk(is_deep=True)
        self._look_at_loops()
        for stream, name in self.streams.items():
            ranges = self._ranges(stream, 0)
            if not ranges:
                self._broken(f"nothing of {name} is there")
                continue
            # The ring may have wrapped: what it gave up is no loss.
            told = [p for p in self.listener.points(stream) if p > ranges[0].from_ns]
            self._compare(name, told, ranges)

    def _broken(self, what: str) -> None:
        self.report.problems.append(what)
        print(f"BROKEN: {what}", flush=True)


def _hole(ranges: Sequence[Range], at_ns: int) -> tuple[int, int]:
    """Where pictures end before a moment and go on after it; an empty one if they never end."""
    before = [part for part in ranges if part.from_ns < at_ns]
    after = [part for part in ranges if part.from_ns >= at_ns]
    if not before:
        return at_ns - 15_000_000_000, at_ns
    end_ns = max(part.to_ns for part in before)
    if not after:
        return (end_ns, end_ns)
    # A range that begins before the kill and one behind it: a short hole may lie before it too.
    return end_ns, max(end_ns, min(part.from_ns for part in after))


def _wait_gone(pids: Sequence[int]) -> None:
    """Children of a dead recorder: keepers finish a sync."""
    until_s = time.monotonic() + DEADLINE_S
    while any(Path(f"/proc/{pid}").exists() and not _is_zombie(pid) for pid in pids):
        if time.monotonic() > until_s:
            raise RuntimeError(f"{pids} do not end with their recorder")
        time.sleep(0.02)


def _is_zombie(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def order(times: int, chance: random.Random) -> Iterator[str]:
    """Each kind once a round: a parent that forks for ever more slowly is not what is measured."""
    for _ in range(times):
        yield from chance.sample(KINDS, len(KINDS))


def run(
    room: Path, size: str, cameras: int, times: int, seed: int, clip: Clip | None = None
) -> Report:
    """`times` kills of each kind."""
    chance = random.Random(seed)
    with Source(clip=clip) as source, Box(room, size) as box:
        streams = box.add_pairs(source, cameras)
        box.start()
        listener = Listener(box.home)
        try:
            listener.wait_past(list(streams), time.time_ns() + 1_000_000_000)
            killer = Killer(box, chance, streams, listener, source.clip)
            for kind in order(times, chance):
                killer.kill(kind)
                _say(killer.report, kind)
            box.stop()
            killer.look_at_all()
        finally:
            listener.stop()
        if (report := source.stop()).lost:
            killer.report.problems.append(f"void: the source itself lost {report.lost} pictures")
    return killer.report


def _say(report: Report, kind: str) -> None:
    count, hole_s = sum(report.kills.values()), report.away_ns[kind][-1] / 1e9
    missing_s = "" if kind == "loop" else f"missing {report.missing_ns[kind][-1] / 1e9:.2f} s, "
    print(f"{count:4} {kind:<7} {missing_s}hole {hole_s:.2f} s", flush=True)


def table(report: Report) -> None:
    """For docs/performance.md."""
    head = ("killed", "times", "missing: median", "most", "limit", "longest hole: median", "most")
    print(f"\n| {' | '.join(head)} |\n|{'---|' * len(head)}")
    for kind in KINDS:
        limit = "0" if kind == "keeper" else f"{BOUND_NS / 1e9:.0f} s"
        lost, away = (
            _middle_and_most(report.missing_ns[kind]),
            _middle_and_most(report.away_ns[kind]),
        )
        print(f"| {kind} | {report.kills[kind]} | {lost} | {limit} | {away} |")
    print(f"\nsegments: {dict(report.states)}, sum {sum(report.states.values())}")
    print(
        f"looks at the disk: {report.checks}, segments opened in ffprobe: {report.probed}", end=""
    )
    print(f", within a GOP: {report.in_mid_gop}")
    print(f"streams killed while they were parsed, which connected anew: {report.guilty}")
    print(f"broken promises: {len(report.problems)}")


def _middle_and_most(times_ns: Sequence[int]) -> str:
    ordered = sorted(times_ns)
    return f"{ordered[len(ordered) // 2] / 1e9:.2f} s | {ordered[-1] / 1e9:.2f} s"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--times", type=int, default=50, help="kills of each kind")
    parser.add_argument("--cameras", type=int, default=32, help="each with two streams")
    parser.add_argument("--size", default="20G", help="of the disk")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--room", type=Path, default=Path(tempfile.gettempdir()))
    options = parser.parse_args()
    print(f"machine: {machine()}\ncommand: python {shlex.join(sys.argv)}\n")
    report = run(options.room, options.size, options.cameras, options.times, options.seed)
    table(report)
    return 1 if report.problems else 0


if __name__ == "__main__":
    sys.exit(main())
