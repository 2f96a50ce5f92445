"""A camera whose pictures end the process is told from the others, by processes that really die."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest

from vonggac.errors import StorageError, Unavailable
from vonggac_appliance.motion_keeping import own_folder
from vonggac_appliance.motion_suspects import MotionSuspects

_S = 1_000_000_000
_ONE, _TWO = b"1" * 16, b"2" * 16
_DIES = """
import os, sys
from functools import partial
from pathlib import Path
from vonggac_appliance.motion_suspects import MotionSuspects
suspects = MotionSuspects(Path(sys.argv[1]), 2)
def fine(): pass
suspects.while_decoded(1, b"2" * 16, fine)
suspects.while_decoded(0, b"1" * 16, lambda: os._exit(9))
"""


def die(folder: Path) -> None:
    """Of camera one, after camera two was decoded."""
    command = [sys.executable, "-c", _DIES, str(folder)]
    assert subprocess.run(command, timeout=120, check=False).returncode == 9


def test_who_was_decoded_at_two_deaths_is_set_aside_for_an_hour(tmp_path: Path) -> None:
    die(tmp_path)
    die(tmp_path)

    suspects = MotionSuspects(tmp_path, 2)

    assert suspects.found == [_ONE]
    until_ns = suspects.aside_until_ns(_ONE)
    assert 3500 * _S < until_ns - time.time_ns() <= 3600 * _S
    assert suspects.aside_until_ns(_TWO) == 0
    suspects.close()
    later = MotionSuspects(tmp_path, 2, lambda: time.time_ns() + 3601 * _S)
    assert later.aside_until_ns(_ONE) == 0
    later.close()


def test_one_death_is_nobodys_fault_yet(tmp_path: Path) -> None:
    die(tmp_path)

    suspects = MotionSuspects(tmp_path, 1)

    assert suspects.found == [_ONE]
    assert suspects.aside_until_ns(_ONE) == 0
    suspects.close()


def test_deaths_that_lie_far_apart_are_no_pattern(tmp_path: Path) -> None:
    die(tmp_path)
    MotionSuspects(tmp_path, 1, lambda: time.time_ns() - 1200 * _S).close()
    die(tmp_path)
    suspects = MotionSuspects(tmp_path, 1)

    assert suspects.aside_until_ns(_ONE) == 0
    suspects.close()


def test_an_error_of_ours_leaves_nobody_in_the_page(tmp_path: Path) -> None:
    suspects = MotionSuspects(tmp_path, 1)
    with pytest.raises(ZeroDivisionError):
        suspects.while_decoded(0, _ONE, partial(_fails, 0))
    suspects.close()

    again = MotionSuspects(tmp_path, 1)
    assert again.found == []
    again.close()


def test_a_list_that_was_torn_suspects_nobody(tmp_path: Path) -> None:
    die(tmp_path)
    die(tmp_path)
    (tmp_path / "suspects").write_bytes(b"\x81\xc4")

    suspects = MotionSuspects(tmp_path, 1)

    assert suspects.aside_until_ns(_ONE) == 0
    suspects.close()


def test_one_process_has_the_index_and_nobody_else_reads_it(tmp_path: Path) -> None:
    fd = own_folder(tmp_path / "motion")
    assert (tmp_path / "motion").stat().st_mode & 0o777 == 0o700
    with pytest.raises(Unavailable, match="another `vonggac motion run`"):
        own_folder(tmp_path / "motion")
    os.close(fd)
    os.close(own_folder(tmp_path / "motion"))


def test_a_place_that_is_none_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="cannot be used"):
        own_folder(tmp_path / "file")


def _fails(number: int) -> None:
    _ = 1 // number
