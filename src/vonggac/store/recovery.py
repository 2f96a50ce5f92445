"""What a disk holds when a keeper (or a reader without one) begins: promise 1 of
docs/design/storage.md.

For each segment that the journal or the index calls live: walk on from the last indexed chunk, file
what is found, and tell the ring where the segment goes on. Reads only; the ring does the mending.
"""

from __future__ import annotations

import os
from dataclasses import replace

from vonggac._native import segment as native
from vonggac.errors import StorageError
from vonggac.media.chunk import ChunkFlag, Row
from vonggac.store.archive import Archive
from vonggac.store.disk import Disk
from vonggac.store.found_chunks import file_rows, rows_of
from vonggac.store.index import IndexDamaged
from vonggac.store.index_values import SegmentRow
from vonggac.store.journal import JournalSegment, SegmentState, Snapshot
from vonggac.store.recovered import Fresh, Recovered, RecoveredSegment
from vonggac.store.segment import Chain, Found, Life, SegmentFile, Walk, walk

TORN_NS = 7_000_000_000
"""Chunks of one stream that share a sync lie at most so far apart: a tick of 5 s at most, the wait
for it and a chunk. A cut may leave any of them, and no chunk of a later tick: what is missing so
near the end of a run was never acknowledged, what is missing before it was.
"""


def index_is_complete(archive: Archive, snapshot: Snapshot) -> bool:
    """Whether the index holds all that the journal no longer lists."""
    return archive.index.meta.commits >= snapshot.index_commits


def recover(
    disk: Disk, snapshot: Snapshot, archive: Archive, *, is_suspect: bool = False
) -> Recovered:
    """Brings `archive` (in memory, not committed) up to what lies on the disk.

    `is_suspect`: a sync has failed here, so cached pages may hold what the disk does not.
    """
    result = Recovered(
        gaps={gap.stream: gap for gap in snapshot.gaps}, inband=set(snapshot.inband_streams)
    )
    is_complete = index_is_complete(archive, snapshot)
    for entry in _live_segments(snapshot, archive):
        if entry.state is SegmentState.SEALED and not is_complete:
            # All that was sealed before is about to be ordered by epochs: so is this.
            entry = replace(entry, order=entry.epoch)
        try:
            fd = disk.open_segment(entry.number, writable=False, direct=is_suspect)
            try:
                _recover_segment(disk, fd, entry, archive, result)
            finally:
                os.close(fd)
        except IndexDamaged:
            raise  # of all segments
        except StorageError as error:
            # Its readable part is in the index already; the others must not wait for it.
            result.notes.append(f"segment {entry.number} is left as it is: {error}")
    for stream, row in archive.streams():
        result.last_run = max(result.last_run, row.run)
        if row.is_inband:
            result.inband.add(stream)
    _close_answered_gaps(archive, result)
    return result


def _live_segments(snapshot: Snapshot, archive: Archive) -> list[JournalSegment]:
    """The journal's, and what only a newer index knows (a slot was damaged), oldest first."""
    live: dict[int, JournalSegment] = {}
    for entry in sorted(snapshot.segments, key=lambda entry: entry.epoch):
        live[entry.number] = entry
    for number, entry in list(live.items()):
        row = archive.segment(number)
        if row is not None and row.epoch > entry.epoch:
            del live[number]  # a slot was damaged, and this one does not know its newer life
    for number in archive.live():
        row = archive.segment(number)
        if row is not None and (number not in live or row.epoch > live[number].epoch):
            live[number] = JournalSegment(number, row.state, row.epoch, row.camera, row.stream)
    return sorted(live.values(), key=lambda entry: entry.epoch)


def _recover_segment(
    disk: Disk, fd: int, entry: JournalSegment, archive: Archive, result: Recovered
) -> None:
    file = SegmentFile(fd, disk.identity.segment_bytes)
    life = Life(disk.identity.disk, entry.number, entry.epoch)
    row = archive.segment(entry.number)
    if row is None or row.epoch != entry.epoch:
        archive.forget(entry.number)  # its former life, still in an index that is a few ticks older
        row = SegmentRow(SegmentState.RESERVED, epoch=entry.epoch)
        archive.put_segment(entry.number, row)
    elif row.state is SegmentState.SEALED:
        return
    indexed = archive.rows_of_segment(entry.number, row) if row.chunks else []
    head = file.head()
    first_offset = len(head or b"")
    if head is None and not indexed:
        # It may be damaged, and all the chunks behind it whole.
        first = file.first_chunk(life.disk, life.number, None)
        first_offset = file.size if first is None else first.place.offset
    chain, start, decode_end = _where_the_index_ends(file, life, indexed, first_offset)
    stream = row.stream if indexed else None
    found = walk(file, life, start, chain, stream, payloads=True)
    if not indexed and not found.chunks:
        _set_aside(file, entry, archive, result)
        return
    if head is None and not indexed and _may_share_a_sync(found.chunks):
        # Torn with its head: of no use, and whoever still has the chunks hands them over again.
        result.spares.append(replace(entry, state=SegmentState.RESERVED))
        return
    if head is None:
        result.notes.append(f"segment {entry.number}: its ftyp and moov cannot be read")
    table = _seal_of(file, entry, indexed, found)
    if table and not indexed and not found.chunks:
        archive.put_segment(entry.number, SegmentRow(SegmentState.FREE, order=entry.number))
        return
    fresh = rows_of(found.chunks, table)
    segment = _segment_of(entry, life, row, indexed, fresh, found, start, decode_end, head, archive)
    _note_fresh(archive, segment.stream, found.chunks, result)
    file_rows(archive, entry.number, entry.epoch, segment.stream, found.chunks, fresh)
    state = SegmentState.OPEN if table is None else SegmentState.SEALED
    if row.entry_sha256 == bytes(32) and head is not None:
        archive.use_entry(segment.entry_sha256, head)
    filed = segment.summary(state)
    archive.put_segment(entry.number, filed)
    if table is None:
        result.segments.append(segment)
    else:
        if table[-1].flags & ChunkFlag.CONTINUES:
            # The last chunk may have been indexed before the seal said that its fragment goes on.
            flag = int(ChunkFlag.CONTINUES)
            archive.mark_last_row(segment.stream, entry.number, filed, flag)
        result.sealed.append(entry)
    for start_hole, end_hole in found.holes:
        result.torn.append(f"segment {entry.number}: no chunk between {start_hole} and {end_hole}")


