"""A chunker with a camera that is always on time; every time is the test's."""

from __future__ import annotations

import os
from collections.abc import Sequence

from loop_rig import PPS, SPS, split_lengths
from vonggac._native import segment
from vonggac._native.arena import BLOCK_BYTES, ArenaChunk, ArenaReader, format_arena
from vonggac._native.chunker import Chunker
from vonggac.media.chunk import Claim, Codec, SyncKind

FRAME = 3600
FRAME_NS = 40_000_000
START_NS = 1_763_700_000_000_000_000
SETS = [(7, SPS), (8, PPS)]
Nals = Sequence[tuple[int, bytes]]


class Stream:
    """A chunker, its arena, and a camera that is always on time."""

    def __init__(self, *, blocks: int = 400, **start: object) -> None:
        self.memory = os.memfd_create("arena", os.MFD_CLOEXEC)
        os.ftruncate(self.memory, blocks * BLOCK_BYTES)
        format_arena(self.memory)
        self.chunker = Chunker(
            self.memory,
            Codec.H264,
            camera=b"c" * 16,
            stream=b"s" * 16,
            run=5,
            **start,  # type: ignore[arg-type]
        )
        self.reader = ArenaReader(self.memory, blocks * BLOCK_BYTES)
        self.blocks = blocks
        self.pictures = 0
        self.headers: list[int] = []

    def picture(
        self,
        nals: Nals = ((1, b"\x41picture"),),
        kind: SyncKind = SyncKind.NONE,
        *,
        at: int | None = None,
        late_ns: int = 0,
        **more: bool,
    ) -> list[int]:
        """One access unit at picture `at` (default: the next); gives the chunks it closed."""
        n = self.pictures if at is None else at
        self.pictures += 1
        arrival = START_NS + self.pictures * FRAME_NS + late_ns
        closed = self.chunker.push(nals, n * FRAME + 1000, kind, arrival, **more)
        self.headers += closed
        return closed

    def sync(self, kind: SyncKind = SyncKind.IDR, sets: Nals = SETS) -> list[int]:
        return self.picture([*sets, (5, b"\x65sync")], kind)

    def tick(self) -> list[int]:
        closed = self.chunker.tick()
        self.headers += closed
        return closed

    def end(self) -> list[int]:
        closed = self.chunker.end()
        self.headers += closed
        return closed

    def chunks(self) -> list[tuple[Claim, ArenaChunk, bytes]]:
        read = [self.reader.chunk(header) for header in self.headers]
        return [(segment.claim_read(c.head)[0], c, b"".join(c.payload)) for c in read]

    @property
    def claims(self) -> list[Claim]:
        return [claim for claim, _chunk, _payload in self.chunks()]

    @property
    def nals(self) -> list[bytes]:
        return [nal for _, _, payload in self.chunks() for nal in split_lengths(payload)]


def samples_of(chunk: ArenaChunk) -> list[tuple[int, int, int]]:
    """(duration, bytes, composition offset) from the trun."""
    head = bytes(chunk.head)
    at = head.index(b"trun") + 16
    count = int.from_bytes(head[at - 8 : at - 4])
    rows = [head[at + 16 * n : at + 16 * n + 16] for n in range(count)]
    return [
        (
            int.from_bytes(r[:4]),
            int.from_bytes(r[4:8]),
            int.from_bytes(r[12:16], signed=True),
        )
        for r in rows
    ]
