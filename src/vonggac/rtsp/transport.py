"""The Transport and Session header fields (RFC 2326 12.39, 12.37), read as cameras write them."""

from __future__ import annotations

import re
from dataclasses import dataclass

DEFAULT_TIMEOUT_S = 60
"""RFC 2326 12.37; also where a camera says 0."""


@dataclass(frozen=True, slots=True)
class Transport:
    """One transport. Fields that do not parse are absent: a bad ssrc is no error (Luckfox)."""

    protocol: str
    """`RTP/AVP`, `RTP/AVP/TCP`…, upper case; empty where the field names none."""
    channels: tuple[int, int] | None = None
    """Interleaved channels of RTP and RTCP; where they stand it is TCP."""
    client_ports: tuple[int, int] | None = None
    server_ports: tuple[int, int] | None = None
    source: str | None = None
    ssrc: int | None = None
    is_multicast: bool = False

    @property
    def is_tcp(self) -> bool:
        """Whether packets come on the RTSP connection (Escam Q6 writes RTP/AVP then)."""
        return self.channels is not None or self.protocol.endswith("/TCP")


def parse_transport(value: str) -> Transport:
    """The first transport of a field; parameters in any order, blanks anywhere."""
    protocol = ""
    parameters: dict[str, str] = {}
    for part in value.split(",")[0].split(";"):
        key, _, text = part.partition("=")
        key = key.strip().lower()
        if key.startswith("rtp/"):
            protocol = key.upper()
        elif key:
            parameters.setdefault(key, text.strip().strip('"').strip())
    return Transport(
        protocol=protocol,
        channels=_pair(parameters.get("interleaved"), 255),
        client_ports=_pair(parameters.get("client_port"), 65535),
        server_ports=_pair(parameters.get("server_port"), 65535),
        source=parameters.get("source") or None,
        ssrc=_ssrc(parameters.get("ssrc")),
        is_multicast="multicast" in parameters,
    )


def tcp_transport(rtp_channel: int) -> str:
    """What a client asks for: always `unicast`, never `mode=` (VLC, MediaMTX 1664)."""
    return f"RTP/AVP/TCP;unicast;interleaved={rtp_channel}-{rtp_channel + 1}"


def udp_transport(ports: tuple[int, int]) -> str:
    """The same for datagrams to `ports` of ours."""
    return f"RTP/AVP;unicast;client_port={ports[0]}-{ports[1]}"


def _pair(text: str | None, limit: int) -> tuple[int, int] | None:
    """`a-b`, or `a` alone, which means `a` and the next (VMS gateways)."""
    match = re.fullmatch(r"(\d{1,5})(?:\s*-\s*(\d{1,5}))?", text or "", re.ASCII)
    if match is None:
        return None
    first = int(match[1])
    second = int(match[2]) if match[2] else first + 1
    return (first, second) if first <= limit and second <= limit and first != second else None


def _ssrc(text: str | None) -> int | None:
    """RFC 2326 12.39 says 8 hex digits; cameras write fewer, more, and blanks."""
    match = re.fullmatch(r"[0-9A-Fa-f]{1,8}", text or "", re.ASCII)
    return int(match[0], 16) if match else None


@dataclass(frozen=True, slots=True)
class SessionHeader:
    """A session's name and how long it lives without a request."""

    identifier: str
    timeout_s: int = DEFAULT_TIMEOUT_S


def parse_session(value: str) -> SessionHeader | None:
    """`id; timeout=120` with blanks as they come; None where there is no identifier."""
    identifier, *parameters = [part.strip() for part in value.split(";")]
    if not identifier:
        return None
    timeout_s = 0
    for parameter in parameters:
        key, _, text = parameter.partition("=")
        match = re.match(r"\s*\"?(\d{1,6})", text, re.ASCII)
        if key.strip().lower() == "timeout" and match:
            timeout_s = int(match[1])
    return SessionHeader(identifier, timeout_s or DEFAULT_TIMEOUT_S)
