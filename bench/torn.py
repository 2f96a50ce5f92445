"""What does a power cut cost, whatever of the unsynced writes reached the disk?

    python bench/torn.py                              1,000 long histories, and all of a short one
    python bench/torn.py --histories 20 --most 16

A simulated disk (tests/interpose) keeps, drops, tears at 512 bytes and reorders each unsynced write
of a ring; recovery runs on every image and is compared with what was acknowledged. Prints images
tried, the worst loss in seconds (ticks; the one that is being filled comes on top) and what was
broken. Exit status 1 if anything was.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from procs import machine

TESTS = Path(__file__).resolve().parent.parent / "tests"
PROGRAM = TESTS / "store" / "torn_histories.py"
_HISTORIES_A_PROCESS = 25
sys.path.insert(0, str(TESTS))

from interpose.preload import Control, build  # noqa: E402


def play(where: Path, library: Path, *arguments: str) -> dict[str, Any]:
    """One process of histories, on disks of its own."""
    with tempfile.TemporaryDirectory(dir=where) as made:
        folder = Path(made) / "disks"
        folder.mkdir()
        with Control(Path(made) / "control", folder) as control:
            done = subprocess.run(
                [sys.executable, PROGRAM, folder, *arguments],
                env=control.environment(library),
                stdout=subprocess.PIPE,
                text=True,
            )
        if not done.stdout:
            raise SystemExit(f"{PROGRAM.name} {' '.join(arguments)} ended with {done.returncode}")
        told: dict[str, Any] = json.loads(done.stdout)
        return told


def table(rows: Sequence[tuple[str, Sequence[dict[str, Any]]]], elapsed_s: float) -> bool:
    """Prints them; True if no promise was broken."""
    print(
        "| histories | cuts tried (images) | worst loss, s | broken promises | CPU s | images/s |"
    )
    print("|---|---|---|---|---|---|")
    broken: list[str] = []
    for name, tallies in rows:
        images = sum(t["images"] for t in tallies)
        seconds = sum(t["seconds"] for t in tallies)
        worst = max((t["worst_loss_s"] for t in tallies), default=0)
        found = [line for t in tallies for line in t["broken"]]
        broken += found
        rate = images / seconds if seconds else 0.0
        print(f"| {name} | {images} | {worst} | {len(found)} | {seconds:.0f} | {rate:.0f} |")
    print(f"\n{elapsed_s:.0f} s in all, {machine()}")
    for line in broken:
        print(f"BROKEN {line}")
    return not broken


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--histories", type=int, default=1000)
    parser.add_argument(
        "--most", type=int, default=1024, help="images of one sync of the short one"
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    options = parser.parse_args()
    began = time.monotonic()
    where = Path("/dev/shm" if os.access("/dev/shm", os.W_OK) else tempfile.gettempdir())
    last = options.seed + options.histories
    parts = [
        (str(first), str(min(_HISTORIES_A_PROCESS, last - first)))
        for first in range(options.seed, last, _HISTORIES_A_PROCESS)
    ]
    with tempfile.TemporaryDirectory() as made, ThreadPoolExecutor(options.processes) as pool:
        library = build(Path(made))
        short = pool.submit(play, where, library, "short", str(options.most))
        long = list(pool.map(lambda part: play(where, library, "long", *part), parts))
        rows = [
            ("a short one, exhaustively", [short.result()]),
            (f"{options.histories} long", long),
        ]
    print(f"python bench/torn.py --histories {options.histories} --seed {options.seed}\n")
    return 0 if table(rows, time.monotonic() - began) else 1


if __name__ == "__main__":
    sys.exit(main())
