"""Erasing chunks in place: the one exception to *never written again* (promise 6).

Tick n reads the heads (in the writer's thread), n + 1 journals the intents, n + 2 zeroes the
payloads and marks the table; the intents stay in the journal until the index without these rows is
committed. A crash at any moment leaves an intent that is done again, or none and whole footage.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from vonggac._native import ring as native_ring
from vonggac.errors import StorageError
from vonggac.media.chunk import Row
from vonggac.store.archive import Archive
from vonggac.store.batch import Batch
from vonggac.store.disk import Disk
from vonggac.store.erase_bytes import blocks_of, intents_of, is_hit, middle_of, table_without
from vonggac.store.journal import EraseIntent, Snapshot
from vonggac.store.locks import LockSet
from vonggac.store.segment import Life, SegmentFile
from vonggac.store.tombstone import Rule

__all__ = ["Eraser", "Fault", "forget_erased", "redo"]

_ERASED_AGAIN = Rule("expired")


class _State(Enum):
    WISHED = 0
    READ = 1
    JOURNALLED = 2
    ZEROED = 3


@dataclass(frozen=True, slots=True)
class Fault:
    """What of a segment could not be erased, and why."""

    number: int
    epoch: int
    what: str
    is_all: bool
    """Nothing of what was wished for went: to wish it again soon is of no use."""

    def __str__(self) -> str:
        return f"segment {self.number} cannot be erased: {self.what}"


@dataclass(slots=True)
class _Part:
    """Chunks of one segment on their way out."""

    number: int
    epoch: int
    rows: Sequence[Row]
    rule: Rule
    state: _State = _State.WISHED
    fd: int = -1
    intents: tuple[EraseIntent, ...] = ()
    table: bytes = b""
    fault: str = ""
    """Why it, or some of it, cannot be erased."""
    left_bytes: int = 0
    """Wished for and not taken."""
    is_withdrawn: bool = False
    is_decided: bool = False
    """Judged by the locks a last time; its intents stand in the journal from then on."""

    def read(self, disk: Disk) -> None:
        """In the writer's thread: heads and table, which nobody may read while planning."""
        try:
            self.fd = disk.open_segment(self.number, writable=True)
            file = SegmentFile(self.fd, disk.identity.segment_bytes)
            life = Life(disk.identity.disk, self.number, self.epoch)
            intents, taken, faults = intents_of(file, life, self.rows)
            table = table_without(file, intents)
            if not table:
                raise StorageError("it has no table that could say so")
        except StorageError as error:
            self.fault = str(error)
            return
        self.left_bytes = self.size_bytes - sum(row.chunk_bytes for row in taken)
        self.intents, self.rows, self.table = intents, taken, table
        if faults:
            more = f" and {len(faults) - 1} chunks more" if len(faults) > 1 else ""
            self.fault = faults[0] + more

    @property
    def size_bytes(self) -> int:
        return sum(row.chunk_bytes for row in self.rows)

    def write(self, batch: Batch[Any]) -> None:
        for intent in self.intents:
            for offset, data in blocks_of(intent):
                batch.write(self.fd, offset, [data], len(data))
            start, size = middle_of(intent)
            if size:
                batch.blanks.append((self.fd, start, size))
        offset = batch.segment_bytes - len(self.table)
        batch.write(self.fd, offset, [self.table], len(self.table))

    def close(self) -> None:
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1


