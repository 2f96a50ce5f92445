"""Our client with a server that nobody of us wrote: gst-rtsp-server, Digest on."""

from __future__ import annotations

import importlib.resources
import subprocess
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import pytest

from gst_rig import gst_cameras
from rtsp_viewer import Viewer
from vonggac.media.chunk import Codec, GapReason
from vonggac.rtsp import Credentials, Failure, KeepaliveAnswered, PlayReady, Scheme, TornDown
from vonggac.rtsp.annexb import nal_type
from vonggac.rtsp.messages import Packet
from vonggac_appliance.camera_clip import load_clip

ADMIN = Credentials("admin", "p@ss:w0rd")
SYSTEM_PYTHON = "/usr/bin/python3"
PROBE = (
    "import gi; gi.require_version('GstRtspServer', '1.0'); from gi.repository import GstRtspServer"
)


@pytest.fixture(scope="module")
def gst_port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """A gst-rtsp-server with the demo's sub streams at /h264 and /h265."""
    if (
        not Path(SYSTEM_PYTHON).exists()
        or subprocess.run([SYSTEM_PYTHON, "-c", PROBE], capture_output=True, check=False).returncode
    ):
        pytest.skip("gst-rtsp-server is not installed (Debian: gir1.2-gst-rtsp-server-1.0)")
    password = tmp_path_factory.mktemp("gst") / "password"
    password.write_text(ADMIN.password)
    room = importlib.resources.files("vonggac_appliance") / "demo"
    script = Path(__file__).with_name("gstcam.py")
    command = [SYSTEM_PYTHON, str(script), "--user", ADMIN.user, "--password-file", str(password)]
    command += [f"/h264={room}/street-sub.h264", f"/h265={room}/alley-sub.h265"]
    with gst_cameras(command) as port:
        yield port


@pytest.mark.parametrize("codec", [Codec.H264, Codec.H265])
def test_every_picture_of_a_gst_camera_arrives_unchanged(gst_port: int, codec: Codec) -> None:
    viewer = Viewer(f"rtsp://127.0.0.1:{gst_port}/{codec.name.lower()}", ADMIN)
    ready = viewer.result
    assert isinstance(ready, PlayReady)
    assert (ready.codec, ready.scheme) == (codec, Scheme.DIGEST_MD5)
    assert ready.sps and ready.pps and bool(ready.vps) == (codec is Codec.H265)
    assert ready.keepalive_method == "GET_PARAMETER"
    units = viewer.access_units(40)

    for request in (viewer.session.keepalive(), viewer.session.teardown() or b""):
        viewer.sock.sendall(request)
        while isinstance(answer := viewer.item(), Packet):
            pass
        assert answer is not None
        viewer.session.receive_message(answer.encode())
        told = viewer.session.next_event()
        assert told in (KeepaliveAnswered(200), TornDown())
    viewer.sock.close()

    name = "street-sub.h264" if codec is Codec.H264 else "alley-sub.h265"
    file = importlib.resources.files("vonggac_appliance") / "demo" / name
    clip = load_clip(file.read_bytes(), codec, Fraction(25))
    slices = [_slices(codec, unit) for unit in clip.units]
    seen = [_slices(codec, nals) for _, nals in units]
    at = slices.index(seen[0])
    assert seen == [slices[(at + n) % len(slices)] for n in range(len(seen))]


def _slices(codec: Codec, nals: tuple[bytes, ...] | list[bytes]) -> list[bytes]:
    """Slices alone: gst adds delimiters and parameter sets."""
    limit = 6 if codec is Codec.H264 else 32
    return [nal for nal in nals if nal_type(codec, nal) < limit]


def test_a_gst_camera_refuses_a_wrong_password(gst_port: int) -> None:
    viewer = Viewer(f"rtsp://127.0.0.1:{gst_port}/h264", Credentials("admin", "no"))
    assert isinstance(viewer.result, Failure)
    assert viewer.result.reason is GapReason.WRONG_PASSWORD
    viewer.sock.close()


def test_an_unknown_path_of_a_gst_camera_is_refused(gst_port: int) -> None:
    viewer = Viewer(f"rtsp://127.0.0.1:{gst_port}/nothing", ADMIN)
    assert isinstance(viewer.result, Failure)
    assert viewer.result.reason is GapReason.REFUSED
    viewer.sock.close()
