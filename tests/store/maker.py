"""Chunks as a loop would hand them over, made by hand; and a keeper's tick without a keeper."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

from vonggac._native import segment as native
from vonggac.media.chunk import ChunkFlag, Claim, Sample, SyncKind
from vonggac.media.sound import Sound, SoundSamples
from vonggac.store import disk as disks
from vonggac.store.archive import Archive
from vonggac.store.batch import Batch
from vonggac.store.formatting import format_disk
from vonggac.store.index import Index
from vonggac.store.recovered import Recovered
from vonggac.store.recovery import recover
from vonggac.store.ring import Finished, Ring
from vonggac.store.start import read_journal, start

SECOND_NS = 1_000_000_000
BOX = bytes(range(16))
SMALL_BYTES = 200 << 20
SEGMENT_BYTES = 16 << 20
SMALL_SEGMENT_BYTES = 256 << 10
SPS = bytes.fromhex("6764000aacd9422684000003000400000300503c489658")
PPS = bytes.fromhex("68ebe3cb22c0")
START_NS = 1_760_000_000 * SECOND_NS


@dataclass(frozen=True, slots=True)
class FakeChunk:
    """What `_native.arena.ArenaChunk` offers."""

    camera: bytes
    stream: bytes
    run: int
    sequence: int
    wall_end_ns: int
    entry_sha256: bytes
    head: bytearray
    segment_head: bytes
    payload: list[memoryview]
    payload_bytes: int


@dataclass(slots=True)
class FakeStream:
    """One stream of one camera: a chunk a second, a sync sample in every second one."""

    number: int
    wall_ns: int = START_NS
    run: int = 0
    sequence: int = 0
    previous: bytes = bytes(32)
    media_ticks: int = 0
    predecessor: int = 0
    gap: tuple[int, int] = (0, 0)
    sps: bytes = SPS
    sound: Sound | None = None
    is_synced: bool = True
    """Whether the box's clock is, while this is recorded."""
    sent: list[tuple[int, int, bytes]] = field(default_factory=list)
    """(run, sequence, SHA-256 of the payload) of every chunk made."""

    @property
    def camera(self) -> bytes:
        return b"camera" + self.number.to_bytes(10, "big")

    @property
    def stream(self) -> bytes:
        return b"stream" + self.number.to_bytes(10, "big")

    def begin(self, run: int, wall_ns: int | None = None, gap: tuple[int, int] = (0, 0)) -> None:
        """A new run; `gap`: (start_ns, reason)."""
        self.predecessor, self.run = self.run, run
        self.sequence, self.previous, self.media_ticks = 0, bytes(32), 0
        self.wall_ns = self.wall_ns if wall_ns is None else wall_ns
        self.gap = gap

    def _heard(self, frames: int) -> tuple[SoundSamples, bytes]:
        """G.711 that begins 20 ms before the pictures."""
        start = -1800
        data = hashlib.shake_128(self.stream + b"heard" + bytes([self.sequence & 255]))
        samples = SoundSamples(start, ((160, 1800),) * frames)
        return samples, start.to_bytes(8, signed=True) + data.digest(160 * frames)

    def chunk(self, size: int = 40_000, seconds: float = 1.0, end: bool = False) -> FakeChunk:
        payload = hashlib.shake_128(self.stream + bytes([self.sequence & 255])).digest(size)
        head_bytes = native.head_write(1, (), (self.sps,), (PPS,), 90_000, False, self.sound)
        heard, audio = self._heard(int(seconds * 50)) if self.sound else (None, b"")
        first = self.sequence == 0
        flags = (ChunkFlag.CLOCK_SYNCED if self.is_synced else 0) | (
            ChunkFlag.FIRST if first else 0
        )
        is_sync = self.sequence % 2 == 0
        claim = Claim(
            flags=int(flags | (ChunkFlag.END if end else 0)),
            camera=self.camera,
            stream=self.stream,
            run=self.run,
            sequence=self.sequence,
            wall_start_ns=self.wall_ns,
            media_start_ticks=self.media_ticks,
            kind=SyncKind.IDR if is_sync else SyncKind.NONE,
            video_bytes=len(payload),
            video_sha256=native.sha256(payload),
            previous_sha256=self.previous,
            audio_bytes=len(audio),
            audio_sha256=native.sha256(audio),
        )
        if first:
            claim = replace(
                claim,
                predecessor_run=self.predecessor,
                gap_start_ns=self.gap[0],
                gap_reason=self.gap[1],
            )
        ticks = int(seconds * 90_000) // 10
        part = size // 10
        samples = [Sample(part, ticks, 0, is_sync and i == 0) for i in range(9)]
        samples.append(Sample(size - 9 * part, ticks, 0, False))
        head, self.previous = native.chunk_head_write(claim, samples, heard)
        self.sent.append((self.run, self.sequence, claim.video_sha256))
        self.wall_ns += int(seconds * SECOND_NS)
        made = FakeChunk(
            camera=self.camera,
            stream=self.stream,
            run=self.run,
            sequence=self.sequence,
            wall_end_ns=self.wall_ns,
            entry_sha256=native.sha256(head_bytes),
            head=head,
            segment_head=head_bytes,
            payload=[memoryview(payload)[: size // 2], memoryview(payload)[size // 2 :]],
            payload_bytes=size + len(audio),
        )
        if audio:
            made.payload.append(memoryview(audio))
        self.sequence += 1
        self.media_ticks += ticks * 10
        return made


def again(chunk: FakeChunk) -> FakeChunk:
    """The same chunk as it lies in the arena: nothing of it was patched by a keeper."""
    return replace(chunk, head=bytearray(chunk.head))


def make_disk(where: Path, size: int = SMALL_BYTES) -> disks.Identity:
    return format_disk(where, size, BOX, SEGMENT_BYTES)


@dataclass(slots=True)
class Bench:
    """A disk and its ring, without processes and sockets."""

    disk: disks.Disk
    ring: Ring
    index: Index
    found: Recovered

    @classmethod
    def open(cls, where: Path) -> Bench:
        disk = disks.open_disk(where, BOX, exclusive=True)
        try:
            return cls._open(disk)
        except BaseException:
            disk.close()
            raise

    @classmethod
    def start(cls, where: Path) -> Bench:
        """As a keeper takes the disk: what a crash left half done is done first."""
        started = start(where, BOX)
        archive = started.ring.archive
        return cls(started.ring.disk, started.ring, archive.index, started.found)

    @staticmethod
    def disk_of(where: Path) -> disks.Disk:
        """To read segments by; a context manager."""
        return disks.open_disk(where, BOX, exclusive=False)

    @classmethod
    def _open(cls, disk: disks.Disk) -> Bench:
        snapshot = read_journal(disk)
        index = Index.open(disk.index_path(), disk.identity.disk, disk.index_bytes(), writable=True)
        archive = Archive(index)
        found = recover(disk, snapshot, archive)
        return cls(disk, Ring.start(disk, snapshot, archive, found), index, found)

    def tick(self, chunks: Iterable[FakeChunk] = ()) -> tuple[Batch[FakeChunk], Finished]:
        batch = self.ring.plan((chunk, chunk) for chunk in chunks)
        outcome = batch.run()
        assert outcome.errno == 0, outcome
        return batch, self.ring.finish(batch)

    def prime(self, streams: int) -> None:
        self.ring.spares.expected_streams = streams
        for _ in range(3):
            self.tick()

    def commit(self) -> None:
        frozen = self.ring.freeze()
        self.index.commit(frozen)
        self.ring.committed(frozen)

    def crash(self) -> None:
        """What a killed process leaves: everything written, nothing finished."""
        self.ring.close()
        self.index.close()
        self.disk.close()


def opened(where: Path, run: int = 1) -> tuple[Bench, FakeStream]:
    """A ring with room for one stream, and that stream at the beginning of a run."""
    bench = Bench.open(where)
    bench.prime(1)
    stream = FakeStream(1)
    stream.begin(run)
    return bench, stream
