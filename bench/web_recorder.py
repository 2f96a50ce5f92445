"""What the page costs the recorder, and whether a picture is lost by it. Part of bench/web.py."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import procs
from camera_source import Source
from judge import ROUNDS, Table, calibrate
from page_box import HERE, PageBox, free_port, helper
from visitor import Visitor


def watched(table: Table, room: Path, cameras: int = 16, seconds: float = 10) -> None:
    """CPU of all recorder processes with and without somebody who watches every stream."""
    extra, loads, drops, media = [], [], 0.0, 0.0
    with Source() as source, PageBox(room, "4G", free_port()) as box:
        box.add_cameras(source, cameras)
        box.start()
        with box.page() as visitor:
            box.until_recording(4)
            streams = [box.camera_id(f"cam{n}") for n in range(cameras)]
            for _ in range(ROUNDS):
                before = calibrate().stretch
                alone = recorder_cpu(box, seconds)
                with viewer(box, visitor, seconds + 4, streams) as told:
                    time.sleep(2)  # the first pictures, with all of their GOPs, are another matter
                    extra.append(recorder_cpu(box, seconds) - alone)
                drops, media = drops + told["left_out"], media + told["media"]
                loads.append(max(before, calibrate().stretch))
        box.stop()
        source.stop()
    # The best of differences may be below nothing: what counts is the middle one.
    middle = 100 * statistics.median(extra) / cameras
    best, worst = 100 * min(extra) / cameras, 100 * max(extra) / cameras
    least = media / ROUNDS / cameras / (seconds + 4)
    table.row("watched: units a second and stream that reached the viewer", f"{least:.1f}")
    table.row("watched: times that units were left out", f"{drops:.0f}")
    table.row(
        "a watched stream costs the recorder, best to worst round, %", f"{best:.3f} to {worst:.3f}"
    )
    table.row("the same, median, % of a core", f"{middle:.3f}", "≤ 0.1", middle <= 0.1, min(loads))


def recorder_cpu(box: PageBox, seconds: float) -> float:
    """CPU seconds a second of all recorder processes."""
    before, began_s = box.cost().cpu_s, time.monotonic()
    time.sleep(seconds)
    return (box.cost().cpu_s - before) / (time.monotonic() - began_s)


@contextlib.contextmanager
def viewer(
    box: PageBox, visitor: Visitor, seconds: float, streams: list[str]
) -> Iterator[dict[str, float]]:
    """visitor.py watching `streams`; what it counted stands in the object after the block."""
    command = [sys.executable, str(HERE / "visitor.py"), box.origin, visitor.cookie, str(seconds)]
    told: dict[str, float] = {}
    with subprocess.Popen([*command, *streams], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        if process.stdout.readline().strip() != "watching":
            raise RuntimeError("the viewer does not watch")
        yield told
        told |= json.loads(process.stdout.readline() or "{}")


def recording(table: Table, room: Path, cameras: int = 8, stopped_s: float = 90) -> None:
    """What the page does, or has done to it, leaves no gap."""
    with Source() as source, PageBox(room, "4G", free_port()) as box:
        box.add_cameras(source, cameras)
        box.start()
        with box.page() as visitor:
            box.until_recording(8)
            ids = [box.camera_id(f"cam{n}") for n in range(cameras)]
            hammered(table, box, visitor, ids)
            stopped(table, box, visitor, ids, stopped_s)
            killed(table, box, visitor, ids)
        box.stop()
        report = source.stop()
    table.row(
        "source: access units it could not send in time", f"{report.lost}", "0", not report.lost
    )


@contextlib.contextmanager
def unbroken(table: Table, box: PageBox, what: str) -> Iterator[None]:
    """Every stream's run goes on through the block, and nothing of it is lost."""
    before = {(c.id, s.name): s for c in box.status().cameras for s in c.streams}
    load = calibrate().stretch
    yield
    load = max(load, calibrate().stretch)
    broken = lost = 0
    for camera in box.status().cameras:
        for stream in camera.streams:
            old = before[camera.id, stream.name]
            broken += stream.run != old.run or stream.state != "recording"
            for name in ("packets_lost", "damaged", "dropped"):
                lost += getattr(stream, name) - getattr(old, name)
    table.row(f"{what}: streams whose run broke (gaps)", f"{broken}", "0", not broken, load)
    table.row(f"{what}: packets and units lost", f"{lost}", "0", not lost, load)


def hammered(table: Table, box: PageBox, visitor: Visitor, ids: list[str]) -> None:
    """50 clients for 20 seconds."""
    with unbroken(table, box, "50 clients hammer"):
        told = helper("hammer.py", box.origin, visitor.cookie, "50", "20", *ids)
    rate = told["answers"] / 20
    table.row("50 clients hammer: answers a second, of them 5xx", f"{rate:.0f}, {told['5xx']}")
    table.row("50 clients hammer: slowest answer, s", f"{told['slowest_s']:.2f}")


def stopped(table: Table, box: PageBox, visitor: Visitor, ids: list[str], seconds: float) -> None:
    """`serve` is stopped with a live view open: what waits for it in the recorder is bounded.

    What could grow with the time is the memory of the recorder's processes and what lies in
    sockets (descriptors): both are the same after a third of the time and at its end.
    """
    pids = procs.tree(box.serve_pid)
    with viewer(box, visitor, seconds + 30, ids):
        time.sleep(3)
        with unbroken(table, box, f"serve stopped for {seconds:.0f} s"):
            for pid in pids:
                os.kill(pid, signal.SIGSTOP)
            try:
                time.sleep(seconds / 3)
                early = box.cost()
                time.sleep(seconds * 2 / 3)
                late = box.cost()
            finally:
                for pid in reversed(pids):
                    os.kill(pid, signal.SIGCONT)
        grown = (late.pss_bytes - early.pss_bytes) / 2**20
        grew = f"{grown:+.1f}, {late.descriptors - early.descriptors:+d}"
        holds = grown < 8 and late.descriptors <= early.descriptors
        table.row(
            "serve stopped: recorder's memory, MiB, and descriptors grew by", grew, "8, 0", holds
        )


def killed(table: Table, box: PageBox, visitor: Visitor, ids: list[str]) -> None:
    """`serve` is killed with a live view open, and started again."""
    with contextlib.suppress(RuntimeError), viewer(box, visitor, 8, ids):
        time.sleep(2)
        with unbroken(table, box, "serve killed"):
            for pid in procs.tree(box.serve_pid):
                os.kill(pid, signal.SIGKILL)
            time.sleep(3)
    began_s = time.monotonic()
    with box.serving():
        again_s = time.monotonic() - began_s
        status = Visitor(box.origin, visitor.cookie).ask("GET", "/api/v1/cameras").status
    table.row("serve killed: the page answers again after, s", f"{again_s:.1f}")
    table.row("serve killed: the session is still good", f"{status}", "200", status == 200)
