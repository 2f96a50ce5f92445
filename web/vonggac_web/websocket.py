"""WebSockets: the only file that knows flask-sock and simple-websocket.

Both are small and old, and made for one thread that sends. Here several tiles do, over TLS too,
whose object only one thread may be inside of; and a browser that has died must be noticed. So the
connection they are given is ours: sends are whole and end when they get nowhere.
"""

from __future__ import annotations

import contextlib
import re
import select
import socket
import ssl
import threading
import time
from collections.abc import Callable

from flask import Blueprint, abort, request
from flask_sock import Sock
from simple_websocket import ConnectionClosed, Server
from simple_websocket.ws import Ping

from vonggac_appliance.live_page import PageGone

__all__ = ["MESSAGE_BYTES_MAX", "WebSocket", "route"]

MESSAGE_BYTES_MAX = 4096
_PING_S = 3.0
_PONG_S = 6.5
"""Nothing heard for that long: nobody is there."""
_STUCK_S = 8.0
"""Nothing taken for that long."""
_PIECE_BYTES = 16 * 1024
"""A record of TLS; after each the clock of `_STUCK_S` begins anew."""
_UNSENT_BYTES = 128 * 1024
"""More does not wait in the kernel: it would be the past by the time it is seen."""
_HEARD_BYTES_PER_S = 16 * 1024
_HEARD_BYTES_MAX = 64 * 1024
_KEY = re.compile(r"[A-Za-z0-9+/]{22}==")
"""16 bytes (RFC 6455 4.1)."""
_SOCKETS = ("gunicorn.socket", "werkzeug.socket")


def route(blueprint: Blueprint, path: str, handle: Callable[[WebSocket], None]) -> None:
    """Serve a socket at `path`; the blueprint's own checks come before it is accepted."""
    blueprint.before_request(_prepare)
    blueprint.record(lambda state: state.app.config.setdefault("SOCK_SERVER_OPTIONS", _OPTIONS))

    def serve(server: Server) -> None:
        own = WebSocket(server)
        try:
            handle(own)
        except PageGone:
            pass
        finally:
            own.close()

    Sock().route(path, bp=blueprint, endpoint="socket")(serve)


_OPTIONS = {"max_message_size": MESSAGE_BYTES_MAX, "receive_bytes": MESSAGE_BYTES_MAX}


def _prepare() -> None:
    """Gives flask-sock our connection, and no compression: video only costs by it."""
    environ = request.environ
    key = request.headers.get("Sec-WebSocket-Key", "")
    if request.headers.get("Sec-WebSocket-Version") != "13" or not _KEY.fullmatch(key):
        abort(400, "this is no WebSocket's handshake")
    environ.pop("HTTP_SEC_WEBSOCKET_EXTENSIONS", None)
    for name in _SOCKETS:
        if name in environ:
            environ[name] = _Connection(environ[name])
            return
    abort(400, "this server has no sockets")


class WebSocket:
    """A connection. `send` is for any thread, the rest for one. All raise PageGone at its end."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._connection: _Connection = server.sock
        self._sending = threading.Lock()
        self._pinged_s = time.monotonic()

    def send(self, data: str | bytes) -> None:
        """A whole message, text or binary; waits while the browser takes it."""
        try:
            with self._sending:
                self._server.send(data)
        except (OSError, ConnectionClosed) as error:
            self._connection.end()
            raise PageGone from error

    def receive(self, wait_s: float) -> str | bytes | None:
        """The next message; None when none came in `wait_s`."""
        self._beat()
        try:
            message: str | bytes | None = self._server.receive(timeout=wait_s)
        except ConnectionClosed as error:
            raise PageGone from error
        return message

    def close(self, code: int = 1000, words: str = "") -> None:
        """Says goodbye where somebody is there; nobody reads from the connection afterwards."""
        with contextlib.suppress(OSError, ConnectionClosed), self._sending:
            self._server.close(code, words)
        self._connection.end()
        self._server.thread.join()

    def _beat(self) -> None:
        now_s = time.monotonic()
        if now_s - self._connection.heard_s > _PONG_S:
            self._connection.end()
            raise PageGone
        if now_s - self._pinged_s >= _PING_S:
            self._pinged_s = now_s
            try:
                with self._sending:
                    self._connection.send(self._server.ws.send(Ping()))
            except OSError as error:
                raise PageGone from error


class _Connection:
    """A TCP connection for simple-websocket: `send`, `recv`, `close`, and no more."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._inside = threading.Lock()
        self._messages = threading.Lock()
        self._is_ended = False
        self.heard_s = time.monotonic()
        self._heard_bytes = 0.0
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, _UNSENT_BYTES)

    def send(self, data: bytes) -> int:
        """All of it. OSError when the browser takes nothing for `_STUCK_S`."""
        view = memoryview(data)
        with self._messages:
            while view:
                view = view[self._send_piece(view[:_PIECE_BYTES]) :]
        return len(data)

    def _send_piece(self, piece: memoryview) -> int:
        until_s = time.monotonic() + _STUCK_S
        while time.monotonic() < until_s:
            if self._is_ended:
                raise BrokenPipeError
            try:
                with self._inside:
                    return self._sock.send(piece)
            except (BlockingIOError, ssl.SSLWantWriteError):
                self._wait(select.POLLOUT, 1.0)
            except ssl.SSLWantReadError:
                self._wait(select.POLLIN, 0.05)  # the other thread may take what comes
        self.end()
        raise TimeoutError("the browser does not read")

    def recv(self, size: int) -> bytes:
        """Up to `size` bytes; empty at the end. A flood is one."""
        while not self._is_ended:
            try:
                with self._inside:
                    data = self._sock.recv(size)
            except (BlockingIOError, ssl.SSLWantReadError):
                self._wait(select.POLLIN, None)
                continue
            except ssl.SSLWantWriteError:
                self._wait(select.POLLOUT, 0.05)
                continue
            return b"" if self._floods(len(data)) else data
        return b""

    def _floods(self, size: int) -> bool:
        now_s = time.monotonic()
        left = self._heard_bytes - (now_s - self.heard_s) * _HEARD_BYTES_PER_S
        self._heard_bytes = max(0.0, left) + size
        self.heard_s = now_s
        return self._heard_bytes > _HEARD_BYTES_MAX

    def _wait(self, events: int, wait_s: float | None) -> None:
        poll = select.poll()
        poll.register(self._sock, events)
        poll.poll(None if wait_s is None else wait_s * 1000)

    def end(self) -> None:
        """Wakes whoever waits. The descriptor is closed by the server, when nobody uses it."""
        self._is_ended = True
        with contextlib.suppress(OSError):
            # The plain socket's: TLS would say goodbye, and another thread may be inside it.
            socket.socket.shutdown(self._sock, socket.SHUT_RDWR)

    close = end

    def fileno(self) -> int:
        """Of the connection."""
        return self._sock.fileno()
