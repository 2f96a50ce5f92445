"""Where a chunk goes: the segment that its stream is in, or the next spare; and when one is sealed.

Plans into a batch only. What is opened or sealed there has to stand in that batch's journal.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from vonggac._native import ring as native_ring
from vonggac._native import segment as native
from vonggac.errors import MediaError
from vonggac.media.chunk import BLOCK_BYTES, ChunkFlag, Claim, SyncKind, row_of
from vonggac.media.sound import first_decode_ticks
from vonggac.store.archive import Archive
from vonggac.store.batch import Batch, Bytes, Incoming, Opened, Placed, SealedSegment, Token
from vonggac.store.disk import Disk
from vonggac.store.filing import StreamState
from vonggac.store.journal import JournalSegment, SegmentState
from vonggac.store.open_segment import OpenSegment
from vonggac.store.segment import HEAD_BYTES_MAX
from vonggac.store.spares import Spares

_OTHER_BYTES_MAX = HEAD_BYTES_MAX + 2 * BLOCK_BYTES
"""What a segment of one chunk holds besides it."""
_INBAND = int(ChunkFlag.INBAND)
"""To ask the enum itself costs 3 µs, a tenth of a chunk's plan."""


@dataclass(slots=True)
class Placing:
    """All streams of a disk, and their open segments."""

    disk: Disk
    archive: Archive
    spares: Spares
    seal_order: int
    """Of the last segment sealed."""
    inband: set[bytes] = field(default_factory=set)
    unindexed: dict[int, JournalSegment] = field(default_factory=dict)
    """Sealed since the last index commit: only the journal knows."""
    missing: set[tuple[bytes, int, int]] = field(default_factory=set)
    """(stream, run, sequence) that recovery did not find whole before the newest of their run."""
    streams: dict[bytes, StreamState] = field(default_factory=dict)
    open: dict[int, OpenSegment] = field(default_factory=dict)
    _surplus: list[tuple[OpenSegment, bool]] = field(default_factory=list)
    """To be sealed by the next batch, and whether the fragment goes on in the next segment."""

    def resume(self, segment: OpenSegment) -> None:
        """One that recovery found open; the next chunk of its stream goes there."""
        stream = self.streams.setdefault(segment.stream, StreamState(segment.camera))
        older = stream.segment
        if older is not None:
            # A seal that was torn: its successor is there, so it is sealed again in the first tick.
            first = segment.rows()[0]
            continues = first.kind == SyncKind.NONE and first.run == older.last_run
            self._surplus.append((older, continues))
        stream.segment = segment
        self.open[segment.number] = segment

    def leave_all(self) -> None:
        """No chunk goes into what is open now; the next batch seals it."""
        for state in self.streams.values():
            if state.segment is not None:
                self._surplus.append((state.segment, False))
                state.segment = None

    def seal_surplus(self, batch: Batch[Token]) -> None:
        """What nothing is written to any more."""
        for segment, continues in self._surplus:
            self._seal(segment, batch, continues)
        self._surplus.clear()

    def place(self, chunk: Incoming, batch: Batch[Token]) -> bool | None:
        """True: in the batch. False: was durable already. None: no segment stands ready."""
        stream = self.streams.get(chunk.stream)
        if stream is None:
            stream = self.streams[chunk.stream] = StreamState(chunk.camera)
        if self._is_known(stream, chunk):
            return False
        claim, claim_sha256 = native.claim_read(chunk.head)
        _check(claim, chunk)
        needed = _chunk_bytes(len(chunk.head), chunk.payload_bytes)
        if needed > self.disk.identity.segment_bytes - _OTHER_BYTES_MAX:
            raise MediaError("limit", f"a chunk of {needed} bytes finds no room in a segment")
        segment = stream.segment
        if segment is not None and not (
            segment.entry_sha256 == chunk.entry_sha256
            and segment.fits(needed)
            and not segment.is_past(chunk.run, chunk.sequence)
        ):
            if not self.spares.ready:
                return None
            continues = claim.run == segment.last_run and claim.kind == SyncKind.NONE
            self._seal(segment, batch, continues)
            segment = stream.segment = None
        if segment is None:
            segment = self._open(chunk, batch)
            if segment is None:
                return None
            stream.segment = segment
        self._write(segment, chunk, (claim, claim_sha256), batch)
        self.missing.discard((chunk.stream, chunk.run, chunk.sequence))
        return True

    def _is_known(self, stream: StreamState, chunk: Incoming) -> bool:
        if (chunk.stream, chunk.run, chunk.sequence) in self.missing:
            return False
        if chunk.run == stream.run:
            return chunk.sequence <= stream.sequence
        if chunk.run > stream.run:
            return False
        older = self.archive.run(chunk.stream, chunk.run)
        return older is not None and chunk.sequence <= older.last_sequence

    def _open(self, chunk: Incoming, batch: Batch[Token]) -> OpenSegment | None:
        if not self.spares.ready:
            return None
        spare = self.spares.ready.popleft()
        head = memoryview(chunk.segment_head)
        segment = OpenSegment(
            number=spare.number,
            epoch=spare.epoch,
            fd=spare.fd,
            size=self.disk.identity.segment_bytes,
            camera=chunk.camera,
            stream=chunk.stream,
            entry_sha256=chunk.entry_sha256,
            offset=head.nbytes,
            first_decode_ticks=first_decode_ticks(bytes(head)),
        )
        # The head shares the sync of its first chunk; recovery looks into every spare (promise 1).
        batch.write(segment.fd, 0, [head], head.nbytes)
        batch.opened.append(Opened(segment.number, segment.entry_sha256, bytes(head)))
        self.open[segment.number] = segment
        return segment

    def _write(
        self, segment: OpenSegment, chunk: Incoming, told: tuple[Claim, bytes], batch: Batch[Token]
    ) -> None:
        claim, claim_sha256 = told
        head = chunk.head
        place = native.chunk_place(
            head,
            segment.decode_time_of(claim),
            segment.count + 1,
            self.disk.identity.disk,
            segment.number,
            segment.epoch,
            segment.offset,
        )
        written = len(head) + chunk.payload_bytes
        padding = native_ring.free_box(place.chunk_bytes - written)
        parts: list[Bytes] = [head, *chunk.payload, padding]
        batch.write(segment.fd, segment.offset, parts, place.chunk_bytes)
        row = row_of(claim, place, chunk.wall_end_ns)
        segment.add(claim, row)
        segment.order = self.seal_order
        batch.placed.append(Placed(claim, row, segment.number, segment.epoch, claim_sha256))
        if claim.flags & _INBAND and chunk.stream not in self.inband:
            self.inband.add(chunk.stream)

    def _seal(self, segment: OpenSegment, batch: Batch[Token], continues: bool) -> None:
        """The table, and one `free` from the last chunk to it."""
        if continues:
            segment.mark_last(int(ChunkFlag.CONTINUES))
        table, free = segment.seal_bytes()
        batch.write(segment.fd, segment.offset, [free], len(free))
        batch.write(segment.fd, segment.size - len(table), [table], len(table))
        batch.close_fds.append(segment.fd)
        self.seal_order += 1
        batch.sealed.append(SealedSegment(segment, self.seal_order, continues))
        self.unindexed[segment.number] = JournalSegment(
            segment.number,
            SegmentState.SEALED,
            segment.epoch,
            segment.camera,
            segment.stream,
            self.seal_order,
        )
        self.open.pop(segment.number, None)

    def seal_forgotten(self, batch: Batch[Token]) -> None:
        """An open segment that nothing was written to for a whole turn of the ring leaves it
        sealed.
        """
        turn = self.spares.oldest_order
        if turn is None or not batch.reserved:
            return
        for segment in [s for s in self.open.values() if s.count and s.order < turn]:
            self._seal(segment, batch, continues=False)
            stream = self.streams.get(segment.stream)
            if stream is not None and stream.segment is segment:
                stream.segment = None

    def retire(self, number: int, *, is_idle: bool) -> bool:
        """As `Ring.retire`. True: the next batch seals it."""
        segment = self.open.get(number)
        if segment is None or not segment.count:
            return False
        segment.is_retired = True
        stream = self.streams.get(segment.stream)
        if is_idle and stream is not None and stream.segment is segment:
            stream.segment = None
            self._surplus.append((segment, False))
            return True
        return False


def _check(claim: Claim, chunk: Incoming) -> None:
    """The arena's header and the claim are written by the same loop: where they differ it is
    broken.
    """
    told = (chunk.camera, chunk.stream, chunk.run, chunk.sequence, chunk.payload_bytes)
    payload_bytes = claim.video_bytes + claim.audio_bytes
    if told != (claim.camera, claim.stream, claim.run, claim.sequence, payload_bytes):
        raise MediaError("value", "arena header against claim")


def _chunk_bytes(head_bytes: int, payload_bytes: int) -> int:
    """With padding; a `free` box of 1 to 7 bytes does not exist."""
    whole = head_bytes + payload_bytes
    padding = -whole % BLOCK_BYTES
    return whole + (padding + BLOCK_BYTES if 0 < padding < 8 else padding)
