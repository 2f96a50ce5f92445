"""TLS in front of a simulated camera."""

from __future__ import annotations

import socket
import ssl
from pathlib import Path

from relay import Relay


class TlsRelay(Relay):
    """Takes TLS connections and carries what is in them to a port of this machine, and back."""

    def __init__(self, chain: Path, key: Path, target: int, port: int = 0) -> None:
        super().__init__(target, port)
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(chain, key)
        self.heard = b""
        """Of all clients, in plain."""

    def __enter__(self) -> TlsRelay:
        super().__enter__()
        return self

    def taken(self, client: socket.socket) -> socket.socket | None:
        try:
            return self._context.wrap_socket(client, server_side=True)
        except OSError:  # it does not like what it sees
            return None

    def passed(self, data: bytes, *, is_request: bool) -> bytes:
        self.heard += data if is_request else b""
        return data
