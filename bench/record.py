"""What does recording cost, against 64 ffmpegs and against the floor?

    python bench/record.py                  all but scale and growth: about ten minutes
    python bench/record.py --only scale     512 cameras: about five minutes, and 31 GB written
    python bench/record.py --only growth    memory over an hour: 75 minutes, and 16 GB written
    python bench/record.py --only starved   beside four busy programs: two minutes

Prints a table with the machine and the command; docs/performance.md keeps the last good one.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from box import Box
from camera_source import Report, Source, make_clip
from disks import BlockDevice, written_a_second
from judge import Table
from peers import ffmpeg_cpu, floor_cpu
from procs import Cost
from record_growth import growth

from vonggac.rtsp.packetise import Packetiser

CAMERAS = 64
MANY = 512
STARVED = 128
BUSY = 4
SEEK_S = 0.008
ROTATIONAL_BYTES_A_SECOND = 150e6
ROUNDS = 3
ALONE = {"scale": 120, "growth": 3300, "starved": 60}
"""Parts that run only when named, and how long each is measured, in seconds."""


def recorder_cpu(box: Box, seconds: float) -> tuple[float, Cost]:
    """CPU seconds a second with everything on, after a warm-up; and what it held at the end."""
    box.start()
    try:
        box.until_recording(8)
        before, began = box.cost(), time.monotonic()
        time.sleep(seconds)
        after = box.cost()
        return (after.cpu_s - before.cpu_s) / (time.monotonic() - began), after
    finally:
        box.stop()


def check_source(table: Table, report: Report, wall_s: float) -> None:
    table.row("source: CPU, % of a core", f"{100 * report.cpu_s / wall_s:.2f}")
    table.row(
        "source: access units it could not send in time", f"{report.lost}", "0", not report.lost
    )


def cpu_and_memory(table: Table, room: Path, seconds: int) -> None:
    """64 cameras of 4 Mbit/s: the recorder, 64 ffmpegs and the floor, in turn, `ROUNDS` times."""
    ours, theirs, least, held = [], [], [], None
    began = time.monotonic()
    with Source() as source, Box(room, "8G") as box:
        box.add_cameras(source, CAMERAS)
        for _ in range(ROUNDS):
            cpu, held = recorder_cpu(box, seconds)
            ours.append(cpu)
            urls = [source.url(f"peer{n}") for n in range(CAMERAS)]
            theirs.append(ffmpeg_cpu(urls, room, 8, seconds))
            least.append(floor_cpu(source.port, CAMERAS, room, seconds))
        report = source.stop()
    assert held is not None
    a_stream = 100 / CAMERAS
    table.row("recorder: CPU a stream, % of a core (best)", f"{min(ours) * a_stream:.4f}")
    table.row("ffmpeg -c copy -f segment: the same (best)", f"{min(theirs) * a_stream:.4f}")
    table.row("floor: the same (best)", f"{min(least) * a_stream:.4f}")
    ratio = min(o / t for o, t in zip(ours, theirs, strict=True))
    table.row("recorder / ffmpeg, best round", f"1/{1 / ratio:.1f}", "1/8", ratio <= 1 / 8)
    ratio = min(o / f for o, f in zip(ours, least, strict=True))
    table.row("recorder / floor, best round", f"{ratio:.2f}", "2", ratio <= 2)
    mib = held.pss_bytes / CAMERAS / 2**20
    table.row("memory a camera, PSS of all recorder processes, MiB", f"{mib:.2f}", "8", mib <= 8)
    table.row("processes, threads", f"{held.processes}, {held.threads}")
    check_source(table, report, time.monotonic() - began)


def scale(table: Table, room: Path, seconds: int) -> None:
    """512 cameras of 4 Mbit/s for two minutes on the cores that also run their source."""
    disk = [written_a_second(room)]
    with Source() as source, Box(room, "40G") as box:
        box.add_cameras(source, MANY)
        box.start()
        took = box.until_recording(1, 180)
        table.row(f"{MANY} cameras: all recording after, s", f"{took:.1f}")
        before, began = box.cost(), time.monotonic()
        runs = {(c.id, s.name): s.run for c in box.status().cameras for s in c.streams}
        oldest_s = 0.0
        while time.monotonic() - began < seconds:
            time.sleep(1)
            oldest_s = max(oldest_s, newest_durable_age_s(box))
        wall_s = time.monotonic() - began
        after = box.cost()
        streams = [(c.id, s) for c in box.status().cameras for s in c.streams]
        lost = sum(s.packets_lost + s.damaged + s.dropped for _, s in streams)
        broken = sum(runs[camera, s.name] != s.run for camera, s in streams)
        cpu = 100 * (after.cpu_s - before.cpu_s) / wall_s
        table.row("CPU a stream, % of a core", f"{cpu / MANY:.4f}")
        table.row("packets lost, damaged, dropped", f"{lost}", "0", lost == 0)
        table.row("streams whose run broke (gaps)", f"{broken}", "0", broken == 0)
        table.row("newest durable picture, oldest seen, s", f"{oldest_s:.2f}", "2", oldest_s <= 2)
        table.row(
            "memory a camera, MiB",
            f"{after.pss_bytes / MANY / 2**20:.2f}",
            "8",
            after.pss_bytes / MANY <= 8 * 2**20,
        )
        box.stop()
        report = source.stop()
        check_source(table, report, wall_s + took)
    disk.append(written_a_second(room))
    table.row(
        "the disk alone takes before and after; the cameras send, MB/s",
        f"{disk[0] / 1e6:.0f} {disk[1] / 1e6:.0f}; {MANY * 0.5:.0f}",
    )


def starved(table: Table, room: Path, seconds: int) -> None:
    """128 cameras beside programs that want every core for themselves."""
    with Source(clip=make_clip(1_000_000)) as source, Box(room, "12G") as box:
        box.add_cameras(source, STARVED)
        box.start()
        box.until_recording(5)
        with busy(BUSY):
            runs = {(c.id, s.name): s.run for c in box.status().cameras for s in c.streams}
            ages, ticks, began = [], [], time.monotonic()
            while time.monotonic() - began < seconds:
                time.sleep(0.25)
                ages.append(newest_durable_age_s(box))
                ticks.append(box.status().disks[0].tick_ms)
        streams = [(c.id, s) for c in box.status().cameras for s in c.streams]
        box.stop()
        report = source.stop()
    lost = sum(s.packets_lost + s.damaged + s.dropped for _, s in streams)
    broken = sum(runs[camera, s.name] != s.run for camera, s in streams)
    ages.sort()
    worst = [f"{ages[int(len(ages) * share)]:.2f}" for share in (0.5, 0.95)]
    what = f"{STARVED} cameras, {BUSY} busy programs: newest durable picture"
    table.row(f"{what}, oldest seen, s", f"{ages[-1]:.2f}", "2", ages[-1] <= 2)
    table.row("the same: half, and 95 of 100 looks, s", ", ".join(worst))
    table.row("the same: longest tick, ms", f"{max(ticks):.0f}")
    table.row("the same: packets lost, damaged, dropped; runs broken", f"{lost}, {broken}")
    check_source(table, report, seconds)


@contextlib.contextmanager
def busy(count: int) -> Iterator[None]:
    """Programs that do nothing else than want a core each."""
    programs = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(count)]
    try:
        yield
    finally:
        for program in programs:
            program.kill()
            program.wait()


def newest_durable_age_s(box: Box) -> float:
    """The age of the newest durable picture of the stream that is worst off."""
    status = box.status()
    ends = [s.durable_until_ns or 0 for c in status.cameras for s in c.streams]
    return (time.time_ns() - min(ends)) / 1e9


def reconnects(table: Table, room: Path, seconds: int) -> None:
    """64 cameras go away and come back 16 times: descriptors and threads are what they were."""
    with Box(room, "8G") as box:
        with Source() as source:
            port = source.port
            box.add_cameras(source, CAMERAS)
            box.start()
            box.until_recording(3)
            before = box.cost()
        slowest_s = 0.0
        for _ in range(1024 // CAMERAS):
            with Source(port=port):
                slowest_s = max(slowest_s, box.until_all("recording"))
            box.until_all("waiting", "connecting")
        with Source(port=port):
            box.until_all("recording")
            time.sleep(3)
            after = box.cost()
            box.stop()
    same = (before.descriptors, before.threads) == (after.descriptors, after.threads)
    table.row(
        "descriptors and threads before / after 1,024 reconnects",
        f"{before.descriptors},{before.threads}/{after.descriptors},{after.threads}",
        "the same",
        same,
    )
    table.row("all 64 recording again after, slowest, s", f"{slowest_s:.1f}")


def amplification(table: Table, room: Path, seconds: int) -> None:
    """64 main and 64 sub streams on a file system of their own: what reaches the block device."""
    if os.geteuid() != 0 or shutil.which("mkfs.xfs") is None:
        table.row("write amplification: needs root and xfsprogs", "not measured")
        return
    seconds = max(seconds, 60)
    with (
        BlockDevice(room, "12G") as device,
        Source() as main,
        Source(clip=make_clip(300_000)) as sub,
        Box(room, "10G", device.path) as box,
    ):
        for number in range(CAMERAS):
            box.add(f"cam{number}", main.url(f"cam{number}"), sub.url(f"cam{number}"))
        box.start()
        box.until_recording(8)
        before, video, began = device.counters(), video_bytes(box, main, sub), time.monotonic()
        time.sleep(seconds)
        after, video = device.counters(), video_bytes(box, main, sub) - video
        ticks = time.monotonic() - began
        box.stop()
    writes, written, flushes = (b - a for a, b in zip(before, after, strict=True))
    factor = written / video
    table.row("bytes at the block device / bytes of video", f"{factor:.3f}", "1.06", factor <= 1.06)
    table.row("flushes a tick", f"{flushes / ticks:.2f}", "6", flushes / ticks <= 6)
    table.row("writes a tick, for 128 streams", f"{writes / ticks:.0f}")
    # Each write counts as a seek. A tick's chunks are a second old when it starts: it has a second.
    a_stream_s = (writes * SEEK_S + written / ROTATIONAL_BYTES_A_SECOND) / ticks / (2 * CAMERAS)
    streams = (1 - flushes / ticks * SEEK_S) / a_stream_s
    table.row("streams that a rotational disk carries within 2 s (computed)", f"{streams:.0f}")


def video_bytes(box: Box, main: Source, sub: Source) -> float:
    """Bytes of NAL units received by all streams in their present runs, RTP and RTSP taken off."""
    share = {"main": video_share(main), "sub": video_share(sub)}
    return sum(s.bytes * share[s.name] for c in box.status().cameras for s in c.streams)


def video_share(source: Source) -> float:
    """How much of what a source sends is NAL units."""
    packetiser = Packetiser(source.clip.codec)
    units = source.clip.units
    sent = sum(4 + len(p) for unit in units for p in packetiser.access_unit(unit, 0))
    return sum(len(nal) for unit in units for nal in unit) / sent


PARTS: dict[str, Callable[[Table, Path, int], None]] = {
    "cpu": cpu_and_memory,
    "reconnects": reconnects,
    "amplification": amplification,
    "scale": scale,
    "growth": growth,
    "starved": starved,
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", choices=PARTS, help="one part")
    parser.add_argument(
        "--seconds", type=int, help="how long each is measured (20; scale: 120; growth: 3300)"
    )
    parser.add_argument("--room", type=Path, help="where disks are made (the temporary directory)")
    options = parser.parse_args()
    room = options.room or Path(tempfile.gettempdir())
    table = Table()
    for name, part in PARTS.items():
        if name == options.only or (options.only is None and name not in ALONE):
            part(table, room, options.seconds or ALONE.get(name, 20))
    return 0


if __name__ == "__main__":
    sys.exit(main())
