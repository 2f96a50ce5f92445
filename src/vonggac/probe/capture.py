"""A capture: what passed between a camera and us, one JSON object a line, fit to be sent away.

docs/ref/capture.md describes the form. Everything is scrubbed before it is a line.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import quote

from vonggac.errors import MediaError, Refused
from vonggac.media.chunk import Codec
from vonggac.probe.meter import is_rtcp
from vonggac.probe.scrub_messages import scrub_message
from vonggac.probe.scrub_packets import Pieces, scrub_rtcp, scrub_rtp
from vonggac.probe.stand_ins import StandIns
from vonggac.probe.wire import Garbage, Item, Message, Packet

__all__ = ["VERSION", "CaptureWriter", "Captured", "read_capture", "spellings"]

VERSION = 1
_MOST_MS = 1e12
_MOST_BYTES = 16 << 20
"""Of garbage, and of blanks: what a file says is made as it is read."""
_GUARDED_MIN = 6
"""Shorter passwords may be words or numbers of the protocol by chance."""


@dataclass(frozen=True, slots=True)
class Captured:
    """A line read again."""

    at_ms: float
    """Since the capture began."""
    connection: int
    """1 for the first."""
    is_ours: bool
    """We said it; else the camera."""
    kind: str
    """`open`, `close`, `message`, `packet`, `datagram` or `garbage`."""
    data: bytes = b""
    """Bytes as they are to be sent; stand-ins and zeros among them."""
    channel: int = 0
    blanks: int = 0


class CaptureWriter:
    """Turns what happens into lines, which go to `put` at once: pictures are never kept."""

    def __init__(
        self, put: Callable[[str], None], facts: Mapping[str, object], secrets: Iterable[str] = ()
    ) -> None:
        """`facts`: for the first line. `secrets`: what is looked for once more in every message."""
        self._put = put
        self._names = StandIns()
        self._connection = 0
        self._codec: Codec | None = None
        self._payload_type = -1
        self._has_donl = False
        self._secrets = [one for one in secrets if len(one) >= _GUARDED_MIN]
        self._line({"capture": VERSION, **facts})

    def opened(self, at_ns: int, authority: str) -> None:
        """A connection was made; `authority` is the host as it stands in the address."""
        self._connection += 1
        self._names.dial(authority)
        self._event(at_ns, "us", {"event": "open"})

    def closed(self, at_ns: int, *, by_camera: bool) -> None:
        """It was closed."""
        self._event(at_ns, "camera" if by_camera else "us", {"event": "close"})

    def plays(self, codec: Codec, payload_type: int, *, has_donl: bool) -> None:
        """Which packets are video, from here on."""
        self._codec, self._payload_type, self._has_donl = codec, payload_type, has_donl

    def item(self, at_ns: int, item: Item, *, is_ours: bool) -> None:
        """Something that passed. Raises Refused where a secret would stand in the line."""
        who = "us" if is_ours else "camera"
        if isinstance(item, Message):
            text = scrub_message(item.data, self._names)
            self._guard(text, item.data)
            self._event(at_ns, who, {"message": text}, item.blanks)
        elif isinstance(item, Garbage):
            self._event(at_ns, who, {"garbage_bytes": item.size})
        else:
            self._packet(at_ns, who, item)

    def datagram(self, at_ns: int, data: bytes, *, is_rtcp_socket: bool) -> None:
        """One of the camera's, over UDP."""
        facts = {"socket": "rtcp" if is_rtcp_socket else "rtp", **self._scrubbed(data)}
        self._event(at_ns, "camera", facts)

    def ended(self, at_ns: int, result: str) -> None:
        """The last line: how it ended, in words that name nobody."""
        self._event(at_ns, "us", {"event": "end", "result": result})

    def _packet(self, at_ns: int, who: str, item: Packet) -> None:
        facts = {"channel": item.channel, **self._scrubbed(item.data)}
        self._event(at_ns, who, facts, item.blanks)

    def _scrubbed(self, data: bytes) -> dict[str, object]:
        if is_rtcp(data):
            kept = scrub_rtcp(data)
        else:
            is_video = len(data) > 1 and data[1] & 0x7F == self._payload_type
            codec = self._codec if is_video else None
            kept = scrub_rtp(data, codec, has_donl=self._has_donl)
        return {"bytes": len(data), "kept": _written(kept, len(data))}

    def _guard(self, text: str, data: bytes) -> None:
        """A second look, after rules that keep nothing unknown: a mistake in them must not tell.

        What did not come with the message cannot be told by it: stand-ins may spell `111111`.
        """
        came = data.decode("latin-1")
        if any(secret in text and secret in came for secret in self._secrets):
            raise Refused("the capture would hold the camera's login, so none is made; tell us")

    def _event(self, at_ns: int, who: str, facts: Mapping[str, object], blanks: int = 0) -> None:
        more = {"blanks": blanks} if blanks else {}
        head = {"at_ms": round(at_ns / 1e6, 3), "connection": self._connection, "from": who}
        self._line({**head, **facts, **more})

    def _line(self, facts: Mapping[str, object]) -> None:
        self._put(json.dumps(facts, separators=(",", ":")) + "\n")


