"""The order in which footage is given up is that of its sealing, whatever was lost meanwhile."""

from __future__ import annotations

from pathlib import Path

import pytest

from store.maker import BOX, START_NS, Bench, FakeStream, opened
from vonggac.store import disk as disks
from vonggac.store import journal
from vonggac.store.archive import Archive
from vonggac.store.check import check
from vonggac.store.formatting import format_disk
from vonggac.store.index import Index, Table
from vonggac.store.index_values import SegmentRow
from vonggac.store.journal import SegmentState
from vonggac.store.start import start
from vonggac.store.tombstone import Rule

SEGMENT_BYTES = 256 << 10


@pytest.fixture(autouse=True)
def _small_segments(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(disks, "SEGMENT_BYTES_MIN", SEGMENT_BYTES)


def begun(where: Path, size_bytes: int = 41 << 19) -> tuple[Bench, FakeStream]:
    format_disk(where, size_bytes, BOX, SEGMENT_BYTES)
    bench, stream = opened(where)
    return bench, stream


def record(bench: Bench, stream: FakeStream, ticks: int, commit_until: int) -> None:
    for tick in range(ticks):
        bench.tick([stream.chunk(30_000)])
        if tick % 10 == 9 and tick < commit_until:
            bench.commit()


def restarted(where: Path, distrust: str = "it is gone") -> Bench:
    """With its index, or what its journal lacks, made again."""
    started = start(where, BOX, distrust=distrust)
    assert started.rebuild is not None
    while started.rebuild.step():
        pass
    started.ring.rebuilt()
    ring = started.ring
    return Bench(ring.disk, ring, ring.archive.index, started.found)


def in_order(bench: Bench) -> list[int]:
    """Wall starts of sealed segments as they would be given up, in ns after the first."""
    after_free = bench.disk.identity.segments
    return [row.wall_start_ns - START_NS for _, row in bench.ring.archive.reusable(after_free + 1)]


def sealed(bench: Bench) -> int:
    rows = [row for _, row in bench.ring.archive.segments()]
    return sum(row.state is SegmentState.SEALED for row in rows)


def test_what_was_sealed_last_goes_last_after_the_index_was_lost(tmp_path: Path) -> None:
    where = tmp_path / "disk"
    bench, stream = begun(where)
    record(bench, stream, 120, commit_until=100)
    before = in_order(bench)
    assert bench.ring.unindexed and before == sorted(before)
    bench.crash()
    bench = restarted(where)
    assert in_order(bench) == before
    bench.crash()


def test_no_segment_loses_its_place_when_the_index_is_lost_twice(tmp_path: Path) -> None:
    """After the first time orders and epochs are numbers of one size, and expiry moves epochs on
    faster.
    """
    where = tmp_path / "disk"
    bench, stream = begun(where, 61 << 19)
    record(bench, stream, 100, commit_until=100)
    bench.crash()
    bench = restarted(where)
    bench.tick()
    bench.commit()
    bench.ring.spares.surplus_max = 0
    stream.begin(2)
    record(bench, stream, 20, commit_until=20)
    for number, row in list(bench.ring.archive.reusable(bench.disk.identity.segments + 1))[:10]:
        if bench.ring.is_filed(number):
            bench.ring.spares.due.append((number, row.epoch, Rule("expired", 1, "x")))
    record(bench, stream, 280, commit_until=270)
    assert bench.ring.unindexed
    before = in_order(bench)
    bench.crash()
    bench = restarted(where)
    assert in_order(bench) == before == sorted(before)
    assert len(before) == sealed(bench)
    bench.crash()


def test_what_only_the_lost_half_of_a_journal_knew_goes_last(tmp_path: Path) -> None:
    where = tmp_path / "disk"
    bench, stream = begun(where)
    # Where the index was lost before, orders may be far ahead of epochs.
    bench.ring.placing.seal_order += 1 << 50
    record(bench, stream, 40, commit_until=40)
    for _ in range(2):
        bench.tick()
    old = (where / disks.JOURNAL_NAME).read_bytes()
    record(bench, stream, 40, commit_until=0)
    before = in_order(bench)
    bench.crash()
    # One half tells of the last commit, as if no journal had been written since; one is damaged.
    starts = (0, journal.SLOT_BYTES)
    data = bytearray(old)
    data[min(starts, key=lambda at: generation(old, at)) + 100] ^= 1
    (where / disks.JOURNAL_NAME).write_bytes(data)
    bench = restarted(where, "")
    found = in_order(bench)
    # What was a spare then is open again; the rest stands behind what the index knew.
    assert found == sorted(found) and found[0] == before[0] and found[-1] == before[-1]
    assert len(found) == sealed(bench)
    bench.crash()


def generation(data: bytes, at: int) -> int:
    return journal.decode(data[at : at + journal.SLOT_BYTES]).generation


def test_two_segments_of_one_order_both_keep_a_place() -> None:
    archive = Archive(Index.in_memory(bytes(16)))
    for number in (7, 3, 5):
        archive.put_segment(number, SegmentRow(SegmentState.SEALED, epoch=number, order=100))
    archive.put_segment(9, SegmentRow(SegmentState.SEALED, epoch=9, order=101))
    assert list(archive.places()) == [(100, 7), (101, 3), (102, 5), (103, 9)]
    assert [row.order for _, row in archive.reusable()] == [100, 101, 102, 103]
    archive.put_segment(3, SegmentRow(SegmentState.OPEN, epoch=30))
    assert list(archive.places()) == [(100, 7), (102, 5), (103, 9)]
    row = archive.segment(5)
    assert row is not None
    archive.put_segment(5, row)  # as it is: it keeps its place
    assert list(archive.places()) == [(100, 7), (102, 5), (103, 9)]


def test_a_check_names_a_segment_that_stands_elsewhere_in_the_order(tmp_path: Path) -> None:
    where = tmp_path / "disk"
    bench, stream = begun(where)
    record(bench, stream, 60, commit_until=60)
    number, row = next(bench.ring.archive.reusable(bench.disk.identity.segments + 1))
    index = bench.ring.archive.index
    index.delete(Table.ORDER, row.order.to_bytes(8, "big"))
    index.put(Table.ORDER, (1 << 60).to_bytes(8, "big"), number.to_bytes(4, "big"))
    bench.commit()
    bench.tick()
    bench.crash()
    problems = check(where, BOX).problems
    assert [(p.segment, p.what) for p in problems] == [
        (number, "the order of reuse does not hold it as it should")
    ]
