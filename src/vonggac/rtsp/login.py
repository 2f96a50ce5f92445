"""The server's side of a log-in: challenges sent, answers checked. For simulated cameras."""

from __future__ import annotations

import hmac
import re
from dataclasses import dataclass, replace

from vonggac.rtsp.auth import DigestAnswer, as_latin1, basic_header, octets, quoted
from vonggac.rtsp.challenges import Challenge, Scheme, parse_parameters
from vonggac.rtsp.url import Credentials


@dataclass(frozen=True, slots=True)
class Login:
    """What a simulated camera asks for."""

    credentials: Credentials
    challenges: tuple[Challenge, ...]
    """Offered in this order; any one may be answered."""

    def headers(self, *, is_stale: bool) -> tuple[tuple[str, str], ...]:
        """The WWW-Authenticate fields of a 401."""
        return tuple(
            ("WWW-Authenticate", challenge_header(replace(challenge, is_stale=is_stale)))
            for challenge in self.challenges
        )

    def accepts(self, value: str | None, method: str, uri: str) -> bool:
        """Whether an Authorization field answers one of the challenges."""
        return value is not None and any(
            is_authorized(value, method, uri, self.credentials, challenge)
            for challenge in self.challenges
        )

    def with_nonce(self, nonce: str) -> Login:
        """The same login after its nonce aged."""
        return replace(self, challenges=tuple(replace(c, nonce=nonce) for c in self.challenges))


def is_authorized(
    value: str, method: str, uri: str, credentials: Credentials, challenge: Challenge
) -> bool:
    """Whether an Authorization field answers `challenge` for this very request."""
    scheme, given = parse_parameters(value)
    if challenge.scheme is Scheme.BASIC:
        wanted = basic_header(credentials).partition(" ")[2]
        token = value.strip().partition(" ")[2].strip()
        return scheme == "basic" and hmac.compare_digest(octets(token), octets(wanted))
    if scheme != "digest" or given.get("nonce") != challenge.nonce or given.get("uri") != uri:
        return False
    if given.get("username") != as_latin1(credentials.user):
        return False
    if given.get("algorithm", "MD5").lower() != (challenge.algorithm or "MD5").lower():
        return False
    count = given.get("nc", "1")
    if not re.fullmatch(r"[0-9A-Fa-f]{1,8}", count, re.ASCII):
        return False
    cnonce = given.get("cnonce", "")
    answer = DigestAnswer(challenge, credentials.user, method, uri, int(count, 16), cnonce)
    wanted = answer.response(credentials.password)
    return hmac.compare_digest(octets(given.get("response", "")), octets(wanted))


def challenge_header(challenge: Challenge) -> str:
    """A WWW-Authenticate value."""
    if challenge.scheme is Scheme.BASIC:
        return f"Basic realm={quoted(challenge.realm)}"
    parts = [f"realm={quoted(challenge.realm)}", f"nonce={quoted(challenge.nonce)}"]
    if challenge.opaque is not None:
        parts.append(f"opaque={quoted(challenge.opaque)}")
    if challenge.algorithm is not None:
        parts.append(f"algorithm={challenge.algorithm}")
    if challenge.has_qop:
        parts.append('qop="auth"')
    if challenge.is_stale:
        parts.append("stale=TRUE")
    return "Digest " + ", ".join(parts)
