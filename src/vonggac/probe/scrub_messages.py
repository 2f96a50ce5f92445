"""An RTSP message without login, names and addresses, and with every oddity of its shape.

Only fields that are known are kept, each with a rule of its own; of others the name stays.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from vonggac.probe.scrub_sdp import REMOVED, scrub_sdp, without_serials
from vonggac.probe.stand_ins import StandIns

__all__ = ["scrub_message"]

_HEAD_END = re.compile(rb"\n\r?\n")
_PHRASES = frozenset(
    """
    ok|created|continue|multiple choices|moved permanently|moved temporarily|moved|found|see other
    |use proxy|bad request|unauthorized|payment required|forbidden|not found|method not allowed
    |not acceptable|request timeout|gone|length required|request entity too large
    |unsupported media type|parameter not understood|conference not found|not enough bandwidth
    |session not found|method not valid in this state|header field not valid for resource
    |invalid range|parameter is read-only|aggregate operation not allowed
    |only aggregate operation allowed|unsupported transport|destination unreachable
    |internal server error|not implemented|bad gateway|service unavailable|gateway timeout
    |rtsp version not supported|option not supported|client error|server error|error
    """.replace("\n", "")
    .replace("    ", "")
    .split("|")
)
_PLAIN_NAMES = """
    accept allow blocksize cache-control connection content-encoding content-length content-type
    cseq date expires last-modified pragma public range rate-control require scale speed supported
    unsupported x-accept-dynamic-rate x-dynamic-rate
