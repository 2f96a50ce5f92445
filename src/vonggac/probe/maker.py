"""What a camera says it is: its own words, and whose they are. Nothing is asked for this."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from vonggac.errors import MediaError
from vonggac.rtsp.challenges import parse_challenges
from vonggac.rtsp.messages import Response, for_people
from vonggac.rtsp.sdp import Description, parse_sdp

__all__ = ["Said", "said_by"]

_WORDS = (
    ("Hikvision", r"hikvision|hik media|HIKMEDIA|MEDIAINFO=494D4B48"),
    ("Dahua or a sister brand", r"dahua|a=packetization-supported:DH|login to [0-9a-z]{10,}"),
    ("Axis", r"\baxis\b"),
    ("TP-Link", r"tp-link|tapo"),
    ("Mercury (TP-Link)", r"mercury rtsp"),
    ("Reolink", r"reolink|bc streaming media"),
    ("XM / Xiongmai", r"h264dvr|h265dvr"),
    ("Uniview", r"uniview"),
    ("Hanwha / Samsung", r"hanwha|samsung|iPolis"),
    ("Bosch", r"\bbosch\b"),
    ("Sony", r"\bsony\b"),
    ("Vivotek", r"vivotek"),
    ("Longse", r"longse"),
    ("Ubiquiti", r"ubnt|ubiquiti"),
    ("Milesight", r"milesight"),
    ("EZVIZ", r"ezviz"),
    ("Imou", r"\bimou\b"),
    ("a program: GStreamer", r"gstreamer"),
    ("a program: MediaMTX", r"mediamtx|gortsplib"),
    ("a program: VLC", r"\bvlc\b"),
    ("a program: FFmpeg", r"libavformat"),
    ("a device with live555 (most brands have it)", r"live555"),
)
"""The first that fits names it. Makers before the libraries that they build in."""


@dataclass(frozen=True, slots=True)
class Said:
    """A camera's words, fit for people; empty where it says nothing."""

    server: str = ""
    session_name: str = ""
    tool: str = ""
    realm: str = ""
    maker: str = ""
    """A guess from nothing but these words; empty where they fit nobody."""
    methods: tuple[str, ...] = ()
    description: Description | None = None
    """The newest that could be read."""


def said_by(answers: Iterable[Response]) -> Said:
    """From all answers of a camera, in order."""
    server = session_name = tool = realm = body = ""
    methods: tuple[str, ...] = ()
    description: Description | None = None
    for answer in answers:
        server = for_people(answer.headers.get("Server") or "") or server
        for challenge in parse_challenges(answer.headers.get_all("WWW-Authenticate")):
            realm = for_people(challenge.realm) or realm
        if public := ",".join(answer.headers.get_all("Public")):
            methods = tuple(for_people(word) for word in public.split(",") if word.strip())
        if 200 <= answer.status < 300 and answer.body:
            body = answer.body.decode("utf-8", "replace")
            session_name = _line(body, r"s=(.*)") or session_name
            tool = _line(body, r"a=tool:(.*)") or tool
            description = _description(answer.body) or description
    spoken = re.sub(r"(?m)^a=fmtp:.*$", "", body)  # base64 may spell any short word
    words = "\n".join((server, session_name, tool, realm, spoken))
    return Said(server, session_name, tool, realm, _maker(words), methods, description)


def _line(text: str, pattern: str) -> str:
    """The first such line; a name that says nothing counts as none."""
    match = re.search(rf"^{pattern}$", text, re.MULTILINE)
    value = for_people(match[1]) if match else ""
    return "" if value in ("-", "0", "No Name", "Unnamed", "<No Title>") else value


def _maker(words: str) -> str:
    fits = (name for name, pattern in _WORDS if re.search(pattern, words, re.IGNORECASE))
    return next(fits, "")


def _description(body: bytes) -> Description | None:
    try:
        return parse_sdp(body)
    except MediaError:
        return None
