"""Who begins a message and never ends it is seen; who is slow, or read, or a stranger, is not.

A client of libzmq sends nothing of a message before its last frame is there, so a hostile one is
played by hand: ZMTP 3.0 (RFC 23) without a mechanism, which frames as CURVE does.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator

import pytest
import zmq

from vonggac_appliance.hook_meter import DoorMeter

DEADLINE_S = 120.0
GREETING = b"\xff" + bytes(8) + b"\x7f\x03\x00" + b"NULL".ljust(20, b"\0") + bytes(32)
READY = b"\x05READY\x0bSocket-Type\x00\x00\x00\x06DEALER"
MORE_4096 = b"\x03" + (4096).to_bytes(8, "big") + b"x" * 4096


class Door:
    """A port with its meter, read by nobody."""

    def __init__(self, context: zmq.Context[zmq.Socket[bytes]]) -> None:
        self.socket = context.socket(zmq.ROUTER)
        self.socket.linger, self.socket.rcvhwm = 0, 64
        self.meter = DoorMeter(context, self.socket, time.monotonic())
        self.port = self.socket.bind_to_random_port("tcp://127.0.0.1")

    def is_shut(self) -> bool:
        return self.meter.is_too_far(time.monotonic())

    def close(self) -> None:
        self.meter.close()
        self.socket.close()

    def take(self) -> bool:
        """A message, if there is one."""
        if not self.socket.poll(10):
            return False
        for frame in self.socket.recv_multipart(copy=False)[1:]:
            self.meter.took(frame)
        return True


@pytest.fixture
def door() -> Iterator[Door]:
    with zmq.Context() as context:
        made = Door(context)
        yield made
        made.close()


def connected(door: Door) -> socket.socket:
    """By hand, as far as both have shaken hands."""
    client = socket.create_connection(("127.0.0.1", door.port), timeout=DEADLINE_S)
    client.sendall(GREETING)
    client.sendall(b"\x04" + bytes([len(READY)]) + READY)
    heard = b""
    while len(heard) < len(GREETING) + 2:
        heard += client.recv(4096)
    return client


def until(is_so: Callable[[], bool]) -> None:
    end_s = time.monotonic() + DEADLINE_S
    while not is_so():
        assert time.monotonic() < end_s
        time.sleep(0.01)


def test_who_begins_a_message_and_never_ends_it_is_seen(door: Door) -> None:
    with connected(door) as client:

        def is_seen() -> bool:
            client.sendall(MORE_4096 * 64)
            return door.is_shut()

        until(is_seen)
        assert not door.socket.poll(0), "nothing of it can be taken"


def test_what_others_end_hides_nothing_of_what_one_has_begun(door: Door) -> None:
    """They come anew each time, with less than counts."""
    whole = b"\x02" + (16_000).to_bytes(8, "big") + b"x" * 16_000
    sent, taken = 0, 0
    with connected(door) as bad:
        while not door.is_shut():
            assert sent < 64 << 20, "it is in nobody's account"
            bad.sendall(MORE_4096 * 32)
            sent += len(MORE_4096) * 32
            with connected(door) as good:
                good.sendall(whole * 10)
                for _ in range(10):
                    until(door.take)
                    taken += len(whole)

    assert taken > sent / 2


def test_what_was_sent_at_once_before_its_end_is_no_debt_of_those_who_stay(door: Door) -> None:
    whole = b"\x02" + (16_000).to_bytes(8, "big") + b"x" * 16_000
    for _ in range(40):
        with connected(door) as client:
            client.sendall(whole * 40)
            for _ in range(40):
                until(door.take)
        assert not door.is_shut()


def test_who_waits_to_be_read_is_no_flood(door: Door) -> None:
    whole = b"\x02" + (16_384).to_bytes(8, "big") + b"x" * 16_384
    with connected(door) as client:
        client.setblocking(False)
        sent = 0
        for _ in range(200):
            try:
                sent += client.send(whole * 16)
            except BlockingIOError:
                time.sleep(0.005)  # its own socket is full: it waits there
            assert not door.is_shut()
    assert sent > 1 << 20


def test_who_is_read_may_go_on_for_ever(door: Door) -> None:
    with zmq.Context() as context, context.socket(zmq.DEALER) as client:
        client.linger = 0
        client.connect(f"tcp://127.0.0.1:{door.port}")
        for _ in range(3000):
            client.send(b"x" * 16_000)
            until(door.take)
            assert not door.is_shut()


def test_what_was_read_before_the_first_look_is_not_waited_for(door: Door) -> None:
    with zmq.Context() as context, context.socket(zmq.DEALER) as client:
        client.linger = 0
        client.connect(f"tcp://127.0.0.1:{door.port}")
        for _ in range(1200):
            client.send(b"x" * 16_000)
            until(door.take)
        assert not door.meter.is_too_far(time.monotonic() + 1.0)


def test_strangers_who_shake_no_hands_shut_nobody_s_port(door: Door) -> None:
    for _ in range(200):
        with socket.create_connection(("127.0.0.1", door.port), timeout=5) as stranger:
            try:
                stranger.sendall(GREETING + bytes(128 * 1024))
            except OSError:
                continue  # it was closed: nobody begins with a message
            finally:
                assert not door.is_shut()


def test_a_crowd_that_comes_while_nobody_looks_holds_up_nobody(door: Door) -> None:
    for _ in range(1500):
        socket.create_connection(("127.0.0.1", door.port), timeout=DEADLINE_S).close()
    with zmq.Context() as context, context.socket(zmq.DEALER) as client:
        client.linger = 0
        client.connect(f"tcp://127.0.0.1:{door.port}")
        client.send(b"still here")
        until(door.take)
        assert not door.is_shut()
