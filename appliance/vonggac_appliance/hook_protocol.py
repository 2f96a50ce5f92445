"""What other people's programs and `vonggac hooks run` say to each other (docs/ref/hooks.md).

ZeroMQ over TCP with CURVE, ROUTER here and DEALER there; a message is one frame, a tagged struct in
MessagePack. Stable for programs that are not ours: fields are added at the end with a default,
never changed; `v` rises when a meaning changes. A field that is not known here is refused.
"""

from __future__ import annotations

import msgspec

__all__ = [
    "LISTEN_S",
    "MESSAGE_BYTES_MAX",
    "Asked",
    "HookAskPicture",
    "HookCamera",
    "HookGap",
    "HookGrant",
    "HookKept",
    "HookListen",
    "HookMark",
    "HookMotion",
    "HookPicture",
    "HookRefused",
    "Told",
    "decode_asked",
    "encode_told",
]

LISTEN_S = 30
"""So long a `listen` holds; said again before, it goes on."""
MESSAGE_BYTES_MAX = 16 * 1024
"""Of a program's message; a longer one ends its connection."""


class HookListen(msgspec.Struct, frozen=True, tag="listen", forbid_unknown_fields=True):
    """Tell me, for the next 30 s. Answered by HookGrant."""

    kinds: list[str] = []
    """Words of the grant; none: all that was granted. What was not granted is passed over."""
    v: int = 1


class HookMark(msgspec.Struct, frozen=True, tag="mark", forbid_unknown_fields=True):
    """Something was seen. Answered by HookKept or HookRefused of the same number."""

    number: int
    """Chosen by the program."""
    camera: str
    from_ns: int
    to_ns: int
    kind: str
    """A word of `vonggac.motion.marks.MarkKind`."""
    box: tuple[float, float, float, float] = (0.0, 0.0, 1.0, 1.0)
    """Left, top, right, bottom in parts of the picture."""
    score: float = 1.0
    v: int = 1


class HookAskPicture(msgspec.Struct, frozen=True, tag="ask-picture", forbid_unknown_fields=True):
    """The key frame before a moment. Answered by HookPicture or HookRefused of the same number."""

    number: int
    camera: str
    at_ns: int
    v: int = 1


Asked = HookListen | HookMark | HookAskPicture


class HookGrant(msgspec.Struct, frozen=True, tag="grant"):
    """What this program has at this moment."""

    hook: int
    name: str
    cameras: list[str]
    """Codes of those that it may have now."""
    kinds: list[str]
    """That it listens to."""
    until_ns: int
    """When the grant ends; wall time."""
    missed: int
    """Messages that were not sent to this listener, since it began: it did not read, or the
    audit chain could not be written."""
    at_ns: int
    v: int = 1


# Field by field the bus's `MotionFound`, and not that: what a hook was promised stays as it is when
# the box's own processes tell each other more, or something else.
class HookMotion(msgspec.Struct, frozen=True, tag="motion"):
    """Something moves in a camera's picture, or has stopped; told at both ends of an episode."""

    camera: str
    episode: int
    """Its first second, unix time; the same at its end."""
    is_over: bool
    from_ns: int
    to_ns: int
    strongest_ns: int
    cells: int
    """Of 64 x 36, in the strongest second."""
    tier: str
    """`full`, or `key`: from key frames alone."""
    at_ns: int
    v: int = 1


class HookCamera(msgspec.Struct, frozen=True, tag="camera"):
    """A stream of a camera changed its state."""

    camera: str
    stream: str
    state: str
    at_ns: int
    v: int = 1


class HookGap(msgspec.Struct, frozen=True, tag="gap"):
    """Nothing was recorded of this stream in [start_ns, end_ns)."""

    camera: str
    stream: str
    start_ns: int
    end_ns: int | None
    """None: it has only begun."""
    reason: str
    v: int = 1


class HookPicture(msgspec.Struct, frozen=True, tag="picture"):
    """What was asked for."""

    number: int
    camera: str
    at_ns: int
    """As asked; the frame is the last key frame before it."""
    mp4: bytes
    """A file of one picture, as the camera sent it; any player shows it."""
    v: int = 1


class HookKept(msgspec.Struct, frozen=True, tag="kept"):
    """The mark is kept, as long as the footage that it speaks of."""

    number: int
    v: int = 1


class HookRefused(msgspec.Struct, frozen=True, tag="refused"):
    """`code`: malformed, busy (too many listeners); of a mark or picture: camera (not granted),
    full, missing, rate, busy (say it again later), listen (say that before), and the name of a
    field that is wrong."""

    code: str
    what: str
    v: int = 1
    number: int = 0
    """Of the mark or picture; 0: of none."""


Told = HookGrant | HookMotion | HookCamera | HookGap | HookKept | HookPicture | HookRefused


def decode_asked(raw: bytes) -> Asked:
    """Raises one of `sockets.DECODE_ERRORS`."""
    asked: Asked = msgspec.msgpack.decode(raw, type=Asked)
    return asked


def encode_told(told: Told) -> bytes:
    """The one frame of a message."""
    return msgspec.msgpack.encode(told)
