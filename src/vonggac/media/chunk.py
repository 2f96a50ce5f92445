"""Values of the segment format: claim, place, sample, chunk, row, and the numbers stored in them.

docs/ref/segment-format.md draws every byte; `vonggac._native.segment` reads and writes them.
The numbers of the enumerations are stored and never change (native/include/vg/segment.h has the
same ones, and a test compares the two).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, IntFlag

from vonggac.errors import MediaError

__all__ = [
    "BLOCK_BYTES",
    "FORMAT_VERSION",
    "VIDEO_TIMESCALE",
    "ChunkFlag",
    "ChunkView",
    "Claim",
    "Codec",
    "GapReason",
    "PackedRow",
    "Place",
    "Row",
    "Sample",
    "SyncKind",
    "TableIsLonger",
    "gap_word",
    "row_of",
]

FORMAT_VERSION = 1
BLOCK_BYTES = 4096
"""Chunks start at multiples of it; a block that holds durable bytes is never written again."""
VIDEO_TIMESCALE = 90_000
"""Ticks per second of every video track."""


class Codec(IntEnum):
    """What a video track holds."""

    H264 = 1
    H265 = 2
    MJPEG = 3
    """Each sample is a JPEG file."""


class SyncKind(IntEnum):
    """How a chunk's first sample can be entered."""

    NONE = 0
    IDR = 1
    CRA = 2
    BLA = 3
    RECOVERY = 4
    """Intra picture with a recovery point SEI, recovery_frame_cnt 0."""


class ChunkFlag(IntFlag):
    """Flags of a claim; the last three stand in rows and tables only."""

    FIRST = 1 << 0
    """First of its run: predecessor, gap reason and gap start follow in the claim."""
    DAMAGED = 1 << 1
    """Something was lost on the way: a picture here may be broken."""
    REFERENCES_LOST = 1 << 2
    """Pictures before the next sync sample may refer to what is not there."""
    REANCHORED = 1 << 3
    """Wall time was set anew at its start (a break beyond the bound)."""
    SETS_DROPPED = 1 << 4
    """In-band parameter sets that equal the sample entry's were left out."""
    CLOCK_SYNCED = 1 << 5
    """The box's clock was synchronised."""
    INBAND = 1 << 6
    """`avc3` or `hev1`: parameter sets stand in band."""
    END = 1 << 7
    """Last of its run."""
    BROKEN = 1 << 16
    """Rows only: the payload does not have the claimed hash."""
    CONTINUES = 1 << 17
    """Rows only: the fragment goes on in the next segment."""
    ERASED = 1 << 18
    """Tables only: the payload was zeroed because its time had come; the index has no such row."""


class GapReason(IntEnum):
    """Why there was nothing before a run."""

    UNKNOWN = 0
    CAMERA_OFF = 1
    NETWORK = 2
    REFUSED = 3
    WRONG_PASSWORD = 4
    NO_VIDEO = 5
    BAD_STREAM = 6
    CRASHES = 7
    OTHER_DEVICE = 8
    BOX_STOPPED = 9
    DISK = 10
    AGREEMENT_ENDED = 11
    PAUSED = 12
    FLOOD = 13
    CLOCK_SET = 14
    """No time passed: the box's clock was set, and the run before ended in the old one."""

    @property
    def words(self) -> str:
        """What people and `--json` read."""
        if self is GapReason.CRASHES:
            return "crashes the recorder"
        if self is GapReason.OTHER_DEVICE:
            return "another device"
        return self.name.lower().replace("_", " ")


def gap_word(number: int) -> str:
    """The words for a stored reason; a number that a newer recorder wrote reads *unknown*."""
    try:
        return GapReason(number).words
    except ValueError:
        return GapReason.UNKNOWN.words


class TableIsLonger(MediaError):
    """A segment's table is longer than the bytes given; `needed_bytes` of its end hold it."""

    def __init__(self, count: int, needed_bytes: int) -> None:
        super().__init__("short", "table of the segment", needed_bytes)
        self.count = count
        """Entries in the table."""
        self.needed_bytes = needed_bytes


@dataclass(frozen=True, slots=True)
class Sample:
    """One sample of a video track, as `trun` tells it."""

    size_bytes: int
    duration_ticks: int
    composition_offset_ticks: int = 0
    """Presentation minus decode time; signed (ISO/IEC 14496-12 8.8.8, version 1)."""
    is_sync: bool = False
    is_leading: bool = False
    """H.265 RASL or RADL: belongs to the CRA before it."""


