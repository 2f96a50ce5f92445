"""Basic (RFC 7617) and Digest (RFC 2069, 2617, 7616) log-ins: challenges, answers.

Pure: cnonces and nonces are given by the caller. Nothing here shows a password, also not in `repr`.
"""

from __future__ import annotations

import base64
import enum
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from vonggac.rtsp.url import Credentials


class Scheme(enum.IntEnum):
    """What a challenge asks for. The greater is preferred; a camera is never asked for less."""

    BASIC = 1
    DIGEST_MD5 = 2
    DIGEST_SHA512_256 = 3
    DIGEST_SHA256 = 4

    @property
    def is_digest(self) -> bool:
        """Whether the password stays unsaid."""
        return self is not Scheme.BASIC

    @property
    def word(self) -> str:
        """For people, and for what is kept; stable."""
        return _WORDS[self]


_WORDS = {
    Scheme.BASIC: "Basic",
    Scheme.DIGEST_MD5: "Digest MD5",
    Scheme.DIGEST_SHA512_256: "Digest SHA-512-256",
    Scheme.DIGEST_SHA256: "Digest SHA-256",
}
_HASHES = {"md5": Scheme.DIGEST_MD5, "sha-256": Scheme.DIGEST_SHA256}
_HASHES["sha-512-256"] = Scheme.DIGEST_SHA512_256
_HASH_NAMES = {
    Scheme.DIGEST_MD5: "md5",
    Scheme.DIGEST_SHA256: "sha256",
    Scheme.DIGEST_SHA512_256: "sha512_256",
}


@dataclass(frozen=True, slots=True)
class Challenge:
    """One challenge that can be answered."""

    scheme: Scheme
    realm: str
    nonce: str = ""
    opaque: str | None = None
    """Sent back if it was there, also when empty."""
    algorithm: str | None = None
    """As the camera wrote it, None where it did not."""
    has_qop: bool = False
    """`qop=auth` is offered: cnonce and count are part of the answer."""
    is_session: bool = False
    """A `-sess` algorithm: the cnonce is part of the key (RFC 7616 3.4.2)."""
    is_stale: bool = False


def parse_challenges(values: Sequence[str]) -> list[Challenge]:
    """All answerable challenges of the WWW-Authenticate fields, the best first.

    Reads unclosed quotes, quoted or bare words, and several challenges in one field.
    """
    found: list[Challenge] = []
    for value in values:
        for scheme, parameters in _split_challenges(value):
            challenge = _challenge(scheme, parameters)
            if challenge is not None:
                found.append(challenge)
    return sorted(found, key=lambda challenge: -challenge.scheme)


def parse_parameters(value: str) -> tuple[str, dict[str, str]]:
    """The scheme, lower case, and the parameters of one Authorization field."""
    parts = _split_challenges(value)
    return parts[0] if parts else ("", {})


def _challenge(scheme: str, parameters: dict[str, str]) -> Challenge | None:
    realm = parameters.get("realm", "")
    if scheme == "basic":
        return Challenge(Scheme.BASIC, realm)
    if scheme != "digest" or not parameters.get("nonce"):
        return None
    written = parameters.get("algorithm")
    name = (written or "md5").strip().lower()
    is_session = name.endswith("-sess")
    kind = _HASHES.get(name.removesuffix("-sess"))
    qops = {word.strip().lower() for word in parameters.get("qop", "").split(",")} - {""}
    if kind is None or (qops and "auth" not in qops):
        return None
    return Challenge(
        scheme=kind,
        realm=realm,
        nonce=parameters["nonce"],
        opaque=parameters.get("opaque"),
        algorithm=written,
        has_qop="auth" in qops,
        is_session=is_session,
        is_stale=parameters.get("stale", "").strip().lower() == "true",
    )


_WORD = re.compile(r"[^\s,=\"]+")
_EQUALS = re.compile(r"\s*=\s*")
_GAP = re.compile(r"[\s,]*")


def _split_challenges(value: str) -> list[tuple[str, dict[str, str]]]:
    """Schemes with their parameters, names in lower case; the first of two equal names wins."""
    out: list[tuple[str, dict[str, str]]] = []
    at = _skip(_GAP, value, 0)
    while at < len(value):
        word = _WORD.match(value, at)
        if word is None:  # a stray quote or equals sign
            at = _skip(_GAP, value, at + 1)
            continue
        equals = _EQUALS.match(value, word.end())
        if equals is None or not out:
            out.append((word[0].lower(), {}))
            at = _skip(_GAP, value, word.end())
            continue
        text, at = _parameter_value(value, equals.end())
        out[-1][1].setdefault(word[0].lower(), text)
        at = _skip(_GAP, value, at)
    return out


def _skip(pattern: re.Pattern[str], value: str, at: int) -> int:
    match = pattern.match(value, at)
    return match.end() if match else at


def _parameter_value(value: str, at: int) -> tuple[str, int]:
    """A token or a quoted string at `at`, and where it ends.

    A quote that is closed in the middle of the next parameter was never closed (Samsung iPOLiS):
    then the value ends at the comma.
    """
    comma = value.find(",", at)
    comma = len(value) if comma < 0 else comma
    if value[at : at + 1] != '"':
        return value[at:comma].strip(), comma
    quoted = re.compile(r'"((?:[^"\\]|\\.)*)"(?=\s*(?:,|$)|\s+\S)').match(value, at)
    if quoted is None:
        return value[at + 1 : comma].strip().strip('"'), comma
    return re.sub(r"\\(.)", r"\1", quoted[1]), quoted.end()


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
