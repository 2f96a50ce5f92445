"""The two sockets on which a camera that sends datagrams is heard; two more for its sound.

They are bound before SETUP, which names their ports, and go to the native loop after PLAY; nobody
else reads them. Whose datagrams they are the loop tells by address: a UDP socket is not connected,
since cameras send from other ports than they announce (OpenIPC, RootEncoder).
"""

from __future__ import annotations

import contextlib
import errno
import ipaddress
import secrets
import socket
from dataclasses import dataclass

from vonggac.rtsp.events import PlayReady
from vonggac_appliance import loop_wire

_TRIES = 50
_DUMMY_RTP = b"\x80" + bytes(11)
_EMPTY_REPORT = b"\x80\xc9\x00\x01"
"""RTCP RR without a report block (RFC 3550 6.4.2); the receiver's SSRC follows."""


class UdpPair:
    """Sockets for RTP (an even port) and RTCP (the one above, RFC 3550 11)."""

    def __init__(self, camera: str, rtp: socket.socket, rtcp: socket.socket) -> None:
        """`camera`: its address, kept since a connection that was reset knows it no more."""
        self._camera = camera
        self._rtp = rtp
        self._rtcp = rtcp

    @property
    def ports(self) -> tuple[int, int]:
        """What SETUP asks for."""
        return self._rtp.getsockname()[1], self._rtcp.getsockname()[1]

    def punch(self, ports: tuple[int, int]) -> None:
        """Sends a packet to each of the camera's ports: a firewall lets answers through then.

        A camera that has nothing there may answer by ICMP, which is no failure.
        """
        report = _EMPTY_REPORT + secrets.token_bytes(4)
        for sock, packet, port in zip(
            (self._rtp, self._rtcp), (_DUMMY_RTP, report), ports, strict=True
        ):
            if port:
                with contextlib.suppress(OSError):
                    sock.sendto(packet, socket.MSG_DONTWAIT, (self._camera, port))

    def messages(
        self, stream: bytes, ports: tuple[int, int], *, is_sound: bool = False
    ) -> tuple[tuple[bytes, int], ...]:
        """What a loop is told behind ATTACH, each with the descriptor to pass, which stays ours."""
        camera = mapped(self._camera)
        both = ((False, self._rtp, ports[0]), (True, self._rtcp, ports[1]))
        return tuple(
            (
                loop_wire.udp(stream, is_rtcp=is_rtcp, camera=camera, port=port, is_sound=is_sound),
                sock.fileno(),
            )
            for is_rtcp, sock, port in both
        )

    def close(self) -> None:
        """Closes our descriptors."""
        self._rtp.close()
        self._rtcp.close()


@dataclass(frozen=True, slots=True)
class Pairs:
    """Of one connection: for its pictures and for its sound, where they come as datagrams."""

    pictures: UdpPair | None = None
    sound: UdpPair | None = None

    def agreed(self, play: PlayReady | None) -> Pairs:
        """Those that the camera sends to; closes the others. `play`: None where it plays not."""
        pictures = self.pictures if play is not None and play.udp_ports is not None else None
        sound = self.sound if play is not None and play.sound_told.udp_ports is not None else None
        for pair, is_kept in ((self.pictures, pictures), (self.sound, sound)):
            if pair is not None and is_kept is None:
                pair.close()
        return Pairs(pictures, sound)

    def messages(self, stream: bytes, play: PlayReady) -> tuple[tuple[bytes, int], ...]:
        """What a loop is told behind ATTACH."""
        told: tuple[tuple[bytes, int], ...] = ()
        if self.pictures is not None:
            told += self.pictures.messages(stream, play.udp_ports or (0, 0))
        if self.sound is not None:
            ports = play.sound_told.udp_ports or (0, 0)
            told += self.sound.messages(stream, ports, is_sound=True)
        return told

    def close(self) -> None:
        """Closes our descriptors."""
        self.agreed(None)


def mapped(host: str) -> bytes:
    """An address in 16 bytes, IPv4 as RFC 4291 2.5.5.2 maps it."""
    address = ipaddress.ip_address(host.partition("%")[0])
    return address.packed if address.version == 6 else b"\0" * 10 + b"\xff\xff" + address.packed


def open_pair(beside: socket.socket) -> UdpPair:
    """Two neighbouring ports at the address from which `beside` is connected. Raises OSError."""
    host, camera = beside.getsockname()[0], beside.getpeername()[0]
    for _ in range(_TRIES):
        rtp = _bound(beside.family, host, 0)
        port = rtp.getsockname()[1]
        try:
            if port % 2 == 0:
                return UdpPair(camera, rtp, _bound(beside.family, host, port + 1))
            # Its lower neighbour may be free instead.
            return UdpPair(camera, _bound(beside.family, host, port - 1), rtp)
        except OSError as error:
            rtp.close()
            if error.errno != errno.EADDRINUSE:
                raise
    raise OSError(errno.EADDRINUSE, "no two neighbouring UDP ports are free")


def _bound(family: int, host: str, port: int) -> socket.socket:
    sock = socket.socket(family, socket.SOCK_DGRAM)
    sock.setblocking(False)
    try:
        sock.bind((host, port))
    except BaseException:
        sock.close()
        raise
    return sock