@dataclass(frozen=True, slots=True)
class Claim:
    """What was received: written by the loop, and the only part that is chained."""

    flags: int
    """`ChunkFlag`, without the three of rows."""
    camera: bytes
    """16 random bytes."""
    stream: bytes
    """16 random bytes."""
    run: int
    sequence: int
    """From 0 in a run."""
    wall_start_ns: int
    """UTC of the box, since 1970."""
    media_start_ticks: int
    """Since the run's start."""
    kind: int
    """`SyncKind` of the first sample."""
    video_bytes: int
    video_sha256: bytes
    previous_sha256: bytes
    """Of the claim before in this run; zeros in a first."""
    timescale: int = VIDEO_TIMESCALE
    duration_ticks: int = 0
    """Sum of the samples' durations; `chunk_head_write` computes it."""
    samples: int = 0
    """Count; `chunk_head_write` computes it."""
    trun_sha256: bytes = bytes(32)
    """Of the `trun` box; `chunk_head_write` computes it."""
    audio_bytes: int = 0
    audio_sha256: bytes = bytes.fromhex(
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    )
    """Of nothing while there is no audio."""
    camera_clock_ns: int | None = None
    """The camera's own clock where it tells it, UTC since 1970; None: unknown."""
    predecessor_run: int = 0
    """First of a run only; 0: unknown."""
    gap_reason: int = GapReason.UNKNOWN
    """First of a run only: why there was nothing before it (`GapReason`)."""
    gap_start_ns: int = 0
    """First of a run only: since when, UTC since 1970."""
    version: int = FORMAT_VERSION


@dataclass(frozen=True, slots=True)
class Place:
    """Where a chunk lies: written by the keeper."""

    disk: bytes
    """16 random bytes of the disk's identity."""
    segment: int
    epoch: int
    """Which life of the segment: era << 40 | n."""
    offset: int
    """Of the chunk in its segment, in bytes; a multiple of `BLOCK_BYTES`."""
    moof_bytes: int
    chunk_bytes: int
    """From `prft` to the end of the padding; a multiple of `BLOCK_BYTES`."""
    first_sample_end: int
    """From the chunk's start, in bytes: serves its key frame alone."""
    crc32c: int
    """Of `prft`, `uuid` (this field zero) and `moof`."""


@dataclass(frozen=True, slots=True)
class ChunkView:
    """A chunk's head as found on a disk."""

    claim: Claim
    place: Place
    decode_time_ticks: int
    """`tfdt`: on the segment's own line."""
    payload_offset: int
    """Of the payload of `mdat`, from the chunk's start, in bytes."""
    claim_sha256: bytes
    """What the next claim of this run must name as its previous one."""
    sound_start_ticks: int | None = None
    """From the first picture's decode time to the first sound; None: there is no sound."""


@dataclass(frozen=True, slots=True)
class Row:
    """A chunk in the index and in a segment's table: where and when."""

    offset: int
    chunk_bytes: int
    moof_bytes: int
    first_sample_end: int
    wall_start_ns: int
    wall_end_ns: int
    duration_ticks: int
    samples: int
    flags: int
    """`ChunkFlag`, with those of rows."""
    kind: int
    run: int
    sequence: int


@dataclass(frozen=True, slots=True)
class PackedRow:
    """A row of the index: the segment it lies in, and which life of it."""

    segment: int
    epoch: int
    row: Row


def row_of(claim: Claim, place: Place, wall_end_ns: int, row_flags: int = 0) -> Row:
    """The row of a chunk that ends at `wall_end_ns`; `row_flags`: BROKEN, CONTINUES or none."""
    return Row(
        offset=place.offset,
        chunk_bytes=place.chunk_bytes,
        moof_bytes=place.moof_bytes,
        first_sample_end=place.first_sample_end,
        wall_start_ns=claim.wall_start_ns,
        wall_end_ns=wall_end_ns,
        duration_ticks=claim.duration_ticks,
        samples=claim.samples,
        flags=claim.flags | row_flags,
        kind=claim.kind,
        run=claim.run,
        sequence=claim.sequence,
    )
