"""Whether what was read of a segment is still what it was: asked of its own bytes."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from vonggac._native import ring
from vonggac._native import segment as native
from vonggac.media.chunk import ChunkFlag, Claim, Sample, SyncKind
from vonggac.store.segment import Life, SegmentFile
from vonggac.store.standing import stands

DISK = bytes(range(16))
SIZE = 64 << 10
PAYLOAD = b"picture" * 1000


def chunk(epoch: int, offset: int, flags: int = ChunkFlag.FIRST) -> bytes:
    """A chunk of one picture in segment 7."""
    claim = Claim(
        flags=flags, camera=bytes(16), stream=bytes(16), run=1, sequence=0, wall_start_ns=0,
        media_start_ticks=0, kind=SyncKind.IDR, video_bytes=len(PAYLOAD),
        video_sha256=hashlib.sha256(PAYLOAD).digest(), previous_sha256=bytes(32),
    )  # fmt: skip
    head, _ = native.chunk_head_write(claim, [Sample(len(PAYLOAD), 3600, 0, True)])
    native.chunk_place(head, 0, 1, DISK, 7, epoch, offset)
    return bytes(head) + PAYLOAD


@pytest.fixture
def file(tmp_path: Path) -> Iterator[SegmentFile]:
    path = tmp_path / "00000007.mp4"
    path.write_bytes(bytes(SIZE))
    fd = os.open(path, os.O_RDWR)
    yield SegmentFile(fd, SIZE)
    os.close(fd)


@pytest.mark.parametrize("flags", [ChunkFlag.FIRST, 0], ids=["a run's first", "a later one"])
def test_a_chunk_stands_until_its_segment_is_emptied(file: SegmentFile, flags: int) -> None:
    os.pwrite(file.fd, chunk(epoch=5, offset=8192, flags=flags), 8192)
    view = file.chunk_of(Life(DISK, 7, 5), 8192)
    assert view is not None and stands(file, view)
    assert ring.zero(file.fd, SIZE) == 0
    assert not stands(file, view)


def test_a_chunk_whose_payload_is_being_erased_stands_no_more(file: SegmentFile) -> None:
    os.pwrite(file.fd, chunk(epoch=5, offset=8192), 8192)
    view = file.chunk_of(Life(DISK, 7, 5), 8192)
    assert view is not None
    os.pwrite(file.fd, bytes(4), 8192 + view.payload_offset)
    assert not stands(file, view)


@pytest.mark.parametrize("offset", [8192, 4096, 12288])
def test_a_chunk_of_a_later_life_is_not_the_one_that_stood_there(
    file: SegmentFile, offset: int
) -> None:
    """Wherever it lies: at the same place, or over it."""
    os.pwrite(file.fd, chunk(epoch=5, offset=8192), 8192)
    view = file.chunk_of(Life(DISK, 7, 5), 8192)
    assert view is not None
    assert ring.zero(file.fd, SIZE) == 0
    os.pwrite(file.fd, chunk(epoch=6, offset=offset), offset)
    assert not stands(file, view)
