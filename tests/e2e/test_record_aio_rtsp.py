"""The whole way with aio-rtsp-toolkit's cameras, which nobody of us wrote; they know only TCP."""

from __future__ import annotations

import importlib.resources
import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from aio_rtsp_rig import aio_rtsp_server
from box_rig import Box

pytestmark = pytest.mark.slow


def make_files(folder: Path, ffmpeg: str) -> None:
    """The demo's streams in a container, which is what that server reads."""
    folder.mkdir()
    room = importlib.resources.files("vonggac_appliance") / "demo"
    for scene, ending in (("street", "h264"), ("alley", "h265")):
        for name, rate in (("main", "25"), ("sub", "25/2")):
            raw = folder / f"{scene}-{name}.{ending}"
            raw.write_bytes((room / raw.name).read_bytes())
            words = [ffmpeg, "-hide_banner", "-loglevel", "error", "-r", rate, "-i", str(raw)]
            done = folder / f"{scene}-{name}.mp4"
            subprocess.run([*words, "-c", "copy", str(done)], check=True)


def test_cameras_that_know_only_tcp_are_recorded_though_datagrams_are_asked_for(
    tmp_path: Path, program: Callable[[str], str]
) -> None:
    make_files(tmp_path / "files", program("ffmpeg"))
    box = Box(tmp_path / "home", "320M")
    with aio_rtsp_server(tmp_path / "files") as port:
        for camera, scene in (("cam1", "street"), ("cam2", "alley")):
            address = f"rtsp://127.0.0.1:{port}/{scene}"
            main, sub = (f"{address}-{name}.mp4/play_count_0" for name in ("main", "sub"))
            more = ("--transport", "udp", "--owner-kind", "state")
            box.run_here("camera", "add", camera, "--url", main, "--sub-url", sub, *more)
        with box.running("run"):
            status = box.until_durable(3.0)
            shown = [json.loads(box.run("camera", "show", c, "--json")) for c in ("cam1", "cam2")]
    codecs = {(camera.id, stream.codec) for camera in status.cameras for stream in camera.streams}
    assert codecs == {("cam1", "h264"), ("cam2", "h265")}
    for camera in shown:
        assert (camera["state"], camera["learnt"]["transport"]) == ("recording", "tcp")
        # Its second sender report, after 5 s, is far from the first: it is often there by now.
        names = {habit["name"] for habit in camera["habits"]}
        assert names - {"absurd-clock"} == {"other-transport"}
    box.discard()
