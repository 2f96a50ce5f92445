"""A camera that sends without a pause costs the others nothing while it is spoken to."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
import time
from collections.abc import Iterator

import pytest

from dialled_camera import CONFIG
from vonggac.rtsp.url import parse_camera_url
from vonggac_appliance import camera_asides, camera_dialogue
from vonggac_appliance.camera_address import resolve
from vonggac_appliance.camera_dial import open_connection
from vonggac_appliance.camera_memory import Memory, SessionFailed
from vonggac_appliance.camera_way import Way

_FLOOD_S = 20.0
"""Then it closes the connection, so that who fails here fails and does not hang."""
FLOODS = {
    "packets": b"$\0\0\4old!" * 8192,
    "answers": b"RTSP/1.0 100 Continue\r\n\r\n" * 2048,
    "blanks": b"\r\n" * 16384,
}


@contextlib.contextmanager
def flooding(data: bytes) -> Iterator[str]:
    """Its address."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        sock, _ = listener.accept()
        until_s = time.monotonic() + _FLOOD_S
        with sock, contextlib.suppress(OSError):
            while time.monotonic() < until_s:
                sock.sendall(data)

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield f"rtsp://127.0.0.1:{listener.getsockname()[1]}/a"
    finally:
        thread.join()
        listener.close()


@pytest.mark.parametrize("flood", FLOODS)
def test_a_dialogue_with_who_sends_without_a_pause_ends_in_its_time(
    monkeypatch: pytest.MonkeyPatch, flood: str
) -> None:
    monkeypatch.setattr(camera_dialogue, "DIALOGUE_TIMEOUT_S", 0.5)
    with flooding(FLOODS[flood]) as url, pytest.raises(SessionFailed) as failed:
        asyncio.run(open_connection(url, None, CONFIG, Memory()))
    assert "no answer" in failed.value.what


def test_who_is_asked_who_it_is_and_never_pauses_has_not_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(camera_asides, "REPLY_TIMEOUT_S", 0.5)

    async def ask(text: str) -> float:
        url = parse_camera_url(text)
        began_s = time.monotonic()
        way = Way(url, await resolve(url, CONFIG), "tcp")
        device = await camera_asides.ask_who(way, 5.0, Memory())
        assert not device.facts()
        return time.monotonic() - began_s

    with flooding(FLOODS["answers"]) as url:
        assert asyncio.run(ask(url)) < _FLOOD_S / 2
