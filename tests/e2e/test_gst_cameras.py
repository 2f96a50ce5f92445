"""Our client with a server that nobody of us wrote: gst-rtsp-server, Digest on."""

from __future__ import annotations

import importlib.resources
from collections.abc import Iterator
from fractions import Fraction

import pytest

from gst_rig import DEMO, gst_cameras
from rtsp_viewer import Viewer
from vonggac.media.chunk import Codec, GapReason
from vonggac.rtsp.annexb import nal_type
from vonggac.rtsp.challenges import Scheme
from vonggac.rtsp.events import Failure, KeepaliveAnswered, PlayReady, TornDown
from vonggac.rtsp.messages import Packet
from vonggac.rtsp.url import Credentials
from vonggac_appliance.camera_clip import load_clip

ADMIN = Credentials("admin", "p@ss:w0rd")


@pytest.fixture(scope="module")
def gst_port() -> Iterator[int]:
    """A gst-rtsp-server with the demo's sub streams at /h264 and /h265."""
    clips = (f"/h264={DEMO}/street-sub.h264", f"/h265={DEMO}/alley-sub.h265")
    with gst_cameras(ADMIN.password, *clips, user=ADMIN.user) as port:
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
