"""Bytes of segments as a look gives them out: whole chunks or a key frame, block by block.

Every block is read first, then the chunk it belongs to is looked at again, and only then the block
goes out: a keeper empties a whole segment before it writes anything new into it, so where that
chunk still stands nothing newer was read.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from vonggac.errors import Refused, StorageError
from vonggac.media.chunk import VIDEO_TIMESCALE, ChunkView
from vonggac.playback import still as stills
from vonggac.playback.pictures import without_sound
from vonggac.store.segment import CHUNK_HEAD_BYTES_MAX, SegmentFile
from vonggac_appliance.look_leases import Leased

__all__ = ["BLOCK_BYTES", "Block", "Chunk", "RangeRead", "blocks", "chunks", "in_order", "joined"]

BLOCK_BYTES = 512 << 10
"""Read, checked and sent at once, and what counts as delivered or not: about a fragment. A half of
it costs a tenth more for a byte (bench/web.py --only ranges)."""

Block = tuple[int, int, bytes]
"""Where it begins, where it ends, what it holds."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """A chunk of a segment that lies where an address says."""

    start: int
    end: int
    view: ChunkView

    @property
    def from_ns(self) -> int:
        return self.view.claim.wall_start_ns

    @property
    def to_ns(self) -> int:
        ticks = self.view.claim.duration_ticks
        return self.from_ns + ticks * 1_000_000_000 // VIDEO_TIMESCALE


class RangeRead:
    """Bytes of a segment, block by block; the first ones are read and checked already.

    To be closed. What was taken is delivered when the next block is asked for: then it was sent.
    """

    def __init__(
        self,
        blocks: Iterator[Block],
        size_bytes: int,
        segment_bytes: int,
        sent: Callable[[int, int], None],
        close: Callable[[], None],
    ) -> None:
        self.size_bytes = size_bytes
        self.segment_bytes = segment_bytes
        self._sent = sent
        self._close: Callable[[], None] | None = close
        self._blocks = blocks
        self._first: Block | None = next(blocks, None)
        self._given: tuple[int, int] | None = None

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        if self._given is not None:
            self._sent(*self._given)
            self._given = None
        found = self._first if self._first is not None else next(self._blocks, None)
        self._first = None
        if found is None:
            self.close()
            raise StopIteration
        self._given = found[:2]
        return found[2]

    def close(self) -> None:
        """Gives the segment back. May be called twice."""
        close, self._close = self._close, None
        if close is not None:
            close()


def chunks(leased: Leased, start: int, end: int) -> list[Chunk]:
    """The chunks that make up a range. Refused where it is none that is ever listed."""
    found: list[Chunk] = []
    at = start // 4096 * 4096  # a key frame's range begins within its chunk, before 4 KiB
    while at < end:
        view = leased.file.chunk_of(leased.life, at)
        if view is None:
            leased.check()  # of a segment that was used again nothing is said but that
            raise Refused("no fragment lies there")
        found.append(Chunk(at, at + view.place.chunk_bytes, view))
        at += view.place.chunk_bytes
    first = found[0] if found else None
    if first is None:
        raise Refused("no fragment lies there")
    if start == first.start and end == at:
        return found
    moof = first.view.payload_offset - 8 - first.view.place.moof_bytes
    if start == first.start + moof and end == first.start + first.view.place.first_sample_end:
        return found
    raise Refused("a range is whole chunks, or a key frame alone")


def blocks(leased: Leased, found: Sequence[Chunk], start: int, end: int) -> Iterator[Block]:
    """The bytes as they lie there, without sound. `found`: the chunks of the range."""
    at = start
    while at < end:
        data = _read(leased.file, at, min(BLOCK_BYTES, end - at))
        leased.confirm(found[0].view)
        for chunk in found:
            if chunk.start < at + len(data) and at < chunk.end:
                data = without_sound(chunk.view, data, at - chunk.start)
        yield at, at + len(data), data
        at += len(data)


def in_order(chunks: Sequence[Chunk]) -> None:
    """One run, one chunk after the other, else Refused: nothing else is a fragment."""
    for before, chunk in itertools.pairwise(chunks):
        first, second = before.view.claim, chunk.view.claim
        if (first.run, first.sequence + 1) != (second.run, second.sequence):
            raise Refused("these do not continue each other")


def joined(held: Sequence[Leased], parts: Sequence[Sequence[Chunk]]) -> Iterator[Block]:
    """Chunk by chunk, on one timeline; chunks are counted, not bytes."""
    number = end_ticks = 0
    for leased, found in zip(held, parts, strict=True):
        starts_at = found[0].view.decode_time_ticks
        by_ticks = end_ticks - starts_at if number else 0
        for chunk in found:
            data = _read(leased.file, chunk.start, chunk.end - chunk.start)
            leased.confirm(chunk.view)
            head = stills.moved(data[:CHUNK_HEAD_BYTES_MAX], by_ticks) if by_ticks else b""
            yield number, number + 1, without_sound(chunk.view, head + data[len(head) :], 0)
            number += 1
        last = found[-1].view
        end_ticks = last.decode_time_ticks + last.claim.duration_ticks + by_ticks


def _read(file: SegmentFile, at: int, size: int) -> bytes:
    data = file.read(at, size)
    if len(data) != size:
        raise StorageError(f"a segment ends at {at + len(data)}, before its last chunk does")
    return data
