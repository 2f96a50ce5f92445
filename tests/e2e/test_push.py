"""Cameras that call the box: ffmpeg and GStreamer as publishers, and what becomes of them."""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from box_rig import kill_loop_between_parses
from push_rig import Publisher, PushBox, key_in
from vonggac.media.sound import has_sound

pytestmark = pytest.mark.slow

WAITS = "waits for the camera to call"
SYSTEM_PYTHON = "/usr/bin/python3"
_HAS_SINK = """
import gi
gi.require_version("Gst", "1.0")
from gi.repository import Gio, Gst
Gst.init(None)
sink = Gst.ElementFactory.find("rtspclientsink") and Gst.ElementFactory.find("x264enc")
raise SystemExit(not (sink and Gio.TlsBackend.get_default().supports_tls()))
"""


@pytest.fixture
def box(tmp_path: Path) -> Iterator[PushBox]:
    made = PushBox(tmp_path / "home")
    yield made
    made.discard()


@contextlib.contextmanager
def ffmpeg(program: str, url: str) -> Iterator[subprocess.Popen[bytes]]:
    """A moving test picture, published until the block ends."""
    picture = ("-re", "-f", "lavfi", "-i", "testsrc2=size=320x240:rate=10")
    sound = ("-re", "-f", "lavfi", "-i", "sine=frequency=440:sample_rate=16000", "-c:a", "aac")
    coded = ("-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency", "-g", "10")
    sent = ("-f", "rtsp", "-rtsp_transport", "tcp", url)
    process = subprocess.Popen(
        [program, "-nostdin", "-v", "error", *picture, *sound, *coded, *sent],
        stderr=subprocess.PIPE,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def _head(segment: Path) -> bytes:
    with segment.open("rb") as file:
        return file.read(16384)


def test_ffmpeg_is_recorded_cut_off_in_mid_picture_and_recorded_again(
    box: PushBox, program: Callable[[str], str]
) -> None:
    found = program("ffmpeg")
    key = box.add_push("nha12", "--basis-mode", "C", "--basis-audio", kind="household")
    url = box.url("nha12", "nha12", key)
    with box.taking_calls():
        box.until_said("nha12", WAITS)
        with ffmpeg(found, url):
            box.until_recording("nha12", 2.0)
        box.until_said("nha12", WAITS)
        with ffmpeg(found, url) as process:
            box.until_recording("nha12", 1.0)
            # The recorder is started anew; the publisher is cut off, and calls again.
            assert box.stop() == 0
            process.communicate(timeout=60)
            box.start()
            box.until(lambda now: now.push is not None and now.push.is_open)
        with ffmpeg(found, url):
            box.until_recording("nha12", 1.0)
            holes = [reason for reason, _ in box.holes("nha12", "main")]

    # The second one has both: which of them held longer is the machine's to say.
    assert holes in (["camera off", "box stopped"], ["camera off", "camera off"])
    assert all(range_.frames > 0 for range_ in box.timeline("nha12", "main").ranges)
    assert any(map(has_sound, map(_head, box.disk.glob("segments/0000/*.mp4"))))
    log = box.log.read_text()
    assert "nha12/main publishes from 127.0.0.1" in log
    assert key not in log


def test_gstreamer_is_recorded_without_the_sound_that_nobody_agreed_to(
    box: PushBox, tmp_path: Path
) -> None:
    probe = [SYSTEM_PYTHON, "-c", _HAS_SINK]
    if (
        not Path(SYSTEM_PYTHON).exists()
        or subprocess.run(probe, capture_output=True, check=False).returncode
    ):
        pytest.skip("rtspclientsink is not installed (Debian: gstreamer1.0-rtsp, glib-networking)")
    secret = tmp_path / "key"
    basis = ("--basis-mode", "C")
    secret.write_text(box.add_push("nha12", "--push-sub", *basis, kind="household"))
    url = f"rtsps://127.0.0.1:{box.port}/nha12/main"
    with box.taking_calls():
        script = Path(__file__).with_name("gstpublisher.py")
        with subprocess.Popen([SYSTEM_PYTHON, str(script), url, "nha12", str(secret)]) as process:
            try:
                box.until_recording("nha12", 2.0)
            finally:
                process.terminate()
                process.wait(60)
        box.until_said("nha12", WAITS)
    assert len(box.timeline("nha12", "main").ranges) == 1
    assert box.timeline("nha12", "sub").ranges == ()
    assert not any(map(has_sound, map(_head, box.disk.glob("segments/0000/*.mp4"))))


def test_one_publishes_with_the_right_key_and_nobody_else(box: PushBox) -> None:
    key = box.add_push("nha12")
    secret = box.add_push("nha13", kind="household")
    with box.taking_calls(), Publisher(box.port, "nha12", "nha12", key) as first:
        assert first.record() == [200, 200, 200]
        with first.sending():
            box.until_recording("nha12", 0.0)
            for path, user, shown, wanted in (
                ("nha12", "nha12", key, 453),  # another one publishes
                ("nha12", "nha12", "wrong", 401),
                ("nobody", "nobody", key, 401),
                ("nha12/sub", "nha12", key, 404),
                ("nha13", "nha13", secret, 403),  # a household without an agreement
            ):
                with Publisher(box.port, path, user, shown) as other:
                    assert other.announce() == wanted, (path, user)
            now = box.until(lambda now: now.push is not None and now.push.refused["rule"] == 3)
            assert now.push is not None
            assert (now.push.publishing, now.push.refused["key"]) == (1, 2)
            assert "push-refused" in box.run_here("alarm", "list")

        # A new key cuts off who has the old one.
        renewed = key_in(box.run_here("camera", "push-key", "nha12", "--renew"))
        assert first.answer() == 0
        with Publisher(box.port, "nha12", "nha12", renewed) as second:
            assert second.announce() == 200
            assert second.set_up("RTP/AVP;unicast;client_port=5000-5001") == 461
            assert second.set_up() == 200
            assert second.ask("RECORD") == 200
            second.send(1.0)
            assert second.ask("GET_PARAMETER") == 200
            with second.sending():
                box.until_recording("nha12", 0.5)  # durable, so that it stands in the timeline
            assert second.ask("TEARDOWN") == 200
    assert len(box.holes("nha12", "main")) == 1, box.timeline("nha12", "main")


def test_whoever_falls_silent_makes_room_and_a_door_that_dies_is_a_gap(box: PushBox) -> None:
    with (box.home / "config.toml").open("a") as config:
        config.write('[cameras]\nstall = "2 s"\n')
    key = box.add_push("nha12")
    with box.taking_calls(), Publisher(box.port, "nha12", "nha12", key) as first:
        assert first.record() == [200, 200, 200]
        with first.sending():
            box.until_recording("nha12", 0.0)
            # A loop that dies is no end of a publisher's connection either.
            before = box.streams()["nha12", "main"].run
            kill_loop_between_parses(box)
            box.until(lambda now: box.streams()["nha12", "main"].run > before)
            box.until_recording("nha12", 0.5)
        box.until_said("nha12", WAITS)  # its connection stands, and nothing comes
        with Publisher(box.port, "nha12", "nha12", key) as second:
            assert second.record() == [200, 200, 200]
            with second.sending():
                box.until_recording("nha12", 0.5)
                assert box.door is not None
                box.door.kill()
                box.door.wait()
                box.until_said("nha12", "is not running")
        box.open_door()
        with Publisher(box.port, "nha12", "nha12", key) as third:
            assert third.record() == [200, 200, 200]
            with third.sending():
                box.until_recording("nha12", 0.5)
    # The loop's death leaves one only where something was lost; the door's is named by what took
    # longer, its return or the camera's.
    holes = [reason for reason, _ in box.holes("nha12", "main")]
    assert holes[-2] == "no video", holes
    assert holes[-1] in ("box stopped", "camera off"), holes
    assert holes[:-2] in ([], ["box stopped"]), holes
