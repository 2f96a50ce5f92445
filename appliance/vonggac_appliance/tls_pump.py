"""TLS carried into a socket pair, so that a loop knows one kind of descriptor.

Of cameras that we call over TLS (`camera_tls`), and of those that call us (`push_caller`).
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl

__all__ = ["plain_pair", "pump"]

_READ_BYTES = 64 * 1024
_ROOM_BYTES = 1 << 20
"""Between pump and loop, as far as the system allows: a loop reads ten times a second."""


def plain_pair() -> tuple[socket.socket, socket.socket]:
    """The pump's end and the plain one, non-blocking. At the end of either the other ends too."""
    ours, plain = socket.socketpair()
    for end in (ours, plain):
        end.setblocking(False)
        end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _ROOM_BYTES)
    return ours, plain


async def pump(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, ours: socket.socket
) -> None:
    """Both ways until either end closes; what was written before that still goes out."""
    ways = [asyncio.ensure_future(_inwards(reader, ours))]
    ways.append(asyncio.ensure_future(_outwards(ours, writer)))
    try:
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for way in ways:
            way.cancel()
        try:
            await asyncio.gather(*ways, return_exceptions=True)
        finally:  # also when it is cancelled here
            ours.close()
            writer.close()
        with contextlib.suppress(OSError, ssl.SSLError):
            await writer.wait_closed()


async def _inwards(reader: asyncio.StreamReader, ours: socket.socket) -> None:
    loop = asyncio.get_running_loop()
    with contextlib.suppress(OSError, ssl.SSLError):  # an end like any other
        while data := await reader.read(_READ_BYTES):
            await loop.sock_sendall(ours, data)


async def _outwards(ours: socket.socket, writer: asyncio.StreamWriter) -> None:
    loop = asyncio.get_running_loop()
    with contextlib.suppress(OSError, ssl.SSLError):
        while data := await loop.sock_recv(ours, _READ_BYTES):
            writer.write(data)
            await writer.drain()
