"""The index made again from heads and tables (promise 4), a segment at a step, so that recording
goes on.

The order of sealing is not on the segments. Epochs are: they give the order in which segments were
opened, and that becomes the order of reuse of all that was sealed before (never time, promise 7).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Set
from dataclasses import dataclass, replace

from vonggac._native import segment as native
from vonggac.errors import StorageError
from vonggac.media.chunk import ChunkFlag, ChunkView, PackedRow, Row
from vonggac.store.archive import Archive
from vonggac.store.disk import Disk
from vonggac.store.erase_bytes import rows_without
from vonggac.store.found_chunks import file_rows, note_run, note_stream, rows_of
from vonggac.store.index_values import RunRow, SegmentRow
from vonggac.store.journal import EraseIntent, SegmentState
from vonggac.store.recovery import TORN_NS
from vonggac.store.segment import Chain, Found, Life, SegmentFile, walk

_ROWS_WAITING_MAX = 10_000
"""Rows packed together: segments that share a minute have numbers near each other. Ten times as
many fall out of the caches before they are packed, and take half as long again.
"""
_ERASED = int(ChunkFlag.ERASED)
"""To ask the enum itself costs more than all the rest of a row."""


@dataclass(slots=True)
class Unsealed:
    """A segment with chunks and no table: it was open."""

    number: int
    epoch: int
    camera: bytes
    stream: bytes


class Rebuild:
    """`step` until it says False. Segments in `skip` are known already.

    `keeps`: the archive is right but for lives of segments that it may not know yet; these come
    last in the order of reuse, so many places after their epochs as `later` says. `is_locked`:
    asked before anything that the archive knows is taken for gone. `intents`: what is being erased,
    where nobody may do it again before this reads (erase.py `redo`): it may have torn a table.
    `recent`: (number, epoch) of the journal's own segments, whose seal a cut may have torn; None:
    there is no journal, so it may be any.
    """

    def __init__(
        self,
        disk: Disk,
        archive: Archive,
        skip: Set[int],
        *,
        keeps: bool = False,
        later: int = 0,
        is_locked: Callable[[SegmentRow], bool] = lambda row: False,
        intents: Iterable[EraseIntent] = (),
        recent: Set[tuple[int, int]] | None = frozenset(),
    ) -> None:
        self.disk = disk
        self.archive = archive
        self.keeps = keeps
        self.later = later
        self.is_locked = is_locked
        self.intents = sorted(intents, key=lambda intent: intent.offset)
        self.recent = recent
        archive.file_tails()
        archive.rows.is_unordered = True
        self.unsealed: list[Unsealed] = []
        self.highest_epoch = 0
        self.fragments = 0
        """Chunks that begin with a sync sample, as far as it has come."""
        self.notes: list[str] = []
        self._waiting_rows = 0
        self._numbers: Iterator[int] = (
            number for number in range(disk.identity.segments) if number not in skip
        )

    def step(self) -> bool:
        """Reads one segment; False when there is none left."""
        number = next(self._numbers, None)
        if number is None:
            self.archive.file_tails()
            self.archive.rows.is_unordered = False
            return False
        try:
            fd = self.disk.open_segment(number, writable=False)
        except StorageError as error:
            self.notes.append(str(error))
            return True
        try:
            self._read(number, SegmentFile(fd, self.disk.identity.segment_bytes))
        except StorageError as error:
            self.notes.append(f"segment {number}: {error}")
        finally:
            os.close(fd)
        return True

    def _read(self, number: int, file: SegmentFile) -> None:
        head = file.head()
        # A head may be damaged, and all the chunks behind it whole.
        offset = None if head is None else len(head)
        first = file.first_chunk(self.disk.identity.disk, number, offset)
        if first is None:
            self._file_nothing(number, file)
            return
        if self.keeps and not self._is_news(number, first.place.epoch):
            return
        if head is None:
            self.notes.append(f"segment {number}: its ftyp and moov cannot be read")
        life = Life(self.disk.identity.disk, number, first.place.epoch)
        self.highest_epoch = max(self.highest_epoch, life.epoch)
        start = first.place.offset if head is None else len(head)
        rows = self._table(file, life, start)
        kept = [row for row in rows or () if not row.flags & _ERASED]
        if kept:
            self._file_sealed(file, life, head, first, kept)
        elif rows:
            self.archive.put_segment(number, SegmentRow(SegmentState.FREE, order=number))
        else:
            self._file_unsealed(file, life, head, start)

    def _table(self, file: SegmentFile, life: Life, start: int) -> list[Row] | None:
        """Without what is being erased. To walk instead over a table that this has torn would bring
        back every chunk that was ever erased here: their headers stay (promise 6).
        """
        own = [i for i in self.intents if (i.segment, i.epoch) == (life.number, life.epoch)]
        rows = rows_without(file, own) if own else file.table()
        if not rows or own:
            return rows
        # None is erased before the journal has let go of its segment, and its header stays.
        if any(row.flags & _ERASED for row in rows):
            return rows
        if self.recent is None:
            return rows if _is_whole_at_its_end(file, life, rows) else None
        if (life.number, life.epoch) not in self.recent:
            return rows
        found = walk(file, life, start, Chain({}), None, payloads=True)
        if not file.is_sealed_by(rows, found.end, len(found.chunks)):
            return None
        broken = {one.view.place.offset for one in found.chunks if one.is_broken}
        return [_broken(row) if row.offset in broken else row for row in rows]

    def _file_nothing(self, number: int, file: SegmentFile) -> None:
        """Empty, recycled, or of another disk: nothing of ours is in it. Reused before any footage,
        unless it was footage once: then there is no reason to write over what is left.
        """
        if file.table():
            what = "holds a table and no whole chunk; it is neither read nor reused"
            self.notes.append(f"segment {number} {what}")
            return
        known = self.archive.segment(number) if self.keeps else None
        if known is not None and known.state is not SegmentState.SEALED:
            return
        if known is not None and self.is_locked(known):
            # Promise 5: what is locked is not given up because it cannot be found.
            self.notes.append(f"segment {number} is locked, and no chunk of it can be read")
            return
        if known is not None:
            self.archive.forget(number)
        self.archive.put_segment(number, SegmentRow(SegmentState.FREE, order=number))

    def _is_news(self, number: int, epoch: int) -> bool:
        """Whether a segment has begun another life than the archive knows; if so that is gone."""
        known = self.archive.segment(number)
        is_news = known is None or epoch > known.epoch
        if is_news:
            self.archive.forget(number)
        return is_news

    def _file_sealed(
        self, file: SegmentFile, life: Life, head: bytes | None, first: ChunkView, rows: list[Row]
    ) -> None:
        stream, camera = first.claim.stream, first.claim.camera
        for row in rows:
            self.archive.add_row(stream, PackedRow(life.number, life.epoch, row))
        self._waiting_rows += len(rows)
        self.fragments += sum(1 for row in rows if row.kind)
        for part in _by_run(rows):
            self._file_run(file, life, stream, part)
        newest = max(rows, key=lambda row: (row.run, row.sequence))
        note_stream(self.archive, stream, camera, newest)
        entry = self._use_entry(head)
        order = life.epoch + self.later
        self._file_segment(life, camera, stream, entry, rows, SegmentState.SEALED, order)
        if self._waiting_rows > _ROWS_WAITING_MAX:
            self._waiting_rows = 0
            self.archive.file_tails()

    def _use_entry(self, head: bytes | None) -> bytes:
        """The hash of a segment's head; zeros where it cannot be read."""
        if head is None:
            return bytes(32)
        entry = native.sha256(head)
        self.archive.use_entry(entry, head)
        return entry

    def _file_run(self, file: SegmentFile, life: Life, stream: bytes, rows: list[Row]) -> None:
        """Begins or extends a run by its rows in one segment."""
        first, last = rows[0], max(rows, key=lambda row: row.sequence)
        if first.flags & ChunkFlag.FIRST:
            # What a run says of the gap before it stands in its first chunk alone.
            view = file.chunk_of(life, first.offset)
            if view is not None:
                note_run(self.archive, Found(view), first)
        known = self.archive.run(stream, first.run)
        if known is None:
            known = RunRow(first.run, first.wall_start_ns, last.wall_end_ns, last.sequence)
            self.archive.put_run(stream, known)
            return
        # Segments come in the order of their numbers, so a run's later part may be known first.
        start_ns = min(known.wall_start_ns, first.wall_start_ns)
        longer = replace(known, wall_start_ns=start_ns)
        if last.sequence >= known.last_sequence:
            longer = replace(longer, last_sequence=last.sequence, wall_end_ns=last.wall_end_ns)
        if longer != known:
            self.archive.put_run(stream, longer)

    def _file_unsealed(self, file: SegmentFile, life: Life, head: bytes | None, start: int) -> None:
        found = walk(file, life, start, Chain({}), None, payloads=True)
        if not found.chunks:
            what = "holds a chunk that cannot be read; it is neither read nor reused"
            self.notes.append(f"segment {life.number} {what}")
            return
        claim = found.chunks[-1].view.claim
        rows = rows_of(found.chunks)
        self.fragments += sum(1 for row in rows if row.kind)
        entry = self._use_entry(head)
        file_rows(self.archive, life.number, life.epoch, claim.stream, found.chunks, rows)
        state = SegmentState.OPEN
        self._file_segment(life, claim.camera, claim.stream, entry, rows, state, 0)
        self.unsealed.append(Unsealed(life.number, life.epoch, claim.camera, claim.stream))

    def _file_segment(
        self,
        life: Life,
        camera: bytes,
        stream: bytes,
        entry_sha256: bytes,
        rows: list[Row],
        state: SegmentState,
        order: int,
    ) -> None:
        row = SegmentRow(
            state=state,
            epoch=life.epoch,
            camera=camera,
            stream=stream,
            entry_sha256=entry_sha256,
            wall_start_ns=min(r.wall_start_ns for r in rows),
            wall_end_ns=max(r.wall_end_ns for r in rows),
            order=order,
            chunks=len(rows),
            used_bytes=rows[-1].offset + rows[-1].chunk_bytes,
        )
        self.archive.put_segment(life.number, row)


def _broken(row: Row) -> Row:
    return replace(row, flags=row.flags | int(ChunkFlag.BROKEN))


def _is_whole_at_its_end(file: SegmentFile, life: Life, rows: list[Row]) -> bool:
    """Whether the chunks that a table may share a sync with are there, and the `free` before it.

    A few reads a segment: to look at all of its chunks would take days for all of a disk.
    """
    end = rows[-1].offset + rows[-1].chunk_bytes
    if not file.has_free(end, native.table_bytes(len(rows))):
        return False
    shared_ns = 0
    for row in reversed(rows):
        if file.chunk_of(life, row.offset) is None:
            return False
        shared_ns += row.wall_end_ns - row.wall_start_ns
        if shared_ns > TORN_NS:
            break
    return True


def _by_run(rows: list[Row]) -> Iterator[list[Row]]:
    """Rows of each run, in the order of their place; runs do not mix in a segment."""
    part: list[Row] = []
    for row in rows:
        if part and row.run != part[0].run:
            yield part
            part = []
        part.append(row)
    yield part
