"""A camera's password reaches the camera, and stands nowhere else: not in a log, an argument, an
answer or a file.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from urllib.parse import quote

import pytest

from box_rig import PASSWORD, Box, Cameras
from vonggac.media.chunk import GapReason
from vonggac_appliance import bus_control

SPELLINGS = (PASSWORD, quote(PASSWORD, safe=""), quote(PASSWORD))


def has_password(text: bytes) -> bool:
    return any(spelling.encode() in text for spelling in SPELLINGS)


def have_settled(now: bus_control.StatusReply) -> bool:
    """One camera is recorded, the other refuses its password."""
    first, second = now.cameras
    is_there = first.state == "recording" and all(s.recorded_ns for s in first.streams)
    return is_there and second.gap_reason == GapReason.WRONG_PASSWORD.words


def command_lines() -> list[bytes]:
    """Of every process of this machine that may be looked at."""
    lines = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            lines.append(path.read_bytes())
        except OSError:  # gone meanwhile
            continue
    return lines


def recorder_pids(box: Box) -> list[int]:
    """The loops and who forks them; they have the limits of the recorder that began them."""
    loops = [pid for _, pid in box.status().loops]
    status = Path(f"/proc/{loops[0]}/status").read_text()
    return [*loops, *(int(found) for found in re.findall(r"^PPid:\t(\d+)$", status, re.M))]


@pytest.mark.slow
def test_the_password_of_a_recorded_camera_is_nowhere_to_be_read(tmp_path: Path) -> None:
    cameras = Cameras(count=2, login="digest")
    box = Box(tmp_path / "home")
    try:
        box.add(cameras, "cam1")
        right = box.login.read_text()
        box.login.write_text(f"admin:{PASSWORD}-and-wrong\n")
        box.add(cameras, "cam2")
        box.login.write_text(right)
        told = [box.run_here("camera", "list", "--json")]
        box.start("run")
        box.until(have_settled)
        lines = command_lines()
        no_cores = re.compile(r"Max core file size +0 +0 ")
        for pid in recorder_pids(box):
            assert no_cores.search(Path(f"/proc/{pid}/limits").read_text())
        for words in (["camera", "list"], ["disk", "list"], ["doctor"]):
            told += [box.run_here(*words), box.run_here(*words, "--json")]
        told.append(box.run_here("timeline", "cam1", "--from", "-1m", "--to", "now", "--json"))
        cut = ("cut", "cam1", "--from", "-1m", "--to", "now", "--purpose", "thử")
        told.append(box.run_here(*cut, "-o", str(tmp_path / "cam1.mp4"), "--json"))
        assert box.stop() == 0
    finally:
        if box.process is not None:
            box.stop()
        cameras.stop()
    assert any(b"audit" in line for line in lines)
    assert not any(has_password(line) for line in lines)
    assert not has_password("".join(told).encode())
    assert json.loads(told[0])["cameras"][0]["id"] == "cam1"
    assert "wrong password" in box.log.read_text()
    for path in box.home.rglob("*"):
        if path.is_file() and path != box.login and box.disk not in path.parents:
            assert not has_password(path.read_bytes()), path
