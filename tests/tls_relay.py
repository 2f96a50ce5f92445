"""TLS in front of a simulated camera."""

from __future__ import annotations

import socket
import ssl
import threading
from pathlib import Path


class TlsRelay:
    """Takes TLS connections and carries what is in them to a port of this machine, and back."""

    def __init__(self, chain: Path, key: Path, target: int, port: int = 0) -> None:
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(chain, key)
        self._target = target
        self._listener = socket.create_server(("127.0.0.1", port))
        self.port: int = self._listener.getsockname()[1]
        self.heard = b""
        """Of all clients, in plain."""
        self._open: list[socket.socket] = []
        self._threads: list[threading.Thread] = []

    def __enter__(self) -> TlsRelay:
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

    def _start(self, target: object, *arguments: object) -> None:
        assert callable(target)
        thread = threading.Thread(target=target, args=arguments)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            try:
                raw, _ = self._listener.accept()
            except OSError:
                return
            try:
                client = self._context.wrap_socket(raw, server_side=True)
            except OSError:  # it does not like what it sees
                raw.close()
                continue
            camera = socket.create_connection(("127.0.0.1", self._target))
            self._open += [client, camera]
            self._start(self._carry, client, camera, True)
            self._start(self._carry, camera, client, False)

    def _carry(self, source: socket.socket, sink: socket.socket, is_heard: bool) -> None:
        try:
            while data := source.recv(65536):
                self.heard += data if is_heard else b""
                sink.sendall(data)
        except OSError:
            pass  # one of them is gone
        _end(sink)


def _end(sock: socket.socket) -> None:
    try:
        sock.shutdown(socket.SHUT_RDWR)
    except OSError:
        return  # it has ended
