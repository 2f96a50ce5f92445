"""A disk that is missing or cannot be used when the recorder starts, and can be later."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from box_rig import Box, Cameras


@pytest.fixture
def cameras() -> Iterator[Cameras]:
    served = Cameras(1)
    yield served
    served.stop()


@pytest.mark.parametrize("fault", ["missing", "not-mounted", "newer"])
def test_a_disk_that_can_be_used_later_is_recorded_on_without_a_restart(
    tmp_path: Path, cameras: Cameras, fault: str
) -> None:
    box = Box(tmp_path / "home")
    box.add(cameras, "cam1")
    away = tmp_path / "away"
    identity = box.disk / "vonggac-disk.json"
    good = identity.read_text()
    if fault == "newer":
        identity.write_text(json.dumps({**json.loads(good), "format": 99}))
    else:
        box.disk.rename(away)
        if fault == "not-mounted":
            box.disk.mkdir()
    with box.running():
        box.until(
            lambda now: (
                now.disks[0].state == "failed" and now.cameras[0].what == "no disk can be written"
            )
        )
        if fault == "newer":
            identity.write_text(good)
        else:
            if fault == "not-mounted":
                box.disk.rmdir()
            away.rename(box.disk)
        box.until_durable()
    _looked_again(box)


def test_a_read_only_disk_is_said_and_recorded_on_once_it_can_be_written(
    tmp_path: Path, cameras: Cameras
) -> None:
    if os.geteuid() != 0:
        pytest.skip("mounting needs root")
    box = Box(tmp_path / "home")
    box.add(cameras, "cam1")
    with _mounted_again(box.disk):
        _mount("-o", "remount,bind,ro", str(box.disk))
        with box.running():
            box.until(lambda now: now.disks[0].state == "failed")
            assert "mounted read-only" in box.run("disk", "rebuild", str(box.disk), status=78)
            _mount("-o", "remount,bind,rw", str(box.disk))
            box.until_durable()
        assert "mounted read-only" in box.log.read_text()
        _looked_again(box)


@contextlib.contextmanager
def _mounted_again(disk: Path) -> Iterator[None]:
    try:
        _mount("--bind", str(disk), str(disk))
    except subprocess.CalledProcessError:
        pytest.skip("this machine lets nobody mount")
    try:
        yield
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def _mount(*words: str) -> None:
    subprocess.run(["mount", *words], check=True, capture_output=True)


def _looked_again(box: Box) -> None:
    log = box.log.read_text()
    assert "looking again in 2 s" in log
    assert "Traceback" not in log
