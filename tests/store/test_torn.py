"""A power cut at any sync: whatever of the unsynced writes reached the disk, no promise is broken.

The histories are played by a program whose calls to the disk are recorded (tests/interpose);
bench/torn.py plays a thousand of them.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from interpose.preload import Control, build

PROGRAM = Path(__file__).with_name("torn_histories.py")
DEADLINE_S = 600.0
"""The slowest machine needs a tenth of it."""

Play = Callable[..., dict[str, Any]]


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """In memory where there is some: no image has to survive anything."""
    where = "/dev/shm" if os.access("/dev/shm", os.W_OK) else tmp_path
    with tempfile.TemporaryDirectory(dir=where) as made:
        yield Path(made)


@pytest.fixture
def play(tmp_path: Path, folder: Path, program: Callable[[str], str]) -> Play:
    """Runs torn_histories.py under the interposer; gives what it printed."""
    program("cc")
    library = build(tmp_path)
    control = Control(tmp_path / "control", folder)

    def run(*arguments: str) -> dict[str, Any]:
        done = subprocess.run(
            [sys.executable, PROGRAM, folder, *arguments],
            env=control.environment(library),
            capture_output=True,
            text=True,
            timeout=DEADLINE_S,
        )
        control.close()
        assert done.stdout, done.stderr
        told: dict[str, Any] = json.loads(done.stdout)
        assert told["broken"] == [], done.stderr
        return told

    return run


@pytest.mark.slow
def test_every_mixture_of_old_and_new_in_a_short_history_keeps_the_promises(play: Play) -> None:
    told = play("short", "4")
    assert told["images"] > 150 and told["worst_loss_s"] <= 1


@pytest.mark.slow
def test_power_cuts_in_long_histories_lose_nothing_that_was_acknowledged(play: Play) -> None:
    told = play("long", "1", "4")
    assert told["histories"] == 4 and told["images"] > 100 and told["worst_loss_s"] <= 1
