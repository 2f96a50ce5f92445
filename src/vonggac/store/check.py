"""`disk check`: whether a disk keeps the promises of docs/design/storage.md. Reads only.

What a crash has torn is no fault: the disk is looked at as the next keeper would recover it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from vonggac._native import segment as native
from vonggac.errors import StorageError
from vonggac.media.chunk import BLOCK_BYTES, ChunkFlag, ChunkView, Row
from vonggac.store import start
from vonggac.store.archive import Archive
from vonggac.store.check_report import (
    CLOCKPROOF,
    DERIVABLE,
    DURABLE,
    PLAYABLE,
    PREALLOCATED,
    RETAINED,
    Report,
)
from vonggac.store.check_runs import NOT_ITS_HASH, Runs
from vonggac.store.disk import Disk
from vonggac.store.index_values import SegmentRow
from vonggac.store.journal import EraseIntent, SegmentState
from vonggac.store.look import Job, Seen, erased_of, leaving_of, look
from vonggac.store.payloads import Looked
from vonggac.store.start import Reading
from vonggac.store.vouched import Vouched, graves_in

_ROW_FLAGS = int(ChunkFlag.BROKEN | ChunkFlag.CONTINUES | ChunkFlag.ERASED)
_FAR_NS = 1 << 62

Spread = Callable[[Callable[[Job], Seen], Iterable[Job]], Iterable[Seen]]
"""Runs the first on each of the second, in order: `map`, or one with threads."""
Progress = Callable[[int, int], None]
"""Told (bytes done, bytes in all) after every segment."""


@dataclass(frozen=True, slots=True)
class Depth:
    """How thoroughly to look. `is_deep`: every payload against its hash, every chain and head."""

    is_deep: bool = False
    vouched: Vouched = field(default_factory=Vouched)
    spread: Spread = map
    progress: Progress = lambda done_bytes, all_bytes: None


def check(
    path: Path, box: bytes | None = None, *, is_deep: bool = False, depth: Depth | None = None
) -> Report:
    """Looks at everything; `is_deep`: also reads every payload against its hash.

    Raises Unavailable while a recorder has the disk, ConfigError and StorageError where it is none.
    """
    reading = start.open_for_reading(path, box)
    try:
        return _Check(reading, depth or Depth(is_deep)).run()
    finally:
        reading.close()


class _Check:
    def __init__(self, reading: Reading, depth: Depth) -> None:
        self.disk: Disk = reading.disk
        self.archive: Archive = reading.archive
        self.reading = reading
        self.depth = depth
        self.vouched = depth.vouched
        self.report = Report(segments=reading.disk.identity.segments)
        self.runs = Runs(self.archive, depth.vouched, self.report)
        intents = reading.snapshot.erase_intents
        # What is being erased is done again by the next keeper: until then it may be torn.
        self.leaving: dict[tuple[int, int], tuple[EraseIntent, ...]] = {}
        for intent in sorted(intents, key=lambda one: one.offset):
            life = (intent.segment, intent.epoch)
            self.leaving[life] = (*self.leaving.get(life, ()), intent)
        self.rows_seen: dict[bytes, int] = {}
        """Rows of each stream that belong to a segment."""

    def run(self) -> Report:
        self.vouched.add_graves(graves_in(self.archive.index))
        rows = dict(self.archive.segments())
        self._check_room(rows)
        if self.reading.why_rebuilt is not None:
            self._add(-1, 0, DERIVABLE, self.reading.why_rebuilt)
        for note in self.reading.found.notes:
            self._add(-1, 0, DURABLE, note)
        holding = {n: r for n, r in rows.items() if r.state in _HOLDING}
        all_bytes = sum(row.used_bytes for row in holding.values())
        done_bytes = 0
        for seen in self.depth.spread(partial(look, self.disk), self._jobs(holding)):
            self._check_segment(seen)
            done_bytes += seen.job.row.used_bytes
            self.depth.progress(done_bytes, all_bytes)
        self._check_rows(holding)
        self.runs.check_broken()
        self.runs.check_holes()
        if self.depth.is_deep:
            self.runs.check_heads()
        return self.report

    def _jobs(self, holding: dict[int, SegmentRow]) -> Iterator[Job]:
        for number, row in sorted(holding.items(), key=lambda pair: pair[1].epoch):
            indexed = self.archive.rows_of_segment(number, row)
            self.rows_seen[row.stream] = self.rows_seen.get(row.stream, 0) + len(indexed)
            leaving = self.leaving.get((number, row.epoch), ())
            yield Job(number, row, indexed, self.depth.is_deep, leaving)

    def _add(self, segment: int, offset: int, promise: int, what: str) -> None:
        self.report.add(segment, offset, promise, what)

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
        ordered_states = (SegmentState.FREE, SegmentState.SEALED)
        expected = {(r.order, number) for number, r in rows.items() if r.state in ordered_states}
        for number in sorted({number for _, number in expected ^ set(self.archive.places())}):
            self._add(number, 0, PREALLOCATED, "the order of reuse does not hold it as it should")
        free = sum(1 for row in rows.values() if row.state is SegmentState.FREE)
        told = self.archive.free_count(self.disk.identity.segments)
        if free != told:
            self._add(-1, 0, DERIVABLE, f"the index counts {told} free segments and has {free}")

    # --- a segment's file

    def _check_segment(self, seen: Seen) -> None:
        number, row, indexed = seen.job.number, seen.job.row, seen.job.indexed
        if seen.error:
            self._add(number, 0, DURABLE, seen.error)
            return
        if seen.head_bytes is None:
            self._add(number, 0, PLAYABLE, "has no ftyp and moov")
        elif seen.head_sha256 != row.entry_sha256:
            self._add(number, 0, DERIVABLE, "its sample entry is not the one the index names")
        if len(indexed) != row.chunks:
            what = f"the index counts {row.chunks} chunks and has rows for {len(indexed)}"
            self._add(number, 0, DERIVABLE, what)
        end = self._check_places(seen)
        is_leaving = (number, row.epoch) in self.leaving
        self._check_chunks(seen, is_leaving)
        if not self.depth.is_deep:
            told = sorted([*indexed, *leaving_of(seen)], key=lambda one: one.offset)
            self.runs.check_numbers(number, row.stream, told)
        if row.state is SegmentState.SEALED and not is_leaving:
            self._check_seal(seen, end)
        elif seen.stray_offset is not None:
            self._add(number, seen.stray_offset, DERIVABLE, "a whole chunk that has no row")

    def _check_places(self, seen: Seen) -> int:
        """Chunk behind chunk, without a hole; gives where the last one ends."""
        at = seen.head_bytes if seen.head_bytes is not None else BLOCK_BYTES
        stream = seen.job.row.stream
        rows = [*seen.job.indexed, *erased_of(seen.table)]
        before: Row | None = None
        for row in sorted(rows, key=lambda r: r.offset):
            is_leaving = (seen.job.number, seen.job.row.epoch) in self.leaving
            if row.offset != at and not is_leaving:
                is_bare = at not in seen.hidden
                if is_bare and self.runs.may_be_torn(stream, row):
                    self.runs.torn.add((seen.job.number, row.offset))
                elif is_bare and before is not None and row.run == before.run:
                    missing = range(before.sequence + 1, row.sequence)
                    self.runs.add_hole(seen.job.number, at, stream, row, missing)
                else:
                    self._add(seen.job.number, at, DURABLE, f"no chunk up to {row.offset}")
            at, before = row.offset + row.chunk_bytes, row
            self.report.fragments += 1 if row.kind and not row.flags & ChunkFlag.ERASED else 0
        return at

    def _check_chunks(self, seen: Seen, is_leaving: bool) -> None:
        number, stream = seen.job.number, seen.job.row.stream
        decode_end = 0
        leaving = {row.offset for row in leaving_of(seen)}
        for looked in seen.chunks:
            if looked.view is not None:
                decode_end = self._check_chunk(number, looked.row, looked.view, decode_end)
            elif seen.job.is_deep and looked.row.offset in leaving:
                self.runs.pass_over(number, stream, looked.row)
            self._check_payload(number, stream, looked, is_leaving)

    def _check_payload(self, number: int, stream: bytes, looked: Looked, is_leaving: bool) -> None:
        row = looked.row
        is_broken = bool(row.flags & ChunkFlag.BROKEN)
        if is_broken and looked.view is not None and self.runs.may_be_torn(stream, row):
            return  # so it was when it was first read, after a crash
        if row.flags & ChunkFlag.ERASED:
            if looked.why and not is_leaving:
                self._add(number, row.offset, RETAINED, looked.why)
        elif is_broken and looked.view is not None:
            self.runs.add_broken(number, stream, row)
        elif looked.why or not looked.is_whole:
            self._add(number, row.offset, DURABLE, looked.why or NOT_ITS_HASH)

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
        if self.depth.is_deep:
            self.runs.check_claim(number, entry, view)
        return view.decode_time_ticks + claim.duration_ticks

    def _check_seal(self, seen: Seen, end: int) -> None:
        number, table = seen.job.number, seen.table
        if table is None:
            self._add(number, end, DERIVABLE, "sealed, and has no whole table")
            return
        live = [row for row in table if not row.flags & ChunkFlag.ERASED]
        if [_plain(r) for r in live] != [_plain(r) for r in seen.job.indexed]:
            self._add(number, end, DERIVABLE, "the table and the index do not hold the same rows")
        size = self.disk.identity.segment_bytes
        gap = size - native.table_bytes(len(table)) - end
        if gap < 8 or seen.gap_header != gap.to_bytes(4, "big") + b"free":
            self._add(number, end, PLAYABLE, "no free box reaches from the last chunk to the table")

    # --- the index against the segments

    def _check_rows(self, holding: dict[int, SegmentRow]) -> None:
        """Every row lies in a segment that is alive (the other way round is _check_segment)."""
        for stream, _ in self.archive.streams():
            values = list(self.archive.packed_minutes(stream, 0, _FAR_NS))
            # docs/ref/segment-format.md, Packed rows: the count is in the header.
            count = sum(int.from_bytes(value[1:3], "big") for value in values)
            if count == self.rows_seen.get(stream, 0):
                continue  # each row was found in a segment: nothing is left to be looked for
            for value in values:
                for packed in native.rows_unpack(value):
                    row = holding.get(packed.segment)
                    if row is None or (row.epoch, row.stream) != (packed.epoch, stream):
                        what = "a row of a life that this segment does not have"
                        self._add(packed.segment, packed.row.offset, DERIVABLE, what)


_HOLDING: Iterable[SegmentState] = (SegmentState.OPEN, SegmentState.SEALED)


def _plain(row: Row) -> tuple[object, ...]:
    """A row as table and index both have it: *broken* may have been found since."""
    flags = row.flags & ~ChunkFlag.BROKEN
    return (row.offset, row.chunk_bytes, row.wall_start_ns, row.wall_end_ns, row.run, flags)
