"""A keeper's index sockets: who may ask, and how his question and its answer travel."""

from __future__ import annotations

import logging
import os
import select
import socket
from array import array
from collections import deque
from collections.abc import Callable
from pathlib import Path

import msgspec

from vonggac.errors import Unavailable, VonggacError
from vonggac.store.index import IndexDamaged
from vonggac_appliance import parts, sockets
from vonggac_appliance.keep_answers import Answers, Asker, Class
from vonggac_appliance.keep_poll import READ, WRITE, Poller

_log = logging.getLogger("vonggac.keep")

CLIENTS_MAX = 256
_WAITING_PARTS_MAX = 64
"""A client that asks and does not read is let go: 4 MiB of answers."""
MOTION_USER = "vonggac-motion"


def socket_name(disk: bytes) -> str:
    """Of a disk's index socket, in the directories of `view` and `machine`."""
    return f"index-{disk[:4].hex()}.sock"


class _Client:
    def __init__(self, sock: socket.socket, name: Class) -> None:
        self.sock = sock
        self.asker = Asker(name)
        self.out: deque[tuple[bytes, int]] = deque()

    def write(self) -> None:
        """Sends what waits; OSError when the client is gone."""
        while self.out:
            message, fd = self.out[0]
            rights = [] if fd < 0 else [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array("i", [fd]))]
            try:
                self.sock.sendmsg([message], rights, socket.MSG_NOSIGNAL)
            except BlockingIOError:
                return
            self.out.popleft()
            if fd >= 0:
                os.close(fd)

    def close(self) -> None:
        for _, fd in self.out:
            if fd >= 0:
                os.close(fd)
        self.sock.close()


class Questions:
    """Listens, reads, sends; all in the keeper's main thread and without waiting for anybody."""

    def __init__(self, answers: Answers, home: Path, disk: bytes) -> None:
        self._answers = answers
        self._home = home
        self._disk = disk
        self._clients: dict[int, _Client] = {}
        self._listeners: list[tuple[socket.socket, Path]] = []
        self._motion_uid = sockets.service_uid(MOTION_USER)
        """None without service users: then the folder alone tells (docs/ref/sockets.md)."""

    def begin(self, poller: Poller) -> None:
        """Opens the sockets.

        Nobody can ask for pictures where they cannot be made; recording goes on.
        """
        self._poller = poller
        classes: tuple[Class, ...] = ("view", "machine")
        for name in classes:
            try:
                directory = sockets.prepare_class(self._home, name)
                path = directory / socket_name(self._disk)
                listener = sockets.listen(path)
            except (OSError, Unavailable) as error:
                _log.error("questions of class %s cannot be answered: %s", name, error)
                continue
            listener.setblocking(False)
            self._listeners.append((listener, path))
            poller.watch(listener.fileno(), READ, self._acceptor(listener, name))

    def close(self) -> None:
        for client in list(self._clients.values()):
            self._drop(client)
        for listener, path in self._listeners:
            self._poller.unwatch(listener.fileno())
            listener.close()
            path.unlink(missing_ok=True)

    def _acceptor(self, listener: socket.socket, name: Class) -> Callable[[int], None]:
        def accept(_: int) -> None:
            try:
                sock, _ = listener.accept()
            except OSError:
                return  # the caller has gone again
            if len(self._clients) >= CLIENTS_MAX or not self._is_welcome(sock, name):
                sock.close()
                return
            sock.setblocking(False)
            client = _Client(sock, name)
            self._clients[sock.fileno()] = client
            self._poller.watch(sock.fileno(), READ, lambda mask: self._serve(client, mask))

        return accept

    def _is_welcome(self, sock: socket.socket, name: Class) -> bool:
        """Who needs no receipt is known by his user, not by a folder alone."""
        if name != "machine" or self._motion_uid is None:
            return True
        uid = sockets.peer_of(sock).uid
        if uid == self._motion_uid:
            return True
        _log.warning("user %d is not %s: it gets nothing of class machine", uid, MOTION_USER)
        return False

    def _serve(self, client: _Client, mask: int) -> None:
        try:
            if mask & READ and len(client.out) < _WAITING_PARTS_MAX:
                message = sockets.recv(client.sock)
                message.close_fds()
                kind, body, fd = self._answers.answer(client.asker, message)
                messages = parts.split(kind, msgspec.msgpack.encode(body), message.request)
                client.out.extend((m, fd if n == 0 else -1) for n, m in enumerate(messages))
            elif mask & (select.EPOLLHUP | select.EPOLLERR):
                raise sockets.Closed("gone")
            client.write()
        except BlockingIOError:
            return
        except (OSError, sockets.Closed):
            self._drop(client)
            return
        except IndexDamaged:
            raise  # not the question's fault: the keeper ends, and the next one mends it
        except VonggacError as error:
            _log.warning("a question that is none: %s", error)
            self._drop(client)
            return
        # A client that does not read its answers is not read from either.
        events = WRITE if client.out else READ
        self._poller.watch(client.sock.fileno(), events, lambda mask: self._serve(client, mask))

    def _drop(self, client: _Client) -> None:
        fd = client.sock.fileno()
        self._poller.unwatch(fd)
        self._clients.pop(fd, None)
        self._answers.gone(client.asker)
        client.close()
