"""A cut: whole fragments of a stream, copied as they were recorded, as one file that plays.

Samples, their timing and the claims are copied byte for byte. What changes is the keeper's own
part: decode times (`tfdt`) and fragment numbers begin at the cut's start and go on over segments,
and with them the CRC. Each chunk still says where it lay. Where the sample entry changes (another
resolution, other parameter sets) one file cannot play both: the cut goes on in another file. Pure:
reading and writing are the caller's.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from vonggac._native import segment as native
from vonggac.errors import StorageError
from vonggac.media.chunk import VIDEO_TIMESCALE, PackedRow, SyncKind
from vonggac.media.sound import first_decode_ticks, starts_as_told

_HOUR_TICKS = 3600 * VIDEO_TIMESCALE

ReadHead = Callable[[PackedRow], bytes]
"""ftyp + moov of the segment that a row lies in, with its padding."""
ReadChunk = Callable[[PackedRow], bytes]

LifeOf = Callable[[PackedRow], Hashable]
"""What tells the segment of a row, in one of its lives, from every other."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Bytes of a file. `begins_file`: the first ones, which are ftyp and moov."""

    data: bytes
    begins_file: bool
    row: PackedRow | None = None
    is_broken: bool = False
    """The payload does not have the hash that its claim names, or its sound was moved: copied, and
    told."""


def whole_fragments(rows: Iterable[PackedRow], from_ns: int, to_ns: int) -> list[PackedRow]:
    """The rows of all fragments that touch [from_ns, to_ns), in the order of recording.

    `rows` reach further than the range, so that the fragments at both ends are whole.
    """
    ordered = sorted(rows, key=lambda packed: (packed.row.run, packed.row.sequence))
    touching = [
        number
        for number, packed in enumerate(ordered)
        if packed.row.wall_start_ns < to_ns and packed.row.wall_end_ns > from_ns
    ]
    if not touching:
        return []
    first, last = touching[0], touching[-1]
    while first > 0 and not _begins_fragment(ordered, first):
        first -= 1
    while last + 1 < len(ordered) and not _begins_fragment(ordered, last + 1):
        last += 1
    return ordered[first : last + 1]


def _begins_fragment(ordered: Sequence[PackedRow], number: int) -> bool:
    row, before = ordered[number].row, ordered[number - 1].row if number else None
    return row.kind != SyncKind.NONE or before is None or before.run != row.run


def _life_of(packed: PackedRow) -> Hashable:
    return packed.segment, packed.epoch


def pieces(
    rows: Sequence[PackedRow],
    read_head: ReadHead,
    read_chunk: ReadChunk,
    life_of: LifeOf = _life_of,
) -> Iterator[Piece]:
    """The bytes of the cut, a chunk at a time. StorageError: a segment is not what its rows say."""
    line = _Line(0)
    head = b""
    segment: Hashable = None
    for packed in rows:
        if life_of(packed) != segment:
            segment = life_of(packed)
            found = read_head(packed)
            if found != head:
                head = found
                line = _Line(first_decode_ticks(head))
                yield Piece(head, begins_file=True)
        yield _piece(packed, read_chunk(packed), line)


def _piece(packed: PackedRow, data: bytes, line: _Line) -> Piece:
    view = native.chunk_parse(data)
    row = packed.row
    if view is None or (view.place.segment, view.place.epoch, view.place.offset) != (
        packed.segment,
        packed.epoch,
        row.offset,
    ):
        raise StorageError(f"segment {packed.segment} has no chunk at {row.offset}")
    head = bytearray(data[: view.payload_offset])
    place, claim = view.place, view.claim
    native.chunk_place(
        head,
        line.next(row.run, claim.wall_start_ns, claim.duration_ticks),
        line.count,
        place.disk,
        place.segment,
        place.epoch,
        place.offset,
    )
    video_end = view.payload_offset + claim.video_bytes
    whole = memoryview(data)
    video, audio = whole[view.payload_offset : video_end], whole[video_end:][: claim.audio_bytes]
    hashes = native.sha256(video), native.sha256(audio)
    is_whole = hashes == (claim.video_sha256, claim.audio_sha256)
    is_broken = not (is_whole and starts_as_told(view.sound_start_ticks, audio))
    return Piece(bytes(head) + data[view.payload_offset :], False, packed, is_broken)


class _Line:
    """Decode times of one file, from its own start; as in docs/ref/segment-format.md."""

    def __init__(self, first_ticks: int) -> None:
        self.count = 0
        self._first_ticks = first_ticks
        self._end_ticks = first_ticks
        self._start_ns = 0
        self._run = 0

    def next(self, run: int, wall_start_ns: int, duration_ticks: int) -> int:
        if self.count == 0:
            self._start_ns = wall_start_ns
        start = self._end_ticks
        if run != self._run:
            distance = (wall_start_ns - self._start_ns) * VIDEO_TIMESCALE // 1_000_000_000
            start = min(max(self._first_ticks + distance, start), start + _HOUR_TICKS)
        self.count += 1
        self._run = run
        self._end_ticks = start + duration_ticks
        return start
