"""Messages in parts, for sockets that do not wait: bytes in, bytes out.

The layout is `vg/wire.h`'s; `sockets.py` does the same for sockets that block.
"""

from __future__ import annotations

import struct

from vonggac.errors import MediaError
from vonggac_appliance.sockets import MESSAGE_BYTES_MAX, PARTS_MAX, VERSION

_HEADER = struct.Struct(">HHIHH")


def split(kind: int, body: bytes, request: int = 0) -> list[bytes]:
    """The messages that carry `body`."""
    room = MESSAGE_BYTES_MAX - _HEADER.size
    count = max(1, -(-len(body) // room))
    return [
        _HEADER.pack(VERSION, kind, request, part, int(part == count - 1))
        + body[part * room : (part + 1) * room]
        for part in range(count)
    ]


class Joiner:
    """Joins the parts of one peer's messages, which come in order and not mixed."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self._of = (0, 0)

    def join(self, message: bytes) -> tuple[int, bytes] | None:
        """Kind and body once the last part is there, else None. MediaError: not of this layout."""
        if len(message) < _HEADER.size:
            raise MediaError("short", "a message without its header", len(message))
        version, kind, request, part, last = _HEADER.unpack_from(message)
        if version != VERSION:
            raise MediaError("unsupported", f"message version {version}")
        if part != len(self._pieces) or (part and self._of != (kind, request)):
            raise MediaError("value", f"part {part} after {len(self._pieces)}", 8)
        if part >= PARTS_MAX:
            raise MediaError("limit", f"a message of more than {PARTS_MAX} parts", 8)
        self._of = (kind, request)
        self._pieces.append(message[_HEADER.size :])
        if not last:
            return None
        body = b"".join(self._pieces)
        self._pieces = []
        return kind, body
