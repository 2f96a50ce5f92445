"""The connection below a page's WebSocket: several threads send, one hears, over TLS too."""

from __future__ import annotations

import hashlib
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from certificates import make_certificate
from vonggac_web import websocket


@dataclass(slots=True)
class Pair:
    """Ours, and the browser's end."""

    ours: websocket._Connection
    raw: socket.socket
    theirs: socket.socket


@pytest.fixture(params=["plain", "tls"])
def pair(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Pair]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        theirs = socket.create_connection(listener.getsockname(), 10)
        ours, _ = listener.accept()
    if request.param == "tls":
        certificate, key = make_certificate(tmp_path)
        server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        server.load_cert_chain(certificate, key)
        client = ssl.create_default_context(cafile=str(certificate))
        client.check_hostname = False
        accepted: list[socket.socket] = []
        thread = threading.Thread(
            target=lambda: accepted.append(server.wrap_socket(ours, server_side=True))
        )
        thread.start()
        theirs = client.wrap_socket(theirs)
        thread.join()
        (ours,) = accepted
    yield Pair(websocket._Connection(ours), ours, theirs)
    theirs.close()
    ours.close()


def read(sock: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        more = sock.recv(min(65_536, size - len(data)))
        assert more
        data += more
    return data


def test_messages_of_several_threads_arrive_whole_while_others_come(pair: Pair) -> None:
    """Each message: one byte, its sender, then 50,000 of the same."""
    senders, count, size = 6, 40, 50_001
    heard = hashlib.sha256()
    said = hashlib.sha256()
    heard_bytes = 0
    done = threading.Event()

    def listen() -> None:
        nonlocal heard_bytes
        while data := pair.ours.recv(1000):
            heard.update(data)
            heard_bytes += len(data)
            if heard_bytes == 20 * 600:
                done.set()

    def talk(n: int) -> None:
        for _ in range(count):
            assert pair.ours.send(bytes([n]) * size) == size

    threads = [threading.Thread(target=talk, args=(n,)) for n in range(senders)]
    ear = threading.Thread(target=listen)
    for thread in (*threads, ear):
        thread.start()
    for n in range(senders * count):
        if n % 12 == 0:
            word = bytes([n]) * 600
            pair.theirs.sendall(word)
            said.update(word)
        message = read(pair.theirs, size)
        assert message == message[:1] * size
    for thread in threads:
        thread.join()
    assert done.wait(60)
    pair.ours.end()
    ear.join(60)
    assert not ear.is_alive()
    assert heard.digest() == said.digest()


def test_a_browser_that_takes_nothing_ends_the_connection(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(websocket, "_STUCK_S", 0.5)
    began = time.monotonic()
    much = bytes(64 << 20)
    with pytest.raises(TimeoutError):
        pair.ours.send(much)
    assert time.monotonic() - began < 15
    assert pair.ours.recv(10) == b""


def test_a_slow_browser_is_waited_for(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    """More than what is stuck after a while in all, but never so long at once."""
    monkeypatch.setattr(websocket, "_STUCK_S", 1.5)
    size = 12 << 20
    sender = threading.Thread(target=pair.ours.send, args=(bytes(size),))
    sender.start()
    left = size
    while left:
        left -= len(pair.theirs.recv(min(left, 512 << 10)))
        time.sleep(0.01)
    sender.join(60)
    assert not sender.is_alive()


def test_whoever_waits_is_woken_at_the_end(pair: Pair) -> None:
    heard: list[bytes] = []
    waiting = threading.Thread(target=lambda: heard.append(pair.ours.recv(10)))
    waiting.start()
    pair.ours.end()
    waiting.join(60)
    assert heard == [b""]
    with pytest.raises(BrokenPipeError):
        pair.ours.send(b"x")


def test_a_flood_is_the_end(pair: Pair) -> None:
    sender = threading.Thread(target=lambda: _send_all(pair.theirs, bytes(1 << 20)))
    sender.start()
    heard = 0
    while data := pair.ours.recv(4096):
        heard += len(data)
    assert heard < 200_000
    pair.ours.end()
    pair.raw.close()
    sender.join(60)


def _send_all(sock: socket.socket, data: bytes) -> None:
    try:
        sock.sendall(data)
    except OSError:
        return
