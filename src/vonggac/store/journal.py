"""The journal of a disk: two alternating full snapshots of what must be known before the index is.

Pure: bytes in, bytes out. docs/ref/journal.md draws every byte. All integers big-endian.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from typing import Protocol, TypeVar

from vonggac._native.segment import crc32c
from vonggac.errors import ConfigError, MediaError, StorageError

VERSION = 1
MAGIC = b"VGJOURNL"
SLOT_BYTES = 1 << 20
FILE_BYTES = 2 * SLOT_BYTES

_T = TypeVar("_T")
_HEADER = struct.Struct(">8sHHIQI")  # magic, version, zero, body bytes, generation, crc32c
_FIXED = struct.Struct(">16sQQQ")
_COUNT = struct.Struct(">I")
_SEGMENT = struct.Struct(">IBQ16s16sQ")
_GAP = struct.Struct(">16s16sqB")
_LOCK = struct.Struct(">16s16sqq")
_ERASE = struct.Struct(">IQIII")
_STREAM = struct.Struct(">16s")


# What a person is told    stored as               leaves it by
# free                     FREE, RESERVED, READY   spares.py: reserved, zeroed, opened
# open                     OPEN                    placing.py `_seal`
# sealed                   SEALED                  spares.py `_reserve`, in the order of sealing
# pinned                   OPEN or SEALED          locks.py: a lock reaches into its time
# expired                  SEALED                  retention.py, erase.py: due, taken or erased
# failed                   as before               its disk is suspect, or it cannot be read


class SegmentState(IntEnum):
    """What a segment is. Stored: the numbers never change."""

    FREE = 0
    """Never written, or recovered empty."""
    RESERVED = 1
    """Its new epoch is journalled; old bytes may still stand in it."""
    READY = 2
    """Zeroed: the next segment that somebody opens."""
    OPEN = 3
    SEALED = 4
    """In the journal: sealed since the index was last committed."""


@dataclass(frozen=True, slots=True)
class JournalSegment:
    number: int
    state: SegmentState
    epoch: int
    camera: bytes = bytes(16)
    stream: bytes = bytes(16)
    order: int = 0
    """SEALED: its place in the order of sealing. OPEN: that order when it was last written."""


class NamesGap(Protocol):
    """A run's first claim, or its row."""

    @property
    def wall_start_ns(self) -> int: ...
    @property
    def gap_start_ns(self) -> int: ...


@dataclass(frozen=True, slots=True)
class OpenGap:
    """A stream stopped and no run has closed the gap yet."""

    camera: bytes
    stream: bytes
    start_ns: int
    reason: int

    def is_named_by(self, first: NamesGap) -> bool:
        """Whether a run that begins so explains this gap. Not if it began before: its first chunk
        may have waited for a segment while the gap was opened.
        """
        return first.gap_start_ns == self.start_ns or first.wall_start_ns >= self.start_ns


@dataclass(frozen=True, slots=True)
class Lock:
    """Time of a stream that must stay, whatever else is told to go; also in the home's catalog."""

    lock: bytes
    stream: bytes
    from_ns: int
    to_ns: int


