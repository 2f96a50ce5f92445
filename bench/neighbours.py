"""What does one camera that misbehaves cost the 63 beside it?

    python bench/neighbours.py                           every way in turn, 6 s each: twelve minutes
    python bench/neighbours.py --only flood --seconds 60

A real recorder of 64 cameras: 63 send a stream that is counted, in the 64th's place come all
cameras of `tests/quirks/` and of `hostile.py`, one after another. Beyond what a loop's crash
costs, where there is one, every picture that was sent to the 63 has to be on the disk. Prints a
table; exit status 1 if not.
"""

from __future__ import annotations

import argparse
import shlex
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from box import Box
from camera_source import Source, padded_clip
from hostile import hostile
from procs import machine

from quirk_camera import PASSWORD, USER, Quirk
from quirk_server import QuirkServer
from quirks import catalogue
from vonggac.registry.catalog import Catalog
from vonggac.store.check import check
from vonggac_appliance import bus_control, footage
from vonggac_appliance.camera_clip import STREET, load_scene

NEIGHBOURS = 63
_LAST_UNITS = 2
"""Of a stream: what was under way when the recorder was told to stop."""
_IDR = 5


@dataclass(slots=True)
class Report:
    """What was seen of the neighbours."""

    states: dict[str, str] = field(default_factory=dict)
    """Of the misbehaving one, by its way: its state when its time was over, and why."""
    crashes: Counter[str] = field(default_factory=Counter)
    """Loops that another pid stood for afterwards."""
    broken: Counter[str] = field(default_factory=Counter)
    """Neighbours whose run ended."""
    lost: Counter[str] = field(default_factory=Counter)
    """Packets lost, pictures damaged and dropped, of all neighbours."""
    late_s: dict[str, float] = field(default_factory=dict)
    """The oldest newest picture of any neighbour."""
    sent: int = 0
    missing: int = 0
    """Pictures of all neighbours."""
    problems: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Look:
    """At the neighbours, at one moment."""

    runs: dict[str, int]
    lost: int
    loops: tuple[tuple[int, int], ...]
    oldest_ms: int


def look(status: bus_control.StatusReply) -> Look:
    """Without the one that misbehaves."""
    streams = {c.id: c.streams[0] for c in status.cameras if c.id.startswith("cam")}
    return Look(
        runs={camera: stream.run for camera, stream in streams.items()},
        lost=sum(s.packets_lost + s.damaged + s.dropped for s in streams.values()),
        loops=tuple(sorted(status.loops)),
        oldest_ms=max(stream.last_sample_age_ms for stream in streams.values()),
    )


def misbehave(box: Box, server: QuirkServer, quirk: Quirk, seconds: float, report: Report) -> None:
    """One way, in the place of the 64th camera."""
    login = box.home / "login"
    login.write_text(f"{USER}:{PASSWORD}\n")
    before = look(box.status())
    words = ("--url", server.url(quirk), "--owner-kind", "state")
    box.command("camera", "add", f"bad-{quirk.name}", *words, "--credentials-file", str(login))
    until_s = time.monotonic() + seconds
    worst_ms = 0
    while time.monotonic() < until_s:
        worst_ms = max(worst_ms, look(box.status()).oldest_ms)
        time.sleep(0.5)
    after = look(status := box.status())
    (bad,) = (camera for camera in status.cameras if not camera.id.startswith("cam"))
    gap = f" ({bad.gap_reason})" if bad.gap_reason else ""
    report.states[quirk.name] = bad.state + gap
    report.crashes[quirk.name] = len(set(after.loops) - set(before.loops))
    report.broken[quirk.name] = sum(after.runs[c] != run for c, run in before.runs.items())
    report.lost[quirk.name] = after.lost - before.lost
    report.late_s[quirk.name] = worst_ms / 1000
    box.command("camera", "remove", bad.id)
    _until_gone(box)


def _until_gone(box: Box) -> None:
    until_s = time.monotonic() + 30
    while any(not camera.id.startswith("cam") for camera in box.status().cameras):
        if time.monotonic() > until_s:
            raise RuntimeError("the recorder does not let the camera go")
        time.sleep(0.1)


