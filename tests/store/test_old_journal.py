"""The newer half of the journal is rotten, and the index is lost as well: what was erased meanwhile
stays erased, though the older half knows nothing of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from store.maker import BOX, opened
from vonggac._native import segment as native
from vonggac.media.chunk import Row
from vonggac.store import journal
from vonggac.store.check import check
from vonggac.store.disk import INDEX_NAME, JOURNAL_NAME
from vonggac.store.index import DATA_NAME
from vonggac.store.journal import SegmentState
from vonggac.store.start import open_for_reading, start
from vonggac.store.tombstone import Rule

FAR_NS = 1 << 62


@dataclass(frozen=True)
class Old:
    """A disk whose journal is of the moment when a segment was sealed, and has no index."""

    where: Path
    number: int
    rows: list[Row]
    """That segment's, as they were then."""
    erased: list[Row]


@pytest.fixture(params=[slice(2, 5), slice(None)], ids=["some", "all"])
def old(where: Path, request: pytest.FixtureRequest) -> Old:
    bench, stream = opened(where)
    sealed = []
    while not sealed:
        batch, _ = bench.tick([stream.chunk(1_000_000)])
        sealed = batch.sealed
    segment = sealed[0].segment
    before = bench.ring.snapshot()
    states = {entry.number: entry.state for entry in before.segments}
    assert states[segment.number] is SegmentState.SEALED
    rows = segment.rows()
    bench.commit()
    bench.tick()
    erased = rows[request.param]
    bench.ring.eraser.wish(segment.number, segment.epoch, erased, Rule("expired", 3, "class"))
    for _ in range(3):
        bench.tick()
    bench.commit()
    bench.tick()
    bench.crash()
    offset, data = journal.encode(before)
    with (where / JOURNAL_NAME).open("r+b") as file:
        file.write(b"\xff" * journal.FILE_BYTES)
        file.seek(offset)
        file.write(data)
    (where / INDEX_NAME / DATA_NAME).unlink()
    return Old(where, segment.number, rows, erased)


def offsets(old: Old) -> list[int]:
    """Of the rows in the segment that are told of."""
    reading = open_for_reading(old.where)
    found = [
        packed.row.offset
        for stream, _ in reading.archive.streams()
        for value in reading.archive.packed_minutes(stream, 0, FAR_NS)
        for packed in native.rows_unpack(value)
        if packed.segment == old.number
    ]
    reading.close()
    return found


def left(old: Old) -> list[int]:
    return [row.offset for row in old.rows if row not in old.erased]


def test_who_reads_the_disk_is_told_of_nothing_that_was_erased(old: Old) -> None:
    assert offsets(old) == left(old)


def test_a_recorder_goes_on_without_it(old: Old) -> None:
    started = start(old.where, BOX)
    ring = started.ring
    assert started.rebuild is not None
    while started.rebuild.step():
        pass
    ring.rebuilt()
    for _ in range(2):
        batch = ring.plan(())
        assert batch.run().errno == 0
        ring.finish(batch)
        frozen = ring.freeze()
        ring.archive.index.commit(frozen)
        ring.committed(frozen)
    ring.close()
    ring.archive.index.close()
    ring.disk.close()

    assert offsets(old) == left(old)
    assert check(old.where, is_deep=True).problems == []
