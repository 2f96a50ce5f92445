"""What a value of the index holds: a segment, a run, a stream (rows: `row_values`).

docs/ref/index.md draws the same layouts. What cannot be read raises IndexDamaged.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Any

from vonggac._native import segment as native
from vonggac.store.index import IndexDamaged
from vonggac.store.journal import SegmentState

MINUTE_NS = 60_000_000_000
_MINUTES_MAX = (1 << 32) - 1
U64_MAX = (1 << 64) - 1

_SEGMENT = struct.Struct(">BQ16s16s32sqqQII")
_CRC = struct.Struct(">I")
_RUN = struct.Struct(">qqQQBq")
_STREAM = struct.Struct(">16sQQqB")
U32 = struct.Struct(">I")
U64 = struct.Struct(">Q")
I64 = struct.Struct(">q")
_NO_ID = bytes(16)
_NO_HASH = bytes(32)


@dataclass(frozen=True, slots=True)
class SegmentRow:
    """A segment, as the index knows it."""

    state: SegmentState
    epoch: int = 0
    camera: bytes = _NO_ID
    stream: bytes = _NO_ID
    entry_sha256: bytes = _NO_HASH
    wall_start_ns: int = 0
    """The earliest start and the latest end of its chunks: where its rows are looked for."""
    wall_end_ns: int = 0
    order: int = 0
    """FREE and SEALED: the order of reuse, lowest first."""
    chunks: int = 0
    used_bytes: int = 0


@dataclass(frozen=True, slots=True)
class RunRow:
    """A run on this disk, and the gap before it."""

    run: int
    wall_start_ns: int
    wall_end_ns: int
    last_sequence: int
    predecessor_run: int = 0
    gap_reason: int = 0
    gap_start_ns: int = 0


@dataclass(frozen=True, slots=True)
class StreamRow:
    """How far a stream is recorded here."""

    camera: bytes
    run: int
    sequence: int
    wall_end_ns: int
    is_inband: bool = False


def minute_of(wall_ns: int) -> int:
    """The minute a row is filed under; a clock before 1970 files under the first."""
    minute = wall_ns // MINUTE_NS
    if 0 <= minute <= _MINUTES_MAX:
        return minute
    return 0 if minute < 0 else _MINUTES_MAX


def segment_value(row: SegmentRow) -> bytes:
    """With its CRC: it decides what is locked and what is reused, and never on a wrong bit."""
    packed = _SEGMENT.pack(
        row.state,
        row.epoch,
        row.camera,
        row.stream,
        row.entry_sha256,
        row.wall_start_ns,
        row.wall_end_ns,
        row.order,
        row.chunks,
        row.used_bytes,
    )
    return packed + _CRC.pack(native.crc32c(packed))


def segment_row(value: bytes) -> SegmentRow:
    sealed, crc = value[: _SEGMENT.size], value[_SEGMENT.size :]
    if crc not in (b"", _CRC.pack(native.crc32c(sealed))):
        raise IndexDamaged("a segment's row in the index does not have its CRC")
    state, *rest = _values(_SEGMENT, sealed)
    try:
        return SegmentRow(SegmentState(state), *rest)
    except ValueError as error:
        raise IndexDamaged(f"a segment's row in the index: {error}") from error


def run_value(row: RunRow) -> bytes:
    return _RUN.pack(
        row.wall_start_ns,
        row.wall_end_ns,
        row.last_sequence,
        row.predecessor_run,
        row.gap_reason,
        row.gap_start_ns,
    )


def run_row(run: int, value: bytes) -> RunRow:
    return RunRow(run, *_values(_RUN, value))


def stream_value(row: StreamRow) -> bytes:
    return _STREAM.pack(row.camera, row.run, row.sequence, row.wall_end_ns, row.is_inband)


def stream_row(value: bytes) -> StreamRow:
    camera, run, sequence, wall_end_ns, is_inband = _values(_STREAM, value)
    return StreamRow(camera, run, sequence, wall_end_ns, bool(is_inband))


def unpack(layout: struct.Struct, value: bytes) -> int:
    """A value, or a key, that is one number."""
    number: int = _values(layout, value)[0]
    return number


def _values(layout: struct.Struct, value: bytes) -> tuple[Any, ...]:
    try:
        return layout.unpack(value)
    except struct.error as error:
        raise IndexDamaged(f"a value of the index: {error}") from error