"""
_PLAIN = frozenset(_PLAIN_NAMES.split())
_ADDRESSES = frozenset(("content-base", "content-location", "location"))
_CHALLENGES = frozenset(("www-authenticate", "authorization", "proxy-authenticate"))
_LOGIN_WORDS = frozenset(("algorithm", "charset", "nc", "qop", "stale"))
_LOGIN_FIELD = re.compile(r'(\w+)(\s*=\s*)("[^"]*"(?=\s*(?:,|$))|"[^",]*|[^",\s]*)')


def scrub_message(data: bytes, names: StandIns) -> str:
    """A message as text, bytes as latin-1. Content-Length stays as right or wrong as it was."""
    end = _HEAD_END.search(data)
    head, body = (data, b"") if end is None else (data[: end.end()], data[end.end() :])
    lines = re.split(r"(\r?\n)", head.decode("latin-1"))
    new_body = _body(body, names)
    growth = len(new_body) - len(body)
    lines[0] = _start(lines[0], names)
    for index in range(2, len(lines), 2):
        lines[index] = _field(lines[index], names, growth)
    return "".join(lines) + new_body


def _body(body: bytes, names: StandIns) -> str:
    text = body.decode("latin-1")
    is_description = re.search(r"^[ \t]*m[ \t]*=", text, re.MULTILINE)
    return scrub_sdp(text, names) if is_description else "-" * len(text)


def _start(line: str, names: StandIns) -> str:
    answer = re.fullmatch(r"(\s*RTSP/[\d.]{1,5}\s+)(\d{3})(\s*)(.*?)(\s*)", line, re.IGNORECASE)
    if answer is not None:
        version, status, gap, phrase, tail = answer.groups()
        known = phrase if phrase.strip().lower() in _PHRASES or not phrase else REMOVED
        return f"{version}{status}{gap}{known}{tail}"
    request = re.fullmatch(r"([A-Z_]{3,16}) (\S+)( RTSP/[\d.]{1,5}\s*)", line)
    if request is None:
        return REMOVED
    return f"{request[1]} {names.uri(request[2])}{request[3]}"


def _field(line: str, names: StandIns, growth: int) -> str:
    if not line.strip():
        return line
    match = re.fullmatch(r"([A-Za-z][\w-]{0,40})(\s*:\s*)(.*?)(\s*)", line, re.DOTALL)
    if match is None:
        return f"X-Removed: {REMOVED}"
    name, colon, value, tail = match.groups()
    key = name.lower()
    if key == "content-length" and re.fullmatch(r"\d{1,9}", value, re.ASCII):
        return f"{name}{colon}{max(0, int(value) + growth)}{tail}"
    return f"{name}{colon}{_value(key, value, names)}{tail}"


def _value(key: str, value: str, names: StandIns) -> str:
    if key in _PLAIN:
        is_plain = re.fullmatch(r"[\w\s.,:;/=+*()-]{0,200}", value, re.ASCII)
        return value if is_plain else REMOVED
    if key in _ADDRESSES:
        quote = '"' if value.startswith('"') else ""
        return quote + names.uri(value.strip('"')) + quote
    if key in _CHALLENGES:
        return _login(value, names)
    rule = _RULES.get(key)
    return rule(value, names) if rule is not None else (REMOVED if value else "")


def _login(value: str, names: StandIns) -> str:
    """Challenges and answers to them: which nonce is which stays, what it is does not."""
    scheme = re.match(r"\s*[A-Za-z]{1,20}(?=\s|$)", value)
    start = scheme[0] if scheme is not None else ""
    if start.strip().lower() == "basic" and "=" not in value.rstrip("=")[len(start) :]:
        is_bare = not value[len(start) :].strip()
        return start if is_bare else f"{start} {REMOVED}"  # the login itself
    out = [start]
    for field in _LOGIN_FIELD.finditer(value, len(start)):
        name, equals, written = field.groups()
        opening = '"' if written.startswith('"') else ""
        closing = '"' if opening and len(written) > 1 and written.endswith('"') else ""
        text = written[len(opening) : len(written) - len(closing)]
        gap = ", " if len(out) > 1 else " "
        out.append(f"{gap}{name}{equals}{opening}{_login_value(name, text, names)}{closing}")
    return "".join(out)


def _login_value(name: str, text: str, names: StandIns) -> str:
    key = name.lower()
    if key in _LOGIN_WORDS:
        return text if re.fullmatch(r"[\w, -]{0,40}", text, re.ASCII) else REMOVED
    if key in ("uri", "domain"):
        return names.uri(text)
    if key in ("realm", "nonce", "opaque", "cnonce"):
        return names.of(key, text)
    return {"username": "user", "response": "0"}.get(key, REMOVED) if text else ""


def _session(value: str, names: StandIns) -> str:
    match = re.match(r"([^;\s]*)(.*)", value, re.DOTALL)
    assert match is not None  # both parts may be empty
    tail = match[2]
    is_usual = re.fullmatch(r'[;\s]*(?:timeout\s*=\s*"?\d{0,9}"?)?[;\s]*', tail, re.IGNORECASE)
    return names.of("session", match[1]) + (tail if is_usual else f";{REMOVED}")


def _transport(value: str, names: StandIns) -> str:
    return re.sub(r"[^;,]+", lambda part: _transport_part(part[0], names), value)


def _transport_part(part: str, names: StandIns) -> str:
    key, equals, value = part.partition("=")
    if key.strip().lower() in ("source", "destination"):
        host = value.strip().strip('"')
        return key + equals + (value.replace(host, names.authority(host)) if host else value)
    if key.strip().lower() == "url":
        return key + equals + names.uri(value)
    is_plain = re.fullmatch(r'[\w\s"./-]{0,40}', value, re.ASCII)
    is_name = re.fullmatch(r"\s*[\w/-]{1,40}\s*", key, re.ASCII)
    return (key if is_name else REMOVED) + equals + (value if is_plain else REMOVED)


def _program(value: str, _: StandIns) -> str:
    return without_serials(value)


_RULES: dict[str, Callable[[str, StandIns], str]] = {
    "session": _session,
    "transport": _transport,
    "rtp-info": _transport,
    "server": _program,
    "user-agent": _program,
}
