"""Short connections beside those that play: a session given back, a device asked who it is."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Callable

from vonggac.rtsp.auth import Authenticator
from vonggac.rtsp.client import REPLY_TIMEOUT_S, TEARDOWN_TIMEOUT_S
from vonggac.rtsp.device import Device
from vonggac.rtsp.inquiry import Inquiry
from vonggac.rtsp.leftover import Goodbye, Held
from vonggac_appliance.camera_memory import Memory
from vonggac_appliance.camera_way import Way, link

__all__ = ["ask_who", "give_back"]

_log = logging.getLogger("vonggac.record")

_READ_BYTES = 16 * 1024


async def give_back(
    way: Way,
    held: Held,
    authenticator: Authenticator,
    connect_s: float,
    memory: Memory,
    look: Callable[[Device], None],
) -> None:
    """Ends a session that the recorder left when it crashed. Raises SessionFailed if it cannot
    be said; what the camera thinks of it does not matter.

    `look`: at who answers, before the login is said; what it raises goes on.
    """
    goodbye = Goodbye(authenticator, held)

    def receive(data: bytes) -> bytes | None:
        message = goodbye.receive(data)
        look(goodbye.device)
        return message

    sock, _tunnel = await link(way, connect_s, memory)  # held, so that its task is
    try:
        await _talk(sock, goodbye.start(), receive, TEARDOWN_TIMEOUT_S)
    except (TimeoutError, OSError) as error:
        _log.info("a session of an earlier life was not given back (%s)", error or "no answer")
    finally:
        sock.close()


async def ask_who(way: Way, connect_s: float, memory: Memory) -> Device:
    """Who answers there, as far as it tells a stranger. Raises SessionFailed."""
    inquiry = Inquiry(way.url)
    sock, _tunnel = await link(way, connect_s, memory)
    try:
        await _talk(sock, inquiry.start(), inquiry.receive, REPLY_TIMEOUT_S)
    except (TimeoutError, OSError) as error:
        _log.info("who it is was not told (%s)", error or "no answer")
    finally:
        sock.close()
    return inquiry.device


async def _talk(
    sock: socket.socket, first: bytes, receive: Callable[[bytes], bytes | None], timeout_s: float
) -> None:
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(timeout_s):
        message: bytes | None = first
        while message is not None:
            await loop.sock_sendall(sock, message)
            data = await loop.sock_recv(sock, _READ_BYTES)
            message = receive(data) if data else None
            await asyncio.sleep(0)  # as in `camera_dialogue`: a flood would never wait
