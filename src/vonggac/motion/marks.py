"""What somebody's program says it saw: checked, and as the bytes that are kept. Pure.

A mark says *what kind of thing*, never who: there is no kind for a face, a plate or a person's
identity, and no field for a text that could hold one.
"""

from __future__ import annotations

import enum
import math
import struct
from collections.abc import Iterator

import msgspec

from vonggac._native.segment import crc32c
from vonggac.errors import Invalid

__all__ = [
    "AHEAD_MAX_NS",
    "BACK_MAX_NS",
    "LENGTH_MAX_NS",
    "Mark",
    "MarkKind",
    "check",
    "pack",
    "unpack",
]

_S = 1_000_000_000
AHEAD_MAX_NS = 5 * _S
"""Another computer's clock may be so far ahead of the box's."""
BACK_MAX_NS = 86_400 * _S
"""A detector that is further behind detects nothing any more."""
LENGTH_MAX_NS = 3600 * _S
_HEAD = struct.Struct(">HI")
"""Bytes of the row, and CRC-32C of these two and the row."""
_ROW_MAX = 1024


class MarkKind(enum.StrEnum):
    """All there are."""

    PERSON = "person"
    CROWD = "crowd"
    ANIMAL = "animal"
    BICYCLE = "bicycle"
    MOTORBIKE = "motorbike"
    CAR = "car"
    LORRY = "lorry"
    BUS = "bus"
    BOAT = "boat"
    OBJECT_LEFT = "object-left"
    OBJECT_GONE = "object-gone"
    FIRE = "fire"
    SMOKE = "smoke"
    FLOOD = "flood"


class Mark(msgspec.Struct, frozen=True):
    """Something in a camera's picture in [from_ns, to_ns), wall time."""

    hook: int
    """Whose program says so."""
    from_ns: int
    to_ns: int
    kind: str
    """A word of MarkKind; of another one that a newer program kept, too."""
    box: tuple[float, float, float, float]
    """Left, top, right, bottom in parts of the picture; 0, 0, 1, 1 is all of it."""
    score: float
    """How sure the program is, 0 to 1; its own measure."""
    received_ns: int


def check(mark: Mark, now_ns: int) -> None:
    """Raises Invalid with the field's name."""
    if mark.kind not in tuple(MarkKind):
        raise Invalid("kind", f"a mark is one of {', '.join(MarkKind)}")
    if not 0 < mark.to_ns - mark.from_ns <= LENGTH_MAX_NS:
        raise Invalid("to_ns", "a mark ends after it begins, and within an hour")
    if mark.to_ns > now_ns + AHEAD_MAX_NS:
        raise Invalid("to_ns", "a mark of the future")
    if mark.from_ns < now_ns - BACK_MAX_NS:
        raise Invalid("from_ns", "a mark of more than a day ago")
    left, top, right, bottom = mark.box
    if not (0 <= left < right <= 1 and 0 <= top < bottom <= 1):  # false for what is no number
        raise Invalid("box", "a box is left, top, right, bottom from 0 to 1, and has an inside")
    if not (math.isfinite(mark.score) and 0 <= mark.score <= 1):
        raise Invalid("score", "a score is from 0 to 1")


def pack(mark: Mark) -> bytes:
    """As it is kept."""
    row = msgspec.msgpack.encode(mark)
    size = len(row).to_bytes(2, "big")
    return size + crc32c(size + row).to_bytes(4, "big") + row


def unpack(raw: bytes) -> Iterator[tuple[Mark, int]]:
    """The marks from the start of `raw` on, each with where it ends, up to what is none."""
    at = 0
    while at + _HEAD.size <= len(raw):
        size, crc = _HEAD.unpack_from(raw, at)
        end = at + _HEAD.size + size
        row = raw[at + _HEAD.size : end]
        if size > _ROW_MAX or end > len(raw) or crc32c(raw[at : at + 2] + row) != crc:
            return
        try:
            mark = msgspec.msgpack.decode(row, type=Mark)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            return
        yield mark, end
        at = end
