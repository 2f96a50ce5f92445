"""Where a camera is, checked against the camera networks, and the connection to it.

The socket is raw and non-blocking: it goes to a native loop later.
"""

from __future__ import annotations

import asyncio
import errno
import ipaddress
import os
import socket
from collections.abc import Collection
from dataclasses import dataclass

from vonggac.media.chunk import GapReason
from vonggac.rtsp.client import CONNECT_TIMEOUT_S
from vonggac.rtsp.url import CameraUrl
from vonggac_appliance.camera_memory import SessionFailed
from vonggac_appliance.config import CameraConfig, network_of


@dataclass(frozen=True, slots=True)
class Address:
    """Where to connect, checked against the camera networks."""

    family: int
    sockaddr: tuple[str, int]


async def resolve(
    url: CameraUrl, config: CameraConfig, unreachable: Collection[str] = ()
) -> Address:
    """The first address of the host that is not known to be `unreachable`, else the first of all.

    All of them have to lie in the configured networks. Checked after resolution: a name that
    resolves to somewhere else is no way out of the networks.
    """
    try:
        found = [ipaddress.ip_address(url.host)]
    except ValueError:
        found = await _look_up(url.host)
    for one in found:
        if network_of(config, one) is None:
            what = f"{one} lies outside the configured camera networks"
            raise SessionFailed(GapReason.REFUSED, what)
    one = next((one for one in found if str(one) not in unreachable), found[0])
    family = socket.AF_INET if one.version == 4 else socket.AF_INET6
    return Address(family, (str(one), url.port))


async def _look_up(host: str) -> list[ipaddress.IPv4Address | ipaddress.IPv6Address]:
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(CONNECT_TIMEOUT_S):
            answers = await loop.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError, TimeoutError) as error:
        raise SessionFailed(GapReason.NETWORK, f"the name {host} does not resolve") from error
    return [ipaddress.ip_address(str(sockaddr[0]).split("%")[0]) for *_, sockaddr in answers]


async def connect(address: Address, connect_s: float) -> socket.socket:
    """A TCP connection within `connect_s`. Raises SessionFailed."""
    try:
        sock = socket.socket(address.family, socket.SOCK_STREAM)
    except OSError as error:  # a kernel without IPv6
        raise SessionFailed(*_why_not_connected(error), is_away=True) from error
    sock.setblocking(False)
    try:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        async with asyncio.timeout(connect_s):
            await asyncio.get_running_loop().sock_connect(sock, address.sockaddr)
    except TimeoutError as error:
        sock.close()
        what = "no answer to the connection"
        raise SessionFailed(GapReason.CAMERA_OFF, what, is_away=True) from error
    except OSError as error:
        sock.close()
        raise SessionFailed(*_why_not_connected(error), is_away=True) from error
    except BaseException:
        sock.close()
        raise
    return sock


def _why_not_connected(error: OSError) -> tuple[GapReason, str]:
    what = f"cannot connect ({os.strerror(error.errno or 0).lower()})"
    # No answer to ARP (EHOSTUNREACH) and a closed port are a camera that is off or starting;
    # no route is ours.
    if error.errno in (errno.ENETUNREACH, errno.ENETDOWN):
        return GapReason.NETWORK, what
    return GapReason.CAMERA_OFF, what
