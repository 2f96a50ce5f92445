"""What a ring leaves in memory: the newest of what was written, and not all of it."""

from __future__ import annotations

import ctypes
import mmap
import os
from pathlib import Path

import pytest

from store.maker import Bench, FakeStream, opened
from vonggac.store.warm_pages import WarmPages

MIB = 1 << 20
CHUNK_BYTES = MIB // 2


def cached_bytes(path: Path) -> int:
    """Of a file, by mincore(2)."""
    libc = ctypes.CDLL(None, use_errno=True)
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY) as mapped:
        pages = (ctypes.c_ubyte * (len(mapped) // mmap.PAGESIZE))()
        first = ctypes.c_char.from_buffer(mapped)
        told = libc.mincore(ctypes.c_void_p(ctypes.addressof(first)), len(mapped), pages)
        del first  # a map that is pointed into cannot be closed
        assert told == 0, os.strerror(ctypes.get_errno())
    return sum(page & 1 for page in pages) * mmap.PAGESIZE


@pytest.fixture
def ring(where: Path) -> tuple[Bench, FakeStream, Path]:
    """Of one stream that keeps 1 MiB warm, and the segment it writes to."""
    bench, stream = opened(where)
    bench.ring.warm.limit_bytes = MIB
    bench.tick([stream.chunk(CHUNK_BYTES)])
    (number,) = bench.ring.open
    segment = bench.disk.segment_path(number)
    fd = os.open(segment, os.O_RDONLY)
    WarmPages().close(fd)
    if cached_bytes(segment):
        pytest.skip("this file system keeps pages that it is told to drop (tmpfs does)")
    return bench, stream, segment


def test_only_the_newest_stays_in_memory(ring: tuple[Bench, FakeStream, Path]) -> None:
    bench, stream, segment = ring
    for _ in range(8):
        bench.tick([stream.chunk(CHUNK_BYTES)])
        assert CHUNK_BYTES <= cached_bytes(segment) <= MIB + CHUNK_BYTES // 4
    bench.crash()


def test_a_sealed_segment_leaves_memory(ring: tuple[Bench, FakeStream, Path]) -> None:
    bench, stream, segment = ring
    sealed: list[object] = []
    while not sealed:
        sealed += bench.tick([stream.chunk(CHUNK_BYTES)])[1].sealed
    assert cached_bytes(segment) == 0
    bench.crash()
