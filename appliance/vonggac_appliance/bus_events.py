"""What processes publish: each topic, who sends it, who receives it, and whether it may be lost.

ZeroMQ PUB/SUB over `ipc://` below HOME/run; a message is two frames, the name of its topic and its
struct in MessagePack. Fields are added at the end with a default, never changed; `v` rises when a
meaning changes.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import msgspec

from vonggac_appliance.sockets import socket_path

__all__ = [
    "TOPICS",
    "Alarm",
    "CameraChanged",
    "DiskChanged",
    "DurableTick",
    "GapClosed",
    "GapOpened",
    "HookCount",
    "HookCounts",
    "MarkAdded",
    "MotionFound",
    "MotionTier",
    "SegmentSealed",
    "Topic",
    "decode_event",
    "encode_event",
    "events_endpoint",
    "Event",
]


class CameraChanged(msgspec.Struct, frozen=True, tag="camera"):
    """A stream of a camera changed its state."""

    camera: str
    """Its code, as in `camera add ID`."""
    stream: str
    """main or sub."""
    state: str
    gap_reason: str | None
    what: str
    """A sentence for a person: what happened and what is done about it."""
    at_ns: int
    v: int = 1


class GapOpened(msgspec.Struct, frozen=True, tag="gap-opened"):
    """Nothing is recorded of this stream from `start_ns` on."""

    camera: str
    stream: str
    start_ns: int
    reason: str
    v: int = 1


class GapClosed(msgspec.Struct, frozen=True, tag="gap-closed"):
    """Video came again; `reason` is the one that stands in the new run's first claim."""

    camera: str
    stream: str
    start_ns: int
    end_ns: int
    reason: str
    run: int
    v: int = 1


class DurableTick(msgspec.Struct, frozen=True, tag="durable"):
    """A sync completed: how far each stream that moved survives a power cut."""

    disk: str
    """Its uuid in hex."""
    tick_ms: float
    bytes_written: int
    streams: list[tuple[bytes, int]]
    """Stream id and wall end in ns."""
    v: int = 1


class SegmentSealed(msgspec.Struct, frozen=True, tag="sealed"):
    """A segment is full, has its table and is never appended to again."""

    disk: str
    segment: int
    stream: bytes
    wall_start_ns: int
    wall_end_ns: int
    v: int = 1


class DiskChanged(msgspec.Struct, frozen=True, tag="disk"):
    """A disk's state: recording, slow, failed, full; starting, hung, down and retired are the
    parent's words.
    """

    disk: str
    path: str
    state: str
    what: str
    v: int = 1


class Alarm(msgspec.Struct, frozen=True, tag="alarm"):
    """Something a person has to look at."""

    kind: str
    """One of `vonggac.registry.alarms.KINDS`."""
    subject: str
    what: str
    at_ns: int
    v: int = 1


class MotionFound(msgspec.Struct, frozen=True, tag="motion"):
    """Something moves in a camera's picture, or has stopped; told at both ends of an episode."""

    camera: str
    episode: int
    """Its first second, unix time; the same at its end."""
    is_over: bool
    from_ns: int
    to_ns: int
    """As far as it is known; wall time."""
    strongest_ns: int
    cells: int
    """Of 64 x 36, in the strongest second."""
    tier: str
    """`full` or `key`: from key frames alone."""
    at_ns: int
    v: int = 1


class MotionTier(msgspec.Struct, frozen=True, tag="motion-tier"):
    """A camera's pictures are decoded in another way from here on."""

    camera: str
    tier: str
    """`full` or `key`."""
    what: str
    at_ns: int
    v: int = 1


class CameraTrouble(msgspec.Struct, frozen=True, tag="camera-trouble"):
    """A camera may not show what it is to show; told again every minute while it lasts."""

    camera: str
    kind: str
    """One of `vonggac.motion.trouble.Trouble`."""
    from_ns: int
    """About; the same each time."""
    usual_ns: int
    """A moment at which it looked as usual; wall time."""
    shown_ns: int
    """A moment that shows it."""
    at_ns: int
    v: int = 1


class MarkAdded(msgspec.Struct, frozen=True, tag="mark-added"):
    """A program says that it saw something, which is kept: no fact before somebody has looked."""

    camera: str
    hook: int
    """Whose program says so."""
    name: str
    """As the grant calls it."""
    from_ns: int
    to_ns: int
    kind: str
    """A word of `vonggac.motion.marks.MarkKind`."""
    box: tuple[float, float, float, float]
    """Left, top, right, bottom in parts of the picture."""
    score: float
    """0 to 1; the program's own measure."""
    at_ns: int
    v: int = 1


class HookCount(msgspec.Struct, frozen=True):
    """Of one hook, since its process began."""

    hook: int
    kept: int
    """Marks."""
    refused: dict[str, int]
    """Marks, by the code of the answer."""


class HookCounts(msgspec.Struct, frozen=True, tag="hook-counts"):
    """What programs have pushed; told every ten seconds, and within a second of a push."""

    hooks: list[HookCount]
    """Those that pushed anything."""
    marks_bytes: int
    """Of all files of marks."""
    at_ns: int
    v: int = 1


Event = (
    CameraChanged
    | GapOpened
    | GapClosed
    | DurableTick
    | SegmentSealed
    | DiskChanged
    | Alarm
    | MotionFound
    | MotionTier
    | CameraTrouble
    | MarkAdded
    | HookCounts
)


@dataclass(frozen=True, slots=True)
class Topic:
    """A row of the table below."""

    name: str
    type: type[msgspec.Struct]
    sender: str
    receivers: str
    may_be_lost: bool
    """Who may have missed one asks again: `status` on control, rows on the index socket."""


TOPICS = (
    Topic("camera", CameraChanged, "record", "serve, hooks, demo", True),
    Topic("gap-opened", GapOpened, "record", "serve, hooks", True),
    Topic("gap-closed", GapClosed, "record", "serve, hooks", True),
    Topic("durable", DurableTick, "record", "motion, serve, hooks", True),
    Topic("sealed", SegmentSealed, "record", "motion", True),
    Topic("disk", DiskChanged, "record", "serve", True),
    Topic("alarm", Alarm, "record", "serve, hooks", True),
    Topic("motion", MotionFound, "motion", "hooks", True),
    Topic("motion-tier", MotionTier, "motion", "serve, hooks", True),
    Topic("camera-trouble", CameraTrouble, "motion", "record", True),
    Topic("mark-added", MarkAdded, "hooks", "nobody yet", True),
    Topic("hook-counts", HookCounts, "hooks", "serve", True),
)


def encode_event(event: Event) -> tuple[bytes, bytes]:
    """The two frames of an event."""
    topic = event.__struct_config__.tag
    assert isinstance(topic, str)
    return topic.encode(), msgspec.msgpack.encode(event)


def decode_event(frames: list[bytes]) -> Event:
    """The event in two frames; raises msgspec.DecodeError for anything else."""
    if len(frames) != 2:
        raise msgspec.DecodeError(f"an event has 2 frames, not {len(frames)}")
    event: Event = msgspec.msgpack.decode(frames[1], type=Event)
    return event


def events_endpoint(home: Path, process: str) -> Path:
    """Where `process` publishes. Each process binds its own; subscribers connect to all."""
    return socket_path(home, "events", f"events-{process}.sock")
