"""Fragments out of packed rows: what may be served in one piece, and what may not."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from native.test_rows import ANY_ROW, FOREVER, by_minutes, day
from vonggac._native import playlist, segment
from vonggac.errors import MediaError
from vonggac.media.chunk import PackedRow, Row, SyncKind
from vonggac.media.fragment import Fragment

SECOND_NS = 10**9
TICKS = 90_000
CHUNK_BYTES = 8192


def rows(count: int, every: int, number: int = 1) -> list[PackedRow]:
    """A chunk a second, a sync sample in every `every`th."""
    return [
        PackedRow(
            number,
            1 << 40,
            Row(
                offset=4096 + n * CHUNK_BYTES, chunk_bytes=CHUNK_BYTES, moof_bytes=104,
                first_sample_end=4000, wall_start_ns=n * SECOND_NS,
                wall_end_ns=(n + 1) * SECOND_NS, duration_ticks=TICKS, samples=25, flags=0x20,
                kind=SyncKind.IDR if n % every == 0 else SyncKind.NONE, run=5, sequence=n,
            ),
        )
        for n in range(count)
    ]  # fmt: skip


def fragments(packed: list[PackedRow]) -> list[Fragment]:
    return list(playlist.rows_fragments([segment.rows_pack(packed)], *FOREVER))


def test_a_fragment_is_a_sync_sample_and_what_follows_it() -> None:
    found = fragments(rows(6, every=2))
    assert [(f.wall_start_ns, f.wall_end_ns, f.offset, f.end) for f in found] == [
        (n * SECOND_NS, (n + 2) * SECOND_NS, 4096 + n * CHUNK_BYTES, 4096 + (n + 2) * CHUNK_BYTES)
        for n in (0, 2, 4)
    ]
    first = found[0]
    assert (first.duration_ticks, first.samples, first.chunks) == (2 * TICKS, 50, 2)
    assert (first.sequence, first.next_sequence, first.kind) == (0, 2, SyncKind.IDR)
    assert (first.moof_start, first.first_sample_end, first.last_chunk) == (335, 4000, CHUNK_BYTES)


def test_a_fragment_of_a_minute_is_cut_at_ten_seconds() -> None:
    found = fragments(rows(60, every=60))
    assert [f.duration_ticks for f in found] == [10 * TICKS] * 6
    assert [f.kind for f in found] == [SyncKind.IDR] + [SyncKind.NONE] * 5


def test_a_chunk_that_alone_is_longer_is_whole() -> None:
    one = rows(1, every=1)[0]
    long = replace(one, row=replace(one.row, duration_ticks=30 * TICKS))
    assert [f.duration_ticks for f in fragments([long])] == [30 * TICKS]


@pytest.mark.parametrize(
    ("what", "value"),
    [("offset", 1 << 20), ("run", 6), ("sequence", 7)],
    ids=["a hole in the bytes", "another run", "a lost chunk"],
)
def test_what_does_not_follow_is_another_fragment(what: str, value: int) -> None:
    first, second = rows(2, every=2)
    row = Row(**{name: getattr(second.row, name) for name in Row.__slots__} | {what: value})
    assert len(fragments([first, second])) == 1
    assert len(fragments([first, replace(second, row=row)])) == 2


def test_another_segment_is_another_fragment() -> None:
    first, second = rows(2, every=2)
    assert len(fragments([first, replace(second, segment=2)])) == 2
    assert len(fragments([first, replace(second, epoch=9)])) == 2


def test_a_row_that_reaches_behind_all_bytes_is_no_part_of_what_was_before() -> None:
    first, second = rows(2, every=2)
    first = replace(first, row=replace(first.row, offset=2**32 - 4096 - CHUNK_BYTES))
    second = replace(second, row=replace(second.row, offset=2**32 - 4096))
    assert len(fragments([first, second])) == 2


def test_only_rows_that_touch_the_range_are_taken() -> None:
    packed = [segment.rows_pack(rows(10, every=2))]
    found = playlist.rows_fragments(packed, 3 * SECOND_NS, 5 * SECOND_NS, 7)
    assert [(f.wall_start_ns, f.kind, f.disk) for f in found] == [
        (3 * SECOND_NS, SyncKind.NONE, 7),
        (4 * SECOND_NS, SyncKind.IDR, 7),
    ]


def test_a_fragment_goes_on_from_value_to_value() -> None:
    all_rows = rows(8, every=4)
    packed = [segment.rows_pack(all_rows[:3]), b"\x01\0\0", segment.rows_pack(all_rows[3:])]
    assert list(playlist.rows_fragments(packed, *FOREVER)) == fragments(all_rows)


def test_a_day_of_two_second_gops_is_43200_fragments() -> None:
    all_rows = day(4, 300, 2000)
    found = playlist.rows_fragments(by_minutes(all_rows), *FOREVER)
    assert 43_200 <= len(found) < 44_500
    """What is split by the end of a segment adds some."""
    assert sum(f.samples for f in found) == sum(p.row.samples for p in all_rows)
    assert sum(f.chunks for f in found) == len(all_rows)


@given(st.lists(ANY_ROW, max_size=20))
def test_every_row_is_in_one_fragment(any_rows: list[PackedRow]) -> None:
    taken = [
        p for p in any_rows
        if p.row.wall_end_ns > FOREVER[0] and p.row.wall_start_ns < FOREVER[1]
    ]  # fmt: skip
    found = fragments(any_rows)
    assert sum(f.chunks for f in found) == len(taken)
    assert sum(f.samples for f in found) == sum(p.row.samples for p in taken)


@given(st.binary(max_size=120))
def test_any_bytes_are_fragments_or_an_error(data: bytes) -> None:
    try:
        segment.rows_unpack(data)
    except MediaError:
        with pytest.raises(MediaError):
            playlist.rows_fragments([data], *FOREVER)
    else:
        playlist.rows_fragments([data], *FOREVER)


def test_a_stretch_ends_where_something_is_missing_or_elsewhere() -> None:
    def stretches(found: list[Fragment]) -> list[int]:
        kept, ends = playlist.fragments_of(found), [0]
        while ends[-1] < len(kept):
            ends.append(kept.stretch(ends[-1]))
        return ends[1:]

    found = fragments(rows(10, every=2))
    assert stretches(found) == [5]
    assert stretches([*found[:2], *found[3:]]) == [2, 4], "two chunks are missing"
    for change in ({"segment": 2}, {"epoch": 3}, {"run": 6}):
        assert stretches([*found[:3], *(f._replace(**change) for f in found[3:])]) == [3, 5]
    without = found[2]._replace(kind=SyncKind.NONE)
    assert stretches([*found[:2], without, *found[3:]]) == [2, 3, 5]


def test_fragments_come_back_from_c_as_they_went() -> None:
    found = [f._replace(disk=3) for f in fragments(rows(10, every=2))]
    kept = playlist.fragments_of(found)
    assert list(kept) == found and kept.disk == 3
    assert kept.first_after(0, 5, 4 * SECOND_NS) == 2
    assert kept.first_after(0, 5, 40 * SECOND_NS) == 5
    with pytest.raises(IndexError):
        kept[5]
    with pytest.raises(IndexError):
        kept.stretch(5)
