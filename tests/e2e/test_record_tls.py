"""Cameras over TLS: recorded, given back, and known again by their certificate."""

from __future__ import annotations

from pathlib import Path

import pytest

from box_rig import Box, Cameras
from certificates import make_certificate
from tls_relay import TlsRelay

pytestmark = pytest.mark.slow


def test_a_camera_over_tls_is_recorded_and_another_one_in_its_place_is_not(tmp_path: Path) -> None:
    cameras = Cameras(1)
    box = Box(tmp_path / "home", "320M")
    first, second = (make_certificate(tmp_path / name) for name in ("first", "second"))
    try:
        with TlsRelay(*first, cameras.port) as relay:
            address = f"rtsps://127.0.0.1:{relay.port}/cam1"
            streams = ("--url", f"{address}/main", "--sub-url", f"{address}/sub")
            login = ("--credentials-file", str(box.login))
            box.run("camera", "add", "cam1", *streams, *login, "--owner-kind", "state")
            with box.running():
                box.until_durable(3.0)
            # Asked for and given back inside of TLS.
            assert relay.heard.count(b"TEARDOWN rtsps://") == 2
            assert b"Authorization: Digest" in relay.heard
        with TlsRelay(*second, cameras.port, relay.port) as relay, box.running():
            box.until(lambda now: now.cameras[0].gap_reason == "another device")
            assert relay.heard == b""  # not a word
            assert "other-device" in box.run("alarm", "list")
            box.run("camera", "forget-learnt", "cam1")
            box.until_durable(1.0)
    finally:
        cameras.stop()
    box.discard()
