"""A segment that is being written: where it goes on, what its table will hold, whether a chunk
fits.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace

from vonggac._native import ring as native_ring
from vonggac._native import segment as native
from vonggac.errors import StorageError
from vonggac.media.chunk import BLOCK_BYTES, VIDEO_TIMESCALE, Claim, Row
from vonggac.media.sound import first_decode_ticks
from vonggac.store.disk import Disk
from vonggac.store.index_values import SegmentRow
from vonggac.store.journal import SegmentState
from vonggac.store.recovered import RecoveredSegment
from vonggac.store.segment import SegmentFile

ENTRY_BYTES = 64
_HOUR_TICKS = 3600 * VIDEO_TIMESCALE
_ZEROS = bytes(1 << 20)
_FREE_HEADER_BYTES = 8


@dataclass(slots=True)
class OpenSegment:
    """Keeps its table packed: an hour of a small stream would be megabytes of objects."""

    number: int
    epoch: int
    fd: int
    size: int
    camera: bytes
    stream: bytes
    entry_sha256: bytes
    offset: int
    entries: bytearray = field(default_factory=bytearray)
    started_ns: int = 0
    """Wall start of the first chunk: where the segment's decode times begin."""
    wall_start_ns: int = 0
    wall_end_ns: int = 0
    first_decode_ticks: int = 0
    """Where decode times begin: later than 0 where there is sound (`vonggac.media.sound`)."""
    decode_end_ticks: int = 0
    last_run: int = 0
    last_sequence: int = -1
    order: int = 0
    """The order of sealing when it was last written to."""
    is_retired: bool = False
    """Part of it has expired: the next chunk goes into another segment."""
    tick_bytes: int = 0
    """The most that one tick has brought lately: tells when a spare is needed."""
    _this_tick_bytes: int = 0

    @classmethod
    def resume(cls, disk: Disk, found: RecoveredSegment) -> OpenSegment:
        """Mends what a crash has torn and goes on behind the last whole chunk."""
        fd = disk.open_segment(found.life.number, writable=True)
        try:
            head = SegmentFile(fd, disk.identity.segment_bytes).head() or b""
        except StorageError:
            os.close(fd)
            raise
        segment = cls(
            number=found.life.number,
            epoch=found.life.epoch,
            fd=fd,
            size=disk.identity.segment_bytes,
            camera=found.camera,
            stream=found.stream,
            entry_sha256=found.entry_sha256,
            offset=found.offset,
            entries=bytearray(b"".join(native.entry_write(row) for row in found.rows)),
            started_ns=found.rows[0].wall_start_ns,
            wall_start_ns=min(row.wall_start_ns for row in found.rows),
            wall_end_ns=max(row.wall_end_ns for row in found.rows),
            first_decode_ticks=first_decode_ticks(head),
            decode_end_ticks=found.decode_end_ticks,
            last_run=found.last_run,
            last_sequence=found.rows[-1].sequence,
            order=found.order,
        )
        try:
            _mend(fd, segment.size, found)
        except OSError as error:
            os.close(fd)
            raise StorageError(f"segment {segment.number} cannot be mended: {error}") from error
        return segment

    @property
    def count(self) -> int:
        return len(self.entries) // ENTRY_BYTES

    def fits(self, chunk_bytes: int) -> bool:
        """docs/ref/segment-format.md: the table and a `free` must find room behind this chunk."""
        if self.is_retired:
            return False
        return self.size - self.offset >= chunk_bytes + (self.count + 1) * ENTRY_BYTES + BLOCK_BYTES

    def is_past(self, run: int, sequence: int) -> bool:
        """Whether a later chunk of the run stands here: none of a segment may be out of order."""
        return run == self.last_run and sequence <= self.last_sequence

    def decode_time_of(self, claim: Claim) -> int:
        """`tfdt` of the next chunk: within a run the sum of durations, else the wall distance,
        clamped.

        Never back (promise 3) and never more than an hour ahead, whatever a clock does (promise 7).
        """
        if not self.entries:
            return self.first_decode_ticks
        if claim.run == self.last_run:
            return self.decode_end_ticks
        distance = (claim.wall_start_ns - self.started_ns) * VIDEO_TIMESCALE // 1_000_000_000
        apart = self.first_decode_ticks + distance
        return min(max(apart, self.decode_end_ticks), self.decode_end_ticks + _HOUR_TICKS)

    def add(self, claim: Claim, row: Row) -> None:
        """The chunk is planned at `offset`."""
        start = self.decode_time_of(claim)
        if not self.entries:
            self.started_ns = self.wall_start_ns = claim.wall_start_ns
            self.wall_end_ns = row.wall_end_ns
        self.wall_start_ns = min(self.wall_start_ns, row.wall_start_ns)
        self.wall_end_ns = max(self.wall_end_ns, row.wall_end_ns)
        self.decode_end_ticks = start + claim.duration_ticks
        self.entries += native.entry_write(row)
        self.last_run, self.last_sequence = claim.run, claim.sequence
        self.offset += row.chunk_bytes
        self._this_tick_bytes += row.chunk_bytes

    def end_tick(self) -> None:
        self.tick_bytes = max(self._this_tick_bytes, self.tick_bytes - self.tick_bytes // 16)
        self._this_tick_bytes = 0

    def needs_successor_within(self, ticks: int) -> bool:
        reserve = (self.count + 1) * ENTRY_BYTES + BLOCK_BYTES
        return self.size - self.offset < ticks * self.tick_bytes + reserve

    def rows(self) -> list[Row]:
        view = memoryview(self.entries)
        return [
            native.entry_read(view[i : i + ENTRY_BYTES]) for i in range(0, len(view), ENTRY_BYTES)
        ]

    def mark_last(self, flag: int) -> None:
        last = native.entry_read(self.entries[-ENTRY_BYTES:])
        self.entries[-ENTRY_BYTES:] = native.entry_write(replace(last, flags=last.flags | flag))

    def seal_bytes(self) -> tuple[bytes, bytes]:
        """The table that ends the file, and the header of the `free` box before it."""
        table = native.table_write(self.rows(), self.size)
        gap = self.size - len(table) - self.offset
        assert gap >= _FREE_HEADER_BYTES
        return table, native_ring.free_header(gap)

    def summary(self, state: SegmentState, order: int) -> SegmentRow:
        return SegmentRow(
            state=state,
            epoch=self.epoch,
            camera=self.camera,
            stream=self.stream,
            entry_sha256=self.entry_sha256,
            wall_start_ns=self.wall_start_ns,
            wall_end_ns=self.wall_end_ns,
            order=order,
            chunks=self.count,
            used_bytes=self.offset,
        )


def _mend(fd: int, size: int, found: RecoveredSegment) -> None:
    """Makes a player's way through torn blocks; none of them was ever reported durable.

    A hole between whole chunks gets a `free` header; what stands behind the last one gets zeros, so
    that a box of size 0 reaches the end of the file (promise 3).
    """
    for start, end in found.holes:
        if start >= found.known_end:
            os.pwrite(fd, native_ring.free_header(end - start), start)
    for start, end in list(SegmentFile(fd, size).written_ranges(found.offset)):
        os.pwrite(fd, _ZEROS[: end - start], start)
