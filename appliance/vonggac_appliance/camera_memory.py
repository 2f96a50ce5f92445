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
from vonggac.rtsp.challenges import Scheme
from vonggac.rtsp.habits import Habit
from vonggac.rtsp.learnt import Learnt, Life, after_end, without_hints
from vonggac.rtsp.leftover import Held
from vonggac.rtsp.url import Credentials
from vonggac_appliance.camera_account import Account, Accounts
from vonggac_appliance.camera_identity import Identity

__all__ = ["Memory", "SessionFailed"]


_SHARED_S = 30.0
"""How long at most who shares a refused account sleeps: another one may find its login right."""
_AGAIN_NS = 24 * 3600 * 1_000_000_000
"""After which the transport that was entered is tried once more, where another one worked."""
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
        is_weaker: bool = False,
    ) -> None:
        """`wait_s`: until it may be tried again, where the usual back-off does not fit.

        `is_refused`: the camera has just said that it knows user or password not. `is_busy`: that
        it serves no more connections. `is_away`: nobody took the connection. `is_weaker`: that it
        wants the password in the clear, and did not before.
        """
        super().__init__(what)
        self.reason = reason
        self.what = what
        self.wait_s = wait_s
        self.is_refused = is_refused
        self.is_busy = is_busy
        self.is_away = is_away
        self.is_weaker = is_weaker


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
    with_sound: bool = False
    """Its sound may be recorded."""
    identity: Identity = field(default_factory=Identity)
    accounts: Accounts = field(default_factory=Accounts)
    """Of all cameras together."""
    unreachable: list[str] = field(default_factory=list)
    """Of its name's addresses, those at which nobody took the connection."""
    fell_back_ns: int = 0
    """Wall time since when another transport than the entered one is used; 0: it is not."""
    account: Account | None = None
    """Whose refusals count together with its own; None while it says no login."""
    _said: bytes = b""
    """What stands for its login there."""
    _sound_failed_s: float | None = None
    """Monotonic."""
    _fruitless: int = 0
    _is_proven: bool = False
    _one_at_a_time: asyncio.Lock = field(default_factory=asyncio.Lock)

    @property
    def asks_for_sound(self) -> bool:
        """Whether the next dialogue does."""
        failed_s = self._sound_failed_s
        is_due = failed_s is None or time.monotonic() >= failed_s + _AGAIN_NS / 1e9
        return self.with_sound and is_due

    def sound_failed(self) -> None:
        """Sound never costs pictures: what came to nothing behind it is tried without for a day.

        It may have been the network's fault.
        """
        self._sound_failed_s = time.monotonic()

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

    def way(self, entered: str, now_ns: int) -> str:
        """`tcp` or `udp`: what worked, and once a day what was entered, in case it does by now."""
        worked = self.learnt.transport or entered
        if worked == entered:
            self.fell_back_ns = 0
            return entered
        if 0 < self.fell_back_ns <= now_ns < self.fell_back_ns + _AGAIN_NS:
            return worked
        is_new = self.fell_back_ns == 0
        self.fell_back_ns = now_ns
        return worked if is_new else entered

    def logs_in_at(self, address: tuple[str, int], credentials: Credentials | None) -> None:
        """Whose refusals count with its own: of this user at this address and port."""
        if credentials is not None:
            self.account = self.accounts.of(address, credentials.user)
            self._said = self.accounts.login(credentials)
            if self.lockout is not None and self.lockout.login != self.login:
                self.left()  # a person has given it another one

    @contextlib.asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """A turn to log in. Raises SessionFailed while the camera would take it for guessing.

        Until a login has proven right, streams take turns, and so do cameras of one account: two
        that try a wrong one at once are four refusals, and some lock the account at five.
        """
        account, said = self.account, self._said
        async with contextlib.AsyncExitStack() as stack:
            if not self._is_proven:
                await stack.enter_async_context(self._one_at_a_time)
                self._look_at_lockout()
            if account is not None and not account.is_proven(said):
                stack.callback(account.leave, await account.enter(said))
                if (wait_s := account.refusals.wait_s(time.time_ns())) > 0:
                    what = "other cameras' logins were refused there; asking on would lock it"
                    raise SessionFailed(
                        GapReason.WRONG_PASSWORD, what, wait_s=min(wait_s, _SHARED_S)
                    )
            yield

    def _look_at_lockout(self) -> None:
        """Whether this camera has refused this login lately. Raises SessionFailed."""
        if self.lockout is not None:
            now_ns = time.time_ns()
            self.lockout = self.lockout.looked_at(now_ns)
            wait_s = self.lockout.wait_s(self.login, now_ns)
            if wait_s > 0:
                what = "the camera has refused user or password; asking on would lock it"
                raise SessionFailed(GapReason.WRONG_PASSWORD, what, wait_s=wait_s)

    @property
    def refusals_max(self) -> int:
        """Before it is given up: two, and one where any was refused lately."""
        is_known = self.lockout is not None and self.lockout.login == self.login
        if is_known:
            return 1
        if self.account is None or self.account.is_proven(self._said):
            return 2
        return self.account.refusals.connection_max

    def refused(self) -> float:
        """The camera knows user or password not; gives the seconds until it may be asked again."""
        now_ns = time.time_ns()
        self._is_proven = False
        if self.account is not None:
            self.account.refuses(self._said, id(self), now_ns)
        self.lockout = lockout.refused(self.lockout, self.login, now_ns)
        return self.lockout.wait_s(self.login, now_ns)

    def knows(self, certificate: bytes) -> None:
        """It shows this one. Raises SessionFailed where it showed another one before."""
        if self.certificate and certificate != self.certificate:
            self.identity.met_certificate(certificate)
            raise SessionFailed(GapReason.OTHER_DEVICE, self.identity.sentence())
        self.certificate = certificate

    def confirms(self, *, is_known_back: bool) -> bool:
        """A person has said which device is the camera's. False: none had waited for that."""
        other = self.identity.confirm(is_known_back=is_known_back)
        if other is not None and other.certificate and not is_known_back:
            self.certificate = other.certificate
        return other is not None

    def says(self) -> None:
        """The login goes out."""
        if self.account is not None:
            self.account.says()

    def proves(self) -> None:
        """The login was taken; what else comes of the dialogue says nothing about it."""
        self._is_proven = True
        self.lockout = None
        if self.account is not None:
            self.account.proves(self._said)

    def accepted(self) -> None:
        """A session plays."""
        self.proves()
        self._fruitless = 0

    def doubted(self) -> None:
        """Refused in mid-session, after it was taken: streams take turns again to log in."""
        self._is_proven = False

    def released(self) -> None:
        """A person wants it tried at once, though it was refused."""
        self.lockout = None
        if self.account is not None:
            self.account.refusals.pardons()

    def left(self) -> None:
        """The camera is known no more."""
        if self.account is not None:
            self.account.refusals.forgets(id(self))
