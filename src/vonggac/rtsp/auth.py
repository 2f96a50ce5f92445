"""Basic (RFC 7617) and Digest (RFC 2069, 2617, 7616) log-ins: what is answered to a challenge.

Pure: cnonces and nonces are given by the caller. Nothing here shows a password, also not in `repr`.
"""

from __future__ import annotations

import base64
import enum
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from vonggac.rtsp.challenges import Challenge, Scheme, parse_challenges
from vonggac.rtsp.url import Credentials

_HASH_NAMES = {
    Scheme.DIGEST_MD5: "md5",
    Scheme.DIGEST_SHA256: "sha256",
    Scheme.DIGEST_SHA512_256: "sha512_256",
}


@dataclass(frozen=True, slots=True)
class DigestAnswer:
    """What an answer is computed from (RFC 7616 3.4.1)."""

    challenge: Challenge
    user: str
    method: str
    uri: str
    count: int = 1
    cnonce: str = ""

    def response(self, password: str) -> str:
        """The response value; RFC 2069's form where no qop was offered."""
        challenge = self.challenge
        scheme, nonce = challenge.scheme, challenge.nonce
        # What a person typed is UTF-8; what came in a message is latin-1, that is its bytes.
        realm = challenge.realm.encode("latin-1", "replace")
        key = _hash(scheme, b":".join((self.user.encode(), realm, password.encode())))
        if challenge.is_session:
            key = _hash(scheme, octets(f"{key}:{nonce}:{self.cnonce}"))
        what = _hash(scheme, octets(f"{self.method}:{self.uri}"))
        if not challenge.has_qop:
            return _hash(scheme, octets(f"{key}:{nonce}:{what}"))
        middle = f"{nonce}:{self.count:08x}:{self.cnonce}:auth"
        return _hash(scheme, octets(f"{key}:{middle}:{what}"))

    def header(self, password: str) -> str:
        """The Authorization value. qop, nc and algorithm of a qop answer stand unquoted (Dahua)."""
        challenge = self.challenge
        parts = [
            f"username={quoted(as_latin1(self.user))}",
            f"realm={quoted(challenge.realm)}",
            f"nonce={quoted(challenge.nonce)}",
            f"uri={quoted(self.uri)}",
            f'response="{self.response(password)}"',
        ]
        if challenge.algorithm is not None:
            written = challenge.algorithm
            parts.append(f"algorithm={written if challenge.has_qop else quoted(written)}")
        if challenge.opaque is not None:
            parts.append(f"opaque={quoted(challenge.opaque)}")
        if challenge.has_qop:
            parts.append(f'qop=auth, nc={self.count:08x}, cnonce="{self.cnonce}"')
        elif challenge.is_session:
            parts.append(f'cnonce="{self.cnonce}"')
        return "Digest " + ", ".join(parts)


def basic_header(credentials: Credentials) -> str:
    """The Authorization value of RFC 7617, UTF-8."""
    pair = f"{credentials.user}:{credentials.password}".encode()
    return "Basic " + base64.b64encode(pair).decode()


def _hash(scheme: Scheme, octets: bytes) -> str:
    # MD5 is what cameras ask for, not what we would choose.
    return hashlib.new(_HASH_NAMES[scheme], octets, usedforsecurity=False).hexdigest()


def octets(text: str) -> bytes:
    """Header text as bytes."""
    return text.encode("latin-1", "replace")


def quoted(text: str) -> str:
    """A quoted-string (RFC 2616 2.2)."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + re.sub(r"[\r\n]", " ", escaped) + '"'


_REFUSALS_MAX = 2
_STALE_MAX = 1
"""Of a nonce that was given a moment ago: who says so again is refusing, and counts on."""


class Verdict(enum.Enum):
    """What a 401 means for the request that met it."""

    RETRY = enum.auto()
    """Send it again, signed with what the camera just said."""
    WRONG = enum.auto()
    """The camera knows user or password not; asking on would lock the account (Hikvision)."""
    NO_LOGIN = enum.auto()
    """A login is demanded and there is none."""
    UNSUPPORTED = enum.auto()
    """Nothing that was offered can be answered."""
    WEAKER = enum.auto()
    """Only Basic is offered where Digest was: that needs a person's consent."""


