"""What a loop counts of its streams: a STATS record (`vg/wire.h`), and what it says of a camera."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from vonggac.rtsp.habits import Habit

__all__ = ["Stats", "StreamStats", "habits_between", "read_stats"]

_RECORD = struct.Struct(">16s10QIHHBIIqq17Q7QI")
NEVER_MS = 0xFFFFFFFF
"""An age: of what has not come yet."""


@dataclass(frozen=True, slots=True)
class StreamStats:
    """A STATS record."""

    stream: bytes
    run: int
    next_sequence: int
    bytes: int
    access_units: int
    sync_samples: int
    packets: int
    packets_lost: int
    damaged: int
    skipped_bytes: int
    dropped: int
    last_access_unit_age_ms: int
    width: int
    height: int
    codec: int
    keyframe_interval_ms: int
    jitter_ticks: int
    last_wall_end_ns: int
    camera_clock_ns: int
    datagrams_duplicate: int = 0
    datagrams_late: int = 0
    """Or of no sequence that is known."""
    datagrams_strange: int = 0
    """From another address than the camera's."""
    datagrams_overrun: int = 0
    """Lost in this box, for which the system had no room."""
    packets_foreign: int = 0
    """Of another payload type or source."""
    packets_repeated: int = 0
    markers_wrong: int = 0
    start_codes_inside: int = 0
    fragments_odd: int = 0
    nals_dropped: int = 0
    order_odd: int = 0
    """Decoding order numbers that go back."""
    stamps_odd: int = 0
    """Timestamps far from the one before."""
    channels_strange: int = 0
    """Packets on channels that were never set up."""
    reports_swapped: int = 0
    """On the channel of the pictures."""
    reports_broken: int = 0
    reports_foreign: int = 0
    """Of another source."""
    clocks_absurd: int = 0
    """Sender reports without a time, or far from the one before."""
    sound_packets: int = 0
    sound_packets_lost: int = 0
    sound_packets_odd: int = 0
    """Dropped, or dropped in part: what stands in them cannot be."""
    sound_frames: int = 0
    sound_frames_dropped: int = 0
    """For which there was no room, or which came too late."""
    sound_holes: int = 0
    """Between two frames, by their timestamps."""
    sound_missing_ms: int = 0
    """All holes together."""
    sound_age_ms: int = NEVER_MS
    """Of the newest frame."""


_HABITS = (
    (Habit.FOREIGN_PACKETS, "packets_foreign"),
    (Habit.REPEATED_PACKETS, "packets_repeated"),
    (Habit.MARKER, "markers_wrong"),
    (Habit.START_CODES, "start_codes_inside"),
    (Habit.FRAGMENTS, "fragments_odd"),
    (Habit.NAL_UNITS, "nals_dropped"),
    (Habit.DECODING_ORDER, "order_odd"),
    (Habit.STAMPS, "stamps_odd"),
    (Habit.STRANGE_CHANNELS, "channels_strange"),
    (Habit.SWAPPED_REPORTS, "reports_swapped"),
    (Habit.BROKEN_REPORTS, "reports_broken"),
    (Habit.FOREIGN_REPORTS, "reports_foreign"),
    (Habit.ABSURD_CLOCK, "clocks_absurd"),
)


def habits_between(before: StreamStats | None, now: StreamStats) -> list[tuple[Habit, int]]:
    """What a camera did against the rules since the record before, of the same run."""
    found = []
    for habit, name in _HABITS:
        count = getattr(now, name) - (0 if before is None else getattr(before, name))
        if count > 0:
            found.append((habit, count))
    if now.skipped_bytes > (0 if before is None else before.skipped_bytes):
        found.append((Habit.GARBAGE, 1))  # bytes would say nothing beside the others
    return found


@dataclass(frozen=True, slots=True)
class Stats:
    streams: tuple[StreamStats, ...]
    is_last: bool


def read_stats(body: bytes, is_last: bool) -> Stats:
    """STATS_REPLY. Raises struct.error where a record is too short."""
    count = int.from_bytes(body[:2])
    step = (len(body) - 2) // max(count, 1)  # a record may have grown at its end
    records = (_RECORD.unpack_from(body, 2 + i * step) for i in range(count))
    return Stats(tuple(StreamStats(*x) for x in records), is_last)
