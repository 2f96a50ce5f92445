"""Sessions that a killed recorder left at its cameras."""

from __future__ import annotations

import re
import signal
from pathlib import Path

import pytest

from box_rig import Box, Cameras
from certificates import make_certificate
from tls_relay import TlsRelay

pytestmark = pytest.mark.slow


def sessions(method: str, heard: bytes) -> list[bytes]:
    """Which sessions requests of a method named, in order, each once."""
    found = re.findall(rb"%s rtsps?://.*?\r\n\r\n" % method.encode(), heard, re.DOTALL)
    named = [re.search(rb"Session: (\w+)", request) for request in found]
    return list(dict.fromkeys(match[1] for match in named if match))


def test_a_killed_recorders_sessions_are_given_back_before_new_ones_are_made(
    tmp_path: Path,
) -> None:
    cameras = Cameras(1)
    box = Box(tmp_path / "home", "320M")
    try:
        with TlsRelay(*make_certificate(tmp_path / "tls"), cameras.port) as relay:
            address = f"rtsps://127.0.0.1:{relay.port}/cam1"
            streams = ("--url", f"{address}/main", "--sub-url", f"{address}/sub")
            login = ("--credentials-file", str(box.login))
            box.run("camera", "add", "cam1", *streams, *login, "--owner-kind", "state")
            box.start()
            box.until_durable(3.0)
            left = sessions("PLAY", relay.heard)
            assert len(left) == 2
            assert sessions("TEARDOWN", relay.heard) == []
            box.stop(signal.SIGKILL)
            before = len(relay.heard)
            with box.running():
                box.until_durable(1.0)
                heard = relay.heard[before:]
                assert set(sessions("TEARDOWN", heard)) == set(left)
                assert heard.index(b"TEARDOWN") < heard.index(b"SETUP")
                made = sessions("PLAY", heard)
            # An ordinary stop leaves none.
            assert set(sessions("TEARDOWN", relay.heard[before:])) == {*left, *made}
            before = len(relay.heard)
            with box.running():
                box.until_durable(1.0)
                assert sessions("TEARDOWN", relay.heard[before:]) == []
    finally:
        cameras.stop()
    box.discard()
