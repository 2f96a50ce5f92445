"""Whose turn it is to log in to an account that several cameras share.

A recorder of many channels is many cameras here and one account there: it counts wrong passwords of
all of them together, and locks for all. So nobody says a login that was not taken lately before the
one who says it has heard the answer, and all wait once two of them were refused.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import secrets
import time
import weakref
from dataclasses import dataclass, field

from vonggac.ingest.lockout import Lockout, Refusals
from vonggac.rtsp.client import REPLY_TIMEOUT_S
from vonggac.rtsp.url import Credentials

__all__ = ["Account", "Accounts", "Turn"]

_FRESH_S = 10.0
"""How long a login that was taken is not doubted: the channels of a recorder come back together."""
_PATIENCE_S = 2.0
"""With who has a turn. A channel that does not answer holds up the others for no longer."""


@dataclass(frozen=True, slots=True, eq=False)
class Turn:
    """The right to say a login before others do, until it is given back."""

    login: bytes


@dataclass(slots=True, weakref_slot=True, eq=False)
class Account:
    """Used in the recorder's one thread. `login` stands for user and password."""

    key: bytes
    """What it is known by: nothing of a password is in it."""
    refusals: Refusals = field(default_factory=Refusals)
    _proven: bytes = b""
    _proven_s: float = 0.0
    """The login that was taken last, and when (monotonic)."""
    _said_s: float = -REPLY_TIMEOUT_S
    """When a login was said last whose answer is not there yet (monotonic)."""
    _turn: Turn | None = None
    _one_at_a_time: asyncio.Lock = field(default_factory=asyncio.Lock)

    def is_proven(self, login: bytes) -> bool:
        """Whether it was taken a moment ago: nobody has to wait to say it."""
        return login == self._proven and time.monotonic() - self._proven_s < _FRESH_S

    async def enter(self, login: bytes) -> Turn | None:
        """Waits for a turn to say it; None where it proves right meanwhile.

        Who has one and says nothing loses it, to one and not to all who wait. But an answer is
        waited for: many devices take seconds to refuse, against guessing.
        """
        while not self.is_proven(login):
            holder = self._turn
            try:
                async with asyncio.timeout(_PATIENCE_S):
                    await self._one_at_a_time.acquire()
            except TimeoutError:
                is_awaited = time.monotonic() - self._said_s < REPLY_TIMEOUT_S
                if is_awaited or self._turn is not holder:
                    continue
            else:
                if self.is_proven(login):
                    self._one_at_a_time.release()
                    return None
            self._turn = Turn(login)
            return self._turn
        return None

    def says(self) -> None:
        """A login goes out."""
        self._said_s = time.monotonic()

    def leave(self, turn: Turn | None) -> None:
        """Gives it back, if it was not yet."""
        if turn is not None and turn is self._turn:
            self._turn = None
            self._one_at_a_time.release()

    def proves(self, login: bytes) -> None:
        """It was taken: nobody waits for this turn any more."""
        self._proven, self._proven_s = login, time.monotonic()
        self._said_s = -REPLY_TIMEOUT_S
        self.refusals.accepts()
        if self._turn is not None and self._turn.login == login:
            self.leave(self._turn)

    def refuses(self, login: bytes, camera: int, now_ns: int) -> None:
        """It was not."""
        self._said_s = -REPLY_TIMEOUT_S
        self.refusals.refuses(camera, now_ns)
        if login == self._proven and self.refusals.wait_s(now_ns) > 0:
            self._proven = b""  # two of its cameras say so: it is not one that lost its rights


class Accounts:
    """Of all cameras of a recorder. An account lives as long as a camera of its."""

    def __init__(self) -> None:
        self._secret = secrets.token_bytes(32)
        """Of this process and never written: nobody can try passwords against what it makes."""
        self._all: weakref.WeakValueDictionary[bytes, Account] = weakref.WeakValueDictionary()

    def of(self, address: tuple[str, int], user: str) -> Account:
        """The account of a user at an address and port."""
        host, port = address
        return self._of(hashlib.sha256(f"{host}\0{port}\0{user}".encode()).digest())

    def remembered(self, key: bytes, camera: int, before: Lockout) -> Account:
        """One that refused a camera in an earlier life of the recorder."""
        account = self._of(key)
        account.refusals.joins(camera, before)
        return account

    def login(self, credentials: Credentials) -> bytes:
        """What stands for a login, the same for every camera that says it."""
        said = f"{credentials.user}\0{credentials.password}".encode("utf-8", "surrogatepass")
        return hmac.digest(self._secret, said, hashlib.sha256)

    def _of(self, key: bytes) -> Account:
        return self._all.setdefault(key, Account(key))
