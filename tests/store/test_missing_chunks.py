"""A keeper that ended in a tick left some of its chunks whole and others not: what loops still
have, and hand over again, is written where it is missing and nowhere else.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from store.maker import SECOND_NS, START_NS, Bench, FakeChunk, FakeStream, again, make_disk, opened
from vonggac._native import segment as native
from vonggac.media.chunk import ChunkFlag
from vonggac.playback.once import once
from vonggac.store.check import check
from vonggac.store.disk import segment_path
from vonggac.store.timeline import Tail, timeline

DURABLE, IN_TICK = 4, 5
LONG = 20


def lose_whole(where: Path, number: int, offset: int, size: int) -> None:
    with segment_path(where, number).open("r+b") as file:
        file.seek(offset)
        file.write(bytes(size))


def lose_payload(where: Path, number: int, offset: int, size: int) -> None:
    lose_whole(where, number, offset + size - 8192, 4096)


def torn(
    where: Path, lose: Callable[[Path, int, int, int], None], lost: set[int]
) -> tuple[FakeStream, list[FakeChunk]]:
    """A disk whose last tick lost some chunks; gives those of that tick, as the arena has them."""
    make_disk(where)
    bench, stream = opened(where)
    for _ in range(DURABLE):
        bench.tick([stream.chunk()])
    bench.commit()
    waiting = [stream.chunk() for _ in range(IN_TICK)]
    kept = [again(chunk) for chunk in waiting]
    batch = bench.ring.plan((chunk, chunk) for chunk in waiting)
    assert batch.run().errno == 0
    places = [(placed.segment, placed.row) for placed in batch.placed]
    bench.crash()
    for number, row in places:
        if row.sequence in lost:
            lose(where, number, row.offset, row.chunk_bytes)
    return stream, kept


@pytest.mark.parametrize("lose", [lose_whole, lose_payload])
@pytest.mark.parametrize("lost", [{4}, {6}, {4, 5}, {5, 7}, {8}, {4, 5, 6, 7, 8}])
def test_what_was_not_acknowledged_is_written_again_where_it_is_missing(
    tmp_path: Path, lose: Callable[[Path, int, int, int], None], lost: set[int]
) -> None:
    where = tmp_path / "disk"
    _, waiting = torn(where, lose, lost)
    bench = Bench.start(where)
    written: set[int] = set()
    left = waiting
    for _ in range(6):  # until spares stand ready
        batch, _ = bench.tick(left)
        written |= {chunk.sequence for chunk in batch.durable}
        left = list(batch.waiting)
    batch, _ = bench.tick([again(chunk) for chunk in waiting])
    assert not batch.durable, "all are known now"
    archive, to_ns = bench.ring.archive, START_NS + 3600 * SECOND_NS
    packed = list(archive.packed_minutes(waiting[0].stream, START_NS, to_ns))
    runs = archive.runs(waiting[0].stream, START_NS, to_ns)
    end_ns = waiting[-1].wall_end_ns
    line = timeline(packed, runs, START_NS, end_ns, Tail(end_ns, end_ns))
    bench.commit()
    rows = _whole_rows(bench, waiting[0].stream)
    bench.crash()

    assert not left
    assert written == lost
    assert rows == set(range(DURABLE + IN_TICK))
    assert not line.gaps, line
    assert check(where, is_deep=True).problems == []
    with_table = Bench.start(where)
    assert _whole_rows(with_table, waiting[0].stream) == rows
    with_table.crash()


def _whole_rows(bench: Bench, stream: bytes) -> set[int]:
    archive = bench.ring.archive
    return {
        row.sequence
        for number, segment in archive.segments()
        if segment.stream == stream
        for row in archive.rows_of_segment(number, segment)
        if not row.flags & ChunkFlag.BROKEN
    }


@pytest.mark.parametrize("lose", [lose_whole, lose_payload])
@pytest.mark.parametrize("lost", [{4}, {5, 7}, {8}])
def test_a_torn_chunk_that_was_written_again_is_no_fault_and_stands_once(
    tmp_path: Path, lose: Callable[[Path, int, int, int], None], lost: set[int]
) -> None:
    """However long its run went on since: a keeper that was killed as it wrote left the first."""
    where = tmp_path / "disk"
    stream, waiting = torn(where, lose, lost)
    bench, left = Bench.start(where), waiting
    while left:  # until spares stand ready
        batch, _ = bench.tick(left)
        left = list(batch.waiting)
    for _ in range(LONG):
        bench.tick([stream.chunk()])
    bench.commit()
    values = list(bench.ring.archive.packed_minutes(waiting[0].stream, 0, 1 << 62))
    bench.crash()

    (shown,) = once([values], 0, 1 << 62)
    rows = [one.row for value in shown for one in native.rows_unpack(value)]
    assert sorted(row.sequence for row in rows) == list(range(DURABLE + IN_TICK + LONG))
    assert not [row for row in rows if row.flags & ChunkFlag.BROKEN]
    assert check(where).problems == []
    assert check(where, is_deep=True).problems == []
