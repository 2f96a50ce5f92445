"""A relay between clients and a server of this machine; what a kind of it changes stands there."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable

LOOPBACK = "127.0.0.1"


class Relay:
    """Carries connections to a port of this machine, and back, until it is left. A thread accepts;
    each connection has two more."""

    def __init__(self, target: int, port: int = 0) -> None:
        self._target = target
        self._listener = socket.create_server((LOOPBACK, port))
        self.port: int = self._listener.getsockname()[1]
        self._open: list[socket.socket] = []
        self._threads: list[threading.Thread] = []

    def __enter__(self) -> Relay:
        self._start(self._accept)
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for sock in list(self._open):
            _end(sock)
        for thread in self._threads:
            thread.join()
        for sock in self._open:
            sock.close()

    def taken(self, client: socket.socket) -> socket.socket | None:
        """A new connection as it is carried; None where it is none after all."""
        return client

    def passed(self, data: bytes, *, is_request: bool) -> bytes:
        """What goes on in place of `data`, towards the server or back."""
        return data

    def _start(self, target: Callable[..., None], *arguments: object) -> None:
        thread = threading.Thread(target=target, args=arguments)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            try:
                raw, _ = self._listener.accept()
            except OSError:
                return
            if (client := self.taken(raw)) is None:
                raw.close()
                continue
            server = socket.create_connection((LOOPBACK, self._target))
            self._open += [client, server]
            self._start(self._carry, client, server, True)
            self._start(self._carry, server, client, False)

    def _carry(self, source: socket.socket, sink: socket.socket, is_request: bool) -> None:
        try:
            while data := source.recv(65536):
                sink.sendall(self.passed(data, is_request=is_request))
        except OSError:
            pass  # one of them is gone, as ends go
        _end(sink)


def _end(sock: socket.socket) -> None:
    try:
        sock.shutdown(socket.SHUT_RDWR)
    except OSError:
        return  # it has ended
