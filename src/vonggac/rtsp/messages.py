"""RTSP messages (RFC 2326 4 to 7) and interleaved packets (10.12): bytes to values and back.

Reads what cameras really send: names in any case, blanks around values, bare LF, no reason phrase,
blank lines between messages (docs/design/rtsp.md). Text is latin-1, so every byte survives.
The native splitter (`vg/rtsp_frame.h`) does this once video flows; this one serves the dialogue
before PLAY, and messages that the loop hands back.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from vonggac.errors import MediaError
from vonggac.rtsp.lengthless import LINES_MAX_BYTES, is_lengthless, late_lines, lines_end

HEADER_MAX_BYTES = 16 * 1024
"""Of a message's start line and header fields; no camera comes near it."""
BODY_MAX_BYTES = 64 * 1024
"""Of a body, which is an SDP; the largest seen has 3 KiB."""

_BETWEEN = b"\r\n \t"
_DOLLAR = 0x24


@dataclass(frozen=True, slots=True)
class Headers:
    """Header fields in their order; names compare without regard to case (RFC 2326 4.2)."""

    fields: tuple[tuple[str, str], ...] = ()

    def get(self, name: str) -> str | None:
        """The first value of a field, or None where it is absent."""
        return next(iter(self.get_all(name)), None)

    def get_all(self, name: str) -> list[str]:
        """All values of a field, in order."""
        wanted = name.lower()
        return [value for key, value in self.fields if key.lower() == wanted]

    def encode(self) -> bytes:
        """Header lines. Raises ValueError if a value would start another line."""
        for key, value in self.fields:
            if any(sign in key or sign in value for sign in "\r\n"):
                raise ValueError(f"a line break in header field {key!r}")
        return "".join(f"{key}: {value}\r\n" for key, value in self.fields).encode("latin-1")


@dataclass(frozen=True, slots=True)
class Request:
    """A request line (RFC 2326 6.1), header fields, body. `repr` shows no login."""

    method: str
    uri: str
    headers: Headers = field(default=Headers(), repr=False)
    body: bytes = b""

    def encode(self) -> bytes:
        """The message as sent."""
        if any(sign in self.uri or sign in self.method for sign in "\r\n "):
            raise ValueError("a blank or line break in a request line")
        line = f"{self.method} {self.uri} RTSP/1.0\r\n".encode("latin-1")
        return line + self.headers.encode() + b"\r\n" + self.body


@dataclass(frozen=True, slots=True)
class Response:
    """A status line (RFC 2326 7.1), header fields, body."""

    status: int
    reason: str = ""
    headers: Headers = Headers()
    body: bytes = b""

    def encode(self) -> bytes:
        """The message as sent."""
        line = f"RTSP/1.0 {self.status} {self.reason}\r\n".encode("latin-1")
        return line + self.headers.encode() + b"\r\n" + self.body

    def __str__(self) -> str:
        return for_people(f"{self.status} {self.reason}")


@dataclass(frozen=True, slots=True)
class Packet:
    """An interleaved binary packet (RFC 2326 10.12)."""

    channel: int
    payload: bytes


def for_people(text: str) -> str:
    """A camera's words, fit for a log line: printable, short."""
    return "".join(sign if sign.isprintable() else "?" for sign in text.strip()[:100])


