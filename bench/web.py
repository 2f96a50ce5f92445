"""What does the page cost, and how soon is a picture there?

    python bench/web.py                    all: about ten minutes
    python bench/web.py --only ranges      one part

Best of five rounds beside a calibration loop of the same run; over the limit on a disturbed machine
is `inconclusive`. docs/performance.md keeps the last good table.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import procs
from camera_source import make_clip
from footage import write_footage
from judge import ROUNDS, Table, calibrate
from page_box import HERE, NOWHERE, PageBox, free_port, helper
from visitor import Visitor
from web_browser import day, live, playback
from web_recorder import recording, watched

S = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Pull:
    """A round of ranges."""

    bytes_a_second: float
    cpu_a_gigabyte: float
    """Seconds of the server's CPU."""


def ranges(table: Table, room: Path) -> None:
    """Ranges of a look over TLS, in turn with a bare iterator behind the same gunicorn."""
    with PageBox(room, "1G", free_port(), tls=True) as box:
        box.add("cam1", NOWHERE)
        start_ns = time.time_ns() - 700 * S
        write_footage(box.home, "cam1", "main", make_clip(), start_ns, 600)
        box.start()
        with box.page() as visitor, bare(box) as (bare_origin, bare_pid):
            look = visitor.look(
                box.camera_id("cam1"),
                "stored",
                start_ns // 1_000_000,
                start_ns // 1_000_000 + 600_000,
            )
            asks = list(fragments_of(visitor, look, "main"))
            loads, ours, theirs = [], [], []
            for _ in range(ROUNDS):
                before = calibrate().stretch
                theirs.append(pull(bare_origin, "", bare_pid, asks))
                ours.append(pull(box.origin, visitor.cookie, box.serve_pid, asks))
                loads.append(max(before, calibrate().stretch))
        box.stop()
    load = min(loads)
    table.row("bare pread iterator over TLS, MB/s (best)", f"{best_rate(theirs):.0f}")
    table.row("ranges of a look over TLS, MB/s (best)", f"{best_rate(ours):.0f}")
    ratio = best_rate(ours) / best_rate(theirs)
    table.row("ranges / bare, best of each", f"{ratio:.2f}", "≥ 0.7", ratio >= 0.7, load)
    ratio = min(t.cpu_a_gigabyte for t in theirs) / min(o.cpu_a_gigabyte for o in ours)
    table.row("the same by the server's CPU for a byte", f"{ratio:.2f}")


def best_rate(pulls: list[Pull]) -> float:
    """In MB/s."""
    return max(p.bytes_a_second for p in pulls) / 1e6


def fragments_of(visitor: Visitor, look: str, stream: str) -> Iterator[tuple[str, int, int]]:
    """Path, first and last byte of every fragment in a look's playlist."""
    base = f"/api/v1/looks/{look}/{stream}/"
    text = visitor.ask("GET", base + "media.m3u8").body.decode()
    for count, at, name in re.findall(r"#EXT-X-BYTERANGE:(\d+)@(\d+)\n(?:#.*\n)*([^#\n]+)", text):
        yield base + name, int(at), int(at) + int(count) - 1


def pull(origin: str, cookie: str, pid: int, asks: list[tuple[str, int, int]]) -> Pull:
    """Eight connections for three seconds."""
    lines = "".join(f"{path} {first} {last}\n" for path, first, last in asks)
    before = procs.cost(procs.tree(pid)).cpu_s
    told = helper("puller.py", origin, cookie, "8", "3", lines=lines)
    cpu_s = procs.cost(procs.tree(pid)).cpu_s - before
    if told["others"]:
        raise RuntimeError(f"{told['others']} of {told['requests']} answers were not 206")
    return Pull(told["bytes"] / told["seconds"], cpu_s / told["bytes"] * 1e9)


@contextlib.contextmanager
def bare(box: PageBox) -> Iterator[tuple[str, int]]:
    """bare_ranges.py under gunicorn, over a segment of the box's disk."""
    port = free_port()
    segment = next(p for p in sorted((box.disk / "segments").rglob("*")) if p.is_file())
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "gunicorn", "-k", "gthread", "--threads", "128"),
            *("--workers", "1", "--worker-connections", "1000", "--keep-alive", "20"),
            *("--no-control-socket", "--log-level", "error", "--bind", f"127.0.0.1:{port}"),
            *(
                "--certfile",
                str(box.home / "page.pem"),
                "--keyfile",
                str(box.home / "page-key.pem"),
            ),
            *("--chdir", str(HERE), "bare_ranges:application"),
        ],
        env=os.environ | {"BARE_FILE": str(segment)},
    )
    try:
        until_s = time.monotonic() + 30
        while time.monotonic() < until_s:
            asker = Visitor(f"https://127.0.0.1:{port}")
            with contextlib.suppress(OSError):
                if asker.ask("GET", "/", Range="bytes=0-0").status == 206:
                    break
            time.sleep(0.1)
        yield f"https://127.0.0.1:{port}", process.pid
    finally:
        process.terminate()
        process.wait()


PARTS: dict[str, Callable[[Table, Path], None]] = {
    "live": live,
    "playback": playback,
    "day": day,
    "ranges": ranges,
    "watched": watched,
    "recording": recording,
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", choices=PARTS, action="append", help="one part; more than once")
    parser.add_argument("--room", type=Path, help="where disks are made (the temporary directory)")
    options = parser.parse_args()
    room = options.room or Path(tempfile.gettempdir())
    table = Table()
    for name, part in PARTS.items():
        if options.only is None or name in options.only:
            part(table, room)
    return 0 if table.is_all_well else 1


if __name__ == "__main__":
    sys.exit(main())
