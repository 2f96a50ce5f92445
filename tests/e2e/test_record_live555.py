"""The whole way with live555's cameras, which nobody of us wrote: Digest, recorded, torn down."""

from __future__ import annotations

import importlib.resources
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from box_rig import PASSWORD, Box
from live555_rig import live555_camera

pytestmark = pytest.mark.slow


@pytest.fixture
def live555_port(tmp_path: Path) -> Iterator[int]:
    """An H.264 camera and an H.265 camera, main and sub, for some minutes."""
    program = live555_camera()
    login = tmp_path / "login"
    login.write_text(f"admin:{PASSWORD}\n")
    room = importlib.resources.files("vonggac_appliance") / "demo"
    command = [str(program), str(login)]
    for camera, scene, ending in (("cam1", "street", "h264"), ("cam2", "alley", "h265")):
        for name in ("main", "sub"):
            file = tmp_path / f"{camera}-{name}.{ending}"
            file.write_bytes((room / f"{scene}-{name}.{ending}").read_bytes() * 40)
            command.append(f"{camera}/{name}={file}")
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        word, port = process.stdout.readline().split()
        assert word == "ready"
        yield int(port)
        process.kill()


def test_live555_cameras_are_recorded_and_their_habits_told(
    live555_port: int, tmp_path: Path
) -> None:
    box = Box(tmp_path / "home", "320M")
    for camera in ("cam1", "cam2"):
        address = f"rtsp://127.0.0.1:{live555_port}/{camera}"
        streams = ("--url", f"{address}/main", "--sub-url", f"{address}/sub")
        login = ("--credentials-file", str(box.login))
        box.run_here("camera", "add", camera, *streams, *login, "--owner-kind", "state")

    with box.running("run"):
        box.until_durable(3.0)
        shown = [json.loads(box.run("camera", "show", c, "--json")) for c in ("cam1", "cam2")]
        lines = [
            json.loads(box.run("timeline", camera, "--from", "-1m", "--to", "now", "--json"))
            for camera in ("cam1", "cam2")
        ]

    for camera, line in zip(shown, lines, strict=True):
        assert (camera["state"], camera["learnt"]["login"]) == ("recording", "Digest MD5")
        # Its framer guesses where a picture ends, and marks another packet where it was late.
        known = {"early-packets", "content-base", "marker"}
        assert {habit["name"] for habit in camera["habits"]} <= known
        assert len(line["ranges"]) == 1, line
    box.discard()