class MessageReader:
    """Bytes in, messages and packets out. Keeps at most one unfinished item."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._searched = 0  # bytes at the head known to hold no end of a header
        self._head: tuple[str, Headers, int] | None = None  # of the message at the head; its bytes
        self._length: int | None = None  # of that message's body, where it is told
        self._has_blanks = False
        self._had_no_length = False

    def receive(self, data: bytes) -> None:
        """Takes bytes as they came."""
        self._buffer += data

    def take_rest(self) -> bytes:
        """What was received and not read yet; the reader is empty afterwards."""
        rest = bytes(self._buffer)
        self._buffer.clear()
        self._searched = 0
        self._head = None
        return rest

    def takes_blanks(self) -> bool:
        """Whether blank bytes were skipped since this was asked last."""
        has_blanks, self._has_blanks = self._has_blanks, False
        return has_blanks

    def next(self) -> Request | Response | Packet | None:
        """The next item, or None until more bytes come. Raises MediaError if there is none."""
        self._skip_between()
        if not self._buffer or not self._skip_late_lines():
            return None
        if self._buffer[0] == _DOLLAR:
            return self._next_packet()
        if not chr(self._buffer[0]).isalpha() or self._buffer[0] > 0x7F:
            raise MediaError("value", "RFC 2326 4 start-line")
        if self._head is None and not self._read_head():
            return None
        assert self._head is not None
        start_line, headers, head_bytes = self._head
        total_bytes = self._end(head_bytes)
        if total_bytes is None or len(self._buffer) < total_bytes:
            self._check_start()
            return None
        body = bytes(self._buffer[head_bytes:total_bytes])
        message = _message(start_line, headers, body)
        self._had_no_length = self._length is None
        self._drop(total_bytes)
        return message

    def _read_head(self) -> bool:
        """Once for each message, in however many pieces its body comes; False where it is cut."""
        head_bytes = self._find_head_end()
        if head_bytes is not None:
            head = _parse_head(bytes(self._buffer[:head_bytes]))
            self._length = None if _has_no_length(*head) else _content_length(head[1])
            self._head = (*head, head_bytes)
            return True
        self._check_start()
        if len(self._buffer) > HEADER_MAX_BYTES:
            raise MediaError("limit", f"{HEADER_MAX_BYTES} bytes of header", HEADER_MAX_BYTES)
        return False

    def _end(self, head_bytes: int) -> int | None:
        """Of the message at the head; None while nothing tells."""
        if self._length is not None:
            return head_bytes + self._length
        if len(self._buffer) > head_bytes + LINES_MAX_BYTES:
            raise MediaError("limit", f"{LINES_MAX_BYTES} bytes of lines without a length")
        return lines_end(bytes(self._buffer), head_bytes)

    def _check_start(self) -> None:
        """Who begins as another protocol does is not waited for to say more of it."""
        line_end = self._buffer.find(b"\n")
        words = bytes(self._buffer[: max(line_end, 0)]).upper().split() or [b"RTSP/"]
        if not words[0].startswith(b"RTSP/") and not words[-1].startswith(b"RTSP/"):
            raise MediaError("value", "RFC 2326 4 start-line")

    def _skip_late_lines(self) -> bool:
        """Of a description without a length; False where the buffer may end inside of one."""
        if not self._had_no_length or self._buffer[0] == _DOLLAR:
            return True
        end, is_cut = late_lines(bytes(self._buffer))
        if end:
            self._drop(end)
        if is_cut and len(self._buffer) > LINES_MAX_BYTES:
            raise MediaError("limit", f"{LINES_MAX_BYTES} bytes of a line without a length")
        return not is_cut and len(self._buffer) > 0

    def _next_packet(self) -> Packet | None:
        if len(self._buffer) < 4:
            return None
        end = 4 + int.from_bytes(self._buffer[2:4], "big")
        if len(self._buffer) < end:
            return None
        packet = Packet(self._buffer[1], bytes(self._buffer[4:end]))
        self._drop(end)
        return packet

    def _skip_between(self) -> None:
        """CRLF and blanks before `$` or a message: v4l2rtspserver and others."""
        if self._buffer[:1].strip(_BETWEEN) == b"":
            blanks = len(self._buffer) - len(self._buffer.lstrip(_BETWEEN))
            self._has_blanks |= blanks > 0
            self._drop(blanks)

    def _drop(self, count: int) -> None:
        del self._buffer[:count]
        self._searched = 0
        self._head = None

    def _find_head_end(self) -> int | None:
        """Where the empty line ends, CRLF or bare LF; None while it is not there."""
        at = self._searched
        while (at := self._buffer.find(b"\n", at)) >= 0:
            after = at + 1
            if self._buffer[after : after + 1] == b"\n":
                return after + 1
            if self._buffer[after : after + 2] == b"\r\n":
                return after + 2
            if after >= len(self._buffer) or self._buffer[after:] == b"\r":
                self._searched = at  # the empty line may be half here
                return None
            at = after
        self._searched = len(self._buffer)
        return None


def parse_message(data: bytes) -> Request | Response:
    """One whole message. Raises MediaError if it is not exactly that."""
    reader = MessageReader()
    reader.receive(data)
    item = reader.next()
    if item is None:
        raise MediaError("short", "RFC 2326 4 message", len(data))
    rest = reader.take_rest().strip(_BETWEEN)
    if isinstance(item, Packet) or rest:
        raise MediaError("value", "RFC 2326 4: one message", len(data) - len(rest))
    return item


def _parse_head(head: bytes) -> tuple[str, Headers]:
    """The start line and the header fields; lines without a colon are ignored."""
    lines = head.decode("latin-1").replace("\r\n", "\n").split("\n")
    fields: list[tuple[str, str]] = []
    for line in lines[1:]:
        if line[:1] in (" ", "\t") and fields:  # a folded value (RFC 2326 4.2)
            key, value = fields[-1]
            fields[-1] = (key, f"{value} {line.strip()}".strip())
            continue
        key, colon, value = line.partition(":")
        # A lone CR inside a value would end the line when the value is sent back.
        if colon and key.strip():
            fields.append((key.strip(), value.replace("\r", " ").strip()))
    return lines[0].strip(), Headers(tuple(fields))


def lacks_length(head: bytes) -> bool:
    """Whether the head of a message brings a description and does not say how long it is."""
    return _has_no_length(*_parse_head(head))


def _has_no_length(start_line: str, headers: Headers) -> bool:
    return is_lengthless(start_line, {name.lower(): value for name, value in headers.fields})


def _content_length(headers: Headers) -> int:
    text = headers.get("Content-Length")
    if text is None or text == "":
        return 0
    # isdigit alone also accepts superscripts, which int() does not.
    if not (text.isascii() and text.isdigit() and len(text) <= 9):
        raise MediaError("value", "RFC 2326 12.14 Content-Length")
    count = int(text)
    if count > BODY_MAX_BYTES:
        raise MediaError("limit", f"{BODY_MAX_BYTES} bytes of body")
    return count


def _message(start_line: str, headers: Headers, body: bytes) -> Request | Response:
    words = start_line.split(None, 2)
    if words and words[0].upper().startswith("RTSP/"):
        status = words[1] if len(words) > 1 else ""
        if not (len(status) == 3 and status.isascii() and status.isdigit()):
            raise MediaError("value", "RFC 2326 7.1 Status-Line", len(words[0]))
        return Response(int(status), words[2] if len(words) > 2 else "", headers, body)
    if len(words) != 3 or not words[2].upper().startswith("RTSP/"):
        raise MediaError("value", "RFC 2326 6.1 Request-Line")
    return Request(words[0], words[1], headers, body)
