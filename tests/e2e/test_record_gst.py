"""The whole way with a camera that nobody of us wrote: gst-rtsp-server to a cut that plays."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from box_rig import PASSWORD, Box
from gst_rig import DEMO, gst_cameras

_PROBE = (
    "-v error -select_streams v -count_frames -show_entries stream=codec_name,nb_read_frames"
    " -of json"
)


@pytest.fixture
def gst_port() -> Iterator[int]:
    """Main and sub of an H.264 camera and of an H.265 camera, Digest on."""
    cameras = (("cam1", "street", "h264"), ("cam2", "alley", "h265"))
    clips = [
        f"/{camera}/{name}={DEMO}/{scene}-{name}.{ending}"
        for camera, scene, ending in cameras
        for name in ("main", "sub")
    ]
    with gst_cameras(PASSWORD, *clips) as port:
        yield port


@pytest.mark.slow
def test_gst_cameras_are_recorded_cut_and_played(
    gst_port: int, tmp_path: Path, program: Callable[[str], str]
) -> None:
    ffprobe = program("ffprobe")
    box = Box(tmp_path / "home", "320M")
    for camera in ("cam1", "cam2"):
        address = f"rtsp://127.0.0.1:{gst_port}/{camera}"
        streams = ("--url", f"{address}/main", "--sub-url", f"{address}/sub")
        login = ("--credentials-file", str(box.login))
        box.run_here("camera", "add", camera, *streams, *login, "--owner-kind", "state")

    with box.running("run"):
        box.until_durable(5.0)
        listed = json.loads(box.run_here("camera", "list", "--json"))["cameras"]
        for camera in ("cam1", "cam2"):
            arguments = ("--from", "-1m", "--to", "now")
            line = json.loads(box.run_here("timeline", camera, *arguments, "--json"))
            assert len(line["ranges"]) == 1, line
            cut = tmp_path / f"{camera}.mp4"
            box.run_here("cut", camera, *arguments, "--purpose", "test", "-o", str(cut))

    assert [camera["state"] for camera in listed] == ["recording", "recording"]
    for camera, codec in (("cam1", "h264"), ("cam2", "hevc")):
        facts = _probe(ffprobe, tmp_path / f"{camera}.mp4")
        assert facts["codec_name"] == codec
        assert int(facts["nb_read_frames"]) >= 75
    for segment in sorted((box.disk / "segments" / "0000").glob("*.mp4")):
        if segment.read_bytes()[4:8] == b"ftyp":
            assert int(_probe(ffprobe, segment)["nb_read_frames"]) > 0
    box.discard()


def _probe(ffprobe: str, path: Path) -> dict[str, str]:
    """The video stream of a file that has to decode without a word of complaint."""
    done = subprocess.run(
        [ffprobe, *_PROBE.split(), str(path)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == "", (path, done.stderr)
    (stream,) = json.loads(done.stdout)["streams"]
    found: dict[str, str] = stream
    return found
