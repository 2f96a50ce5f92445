"""The parent's side of `vg/wire.h`: what it writes to a loop and what it reads from one."""

from __future__ import annotations

import enum
import struct
from collections.abc import Sequence
from dataclasses import dataclass

from vonggac.errors import MediaError
from vonggac.rtsp.habits import Habit
from vonggac.rtsp.sound import SoundReady
from vonggac_appliance.loop_stats import Stats, read_stats

VERSION = 1
_HEADER = struct.Struct(">HHIHH")
_ATTACH = struct.Struct(">16s16sHBBBBIIBQQBq")
_SOUND = struct.Struct(">8B3I")
_DETACH = struct.Struct(">16sB")
_STREAM = struct.Struct(">16s")
_KEEPER = struct.Struct(">HI")
_UDP = struct.Struct(">16sB16sH")
_MOVE = struct.Struct(">HHH")
_EVENT = struct.Struct(">16sBi")
_ENDED = struct.Struct(">16sQQq")
_BLOB = struct.Struct(">I")

ANY_SLOT = 0xFFFF
CLOCK_RUNS_MAX = 15
"""Run numbers above an ATTACH's that are the loop's to give, when the box's clock is set."""
FLAG_REFERENCES_LOST = 1
FLAG_INBAND = 2
FLAG_WAITS_FOR_ROOM = 4
"""Nothing is kept before a sync sample that finds much of the arena free."""
FLAG_DONL = 8
"""H.265 with decoding order numbers in its packets."""


class Wire(enum.IntEnum):
    """vg_wire_kind, as far as the parent speaks it."""

    ATTACH = 1
    DETACH = 2
    SEND = 3
    KEEPER = 4
    LIVE = 5
    STATS = 6
    QUIT = 7
    CLOCK = 8
    MOVE = 9
    UDP = 10
    READY = 64
    MESSAGE = 65
    EVENT = 66
    STATS_REPLY = 67
    ENDED = 68


class LoopEvent(enum.IntEnum):
    """vg_wire_event."""

    FIRST_VIDEO = 1
    STALLED = 2
    RESUMED = 3
    CLOSED = 4
    BYE = 5
    BAD_STREAM = 6
    FLOOD = 7
    NO_ROOM = 8
    LATE_KEYFRAME = 9
    ENTRY_CHANGED = 10
    NEW_RUN = 11
    OVERRUN = 12


@dataclass(frozen=True, slots=True)
class Attach:
    """A camera's connection for a loop. The descriptor travels beside it."""

    camera: bytes
    stream: bytes
    keeper: int
    """The slot of the keeper that gets its chunks."""
    codec: int
    payload_type: int
    rtp_channel: int
    rtcp_channel: int
    clock_rate: int
    stall_ms: int
    flags: int
    run: int
    predecessor: int
    reason: int
    gap_start_ns: int
    vps: Sequence[bytes] = ()
    sps: Sequence[bytes] = ()
    pps: Sequence[bytes] = ()
    early: bytes = b""
    """What was read together with the answer to PLAY."""
    sound: SoundReady | None = None
    """Recorded too; on the same connection."""


@dataclass(frozen=True, slots=True)
class Ready:
    pid: int


@dataclass(frozen=True, slots=True)
class Message:
    """An RTSP message from the camera, whole."""

    stream: bytes
    message: bytes


@dataclass(frozen=True, slots=True)
class Event:
    stream: bytes
    event: LoopEvent
    errno: int
    detail: str


@dataclass(frozen=True, slots=True)
class Ended:
    """A run is over; `next_sequence` 0 means that nothing of it was kept."""

    stream: bytes
    run: int
    next_sequence: int
    last_wall_end_ns: int


_HABITS_TOLD = {
    LoopEvent.BYE: Habit.BYE,
    LoopEvent.LATE_KEYFRAME: Habit.LATE_KEYFRAME,
    LoopEvent.ENTRY_CHANGED: Habit.SETS_CHANGE,
}


def habit_of(event: LoopEvent) -> Habit | None:
    """What a camera did against the rules, where an event says so."""
    return _HABITS_TOLD.get(event)


FromLoop = Ready | Message | Event | Ended | Stats


def _message(kind: Wire, body: bytes = b"", request: int = 0) -> bytes:
    return _HEADER.pack(VERSION, kind, request, 0, 1) + body


def _blob(data: bytes) -> bytes:
    return _BLOB.pack(len(data)) + data


def _sets(sets: Sequence[bytes]) -> bytes:
    return _blob(b"".join(len(x).to_bytes(2) + x for x in sets))


