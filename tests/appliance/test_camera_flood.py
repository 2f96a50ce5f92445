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
from vonggac.probe.capture import CaptureWriter
from vonggac.rtsp.url import parse_camera_url
from vonggac_appliance import camera_asides, camera_dialogue, camera_probe, cli_camera_capture
from vonggac_appliance.camera_address import resolve
from vonggac_appliance.camera_dial import open_connection
from vonggac_appliance.camera_memory import Memory, SessionFailed
from vonggac_appliance.camera_probe import Asked, probe_stream
from vonggac_appliance.camera_watch import Watch
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


# --- who looks by hand ---

SDP = b"v=0\r\nm=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\na=control:track1\r\n"


@contextlib.contextmanager
def flooding_at_the_end() -> Iterator[str]:
    """A camera that plays without a picture, and answers TEARDOWN with packets without end."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        sock, _ = listener.accept()
        with sock, contextlib.suppress(OSError):
            while request := sock.recv(4096):
                if request.startswith(b"TEARDOWN"):
                    break
                cseq = request.split(b"CSeq: ")[1].split(b"\r\n")[0]
                body = SDP if request.startswith(b"DESCRIBE") else b""
                head = b"RTSP/1.0 200 OK\r\nCSeq: %b\r\nSession: 1\r\nContent-Length: %d\r\n"
                sock.sendall(head % (cseq, len(body)) + b"\r\n" + body)
            until_s = time.monotonic() + _FLOOD_S
            while time.monotonic() < until_s:
                sock.sendall(FLOODS["packets"])

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield f"rtsp://127.0.0.1:{listener.getsockname()[1]}/a"
    finally:
        thread.join()
        listener.close()


def test_a_probe_ends_though_the_camera_does_not() -> None:
    began_s = time.monotonic()
    with flooding_at_the_end() as url:
        asked = Asked("main", url, "tcp", 0.2)
        found = asyncio.run(probe_stream(asked, None, CONFIG, Memory()))
    assert "no picture" in found.what
    assert time.monotonic() - began_s < _FLOOD_S / 2


def test_who_ceases_to_read_holds_no_probe(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(camera_probe, "REPLY_TIMEOUT_S", 0.2)
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.setblocking(False)
        with pytest.raises(TimeoutError, match="no longer reads") as failed:
            asyncio.run(camera_probe._say(ours, bytes(16 << 20)))
    assert failed.value.errno


def test_what_is_held_of_a_camera_that_floods_before_it_plays_is_bounded() -> None:
    lines: list[str] = []
    watch = Watch(CaptureWriter(lines.append, {}))
    ours, theirs = socket.socketpair()
    with theirs, watch.taps(ours, parse_camera_url("rtsp://127.0.0.1/")):
        watch.heard(b"$\0\0\0" * 40_000)
        watch.heard(b"RTSP/1.0 200 OK\r\n\r\n" * 1200)
    assert not lines[2:]
    watch.flush()
    packets = [line for line in lines if '"channel"' in line]
    assert 30_000 < len(packets) < 35_000
    assert len(lines) > len(packets) + 1000  # what was said is not lost for it
    assert len(watch.answers) == 1000


def test_a_capture_that_outgrows_its_room_keeps_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cli_camera_capture, "_MOST_CHARACTERS", 1000)
    lines = cli_camera_capture._Lines()
    for _ in range(100):
        lines.put("x" * 36)
    assert lines.is_full and len(lines.all) == 10
