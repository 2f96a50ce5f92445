"""Footage of the past for benches: the ring's own code writes it, only the clock is told otherwise.

A stopped box's disk gets a clip, repeated, as a stream recorded from `start_ns` on: real segments,
real rows, real sums. Faster than a day takes.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from vonggac._native import segment as native
from vonggac.media.chunk import ChunkFlag, Claim, Sample, SyncKind
from vonggac.registry.catalog import Catalog
from vonggac.rtsp.annexb import nal_type
from vonggac.store import disk as disks
from vonggac.store.archive import Archive
from vonggac.store.index import Index
from vonggac.store.recovery import recover
from vonggac.store.ring import Ring
from vonggac.store.start import read_journal
from vonggac_appliance.camera_clip import Clip

TICKS_A_SECOND = 90_000
_A_TICK = 256
_TICKS_A_COMMIT = 16


@dataclass(frozen=True, slots=True)
class Chunk:
    """What a loop hands to a keeper."""

    camera: bytes
    stream: bytes
    run: int
    sequence: int
    wall_end_ns: int
    entry_sha256: bytes
    head: bytearray
    segment_head: bytes
    payload: Sequence[memoryview]
    payload_bytes: int


@dataclass(frozen=True, slots=True)
class Part:
    """A second of the clip at most: what becomes one chunk."""

    samples: tuple[Sample, ...]
    payload: bytes
    sha256: bytes
    is_sync: bool
    ticks: int


def parts_of(clip: Clip) -> list[Part]:
    """Cut as a loop cuts: before sync samples, and at every second."""
    sets = {*clip.vps, *clip.sps, *clip.pps}
    parts: list[Part] = []
    units: list[tuple[bytes, bool]] = []

    def close() -> None:
        payload = b"".join(data for data, _ in units)
        samples = tuple(Sample(len(data), clip.frame_ticks, 0, sync) for data, sync in units)
        ticks = len(units) * clip.frame_ticks
        parts.append(Part(samples, payload, native.sha256(payload), units[0][1], ticks))
        units.clear()

    for unit in clip.units:
        is_sync = any(nal_type(clip.codec, nal) == 5 for nal in unit)
        if units and (is_sync or len(units) * clip.frame_ticks >= TICKS_A_SECOND):
            close()
        kept = [nal for nal in unit if nal not in sets]
        units.append((b"".join(len(nal).to_bytes(4, "big") + nal for nal in kept), is_sync))
    close()
    return parts


def chunks_of(
    clip: Clip, camera: bytes, stream: bytes, start_ns: int, seconds: float
) -> Iterator[Chunk]:
    """One run of `seconds` that begins at `start_ns`."""
    segment_head = native.head_write(clip.codec, clip.vps, clip.sps, clip.pps, 90_000, False)
    entry = native.sha256(segment_head)
    run, ticks, previous = start_ns // 1000, 0, bytes(32)
    for sequence, part in enumerate(itertools.cycle(parts_of(clip))):
        if ticks >= seconds * TICKS_A_SECOND and part.is_sync:
            return
        claim = Claim(
            flags=int(
                ChunkFlag.CLOCK_SYNCED
                | ChunkFlag.SETS_DROPPED
                | (ChunkFlag.FIRST if sequence == 0 else 0)
            ),
            camera=camera,
            stream=stream,
            run=run,
            sequence=sequence,
            wall_start_ns=start_ns + ticks * 100_000 // 9,
            media_start_ticks=ticks,
            kind=SyncKind.IDR if part.is_sync else SyncKind.NONE,
            video_bytes=len(part.payload),
            video_sha256=part.sha256,
            previous_sha256=previous,
        )
        head, previous = native.chunk_head_write(claim, part.samples)
        ticks += part.ticks
        yield Chunk(
            camera,
            stream,
            run,
            sequence,
            start_ns + ticks * 100_000 // 9,
            entry,
            head,
            segment_head,
            [memoryview(part.payload)],
            len(part.payload),
        )


def write_footage(
    home: Path, code: str, name: str, clip: Clip, start_ns: int, seconds: float
) -> int:
    """Records `clip` as `code`'s stream `name` on the first disk of a box that does not run; gives
    the number of fragments.
    """
    with Catalog(home, is_readonly=True) as catalog:
        camera = catalog.camera(code)
        place = Path(catalog.disks()[0].path)
        box = catalog.box_id
    assert camera is not None
    stream = camera.stream(name)
    assert stream is not None
    disk = disks.open_disk(place, box, exclusive=True)
    snapshot = read_journal(disk)
    index = Index.open(disk.index_path(), disk.identity.disk, disk.index_bytes(), writable=True)
    archive = Archive(index)
    found = recover(disk, snapshot, archive)
    ring = Ring.start(disk, snapshot, archive, found)
    try:
        return _write(ring, index, chunks_of(clip, camera.id, stream.id, start_ns, seconds))
    finally:
        ring.close()
        index.close()
        disk.close()


def _write(ring: Ring, index: Index, chunks: Iterator[Chunk]) -> int:
    ring.spares.expected_streams = 1
    waiting: list[Chunk] = []
    fragments = ticks = 0

    def commit() -> None:
        frozen = ring.freeze()
        index.commit(frozen)
        ring.committed(frozen)

    while True:
        new = list(itertools.islice(chunks, _A_TICK - len(waiting)))
        fragments += sum(native.claim_read(c.head)[0].kind != SyncKind.NONE for c in new)
        due = [*waiting, *new]
        batch = ring.plan((chunk, chunk) for chunk in due)
        outcome = batch.run()
        if outcome.errno or batch.refused:
            raise RuntimeError(f"footage could not be written: {outcome}, {batch.refused}")
        waiting = list(batch.waiting)
        ring.finish(batch)
        ticks += 1
        if ticks % _TICKS_A_COMMIT == 0 or not due:
            commit()
        if not due:
            return fragments
