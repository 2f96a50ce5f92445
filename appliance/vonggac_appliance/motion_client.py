"""Asking `motion run`: searches as iterators that may be closed at any time, and its state.

Receipts come from `motion_looks`; without them nothing is answered.
"""

from __future__ import annotations

import contextlib
import itertools
import socket
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec
import zmq

from vonggac.errors import Invalid, Refused, TooMany, Unavailable
from vonggac_appliance.messages_motion import (
    AskHeat,
    AskMarks,
    AskMotion,
    AskMotionStatus,
    CancelMotion,
    MoreMotion,
    Motion,
    MotionDone,
    MotionHeat,
    MotionOk,
    MotionQuery,
    MotionRefused,
    MotionReply,
    MotionStatusReply,
    RebuildMotion,
    motion_path,
)
from vonggac_appliance.sockets import DECODE_ERRORS, ipc_path, reachable

__all__ = ["DEADLINE_S", "MotionClient"]

DEADLINE_S = 15.0
"""Without any answer; a long search tells something at once and then every now and then."""
_LINGER_MS = 200
"""For the word that a search is cancelled: else it would go on for nobody."""


class MotionClient:
    """One connection, for one thread. Raises Unavailable where no `motion run` listens."""

    def __init__(self, home: Path, deadline_s: float = DEADLINE_S) -> None:
        self._path = motion_path(home)
        self._deadline_s = deadline_s
        self._numbers = itertools.count(1)
        self._stack = contextlib.ExitStack()
        _require_listener(self._path)
        context = self._stack.enter_context(zmq.Context())
        self._socket = self._stack.enter_context(context.socket(zmq.DEALER))
        self._socket.linger = _LINGER_MS
        self._socket.connect(self._stack.enter_context(ipc_path(self._path)))

    def close(self) -> None:
        """Ends the connection, and with it every search of it."""
        self._stack.close()

    def __enter__(self) -> MotionClient:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def search(self, query: MotionQuery, receipts: Sequence[bytes]) -> Iterator[MotionReply]:
        """MotionCovered, MotionCoarse and MotionHits as they come; MotionDone is the last.

        Closing the iterator cancels. Refused, Invalid (the region), TooMany, Unavailable.
        """
        number = next(self._numbers)
        return self._stream(number, AskMotion(number, query, list(receipts)))

    def heat(self, query: MotionQuery, receipts: Sequence[bytes]) -> list[MotionHeat]:
        """How often each cell of each camera moved. Raises as `search`."""
        number = next(self._numbers)
        answers = self._stream(number, AskHeat(number, query, list(receipts)))
        return [answer for answer in answers if isinstance(answer, MotionHeat)]

    def marks(self, query: MotionQuery, receipts: Sequence[bytes]) -> Iterator[MotionReply]:
        """MarksFound as they come; MotionDone is the last. Closing and errors as `search`."""
        number = next(self._numbers)
        return self._stream(number, AskMarks(number, query, list(receipts)))

    def status(self) -> MotionStatusReply:
        """How far the index is. Unavailable."""
        number = next(self._numbers)
        self._send(AskMotionStatus(number))
        answer = self._answer(number)
        if not isinstance(answer, MotionStatusReply):
            raise Unavailable(f"`motion run` answers {type(answer).__name__}")
        return answer

    def rebuild(self, cameras: Sequence[bytes], from_ns: int, to_ns: int) -> None:
        """Has that part of the index made anew. Returns once it is forgotten."""
        number = next(self._numbers)
        self._send(RebuildMotion(number, list(cameras), from_ns, to_ns))
        answer = self._answer(number)
        if not isinstance(answer, MotionOk):
            raise Unavailable(f"`motion run` answers {type(answer).__name__}")

    def _stream(self, number: int, ask: Motion) -> Iterator[MotionReply]:
        self._send(ask)
        is_over = False
        try:
            while not is_over:
                answer = self._answer(number)
                is_over = isinstance(answer, MotionDone)
                yield answer
                if not is_over:
                    self._send(MoreMotion(number))
        except Refused:
            is_over = True
            raise
        finally:
            if not is_over:
                # A connection that was closed before its iterator has cancelled already.
                with contextlib.suppress(Unavailable, zmq.ZMQError):
                    self._send(CancelMotion(number))

    def _send(self, message: Motion) -> None:
        try:
            self._socket.send(msgspec.msgpack.encode(message), zmq.NOBLOCK)
        except zmq.Again as error:
            raise Unavailable("`motion run` does not read") from error

    def _answer(self, number: int) -> MotionReply:
        """The next answer with this number; those of a search that was cancelled are let go."""
        until_s = time.monotonic() + self._deadline_s
        while True:
            left_ms = int((until_s - time.monotonic()) * 1000)
            if left_ms <= 0 or not self._socket.poll(left_ms):
                raise Unavailable(f"`motion run` does not answer within {self._deadline_s:g} s")
            try:
                answer: MotionReply = msgspec.msgpack.decode(self._socket.recv(), type=MotionReply)
            except DECODE_ERRORS as error:
                raise Unavailable(f"`motion run` answers in another version: {error}") from error
            if answer.number == number:
                break
        if isinstance(answer, MotionRefused):
            raise _error(answer)
        return answer


def _error(answer: MotionRefused) -> Exception:
    if answer.code == "busy":
        return TooMany(answer.what, 2.0)
    if answer.code == "region":
        return Invalid("region", answer.what)
    if answer.code in ("stopping", "failed"):
        return Unavailable(answer.what)
    return Refused(answer.what)


def _require_listener(path: Path) -> None:
    """ZeroMQ would wait for a listener for ever."""
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe, reachable(path) as name:
            probe.connect(name)
    except OSError as error:
        raise Unavailable(
            "nobody answers about motion: `vonggac motion run` is not running"
        ) from error
