"""Opening a disk: for a keeper, which goes on recording, or for a reader while no keeper runs."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass, replace
from pathlib import Path

from vonggac.errors import StorageError
from vonggac.store import disk as disks
from vonggac.store import index as indexes
from vonggac.store import journal
from vonggac.store.archive import Archive
from vonggac.store.disk import Disk
from vonggac.store.erase import forget_erased, redo
from vonggac.store.index import Index, IndexDamaged
from vonggac.store.journal import Snapshot
from vonggac.store.rebuild import Rebuild
from vonggac.store.recovered import Recovered
from vonggac.store.recovery import index_is_complete, recover
from vonggac.store.ring import Ring

LOCK_WAIT_SECONDS = 10.0
"""A recorder that was killed needs that long at most until its keepers have finished a sync."""


@dataclass(slots=True)
class Started:
    """A ring ready to record.

    `rebuild`: the index was lost and is being made again, step by step.
    """

    ring: Ring
    found: Recovered
    rebuild: Rebuild | None
    why_rebuilt: str | None


@dataclass(slots=True)
class Reading:
    """A disk read without a keeper: recovered in memory, nothing written."""

    disk: Disk
    snapshot: Snapshot
    archive: Archive
    found: Recovered
    why_rebuilt: str | None
    """Why the index could not be used, and the segments were read instead."""
    journal_problem: str | None = None
    """Why the journal could not be read: then nobody knows what is locked."""

    def close(self) -> None:
        self.archive.index.close()
        self.disk.close()


def read_journal(disk: Disk) -> Snapshot:
    """The newest whole snapshot; StorageError when there is none, or it is another disk's."""
    return _read_journal(disk)[0]


def _read_journal(disk: Disk) -> tuple[Snapshot, bool]:
    """And whether a newer one may have been lost."""
    with open(disk.open_journal(writable=False), "rb") as file:
        snapshot, is_half_lost = journal.newest_of_two(file.read(journal.FILE_BYTES))
    if snapshot.disk != disk.identity.disk:
        raise StorageError(f"{disk.path}: the journal belongs to another disk")
    if is_half_lost:
        # Promise 7: the epochs that the lost half gave are in segments already.
        epoch = snapshot.highest_epoch + disk.identity.segments
        snapshot = replace(snapshot, highest_epoch=epoch)
    return snapshot, is_half_lost


def start(path: Path, box: bytes, is_suspect: bool = False, distrust: str = "") -> Started:
    """Takes the disk for a keeper. Recording can begin when this returns, whatever the index is.

    `distrust`: why the index is not even opened; it has ended the keeper before.
    """
    disk = disks.open_disk(path, box, exclusive=True, wait_seconds=LOCK_WAIT_SECONDS)
    try:
        snapshot, is_half_lost = _read_journal(disk)
        redo(disk, snapshot)
        index, why = (None, distrust) if distrust else _usable_index(disk, snapshot, writable=True)
        try:
            ring, found = _begin(disk, snapshot, index or _new_index(disk), is_suspect)
        except IndexDamaged as error:
            if index is None:
                raise
            # Promise 4: recording starts with what the journal holds.
            why = str(error)
            ring, found = _begin(disk, snapshot, _new_index(disk), is_suspect)
    except BaseException:
        disk.close()
        raise
    if why is None and not is_half_lost:
        return Started(ring, found, None, None)
    ring.is_index_lost = True
    ring.spares.may_reuse_sealed = False  # the oldest is not known before all were seen
    # What the lost half alone knew is found in the segments, and comes last in the order of reuse.
    placing, highest_epoch = ring.placing, ring.spares.highest_epoch
    placing.seal_order = max(placing.seal_order + disk.identity.segments, highest_epoch)
    keeps, why = why is None, why or "a half of the journal cannot be read"
    rebuild = Rebuild(
        disk,
        ring.archive,
        skip=ring.live_numbers(),
        keeps=keeps,
        later=placing.seal_order - highest_epoch if keeps else 0,
        is_locked=lambda row: ring.lock_set.is_locked(
            row.stream, row.wall_start_ns, row.wall_end_ns
        ),
    )
    return Started(ring, found, rebuild, why)


def _begin(
    disk: Disk, snapshot: Snapshot, index: Index, is_suspect: bool
) -> tuple[Ring, Recovered]:
    try:
        archive = Archive(index)
        found = recover(disk, snapshot, archive, is_suspect=is_suspect)
        return Ring.start(disk, snapshot, archive, found, seal_all=is_suspect), found
    except BaseException:
        index.close()
        raise


def _new_index(disk: Disk) -> Index:
    path, size = disk.index_path(), disk.index_bytes()
    indexes.create(path, disk.identity.disk, size)
    return Index.open(path, disk.identity.disk, size, writable=True)


def _usable_index(
    disk: Disk, snapshot: Snapshot, *, writable: bool
) -> tuple[Index | None, str | None]:
    """The index, or why it must be made again."""
    path, size = disk.index_path(), disk.index_bytes()
    try:
        index = Index.open(path, disk.identity.disk, size, writable=writable)
    except StorageError as error:
        return None, str(error)
    if index_is_complete(Archive(index), snapshot):
        return index, None
    index.close()
    return None, f"the index in {path} is older than the journal"


def open_for_reading(
    path: Path, box: bytes | None = None, *, distrust: str = "", is_salvage: bool = False
) -> Reading:
    """Takes the disk's lock for reading.

    `distrust`: why the index is not even opened. `is_salvage`: a disk that nobody may repair is
    read without its journal too. Unavailable when a keeper holds it: then ask the keeper.
    """
    disk = disks.open_disk(path, box, exclusive=False)
    try:
        try:
            snapshot, is_half_lost = _read_journal(disk)
        except StorageError as error:
            if not is_salvage:
                raise
            blank = _blank(disk)
            reading = _reading(disk, blank, _in_memory(disk), str(error), True, recent=None)
            return replace(reading, journal_problem=str(error))
        index, why = None, distrust or None
        if not distrust:
            index, why = _usable_index(disk, snapshot, writable=False)
        if index is not None:
            try:
                return _reading(disk, snapshot, index, None, is_half_lost)
            except IndexDamaged as error:
                index.close()
                why = str(error)
        return _reading(disk, snapshot, _in_memory(disk), why, True)
    except BaseException:
        disk.close()
        raise


def _in_memory(disk: Disk) -> Index:
    return Index.in_memory(disk.identity.disk)


def _blank(disk: Disk) -> Snapshot:
    """A journal that knows nothing."""
    identity = disk.identity
    return Snapshot(0, identity.disk, identity.era << 40, identity.segments)


def _reading(
    disk: Disk,
    snapshot: Snapshot,
    index: Index,
    why: str | None,
    is_searched: bool,
    *,
    recent: Set[tuple[int, int]] | None = frozenset(),
) -> Reading:
    archive = Archive(index)
    found = recover(disk, snapshot, archive)
    if is_searched:
        live = {s.life.number for s in found.segments} | {s.number for s in found.spares}
        known = live | {s.number for s in found.sealed}
        intents = snapshot.erase_intents
        keeps = why is None
        rebuild = Rebuild(disk, archive, known, keeps=keeps, intents=intents, recent=recent)
        while rebuild.step():
            pass
    forget_erased(archive, snapshot.erase_intents)
    return Reading(disk, snapshot, archive, found, why)
