"""Everything that is recorded is read again once a fortnight: how fast, what next, what is wrong.

Passive: the keeper's chore reads in a thread of its own and asks here between segments. How far a
round has come stands in the index (docs/ref/index.md), so that a restart goes on there.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, replace

from vonggac.media.chunk import ChunkFlag, Row
from vonggac.store.archive import Archive
from vonggac.store.index import Index, Table
from vonggac.store.journal import SegmentState
from vonggac.store.look import Job, Seen

__all__ = ["ROUND_NS", "Fault", "Round", "judge", "mark", "next_job", "rate_bytes"]

ROUND_NS = 14 * 86_400 * 1_000_000_000
_READING_S = 13 * 86_400
"""Of a fortnight: the rest is for days on which the box stood still."""
_RATE_MIN_BYTES = 2 << 20
_RATE_MAX_BYTES = 128 << 20
"""A second. The most is what a rotational disk gives up beside recording; 150 TB a fortnight."""
_SEARCHED_MAX = 1024
"""Segments looked at in one turn for one that holds footage."""
_KEY = b"scrub"
_ROUND = struct.Struct(">qI")
_FAULT = b"scrub-fault "
_U32 = struct.Struct(">I")
_U64 = struct.Struct(">Q")


@dataclass(frozen=True, slots=True)
class Round:
    """How far a round has come."""

    began_ns: int
    """Wall clock of the box."""
    next_segment: int = 0

    @classmethod
    def read(cls, index: Index, now_ns: int) -> Round:
        """As the index has it; a new one where it has none, or one from the future."""
        value = index.get(Table.META, _KEY)
        if value is None or len(value) != _ROUND.size:
            return cls(now_ns)
        found = cls(*_ROUND.unpack(value))
        return found if found.began_ns <= now_ns else replace(found, began_ns=now_ns)

    def write(self, index: Index) -> None:
        """Durable with the index's next commit; what a crash takes is read twice."""
        index.put(Table.META, _KEY, _ROUND.pack(self.began_ns, self.next_segment))

    def is_over(self, segments: int) -> bool:
        return self.next_segment >= segments

    def following(self, segments: int, now_ns: int) -> Round | None:
        """The next round once its time has come; None: not yet."""
        is_due = abs(now_ns - self.began_ns) >= ROUND_NS
        return Round(now_ns) if self.is_over(segments) and is_due else None


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that is not as it was written."""

    job: Job
    what: str
    row: Row | None
    """The chunk it is in; None: it is the segment's head or table, or all of it."""

    @property
    def offset(self) -> int:
        return 0 if self.row is None else self.row.offset

    @property
    def span_ns(self) -> tuple[int, int]:
        """From when to when footage is touched."""
        touched = self.job.row if self.row is None else self.row
        return touched.wall_start_ns, touched.wall_end_ns


def rate_bytes(capacity_bytes: int) -> int:
    """Bytes a second that read a disk within a fortnight."""
    return min(max(capacity_bytes // _READING_S, _RATE_MIN_BYTES), _RATE_MAX_BYTES)


def next_job(archive: Archive, at: Round, segments: int) -> tuple[Round, Job | None]:
    """The next sealed segment from `at` on, and where to go on behind it."""
    last = min(segments, at.next_segment + _SEARCHED_MAX)
    for number in range(at.next_segment, last):
        row = archive.segment(number)
        if row is not None and row.state is SegmentState.SEALED and row.chunks:
            indexed = archive.rows_of_segment(number, row)
            return replace(at, next_segment=number + 1), Job(number, row, indexed, is_deep=True)
    return replace(at, next_segment=last), None


def judge(archive: Archive, seen: Seen) -> list[Fault]:
    """What is wrong with a segment and was not known; each place is told once.

    A segment that was reused or erased while it was read is no longer the one that was looked at.
    """
    job = seen.job
    now = archive.segment(job.number)
    if now is None or (now.epoch, now.state) != (job.row.epoch, SegmentState.SEALED):
        return []
    rows = {row.offset: row for row in archive.rows_of_segment(job.number, now)}
    faults: list[Fault] = []
    for looked in seen.chunks:
        row = rows.get(looked.row.offset)
        if looked.why and row is not None and not row.flags & ChunkFlag.BROKEN:
            faults.append(Fault(job, looked.why, row))
    is_told = archive.index.get(Table.META, _fault_key(job)) == _U64.pack(now.epoch)
    what = _structure(seen) if list(rows.values()) == job.indexed and not is_told else ""
    return [*faults, Fault(job, what, None)] if what else faults


def mark(archive: Archive, fault: Fault) -> None:
    """Remembers a fault: the chunk's row says *broken*, a mark of its own the segment's."""
    job, row = fault.job, fault.row
    if row is None:
        archive.index.put(Table.META, _fault_key(job), _U64.pack(job.row.epoch))
        return
    archive.mark_row(job.row.stream, job.number, job.row.epoch, row, int(ChunkFlag.BROKEN))


def _fault_key(job: Job) -> bytes:
    return _FAULT + _U32.pack(job.number)


def _structure(seen: Seen) -> str:
    """What is wrong with head and table; empty when nothing is."""
    if seen.error:
        return seen.error
    if seen.head_bytes is None:
        return "has no ftyp and moov"
    if seen.head_sha256 != seen.job.row.entry_sha256:
        return "its sample entry is not the one the index names"
    if seen.table is None:
        return "sealed, and has no whole table"
    live = [row.offset for row in seen.table if not row.flags & ChunkFlag.ERASED]
    if live != [row.offset for row in seen.job.indexed]:
        return "the table and the index do not hold the same rows"
    return ""
