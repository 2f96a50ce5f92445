"""What connections teach about a camera, so that the next one begins with what worked.

All of it is a hint that packets may prove wrong, but `scheme`: a camera that had us log in by
Digest is not told the password later. Values and pure rules; who keeps them is the recorder.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, replace

from vonggac.rtsp.challenges import Scheme
from vonggac.rtsp.url import UrlForm


class Keepalive(enum.StrEnum):
    """How a session is kept. Cameras disagree on what counts (rows 62 to 64)."""

    GET_PARAMETER = "GET_PARAMETER"
    OPTIONS = "OPTIONS"
    RTCP = "RTCP"
    """Receiver reports alone, which the loop writes anyway."""


class SessionRule(enum.StrEnum):
    """Which of a camera's session ids is meant, where it names several (row 59)."""

    FIRST = "first"
    LATEST = "latest"


@dataclass(frozen=True, slots=True)
class Learnt:
    """Of one camera. None: as the standard has it, nothing else was seen."""

    transport: str | None = None
    """`tcp` or `udp`: by which video came."""
    keepalive: Keepalive | None = None
    """None: GET_PARAMETER where it is announced, else OPTIONS."""
    scheme: Scheme | None = None
    """The best log-in it ever asked for: the floor of all later ones."""
    url_form: UrlForm | None = None
    """By which form of its address SETUP was granted."""
    session_rule: SessionRule | None = None
    suspected: int = 0
    """Connections in a row that ended as if the keep-alive had not counted."""


def without_hints(learnt: Learnt) -> Learnt:
    """As before all, but for the floor of log-ins: the camera is perhaps another model by now."""
    return Learnt(scheme=learnt.scheme)


_NEXT_KEEPALIVE = {
    Keepalive.GET_PARAMETER: Keepalive.OPTIONS,
    Keepalive.OPTIONS: Keepalive.RTCP,
    Keepalive.RTCP: Keepalive.GET_PARAMETER,
}
_SUSPICIONS_MAX = 2
"""Ends that fit before another method is tried: one is chance, as of a Wi-Fi."""
_TRIGGER_S = 8.0
"""Longer than a stall is watched for: an end so soon after a keep-alive may be its doing."""


@dataclass(frozen=True, slots=True)
class Life:
    """How a connection that played ended by itself."""

    lived_s: float
    """Since PLAY."""
    timeout_s: int
    """The session's, as announced."""
    keepalives: int
    """How many were sent."""
    since_keepalive_s: float
    """Since the last of them."""
    method: Keepalive
    """By which."""


def is_suspicious(life: Life) -> bool:
    """Whether it ended as connections do whose keep-alives do not count, or break the stream.

    Near the session's time-out (EvoStream, GW4089IP), or right behind the first keep-alives (some
    Hikvision recorders take them for junk).
    """
    near = 0.75 * life.timeout_s <= life.lived_s <= 1.5 * life.timeout_s + 10.0
    behind = 0 < life.keepalives <= 2 and life.since_keepalive_s <= _TRIGGER_S
    return near or behind


def after_end(learnt: Learnt, life: Life) -> Learnt:
    """What is learnt from the end of a connection: the second that fits changes the method."""
    if not is_suspicious(life):
        return replace(learnt, suspected=0)
    if learnt.suspected + 1 < _SUSPICIONS_MAX:
        return replace(learnt, suspected=learnt.suspected + 1)
    return replace(learnt, keepalive=_NEXT_KEEPALIVE[life.method], suspected=0)
