"""Images of a disk under load, as power cuts would leave it: recovered, compared and recorded on.

Root only, on a machine with loop devices; elsewhere tests/store/test_torn.py cuts a simulated disk.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

_NOTHING_TO_TRY_WITH = 77
_DEADLINE_S = 300.0


@pytest.mark.parametrize("file_system", ["xfs", "ext4"])
def test_a_power_cut_loses_nothing_that_was_told_and_two_seconds_at_most(
    root: Path, program: Callable[[str], str], tmp_path: Path, file_system: str
) -> None:
    program("cc")
    program("mkfs.xfs")
    program(f"mkfs.{file_system}")
    bench = root / "bench" / "powercut.py"
    if not bench.exists():
        pytest.skip("the benches are not here")
    # A process of its own: what it mounts, and what it leaves if it dies, nobody else sees.
    size = ("--gib", "0.75", "--cameras", "2", "--padded")
    what = ("--fs", file_system, "--cuts", "2", "--resume-every", "2")
    command = [sys.executable, str(bench), *what, *size, "--room", str(tmp_path)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as p:
        try:
            said, _ = p.communicate(timeout=_DEADLINE_S)
        finally:
            p.terminate()  # by way of every unmount; nothing, where it has ended
    if p.returncode == _NOTHING_TO_TRY_WITH:
        pytest.skip(said.splitlines()[-1])
    assert p.returncode == 0, said
    assert "recorded on: 1" in said
    assert not list(tmp_path.iterdir())
