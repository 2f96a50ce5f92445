"""Messages over real SEQPACKET sockets."""

from __future__ import annotations

import os
import socket
import stat
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from vonggac.errors import MediaError, Unavailable
from vonggac_appliance import sockets
from vonggac_appliance.messages import Kind, Refused
from vonggac_appliance.messages_footage import AskRuns


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    a, b = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    a.settimeout(60)
    b.settimeout(60)
    with a, b:
        yield a, b


def test_a_struct_arrives_as_it_was_sent(pair: tuple[socket.socket, socket.socket]) -> None:
    ask = AskRuns(stream=bytes(16), from_ns=-1, to_ns=1 << 62)
    sockets.send(pair[0], Kind.ASK_RUNS, ask, request=7)
    message = sockets.recv(pair[1])
    assert (message.kind, message.request) == (Kind.ASK_RUNS, 7)
    assert sockets.decode(message, AskRuns) == ask


@pytest.mark.parametrize("size", [0, 1, 65_524, 65_525, 200_000])
def test_a_long_message_is_cut_and_joined(tmp_path: Path, size: int) -> None:
    with sockets.listen(tmp_path / "s") as server:
        client = sockets.connect(tmp_path / "s", 5)
        served, _ = server.accept()
        with client, served:
            body = os.urandom(size)
            # A thread, since several parts need not fit into the socket's buffer at once.
            sender = threading.Thread(target=sockets.send, args=(served, 1, body, 3))
            sender.start()
            message = sockets.recv(client)
            sender.join()
            assert (message.request, message.body) == (3, body)


def test_a_descriptor_travels_along(
    pair: tuple[socket.socket, socket.socket], tmp_path: Path
) -> None:
    (tmp_path / "f").write_bytes(b"video")
    fd = os.open(tmp_path / "f", os.O_RDONLY)
    sockets.send(pair[0], 9, bytes(700), fds=[fd])
    os.close(fd)
    message = sockets.recv(pair[1])
    assert os.pread(message.fds[0], 5, 0) == b"video"
    assert not os.get_inheritable(message.fds[0])
    message.close_fds()


def test_the_end_of_a_connection_has_its_own_error(
    pair: tuple[socket.socket, socket.socket],
) -> None:
    pair[0].close()
    with pytest.raises(sockets.Closed):
        sockets.recv(pair[1])
    with pytest.raises(sockets.Closed):
        sockets.send(pair[1], 1)


def test_silence_ends_at_the_deadline(pair: tuple[socket.socket, socket.socket]) -> None:
    pair[0].settimeout(0.01)
    with pytest.raises(Unavailable, match="in time"):
        sockets.recv(pair[0])


@pytest.mark.parametrize(
    "raw",
    [
        b"x",
        b"\x00\x02" + bytes(10),
        b"\x00\x01\x00\x01\x00\x00\x00\x00\x00\x05\x00\x01",
        b"\x00\x01\x00\x01\x00\x00\x00\x00\x00\x00\x00\x07",
    ],
    ids=["short", "version", "part-without-first", "last-is-no-boolean"],
)
def test_bytes_that_are_no_message_are_named(
    pair: tuple[socket.socket, socket.socket], raw: bytes
) -> None:
    pair[0].send(raw)
    with pytest.raises(MediaError):
        sockets.recv(pair[1])


def test_parts_of_two_messages_are_never_joined(
    pair: tuple[socket.socket, socket.socket],
) -> None:
    pair[0].send(b"\x00\x01\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00")
    pair[0].send(b"\x00\x01\x00\x01\x00\x00\x00\x01\x00\x01\x00\x01")
    with pytest.raises(MediaError, match="mixed"):
        sockets.recv(pair[1])


def test_a_body_of_another_struct_is_an_error(pair: tuple[socket.socket, socket.socket]) -> None:
    sockets.send(pair[0], Kind.REFUSED, Refused(code="gone", what="reused"))
    with pytest.raises(MediaError, match="AskRuns"):
        sockets.decode(sockets.recv(pair[1]), AskRuns)


def test_a_path_longer_than_sun_path_works(tmp_path: Path) -> None:
    deep = tmp_path / ("x" * 100) / ("y" * 100)
    deep.mkdir(parents=True)
    with sockets.listen(deep / "s") as server, sockets.connect(deep / "s", 5) as client:
        served, _ = server.accept()
        with served:
            sockets.send(client, 1, b"far")
            assert sockets.recv(served).body == b"far"


def test_the_kernel_says_who_calls(tmp_path: Path) -> None:
    with sockets.listen(tmp_path / "s") as server, sockets.connect(tmp_path / "s", 5):
        served, _ = server.accept()
        with served:
            assert sockets.peer_of(served) == sockets.Peer(os.getpid(), os.getuid(), os.getgid())


def test_a_dead_process_leaves_no_obstacle_and_a_living_one_does(tmp_path: Path) -> None:
    path = tmp_path / "s"
    sockets.listen(path).close()
    with sockets.listen(path):
        assert stat.S_IMODE(path.stat().st_mode) == 0o660
        with pytest.raises(Unavailable, match="already listens"):
            sockets.listen(path)


def test_a_missing_socket_says_that_nobody_answers(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="nobody answers"):
        sockets.connect(tmp_path / "s", 1)


def test_a_class_directory_passes_its_group_on(tmp_path: Path) -> None:
    directory = sockets.prepare_class(tmp_path, "view")
    assert stat.S_IMODE(directory.stat().st_mode) == 0o2750
    assert sockets.prepare_class(tmp_path, "view") == directory
