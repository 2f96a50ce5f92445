"""A keeper's socket to its parent: what it hears is obeyed, its end is the end of the keeper."""

from __future__ import annotations

import logging
import socket
from collections import deque
from collections.abc import Callable

import msgspec

from vonggac.errors import VonggacError
from vonggac_appliance import parts, sockets
from vonggac_appliance.keep_poll import READ, WRITE, Poller
from vonggac_appliance.messages import Kind

_log = logging.getLogger("vonggac.keep")
_LAST_WORDS_S = 1.0


class Parent:
    """`obey` gets each message; `lost` is called once, when the parent is gone."""

    def __init__(
        self,
        sock: socket.socket,
        poller: Poller,
        obey: Callable[[sockets.Message], None],
        lost: Callable[[], None],
    ) -> None:
        sock.setblocking(False)
        self._sock = sock
        self._poller = poller
        self._obey = obey
        self._lost = lost
        self._is_open = True
        self._out: deque[bytes] = deque()
        poller.watch(sock.fileno(), READ, self._ready)

    def say(self, kind: Kind, body: msgspec.Struct) -> None:
        """Sends, or keeps until the parent reads."""
        if self._is_open:
            self._out.extend(parts.split(kind, msgspec.msgpack.encode(body)))
            self._write()

    def flush(self) -> None:
        """The last words: the parent must hear that the disk has failed."""
        if not self._is_open or not self._out:
            return
        self._sock.settimeout(_LAST_WORDS_S)
        try:
            while self._out:
                self._sock.send(self._out.popleft(), socket.MSG_NOSIGNAL)
        except OSError as error:
            _log.warning("the parent did not hear the last words: %s", error)

    def _write(self) -> None:
        while self._out:
            try:
                self._sock.send(self._out[0], socket.MSG_NOSIGNAL)
            except BlockingIOError:
                break
            except OSError:
                self._end()
                return
            self._out.popleft()
        events = READ | (WRITE if self._out else 0)
        self._poller.watch(self._sock.fileno(), events, self._ready)

    def _ready(self, mask: int) -> None:
        if mask & WRITE:
            self._write()
        while self._is_open:
            try:
                message = sockets.recv(self._sock)
                self._obey(message)
            except BlockingIOError:
                return
            except VonggacError as error:
                if not isinstance(error, sockets.Closed):
                    _log.error("the parent talks nonsense: %s", error)
                self._end()

    def _end(self) -> None:
        if self._is_open:
            self._is_open = False
            self._poller.unwatch(self._sock.fileno())
            self._lost()