def _written(kept: Pieces, size: int) -> dict[str, str]:
    """Pieces by place, in hex, within the packet."""
    return {str(at): piece.hex() for at, piece in sorted(kept.items()) if piece and at < size}


def spellings(user: str, password: str) -> list[str]:
    """A login as it might stand in a message."""
    both = f"{user}:{password}".encode("utf-8", "surrogateescape")
    written = password.encode("utf-8", "surrogateescape")
    forms = (password, written.decode("latin-1"), quote(written), quote(written, safe=""))
    return [*dict.fromkeys(forms), base64.b64encode(both).decode("ascii")]


def read_capture(text: str) -> tuple[dict[str, object], list[Captured]]:
    """The first line's facts, and all that passed. Raises MediaError for what is none."""
    lines = [line for line in text.splitlines() if line]
    try:
        parsed = [json.loads(line) for line in lines]
        if not parsed or parsed[0]["capture"] != VERSION:
            raise MediaError("unsupported", "capture version")
        return parsed[0], [_captured(one) for one in parsed[1:]]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise MediaError("value", f"capture: {error}") from error


def _captured(line: object) -> Captured:
    if not isinstance(line, dict):
        raise TypeError("a line is an object")
    kind, data = _content(line)
    at_ms, connection = line["at_ms"], line["connection"]
    channel, blanks = line.get("channel", 0), line.get("blanks", 0)
    if not isinstance(at_ms, int | float) or not isinstance(connection, int):
        raise TypeError("at_ms and connection are numbers")
    if not isinstance(channel, int) or not isinstance(blanks, int):
        raise TypeError("channel and blanks are numbers")
    if not (abs(at_ms) <= _MOST_MS and 0 <= blanks <= _MOST_BYTES):  # JSON here knows NaN too
        raise ValueError("at_ms or blanks of no capture")
    if line.get("socket") == "rtcp":
        channel = 1
    return Captured(float(at_ms), connection, line["from"] == "us", kind, data, channel, blanks)


def _content(line: Mapping[str, object]) -> tuple[str, bytes]:
    if isinstance(message := line.get("message"), str):
        return "message", message.encode("latin-1")
    if isinstance(size := line.get("garbage_bytes"), int) and size <= _MOST_BYTES:
        return "garbage", bytes(size)
    if isinstance(event := line.get("event"), str):
        return event, b""
    size, kept = line["bytes"], line["kept"]
    if not isinstance(size, int) or not 0 <= size <= 0xFFFF or not isinstance(kept, dict):
        raise TypeError("a packet has bytes and what is kept of them")
    data = bytearray(size)
    for at, piece in kept.items():
        raw = bytes.fromhex(piece)
        data[int(at) : int(at) + len(raw)] = raw
    return ("datagram" if "socket" in line else "packet"), bytes(data[:size])
