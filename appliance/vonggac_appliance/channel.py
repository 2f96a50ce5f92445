"""A Unix SEQPACKET socket in asyncio, for the parent only: whole messages, descriptors out.

asyncio's transports know streams and datagrams, and none passes descriptors, so this stands on
add_reader and add_writer. Nothing is read ahead and nothing written is copied twice.
"""

from __future__ import annotations

import array
import asyncio
import os
import socket
from collections import deque
from collections.abc import Callable, Sequence

_MESSAGE_MAX = 64 * 1024
_QUEUE_MAX = 16 * 1024
"""Messages waiting for a peer. 512 streams of 16 messages are half of it: a peer that is that far
behind is dead, and the watchdogs of loops and keepers find that out."""
_READS_A_TURN = 64


class Channel:
    """One end. Owns its socket and the descriptors given to `send`."""

    def __init__(
        self, sock: socket.socket, on_message: Callable[[bytes], None], on_end: Callable[[], None]
    ) -> None:
        sock.setblocking(False)
        self._sock = sock
        self._loop = asyncio.get_running_loop()
        self._on_message = on_message
        self._on_end = on_end
        self._waiting: deque[tuple[bytes, tuple[int, ...]]] = deque()
        self._is_open = True
        self._loop.add_reader(sock, self._readable)

    @property
    def is_open(self) -> bool:
        """False once closed, by us or by the peer."""
        return self._is_open

    def send(self, message: bytes, fds: Sequence[int] = ()) -> bool:
        """Queues a message; takes the descriptors. False: the peer is gone or does not read."""
        assert len(message) <= _MESSAGE_MAX, len(message)
        if not self._is_open or len(self._waiting) >= _QUEUE_MAX:
            _close_all(fds)
            return False
        self._waiting.append((message, tuple(fds)))
        if len(self._waiting) == 1:
            self._writable()
        return self._is_open

    def close(self) -> None:
        """Closes without calling `on_end`."""
        if not self._is_open:
            return
        self._is_open = False
        self._loop.remove_reader(self._sock)
        self._loop.remove_writer(self._sock)
        self._sock.close()
        for _, fds in self._waiting:
            _close_all(fds)
        self._waiting.clear()

    def _readable(self) -> None:
        for _ in range(_READS_A_TURN):
            try:
                message = self._sock.recv(_MESSAGE_MAX)
            except BlockingIOError:
                return
            except OSError:
                message = b""
            if not message:
                self._ended()
                return
            self._on_message(message)
            if not self._is_open:
                return

    def _writable(self) -> None:
        while self._waiting:
            message, fds = self._waiting[0]
            ancillary = []
            if fds:
                ancillary = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", fds))]
            try:
                self._sock.sendmsg([message], ancillary, socket.MSG_NOSIGNAL)
            except BlockingIOError:
                self._loop.add_writer(self._sock, self._writable)
                return
            except OSError:
                self._ended()
                return
            self._waiting.popleft()
            _close_all(fds)
        self._loop.remove_writer(self._sock)

    def _ended(self) -> None:
        if self._is_open:
            self.close()
            self._on_end()


def pair() -> tuple[socket.socket, socket.socket]:
    """Two connected SEQPACKET sockets that no exec inherits."""
    return socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)


def _close_all(fds: Sequence[int]) -> None:
    for fd in fds:
        os.close(fd)
