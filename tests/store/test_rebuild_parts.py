"""A rebuild that goes on beside recording commits what it has; a crash in the middle costs time."""

from __future__ import annotations

from pathlib import Path

import pytest

from store.maker import BOX, SECOND_NS, START_NS, Bench, FakeStream, make_disk
from vonggac._native import segment as native
from vonggac.media.chunk import Row
from vonggac.store import journal
from vonggac.store.batch import SealedSegment
from vonggac.store.check import check
from vonggac.store.disk import INDEX_NAME, JOURNAL_NAME, segment_path
from vonggac.store.index import DATA_NAME
from vonggac.store.journal import SegmentState
from vonggac.store.rebuild_whole import rebuild
from vonggac.store.ring import Ring
from vonggac.store.start import open_for_reading, start

FAR_NS = 1 << 62


@pytest.fixture
def without_index(tmp_path: Path) -> tuple[Path, list[tuple[int, int]]]:
    """A disk with two streams in four sealed and two open segments, and no index."""
    where = tmp_path / "disk"
    make_disk(where)
    bench = Bench.open(where)
    bench.prime(2)
    streams = [FakeStream(1), FakeStream(2)]
    for stream in streams:
        stream.begin(1)
    for _ in range(13):
        bench.tick([stream.chunk(3_000_000) for stream in streams])
    bench.commit()
    bench.crash()
    held = rows_on(where)
    assert len(held) == 26
    (where / INDEX_NAME / DATA_NAME).unlink()
    return where, held


def rows_on(where: Path, *, is_salvage: bool = False) -> list[tuple[int, int]]:
    """(segment, offset) of every row, stream by stream."""
    reading = open_for_reading(where, is_salvage=is_salvage)
    found = [
        (packed.segment, packed.row.offset)
        for stream, _ in reading.archive.streams()
        for value in reading.archive.packed_minutes(stream, 0, FAR_NS)
        for packed in native.rows_unpack(value)
    ]
    reading.close()
    return found


def tick(ring: Ring) -> None:
    """What makes the journal say how things stand."""
    batch = ring.plan(())
    assert batch.run().errno == 0
    ring.finish(batch)


def close(ring: Ring) -> None:
    ring.close()
    ring.archive.index.close()
    ring.disk.close()


def commit_part(ring: Ring) -> None:
    frozen = ring.freeze_part()
    assert frozen.changes
    ring.archive.index.commit(frozen)
    ring.part_committed()


def test_a_crash_between_parts_has_the_index_made_again(
    without_index: tuple[Path, list[tuple[int, int]]],
) -> None:
    where, held = without_index
    for steps in (1, 3):
        started = start(where, BOX)
        assert started.rebuild is not None
        tick(started.ring)
        for _ in range(steps):
            assert started.rebuild.step()
            commit_part(started.ring)
        tick(started.ring)
        close(started.ring)  # as a crash leaves it
        assert "older than the journal" in next(p.what for p in check(where).problems)
        assert rows_on(where) == held


def test_parts_and_the_last_commit_make_a_whole_index(
    without_index: tuple[Path, list[tuple[int, int]]],
) -> None:
    where, held = without_index
    started = start(where, BOX)
    assert started.rebuild is not None
    tick(started.ring)
    while started.rebuild.step():
        commit_part(started.ring)
    ring = started.ring
    ring.rebuilt()
    frozen = ring.freeze()
    ring.archive.index.commit(frozen)
    ring.committed(frozen)
    tick(ring)
    close(ring)
    assert check(where, is_deep=True).problems == []
    assert rows_on(where) == held
    again = start(where, BOX)
    assert again.rebuild is None
    close(again.ring)


def test_an_index_that_cannot_be_written_is_not_committed_again(
    without_index: tuple[Path, list[tuple[int, int]]],
) -> None:
    where, held = without_index
    started = start(where, BOX)
    assert started.rebuild is not None
    ring = started.ring
    tick(ring)
    started.rebuild.step()
    ring.freeze_part()  # and its commit fails
    ring.commit_failed()
    while started.rebuild.step():
        pass
    ring.rebuilt()
    assert not ring.can_commit
    assert ring.spares.may_reuse_sealed
    tick(ring)
    close(ring)
    assert rows_on(where) == held


def seal_in_one_tick(where: Path) -> tuple[int, Row]:
    """Records until a segment is sealed, and ends with that tick: its number, and its last chunk,
    which is of the same tick.
    """
    bench = Bench.start(where)
    bench.prime(1)
    stream = FakeStream(3, wall_ns=START_NS + 100 * SECOND_NS)
    stream.begin(2)
    sealed: list[SealedSegment] = []
    while not sealed:
        batch, _ = bench.tick([stream.chunk(2_900_000) for _ in range(2)])
        assert not batch.waiting
        sealed = batch.sealed
    segment = sealed[0].segment
    last = segment.rows()[-1]
    assert (last.run, last.sequence) in {(p.claim.run, p.claim.sequence) for p in batch.placed}
    bench.crash()
    return segment.number, last


def tear_seal(where: Path, number: int, last: Row, what: str) -> None:
    """The table has reached the disk; the `free` before it has not, the last chunk neither, or a
    part of its payload.
    """
    end = last.offset + last.chunk_bytes
    start, size = {
        "free": (end, 8),
        "chunk": (last.offset, last.chunk_bytes + 8),
        "payload": (last.offset + 8192, 4096),
    }[what]
    with segment_path(where, number).open("r+b") as file:
        file.seek(start)
        file.write(bytes(size))


@pytest.mark.parametrize(
    ("torn", "has_journal"),
    [("free", True), ("chunk", True), ("payload", True), ("free", False), ("chunk", False)],
)
def test_a_rebuild_of_a_whole_disk_takes_no_torn_seal_for_whole(
    tmp_path: Path, torn: str, has_journal: bool
) -> None:
    where = tmp_path / "disk"
    make_disk(where)
    number, last = seal_in_one_tick(where)
    tear_seal(where, number, last, torn)
    if not has_journal:
        (where / JOURNAL_NAME).write_bytes(bytes(journal.FILE_BYTES))
        seen = (number, last.offset) in rows_on(where, is_salvage=True)
        assert seen == (torn != "chunk"), "nor does who reads it as it is"
    rebuild(where, BOX)
    assert check(where, is_deep=True).problems == []
    bench = Bench.start(where)
    bench.tick()
    row = bench.ring.archive.segment(number)
    assert row is not None and row.state is SegmentState.SEALED
    bench.crash()
    assert check(where, is_deep=True).problems == []
    assert ((number, last.offset) in rows_on(where)) == (torn != "chunk")


@pytest.mark.parametrize("torn", ["free", "chunk", "payload"])
def test_a_seal_that_was_torn_while_there_was_no_index_is_made_again(
    without_index: tuple[Path, list[tuple[int, int]]], torn: str
) -> None:
    where, _ = without_index
    number, last = seal_in_one_tick(where)
    tear_seal(where, number, last, torn)
    assert [p for p in check(where, is_deep=True).problems if p.segment == number] == []
    started = start(where, BOX)
    assert started.rebuild is not None
    while started.rebuild.step():
        pass
    ring = started.ring
    ring.rebuilt()
    tick(ring)
    frozen = ring.freeze()
    ring.archive.index.commit(frozen)
    ring.committed(frozen)
    tick(ring)
    row = ring.archive.segment(number)
    assert row is not None and row.state is SegmentState.SEALED
    close(ring)
    assert [p for p in check(where, is_deep=True).problems if p.segment == number] == []
    assert ((number, last.offset) in rows_on(where)) == (torn != "chunk")
