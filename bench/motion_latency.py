"""How long after something moved can it be found?

    python bench/motion_latency.py                          16 cameras, then 64: four minutes
    python bench/motion_latency.py --cameras 16 --seconds 30

Cameras of 640 × 360 with people in the picture all the time, `record` and `motion run` as they are
installed. Each time the index of a camera gets further, the oldest moment that it can be asked for
from then on has waited longest: that wait is what counts.
"""

from __future__ import annotations

import argparse
import contextlib
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from box import COMMAND, Box
from camera_source import Source
from judge import Table, calibrate, percentile

from vonggac.errors import Unavailable
from vonggac_appliance.camera_clip import STREET, load_scene
from vonggac_appliance.messages_motion import MotionStatusReply
from vonggac_appliance.motion_client import MotionClient

LIMIT_S = 5.0
DEADLINE_S = 120.0
LOOK_S = 0.1
SETTLE_S = 20.0
"""It begins with the last 4 s before its start, which nobody could index earlier."""
CONFIG = """\
[cameras]
starts_per_second = 64
[motion]
cpu_percent = 100
"""


@contextlib.contextmanager
def indexing(box: Box) -> Iterator[MotionClient]:
    """`motion run`, which says that it knows something of every camera."""
    with (box.home / "motion.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-c", COMMAND, "--home", str(box.home), "motion", "run"], stderr=log
        )
    try:
        _until_heard(box)
        with MotionClient(box.home) as client:
            until_s = time.monotonic() + DEADLINE_S
            while not all(one.indexed_until_ns for one in client.status().streams):
                if time.monotonic() > until_s:
                    raise RuntimeError(f"not every camera is indexed: {client.status()}")
                time.sleep(LOOK_S)
            time.sleep(SETTLE_S)
            yield client
    finally:
        process.terminate()
        process.wait()


def _until_heard(box: Box) -> None:
    until_s = time.monotonic() + DEADLINE_S
    while True:
        try:
            with MotionClient(box.home) as client:
                client.status()
                return
        except Unavailable:
            if time.monotonic() > until_s:
                raise
        time.sleep(LOOK_S)


def waits(client: MotionClient, seconds: float) -> tuple[list[float], MotionStatusReply]:
    """Of each step of each camera's index, how long its oldest moment had waited, in seconds."""
    until_ns: dict[bytes, int] = {}
    found: list[float] = []
    began_s = time.monotonic()
    while True:
        told = client.status()
        now_ns = time.time_ns()
        for one in told.streams:
            before_ns = until_ns.get(one.camera)
            if before_ns is not None and one.indexed_until_ns > before_ns:
                found.append((now_ns - before_ns) / 1e9)
            until_ns[one.camera] = one.indexed_until_ns
        if time.monotonic() - began_s > seconds:
            still = [(now_ns - at_ns) / 1e9 for at_ns in until_ns.values()]
            return [*found, max(still)], told
        time.sleep(LOOK_S)


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--cameras", type=int, nargs="+", default=[16, 64])
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--room", type=Path, default=Path(tempfile.gettempdir()))
    options = parser.parse_args()
    table = Table()
    _, sub = load_scene(STREET)
    for count in options.cameras:
        with Source(clip=sub) as source, Box(options.room, "4G") as box:
            (box.home / "config.toml").write_text(CONFIG)
            box.add_cameras(source, count)
            box.start()
            box.until_recording(2)
            with indexing(box) as client:
                found, told = waits(client, options.seconds)
            box.stop()
        load = calibrate().stretch
        worst_s = max(found)
        whole = sum(one.tier == "full" for one in told.streams)
        table.row(f"{count} cameras: decoded whole at the end", f"{whole}")
        table.row(f"{count} cameras: CPU of decoding, % of a core", f"{told.cpu_permille / 10:.0f}")
        middle = f"{percentile(found, 0.5):.1f} {percentile(found, 0.95):.1f}"
        table.row(f"{count} cameras: from motion to the index, half and 95 of 100, s", middle)
        table.row(
            f"{count} cameras: the longest, s",
            f"{worst_s:.1f}",
            f"{LIMIT_S:g}",
            worst_s <= LIMIT_S,
            load,
        )
    return 0 if table.is_all_well else 1


if __name__ == "__main__":
    sys.exit(main())
