"""A probe of cameras that nobody of us wrote: gst-rtsp-server, over TCP and over a bad path."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import Any

import pytest

from audit_rig import vonggac
from box_rig import PASSWORD
from gst_rig import DEMO, gst_cameras
from udp_proxy import Manners, RtspOverBadUdp

pytestmark = pytest.mark.slow


def gst_camera(*options: str) -> contextlib.AbstractContextManager[int]:
    """Streams /h264 and /h265; gives the port."""
    clips = (f"/h264={DEMO}/street-sub.h264", f"/h265={DEMO}/alley-sub.h265")
    return gst_cameras(PASSWORD, *options, *clips)


def probed(home: Path, capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, Any]:
    login = home / "login"
    login.write_text(f"admin:{PASSWORD}\n")
    more = ("--credentials-file", str(login), "--json")
    assert vonggac(home, "camera", "probe", *words, *more) == 0
    facts: dict[str, Any] = json.loads(capsys.readouterr().out)
    return facts


def test_a_gst_camera_in_h265_is_told_with_its_clock_and_its_program(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with gst_camera() as port:
        facts = probed(home, capsys, f"rtsp://127.0.0.1:{port}/h265", "--seconds", "5")
    (stream,) = facts["streams"]
    figures = stream["figures"]
    assert facts["camera"]["maker"] == "a program: GStreamer"
    assert (stream["codec"], stream["login"]) == ("h265", "Digest MD5")
    assert figures["width"] > 0 and figures["packets_lost"] == 0
    assert figures["stamped_fps"] == pytest.approx(25, abs=1)
    assert figures["clock_offset_s"] is not None and abs(figures["clock_offset_s"]) < 10


def test_what_a_bad_path_loses_is_an_advice(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bad = Manners(loses=0.05, delay_s=(0.0, 0.02))
    with gst_camera("--mtu", "400") as port, RtspOverBadUdp(port, [bad]) as path:
        url = f"rtsp://127.0.0.1:{path.port}/h264"
        facts = probed(home, capsys, url, "--transport", "udp", "--seconds", "4")
        assert len(path.paths[0].lost) > 3
    (stream,) = facts["streams"]
    assert stream["transport"] == "udp"
    assert stream["figures"]["packets_lost"] > 3
    assert "loss-udp" in {one["name"] for one in facts["advice"]}