@dataclass(slots=True)
class Eraser:
    """One segment at a time; `wish` for more, they wait."""

    disk: Disk
    archive: Archive
    redone: tuple[EraseIntent, ...] = ()
    """Intents that a crash left: done again at the start, journalled until the next commit."""
    faults: list[Fault] = field(default_factory=list)
    """What could not be erased; whoever tells it empties the list."""
    returned_bytes: int = 0
    """Of chunks that were wished for and stay; whoever counts it sets it to 0."""
    _wishes: deque[_Part] = field(default_factory=deque)
    _part: _Part | None = None
    _done: list[_Part] = field(default_factory=list)
    _committing: list[_Part] = field(default_factory=list)
    _committing_redone: bool = False
    _is_moving: bool = False
    """This tick does something for the part: without the locks none is done."""

    def wish(self, number: int, epoch: int, rows: Sequence[Row], rule: Rule) -> None:
        """Has these chunks of a sealed segment erased; the caller knows that they may go."""
        self._wishes.append(_Part(number, epoch, rows, rule))

    def withdraw(self) -> None:
        """The reason for all wishes has gone: what is not journalled yet stays."""
        self.returned_bytes += sum(part.size_bytes for part in self._wishes)
        self._wishes.clear()
        if self._part is not None:
            self._part.is_withdrawn = True

    @property
    def is_idle(self) -> bool:
        return self._part is None and not self._wishes

    @property
    def is_settled(self) -> bool:
        """Nothing of it stands in the journal any more, or has to go there."""
        return self.is_idle and not (self._done or self._committing or self.redone)

    def holds(self, epoch: int) -> bool:
        """Whether a segment's life is being erased in part: nobody else may give it up."""
        if self.is_settled:
            return False
        parts = [*self._wishes, *self._done, *self._committing]
        if self._part is not None:
            parts.append(self._part)
        return any(part.epoch == epoch for part in parts) or any(
            intent.epoch == epoch for intent in self.redone
        )

    def is_erasing(self, epoch: int) -> bool:
        """Whether chunks of this life are going or have just gone: nobody may read it meanwhile."""
        parts = [*self._done, *self._committing]
        if self._part is not None and self._part.state is not _State.WISHED:
            parts.append(self._part)
        return any(part.epoch == epoch for part in parts)

    def intents(self) -> tuple[EraseIntent, ...]:
        """What the journal lists."""
        parts = [*self._done, *self._committing]
        if self._part is not None and self._part.is_decided:
            parts.append(self._part)
        return (*self.redone, *(intent for part in parts for intent in part.intents))

    def move_on(self, batch: Batch[Any], locks: LockSet) -> bool:
        """A part of this tick; True when the journal has to be written with it."""
        # The journal's slot has room for the intents of three parts, and a crash may leave three.
        listed = len(self._done) + len(self._committing)
        if self._part is None and self._wishes and listed < 2 and not self.redone:
            self._part = self._wishes.popleft()
        part = self._part
        if part is None:
            return False
        self._is_moving = True
        if part.state is _State.WISHED:
            batch.errands.append(lambda: part.read(self.disk))
        elif part.state is _State.READ and (part.is_withdrawn or self._is_locked(part, locks)):
            part.intents = ()  # locked since it was wished for: promise 5
            part.fault = ""
            part.state = _State.WISHED
        elif part.state is _State.READ:
            # From here on nobody is told of these chunks; their bytes go in the next tick.
            offsets = {row.offset for row in part.rows}
            part.is_decided = True
            self.archive.erase(part.number, offsets, part.rule)
            return True
        else:
            part.write(batch)
        return False

    def _is_locked(self, part: _Part, locks: LockSet) -> bool:
        row = self.archive.segment(part.number)
        return row is None or any(
            locks.is_locked(row.stream, r.wall_start_ns, r.wall_end_ns) for r in part.rows
        )

    def finish(self) -> bool:
        """The batch is durable, and its errands are done; True where a segment is left alone."""
        part = self._part
        if part is None or not self._is_moving:
            return False
        self._is_moving = False
        if part.state is _State.WISHED:
            if part.fault:
                is_all = not part.intents
                self.faults.append(Fault(part.number, part.epoch, part.fault, is_all))
            if part.is_withdrawn or not part.intents:
                self.returned_bytes += part.left_bytes + part.size_bytes
                part.close()
                self._part = None
                return True
            self.returned_bytes += part.left_bytes
            part.left_bytes = 0
        part.state = _State(part.state.value + 1)
        if part.state is _State.ZEROED:
            part.close()
            self._done.append(part)
            self._part = None
        return False

    def freeze(self) -> None:
        """The index's next commit holds the archive without these rows."""
        self._committing, self._done = self._done, []
        self._committing_redone = bool(self.redone)

    def committed(self) -> bool:
        """The commit is on the disk; True when the journal lists less than before."""
        is_less = bool(self._committing) or self._committing_redone
        self._committing = []
        if self._committing_redone:
            self.redone, self._committing_redone = (), False
        return is_less

    def close(self) -> None:
        if self._part is not None:
            self._part.close()


def redo(disk: Disk, snapshot: Snapshot) -> None:
    """What a crash may have interrupted, before anything else is read; synced. StorageError."""
    lives = {entry.number: entry.epoch for entry in snapshot.segments}
    by_segment: dict[int, list[EraseIntent]] = {}
    for intent in snapshot.erase_intents:
        if lives.get(intent.segment, intent.epoch) == intent.epoch:
            by_segment.setdefault(intent.segment, []).append(intent)
    for number, intents in by_segment.items():
        fd = disk.open_segment(number, writable=True)
        try:
            _redo_segment(SegmentFile(fd, disk.identity.segment_bytes), intents)
        except OSError as error:
            what = f"segment {number} cannot be erased: {error.strerror}"
            raise StorageError(what) from error
        finally:
            os.close(fd)


def forget_erased(archive: Archive, intents: Iterable[EraseIntent]) -> None:
    """Takes rows out that an index of before still has: their bytes are zero, or soon will be."""
    by_segment: dict[tuple[int, int], list[EraseIntent]] = {}
    for intent in intents:
        by_segment.setdefault((intent.segment, intent.epoch), []).append(intent)
    for found in by_segment.values():
        found.sort(key=lambda intent: intent.offset)
    for (number, epoch), found in by_segment.items():
        row = archive.segment(number)
        if row is None or row.epoch != epoch:
            continue
        rows = archive.rows_of_segment(number, row)
        offsets = {r.offset for r in rows if is_hit(found, r)}
        if offsets:
            archive.erase(number, offsets, _ERASED_AGAIN)


def _redo_segment(file: SegmentFile, intents: Sequence[EraseIntent]) -> None:
    for intent in intents:
        for offset, data in blocks_of(intent):
            os.pwrite(file.fd, data, offset)
        start, size = middle_of(intent)
        error = native_ring.zero(file.fd, size, start)
        if error:
            raise OSError(error, os.strerror(error))
    table = table_without(file, sorted(intents, key=lambda intent: intent.offset))
    if table:
        os.pwrite(file.fd, table, file.size - len(table))
    os.fsync(file.fd)
