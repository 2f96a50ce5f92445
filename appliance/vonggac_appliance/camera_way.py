"""Where a camera is asked and how, and the connection to there before anything is said."""

from __future__ import annotations

import socket
from collections.abc import Callable
from dataclasses import dataclass

from vonggac.rtsp.url import CameraUrl
from vonggac_appliance.camera_address import Address, connect
from vonggac_appliance.camera_memory import Memory, SessionFailed
from vonggac_appliance.camera_tls import Trust, Tunnel, open_tunnel

__all__ = ["Tap", "Way", "absolute", "link"]

Tap = Callable[[socket.socket, CameraUrl], socket.socket]
"""Gives the socket to be used in the place of a new connection's, to hear what passes."""

_UNREACHABLE_MAX = 15
"""Addresses of one name: as many as anybody would give it."""


@dataclass(frozen=True, slots=True)
class Way:
    """What is asked for, where, and how packets are to come."""

    url: CameraUrl
    address: Address
    transport: str
    authority: str = ""
    """Certificates in PEM that have to vouch for it over TLS; empty: the first one counts."""
    tap: Tap | None = None

    def is_at(self, other: Way) -> bool:
        """Whether it leads to the same port of the same host, and protected no less."""
        return self.is_host_of(other) and self.address.sockaddr[1] == other.address.sockaddr[1]

    def is_host_of(self, other: Way) -> bool:
        """Whether it leads to the same host, and protected no less."""
        is_host = self.address.sockaddr[0] == other.address.sockaddr[0]
        return is_host and self.url.is_tls >= other.url.is_tls


def absolute(url: CameraUrl, location: str) -> str:
    """RFC 2326 12.25 has absolute addresses; some cameras send a path."""
    return f"{url.scheme}://{url.authority}{location}" if location.startswith("/") else location


async def link(way: Way, connect_s: float, memory: Memory) -> tuple[socket.socket, Tunnel | None]:
    """A connection, or the plain end of one over TLS to who shows the camera's certificate.

    Raises SessionFailed.
    """
    host = way.address.sockaddr[0]
    try:
        sock = await connect(way.address, connect_s)
    except SessionFailed:
        memory.unreachable[:] = [*memory.unreachable[-_UNREACHABLE_MAX:], host]
        raise
    if not way.url.is_tls:
        return _tapped(way, sock), None
    tunnel = await open_tunnel(sock, connect_s, Trust(way.authority, way.url.host))
    try:
        if not way.authority:
            memory.knows(tunnel.certificate)
    except SessionFailed:
        tunnel.plain.close()
        raise
    return _tapped(way, tunnel.plain), tunnel


def _tapped(way: Way, sock: socket.socket) -> socket.socket:
    return sock if way.tap is None else way.tap(sock, way.url)
