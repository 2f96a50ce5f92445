"""Index and journal of a disk made again from its segments alone, while nothing is recorded."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from pathlib import Path

from vonggac.errors import StorageError
from vonggac.store import disk as disks
from vonggac.store import index as indexes
from vonggac.store import journal
from vonggac.store.archive import Archive
from vonggac.store.disk import Disk
from vonggac.store.erase import redo
from vonggac.store.index import Index
from vonggac.store.journal import JournalSegment, SegmentState, Snapshot
from vonggac.store.rebuild import Rebuild

_SEGMENTS_A_COMMIT = 10_000


@dataclass(frozen=True, slots=True)
class Report:
    """What a rebuild has found."""

    segments: int
    sealed: int
    open: int
    free: int
    fragments: int
    """Chunks with a sync sample first."""
    notes: list[str] = field(default_factory=list)


def rebuild(path: Path, box: bytes | None = None) -> Report:
    """Makes index and journal again from the segments alone, with a higher era.

    No keeper may run.
    """
    with disks.open_disk(path, box, exclusive=True, wait_seconds=1.0) as disk:
        before = _old_journal(disk)
        if before is not None:
            redo(disk, before)
        disk.raise_era()
        size = disk.index_bytes()
        indexes.create(disk.index_path(), disk.identity.disk, size)
        index = Index.open(disk.index_path(), disk.identity.disk, size, writable=True)
        try:
            return _rebuild(disk, Archive(index), before)
        finally:
            index.close()


def _old_journal(disk: Disk) -> Snapshot | None:
    """Locks, gaps and intents are nowhere else: whatever can be read of them is kept."""
    with open(disk.open_journal(writable=False), "rb") as file:
        try:
            found = journal.newest(file.read(journal.FILE_BYTES))
        except StorageError:
            return None
    return found if found.disk == disk.identity.disk else None


def _rebuild(disk: Disk, archive: Archive, before: Snapshot | None) -> Report:
    if before is not None:
        # Until this is done no index is whole, however many commits it has had.
        before = replace(
            before,
            generation=before.generation + 1,
            index_commits=before.index_commits + (1 << 32),
        )
        _write_journal(disk, before)
    recent = None if before is None else {(s.number, s.epoch) for s in before.segments}
    work = Rebuild(disk, archive, skip=frozenset(), recent=recent)
    done = 0
    while work.step():
        done += 1
        if done % _SEGMENTS_A_COMMIT == 0:
            archive.file_tails()
            archive.index.commit_now(work.highest_epoch, 0)
    highest = max(work.highest_epoch, disk.identity.era << 40)
    if before is not None:
        highest = max(highest, before.highest_epoch)
    order = max(highest, before.seal_order if before is not None else 0)
    archive.file_tails()
    number = archive.index.commit_now(highest, order)
    inband = {stream for stream, row in archive.streams() if row.is_inband}
    if before is not None:
        inband.update(before.inband_streams)
    snapshot = Snapshot(
        generation=1 if before is None else before.generation + 1,
        disk=disk.identity.disk,
        highest_epoch=highest,
        seal_order=order,
        index_commits=number,
        segments=tuple(
            JournalSegment(u.number, SegmentState.OPEN, u.epoch, u.camera, u.stream)
            for u in work.unsealed
        ),
        gaps=() if before is None else before.gaps,
        locks=() if before is None else before.locks,
        erase_intents=() if before is None else before.erase_intents,
        inband_streams=tuple(sorted(inband)),
    )
    _write_journal(disk, snapshot)
    return _report(archive, work)


def _write_journal(disk: Disk, snapshot: Snapshot) -> None:
    fd = disk.open_journal(writable=True)
    try:
        offset, data = journal.encode(snapshot)
        os.pwrite(fd, data, offset)
        os.fsync(fd)
    finally:
        os.close(fd)


def _report(archive: Archive, work: Rebuild) -> Report:
    states = [row.state for _, row in archive.segments()]
    return Report(
        segments=len(states),
        sealed=states.count(SegmentState.SEALED),
        open=states.count(SegmentState.OPEN),
        free=states.count(SegmentState.FREE),
        fragments=work.fragments,
        notes=work.notes,
    )
