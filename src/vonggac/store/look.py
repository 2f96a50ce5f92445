"""What lies in one segment, for `disk check`: read by whichever thread, judged by `check.py`."""

from __future__ import annotations

import contextlib
import itertools
import os
from collections.abc import Callable
from dataclasses import dataclass, field

from vonggac._native import segment as native
from vonggac.errors import StorageError
from vonggac.media.chunk import ChunkFlag, Row
from vonggac.store.disk import Disk
from vonggac.store.erase_bytes import is_hit, rows_without
from vonggac.store.index_values import SegmentRow
from vonggac.store.journal import EraseIntent, SegmentState
from vonggac.store.payloads import Looked, PayloadReader
from vonggac.store.segment import Life, SegmentFile


@dataclass(frozen=True, slots=True)
class Job:
    """A segment that holds footage, and what the index says of it."""

    number: int
    row: SegmentRow
    indexed: list[Row]
    is_deep: bool
    """Every chunk is read whole; else its head is, and of a sealed segment the two at the ends."""
    leaving: tuple[EraseIntent, ...] = ()
    """What of it is being erased, in the order of offsets: marked in the table as read here, also
    where a cut came before the table was written, or tore it."""


@dataclass(slots=True)
class Seen:
    """What is there."""

    job: Job
    error: str = ""
    """Why nothing could be read; the rest is empty then."""
    head_bytes: int | None = None
    """Of ftyp and moov; None: there are none."""
    head_sha256: bytes = b""
    table: list[Row] | None = None
    gap_header: bytes = b""
    """The 8 bytes behind the last chunk."""
    chunks: list[Looked] = field(default_factory=list)
    """In the order of their place; those the table calls erased are among them."""
    stray_offset: int | None = None
    """Where an open segment holds a whole chunk behind its last row."""
    hidden: set[int] = field(default_factory=set)
    """Offsets of whole chunks between two rows, which have none."""
    bytes_read: int = 0


def look(disk: Disk, job: Job, pace: Callable[[int], None] | None = None) -> Seen:
    """Reads a segment. Touches nothing but its file, so that several may be read at once.

    `pace`: told after each piece how many bytes it had; it may wait, and what it raises ends this.
    What is paced is read past the page cache, where the file system lets us: it is the disk that
    is looked at, and recording needs that memory.
    """
    seen = Seen(job)
    try:
        fd = _open(disk, job.number, is_direct=pace is not None)
    except StorageError as error:
        seen.error = str(error)
        return seen
    try:
        _look(disk, job, fd, seen, pace or (lambda size: None))
        if job.is_deep:
            os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
    except StorageError as error:
        seen.error = str(error)
    finally:
        os.close(fd)
    return seen


def erased_of(table: list[Row] | None) -> list[Row]:
    """Rows of chunks whose payload was zeroed: the table keeps them, the index does not."""
    return [row for row in table or () if row.flags & ChunkFlag.ERASED]


def leaving_of(seen: Seen) -> list[Row]:
    """Rows of chunks that are being erased: the next keeper does it again, from the intents."""
    return [row for row in erased_of(seen.table) if is_hit(seen.job.leaving, row)]


def _open(disk: Disk, number: int, *, is_direct: bool) -> int:
    if is_direct:
        with contextlib.suppress(StorageError):  # a file system that cannot do it
            return disk.open_segment(number, writable=False, direct=True)
    return disk.open_segment(number, writable=False)


def _look(disk: Disk, job: Job, fd: int, seen: Seen, pace: Callable[[int], None]) -> None:
    file = SegmentFile(fd, disk.identity.segment_bytes)
    life = Life(disk.identity.disk, job.number, job.row.epoch)
    head = file.head()
    if head is not None:
        seen.head_bytes, seen.head_sha256 = len(head), native.sha256(head)
    is_sealed = job.row.state is SegmentState.SEALED
    if is_sealed:
        seen.table = rows_without(file, job.leaving) if job.leaving else file.table()
    rows = sorted([*job.indexed, *erased_of(seen.table)], key=lambda row: row.offset)
    end = rows[-1].offset + rows[-1].chunk_bytes if rows else seen.head_bytes or 0
    seen.gap_header = file.read(end, 8)
    for before, after in itertools.pairwise(rows):
        at = before.offset + before.chunk_bytes
        if at != after.offset and file.chunk_of(life, at) is not None:
            seen.hidden.add(at)
    if job.is_deep:
        with PayloadReader() as reader:
            for size, looked in reader.look(fd, file.size, life, rows):
                seen.bytes_read += size
                seen.chunks += [_erased(file, one) for one in looked]
                pace(size)
    else:
        ends = [*rows[:1], *rows[1:][-1:]] if is_sealed else rows
        for row in ends:
            view = file.chunk_of(life, row.offset)
            is_whole = view is not None and not row.flags & ChunkFlag.BROKEN
            seen.chunks.append(Looked(row, view, is_whole, "" if view else "no whole chunk"))
    if not is_sealed:
        seen.stray_offset = _stray(file, life, end)


def _erased(file: SegmentFile, looked: Looked) -> Looked:
    """What was erased is whole when nothing of it is left."""
    if not looked.row.flags & ChunkFlag.ERASED or looked.view is None:
        return looked
    if file.payload_is_zero(looked.view):
        return Looked(looked.row, looked.view, True)
    return Looked(looked.row, looked.view, False, "was erased, and its payload is not zero")


def _stray(file: SegmentFile, life: Life, end: int) -> int | None:
    """Nothing that the index does not know stands behind the last row of an open segment."""
    at = file.next_magic(end)
    while at is not None:
        if file.chunk_of(life, at) is not None:
            return at
        at = file.next_magic(at + 4096)
    return None
