"""What a finished batch means for the archive: rows, runs, streams and segments now durable.

In memory only: nothing here touches the disk.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from vonggac.media.chunk import ChunkFlag, Claim, PackedRow, Row
from vonggac.store.archive import Archive
from vonggac.store.batch import Placed, SealedSegment
from vonggac.store.index_values import RunRow, StreamRow
from vonggac.store.journal import SegmentState
from vonggac.store.open_segment import OpenSegment


@dataclass(slots=True)
class StreamState:
    """A stream, as far as it is durable, and where it goes on."""

    camera: bytes
    run: int = 0
    sequence: int = -1
    wall_end_ns: int = 0
    segment: OpenSegment | None = None
    claim_sha256: bytes = b""
    """Of the claim of `sequence`; empty until something of this run was written here."""


@dataclass(frozen=True, slots=True)
class Finished:
    """What became durable."""

    moved: list[bytes]
    """Streams that have new chunks."""
    sealed: list[SealedSegment]


@dataclass(slots=True)
class Filing:
    """Shares `streams`, `open` and `inband` with the ring."""

    archive: Archive
    streams: dict[bytes, StreamState]
    open: dict[int, OpenSegment]
    inband: set[bytes]
    _touched: set[int] = field(default_factory=set)

    def chunk(self, placed: Placed) -> None:
        claim, row = placed.claim, placed.row
        self.archive.add_row(claim.stream, PackedRow(placed.segment, placed.epoch, row))
        self._touched.add(placed.segment)
        stream = self.streams[claim.stream]
        if claim.run < stream.run:
            self._chunk_of_older_run(claim, row)
            return
        if claim.run > stream.run:
            self._settle_run(claim.stream, stream)
            self.archive.put_run(claim.stream, run_of(claim, row))
            stream.run, stream.sequence = claim.run, -1
        if claim.sequence > stream.sequence:  # else it is one that recovery had missed
            stream.sequence, stream.claim_sha256 = claim.sequence, placed.claim_sha256
            stream.wall_end_ns = row.wall_end_ns

    def _chunk_of_older_run(self, claim: Claim, row: Row) -> None:
        """Handed over by a loop that died, and written behind its successor's."""
        known = self.archive.run(claim.stream, claim.run) or run_of(claim, row)
        if claim.sequence > known.last_sequence:
            known = replace(known, last_sequence=claim.sequence, wall_end_ns=row.wall_end_ns)
        self.archive.put_run(claim.stream, known)

    def _settle_run(self, stream: bytes, state: StreamState) -> None:
        known = self.archive.run(stream, state.run)
        if known is not None:
            settled = replace(known, last_sequence=state.sequence, wall_end_ns=state.wall_end_ns)
            if settled != known:
                self.archive.put_run(stream, settled)

    def sealed(self, sealed: SealedSegment) -> None:
        segment = sealed.segment
        row = segment.summary(SegmentState.SEALED, sealed.order)
        self.archive.put_segment(segment.number, row)
        self._touched.discard(segment.number)
        if sealed.continues:
            flag = int(ChunkFlag.CONTINUES)
            self.archive.mark_last_row(segment.stream, segment.number, row, flag)

    def settle_streams(self) -> None:
        """Brings runs and streams of the archive up to date, for a commit."""
        for stream in self.streams:
            self.settle_stream(stream)

    def settle_stream(self, stream: bytes) -> None:
        """Those of one stream, for a question: whoever asks about each would ask about all."""
        state = self.streams.get(stream)
        if state is None or not state.run:
            return
        self._settle_run(stream, state)
        row = StreamRow(
            state.camera, state.run, state.sequence, state.wall_end_ns, stream in self.inband
        )
        if self.archive.stream(stream) != row:
            self.archive.put_stream(stream, row)

    def settle(self) -> None:
        """Everything, for a commit."""
        for number in self._touched:
            segment = self.open.get(number)
            if segment is not None:
                row = segment.summary(SegmentState.OPEN, segment.order)
                self.archive.put_segment(number, row)
        self._touched.clear()
        self.settle_streams()
        self.archive.file_tails()


def run_of(claim: Claim, row: Row) -> RunRow:
    """A run that begins with this chunk, as far as this disk knows."""
    run = RunRow(claim.run, row.wall_start_ns, row.wall_end_ns, claim.sequence)
    if not claim.flags & ChunkFlag.FIRST:
        return run
    return replace(
        run,
        predecessor_run=claim.predecessor_run,
        gap_reason=claim.gap_reason,
        gap_start_ns=claim.gap_start_ns,
    )
