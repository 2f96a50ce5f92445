"""The two sockets for a camera that sends datagrams."""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator

import pytest

from vonggac_appliance import loop_wire
from vonggac_appliance.camera_udp import mapped, open_pair


@pytest.fixture
def ends() -> Iterator[tuple[socket.socket, socket.socket]]:
    """A connection over loopback: our end and the camera's."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        ours = socket.create_connection(server.getsockname())
        camera, _ = server.accept()
    with ours, camera:
        yield ours, camera


@pytest.fixture
def connected(ends: tuple[socket.socket, socket.socket]) -> socket.socket:
    """Our end alone."""
    return ends[0]


def test_ports_are_neighbours_and_the_lower_one_even(connected: socket.socket) -> None:
    with connected:
        pairs = [open_pair(connected) for _ in range(20)]
        ports = [pair.ports for pair in pairs]
        for pair in pairs:
            pair.close()
    assert all(rtp % 2 == 0 and rtcp == rtp + 1 for rtp, rtcp in ports)
    assert len(set(ports)) == 20


def test_a_hole_is_punched_before_play(connected: socket.socket) -> None:
    """A dummy RTP packet and an empty report; a port where nobody listens is no failure."""
    with connected, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as camera:
        camera.bind(("127.0.0.1", 0))
        camera.settimeout(20)
        pair = open_pair(connected)
        port = camera.getsockname()[1]
        pair.punch((port, port))
        heard = {
            (sender[1], data[1], len(data))
            for data, sender in [camera.recvfrom(99) for _ in range(2)]
        }
        assert heard == {(pair.ports[0], 0, 12), (pair.ports[1], 201, 8)}
        pair.punch((1, 0))
        pair.punch((port, 0))
        assert camera.recv(99)[1] == 0
        pair.close()


def test_the_loop_is_told_whose_datagrams_they_are(connected: socket.socket) -> None:
    with connected:
        pair = open_pair(connected)
        (rtp, first), (rtcp, second) = pair.messages(b"s" * 16, (6970, 0))
        assert first != second
        pair.close()
    body = struct.Struct(">16sB16sH")
    camera = mapped("127.0.0.1")
    assert body.unpack(rtp[12:]) == (b"s" * 16, 0, camera, 6970)
    assert body.unpack(rtcp[12:]) == (b"s" * 16, 1, camera, 0)
    assert struct.unpack_from(">HH", rtp) == (loop_wire.VERSION, loop_wire.Wire.UDP)


def test_a_connection_that_was_reset_still_tells_whose_datagrams_they_are(
    ends: tuple[socket.socket, socket.socket],
) -> None:
    """As where a camera reboots between PLAY and ATTACH: its loop says the end, nobody else."""
    ours, camera = ends
    pair = open_pair(ours)
    camera.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    camera.close()
    ours.settimeout(20)
    with pytest.raises(ConnectionResetError):
        ours.recv(1)
    with pytest.raises(OSError, match="not connected"):
        ours.getpeername()
    (rtp, _), _ = pair.messages(b"s" * 16, (6970, 6971))
    assert mapped("127.0.0.1") in rtp
    pair.close()


def test_an_address_has_16_bytes() -> None:
    assert mapped("10.0.0.9").hex() == "00000000000000000000ffff0a000009"
    assert mapped("fd00::1").hex() == "fd000000000000000000000000000001"
    assert mapped("fe80::1%eth0").hex() == "fe800000000000000000000000000001"
