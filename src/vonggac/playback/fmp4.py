"""Live pictures as fragmented MP4: an access unit, or a chunk of the ring, as `moof` and `mdat`.

A view shows one stream, run after run, as one media time without holes. Decode times are made
here, for a loop tells presentation times in decode order and cannot know what comes: the n-th
picture decodes when the (n - depth)-th in order of presentation is shown. So nothing waits, and no
picture is shown before it is decoded. Pure.
"""

from __future__ import annotations

import bisect
import itertools
import struct
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from vonggac._native import parse
from vonggac._native import segment as native
from vonggac.errors import MediaError
from vonggac.media.chunk import VIDEO_TIMESCALE, Claim
from vonggac.playback.still import entry_of

__all__ = ["START_TICKS", "Picture", "Shown", "ViewLine", "reorder_depth", "ring_chunk"]

START_TICKS = VIDEO_TIMESCALE
"""Where a view's media time begins, so that pictures decode before they are shown."""
_DURATION_TICKS = VIDEO_TIMESCALE // 25
"""Of a first picture, before a second one tells."""
_DURATION_MAX_TICKS = 2 * VIDEO_TIMESCALE
_STEPS = 5
"""A picture lasts as long as the median of so many before it: a lost one changes nothing."""
_DEPTH_LEARNT_MAX = 4
"""As VG_REORDER_LEARNT_MAX: a deeper step back is a camera's clock."""

# ISO/IEC 14496-12 8.8.3.1: as the recorder's own chunks have them.
_FLAGS_SYNC = 0x02000000
_FLAGS_OTHER = 0x01010000

_HEAD = struct.Struct(">I4s I4sII I4s I4sII I4sIQ I4sIII")
"""moof, mfhd, traf, tfhd (default-base-is-moof), tfdt version 1, trun version 1."""
_SAMPLE = struct.Struct(">IIIi")
_BOX = struct.Struct(">I4s")
_TRUN_HEAD_BYTES = 20
_SAMPLE_ENTRY_BYTES = 86
"""VisualSampleEntry with its box header (14496-12 12.1.3)."""
_H265_SPS = 33
_SYNC_MASK = 0x00010000
"""sample_is_non_sync_sample."""


@dataclass(frozen=True, slots=True)
class Picture:
    """An access unit without its bytes."""

    media_ticks: int
    """Presentation time since the run's start."""
    size_bytes: int
    is_sync: bool


@dataclass(frozen=True, slots=True)
class Shown:
    """`moof` and `mdat`, and where they stand in the view."""

    data: bytes
    start_ticks: int
    """Presentation time in the view of the first picture."""
    duration_ticks: int


def reorder_depth(head: bytes) -> int:
    """How many pictures may come before one and be shown after it; -1: the stream does not tell.

    `head`: ftyp and moov. StorageError, MediaError where it is none of ours.
    """
    entry = entry_of(head)
    config = entry[_SAMPLE_ENTRY_BYTES + _BOX.size :]
    if entry[4:8] == b"mp4v":
        return 0
    if entry[4:8] in (b"avc1", b"avc3"):
        size = int.from_bytes(config[6:8], "big")  # ISO/IEC 14496-15 5.3.3.1.2
        return parse.h264_sps(config[8 : 8 + size]).reorder_depth
    at = 23  # 14496-15 8.3.3.1.2: arrays of (type, count), then size and set each
    for _ in range(config[22]):
        kind, count = config[at] & 63, int.from_bytes(config[at + 1 : at + 3], "big")
        at += 3
        for _ in range(count):
            size = int.from_bytes(config[at : at + 2], "big")
            if kind == _H265_SPS:
                return parse.h265_sps(config[at + 2 : at + 2 + size]).reorder_depth
            at += 2 + size
    return -1


def ring_chunk(data: bytes) -> tuple[Claim, list[Picture], bytes]:
    """What a chunk of the ring holds: its claim, its pictures in decode order, their bytes.

    Raises MediaError where `data` is no whole chunk.
    """
    view = native.chunk_parse(data)
    if view is None:
        raise MediaError("value", "no chunk lies here", 0)
    claim = view.claim
    table = view.payload_offset - _BOX.size - view.place.moof_bytes + _HEAD.size
    end = view.payload_offset + claim.video_bytes
    if end > len(data) or table < 0:
        raise MediaError("short", "the chunk goes on behind its bytes", len(data))
    pictures: list[Picture] = []
    ticks = claim.media_start_ticks
    for at in range(table, table + _SAMPLE.size * claim.samples, _SAMPLE.size):
        duration, size, flags, offset = _SAMPLE.unpack_from(data, at)
        pictures.append(Picture(max(0, ticks + offset), size, not flags & _SYNC_MASK))
        ticks += duration
    return claim, pictures, data[view.payload_offset : end]


