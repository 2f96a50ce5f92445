"""The bytes of one camera connection, cut into messages and packets while they come.

The splitter is the one of the recorder's loop, so that both see the same items; `ClientSession`
reads the dialogue again by itself.
"""

from __future__ import annotations

from dataclasses import dataclass

from vonggac._native.parse import RTSP_GARBAGE, RTSP_PACKET, RtspItem, RtspSplitter
from vonggac.errors import MediaError
from vonggac.rtsp.lengthless import lines_end
from vonggac.rtsp.messages import Request, Response, lacks_length, parse_message
from vonggac.rtsp.transport import parse_transport

__all__ = ["Garbage", "Item", "Message", "Packet", "Wire"]

_FRAME_BYTES = 4
"""Before a packet: `$`, channel, length."""


@dataclass(frozen=True, slots=True)
class Message:
    """A request or an answer, as it came."""

    data: bytes
    value: Request | Response | None
    """None where it is neither, though it looked like one."""
    blanks: int = 0
    """Blank bytes in front of it."""


@dataclass(frozen=True, slots=True)
class Packet:
    """What came between `$` frames, or as a datagram."""

    channel: int
    data: bytes
    blanks: int = 0


@dataclass(frozen=True, slots=True)
class Garbage:
    """So many bytes that are neither."""

    size: int


Item = Message | Packet | Garbage


class Wire:
    """One direction of one connection: bytes in, items out."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._splitter = RtspSplitter()
        self.is_lost = False
        """There is no way back into the bytes (more garbage in a row than is borne)."""

    def receive(self, data: bytes) -> list[Item]:
        """Takes bytes as they came; gives the items that are whole by now."""
        if self.is_lost:
            return [Garbage(len(data))]
        self._buffer += data
        items: list[Item] = []
        try:
            while (found := self._splitter.next(self._buffer)) is not None:
                end = self._end_of(found)
                items.append(self._item(found, bytes(self._buffer[found.consumed_bytes : end])))
                del self._buffer[:end]
        except MediaError:
            self.is_lost = True
            items.append(Garbage(len(self._buffer)))
            self._buffer.clear()
        return items

    def _end_of(self, found: RtspItem) -> int:
        """With the lines of a description whose answer tells no length, if they came with it."""
        end = found.consumed_bytes
        if found.kind in (RTSP_GARBAGE, RTSP_PACKET) or not lacks_length(found.content):
            return end
        return lines_end(bytes(self._buffer), end) or end

    def _item(self, found: RtspItem, lines: bytes) -> Item:
        if found.kind == RTSP_GARBAGE:
            return Garbage(found.consumed_bytes)
        if found.kind == RTSP_PACKET:
            blanks = found.consumed_bytes - len(found.content) - _FRAME_BYTES
            return Packet(found.channel, found.content, blanks)
        content = found.content + lines
        message = Message(content, _value(content), found.consumed_bytes - len(found.content))
        self._agree(message.value)
        return message

    def _agree(self, value: Request | Response | None) -> None:
        """Channels of SETUP, asked for or answered: packets on them are looked for in garbage."""
        transport = value.headers.get("Transport") if value is not None else None
        for channel in parse_transport(transport or "").channels or ():
            self._splitter.agree(channel)


def _value(data: bytes) -> Request | Response | None:
    try:
        return parse_message(data)
    except MediaError:
        return None
