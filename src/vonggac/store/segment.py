"""Reading segments as they lie on the disk: heads, chunks one after another, tables.

Nothing here writes. docs/ref/segment-format.md draws the bytes.
"""

from __future__ import annotations

import errno
import fcntl
import mmap
import os
from collections.abc import Iterator
from dataclasses import dataclass

from vonggac._native import segment as native
from vonggac.errors import MediaError, StorageError
from vonggac.media.chunk import BLOCK_BYTES, ChunkFlag, ChunkView, Row, TableIsLonger
from vonggac.media.sound import starts_as_told

HEAD_BYTES_MAX = 36 << 10
"""VG_HEAD_MAX, padded."""
CHUNK_HEAD_BYTES_MAX = 48 << 10
_FIRST_READ_BYTES = 8 << 10
_SCAN_BYTES = 1 << 20
_ZEROS = bytes(_SCAN_BYTES)


@dataclass(frozen=True, slots=True)
class Life:
    """Which life of which segment: what every chunk in it must say of its place."""

    disk: bytes
    number: int
    epoch: int


@dataclass(frozen=True, slots=True)
class Found:
    """A chunk as it lies there."""

    view: ChunkView
    is_broken: bool = False
    """Its payload does not have the claimed hash (only where the payload was read)."""

    @property
    def end(self) -> int:
        return self.view.place.offset + self.view.place.chunk_bytes


