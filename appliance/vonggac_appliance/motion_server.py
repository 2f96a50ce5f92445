"""The socket `motion`: who asks what, whose turn it is, and who has had enough."""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec
import zmq

from vonggac.errors import Invalid, Refused, VonggacError
from vonggac_appliance.messages_motion import (
    WINDOW,
    AskHeat,
    AskMarks,
    AskMotion,
    AskMotionStatus,
    CancelMotion,
    MoreMotion,
    Motion,
    MotionDone,
    MotionOk,
    MotionRefused,
    MotionReply,
    MotionStatusReply,
    RebuildMotion,
    motion_path,
)
from vonggac_appliance.motion_answers import MotionAnswers
from vonggac_appliance.sockets import DECODE_ERRORS, ipc_path, prepare_class

__all__ = ["MotionServer"]

_log = logging.getLogger("vonggac.motion")

_REQUEST_BYTES_MAX = 1 << 20
_SEARCHES_MAX = 64
_OF_ONE_MAX = 8
_SILENT_S = 30.0
_READS_A_TURN = 100

_Name = tuple[bytes, int]
"""Who asked (as ROUTER names him), and his number."""


@dataclass(slots=True)
class _Search:
    answers: Iterator[MotionReply | None]
    credit: int
    heard_s: float
    """Of its asker; or the first answer was sent that he has not used."""

    def is_silent(self, now_s: float, silent_s: float) -> bool:
        """Whether it is his turn, and has been for long; who waits for an answer is not."""
        return self.credit < WINDOW and now_s - self.heard_s > silent_s


class MotionServer:
    """In the process's main thread."""

    def __init__(
        self,
        home: Path,
        context: zmq.Context[zmq.Socket[bytes]],
        answers: MotionAnswers,
        status: Callable[[int], MotionStatusReply],
        rebuild: Callable[[RebuildMotion], None],
        silent_s: float = _SILENT_S,
    ) -> None:
        """`silent_s`: who has had an answer for so long and does not ask for more is gone."""
        prepare_class(home, "motion")
        path = motion_path(home)
        self._answers = answers
        self._status = status
        self._rebuild = rebuild
        self._silent_s = silent_s
        self._searches: dict[_Name, _Search] = {}
        self._stack = contextlib.ExitStack()
        self.socket = context.socket(zmq.ROUTER)
        self.socket.linger = 0
        self.socket.maxmsgsize = _REQUEST_BYTES_MAX
        self.socket.bind(self._stack.enter_context(ipc_path(path)))
        path.chmod(0o660)

    @property
    def searches(self) -> int:
        """Under way."""
        return len(self._searches)

    def close(self) -> None:
        """Stops listening; who waits for an answer is told so."""
        for name in list(self._searches):
            self._send(name, MotionRefused(name[1], "stopping", "the motion process ends"))
        self._searches.clear()
        self.socket.close(linger=200)
        self._stack.close()

    def receive(self) -> None:
        """Takes what has been said; never waits."""
        for _ in range(_READS_A_TURN):
            try:
                frames = self.socket.recv_multipart(zmq.NOBLOCK)
            except zmq.Again:
                return
            if len(frames) == 2:
                self._hear(frames[0], frames[1])

    def turn(self) -> bool:
        """One step of each search that its asker still reads; True: there is more to do at once."""
        now_s = time.monotonic()
        is_busy = False
        for name, search in list(self._searches.items()):
            if search.is_silent(now_s, self._silent_s):
                self._forget(name)
            elif search.credit:
                self._step(name, search)
                is_busy = True
        return is_busy

    def _hear(self, who: bytes, raw: bytes) -> None:
        try:
            asked: Motion = msgspec.msgpack.decode(raw, type=Motion)
        except DECODE_ERRORS as error:
            self._send((who, 0), MotionRefused(0, "malformed", str(error)))
            return
        name = (who, asked.number)
        try:
            self._act(name, asked)
        except Refused as error:
            code = "receipt"
            if isinstance(error, Invalid):
                code = "region" if error.field == "region" else "malformed"
            self._send(name, MotionRefused(asked.number, code, str(error)))
        except VonggacError as error:
            _log.error("%s is not done: %s", type(asked).__name__, error)
            self._send(name, MotionRefused(asked.number, "failed", str(error)))

    def _act(self, name: _Name, asked: Motion) -> None:
        if isinstance(asked, CancelMotion):
            self._forget(name)
        elif isinstance(asked, MoreMotion):
            search = self._searches.get(name)
            if search is not None:
                search.credit = min(search.credit + 1, WINDOW)
                search.heard_s = time.monotonic()
        elif isinstance(asked, AskMotionStatus):
            self._send(name, self._status(asked.number))
        elif isinstance(asked, RebuildMotion):
            self._rebuild(asked)
            self._send(name, MotionOk(asked.number))
        else:
            self._begin(name, asked)

    def _begin(self, name: _Name, asked: AskMotion | AskHeat | AskMarks) -> None:
        own = sum(who == name[0] for who, _ in self._searches)
        if len(self._searches) >= _SEARCHES_MAX or own >= _OF_ONE_MAX:
            what = "too many searches are under way"
            self._send(name, MotionRefused(asked.number, "busy", what))
            return
        is_heat = isinstance(asked, AskHeat)
        self._answers.check(asked.query, asked.receipts, is_heat=is_heat)
        make = self._answers.heat if is_heat else self._answers.search
        make = self._answers.marks if isinstance(asked, AskMarks) else make
        self._forget(name)
        answers = make(asked.number, asked.query)
        self._searches[name] = _Search(answers, WINDOW, time.monotonic())

    def _step(self, name: _Name, search: _Search) -> None:
        try:
            answer = next(search.answers, None)
        except Refused as error:
            self._forget(name)
            self._send(name, MotionRefused(name[1], "malformed", str(error)))
            return
        except VonggacError as error:
            _log.error("a search is not finished: %s", error)
            self._forget(name)
            self._send(name, MotionRefused(name[1], "failed", str(error)))
            return
        if answer is None:
            return
        if search.credit == WINDOW:
            search.heard_s = time.monotonic()
        search.credit -= 1
        if isinstance(answer, MotionDone):
            self._forget(name)
        self._send(name, answer)

    def _forget(self, name: _Name) -> None:
        search = self._searches.pop(name, None)
        if search is not None:
            close = getattr(search.answers, "close", None)
            if close is not None:
                close()

    def _send(self, name: _Name, answer: MotionReply) -> None:
        """A caller that has gone is not waited for; ROUTER drops what it cannot deliver."""
        with contextlib.suppress(zmq.Again):
            frames = [name[0], msgspec.msgpack.encode(answer)]
            self.socket.send_multipart(frames, zmq.NOBLOCK)
