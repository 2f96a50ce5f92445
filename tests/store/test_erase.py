"""What is due is zeroed, told of, and never comes back; what stays is left as it was."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from store.maker import BOX, SECOND_NS, START_NS, Bench, FakeStream, opened
from vonggac._native import segment as native
from vonggac.media.chunk import ChunkFlag, Row
from vonggac.store import tombstone
from vonggac.store.archive import Archive
from vonggac.store.check import check
from vonggac.store.disk import INDEX_NAME
from vonggac.store.index import DATA_NAME
from vonggac.store.journal import SegmentState
from vonggac.store.rebuild_whole import rebuild
from vonggac.store.segment import SegmentFile
from vonggac.store.start import open_for_reading

FAR_NS = 1 << 62
RULE = tombstone.Rule("expired", 3, "agreement")


def rows_of(archive: Archive, stream: FakeStream) -> list[Row]:
    values = archive.packed_minutes(stream.stream, 0, FAR_NS)
    return [row.row for value in values for row in native.rows_unpack(value)]


def record(bench: Bench, stream: FakeStream, count: int, size: int = 1_000_000) -> None:
    for _ in range(count):
        assert not bench.tick([stream.chunk(size)])[0].waiting
    bench.commit()


def with_a_sealed_segment(where: Path) -> tuple[Bench, FakeStream, int, list[Row]]:
    """20 s of a stream: 15 s in a sealed segment, the rest in an open one."""
    bench, stream = opened(where)
    record(bench, stream, 20)
    segments = bench.ring.archive.segments()
    number, row = next((n, r) for n, r in segments if r.state is SegmentState.SEALED)
    return bench, stream, number, bench.ring.archive.rows_of_segment(number, row)


def erase(bench: Bench, number: int, rows: list[Row]) -> None:
    row = bench.ring.archive.segment(number)
    assert row is not None
    bench.ring.eraser.wish(number, row.epoch, rows, RULE)


def payloads(where: Path, number: int, rows: list[Row]) -> list[bytes]:
    with Bench.disk_of(where) as disk, open(disk.segment_path(number), "rb") as file:
        found = []
        for row in rows:
            segment = SegmentFile(file.fileno(), disk.identity.segment_bytes)
            view = segment.chunk(row.offset)
            assert view is not None, "the headers stay"
            start = row.offset + view.payload_offset
            found.append(segment.read(start, view.claim.video_bytes))
        return found


def test_erased_chunks_are_zero_and_their_neighbours_are_whole(where: Path) -> None:
    bench, stream, number, rows = with_a_sealed_segment(where)
    before = rows_of(bench.ring.archive, stream)
    erase(bench, number, rows[2:6])
    for _ in range(3):
        bench.tick()
    assert rows_of(bench.ring.archive, stream) == [r for r in before if r not in rows[2:6]]
    bench.commit()
    bench.tick()
    assert bench.ring.snapshot().erase_intents == () and bench.ring.eraser.is_settled
    bench.crash()
    assert payloads(where, number, rows[2:6]) == [bytes(1_000_000)] * 4
    report = check(where, BOX, is_deep=True)
    assert report.is_ok, report.problems


def test_a_tombstone_tells_what_went_when_and_by_which_rule(where: Path) -> None:
    bench, stream, number, rows = with_a_sealed_segment(where)
    erase(bench, number, [*rows[0:2], *rows[4:6]])
    for _ in range(3):
        bench.tick()
    assert tombstone.pending(bench.index, 100) == (0, []), "not told before it is durable"
    bench.commit()
    upto, lines = tombstone.pending(bench.index, 100)
    told = [json.loads(line) for line in lines]
    assert [(t["run"], t["first"], t["last"]) for t in told] == [(1, 0, 1), (1, 4, 5)]
    assert told[0]["from_ns"] == START_NS and told[0]["to_ns"] == START_NS + 2 * SECOND_NS
    assert (told[0]["rule"], told[0]["days"], told[0]["by"]) == ("expired", 3, "agreement")
    assert (told[0]["segment"], bytes.fromhex(told[0]["stream"])) == (number, stream.stream)
    assert tombstone.waiting(bench.index) == 2
    tombstone.kept(bench.index, upto)
    assert tombstone.pending(bench.index, 100) == (0, [])
    bench.commit()
    assert tombstone.waiting(bench.index) == 0
    bench.crash()


def test_the_hash_in_a_recycled_segments_tombstone_is_that_of_its_table(where: Path) -> None:
    bench, _, number, _ = with_a_sealed_segment(where)
    path = bench.disk.segment_path(number)
    footer = path.read_bytes()[-64:]
    row = bench.ring.archive.segment(number)
    assert row is not None
    bench.ring.spares.due.append((number, row.epoch, RULE))
    for _ in range(3):
        bench.tick()
    bench.commit()
    told = json.loads(tombstone.pending(bench.index, 100)[1][0])
    assert bytes.fromhex(told["table"]) == footer[24:56]
    assert path.read_bytes() == bytes(bench.disk.identity.segment_bytes)
    bench.crash()


@pytest.mark.parametrize("ticks", [1, 2, 3, 4])
@pytest.mark.parametrize("is_committed", [False, True])
def test_a_crash_at_any_tick_leaves_it_whole_or_erased_and_told(
    where: Path, ticks: int, is_committed: bool
) -> None:
    bench, stream, number, rows = with_a_sealed_segment(where)
    before = rows_of(bench.ring.archive, stream)
    erase(bench, number, rows[2:6])
    for _ in range(ticks):
        bench.tick()
    if is_committed:
        bench.commit()
    is_journalled = ticks >= 2
    bench.crash()

    bench = Bench.start(where)
    left = rows_of(bench.ring.archive, stream)
    assert left == ([r for r in before if r not in rows[2:6]] if is_journalled else before)
    bench.tick()
    bench.commit()
    bench.tick()
    assert bench.ring.snapshot().erase_intents == ()
    lines = tombstone.pending(bench.index, 100)[1]
    assert [json.loads(line)["first"] for line in lines] == ([2] if is_journalled else [])
    bench.crash()
    if is_journalled:
        assert payloads(where, number, rows[2:6]) == [bytes(1_000_000)] * 4
    assert check(where, BOX, is_deep=True).is_ok


def test_a_torn_table_and_a_torn_head_are_made_whole_by_the_intents(where: Path) -> None:
    bench, stream, number, rows = with_a_sealed_segment(where)
    erase(bench, number, rows[2:6])
    for _ in range(2):
        bench.tick()
    path = bench.disk.segment_path(number)
    size = bench.disk.identity.segment_bytes
    bench.crash()
    with path.open("r+b") as file:
        # The sector of the footer is old, an entry is new, and a head's block was lost.
        table = size - native.table_bytes(len(rows))
        file.seek(table + 24 + 64 * 3 + 40)
        file.write((rows[3].flags | int(ChunkFlag.ERASED)).to_bytes(4, "big"))
        file.seek(rows[4].offset)
        file.write(bytes(512))

    bench = Bench.start(where)
    assert len(rows_of(bench.ring.archive, stream)) == 16
    bench.crash()
    assert check(where, BOX, is_deep=True).is_ok


def test_a_rebuild_brings_nothing_back(where: Path) -> None:
    bench, stream, number, rows = with_a_sealed_segment(where)
    erase(bench, number, rows[2:6])
    for _ in range(3):
        bench.tick()
    bench.commit()
    left = rows_of(bench.ring.archive, stream)
    bench.tick()
    bench.crash()
    rebuild(where, BOX)
    bench = Bench.start(where)
    assert rows_of(bench.ring.archive, stream) == left
    bench.crash()
    assert check(where, BOX, is_deep=True).is_ok


def test_a_rebuild_between_intent_and_zeroing_brings_nothing_back(where: Path) -> None:
    bench, stream, number, rows = with_a_sealed_segment(where)
    erase(bench, number, rows[2:6])
    for _ in range(2):
        bench.tick()
    left = rows_of(bench.ring.archive, stream)
    bench.crash()
    rebuild(where, BOX)
    bench = Bench.start(where)
    assert rows_of(bench.ring.archive, stream) == left
    bench.crash()


def test_a_reader_without_a_keeper_is_told_of_no_erased_chunk(where: Path) -> None:
    bench, stream, number, rows = with_a_sealed_segment(where)
    erase(bench, number, rows[2:6])
    for _ in range(2):
        bench.tick()
    bench.crash()
    reading = open_for_reading(where)
    try:
        assert len(rows_of(reading.archive, stream)) == 16
    finally:
        reading.close()


def test_a_reader_without_an_index_is_told_of_nothing_that_a_cut_was_erasing(where: Path) -> None:
    bench, stream, number, rows = with_a_sealed_segment(where)
    erase(bench, number, rows[0:2])
    for _ in range(3):
        bench.tick()
    bench.commit()
    bench.tick()
    erase(bench, number, rows[2:6])
    for _ in range(2):
        bench.tick()
    left = rows_of(bench.ring.archive, stream)
    path, size = bench.disk.segment_path(number), bench.disk.identity.segment_bytes
    bench.crash()
    with path.open("r+b") as file:
        # The cut came between: a payload is half gone, and one entry of the table is new.
        file.seek(rows[2].offset + 8192)
        file.write(bytes(300_000))
        file.seek(size - native.table_bytes(len(rows)) + 24 + 64 * 2 + 40)
        file.write((rows[2].flags | int(ChunkFlag.ERASED)).to_bytes(4, "big"))
    (where / INDEX_NAME / DATA_NAME).unlink()

    reading = open_for_reading(where)
    try:
        assert rows_of(reading.archive, stream) == left
    finally:
        reading.close()


def test_a_segment_being_erased_is_not_reused_meanwhile(where: Path) -> None:
    bench, _, number, rows = with_a_sealed_segment(where)
    row = bench.ring.archive.segment(number)
    assert row is not None
    erase(bench, number, rows[2:6])
    bench.ring.spares.due.append((number, row.epoch, RULE))
    for _ in range(3):
        bench.tick()
    after = bench.ring.archive.segment(number)
    assert after is not None and after.state is SegmentState.SEALED
    bench.crash()


def test_what_is_zeroed_beyond_need_becomes_free_again(where: Path) -> None:
    bench = Bench.open(where)
    bench.ring.spares.surplus_max = 0
    bench.prime(1)
    stream = FakeStream(1)
    stream.begin(1)
    record(bench, stream, 80)
    sealed = [(n, r) for n, r in bench.ring.archive.segments() if r.state is SegmentState.SEALED]
    assert len(sealed) >= 4
    bench.ring.spares.due.extend((n, r.epoch, RULE) for n, r in sealed)
    for _ in range(4):
        bench.tick()
    states = {n: r.state for n, r in bench.ring.archive.segments()}
    assert [states[n] for n, _ in sealed].count(SegmentState.FREE) >= 2
    bench.crash()  # before the commit: the journal alone knows

    bench = Bench.start(where)
    assert not any(r.state is SegmentState.SEALED for _, r in bench.ring.archive.segments())
    bench.prime(1)
    record(bench, stream, 40)
    bench.crash()
    assert check(where, BOX, is_deep=True).is_ok


def test_an_open_segment_that_is_retired_is_sealed_and_its_stream_goes_on(where: Path) -> None:
    bench = Bench.open(where)
    bench.prime(2)
    busy, idle = FakeStream(1), FakeStream(2)
    for stream in (busy, idle):
        stream.begin(1)
        record(bench, stream, 3)
    for segment in list(bench.ring.open.values()):
        bench.ring.retire(segment.number, is_idle=segment.stream == idle.stream)
    record(bench, busy, 2)
    states = [r.state for _, r in bench.ring.archive.segments() if r.chunks]
    assert states.count(SegmentState.SEALED) == 2
    assert [r.sequence for r in rows_of(bench.ring.archive, busy)] == list(range(5))
    record(bench, idle, 2)
    bench.crash()
    assert check(where, BOX, is_deep=True).is_ok


def test_tombstones_that_nobody_takes_are_bounded_and_counted(where: Path) -> None:
    bench, _, number, rows = with_a_sealed_segment(where)
    index = bench.index
    most = max(index.size_bytes // 8 // 512, 2000)
    owner = (b"c" * 16, b"s" * 16)
    apart = [replace(rows[0], offset=4096 * n, sequence=2 * n) for n in range(most + 5)]
    tombstone.bury(index, (number, 1), owner, apart, RULE, 1)
    bench.commit()
    assert tombstone.lost(index) == 5
    _, lines = tombstone.pending(index, 2 * most)
    assert [json.loads(line)["number"] for line in lines] == list(range(6, most + 6))
    bench.crash()


def test_a_damaged_head_does_not_keep_its_neighbours(where: Path) -> None:
    bench, _, number, rows = with_a_sealed_segment(where)
    with bench.disk.segment_path(number).open("r+b") as file:
        file.seek(rows[3].offset + 60)
        file.write(b"\xff\xff")
    erase(bench, number, rows[2:6])
    for _ in range(4):
        bench.tick()
    eraser = bench.ring.eraser
    row = bench.ring.archive.segment(number)
    assert row is not None
    left = [r.offset for r in bench.ring.archive.rows_of_segment(number, row)]
    assert left == [r.offset for r in (*rows[:2], rows[3], *rows[6:])]
    assert [fault.is_all for fault in eraser.faults] == [False]
    assert eraser.returned_bytes == rows[3].chunk_bytes
    bench.commit()

    erase(bench, number, [rows[3]])
    for _ in range(4):
        bench.tick()
    assert [fault.is_all for fault in eraser.faults] == [False, True]
    assert eraser.is_settled and eraser.returned_bytes == 2 * rows[3].chunk_bytes
    bench.crash()


def test_nothing_new_is_erased_while_what_a_crash_left_stands_in_the_journal(where: Path) -> None:
    bench, _, number, rows = with_a_sealed_segment(where)
    erase(bench, number, rows[2:6])
    for _ in range(2):
        bench.tick()
    bench.crash()

    bench = Bench.start(where)
    left = bench.ring.eraser.redone
    assert len(left) == 4
    erase(bench, number, rows[8:10])
    for _ in range(3):
        bench.tick()
    assert bench.ring.snapshot().erase_intents == left
    bench.commit()
    for _ in range(3):
        bench.tick()
    row = bench.ring.archive.segment(number)
    assert row is not None and row.chunks == len(rows) - 6
    bench.crash()
    assert check(where, BOX, is_deep=True).is_ok


def test_what_is_read_waits_while_the_locks_are_not_known(where: Path) -> None:
    bench, _, number, rows = with_a_sealed_segment(where)
    erase(bench, number, rows[2:6])
    bench.tick()
    bench.ring.spares.are_locks_known = False
    for _ in range(3):
        bench.ring.is_journal_dirty = True
        bench.tick()
    row = bench.ring.archive.segment(number)
    assert row is not None and row.chunks == len(rows)
    assert bench.ring.snapshot().erase_intents == ()
    bench.ring.spares.are_locks_known = True
    for _ in range(2):
        bench.tick()
    row = bench.ring.archive.segment(number)
    assert row is not None and row.chunks == len(rows) - 4
    bench.crash()
    assert check(where, BOX, is_deep=True).is_ok
