"""The ring: plans a tick, and is told how it went; what journal and index say of it. Passive.

Order of a tick: `plan` -> `Batch.run` (writes, one sync; another thread) -> `finish`.
docs/design/storage.md numbers the promises that comments here cite.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass, field

from vonggac._native import ring as native_ring
from vonggac.errors import MediaError, StorageError
from vonggac.media.chunk import ChunkFlag, Claim
from vonggac.store import journal
from vonggac.store.archive import Archive
from vonggac.store.batch import Batch, Incoming, Token
from vonggac.store.disk import Disk
from vonggac.store.erase import Eraser, forget_erased
from vonggac.store.filing import Filing, Finished, StreamState
from vonggac.store.index import Commit
from vonggac.store.index_values import SegmentRow
from vonggac.store.journal import JournalSegment, OpenGap, SegmentState, Snapshot
from vonggac.store.locks import LockSet
from vonggac.store.open_segment import OpenSegment
from vonggac.store.placing import Placing
from vonggac.store.recovered import Recovered
from vonggac.store.spares import Spares
from vonggac.store.warm_pages import WarmPages


@dataclass(slots=True)
class Ring:
    """All of a disk that changes while recording."""

    disk: Disk
    archive: Archive
    spares: Spares
    placing: Placing
    journal_fd: int
    generation: int
    index_commits: int
    gaps: dict[bytes, OpenGap] = field(default_factory=dict)
    locks: tuple[journal.Lock, ...] = ()
    erase_intents: tuple[journal.EraseIntent, ...] = ()
    is_journal_dirty: bool = True
    is_index_lost: bool = False
    """A commit failed, or a rebuild is on its way: the journal says so, and the next start
    rebuilds.
    """
    is_rebuilt: bool = False
    is_index_given_up: bool = False
    """A commit has failed: nothing more is written to it before the next start."""
    warm: WarmPages = field(default_factory=WarmPages)
    streams: dict[bytes, StreamState] = field(init=False)
    """This, and the three below, are the placing's own."""
    open: dict[int, OpenSegment] = field(init=False)
    inband: set[bytes] = field(init=False)
    unindexed: dict[int, JournalSegment] = field(init=False)
    filing: Filing = field(init=False)
    eraser: Eraser = field(init=False)
    lock_set: LockSet = field(init=False)
    durable_locks: tuple[journal.Lock, ...] = field(init=False)
    """As the journal on the disk holds them: what a power cut leaves of `locks`."""
    _written_locks: tuple[journal.Lock, ...] = field(init=False)
    _committing: dict[int, JournalSegment] = field(default_factory=dict)
    _sealing: set[int] = field(default_factory=set)
    """Sealed in the batch of the newest journal."""

    def __post_init__(self) -> None:
        self.streams, self.open = self.placing.streams, self.placing.open
        self.inband, self.unindexed = self.placing.inband, self.placing.unindexed
        self.filing = Filing(self.archive, self.streams, self.open, self.inband)
        self.eraser = Eraser(self.disk, self.archive, self.erase_intents)
        self.lock_set = LockSet.of(self.locks)
        self.durable_locks = self._written_locks = self.locks

    @classmethod
    def start(
        cls,
        disk: Disk,
        snapshot: Snapshot,
        archive: Archive,
        found: Recovered,
        seal_all: bool = False,
    ) -> Ring:
        """From what recovery found; opens descriptors, mends torn tails and syncs once.

        `seal_all`: the disk is suspect, nothing is added to segments that it may have torn.
        """
        epoch = max(snapshot.highest_epoch, archive.index.meta.highest_epoch)
        seal_order = max(snapshot.seal_order, archive.index.meta.seal_order)
        if archive.index.meta.commits < snapshot.index_commits:
            # Rebuilt segments are ordered by their epochs; what is sealed from now on comes after
            # them.
            seal_order = max(seal_order, epoch)
        spares = Spares(disk, archive, max(epoch, disk.identity.era << 40))
        placing = Placing(
            disk=disk,
            archive=archive,
            spares=spares,
            seal_order=seal_order,
            inband=found.inband,
            unindexed={entry.number: entry for entry in found.sealed},
            missing={
                (stream, run, sequence)
                for (stream, run), fresh in found.fresh.items()
                for sequence in fresh.missing()
            },
        )
        ring = cls(
            disk=disk,
            archive=archive,
            spares=spares,
            placing=placing,
            journal_fd=disk.open_journal(writable=True),
            generation=snapshot.generation,
            index_commits=snapshot.index_commits,
            gaps=found.gaps,
            locks=snapshot.locks,
            erase_intents=snapshot.erase_intents,
        )
        forget_erased(archive, snapshot.erase_intents)
        for stream, row in archive.streams():
            ring.streams[stream] = StreamState(row.camera, row.run, row.sequence, row.wall_end_ns)
        for segment in found.segments:
            placing.resume(OpenSegment.resume(disk, segment))
        if seal_all:
            placing.leave_all()
        for entry in found.spares:
            ring.spares.adopt(entry.number, entry.epoch)
        error = native_ring.sync(ring.journal_fd)
        if error:
            raise StorageError(f"{disk.path} cannot be synced: {os.strerror(error)}")
        return ring

    # a tick

    def plan(self, pending: Iterable[tuple[Token, Incoming]]) -> Batch[Token]:
        """Places chunks, seals and opens segments, moves the spares on, writes the journal if it
        changed.
        """
        batch: Batch[Token] = Batch(self.journal_fd, self.disk.identity.segment_bytes, self.warm)
        inband_streams = len(self.inband)
        self.placing.seal_surplus(batch)
        waiting: set[bytes] = set()
        planned: set[tuple[bytes, int, int]] = set()
        for token, chunk in pending:
            if (chunk.stream, chunk.run, chunk.sequence) in planned:
                batch.durable.append(token)  # handed over once more, on another connection
                continue
            if chunk.stream in waiting:
                batch.waiting.append(token)
                continue
            try:
                verdict = self.placing.place(chunk, batch)
            except MediaError as error:
                batch.refused.append((token, str(error)))
                continue
            if verdict is None:
                waiting.add(chunk.stream)
                batch.waiting.append(token)
            elif verdict:
                batch.durable.append(token)
                planned.add((chunk.stream, chunk.run, chunk.sequence))
            else:
                batch.known.append(token)
        missing = len(waiting)
        self.spares.move_on(batch, self.streams_open(), missing, self._is_locked)
        for spare in batch.reserved:
            # Sealed and reused between two commits: the journal tells of its new life alone.
            self.unindexed.pop(spare.number, None)
            self._committing.pop(spare.number, None)
        self.placing.seal_forgotten(batch)
        # Promise 5: before the locks are known nothing is erased either.
        if self.spares.are_locks_known and self.eraser.move_on(batch, self.lock_set):
            self.is_journal_dirty = True
        is_changed = batch.reserved or batch.opened or batch.sealed
        if self.is_journal_dirty or is_changed or len(self.inband) > inband_streams:
            self._write_journal(batch)
        return batch

    def live_numbers(self) -> set[int]:
        """Segments that the ring itself knows: open, spare, or sealed since the last commit."""
        spares = {entry.number for entry in self.spares.entries()}
        return {*self.open, *self.unindexed, *spares}

    def streams_open(self) -> list[OpenSegment]:
        return list(self.open.values())

    def is_filed(self, number: int) -> bool:
        """Whether a sealed segment stands in the index on the disk, and not in the journal."""
        return not (number in self.open or number in self.unindexed or number in self._committing)

    def retire(self, number: int, *, is_idle: bool) -> None:
        """Has an open segment sealed because part of it has expired: now if nothing is written to
        its stream, else with its next chunk.
        """
        if self.placing.retire(number, is_idle=is_idle):
            self.is_journal_dirty = True

    def hold(self, locks: tuple[journal.Lock, ...]) -> None:
        """These locks from now on; in the journal with the next tick (`durable_locks`)."""
        if set(locks) == set(self.locks):
            return
        if not set(self.locks) <= set(locks):
            self.spares.look_again()
        self.locks = locks
        self.lock_set = LockSet.of(locks)
        self.is_journal_dirty = True

    def _is_locked(self, row: SegmentRow) -> bool:
        # Promise 5.
        is_locked = self.lock_set.is_locked(row.stream, row.wall_start_ns, row.wall_end_ns)
        return is_locked or self.eraser.holds(row.epoch)

    def _write_journal(self, batch: Batch[Token]) -> None:
        self.generation += 1
        self._sealing = {sealed.segment.number for sealed in batch.sealed}
        offset, data = journal.encode(self.snapshot())
        batch.write(self.journal_fd, offset, [data], len(data))
        batch.has_journal = True
        self._written_locks = self.locks
        self.is_journal_dirty = False

    def snapshot(self) -> Snapshot:
        """What the journal says if it is written now."""
        live = [
            JournalSegment(s.number, SegmentState.OPEN, s.epoch, s.camera, s.stream, s.order)
            for s in self.open.values()
        ]
        sealed = [*self.unindexed.values(), *self._committing.values()]
        if self.is_index_lost:
            # A rebuild finds them all, and takes a seal for whole: not one of this very sync.
            sealed = [entry for entry in sealed if entry.number in self._sealing]
        return Snapshot(
            generation=self.generation,
            disk=self.disk.identity.disk,
            highest_epoch=self.spares.highest_epoch,
            seal_order=self.placing.seal_order,
            index_commits=self.index_commits + (1 << 32 if self.is_index_lost else 0),
            segments=(*live, *self.spares.entries(), *sealed),
            gaps=tuple(self.gaps.values()),
            locks=self.locks,
            erase_intents=self.eraser.intents(),
            inband_streams=tuple(sorted(self.inband)),
        )

    # afterwards

    def finish(self, batch: Batch[Token]) -> Finished:
        """The batch's sync has succeeded: files its rows, moves streams on. Nothing here touches
        the disk.
        """
        self.durable_locks = self._written_locks
        for opened in batch.opened:
            self.archive.use_entry(opened.entry_sha256, bytes(memoryview(opened.head)))
        for placed in batch.placed:
            self.filing.chunk(placed)
            self._answer_gap(placed.claim)
        for sealed in batch.sealed:
            self.filing.sealed(sealed)
        for fd in batch.close_fds:
            self.warm.close(fd)
        self.spares.finish(batch)
        if self.eraser.finish():
            self.spares.look_again()
        moved = dict.fromkeys(placed.claim.stream for placed in batch.placed)
        return Finished(list(moved), batch.sealed)

    def _answer_gap(self, claim: Claim) -> None:
        """A run's first claim names the gap before it. Only now, when it is durable, does the
        journal let go of that gap: one sync more, or a cut between the two would silence it.
        """
        gap = self.gaps.get(claim.stream)
        if gap is not None and claim.flags & ChunkFlag.FIRST and gap.is_named_by(claim):
            del self.gaps[claim.stream]
            self.is_journal_dirty = True

    def open_gap(self, gap: OpenGap) -> None:
        """Stands in the journal until the stream's next run names it in its first claim."""
        if self.gaps.get(gap.stream) != gap:
            self.gaps[gap.stream] = gap
            self.is_journal_dirty = True

    # the index

    @property
    def can_commit(self) -> bool:
        """False while the index is lost, or known to hold only a part."""
        return self.is_rebuilt or not self.is_index_lost

    def freeze(self) -> Commit:
        """What the index's next commit writes; everything in it is durable already (promise 4)."""
        self.filing.settle()
        self._committing = dict(self.unindexed)
        self.unindexed.clear()
        self.spares.freeze()
        self.eraser.freeze()
        return self.archive.index.freeze(self.spares.highest_epoch, self.placing.seal_order)

    def committed(self, commit: Commit) -> None:
        """The index holds what the journal listed for it; the next journal leaves that out."""
        self.archive.index.settle()
        self.index_commits = commit.number
        is_less = self.spares.committed()
        if self.eraser.committed():
            is_less = True
            self.spares.look_again()
        if self._committing or self.is_rebuilt or is_less:
            self.is_journal_dirty = True
        self._committing = {}
        if self.is_rebuilt:
            self.is_index_lost = self.is_rebuilt = False

    def freeze_part(self) -> Commit:
        """What a rebuild has made so far, so that it need not wait in memory. The journal says
        meanwhile that no index is whole, so a crash has it made from the start again.
        """
        self.filing.settle()
        return self.archive.index.freeze(self.spares.highest_epoch, self.placing.seal_order)

    def part_committed(self) -> None:
        """A part is on the disk; nothing that the journal says changes by it."""
        self.archive.index.settle()

    def commit_failed(self) -> None:
        """The index is lost; recording goes on with journal and memory (promise 4)."""
        self.is_index_lost, self.is_rebuilt = True, False
        self.is_index_given_up = True
        self.is_journal_dirty = True
        self.archive.index.give_up_writing()

    def rebuilt(self) -> None:
        """The archive holds every segment again; the next commit makes that durable."""
        self.is_rebuilt = not self.is_index_given_up
        self.spares.may_reuse_sealed = True

    def close(self) -> None:
        for segment in self.open.values():
            os.close(segment.fd)
        self.spares.close()
        self.eraser.close()
        os.close(self.journal_fd)