def until_key(first: int, keys: Sequence[int], period: int) -> int:
    """Pictures from number `first` on to the next key frame of a clip that repeats."""
    return min((key - first) % period for key in keys)


def count_pictures(box: Box, source: Source, report: Report) -> None:
    """With the recorder stopped: what was sent to each neighbour, against what is on the disk."""
    keys = [n for n, unit in enumerate(source.clip.units) if any(x[0] & 31 == _IDR for x in unit)]
    # A stream begins anywhere; what stands before its first key frame can be shown by nobody.
    sent = sum(s.units - until_key(s.first, keys, len(source.clip.units)) for s in source.sessions)
    with Catalog(box.home, is_readonly=True) as catalog:
        disks = [(Path(disk.path), disk.uuid) for disk in catalog.disks()]
        streams = [c.streams[0].id for c in catalog.cameras() if c.code.startswith("cam")]
    kept = 0
    for stream in streams:
        line = footage.timeline_of(box.home, disks, stream, 0, time.time_ns() + 10**10)
        kept += sum(part.frames for part in line.ranges)
    report.sent, report.missing = sent, sent - kept
    if report.missing > _LAST_UNITS * len(streams) and not report.crashes.total():
        report.problems.append(f"{report.missing} pictures of the neighbours are not on the disk")
    for problem in check(box.disk, is_deep=True).problems:
        report.problems.append(f"disk check: segment {problem.segment}: {problem.what}")


def run(room: Path, neighbours: int, seconds: float, only: str, bits_per_second: int) -> Report:
    """Every way whose name has `only` in it."""
    report = Report()
    shared = load_scene(STREET)[1]
    ways = [one for one in (*catalogue(), *hostile()) if only in one.name]
    server = QuirkServer([way(shared) for way in ways])
    clip = padded_clip(bits_per_second)
    try:
        with Source(clip=clip) as source, Box(room, "16G", segment_size="16M") as box:
            box.add_cameras(source, neighbours)
            box.start()
            box.until_recording(3)
            for quirk in server.quirks.values():
                misbehave(box, server, quirk, seconds, report)
                _say(report, quirk.name)
            box.stop()
            found = source.stop()
            count_pictures(box, source, report)
        if found.lost:
            report.problems.append(f"void: the source itself lost {found.lost} pictures")
    finally:
        server.stop()
    broken = sum(n for name, n in report.broken.items() if not report.crashes[name])
    if broken:
        report.problems.append(f"{broken} runs of neighbours ended without a crash")
    if lost := sum(n for name, n in report.lost.items() if not report.crashes[name]):
        report.problems.append(f"{lost} packets or pictures of neighbours lost without a crash")
    return report


def _say(report: Report, name: str) -> None:
    print(
        f"| {name} | {report.states[name]} | {report.crashes[name]} | {report.broken[name]} |"
        f" {report.lost[name]} | {report.late_s[name]:.1f} |",
        flush=True,
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--neighbours", type=int, default=NEIGHBOURS)
    parser.add_argument("--seconds", type=float, default=6.0, help="for each way (6)")
    parser.add_argument("--only", default="", help="ways with this in their name (all)")
    parser.add_argument("--kilobits", type=int, default=500, help="a second, of a neighbour (500)")
    parser.add_argument("--room", type=Path, default=Path(tempfile.gettempdir()))
    options = parser.parse_args()
    print(f"machine: {machine()}\ncommand: python {shlex.join(sys.argv)}\n")
    print(
        "| what the 64th did | in the end it was | loops crashed | neighbours' runs ended |"
        " packets lost, pictures damaged or dropped | newest picture at worst, s old |"
    )
    print("|---|---|---|---|---|---|")
    bits = options.kilobits * 1000
    report = run(options.room, options.neighbours, options.seconds, options.only, bits)
    print(
        f"\nways: {len(report.states)}; loops crashed: {report.crashes.total()}; pictures of the"
        f" neighbours sent: {report.sent}, not on the disk: {report.missing}"
    )
    for problem in report.problems:
        print(f"BROKEN: {problem}")
    return 1 if report.problems else 0


if __name__ == "__main__":
    sys.exit(main())
