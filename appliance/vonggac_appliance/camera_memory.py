"""What the recorder keeps of a camera from one connection to the next; its streams share it."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace

from vonggac.errors import Unavailable
from vonggac.ingest import lockout
from vonggac.ingest.lockout import Lockout
from vonggac.media.chunk import GapReason
from vonggac.rtsp.auth import Scheme
from vonggac.rtsp.habits import Habit
from vonggac.rtsp.learnt import Learnt, Life, after_end, without_hints
from vonggac.rtsp.leftover import Held

__all__ = ["Memory", "SessionFailed"]


_FRUITLESS_MAX = 3
"""Dialogues in a row that come to nothing before hints are dropped: they may be the reason."""


class SessionFailed(Unavailable):
    """No video came about; `reason` names the gap, `what` is for people and holds no login."""

    def __init__(
        self,
        reason: GapReason,
        what: str,
        *,
        wait_s: float | None = None,
        is_refused: bool = False,
        is_busy: bool = False,
        is_away: bool = False,
    ) -> None:
        """`wait_s`: until it may be tried again, where the usual back-off does not fit.

        `is_refused`: the camera has just said that it knows user or password not. `is_busy`: that
        it serves no more connections. `is_away`: nobody took the connection.
        """
        super().__init__(what)
        self.reason = reason
        self.what = what
        self.wait_s = wait_s
        self.is_refused = is_refused
        self.is_busy = is_busy
        self.is_away = is_away


@dataclass(slots=True)
class Memory:
    """Of one camera. Used in the recorder's one thread."""

    learnt: Learnt = field(default_factory=Learnt)
    habits: Counter[Habit] = field(default_factory=Counter)
    """How often each was met, for as long as the camera is known."""
    lockout: Lockout | None = None
    login: bytes = b""
    """Stands for its login and tells nothing of it: a hash of the sealed form."""
    certificate: bytes = b""
    """SHA-256 of the one it showed first, where it is asked over TLS; empty: none yet."""
    sessions: list[Held] = field(default_factory=list)
    """That it holds for us now."""
    leftover: list[Held] = field(default_factory=list)
    """And those of an earlier life of the recorder, which ended without saying so."""
    _fruitless: int = 0
    _is_proven: bool = False
    _one_at_a_time: asyncio.Lock = field(default_factory=asyncio.Lock)

    @property
    def floor(self) -> Scheme:
        """Digest is never given up for Basic without consent."""
        return self.learnt.scheme or Scheme.BASIC

    def keeps_scheme(self, scheme: Scheme | None) -> None:
        """Also of a session that came to nothing: what was offered once is not unlearnt."""
        if scheme is not None:
            self.learnt = replace(self.learnt, scheme=max(self.floor, scheme))

    def ended(self, life: Life) -> None:
        """A connection that played has ended by itself."""
        self.learnt = after_end(self.learnt, life)

    def came_to_nothing(self) -> None:
        """It answered, and would neither play nor say that it is busy: an exchanged camera, say.

        Then a hint must not keep it away for ever; what still holds is soon learnt anew. While
        another stream plays they hold, and this one has reasons of its own.
        """
        if self.sessions:
            return
        self._fruitless += 1
        if self._fruitless >= _FRUITLESS_MAX:
            self._fruitless, self.learnt = 0, without_hints(self.learnt)

    @contextlib.asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """A turn to log in. Raises SessionFailed while the camera would take it for guessing.

        Until a login has proven right, streams take turns: two that try a wrong one at once are
        four refusals, and some cameras lock the account at five.
        """
        if self._is_proven:
            yield
            return
        async with self._one_at_a_time:
            if self.lockout is not None:
                now_ns = time.time_ns()
                self.lockout = self.lockout.looked_at(now_ns)
                wait_s = self.lockout.wait_s(self.login, now_ns)
                if wait_s > 0:
                    what = "the camera has refused user or password; asking on would lock it"
                    raise SessionFailed(GapReason.WRONG_PASSWORD, what, wait_s=wait_s)
            yield

    @property
    def refusals_max(self) -> int:
        """Before it is given up: two, and one where this login was refused before."""
        is_known = self.lockout is not None and self.lockout.login == self.login
        return 1 if is_known else 2

    def refused(self) -> float:
        """The camera knows user or password not; gives the seconds until it may be asked again."""
        now_ns = time.time_ns()
        self._is_proven = False
        self.lockout = lockout.refused(self.lockout, self.login, now_ns)
        return self.lockout.wait_s(self.login, now_ns)

    def knows(self, certificate: bytes) -> None:
        """It shows this one. Raises SessionFailed where it showed another one before."""
        if self.certificate and certificate != self.certificate:
            what = "another certificate than before; if the camera was exchanged, forget-learnt"
            raise SessionFailed(GapReason.OTHER_DEVICE, what)
        self.certificate = certificate

    def accepted(self) -> None:
        """A session plays."""
        self._is_proven = True
        self._fruitless = 0
        self.lockout = None

    def doubted(self) -> None:
        """Refused in mid-session, after it was taken: streams take turns again to log in."""
        self._is_proven = False
