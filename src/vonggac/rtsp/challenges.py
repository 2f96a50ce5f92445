"""What a camera asks of whoever logs in: WWW-Authenticate (RFC 7617, 2069, 2617, 7616), read.

Also the one reader of schemes and parameters, which Authorization has too.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Sequence
from dataclasses import dataclass


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
_HASHES = {
    "md5": Scheme.DIGEST_MD5,
    "sha-256": Scheme.DIGEST_SHA256,
    "sha-512-256": Scheme.DIGEST_SHA512_256,
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
    kind = _HASHES.get(name.removesuffix("-sess").replace("sha256", "sha-256"))
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