def _seal_of(
    file: SegmentFile, entry: JournalSegment, indexed: list[Row], found: Walk
) -> list[Row] | None:
    """The table of a segment that the journal calls sealed; None where the seal was torn, or a
    chunk before it, of the same tick. Takes what was erased since out of `found`.
    """
    table = file.table() if entry.state is SegmentState.SEALED else None
    if table is None:
        return None
    erased = {row.offset for row in table if row.flags & ChunkFlag.ERASED}
    if erased:
        # Promise 6. The journal is older than that, so this seal is not of its last tick.
        found.chunks = [one for one in found.chunks if one.view.place.offset not in erased]
        return table
    whole = len(indexed) + len(found.chunks)
    return table if file.is_sealed_by(table, found.end, whole) else None


def _set_aside(
    file: SegmentFile, entry: JournalSegment, archive: Archive, result: Recovered
) -> None:
    """A live segment without a whole chunk: a spare, unless it was footage once. Then it is looked
    at again with every start, and never written over.
    """
    was_used = entry.state in (SegmentState.OPEN, SegmentState.SEALED)
    if not was_used or not file.table():
        result.spares.append(replace(entry, state=SegmentState.RESERVED))
        return
    row = SegmentRow(SegmentState.OPEN, entry.epoch, entry.camera, entry.stream)
    archive.put_segment(entry.number, row)
    what = "holds a table and no whole chunk; it is neither read nor reused"
    result.notes.append(f"segment {entry.number} {what}")


def _may_share_a_sync(chunks: list[Found]) -> bool:
    """Whether one tick may have brought all of them, and a cut have taken what it likes of it."""
    claims = [found.view.claim for found in chunks]
    return sum(c.duration_ticks * 1_000_000_000 // c.timescale for c in claims) <= TORN_NS


def _note_fresh(archive: Archive, stream: bytes, chunks: list[Found], result: Recovered) -> None:
    for found in chunks:
        claim = found.view.claim
        run = result.fresh.get((stream, claim.run))
        if run is None:
            known = archive.run(stream, claim.run)
            run = Fresh(-1 if known is None else known.last_sequence)
            result.fresh[stream, claim.run] = run
        run.newest = max(run.newest, claim.sequence)
        if not found.is_broken:
            run.whole.add(claim.sequence)


def _segment_of(
    entry: JournalSegment,
    life: Life,
    row: SegmentRow,
    indexed: list[Row],
    fresh: list[Row],
    found: Walk,
    start: int,
    decode_end: int,
    head: bytes | None,
    archive: Archive,
) -> RecoveredSegment:
    if found.chunks:
        newest = found.chunks[-1].view
        decode_end = newest.decode_time_ticks + newest.claim.duration_ticks
        camera, stream = newest.claim.camera, newest.claim.stream
    else:
        camera, stream = row.camera, row.stream
    entry_sha256 = row.entry_sha256
    if entry_sha256 == bytes(32) and head is not None:
        entry_sha256 = native.sha256(head)
    rows = indexed + fresh
    return RecoveredSegment(
        life=life,
        camera=camera,
        stream=stream,
        entry_sha256=entry_sha256,
        rows=rows,
        offset=found.end,
        decode_end_ticks=decode_end,
        last_run=rows[-1].run,
        order=entry.order,
        holes=found.holes,
        known_end=start,
    )


def _where_the_index_ends(
    file: SegmentFile, life: Life, indexed: list[Row], head_bytes: int
) -> tuple[Chain, int, int]:
    """The chain, the offset and the decode time behind the last indexed chunk that can be read."""
    chain = Chain({})
    if not indexed:
        return chain, head_bytes, 0
    end = indexed[-1].offset + indexed[-1].chunk_bytes
    behind = 0
    for row in reversed(indexed):
        view = file.chunk_of(life, row.offset)
        if view is not None:
            if row is indexed[-1]:
                chain.add(view)
            return chain, end, view.decode_time_ticks + view.claim.duration_ticks + behind
        behind += row.duration_ticks
    return chain, end, behind


def _close_answered_gaps(archive: Archive, result: Recovered) -> None:
    """A gap that a run has named in its first claim is open no longer, whatever an older journal
    says.
    """
    for stream, gap in list(result.gaps.items()):
        row = archive.stream(stream)
        run = None if row is None else archive.run(stream, row.run)
        if run is not None and gap.is_named_by(run):
            del result.gaps[stream]
