"""The line from `push run` to the recorder: questions out, answers and sockets in."""

from __future__ import annotations

import asyncio
import logging
import socket
from pathlib import Path

import msgspec

from vonggac.errors import MediaError, Unavailable
from vonggac_appliance import sockets
from vonggac_appliance.messages import Kind
from vonggac_appliance.messages_push import (
    AskPush,
    PushCounts,
    PushRecords,
    PushTold,
    push_path,
)

__all__ = ["Answer", "Line"]

_log = logging.getLogger("vonggac.push")

_AGAIN_S = 1.0
_CONNECT_S = 1.0
_AWAY = 503

Answer = tuple[int, socket.socket | None]
"""Status, and the socket that came with it."""


class Line:
    """Kept up for as long as `keep` runs; while the recorder is away everybody is told 503."""

    def __init__(self, home: Path) -> None:
        self._path = push_path(home)
        self._sock: socket.socket | None = None
        self._ended = asyncio.Event()
        self._numbers = 0
        self._open: dict[int, asyncio.Future[Answer]] = {}
        self._told = PushCounts()

    async def keep(self) -> None:
        """Connects, and again when the recorder was away; until cancelled."""
        is_new = True
        try:
            while True:
                try:
                    self._begin()
                except Unavailable as error:
                    if is_new:
                        _log.warning("the recorder is away: %s", error)
                    is_new = False
                else:
                    _log.info("the recorder hears")
                    is_new = True
                    await self._ended.wait()
                    self._end()
                await asyncio.sleep(_AGAIN_S)
        finally:
            self._end()

    def _begin(self) -> None:
        self._ended.clear()
        sock = sockets.connect(self._path, _CONNECT_S)
        sock.setblocking(False)
        self._sock, self._told = sock, PushCounts()
        asyncio.get_running_loop().add_reader(sock, self._readable)

    def _end(self) -> None:
        if self._sock is not None:
            asyncio.get_running_loop().remove_reader(self._sock)
            self._sock.close()
            self._sock = None
        for future in self._open.values():
            if not future.done():
                future.set_result((_AWAY, None))
        self._open.clear()

    def number(self) -> int:
        """For a question."""
        self._numbers += 1
        return self._numbers

    async def ask(self, question: AskPush | PushRecords) -> Answer:
        """The recorder's answer; whoever asks owns the socket in it."""
        kind = Kind.ASK_PUSH if isinstance(question, AskPush) else Kind.PUSH_RECORDS
        if not self._say(kind, question):
            return _AWAY, None
        future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._open[question.number] = future
        try:
            return await future
        finally:
            self._open.pop(question.number, None)

    def tell(self, counts: PushCounts) -> None:
        """Figures, if they are other ones than before."""
        if counts != self._told and self._say(Kind.PUSH_COUNTS, counts):
            self._told = counts

    def _say(self, kind: Kind, body: msgspec.Struct) -> bool:
        if self._sock is None:
            return False
        try:
            sockets.send(self._sock, kind, body)
        except BlockingIOError:
            return False  # it reads nothing at this moment
        except (Unavailable, MediaError):
            self._ended.set()
            return False
        return True

    def _readable(self) -> None:
        assert self._sock is not None
        try:
            message = sockets.recv(self._sock)
        except BlockingIOError:
            return
        except (Unavailable, MediaError):
            asyncio.get_running_loop().remove_reader(self._sock)
            self._ended.set()
            return
        came = [socket.socket(fileno=fd) for fd in message.fds]
        told = sockets.decode(message, PushTold)
        future = self._open.get(told.number)
        if message.kind != Kind.PUSH_TOLD or future is None or future.done():
            for sock in came:  # who asked has gone: so has his connection
                sock.close()
            return
        future.set_result((told.status, came[0] if came else None))