@dataclass(frozen=True, slots=True)
class EraseIntent:
    """A range being zeroed, and the bytes of blocks it shares.

    Made by a later version, carried by this one.
    """

    segment: int
    epoch: int
    offset: int
    size: int
    shared: bytes


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All of the journal."""

    generation: int
    disk: bytes
    highest_epoch: int
    seal_order: int
    index_commits: int = 0
    """The index commit that holds what this snapshot no longer lists; an older index is incomplete.
    """
    segments: tuple[JournalSegment, ...] = ()
    gaps: tuple[OpenGap, ...] = ()
    locks: tuple[Lock, ...] = ()
    erase_intents: tuple[EraseIntent, ...] = ()
    inband_streams: tuple[bytes, ...] = ()
    """Streams that are avc3/hev1 until a person resets them."""


def encode(snapshot: Snapshot) -> tuple[int, bytes]:
    """Where in the file the snapshot goes, and its bytes padded to 4 KiB."""
    parts = [
        _FIXED.pack(
            snapshot.disk, snapshot.highest_epoch, snapshot.seal_order, snapshot.index_commits
        ),
        _COUNT.pack(len(snapshot.segments)),
        *(
            _SEGMENT.pack(s.number, s.state, s.epoch, s.camera, s.stream, s.order)
            for s in snapshot.segments
        ),
        _COUNT.pack(len(snapshot.gaps)),
        *(_GAP.pack(g.camera, g.stream, g.start_ns, g.reason) for g in snapshot.gaps),
        _COUNT.pack(len(snapshot.locks)),
        *(_LOCK.pack(k.lock, k.stream, k.from_ns, k.to_ns) for k in snapshot.locks),
        _COUNT.pack(len(snapshot.erase_intents)),
        *(
            _ERASE.pack(e.segment, e.epoch, e.offset, e.size, len(e.shared)) + e.shared
            for e in snapshot.erase_intents
        ),
        _COUNT.pack(len(snapshot.inband_streams)),
        *(_STREAM.pack(stream) for stream in snapshot.inband_streams),
    ]
    body = b"".join(parts)
    if _HEADER.size + len(body) > SLOT_BYTES:
        raise StorageError(f"the journal would need {len(body)} bytes, its slot has {SLOT_BYTES}")
    crc = crc32c(body, crc32c(_header(len(body), snapshot.generation, 0)))
    data = _header(len(body), snapshot.generation, crc) + body
    padding = -len(data) % 4096
    return (snapshot.generation & 1) * SLOT_BYTES, data + bytes(padding)


def _header(body_bytes: int, generation: int, crc: int) -> bytes:
    return _HEADER.pack(MAGIC, VERSION, 0, body_bytes, generation, crc)


def decode(slot: bytes) -> Snapshot:
    """A snapshot from a slot's bytes.

    MediaError: torn or never written; ConfigError: a newer one.
    """
    if len(slot) < _HEADER.size:
        raise MediaError("short", "journal header", len(slot))
    magic, version, _, body_bytes, generation, crc = _HEADER.unpack_from(slot)
    if magic != MAGIC:
        raise MediaError("value", "journal magic")
    if body_bytes > len(slot) - _HEADER.size:
        raise MediaError("short", "journal body", 12)
    body = slot[_HEADER.size : _HEADER.size + body_bytes]
    plain = _HEADER.pack(magic, version, _, body_bytes, generation, 0)
    if crc32c(body, crc32c(plain)) != crc:
        raise MediaError("value", "journal CRC", _HEADER.size - 4)
    if version > VERSION:
        raise ConfigError(
            f"the journal's version {version} is newer than this program knows ({VERSION})"
        )
    return _Reader(body).snapshot(generation)


def newest(data: bytes) -> Snapshot:
    """The valid snapshot with the higher generation. StorageError when neither slot holds one."""
    return newest_of_two(data)[0]


def newest_of_two(data: bytes) -> tuple[Snapshot, bool]:
    """As `newest`; and whether the other slot cannot be read though it was written: torn by a cut,
    or damaged since, and then it may have been the newer one.
    """
    found: list[Snapshot] = []
    for start in (0, SLOT_BYTES):
        try:
            found.append(decode(data[start : start + SLOT_BYTES]))
        except MediaError:
            continue  # one slot may be torn at any time: that is why there are two
    if not found:
        raise StorageError(
            "neither half of the journal can be read; `vonggac disk rebuild` makes it anew"
        )
    held = max(found, key=lambda snapshot: snapshot.generation)
    other = (held.generation + 1 & 1) * SLOT_BYTES
    is_blank = held.generation == 1 and not any(data[other : other + _HEADER.size])
    return held, len(found) == 1 and not is_blank


class _Reader:
    def __init__(self, body: bytes) -> None:
        self._body = body
        self._at = 0

    def _bytes(self, size: int) -> bytes:
        if size > len(self._body) - self._at:
            raise MediaError("short", "journal record", self._at)
        start, self._at = self._at, self._at + size
        return self._body[start : self._at]

    def _many(self, layout: struct.Struct, make: Callable[..., _T]) -> tuple[_T, ...]:
        (count,) = _COUNT.unpack(self._bytes(_COUNT.size))
        if count > SLOT_BYTES // layout.size:
            raise MediaError("limit", "journal count", self._at)
        return tuple(make(*layout.unpack(self._bytes(layout.size))) for _ in range(count))

    def _erase(self, segment: int, epoch: int, offset: int, size: int, shared: int) -> EraseIntent:
        return EraseIntent(segment, epoch, offset, size, self._bytes(shared))

    def snapshot(self, generation: int) -> Snapshot:
        disk, highest_epoch, seal_order, index_commits = _FIXED.unpack(self._bytes(_FIXED.size))
        try:
            segments = self._many(_SEGMENT, _segment)
        except ValueError as error:
            raise MediaError("value", "journal segment state", self._at) from error
        return Snapshot(
            generation=generation,
            disk=disk,
            highest_epoch=highest_epoch,
            seal_order=seal_order,
            index_commits=index_commits,
            segments=segments,
            gaps=self._many(_GAP, OpenGap),
            locks=self._many(_LOCK, Lock),
            erase_intents=self._many(_ERASE, self._erase),
            inband_streams=self._many(_STREAM, bytes),
        )


def _segment(
    number: int, state: int, epoch: int, camera: bytes, stream: bytes, order: int
) -> JournalSegment:
    return JournalSegment(number, SegmentState(state), epoch, camera, stream, order)