@dataclass(slots=True)
class Authenticator:
    """The client's side of a camera's log-in; may outlive a connection and keep its nonce."""

    credentials: Credentials | None
    cnonce: str
    """Random, at least 64 bits, made by the caller."""
    floor: Scheme = Scheme.BASIC
    """The weakest scheme to answer. The caller remembers `scheme` of earlier sessions here."""
    refusals_max: int = _REFUSALS_MAX
    """Real 401s before it is said to be the password: Hikvision locks after a few."""
    has_reconnected: bool = False
    """Set by the caller on the one connection that is made anew because a challenge closed one."""
    has_proven: bool = False
    """Whether a signed request was answered otherwise than by 401, and none refused since."""
    _challenge: Challenge | None = field(default=None, repr=False)
    _count: int = 0
    _refusals: int = 0
    _stale: int = 0
    _is_refused: bool = False

    @property
    def is_aged(self) -> bool:
        """Whether the newest challenge says that nothing but the nonce was too old."""
        return self._challenge is not None and self._challenge.is_stale

    @property
    def is_refused(self) -> bool:
        """Whether the camera has said that it knows user or password not."""
        return self._is_refused

    @property
    def scheme(self) -> Scheme | None:
        """What is being answered, None before any challenge."""
        return self._challenge.scheme if self._challenge else None

    def authorization(self, method: str, uri: str) -> str | None:
        """The Authorization value for a request, None before any challenge."""
        challenge, credentials = self._challenge, self.credentials
        if challenge is None or credentials is None or self._is_refused:
            return None  # a refused login is not said again: that would lock the account
        if challenge.scheme is Scheme.BASIC:
            return basic_header(credentials)
        self._count += 1
        answer = DigestAnswer(challenge, credentials.user, method, uri, self._count, self.cnonce)
        return answer.header(credentials.password)

    def accepted(self) -> None:
        """A signed request was answered with something else than 401: the login is right.

        So `refusals_max` of one, after an earlier refusal, holds no longer.
        """
        self.has_proven = True
        self._refusals = 0
        self._stale = 0
        self.refusals_max = max(self.refusals_max, _REFUSALS_MAX)

    def challenged(self, values: Sequence[str], *, was_signed: bool) -> Verdict:
        """Takes in a 401's WWW-Authenticate fields; `was_signed`: the request had a login."""
        if self.credentials is None:
            return Verdict.NO_LOGIN
        if self._is_refused:
            return Verdict.WRONG
        offered = parse_challenges(values)
        if not offered:
            return Verdict.UNSUPPORTED
        best = offered[0]
        before = self._challenge
        floor = max(self.floor, before.scheme if before else Scheme.BASIC)
        if floor.is_digest and not best.scheme.is_digest:
            return Verdict.WEAKER
        self._challenge = best
        if before is None or best.nonce != before.nonce:
            self._count = 0
        if not was_signed:
            return Verdict.RETRY
        return self._judge(best, before)

    def _judge(self, best: Challenge, before: Challenge | None) -> Verdict:
        """A signed request met a 401: the nonce aged (Axis M5525 after 150 s), or it is wrong."""
        if best.is_stale and self._stale < _STALE_MAX:
            self._stale += 1
            return Verdict.RETRY
        self.has_proven = False
        self._refusals += 1
        is_same = before is not None and best.nonce == before.nonce
        if self._refusals >= self.refusals_max or is_same:
            self._is_refused = True
            return Verdict.WRONG
        return Verdict.RETRY


def as_latin1(text: str) -> str:
    """Header text is latin-1 here; what a person typed goes out as UTF-8."""
    return text if text.isascii() else text.encode("utf-8").decode("latin-1")
