"""Footage that plays, on a disk of its own, and a keeper over it: what a player is tested with.

Chunks are made of encoded pictures as a loop makes them and written by the ring's own code; time is
the test's. Filler lets a segment run full within seconds.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from segment_maker import Stream as Encoded
from segment_maker import Unit
from store.maker import BOX, SMALL_BYTES, Bench, FakeChunk
from vonggac._native import segment as native
from vonggac.media.chunk import ChunkFlag, Claim, Codec, Sample, SyncKind
from vonggac.media.sound import Sound, SoundSamples
from vonggac.registry.camera import Camera, OwnerKind, Stream
from vonggac.registry.catalog import Catalog, DiskRow
from vonggac.store.formatting import format_disk

SEGMENT_BYTES = 16 << 20
TICKS_PER_SECOND = 90_000
CAMERA = bytes(range(16))
MAIN, SUB = b"m" * 16, b"s" * 16
CAMERA_ROW = Camera(
    id=CAMERA,
    code="cam1",
    streams=(Stream(MAIN, "main", "rtsp://127.0.0.1/1"), Stream(SUB, "sub", "rtsp://127.0.0.1/2")),
    created_ns=1,
    owner_kind=OwnerKind.STATE,
)


HEARD = bytes(range(64, 224))
"""20 ms of sound, which stand in no picture."""


@dataclass(slots=True)
class Run:
    """Chunks of one run, made of an encoded clip that is repeated."""

    encoded: Encoded
    start_ns: int
    run: int = 1
    stream: bytes = MAIN
    filler_bytes: int = 0
    """Behind each picture, so that segments fill."""
    inband: bool = False
    flags: int = 0
    """Of every chunk, besides the usual ones."""
    sound: Sound | None = None
    """G.711, in every chunk."""

    def chunks(self, seconds: float, sync_s: float = 0.0) -> list[FakeChunk]:
        """So many seconds. `sync_s`: pictures between two sync samples of the clip count as such
        only after so long, as a camera with long GOPs does it.
        """
        sets = self.encoded
        head = native.head_write(
            sets.codec, sets.vps, sets.sps, sets.pps, 90_000, self.inband, self.sound
        )
        entry = native.sha256(head)
        presentation = sorted(unit.presentation_ticks for unit in sets.units)
        length = presentation[-1] + presentation[1] - presentation[0]
        made: list[FakeChunk] = []
        previous = bytes(32)
        pending: list[tuple[Unit, int, int]] = []
        number, last_sync = 0, -(10**12)
        wanted = int(seconds * TICKS_PER_SECOND)
        while True:
            again, index = divmod(number, len(sets.units))
            unit = sets.units[index]
            decode = again * length + presentation[index]
            is_sync = unit.is_sync and decode - last_sync >= sync_s * TICKS_PER_SECOND
            is_over = decode >= wanted and (is_sync or sync_s > 0)
            begins = pending and (
                is_sync
                or is_over
                or decode // TICKS_PER_SECOND != pending[0][1] // TICKS_PER_SECOND
            )
            if begins:
                chunk, previous = self._chunk(pending, decode, len(made), previous, head, entry)
                made.append(chunk)
                pending = []
            if is_over:
                return made
            if is_sync:
                last_sync = decode
            shown = again * length + unit.presentation_ticks
            pending.append((replace(unit, is_sync=is_sync), decode, shown))
            number += 1

    def _chunk(
        self,
        units: Sequence[tuple[Unit, int, int]],
        end: int,
        sequence: int,
        previous: bytes,
        head: bytes,
        entry: bytes,
    ) -> tuple[FakeChunk, bytes]:
        payloads = [self._sample(unit) for unit, _, _ in units]
        ends = [decode for _, decode, _ in units[1:]] + [end]
        samples = [
            Sample(len(payload), until - decode, shown - decode, unit.is_sync)
            for (unit, decode, shown), payload, until in zip(units, payloads, ends, strict=True)
        ]
        payload = b"".join(payloads)
        flags = ChunkFlag.CLOCK_SYNCED | (ChunkFlag.FIRST if sequence == 0 else 0) | self.flags
        flags |= ChunkFlag.INBAND if self.inband else ChunkFlag.SETS_DROPPED
        claim = Claim(
            flags=int(flags),
            camera=CAMERA,
            stream=self.stream,
            run=self.run,
            sequence=sequence,
            wall_start_ns=self.start_ns + units[0][1] * 100_000 // 9,
            media_start_ticks=units[0][1],
            kind=SyncKind.IDR if units[0][0].is_sync else SyncKind.NONE,
            video_bytes=len(payload),
            video_sha256=hashlib.sha256(payload).digest(),
            previous_sha256=previous,
        )
        heard: SoundSamples | None = None
        if self.sound is not None:
            heard = SoundSamples(0, ((160, 1800),) * ((end - units[0][1]) // 1800))
            audio = bytes(8) + HEARD * len(heard.samples)
            payloads.append(audio)
            digest = hashlib.sha256(audio).digest()
            claim = replace(claim, audio_bytes=len(audio), audio_sha256=digest)
        chunk_head, own = native.chunk_head_write(claim, samples, heard)
        payload = b"".join(payloads)
        made = FakeChunk(
            camera=CAMERA,
            stream=self.stream,
            run=self.run,
            sequence=sequence,
            wall_end_ns=self.start_ns + end * 100_000 // 9,
            entry_sha256=entry,
            head=chunk_head,
            segment_head=head,
            payload=[memoryview(payload)],
            payload_bytes=len(payload),
        )
        return made, own

    def _sample(self, unit: Unit) -> bytes:
        if self.encoded.codec is Codec.MJPEG:
            return b"".join(unit.nals)
        sets = {*self.encoded.vps, *self.encoded.sps, *self.encoded.pps}
        nals = [nal for nal in unit.nals if self.inband or nal not in sets]
        if self.filler_bytes:
            header = b"\x0c" if self.encoded.codec is Codec.H264 else b"\x4c\x01"
            nals.append(header + b"\xff" * self.filler_bytes + b"\x80")
        return b"".join(len(nal).to_bytes(4, "big") + nal for nal in nals)


def make_home(home: Path, *camera: Camera) -> None:
    """A catalog with a camera."""
    with Catalog(home) as catalog:
        for row in camera or (CAMERA_ROW,):
            catalog.add_camera(row)


def make_disk(home: Path, name: str = "disk", size: int = SMALL_BYTES) -> Path:
    """A disk that is enrolled; its segments are small."""
    path = home / name
    identity = format_disk(path, size, BOX, SEGMENT_BYTES)
    with Catalog(home) as catalog:
        row = DiskRow(identity.disk, str(path), identity.segments, SEGMENT_BYTES, 1)
        catalog.enrol_disk(replace_enrolled(row, len(catalog.disks())))
    return path


def replace_enrolled(row: DiskRow, number: int) -> DiskRow:
    """In the order of making."""
    return DiskRow(row.uuid, row.path, row.segments, row.segment_bytes, number + 1)


def write(disk: Path, *runs: list[FakeChunk]) -> None:
    """Makes chunks durable on a disk that no keeper has."""
    bench = Bench.open(disk)
    try:
        bench.prime(1)
        for chunks in runs:
            for chunk in chunks:
                waiting = [chunk]
                while waiting:
                    batch, _ = bench.tick(waiting)
                    assert not batch.refused
                    waiting = list(batch.waiting)
        bench.commit()
    finally:
        bench.crash()