class SegmentFile:
    """Bounded reads of one segment by a descriptor that the caller owns."""

    def __init__(self, fd: int, size: int) -> None:
        self.fd = fd
        self.size = size
        self._is_direct = bool(fcntl.fcntl(fd, fcntl.F_GETFL) & os.O_DIRECT)
        self._scanned: tuple[int, bytes] = (0, b"")

    def read(self, offset: int, size: int) -> bytes:
        """Up to `size` bytes; less at the end. A block the disk cannot give is a StorageError."""
        size = max(min(size, self.size - offset), 0)
        try:
            return (
                self._read_direct(offset, size)
                if self._is_direct
                else os.pread(self.fd, size, offset)
            )
        except OSError as error:
            raise StorageError(f"a segment cannot be read at {offset}: {error.strerror}") from error

    def _read_direct(self, offset: int, size: int) -> bytes:
        if not size:
            return b""
        start = offset // BLOCK_BYTES * BLOCK_BYTES
        end = -(-(offset + size) // BLOCK_BYTES) * BLOCK_BYTES
        with mmap.mmap(-1, end - start) as aligned:
            done = os.preadv(self.fd, [aligned], start)
            return aligned[offset - start : min(offset - start + size, done)]

    def head(self) -> bytes | None:
        """ftyp + moov with its padding; None where there is none. Chunks start behind it."""
        if self._next_data(0) > 0:
            return None  # not read: pages of a hole that are cached would be data to SEEK_DATA
        # Most have one block: of 20 TB, what is read of each segment is what a rebuild costs.
        found = self._head_in(self.read(0, BLOCK_BYTES))
        return found or self._head_in(self.read(0, HEAD_BYTES_MAX))

    def _head_in(self, data: bytes) -> bytes | None:
        at = 0
        wanted = (b"ftyp", b"moov")
        seen: list[bytes] = []
        while at + 8 <= len(data):
            size, kind = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8]
            if kind not in (*wanted, b"free") or size < 8 or size > len(data) - at:
                break
            seen.append(kind)
            at += size
            if at % BLOCK_BYTES == 0 and tuple(k for k in seen if k != b"free") == wanted:
                return data[:at]
        return None

    def chunk(self, offset: int) -> ChunkView | None:
        """The chunk whose head starts at `offset`; None where there is none or a damaged one."""
        size = _FIRST_READ_BYTES
        while True:
            data = self.read(offset, size)
            try:
                view = native.chunk_parse(data)
            except MediaError as error:
                if error.kind == "short" and size < CHUNK_HEAD_BYTES_MAX and len(data) == size:
                    size = CHUNK_HEAD_BYTES_MAX
                    continue
                return None
            return view

    def chunk_of(self, life: Life, offset: int) -> ChunkView | None:
        """As `chunk`, if it says that it lies exactly here, in this life of the segment."""
        view = self.chunk(offset)
        return view if view is not None and lies_here(view, life, offset, self.size) else None

    def payload_is_whole(self, view: ChunkView) -> bool:
        """Whether the payload has the hashes that its claim names."""
        claim = view.claim
        start = view.place.offset + view.payload_offset
        try:
            video = self.read(start, claim.video_bytes)
            audio = self.read(start + claim.video_bytes, claim.audio_bytes)
        except StorageError:
            return False
        hashes = native.sha256(video), native.sha256(audio)
        is_whole = hashes == (claim.video_sha256, claim.audio_sha256)
        return is_whole and starts_as_told(view.sound_start_ticks, audio)

    def payload_is_zero(self, view: ChunkView) -> bool:
        """Whether nothing is left of the payload: it was erased."""
        start = view.place.offset + view.payload_offset
        size = view.claim.video_bytes + view.claim.audio_bytes
        return self.read(start, size) == bytes(size)

    def table(self) -> list[Row] | None:
        """The rows of the table that seals the segment; None where there is no whole one."""
        size = BLOCK_BYTES
        for _ in range(2):
            try:
                return native.table_read(self.read(self.size - size, size), self.size)
            except TableIsLonger as error:
                size = error.needed_bytes
                if size > self.size:
                    return None
            except MediaError:
                return None
        return None

    def has_free(self, offset: int, table_bytes: int) -> bool:
        """Whether one `free` box reaches from `offset` to the table."""
        gap = self.size - table_bytes - offset
        return gap >= 8 and self.read(offset, 8) == gap.to_bytes(4, "big") + b"free"

    def is_sealed_by(self, table: list[Row], end: int, chunks: int) -> bool:
        """Whether a table seals so many whole chunks, of which the last ends at `end`: a cut may
        have torn what was written with it.
        """
        live = sum(not row.flags & ChunkFlag.ERASED for row in table)
        return live == chunks and self.has_free(end, native.table_bytes(len(table)))

    def next_magic(self, offset: int) -> int | None:
        """The next multiple of 4 KiB from `offset` on where a chunk may start; None: none to the
        end.
        """
        at = offset
        while at < self.size:
            start, data = self._scanned
            if not start <= at < start + len(data):
                at = start = self._next_data(at)
                data = self.read(at, _SCAN_BYTES)
                self._scanned = (start, data)
            if not data:
                return None
            if data != _ZEROS[: len(data)]:
                for found in range(at - start, len(data), BLOCK_BYTES):
                    if data[found + 4 : found + 8] == b"prft":
                        return start + found
            at = start + len(data)
        return None

    def first_chunk(self, disk: bytes, number: int, offset: int | None) -> ChunkView | None:
        """The first chunk from `offset` on that says it lies here, whatever its life; None: from
        the start, because there is no head that says where chunks begin.
        """
        at = self.next_magic(0) if offset is None else offset
        while at is not None:
            view = self.chunk(at)
            if view is not None:
                place = view.place
                if (place.disk, place.segment, place.offset) == (disk, number, at):
                    return view
            at = self.next_magic(at + BLOCK_BYTES)
        return None

    def written_ranges(self, offset: int) -> Iterator[tuple[int, int]]:
        """Ranges of blocks from `offset` on that are not zero, as (start, end)."""
        at = offset
        while at < self.size:
            at = self._next_data(at)
            data = self.read(at, _SCAN_BYTES)
            if not data:
                return
            if data != _ZEROS[: len(data)]:
                for start in range(0, len(data), BLOCK_BYTES):
                    block = data[start : start + BLOCK_BYTES]
                    if block != _ZEROS[: len(block)]:
                        yield at + start, at + start + len(block)
            at += len(data)

    def _next_data(self, offset: int) -> int:
        # Blocks that were zeroed and never written are holes to SEEK_DATA: a fresh segment costs
        # one call.
        try:
            found = os.lseek(self.fd, offset, os.SEEK_DATA)
        except OSError as error:
            return self.size if error.errno == errno.ENXIO else offset
        return max(found // BLOCK_BYTES * BLOCK_BYTES, offset)


def lies_here(view: ChunkView, life: Life, offset: int, segment_bytes: int) -> bool:
    """Whether a chunk says that it lies exactly here, in this life of the segment, and fits."""
    place, claim = view.place, view.claim
    is_here = (place.disk, place.segment, place.epoch, place.offset) == (
        life.disk,
        life.number,
        life.epoch,
        offset,
    )
    fits = view.payload_offset + claim.video_bytes + claim.audio_bytes <= place.chunk_bytes
    return is_here and fits and offset + place.chunk_bytes <= segment_bytes


@dataclass(slots=True)
class Chain:
    """Where each run of a segment stands: the newest sequence and the hash of its claim."""

    runs: dict[int, tuple[int, bytes]]

    def accepts(self, view: ChunkView) -> bool:
        """Run order and previous-claim hash agree.

        A hole in a run is no lie: its chunk was damaged.
        """
        claim = view.claim
        known = self.runs.get(claim.run)
        if known is None:
            return True  # a run's first chunk, or a run that comes from another segment
        sequence, sha256 = known
        if claim.sequence == sequence + 1:
            return claim.previous_sha256 == sha256
        return claim.sequence > sequence

    def add(self, view: ChunkView) -> None:
        self.runs[view.claim.run] = (view.claim.sequence, view.claim_sha256)


@dataclass(slots=True)
class Walk:
    """What walking on from an offset has found."""

    chunks: list[Found]
    end: int
    """Where the last whole chunk ends: the segment goes on here."""
    holes: list[tuple[int, int]]
    """Ranges between whole chunks that hold none: (start, end)."""


def walk(
    file: SegmentFile, life: Life, start: int, chain: Chain, stream: bytes | None, *, payloads: bool
) -> Walk:
    """Every chunk from `start` to the end; a bad header is scanned over, never a reason to stop.

    `stream`: chunks of another one are no chunks of this segment; None: that of the first found.
    """
    result = Walk([], start, [])
    at: int | None = start
    while at is not None and at < file.size:
        view = file.chunk_of(life, at)
        if view is None or stream not in (None, view.claim.stream) or not chain.accepts(view):
            following = file.next_magic(at + BLOCK_BYTES)
            at = following
            continue
        if at > result.end:
            result.holes.append((result.end, at))
        stream = view.claim.stream
        chain.add(view)
        is_broken = payloads and not file.payload_is_whole(view)
        result.chunks.append(Found(view, is_broken))
        at = result.end = at + view.place.chunk_bytes
    return result
