"""Every write and sync of a history fails once: each time the documented error, and no promise
broken when the next keeper has begun.
"""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from interpose.preload import Control, build

PROGRAM = Path(__file__).with_name("failing_histories.py")
DEADLINE_S = 600.0


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    where = "/dev/shm" if os.access("/dev/shm", os.W_OK) else tmp_path
    with tempfile.TemporaryDirectory(dir=where) as made:
        yield Path(made)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("error", "is_lasting"), [(errno.EIO, 0), (errno.ENOSPC, 1)], ids=["EIO", "ENOSPC-for-ever"]
)
def test_whichever_call_fails_nothing_acknowledged_is_lost(
    tmp_path: Path, folder: Path, program: Callable[[str], str], error: int, is_lasting: int
) -> None:
    program("cc")
    control = Control(tmp_path / "control", folder)
    done = subprocess.run(
        [sys.executable, PROGRAM, folder, str(error), str(is_lasting)],
        env=control.environment(build(tmp_path)),
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
    )
    control.close()
    assert done.stdout, done.stderr
    told = json.loads(done.stdout)
    assert told["broken"] == [], done.stderr
    assert told["calls"] > 100 and {"a tick", "a start or a rebuild"} <= told["ended"].keys()
