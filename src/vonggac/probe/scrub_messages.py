"""An RTSP message without login, names and addresses, and with every oddity of its shape.

Only fields that are known are kept, each with a rule of its own; of others the name stays.
"""

from __future__ import annotations

import re
import string
from collections.abc import Callable

from vonggac.probe.scrub_sdp import REMOVED, scrub_sdp, without_serials
from vonggac.probe.stand_ins import StandIns, without_long_numbers

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
_WORDS = """
    describe announce setup play pause teardown get_parameter set_parameter options redirect record
    application sdp text parameters charset utf-8 no-cache no-store must-revalidate max-age private
    keep-alive close npt clock smpte now onvif-replay com vnd basic yes no gmt utc
    mon tue wed thu fri sat sun jan feb mar apr may jun jul aug sep oct nov dec
"""
_PLAIN_WORDS = frozenset(_WORDS.split())
"""In fields whose rule is that they hold no name: whatever else looks like one goes."""
_ADDRESSES = frozenset(("content-base", "content-location", "location"))
_CHALLENGES = frozenset(("www-authenticate", "authorization", "proxy-authenticate"))
_SCHEMES = frozenset(("basic", "digest"))
_LOGIN_NAMES = """
    algorithm charset cnonce domain nc nonce opaque qop realm response stale uri userhash username
"""
_LOGIN_FIELDS = frozenset(_LOGIN_NAMES.split())
_LOGIN_WORD = r"(?:(?:md5|sha-256|sha-512-256)(?:-sess)?|auth(?:-int)?|true|false|utf-8)"
_LOGIN_VALUES = {
    **dict.fromkeys(
        ("algorithm", "charset", "qop", "stale"),
        re.compile(rf"(?i)(?:{_LOGIN_WORD}(?:[, ]+{_LOGIN_WORD})*)?"),
    ),
    "nc": re.compile(r"(?i)[0-9a-f]{1,8}"),
}
_TRANSPORT_KEY = re.compile(
    r"(?i)(?:rtp/s?avpf?(?:/(?:tcp|udp))?|unicast|multicast|append|interleaved|ssrc|mode|ttl|port"
    r"|client_port|server_port|layers|seq|rtptime|source|destination|url)"
)
_TRANSPORT_VALUE = re.compile(r"(?i)(?:play|record|-?[0-9a-f]{0,12}(?:-[0-9]{1,6})?)")
_LOGIN_FIELD = re.compile(r'(?<!\w)(\w+)(\s*=\s*)("[^"]*"(?=\s*(?:,|$))|"[^",]*|[^",\s]*)')


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
    answer = re.fullmatch(r"(\s*RTSP/[\d.]{1,5}\s+)(\d{3})(\s*)(.*)", line, re.IGNORECASE)
    if answer is not None:
        version, status, gap, rest = answer.groups()
        phrase, tail = _without_tail(rest)
        known = phrase if phrase.strip().lower() in _PHRASES or not phrase else REMOVED
        return f"{version}{status}{gap}{known}{tail}"
    request = re.fullmatch(r"([A-Z_]{3,16}) (\S+)( RTSP/[\d.]{1,5}\s*)", line)
    if request is None:
        return REMOVED
    return f"{request[1]} {names.uri(request[2])}{request[3]}"


def _without_tail(text: str) -> tuple[str, str]:
    """The blanks at the end apart. One expression for both would look at each of them for each."""
    value = text.rstrip()
    return value, text[len(value) :]


def _field(line: str, names: StandIns, growth: int) -> str:
    if not line.strip():
        return line
    match = re.fullmatch(r"([A-Za-z][\w-]{0,40})(\s*:\s*)(.*)", line, re.DOTALL)
    if match is None:
        return f"X-Removed: {REMOVED}"
    name, colon, rest = match.groups()
    value, tail = _without_tail(rest)
    key = name.lower()
    if key not in _KNOWN_FIELDS:
        return f"X-Removed{colon}{REMOVED if value else ''}{tail}"
    if key == "content-length" and re.fullmatch(r"\d{1,9}", value, re.ASCII):
        return f"{name}{colon}{max(0, int(value) + growth)}{tail}"
    return f"{name}{colon}{_value(key, value, names)}{tail}"


def _value(key: str, value: str, names: StandIns) -> str:
    if key in _PLAIN:
        is_plain = re.fullmatch(r"[\w\s.,:;/=+*()-]{0,200}", value, re.ASCII)
        plain = re.sub(r"[^\W\d_][\w-]*", _plain_word, value) if is_plain else REMOVED
        return without_long_numbers(plain)
    if key in _ADDRESSES:
        quote = '"' if value.startswith('"') else ""
        return quote + names.uri(value.strip('"')) + quote
    if key in _CHALLENGES:
        return _login(value, names)
    rule = _RULES.get(key)
    return rule(value, names) if rule is not None else (REMOVED if value else "")


def _plain_word(match: re.Match[str]) -> str:
    return match[0] if match[0].lower() in _PLAIN_WORDS else REMOVED


def _login(value: str, names: StandIns) -> str:
    """Challenges and answers to them: which nonce is which stays, what it is does not."""
    scheme = re.match(r"\s*[A-Za-z]{1,20}(?=\s|$)", value)
    start = scheme[0] if scheme is not None else ""
    length = len(start)
    if start and start.strip().lower() not in _SCHEMES:
        start = "Scheme"
    if start.strip().lower() == "basic" and "=" not in value.rstrip("=")[length:]:
        is_bare = not value[length:].strip()
        return start if is_bare else f"{start} {REMOVED}"  # the login itself
    out = [start]
    for field in _LOGIN_FIELD.finditer(value, length):
        name, equals, written = field.groups()
        opening = '"' if written.startswith('"') else ""
        closing = '"' if opening and len(written) > 1 and written.endswith('"') else ""
        text = written[len(opening) : len(written) - len(closing)]
        gap = ", " if len(out) > 1 else " "
        name = name if name.lower() in _LOGIN_FIELDS else REMOVED
        out.append(f"{gap}{name}{equals}{opening}{_login_value(name, text, names)}{closing}")
    return "".join(out)


def _login_value(name: str, text: str, names: StandIns) -> str:
    key = name.lower()
    if (known := _LOGIN_VALUES.get(key)) is not None:
        return text if known.fullmatch(text.strip(", ")) else REMOVED
    if key in ("uri", "domain"):
        return names.uri(text)
    if key in ("realm", "nonce", "opaque", "cnonce"):
        return names.of(key, text)
    return {"username": "user", "response": "0"}.get(key, REMOVED) if text else ""


def _session(value: str, names: StandIns) -> str:
    match = re.match(r"([^;\s]*)(.*)", value, re.DOTALL)
    assert match is not None  # both parts may be empty
    tail = match[2]
    timeout = tail.strip(";" + string.whitespace)
    is_usual = re.fullmatch(r'(?:timeout\s*=\s*"?\d{0,9}"?)?', timeout, re.IGNORECASE)
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
    is_plain = not equals or _TRANSPORT_VALUE.fullmatch(value.strip('"' + string.whitespace))
    is_known = _TRANSPORT_KEY.fullmatch(key.strip())
    return (key if is_known else REMOVED) + equals + (value if is_plain else REMOVED)


def _program(value: str, _: StandIns) -> str:
    return without_serials(value)


_RULES: dict[str, Callable[[str, StandIns], str]] = {
    "session": _session,
    "transport": _transport,
    "rtp-info": _transport,
    "server": _program,
    "user-agent": _program,
}
_KNOWN_FIELDS = _PLAIN | _ADDRESSES | _CHALLENGES | _RULES.keys()
