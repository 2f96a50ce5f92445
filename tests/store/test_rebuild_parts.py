"""A rebuild that goes on beside recording commits what it has; a crash in the middle costs time."""

from __future__ import annotations

from pathlib import Path

import pytest

from store.maker import BOX, Bench, FakeStream, make_disk
from vonggac._native import segment as native
from vonggac.store.check import check
from vonggac.store.disk import INDEX_NAME
from vonggac.store.index import DATA_NAME
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


def rows_on(where: Path) -> list[tuple[int, int]]:
    """(segment, offset) of every row, stream by stream."""
    reading = open_for_reading(where)
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
