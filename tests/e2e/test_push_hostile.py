"""Whoever is in the Internet may knock. What it costs the cameras that are recorded: nothing."""

from __future__ import annotations

import contextlib
import itertools
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from box_rig import Cameras
from push_rig import Publisher, PushBox, insecure

pytestmark = pytest.mark.slow

_BOMB = b"v=0\r\n" + b"m=video 0 RTP/AVP " + b"96 " * 5000
_SEEN = ("words", "key", "rule", "crowd")
"""Reasons for which somebody was refused, before the test ends."""
_HELLO = bytes.fromhex("160301020001000003")  # a TLS handshake's first bytes


@pytest.fixture
def box(tmp_path: Path) -> Iterator[PushBox]:
    made = PushBox(tmp_path / "home")
    yield made
    made.discard()


def _until(is_over: threading.Event, attack: Callable[[], None]) -> None:
    """Again and again; being thrown out is what it is for."""
    while not is_over.wait(0.02):
        with contextlib.suppress(OSError):
            attack()


def _attacks(port: int, key: str) -> list[Callable[[], None]]:
    homes = itertools.cycle(["127.0.1.1", "127.0.1.2"])

    def raw() -> socket.socket:
        return socket.create_connection(("127.0.0.1", port), 5.0, (next(homes), 0))

    def endless_header() -> None:
        with insecure().wrap_socket(raw()) as sock:
            sock.sendall(b"OPTIONS * RTSP/1.0\r\n")
            while True:
                sock.sendall(b"X-More: " + b"x" * 4000 + b"\r\n")

    def slowly() -> None:
        with insecure().wrap_socket(raw()) as sock:
            for byte in b"OPTIONS * RTSP/1.0\r\n" * 10:
                sock.sendall(bytes([byte]))
                time.sleep(0.2)

    def wrong_key() -> None:
        with Publisher(port, "nha12", "nha12", "wrong", home=next(homes)) as other:
            other.announce()

    def no_such_caller() -> None:
        with Publisher(port, "cam1", "cam1", key, home=next(homes)) as other:
            assert other.announce() in (0, 401)  # it is called, it does not call

    def bomb() -> None:
        with Publisher(port, "nha12", "nha12", key, home=next(homes)) as other:
            other.ask("ANNOUNCE", body=_BOMB)

    def half_a_handshake() -> None:
        with raw() as sock:
            sock.sendall(_HELLO)
            sock.recv(1)

    def nothing_at_all() -> None:
        with raw() as sock:
            sock.recv(1)

    def second_publisher() -> None:
        with Publisher(port, "nha12", "nha12", key, home=next(homes)) as other:
            assert other.record()[-1] != 200

    return [
        endless_header,
        slowly,
        *[wrong_key] * 8,
        no_such_caller,
        bomb,
        *[half_a_handshake] * 4,
        nothing_at_all,
        second_publisher,
    ]


def test_a_hostile_internet_costs_no_camera_a_packet(box: PushBox) -> None:
    cameras = Cameras(2)
    key = box.add_push("nha12")
    is_over = threading.Event()
    try:
        for name in cameras.names:
            box.add(cameras, name)
        with box.taking_calls(), Publisher(box.port, "nha12", "nha12", key) as publisher:
            box.until(
                lambda now: all(c.state == "recording" for c in now.cameras if c.id != "nha12")
            )
            assert publisher.record() == [200, 200, 200]
            publisher.send(0.5)
            threads = [
                threading.Thread(target=_until, args=(is_over, attack))
                for attack in _attacks(box.port, key)
            ]
            for thread in threads:
                thread.start()
            try:
                with publisher.sending():
                    now = box.until(
                        lambda now: now.push is not None and all(now.push.refused[r] for r in _SEEN)
                    )
                    streams = box.streams()
            finally:
                is_over.set()
                for thread in threads:
                    thread.join()
        assert all(s.packets_lost == s.damaged == s.dropped == 0 for s in streams.values())
        for name in cameras.names:
            assert box.holes(name, "main") == [], name
        assert box.holes("nha12", "main") == []
        assert now.push is not None
        assert now.push.publishing == 1
        alarms = [line for line in box.run_here("alarm", "list").splitlines() if "push-" in line]
        assert len(alarms) == 1  # of one camera, however often
    finally:
        is_over.set()
        cameras.stop()


def _floods(port: int, key: str, is_over: threading.Event) -> None:
    """With the right key of one camera, all that its connection bears; answers are not read."""
    with Publisher(port, "nha13", "nha13", key, home="127.0.1.3") as other:
        if other.record()[-1] != 200:
            return
        other.sock.settimeout(5.0)
        pictures = b"".join(other.picture() for _ in range(100))
        asked = b"OPTIONS rtsps://127.0.0.1/nha13 RTSP/1.0\r\nCSeq: 9\r\n\r\n" * 1000
        while not is_over.is_set():
            other.sock.sendall(pictures + asked)
        other.sock.sendall(bytes(range(256)) * 2048)


def test_who_floods_with_a_key_of_his_own_costs_no_other_camera_a_packet(box: PushBox) -> None:
    cameras = Cameras(1)
    key, own = box.add_push("nha12"), box.add_push("nha13")
    is_over = threading.Event()
    flood = threading.Thread(target=_until, args=(is_over, lambda: _floods(box.port, own, is_over)))
    try:
        box.add(cameras, cameras.names[0])
        with box.taking_calls(), Publisher(box.port, "nha12", "nha12", key) as publisher:
            assert publisher.record() == [200, 200, 200]
            with publisher.sending():
                box.until_recording("nha12", 0.0)
                box.until_recording(cameras.names[0], 0.0)
                flood.start()
                try:
                    box.until(lambda now: box.streams()["nha13", "main"].bytes > 1 << 20)
                    before = box.streams()["nha12", "main"].recorded_ns
                    box.until(
                        lambda now: box.streams()["nha12", "main"].recorded_ns >= before + 4 * 10**9
                    )
                    streams = box.streams()
                finally:
                    is_over.set()
                    flood.join()
        for name in ("nha12", cameras.names[0]):
            stream = streams[name, "main"]
            assert stream.packets_lost == stream.damaged == stream.dropped == 0, name
            assert box.holes(name, "main") == [], name
    finally:
        is_over.set()
        cameras.stop()
