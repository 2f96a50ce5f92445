"""`disk check`: whether a disk keeps the promises of docs/design/storage.md. Reads only.

What a crash has torn is no fault: the disk is looked at as the next keeper would recover it.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from vonggac._native import segment as native
from vonggac.errors import StorageError
from vonggac.media.chunk import BLOCK_BYTES, ChunkFlag, ChunkView, Row
from vonggac.store import start
from vonggac.store.archive import Archive, SegmentRow
from vonggac.store.disk import Disk
from vonggac.store.journal import SegmentState
from vonggac.store.segment import Life, SegmentFile
from vonggac.store.start import Reading

DURABLE, PREALLOCATED, PLAYABLE, DERIVABLE, LOCKED, RETAINED, CLOCKPROOF = range(1, 8)
"""The promises by their numbers."""
_ROW_FLAGS = int(ChunkFlag.BROKEN | ChunkFlag.CONTINUES)


@dataclass(frozen=True, slots=True)
class Problem:
    """A broken promise. `segment` -1: none in particular; `offset` in bytes."""

    segment: int
    offset: int
    promise: int
    what: str


@dataclass(slots=True)
class Report:
    """What `disk check --json` prints."""

    segments: int = 0
    fragments: int = 0
    """Chunks that begin with a sync sample."""
    problems: list[Problem] = field(default_factory=list)

    @property
    def is_ok(self) -> bool:
        return not self.problems


@dataclass(slots=True)
class _Runs:
    """Where each (stream, run) stands over all its segments: sequence and claim hash."""

    ends: dict[tuple[bytes, int], tuple[int, bytes]] = field(default_factory=dict)


def check(path: Path, box: bytes | None = None, *, is_deep: bool = False) -> Report:
    """Looks at everything; `is_deep`: also reads every payload against its hash.

    Raises Unavailable while a recorder has the disk, ConfigError and StorageError where it is none.
    """
    reading = start.open_for_reading(path, box)
    try:
        return _Check(reading, is_deep).run()
    finally:
        reading.close()


class _Check:
    def __init__(self, reading: Reading, is_deep: bool) -> None:
        self.disk: Disk = reading.disk
        self.archive: Archive = reading.archive
        self.reading = reading
        self.is_deep = is_deep
        self.report = Report(segments=reading.disk.identity.segments)
        self.runs = _Runs()

    def run(self) -> Report:
        rows = dict(self.archive.segments())
        self._check_room(rows)
        if self.reading.why_rebuilt is not None:
            self._add(-1, 0, DERIVABLE, self.reading.why_rebuilt)
        for note in self.reading.found.notes:
            self._add(-1, 0, DURABLE, note)
        holding = [(n, r) for n, r in rows.items() if r.state in _HOLDING]
        for number, row in sorted(holding, key=lambda pair: pair[1].epoch):
            self._check_file(number, row)
        self._check_rows(dict(holding))
        return self.report

    def _add(self, segment: int, offset: int, promise: int, what: str) -> None:
        self.report.problems.append(Problem(segment, offset, promise, what))

    def _check_room(self, rows: dict[int, SegmentRow]) -> None:
        """No segment is lost, none has two lives, none is in the order of reuse twice."""
        for number in range(self.disk.identity.segments):
            try:
                os.close(self.disk.open_segment(number, writable=False))
            except StorageError as error:
                self._add(number, 0, PREALLOCATED, str(error))
            if number not in rows:
                self._add(
                    number, 0, PREALLOCATED, "the index does not know this segment: room is lost"
                )
        epochs: dict[int, int] = {}
        for number, row in rows.items():
            if row.epoch and row.epoch in epochs:
                other = epochs[row.epoch]
                self._add(number, 0, CLOCKPROOF, f"has the epoch of segment {other}")
            epochs[row.epoch] = number
        ordered = [number for number, _ in self.archive.reusable()]
        ordered_states = (SegmentState.FREE, SegmentState.SEALED)
        expected = {number for number, row in rows.items() if row.state in ordered_states}
        for number in expected ^ set(ordered):
            self._add(number, 0, PREALLOCATED, "the order of reuse does not hold it as it should")

    # --- a segment's file

    def _check_file(self, number: int, row: SegmentRow) -> None:
        try:
            fd = self.disk.open_segment(number, writable=False)
        except StorageError:
            return  # told by _check_room
        try:
            self._check_segment(number, row, SegmentFile(fd, self.disk.identity.segment_bytes))
        except StorageError as error:
            self._add(number, 0, DURABLE, str(error))
        finally:
            os.close(fd)

    def _check_segment(self, number: int, row: SegmentRow, file: SegmentFile) -> None:
        head = file.head()
        if head is None:
            self._add(number, 0, PLAYABLE, "has no ftyp and moov")
        elif native.sha256(head) != row.entry_sha256:
            self._add(number, 0, DERIVABLE, "its sample entry is not the one the index names")
        indexed = self.archive.rows_of_segment(number, row)
        if len(indexed) != row.chunks:
            what = f"the index counts {row.chunks} chunks and has rows for {len(indexed)}"
            self._add(number, 0, DERIVABLE, what)
        life = Life(self.disk.identity.disk, number, row.epoch)
        at = len(head) if head is not None else BLOCK_BYTES
        decode_end = 0
        for entry in indexed:
            if entry.offset != at:
                self._add(number, at, DURABLE, f"no chunk up to {entry.offset}")
            view = file.chunk_of(life, entry.offset)
            at = entry.offset + entry.chunk_bytes
            if view is None:
                self._add(number, entry.offset, DURABLE, "a row without a whole chunk")
                continue
            decode_end = self._check_chunk(number, entry, view, decode_end)
            if (self.is_deep and not file.payload_is_whole(view)) or entry.flags & ChunkFlag.BROKEN:
                self._add(number, entry.offset, DURABLE, "the payload does not have its hash")
        if row.state is SegmentState.SEALED:
            self._check_seal(number, row, file, indexed, at)
        else:
            self._check_tail(number, file, life, at)

    def _check_chunk(self, number: int, entry: Row, view: ChunkView, decode_end: int) -> int:
        claim, place = view.claim, view.place
        told = (
            *(entry.chunk_bytes, entry.moof_bytes, entry.first_sample_end),
            *(entry.wall_start_ns, entry.duration_ticks, entry.samples, entry.kind),
            *(entry.run, entry.sequence, entry.flags & ~_ROW_FLAGS),
        )
        real = (
            *(place.chunk_bytes, place.moof_bytes, place.first_sample_end),
            *(claim.wall_start_ns, claim.duration_ticks, claim.samples, claim.kind),
            *(claim.run, claim.sequence, claim.flags),
        )
        if told != real:
            self._add(number, entry.offset, DERIVABLE, "the row is not what the chunk says")
        if view.decode_time_ticks < decode_end:
            self._add(number, entry.offset, PLAYABLE, "decode time goes back")
        self._check_claim(number, entry.offset, view)
        self.report.fragments += 1 if claim.kind else 0
        return view.decode_time_ticks + claim.duration_ticks

    def _check_claim(self, number: int, offset: int, view: ChunkView) -> None:
        """The chain of a run, over segments; its beginning may have been recycled."""
        claim = view.claim
        key = (claim.stream, claim.run)
        known = self.runs.ends.get(key)
        self.runs.ends[key] = (claim.sequence, view.claim_sha256)
        says_first = claim.flags & ChunkFlag.FIRST and claim.previous_sha256 == bytes(32)
        if claim.sequence == 0 and not says_first:
            self._add(number, offset, DURABLE, "a run's first claim that does not say so")
        if known is None:
            return
        sequence, sha256 = known
        if claim.sequence != sequence + 1:
            what = f"run {claim.run}: {claim.sequence} follows {sequence}"
            self._add(number, offset, DURABLE, what)
        elif claim.previous_sha256 != sha256:
            self._add(number, offset, DURABLE, f"run {claim.run}: the chain of claims is broken")

    def _check_seal(
        self, number: int, row: SegmentRow, file: SegmentFile, indexed: list[Row], end: int
    ) -> None:
        table = file.table()
        if table is None:
            self._add(number, end, DERIVABLE, "sealed, and has no whole table")
            return
        if [_without(r, ChunkFlag.BROKEN) for r in table] != [
            _without(r, ChunkFlag.BROKEN) for r in indexed
        ]:
            self._add(number, end, DERIVABLE, "the table and the index do not hold the same rows")
        gap = file.size - native.table_bytes(len(table)) - end
        header = file.read(end, 8)
        if gap < 8 or header != gap.to_bytes(4, "big") + b"free":
            self._add(number, end, PLAYABLE, "no free box reaches from the last chunk to the table")

    def _check_tail(self, number: int, file: SegmentFile, life: Life, end: int) -> None:
        """Nothing that the index does not know stands behind the last row of an open segment."""
        at = file.next_magic(end)
        while at is not None:
            if file.chunk_of(life, at) is not None:
                self._add(number, at, DERIVABLE, "a whole chunk that has no row")
                return
            at = file.next_magic(at + BLOCK_BYTES)

    # --- the index against the segments

    def _check_rows(self, holding: dict[int, SegmentRow]) -> None:
        """Every row lies in a segment that is alive (the other way round is _check_segment)."""
        for stream, _ in self.archive.streams():
            for value in self.archive.packed_minutes(stream, 0, (1 << 62)):
                for packed in native.rows_unpack(value):
                    row = holding.get(packed.segment)
                    if row is None or (row.epoch, row.stream) != (packed.epoch, stream):
                        what = "a row of a life that this segment does not have"
                        self._add(packed.segment, packed.row.offset, DERIVABLE, what)


_HOLDING: Iterable[SegmentState] = (SegmentState.OPEN, SegmentState.SEALED)


def _without(row: Row, flag: ChunkFlag) -> tuple[object, ...]:
    return (row.offset, row.chunk_bytes, row.wall_start_ns, row.wall_end_ns, row.flags & ~flag)
