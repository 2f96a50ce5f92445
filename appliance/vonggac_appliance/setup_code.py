"""The code that lets somebody new in: made on a terminal, typed once into the page."""

from __future__ import annotations

import hashlib
import hmac
import secrets

import msgspec

from vonggac.registry.people import Role, name_key
from vonggac_appliance.clock import Clock, wall_ns
from vonggac_appliance.serve_state import Rows, ServeState, decode_row, encode_row

__all__ = ["LIFETIME_NS", "TRIES_MAX", "CodeRow", "SetupCodes"]

LIFETIME_NS = 15 * 60 * 1_000_000_000
TRIES_MAX = 5
_LETTERS = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
"""Without 0, 1, I and O, which people mistake."""
_COUNT = 8
"""40 bits; five of them may be tried."""
_KEY = b"code"


class CodeRow(msgspec.Struct, frozen=True):
    """The code that is valid now. There is one at most."""

    salt: bytes
    digest: bytes
    """SHA-256 of salt and code."""
    made_ns: int
    tries: int
    name: str = ""
    """Whom it lets in. Empty: the first person, who chooses a name."""
    role: Role = Role.COMMANDER
    areas: tuple[str, ...] = ()
    """The resident groups of an area officer."""
    line: int = 0
    """Of the audit chain, where it says who made the code."""


class SetupCodes:
    """The code in HOME/serve."""

    def __init__(self, state: ServeState, clock: Clock = wall_ns) -> None:
        self._state = state
        self._clock = clock

    def make(
        self,
        name: str = "",
        role: Role = Role.COMMANDER,
        areas: tuple[str, ...] = (),
        line: int = 0,
    ) -> str:
        """A new one, as people read it; one that was made before is worth nothing any more."""
        code = "".join(secrets.choice(_LETTERS) for _ in range(_COUNT))
        salt = secrets.token_bytes(16)
        digest = _digest(salt, code)
        row = CodeRow(salt, digest, self._clock(), 0, name, role, areas, line)
        with self._state.write() as rows:
            rows.put("setup", _KEY, encode_row(row))
        return f"{code[: _COUNT // 2]}-{code[_COUNT // 2 :]}"

    def matching(self, typed: str, name: str = "") -> CodeRow | None:
        """What `typed` is good for, if it is the code of `name`; empty: of the first person.

        A wrong one counts, and so does a right one of somebody else; after five, or 15 minutes,
        none is right. What is wrong in both is no guess: else whoever reaches the page could end
        every code.
        """
        code = "".join(typed[:64].upper().split()).replace("-", "")
        with self._state.write() as rows:
            row = self._valid(rows)
            if row is None:
                rows.delete("setup", _KEY)
                return None
            is_right = hmac.compare_digest(_digest(row.salt, code), row.digest)
            is_named = name_key(row.name) == name_key(name)
            if is_right and is_named:
                return row
            if is_right or is_named:
                row = msgspec.structs.replace(row, tries=row.tries + 1)
                rows.put("setup", _KEY, encode_row(row))
            return None

    def use_up(self, used: CodeRow) -> None:
        """It has done its work. One that was made meanwhile, for somebody else, stays."""
        with self._state.write() as rows:
            raw = rows.get("setup", _KEY)
            row = None if raw is None else decode_row(raw, CodeRow)
            if row is None or row.digest == used.digest:
                rows.delete("setup", _KEY)

    def _valid(self, rows: Rows) -> CodeRow | None:
        raw = rows.get("setup", _KEY)
        row = None if raw is None else decode_row(raw, CodeRow)
        if row is None or row.tries >= TRIES_MAX:
            return None
        age_ns = self._clock() - row.made_ns
        # A clock that was set back does not make it younger than it can be.
        return row if 0 <= age_ns < LIFETIME_NS else None


def _digest(salt: bytes, code: str) -> bytes:
    return hashlib.sha256(salt + code.encode("utf-8", "surrogatepass")).digest()
