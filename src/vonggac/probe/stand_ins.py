"""Stand-ins for what could tell whose a camera is: hosts, paths, ids. The same one each time.

Everything is removed but what is known to tell nobody: words of protocols and of makers, short
numbers, and the shape around them, which is what other cameras' code stumbles over.
"""

from __future__ import annotations

import re
from collections import defaultdict

__all__ = ["CAMERA", "StandIns", "without_long_numbers"]

CAMERA = "camera"
"""Stands for the host that was dialled, without a port where that is the one that was dialled."""

_KNOWN_WORDS = """
    * . .. - 0 aac api app audio av av_stream axis-media bc camera cam cgi-bin ch channel channelid
    channels codec control date defaultprimary h264 h265 h264server hevc ip isapi jpeg live
    livestream main mainstream media media.amp media.smp mediainput minor mjpeg mode mpeg4 name
    no onvif play pcma pcmu presentation preview primary proto profile profile0 profile1 profile2
    profiles realmonitor rtsp rtsp_live rtsp_tunnel rtspserver rtspstream sdp secondary server
    session stream streamed streamid streaming streamtype sub substream subtype track trackid tracks
    udp tcp unicast multicast unnamed user username usr login video videocodec videoinput view with
    by the dahua gstreamer hikvision tp-link mercury live555 password passwd pass pwd psw token
    auth key
"""
_KNOWN = frozenset(_KNOWN_WORDS.split())
_NUMBERED = re.compile(
    r"(?:av|cam|camera|ch|channel|h26[45]|live|main|media|profile|s|stream|sub|track|trackid|video)"
    r"[_-]?\d{0,4}(?:\.sdp|\.h26[45]|\.264|\.265)?"
)
_SECRETS = "user username usr login password passwd pass pwd psw token auth key"
_SECRET_KEYS = frozenset(_SECRETS.split())
_TOKEN = re.compile(r"[^/?&=;,]+")


def without_long_numbers(text: str) -> str:
    """Addresses, and digits that could be a telephone's or a serial number, replaced in kind."""
    text = re.sub(r"(?a:\d{1,3}(?:\.\d{1,3}){3})", "192.0.2.1", text)
    text = re.sub(r"(?a:\b\d\d(?:[:-]\d\d){5}\b)", "00", text)
    return re.sub(r"(?a:\d{9,})", lambda found: "1" * len(found[0]), text)


class StandIns:
    """Of one capture. Nothing of what it stands for leaves it."""

    def __init__(self) -> None:
        self._found: defaultdict[str, dict[str, str]] = defaultdict(dict)
        self._dialled: tuple[str, str] | None = None

    def dial(self, authority: str) -> None:
        """The host (and port, as it stands in the address) that is connected to."""
        self._dialled = _host_and_port(authority.lower())
        self._found["host"].setdefault(self._dialled[0], CAMERA)

    def of(self, kind: str, text: str) -> str:
        """`nonce-1` for the first nonce, and so on; nothing for nothing."""
        known = self._found[kind]
        return known.setdefault(text, f"{kind}-{len(known) + 1}") if text else ""

    def word(self, text: str) -> str:
        """A word that tells nobody as it is, any other as `name-1` and so on."""
        return text if _tells_nobody(text) else self.of("name", text)

    def words(self, text: str) -> str:
        """Every word of a phrase. Of UTF-8 all bytes belong to one: bytes read as latin-1 are
        signs too, and would tell most of a name in Chinese or Vietnamese."""
        text = without_long_numbers(text)  # an address is four short ones
        return re.sub(r"(?:[\w-]|[^\0-\x7f])+", lambda found: self.word(found[0]), text)

    def authority(self, text: str) -> str:
        """A host with or without port; a login in front of it goes."""
        host, port = _host_and_port(text.rpartition("@")[2].lower())
        if not host:
            return port
        stand_in = self.of("host", host)
        return stand_in if self._dialled == (host, port) else stand_in + port

    def uri(self, text: str) -> str:
        """An address, absolute or relative, with its slashes, marks and doubled schemes."""
        match = re.match(r"(?i)((?:rtsps?://)*)(.*)", text, re.DOTALL)
        assert match is not None  # all of it is optional
        scheme, rest = match[1], match[2]
        if not scheme:
            return self._path(rest)
        # A login may hold any sign: all up to the last @ is one.
        rest = rest.rpartition("@")[2]
        end = re.search(r"[/?]", rest)
        authority, path = (rest, "") if end is None else (rest[: end.start()], rest[end.start() :])
        return scheme + self.authority(authority) + self._path(path)

    def _path(self, text: str) -> str:
        before = ""

        def stand_in(match: re.Match[str]) -> str:
            nonlocal before
            is_value = match.start() > 0 and text[match.start() - 1] == "="
            key, before = before, match[0]
            if is_value and key.lower() in _SECRET_KEYS:
                return self.of("secret", match[0])
            # A short number behind `loginpas=` is a password, behind `channel=` it is none.
            is_strange = is_value and not _tells_nobody(key)
            return self.of("name", match[0]) if is_strange else self.word(match[0])

        return _TOKEN.sub(stand_in, text)


def _tells_nobody(word: str) -> bool:
    lower = word.lower()
    is_short_number = len(word) <= 4 and word.isascii() and word.isdigit()
    return is_short_number or lower in _KNOWN or _NUMBERED.fullmatch(lower) is not None


def _host_and_port(authority: str) -> tuple[str, str]:
    """The host, and the port with its colon as it was written."""
    if authority.startswith("["):
        host, closed, port = authority.partition("]")
        return host + closed, port if re.fullmatch(r":\d{0,5}", port, re.ASCII) else ""
    if authority.count(":") > 1:
        return authority, ""
    host, colon, port = authority.partition(":")
    is_port = not port or (port.isascii() and port.isdigit() and len(port) <= 5)
    return host, colon + port if is_port else ""
