"""What the process that cameras call (`push run`) asks the recorder, and is told.

Whoever calls was not checked by anybody before, so this process is not trusted either: what it says
is looked at again by the recorder, which takes no descriptor from it.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from vonggac.rtsp.sound import SoundReady
from vonggac_appliance.sockets import socket_path


def push_path(home: Path) -> Path:
    """The socket on which the recorder hears of callers."""
    return socket_path(home, "push", "push.sock")


class AskPush(msgspec.Struct, frozen=True):
    """Somebody shows a key. Answered with PushTold."""

    number: int
    """Chosen by who asks, repeated in the answer."""
    camera: str
    """Its code."""
    stream: str
    """`main` or `sub`."""
    key_sha256: bytes
    address: str
    """Where he calls from, for the alarm and the audit chain."""
    port: int = 0
    tls: str = ""
    """Which version his TLS is of."""


class PushRecords(msgspec.Struct, frozen=True):
    """He wants to send pictures now. Answered with PushTold; with 200 comes a stream socket
    (SCM_RIGHTS) for all that is said on his connection from here on, both ways.
    """

    number: int
    camera: str
    stream: str
    key_sha256: bytes
    address: str
    codec: int
    payload_type: int
    clock_rate: int
    rtp_channel: int
    rtcp_channel: int
    vps: list[bytes]
    sps: list[bytes]
    pps: list[bytes]
    has_donl: bool
    agent: str
    """His User-Agent."""
    audio: list[tuple[str, int]]
    """Encoding and clock rate of each sound track."""
    session: str
    """The RTSP session's id."""
    sound: SoundReady | None = None
    """What of it a file can carry. Whether it may be recorded is for the recorder to say."""
    port: int = 0
    tls: str = ""


class PushTold(msgspec.Struct, frozen=True):
    """The answer to the request of this number."""

    number: int
    status: int
    """As of RTSP (RFC 2326 7.1.1); 200: he may."""


class PushCounts(msgspec.Struct, frozen=True):
    """What has happened since `push run` started; once a second where it has changed."""

    calls: int = 0
    """Connections that were accepted."""
    tls_failed: int = 0
    """Ended before TLS stood."""
    timed_out: int = 0
    """Did not publish in time."""
    malformed: int = 0
    """Said what is no RTSP, or too much of it."""
    wrong_key: int = 0
    not_allowed: int = 0
    """Right key, and the camera may not be recorded, or another one publishes."""
    crowded_out: int = 0
    """Had to make room for others."""
    publishing: int = 0
    """At this moment."""
    certificate_ends_ns: int = 0
    """Wall time of the certificate that callers are shown; 0: not told."""
