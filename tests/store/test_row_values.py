"""Which value of the index a row goes to: a page is filled, and no time is looked for in vain."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vonggac._native import rows as native
from vonggac.errors import MediaError
from vonggac.media.chunk import ChunkFlag, PackedRow, Row
from vonggac.store import index as indexes
from vonggac.store.archive import Archive
from vonggac.store.index import Index, IndexDamaged, Table
from vonggac.store.index_values import MINUTE_NS, U32, SegmentRow, minute_of
from vonggac.store.journal import SegmentState
from vonggac.store.row_values import VALUE_BYTES

STREAM, OTHER = b"s" * 16, b"t" * 16
SECOND_NS = 10**9
BASE = 29_000_000
"""A minute of the year 2025."""
FAR_NS = 1 << 62


def row(second: int, run: int = 7, sequence: int | None = None) -> PackedRow:
    """A chunk of a second; segments hold 64 of them."""
    number = second if sequence is None else sequence
    start_ns = BASE * MINUTE_NS + second * SECOND_NS
    wild = number * 2_654_435_761 % 4096  # as sizes and times are: no two rows are packed alike
    return PackedRow(
        number // 64,
        (1 << 40) + number // 64,
        Row(4096 * (1 + number % 64), 4096, 488, 500 + wild, start_ns + wild,
            start_ns + SECOND_NS + wild, 90_000 + wild, 25, 0x20, 0, run, number),
    )  # fmt: skip


def archive_of(rows: list[PackedRow], at_once: int = 10) -> Archive:
    """Filed as a keeper files them: some seconds, then a commit."""
    archive = Archive(Index.in_memory(bytes(16)))
    for start in range(0, len(rows), at_once):
        for packed in rows[start : start + at_once]:
            archive.add_row(STREAM, packed)
        archive.file_tails()
    return archive


def values_of(archive: Archive) -> list[tuple[int, bytes]]:
    found = archive.index.items(Table.ROWS, STREAM, STREAM + b"\xff" * 4)
    return [(U32.unpack(key[16:])[0] - BASE, value) for key, value in found]


def rows_in(archive: Archive, from_ns: int = 0, to_ns: int = FAR_NS) -> list[PackedRow]:
    values = archive.packed_minutes(STREAM, from_ns, to_ns)
    return [packed for value in values for packed in native.rows_unpack(value)]


def in_order(rows: list[PackedRow]) -> list[tuple[int, int]]:
    return sorted((packed.row.run, packed.row.sequence) for packed in rows)


def test_values_fill_their_pages() -> None:
    archive = archive_of([row(second) for second in range(2400)])
    sizes = [len(value) for _, value in values_of(archive)]
    assert max(sizes) <= VALUE_BYTES
    assert min(sizes[:-1]) > VALUE_BYTES * 0.95
    assert [packed.row.sequence for packed in rows_in(archive)] == list(range(2400))


def test_a_day_takes_the_pages_that_its_rows_need(tmp_path: Path) -> None:
    size = 64 << 20
    indexes.create(tmp_path / "index", bytes(16), size)
    index = Index.open(tmp_path / "index", bytes(16), size, writable=True)
    archive = Archive(index)
    streams = [bytes([number]) * 16 for number in range(2)]
    for start in range(0, 4800, 40):
        for stream in streams:
            for second in range(start, start + 40):
                archive.add_row(stream, row(second))
        archive.file_tails()
        index.commit_now(1, 1)
    packed = sum(len(v) for _, v in index.items(Table.ROWS, b"", b"\xff" * 20))
    assert index._env is not None
    with index._env.begin() as txn:
        stat = txn.stat(index._dbs[Table.ROWS])
    pages = stat["branch_pages"] + stat["leaf_pages"] + stat["overflow_pages"]
    index.close()
    assert pages * stat["psize"] < packed * 1.2, "half-empty pages make it 1.7"


def test_a_value_reaches_over_an_hour_at_most() -> None:
    archive = archive_of([row(second) for second in (0, 30, 3540, 3600, 90_000)])
    assert [minute for minute, _ in values_of(archive)] == [0, 60, 1500]


def test_every_second_is_found_again() -> None:
    archive = archive_of([row(second) for second in range(2400)])
    for second in range(0, 2400, 7):
        at_ns = row(second).row.wall_start_ns
        found = [p.row.sequence for p in rows_in(archive, at_ns, at_ns + 1)]
        assert second in found
        assert len(found) <= 1200, "more values than can hold it were read"


def test_what_does_not_reach_into_a_question_is_not_told() -> None:
    archive = archive_of([row(second) for second in range(60)])
    end_ns = row(59).row.wall_end_ns
    assert list(archive.packed_minutes(STREAM, end_ns + 2 * MINUTE_NS, FAR_NS)) == []
    assert list(archive.packed_minutes(OTHER, 0, FAR_NS)) == []


def test_a_clock_that_was_set_back_hides_nothing() -> None:
    ahead = [row(second) for second in range(1200)]
    behind = [row(second, run=8) for second in range(200, 900)]
    archive = archive_of([*ahead, *behind])
    assert in_order(rows_in(archive)) == in_order([*ahead, *behind])
    for second in range(0, 1200, 11):
        at_ns = ahead[second].row.wall_start_ns
        found = in_order(rows_in(archive, at_ns, at_ns + 1))
        assert (7, second) in found
        assert not 200 <= second < 900 or (8, second) in found


@settings(max_examples=20, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 9000), st.integers(1, 200)),
        min_size=1,
        max_size=5,
    ),
    st.integers(1, 700),
    st.booleans(),
    st.sampled_from([1, 30, 3600]),
)
def test_wherever_the_clock_jumps_each_row_is_found_by_its_time(
    jumps: list[tuple[int, int]], at_once: int, is_unordered: bool, scale: int
) -> None:
    rows = [
        row(scale * start + second, run, sequence=second)
        for run, (start, count) in enumerate(jumps)
        for second in range(count)
    ]
    archive = Archive(Index.in_memory(bytes(16)))
    archive.rows.is_unordered = is_unordered
    for start in range(0, len(rows), at_once):
        for packed in rows[start : start + at_once]:
            archive.add_row(STREAM, packed)
        archive.file_tails()
    assert in_order(rows_in(archive)) == in_order(rows)
    for packed in rows[:: max(1, len(rows) // 40)]:
        start_ns = packed.row.wall_start_ns
        assert packed in rows_in(archive, start_ns, start_ns + 1)
        here = [p for p in rows if (p.segment, p.epoch) == (packed.segment, packed.epoch)]
        segment = SegmentRow(
            SegmentState.SEALED,
            packed.epoch,
            stream=STREAM,
            wall_start_ns=min(p.row.wall_start_ns for p in here),
            wall_end_ns=max(p.row.wall_end_ns for p in here),
        )
        found = archive.rows_of_segment(packed.segment, segment)
        assert sorted((r.run, r.sequence) for r in found) == in_order(here)


def test_rows_of_a_rebuild_come_in_any_order() -> None:
    rows = [row(second) for second in range(3000)]
    parts = [rows[start : start + 64] for start in range(0, 3000, 64)]
    archive = Archive(Index.in_memory(bytes(16)))
    archive.rows.is_unordered = True
    for part in [*parts[1::2], *reversed(parts[::2])]:
        for packed in part:
            archive.add_row(STREAM, packed)
        archive.file_tails()
    assert in_order(rows_in(archive)) == in_order(rows)
    for _, value in values_of(archive):
        held = native.rows_unpack(value)
        assert held == sorted(held, key=lambda p: p.row.sequence)


def test_a_segment_that_is_forgotten_leaves_its_neighbours() -> None:
    archive = archive_of([row(second) for second in range(1000)])
    for number in range(3, 9):
        first, last = row(number * 64).row, row(number * 64 + 63).row
        archive.put_segment(
            number,
            SegmentRow(
                SegmentState.SEALED,
                (1 << 40) + number,
                stream=STREAM,
                wall_start_ns=first.wall_start_ns,
                wall_end_ns=last.wall_end_ns,
                order=number,
            ),
        )
        archive.forget(number)
    left = [packed.row.sequence for packed in rows_in(archive)]
    assert left == [*range(3 * 64), *range(9 * 64, 1000)]
    archive.add_row(STREAM, row(1000))
    assert [packed.row.sequence for packed in rows_in(archive)] == [*left, 1000]


def test_a_row_is_marked_where_it_stands() -> None:
    rows = [row(second) for second in range(1000)]
    archive = archive_of(rows)
    wanted = rows[707]
    archive.mark_row(STREAM, wanted.segment, wanted.epoch, wanted.row, int(ChunkFlag.BROKEN))
    broken = [p for p in rows_in(archive) if p.row.flags & ChunkFlag.BROKEN]
    flags = wanted.row.flags | ChunkFlag.BROKEN
    assert broken == [replace(wanted, row=replace(wanted.row, flags=flags))]


def test_an_index_of_a_minute_a_value_is_gone_on_with(tmp_path: Path) -> None:
    size = 8 << 20
    indexes.create(tmp_path / "index", bytes(16), size)
    index = Index.open(tmp_path / "index", bytes(16), size, writable=True)
    rows = [row(second) for second in range(600)]
    for minute in range(5):
        value = native.rows_pack(rows[minute * 60 : minute * 60 + 60])
        old = b"\x01" + value[1:3] + value[23:]
        index.put(Table.ROWS, STREAM + U32.pack(BASE + minute), old)
    index.commit_now(1, 1)
    assert index._env is not None
    with index._env.begin(write=True, db=index._dbs[Table.META]) as txn:
        meta = txn.get(b"index")
        txn.put(b"index", b"\0\1" + meta[2:])
    index.close()
    index = Index.open(tmp_path / "index", bytes(16), size, writable=True)
    archive = Archive(index)
    for packed in rows[300:]:
        archive.add_row(STREAM, packed)
    assert rows_in(archive) == rows
    for second in range(0, 600, 13):
        at_ns = rows[second].row.wall_start_ns
        assert rows[second] in rows_in(archive, at_ns, at_ns + 1)
    index.commit_now(1, 1)
    with index._env.begin(db=index._dbs[Table.META]) as txn:
        assert txn.get(b"index")[:2] == b"\0\2"
    index.close()


@pytest.mark.parametrize("seconds", [1, 600])
def test_a_value_whose_sums_are_wrong_is_a_damaged_index(seconds: int) -> None:
    archive = archive_of([row(second) for second in range(seconds)])
    at, value = values_of(archive)[-1]
    archive.index.put(Table.ROWS, STREAM + U32.pack(BASE + at), value[:22] + b"\xff" + value[23:])
    for second in range(seconds, 1800):
        archive.add_row(STREAM, row(second))
    with pytest.raises(IndexDamaged, match="sums"):
        archive.file_tails()


def test_a_value_that_is_none_is_a_damaged_index() -> None:
    archive = archive_of([row(second) for second in range(60)])
    key = STREAM + U32.pack(minute_of(row(0).row.wall_start_ns))
    archive.index.put(Table.ROWS, key, b"\x09nonsense")
    archive.add_row(STREAM, row(61))
    with pytest.raises(IndexDamaged):
        archive.file_tails()
    with pytest.raises(MediaError):
        rows_in(archive, row(0).row.wall_start_ns)