class ViewLine:
    """The media time of one view. `begin` before each key frame that goes on from nothing."""

    def __init__(self) -> None:
        self._fragments = 0
        self._base = 0
        self._end = START_TICKS
        self._is_new = True
        self._depth = 0
        self._learns = False
        self._waiting: list[int] = []
        """Presentation times whose turn to stand for a decode time has not come."""
        self._last_ideal: int | None = None
        self._last_decode = -1
        self._last_duration = 0
        self._steps: deque[int] = deque([_DURATION_TICKS], _STEPS)

    @property
    def end_ticks(self) -> int:
        """Where what was shown ends."""
        return self._end

    def begin(self, depth: int) -> None:
        """What follows is another run, or pictures before it were left out: it begins at the end.

        `depth`: from `reorder_depth`.
        """
        self._is_new = True
        self._learns = depth < 0
        self._depth = max(0, depth)
        self._waiting.clear()
        self._last_ideal = None

    def add(self, pictures: Sequence[Picture], payload: bytes) -> Shown:
        """The next pictures in decode order, whose bytes follow each other in `payload`."""
        if self._is_new:
            self._base = self._end - pictures[0].media_ticks
        shown = [max(0, self._base + picture.media_ticks) for picture in pictures]
        decode = self._decode_times(shown)
        durations = [after - before for before, after in itertools.pairwise(decode)]
        durations.append(self._usual())
        self._last_duration = durations[-1]
        start = min(shown)
        end = max(at + duration for at, duration in zip(shown, durations, strict=True))
        self._end = max(self._end, end)
        self._fragments += 1
        table = b"".join(
            _SAMPLE.pack(
                duration,
                picture.size_bytes,
                _FLAGS_SYNC if picture.is_sync else _FLAGS_OTHER,
                at - decoded,
            )
            for picture, duration, at, decoded in zip(
                pictures, durations, shown, decode, strict=True
            )
        )
        head = _moof(self._fragments, decode[0], len(pictures), table)
        mdat = _BOX.pack(_BOX.size + len(payload), b"mdat")
        return Shown(b"".join((head, table, mdat, payload)), start, end - start)

    def _decode_times(self, shown: Sequence[int]) -> list[int]:
        """Rising. The first one is at most two durations after what was told before."""
        latest: int | None = None if self._is_new else self._last_decode + 2 * self._last_duration
        self._is_new = False
        times: list[int] = []
        for at in shown:
            decode = self._ideal(at)
            # A longer step is a break to Media Source Extensions ("coded frame processing", step
            # 6): what follows would be thrown away up to the next key frame.
            if latest is not None:
                decode = min(decode, latest)
                latest = None
            self._last_decode = max(decode, self._last_decode + 1)
            times.append(self._last_decode)
        return times

    def _ideal(self, at: int) -> int:
        bisect.insort(self._waiting, at)
        if len(self._waiting) <= self._depth:
            missing = self._depth + 1 - len(self._waiting)
            return max(0, self._waiting[0] - missing * self._usual())
        ideal = self._waiting.pop(0)
        if self._last_ideal is not None:
            step = ideal - self._last_ideal
            if step > 0:
                self._steps.append(min(step, _DURATION_MAX_TICKS))
            elif self._learns and self._depth < _DEPTH_LEARNT_MAX:
                self._depth += 1  # shown before one that was decoded before it
        self._last_ideal = max(ideal, self._last_ideal or 0)
        return ideal

    def _usual(self) -> int:
        return sorted(self._steps)[len(self._steps) // 2]


def _moof(number: int, decode_ticks: int, samples: int, table: bytes) -> bytes:
    moof = _HEAD.size + len(table)
    return _HEAD.pack(
        moof,
        b"moof",
        16,
        b"mfhd",
        0,
        number,
        moof - 24,
        b"traf",
        16,
        b"tfhd",
        0x020000,
        1,
        20,
        b"tfdt",
        0x01000000,
        decode_ticks,
        _TRUN_HEAD_BYTES + len(table),
        b"trun",
        0x01000F01,
        samples,
        moof + _BOX.size,
    )
