"""What does it cost that a disk hangs for longer than memory holds, and what is left of it?

    python bench/hang.py                    128 cameras, 35 s: about four minutes, and 4 GB written

The keeper is stopped, which is how a hanging disk looks from outside. Prints a table with the
machine and the command.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import tempfile
import time
from pathlib import Path

from box import Box
from camera_source import Source, make_clip
from judge import Table
from procs import children
from record import check_source

from vonggac_appliance import bus_control

CAMERAS = 128
ARENA = "64 MiB"
CALM_S = 130
"""Twice the minute after which a loop gives back what it did not need."""


def streams(box: Box) -> dict[str, bus_control.StreamStatus]:
    """By camera; each has one."""
    return {c.id: c.streams[0] for c in box.status().cameras}


def keeper_pid(box: Box) -> int:
    """The child of the recorder's zygote that is no loop."""
    loops = {pid for _, pid in box.status().loops}
    (zygote,) = children(box.pid)
    (keeper,) = set(children(zygote)) - loops
    return keeper


def arena_mib(box: Box) -> float:
    """What the arenas hold of the machine's memory."""
    found = 0
    for link in Path(f"/proc/{box.pid}/fd").iterdir():
        if "memfd:vonggac-arena" in os.readlink(link):
            found += link.stat().st_blocks * 512
    return found / 2**20


def hang(table: Table, box: Box, seconds: int) -> None:
    """Stops the keeper, lets it go on, and waits for all."""
    before, began = {c: s.run for c, s in streams(box).items()}, time.monotonic()
    held = [arena_mib(box)]
    keeper = keeper_pid(box)
    os.kill(keeper, signal.SIGSTOP)
    full_s, waiting = None, 0
    while time.monotonic() - began < seconds:
        time.sleep(0.2)
        waiting = sum(s.state != "recording" for s in streams(box).values())
        if waiting and full_s is None:
            full_s = time.monotonic() - began
    held.append(arena_mib(box))
    os.kill(keeper, signal.SIGCONT)
    let_go = time.monotonic()
    back: dict[str, float] = {}
    while len(back) < len(before) and time.monotonic() - let_go < 60:
        for camera, stream in streams(box).items():
            if stream.state == "recording":
                back.setdefault(camera, time.monotonic() - let_go)
        time.sleep(0.1)
    time.sleep(CALM_S)
    held.append(arena_mib(box))
    after = streams(box)
    again = sum(s.run != before[camera] for camera, s in after.items())
    what = f"{len(before)} cameras, keeper stopped for {seconds} s"
    table.row(f"{what}: room lasted, s", "all of it" if full_s is None else f"{full_s:.1f}")
    table.row("cameras without room at its end", f"{waiting}")
    all_back = len(back) == len(before)
    table.row("all record again after, s", f"{max(back.values()):.1f}", "", all_back)
    table.row("runs that ended", f"{again}")
    mib = ", ".join(f"{m:.0f}" for m in held)
    table.row(f"arenas: before, at its end, {CALM_S} s later, MiB", mib)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=int, default=35, help="how long the keeper stands (35)")
    parser.add_argument("--cameras", type=int, default=CAMERAS, help=f"how many ({CAMERAS})")
    parser.add_argument("--room", type=Path, help="where the disk is made (temporary directory)")
    options = parser.parse_args()
    table = Table()
    began = time.monotonic()
    with (
        Source(clip=make_clip(1_000_000)) as source,
        Box(options.room or Path(tempfile.gettempdir()), "8G") as box,
    ):
        (box.home / "config.toml").write_text(f'[record]\narena = "{ARENA}"\n')
        box.add_cameras(source, options.cameras)
        box.start()
        box.until_recording(4)
        hang(table, box, options.seconds)
        box.stop()
        report = source.stop()
        let_go = box.log.read_text().count("trying again")
    table.row("connections that were let go", f"{let_go}", "0", not let_go)
    check_source(table, report, time.monotonic() - began)
    return 0


if __name__ == "__main__":
    sys.exit(main())
