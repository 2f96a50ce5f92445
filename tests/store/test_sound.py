"""A ring with sound in its chunks: recovered, rebuilt, checked and cut as any other."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from sound_maker import PCMA
from store.maker import Bench, FakeStream, opened
from vonggac._native import segment as native
from vonggac.media.chunk import ChunkView, PackedRow
from vonggac.media.sound import has_sound
from vonggac.playback import cut as cuts
from vonggac.store.check import check
from vonggac.store.disk import INDEX_NAME, segment_path
from vonggac.store.index import DATA_NAME
from vonggac.store.rebuild_whole import rebuild
from vonggac.store.segment import Life, SegmentFile
from vonggac.store.start import open_for_reading

FAR_NS = 1 << 62


def with_sound(where: Path) -> tuple[Bench, FakeStream]:
    bench, stream = opened(where)
    stream.sound = PCMA
    return bench, stream


def rows_on(where: Path) -> list[PackedRow]:
    reading = open_for_reading(where)
    found = [
        packed
        for stream, _ in reading.archive.streams()
        for value in reading.archive.packed_minutes(stream, 0, FAR_NS)
        for packed in native.rows_unpack(value)
    ]
    reading.close()
    return sorted(found, key=lambda packed: (packed.row.run, packed.row.sequence))


class Files:
    """The segments of a disk, read as a cut reads them."""

    def __init__(self, where: Path) -> None:
        self.where = where
        with Bench.disk_of(where) as disk:
            self.disk = disk.identity.disk
            self.size = disk.identity.segment_bytes

    def head(self, row: PackedRow) -> bytes:
        fd = os.open(segment_path(self.where, row.segment), os.O_RDONLY)
        try:
            return SegmentFile(fd, self.size).head() or b""
        finally:
            os.close(fd)

    def chunk(self, row: PackedRow) -> bytes:
        with segment_path(self.where, row.segment).open("rb") as file:
            file.seek(row.row.offset)
            return file.read(row.row.chunk_bytes)

    def view(self, row: PackedRow) -> ChunkView:
        fd = os.open(segment_path(self.where, row.segment), os.O_RDONLY)
        try:
            life = Life(self.disk, row.segment, row.epoch)
            view = SegmentFile(fd, self.size).chunk_of(life, row.row.offset)
        finally:
            os.close(fd)
        assert view is not None
        return view


def filled(where: Path, chunks: int) -> FakeStream:
    """A disk that a crash left with so many chunks, the last ones not in the index."""
    bench, stream = with_sound(where)
    for n in range(chunks):
        bench.tick([stream.chunk(60_000)])
        if n == chunks // 2:
            bench.commit()
    bench.crash()
    return stream


def test_chunks_with_sound_are_found_again_after_a_crash_and_gone_on_with(small: Path) -> None:
    stream = filled(small, 7)
    bench = Bench.open(small)
    bench.tick([stream.chunk(60_000)])
    bench.commit()
    bench.crash()
    rows = rows_on(small)
    assert [row.row.sequence for row in rows] == list(range(8))
    assert check(small, is_deep=True).problems == []
    files = Files(small)
    for row in rows:
        view = files.view(row)
        assert view.sound_start_ticks == -1800
        assert view.claim.audio_bytes == 8 + 50 * 160
        assert view.decode_time_ticks >= 90_000  # so that what is heard before it has a place


def test_decode_times_of_a_resumed_segment_go_on_where_they_were(small: Path) -> None:
    stream = filled(small, 2)
    bench = Bench.open(small)
    stream.begin(2, stream.wall_ns + 10_000_000_000)
    bench.tick([stream.chunk(60_000)])
    bench.commit()
    bench.crash()
    rows = rows_on(small)
    assert len({row.segment for row in rows}) == 1
    times = [Files(small).view(row).decode_time_ticks for row in rows]
    assert times == [90_000, 180_000, 90_000 * 13]


def test_an_index_is_rebuilt_from_segments_with_sound(small: Path) -> None:
    filled(small, 9)
    before = rows_on(small)
    (small / INDEX_NAME / DATA_NAME).unlink()
    rebuild(small)
    assert [row.row for row in rows_on(small)] == [row.row for row in before]
    assert check(small, is_deep=True).problems == []


@pytest.mark.parametrize("what", ["sound", "start", "time"])
def test_sound_that_was_changed_is_found(small: Path, what: str) -> None:
    """Of the hashes, the start in front of the sound keeps its time from being forged."""
    filled(small, 3)
    row = rows_on(small)[1]
    files = Files(small)
    chunk = bytearray(files.chunk(row))
    view = files.view(row)
    at = view.payload_offset + view.claim.video_bytes
    if what == "time":
        tfdt = bytes(chunk).rindex(b"tfdt", 0, view.payload_offset) + 8
        chunk[tfdt : tfdt + 8] = (view.decode_time_ticks + 9000).to_bytes(8)
        head = chunk[: view.payload_offset]
        place = view.place
        native.chunk_place(
            head, view.decode_time_ticks, 2, place.disk, place.segment, place.epoch, place.offset
        )  # with a CRC that is right
        chunk[: view.payload_offset] = head
    else:
        chunk[at + (7 if what == "start" else 100)] ^= 1
    with segment_path(small, row.segment).open("r+b") as file:
        file.seek(row.row.offset)
        file.write(chunk)
    (problem,) = check(small, is_deep=True).problems
    assert problem.offset == row.row.offset
    made = list(cuts.pieces(rows_on(small), files.head, files.chunk))
    assert [piece.is_broken for piece in made[1:]] == [False, True, False]


def test_a_cut_has_the_sound_as_it_was_recorded(small: Path) -> None:
    stream = filled(small, 12)
    rows = rows_on(small)
    assert len({row.segment for row in rows}) > 1
    files = Files(small)
    made = list(cuts.pieces(rows, files.head, files.chunk))
    assert [piece.begins_file for piece in made] == [True] + [False] * 12
    assert has_sound(made[0].data)
    assert not any(piece.is_broken for piece in made)
    views = [native.chunk_parse(piece.data) for piece in made[1:]]
    for row, piece, view in zip(rows, made[1:], views, strict=True):
        assert view is not None
        assert piece.data[view.payload_offset :] == files.chunk(row)[view.payload_offset :]
        assert view.claim_sha256 == files.view(row).claim_sha256
        assert view.sound_start_ticks == -1800
    assert [view.decode_time_ticks for view in views if view] == [90_000 * n for n in range(1, 13)]
    assert stream.sequence == 12
