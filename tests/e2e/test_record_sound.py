"""The whole way of sound: from gst-rtsp-server to a cut that is heard."""

from __future__ import annotations

import itertools
import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from box_rig import PASSWORD, Box
from gst_rig import DEMO, gst_cameras

ENCODERS = ("voaacenc", "rtpmp4apay", "opusenc", "alawenc", "mulawenc", "audiotestsrc")
SOUNDS = {"aac": "aac", "latm": "aac", "opus": "opus", "pcma": "pcm_alaw", "pcmu": "pcm_mulaw"}
AS_DATAGRAMS = {"latm", "pcmu"}
HOUSEHOLD = ("--owner-kind", "household", "--basis-mode", "C", "--basis-from=-1h")


@pytest.fixture
def port() -> Iterator[int]:
    """A camera with each kind of sound, Digest on."""
    clips = [f"/{name}={DEMO}/street-sub.h264+{name}" for name in SOUNDS]
    with gst_cameras(PASSWORD, *clips, elements=ENCODERS) as port:
        yield port


@pytest.mark.slow
def test_sound_of_each_kind_is_recorded_where_it_was_agreed_to(
    port: int, tmp_path: Path, program: Callable[[str], str]
) -> None:
    program("ffmpeg")
    ffprobe = program("ffprobe")
    box = Box(tmp_path / "home", "640M")
    login = ("--credentials-file", str(box.login))
    for name in SOUNDS:
        transport = "udp" if name in AS_DATAGRAMS else "tcp"
        url = ("--url", f"rtsp://127.0.0.1:{port}/{name}", "--transport", transport)
        box.run_here("camera", "add", name, *url, *login, *HOUSEHOLD, "--basis-audio")
    silent = ("--url", f"rtsp://127.0.0.1:{port}/pcma")
    box.run_here("camera", "add", "silent", *silent, *login, *HOUSEHOLD)

    with box.running("run"):
        box.until(
            lambda now: (
                len(now.cameras) == 6
                and all(s.recorded_ns >= 6e9 for camera in now.cameras for s in camera.streams)
            )
        )
        for name in (*SOUNDS, "silent"):
            shown = json.loads(box.run_here("camera", "show", name, "--json"))
            transport = "udp" if name in AS_DATAGRAMS else "tcp"
            assert shown["learnt"]["transport"] == transport, shown
            states = [(one["state"], one["packets_lost"]) for one in shown["sound"]]
            assert states == ([] if name == "silent" else [("recorded", 0)]), shown
            line = json.loads(
                box.run_here("timeline", name, "--from", "-1m", "--to", "now", "--json")
            )
            assert len(line["ranges"]) == 1, line
            out = ("-o", str(tmp_path / f"{name}.mp4"), "--purpose", "test")
            box.run_here("cut", name, "--from", "-1m", "--to", "now", *out)

    for name, codec in SOUNDS.items():
        video, audio = _tracks(ffprobe, tmp_path / f"{name}.mp4")
        assert audio["codec_name"] == codec
        lengths = [float(track["duration"]) for track in (video, audio)]
        assert min(lengths) > 3, (name, lengths)
        assert abs(lengths[0] - lengths[1]) < 2.5, (name, lengths)
        assert _loudness(tmp_path / f"{name}.mp4") > 1000, name
    (video,) = _tracks(ffprobe, tmp_path / "silent.mp4")
    assert video["codec_type"] == "video"
    for segment in sorted((box.disk / "segments" / "0000").glob("*.mp4")):
        if segment.read_bytes()[4:8] == b"ftyp":
            assert _tracks(ffprobe, segment)
    checked = json.loads(box.run_here("disk", "check", str(box.disk), "--deep", "--json"))
    assert checked["ok"], checked["problems"]
    box.discard()


def _tracks(ffprobe: str, path: Path) -> list[dict[str, str]]:
    """What stands in a file, with the length of what its packets cover; without complaint."""
    told = _json(ffprobe, path, "-show_streams")["streams"]
    packets = _json(ffprobe, path, "-show_packets")["packets"]
    for track in told:
        times = [float(p["pts_time"]) for p in packets if p["stream_index"] == track["index"]]
        steps = [after - before for before, after in itertools.pairwise(times)]
        assert all(step > 0 for step in steps) or track["codec_type"] == "video", (path, steps)
        track["duration"] = max(times) - min(times) if times else 0.0
    return sorted(told, key=lambda track: track["codec_type"], reverse=True)


def _json(ffprobe: str, path: Path, what: str) -> dict[str, list[dict[str, str]]]:
    command = [ffprobe, "-v", "error", what, "-of", "json", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stderr == "", (path, done.stderr)
    found: dict[str, list[dict[str, str]]] = json.loads(done.stdout)
    return found


def _loudness(path: Path) -> int:
    """The largest sample of the second half."""
    command = ("ffmpeg", "-v", "error", "-i", str(path), "-map", "0:a", "-f", "s16le", "-")
    data = subprocess.run(command, capture_output=True, check=True).stdout
    half = memoryview(data)[len(data) // 4 * 2 :].cast("h")
    return max(abs(sample) for sample in half)
