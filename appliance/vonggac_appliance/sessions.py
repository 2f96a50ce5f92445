"""Sessions: who has signed in where, by the SHA-256 of a secret that only the browser has."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable

import msgspec

from vonggac.registry.sign_in import end_of_session, is_session_over
from vonggac_appliance.clock import Clock, wall_ns
from vonggac_appliance.serve_state import Rows, ServeState, decode_row, encode_row

__all__ = ["PER_PERSON_MAX", "SessionRow", "Sessions"]

PER_PERSON_MAX = 20
"""Browsers that one person is signed in with; one more ends the oldest."""
_TOKEN_BYTES = 32
_MOVE_NS = 60 * 1_000_000_000
"""How far the idle end lags behind: a write for each request would be a sync for each request."""


class SessionRow(msgspec.Struct, frozen=True):
    """A session. Its key is the SHA-256 of the token, which is nowhere else."""

    id: str
    """16 hex digits, public."""
    account: bytes
    created_ns: int
    seen_ns: int
    """When it was last used, at most a minute behind."""

    @property
    def until_ns(self) -> int:
        """When it ends if it is not used again."""
        return end_of_session(self.created_ns, self.seen_ns)


class Sessions:
    """The table. `ended` hears of every session that ends before its time or by it."""

    def __init__(
        self, state: ServeState, ended: Callable[[SessionRow], None], clock: Clock = wall_ns
    ) -> None:
        self._state = state
        self._ended = ended
        self._clock = clock
        self._known: dict[str, SessionRow] = {}
        """As the last sweep found them: another process may end some."""

    def new_row(self, account: bytes) -> SessionRow:
        """A session to be begun, with its public id; nothing is kept yet."""
        now_ns = self._clock()
        return SessionRow(secrets.token_hex(8), account, now_ns, now_ns)

    def begin(self, row: SessionRow) -> str:
        """Keep it; gives the token. What has ended meanwhile is cleared away."""
        token = secrets.token_urlsafe(_TOKEN_BYTES)
        with self._state.write() as rows:
            gone = self._clear(rows, row.account)
            rows.put("sessions", _key(token), encode_row(row))
        self._tell(gone)
        return token

    def find(self, token: str, *, moves: bool = True) -> SessionRow | None:
        """The session of `token`, moved on if `moves`; None when there is none, or it is over."""
        key = _key(token)
        with self._state.read() as rows:
            row = _read(rows.get("sessions", key))
        if row is None:
            return None
        now_ns = self._clock()
        if is_session_over(row.created_ns, row.seen_ns, now_ns):
            self.end(token)
            return None
        if not moves or now_ns - row.seen_ns < _MOVE_NS:
            return row
        return self._move(key, now_ns)

    def end(self, token: str) -> SessionRow | None:
        """Forget it at once; gives what it was."""
        key = _key(token)
        with self._state.write() as rows:
            row = _read(rows.get("sessions", key))
            rows.delete("sessions", key)
        if row is not None:
            self._tell([row])
        return row

    def end_all(self, account: bytes) -> None:
        """Forget every session of a person at once."""
        gone: list[SessionRow] = []
        with self._state.write() as rows:
            for key, raw in rows.all("sessions"):
                row = _read(raw)
                if row is not None and row.account == account:
                    rows.delete("sessions", key)
                    gone.append(row)
        self._tell(gone)

    def sweep(self) -> None:
        """Clear away what is over, and hear of what another process has ended."""
        with self._state.read() as rows:
            found = [_read(raw) for _, raw in rows.all("sessions")]
        before, self._known = self._known, {row.id: row for row in found if row is not None}
        self._tell([row for row in before.values() if row.id not in self._known])
        if not any(row is None or self._is_over(row) for row in found):
            return
        with self._state.write() as rows:
            gone = self._clear(rows, None)
        self._tell(gone)

    def _clear(self, rows: Rows, account: bytes | None) -> list[SessionRow]:
        """Takes out what is over, and of `account` the oldest that are one too many."""
        gone: list[SessionRow] = []
        own: list[tuple[bytes, SessionRow]] = []
        for key, raw in rows.all("sessions"):
            row = _read(raw)
            if row is None or self._is_over(row):
                rows.delete("sessions", key)
                gone += [row] if row is not None else []
            elif row.account == account:
                own.append((key, row))
        own.sort(key=lambda one: one[1].seen_ns)
        for key, row in own[: max(0, len(own) - PER_PERSON_MAX + 1)]:
            rows.delete("sessions", key)
            gone.append(row)
        return gone

    def _move(self, key: bytes, now_ns: int) -> SessionRow | None:
        with self._state.write() as rows:
            row = _read(rows.get("sessions", key))
            if row is None:
                return None  # it was signed out in between, and stays so
            row = msgspec.structs.replace(row, seen_ns=max(row.seen_ns, now_ns))
            rows.put("sessions", key, encode_row(row))
        return row

    def _is_over(self, row: SessionRow) -> bool:
        return is_session_over(row.created_ns, row.seen_ns, self._clock())

    def _tell(self, gone: list[SessionRow]) -> None:
        for row in gone:
            self._known.pop(row.id, None)
            self._ended(row)


def _key(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()


def _read(raw: bytes | None) -> SessionRow | None:
    return None if raw is None else decode_row(raw, SessionRow)