def attach(a: Attach) -> bytes:
    """ATTACH."""
    fixed = _ATTACH.pack(
        a.camera,
        a.stream,
        a.keeper,
        a.codec,
        a.payload_type,
        a.rtp_channel,
        a.rtcp_channel,
        a.clock_rate,
        a.stall_ms,
        a.flags,
        a.run,
        a.predecessor,
        a.reason,
        a.gap_start_ns,
    )
    body = fixed + _sets(a.vps) + _sets(a.sps) + _sets(a.pps) + _blob(a.early)
    return _message(Wire.ATTACH, body + (_sound(a.sound) if a.sound else b""))


def _sound(ready: SoundReady) -> bytes:
    sound = ready.sound
    fixed = _SOUND.pack(
        sound.codec,
        sound.channels,
        ready.payload_type,
        ready.rtp_channel,
        ready.rtcp_channel,
        sound.size_bits,
        sound.index_bits,
        sound.delta_bits,
        sound.clock_rate,
        sound.sample_rate,
        sound.frame_ticks,
    )
    return fixed + _blob(sound.config)


def detach(stream: bytes, reason: int) -> bytes:
    """DETACH."""
    return _message(Wire.DETACH, _DETACH.pack(stream, reason))


def rtsp(stream: bytes, message: bytes) -> bytes:
    """SEND: an RTSP message for the camera."""
    return _message(Wire.SEND, stream + _blob(message))


def keeper(slot: int, incarnation: int) -> bytes:
    """KEEPER; the socket travels beside it."""
    return _message(Wire.KEEPER, _KEEPER.pack(slot, incarnation))


def move(slot: int, to: int, streams: Sequence[bytes] = ()) -> bytes:
    """MOVE: streams of a slot (or of `ANY_SLOT`) to another; without `streams` all of them."""
    return _message(Wire.MOVE, _MOVE.pack(slot, to, len(streams)) + b"".join(streams))


def udp(stream: bytes, *, is_rtcp: bool, camera: bytes, port: int, is_sound: bool = False) -> bytes:
    """UDP; the bound socket travels beside it. `camera`: its address in 16 bytes, IPv4 mapped;
    `port`: 0 where it told none. Follows ATTACH.
    """
    return _message(Wire.UDP, _UDP.pack(stream, is_rtcp | is_sound << 1, camera, port))


def live(stream: bytes, until_ms: int, header: bytes) -> bytes:
    """LIVE; the viewer's socket travels beside it, and is closed `until_ms` from now."""
    return _message(Wire.LIVE, stream + until_ms.to_bytes(4, "big") + _blob(header))


def stats(request: int) -> bytes:
    """STATS."""
    return _message(Wire.STATS, request=request)


def end() -> bytes:
    """QUIT."""
    return _message(Wire.QUIT)


def clock(is_synced: bool) -> bytes:
    """CLOCK."""
    return _message(Wire.CLOCK, bytes([is_synced]))


def read(message: bytes) -> FromLoop | None:
    """What a loop said; None for a kind that this version does not know.

    Raises MediaError: a loop that talks nonsense is broken and is restarted.
    """
    try:
        version, kind, _request, _part, last = _HEADER.unpack_from(message)
        if version != VERSION:
            raise MediaError("unsupported", f"vg/wire.h version {version}")
        return _read_body(kind, message[_HEADER.size :], bool(last))
    except (struct.error, ValueError) as error:
        raise MediaError("short", f"vg/wire.h: {error}") from error


def _read_body(kind: int, body: bytes, is_last: bool) -> FromLoop | None:
    if kind == Wire.READY:
        return Ready(int.from_bytes(body[:4]))
    if kind == Wire.MESSAGE:
        (stream,) = _STREAM.unpack_from(body)
        return Message(stream, _take_blob(body, _STREAM.size))
    if kind == Wire.EVENT:
        stream, event, errno = _EVENT.unpack_from(body)
        detail = _take_blob(body, _EVENT.size).decode(errors="replace")
        return Event(stream, LoopEvent(event), errno, detail)
    if kind == Wire.ENDED:
        return Ended(*_ENDED.unpack_from(body))
    if kind == Wire.STATS_REPLY:
        return read_stats(body, is_last)
    return None


def _take_blob(body: bytes, offset: int) -> bytes:
    (size,) = _BLOB.unpack_from(body, offset)
    start = offset + _BLOB.size
    if start + size > len(body):
        raise MediaError("short", "vg/wire.h blob", start)
    return body[start : start + size]
