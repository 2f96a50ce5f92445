"""A segment whose ftyp and moov are damaged holds footage all the same: it is not empty."""

from __future__ import annotations

from pathlib import Path

import pytest

from store.maker import BOX, SECOND_NS, SMALL_SEGMENT_BYTES, START_NS, Bench, FakeStream, opened
from vonggac._native import segment as native
from vonggac.store import disk as disks
from vonggac.store import journal
from vonggac.store.check import check
from vonggac.store.journal import Lock, SegmentState
from vonggac.store.rebuild_whole import rebuild
from vonggac.store.start import Started, start

FAR_NS = 1 << 62
CHUNKS = 18
CHUNK_S = 2
"""Far more in a segment than one tick brings."""


@pytest.fixture
def where(small: Path) -> Path:
    """Two segments that are sealed and one that is open; all of it is locked."""
    bench, stream = opened(small)
    for _ in range(CHUNKS):
        bench.tick([stream.chunk(30_001, CHUNK_S)])
    bench.commit()
    bench.ring.hold((Lock(bytes(16), stream.stream, 0, FAR_NS),))
    for _ in range(3):
        bench.tick()
    bench.crash()
    return small


def flip(path: Path, offset: int) -> None:
    with path.open("r+b") as file:
        file.seek(offset)
        byte = file.read(1)[0]
        file.seek(offset)
        file.write(bytes([byte ^ 1]))


def damage_head(where: Path, number: int) -> None:
    flip(disks.segment_path(where, number), 5)


def tear_older_half(where: Path) -> None:
    data = (where / disks.JOURNAL_NAME).read_bytes()
    starts = (0, journal.SLOT_BYTES)
    older = min(
        starts, key=lambda at: journal.decode(data[at : at + journal.SLOT_BYTES]).generation
    )
    flip(where / disks.JOURNAL_NAME, older + 100)


def rebuilt(where: Path, distrust: str = "") -> Started:
    started = start(where, BOX, distrust=distrust)
    assert started.rebuild is not None
    while started.rebuild.step():
        pass
    started.ring.rebuilt()
    return started


def seconds_of(started: Started) -> list[int]:
    values = started.ring.archive.packed_minutes(FakeStream(1).stream, 0, FAR_NS)
    rows = [packed.row for value in values for packed in native.rows_unpack(value)]
    return sorted((row.wall_start_ns - START_NS) // SECOND_NS for row in rows)


def zeroed(started: Started) -> set[int]:
    """Segments that the first ticks take for new footage."""
    found: set[int] = set()
    for _ in range(4):
        batch = started.ring.plan(())
        found |= {spare.number for spare in (*batch.zeros, *batch.reserved)}
        assert batch.run().errno == 0
        started.ring.finish(batch)
    return found


def close(started: Started) -> None:
    started.ring.close()
    started.ring.archive.index.close()
    started.ring.disk.close()


@pytest.mark.parametrize("number", [0, 1, 2], ids=["sealed", "sealed", "open"])
@pytest.mark.parametrize("distrust", ["", "it is gone"], ids=["half a journal", "no index"])
def test_one_wrong_bit_in_a_head_frees_no_footage(where: Path, number: int, distrust: str) -> None:
    damage_head(where, number)
    if not distrust:
        tear_older_half(where)
    started = rebuilt(where, distrust)
    row = started.ring.archive.segment(number)
    assert row is not None and row.chunks
    assert row.state is (SegmentState.OPEN if number == 2 else SegmentState.SEALED)
    assert seconds_of(started) == list(range(0, CHUNKS * CHUNK_S, CHUNK_S))
    assert number not in zeroed(started)
    close(started)


@pytest.mark.parametrize("number", [0, 2], ids=["sealed", "open"])
def test_a_rebuild_by_hand_files_it_too_and_says_what_is_wrong(where: Path, number: int) -> None:
    damage_head(where, number)
    report = rebuild(where, BOX)
    assert (report.sealed, report.open) == (2, 1)
    assert report.notes == [f"segment {number}: its ftyp and moov cannot be read"]
    assert {p.segment for p in check(where, BOX).problems} - {-1} == {number}
    started = start(where, BOX)
    assert seconds_of(started) == list(range(0, CHUNKS * CHUNK_S, CHUNK_S))
    close(started)


def test_a_table_without_a_whole_chunk_is_not_written_over(where: Path) -> None:
    """Nothing can be read of it, and somebody may still know how."""
    started = start(where, BOX)
    row = started.ring.archive.segment(0)
    assert row is not None
    offsets = [r.offset for r in started.ring.archive.rows_of_segment(0, row)]
    close(started)
    for offset in offsets:
        flip(disks.segment_path(where, 0), offset + 5)
    started = rebuilt(where, "it is gone")
    assert started.rebuild is not None
    (note,) = started.rebuild.notes
    assert "neither read nor reused" in note
    assert 0 not in [number for number, _ in started.ring.archive.reusable()]
    assert 0 not in zeroed(started)
    close(started)


def test_what_is_locked_and_cannot_be_found_is_not_forgotten(where: Path) -> None:
    with disks.segment_path(where, 1).open("r+b") as file:
        file.write(bytes(SMALL_SEGMENT_BYTES))
    tear_older_half(where)
    started = rebuilt(where)
    row = started.ring.archive.segment(1)
    assert row is not None and row.state is SegmentState.SEALED
    assert started.rebuild is not None
    assert started.rebuild.notes == ["segment 1 is locked, and no chunk of it can be read"]
    close(started)


def test_what_was_emptied_and_is_not_locked_becomes_free(where: Path) -> None:
    bench = Bench.start(where)
    bench.ring.hold(())
    for _ in range(3):
        bench.tick()
    bench.crash()
    with disks.segment_path(where, 1).open("r+b") as file:
        file.write(bytes(SMALL_SEGMENT_BYTES))
    tear_older_half(where)
    started = rebuilt(where)
    row = started.ring.archive.segment(1)
    assert row is not None and row.state is SegmentState.FREE
    close(started)


@pytest.mark.parametrize("number", [0, 1])
def test_a_sealed_segment_that_only_the_journal_knows_is_found_without_its_head(
    small: Path, number: int
) -> None:
    bench, stream = opened(small)
    for _ in range(CHUNKS):
        bench.tick([stream.chunk(30_001, CHUNK_S)])
    bench.crash()
    damage_head(small, number)
    started = start(small, BOX)
    assert seconds_of(started) == list(range(0, CHUNKS * CHUNK_S, CHUNK_S))
    assert number not in zeroed(started)
    assert f"segment {number}: its ftyp and moov cannot be read" in started.found.notes
    close(started)


def test_a_head_that_a_cut_took_with_its_only_tick_leaves_a_spare(small: Path) -> None:
    """Its chunks were never acknowledged; kept without a head, nobody could play them."""
    bench, stream = opened(small)
    bench.tick([stream.chunk(30_001), stream.chunk(30_001)])
    (number,) = bench.ring.open
    bench.crash()
    damage_head(small, number)
    started = start(small, BOX)
    assert number in {entry.number for entry in started.found.spares}
    assert seconds_of(started) == [] and started.found.notes == []
    close(started)
