"""Packed rows: exact for every field, small for the usual ones, and ranges of contiguous ones."""

from __future__ import annotations

import random
import time
from dataclasses import replace
from itertools import groupby, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vonggac._native import segment
from vonggac.errors import MediaError
from vonggac.media.chunk import PackedRow, Row, SyncKind

U32, U64 = st.integers(0, 2**32 - 1), st.integers(0, 2**64 - 1)
I64 = st.integers(-(2**63), 2**63 - 1)
ANY_ROW = st.builds(
    PackedRow,
    U32,
    U64,
    st.builds(Row, U32, U32, U32, U32, I64, I64, U32, U32, U32, st.integers(0, 255), U64, U64),
)
MINUTE_NS = 60 * 10**9
START_NS = 1_763_700_000 * 10**9
FOREVER = (-(2**63), 2**63 - 1)


def day(seed: int, jitter_ticks: int, slew_ns: int) -> list[PackedRow]:
    """A day of 25 pictures a second and 1.5 Mbit/s: a sync sample every 2 s, ticks."""
    rng = random.Random(seed)
    cuts = sorted([*range(1000, 86_400_000, 1000), *range(370, 86_400_000, 2000)])
    rows = []
    offset, number, epoch, wall_ns = 4096, 17, 1 << 40 | 500, START_NS + 123_456_789
    for sequence, (start_ms, end_ms) in enumerate(pairwise(cuts)):
        samples = max(1, (end_ms - start_ms) // 40)
        is_sync = start_ms % 2000 == 370
        duration = samples * 3600 + rng.randint(-jitter_ticks, jitter_ticks)
        first = max(300, int(rng.gauss(60_000 if is_sync else 6_000, 2_500)))
        moof = 88 + 16 * samples
        head = 335 + moof + 8
        size = head + first + (samples - 1) * 6_000 + rng.randint(-20_000, 20_000) // samples
        chunk = -(-size // 4096) * 4096
        if offset + chunk > 32 << 20:
            offset, number, epoch = 4096, rng.randint(0, 9000), epoch + 1
        wall_end = wall_ns + duration * 100_000 // 9 + rng.randint(-slew_ns, slew_ns)
        row = Row(
            offset=offset, chunk_bytes=chunk, moof_bytes=moof, first_sample_end=head + first,
            wall_start_ns=wall_ns, wall_end_ns=wall_end, duration_ticks=duration, samples=samples,
            flags=0x30 if is_sync else 0x20, kind=SyncKind.IDR if is_sync else SyncKind.NONE,
            run=START_NS // 1000, sequence=sequence,
        )  # fmt: skip
        rows.append(PackedRow(number, epoch, row))
        offset, wall_ns = offset + chunk, wall_end
    return rows


def by_minute(rows: list[PackedRow]) -> list[bytes]:
    """The values of the index."""
    return [
        segment.rows_pack(list(group))
        for _, group in groupby(rows, key=lambda packed: packed.row.wall_start_ns // MINUTE_NS)
    ]


@given(st.lists(ANY_ROW, max_size=20))
def test_every_row_comes_back_exactly(rows: list[PackedRow]) -> None:
    assert segment.rows_unpack(segment.rows_pack(rows)) == rows


@given(st.lists(ANY_ROW, max_size=10), st.lists(ANY_ROW, max_size=10))
def test_appending_gives_the_bytes_of_packing_all(
    first: list[PackedRow], second: list[PackedRow]
) -> None:
    packed = segment.rows_append(segment.rows_pack(first), second)
    assert packed == segment.rows_pack(first + second)


def test_usual_rows_append_one_by_one() -> None:
    rows = day(3, 300, 2000)[:90]
    packed = segment.rows_pack([])
    for row in rows:
        packed = segment.rows_append(packed, [row])
    assert packed == segment.rows_pack(rows)
    assert segment.rows_unpack(packed) == rows


@given(st.binary(max_size=120))
def test_any_bytes_are_rows_or_an_error(data: bytes) -> None:
    for value in (data, b"\x01\x00\x02" + data):
        try:
            rows = segment.rows_unpack(value)
        except MediaError:
            continue
        assert segment.rows_unpack(segment.rows_pack(rows)) == rows


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (b"", "short"),
        (b"\x01\x00", "short"),
        (b"\x00\x00\x00", "value"),
        (b"\x02\x00\x00", "unsupported"),
        (b"\x01\x00\x01", "value"),
        (b"\x01\x00\x00\x00", "value"),
        (b"\x01\x00\x01\xc0" + bytes(10), "value"),
        (b"\x01\x00\x01\x00" + b"\xff" * 12, "value"),
    ],
    ids=["empty", "header", "version 0", "newer", "no row", "too many", "kind 3", "endless"],
)
def test_what_is_no_value_is_told(value: bytes, kind: str) -> None:
    for read in (segment.rows_unpack, lambda v: segment.rows_spans([v], *FOREVER)):
        with pytest.raises(MediaError) as caught:
            read(value)
        assert caught.value.kind == kind


@pytest.mark.parametrize(
    ("jitter_ticks", "slew_ns"),
    [(0, 20), (300, 20), (300, 50_000), (900, 3_000_000)],
    ids=["steady", "jitter", "drift", "slewing all day"],
)
def test_a_stream_and_day_has_one_and_a_half_megabytes_at_most(
    jitter_ticks: int, slew_ns: int
) -> None:
    rows = day(1, jitter_ticks, slew_ns)
    assert len(rows) > 129_000
    assert sum(map(len, by_minute(rows))) <= 1_500_000


def test_a_day_is_one_range_and_read_in_milliseconds() -> None:
    rows = day(2, 300, 2000)
    values = by_minute(rows)

    took_s = []
    for _ in range(5):
        start = time.perf_counter()
        spans = segment.rows_spans(values, *FOREVER)
        took_s.append(time.perf_counter() - start)

    assert spans == [
        (
            rows[0].row.wall_start_ns,
            rows[-1].row.wall_end_ns,
            sum(packed.row.samples for packed in rows),
            sum(packed.row.chunk_bytes for packed in rows),
        )
    ]
    # 3.5 ms on the machine it was made on (docs/ref/segment-format.md); this only sees a collapse.
    assert min(took_s) < 0.05


def row(start_ns: int, end_ns: int, run: int, sequence: int) -> PackedRow:
    """A row of which only time and number matter."""
    return PackedRow(1, 1, Row(0, 4096, 104, 500, start_ns, end_ns, 90, 1, 0, 1, run, sequence))


def spans_of(rows: list[PackedRow], from_ns: int, to_ns: int) -> list[tuple[int, int]]:
    """Only the times."""
    return [span[:2] for span in segment.rows_spans([segment.rows_pack(rows)], from_ns, to_ns)]


def test_rows_that_follow_each_other_in_a_run_have_no_gap() -> None:
    # A camera that says 25 and sends 21: each row ends before the next one starts.
    rows = [row(n * 10**9, n * 10**9 + 840_000_000, 5, n) for n in range(4)]
    assert spans_of(rows, *FOREVER) == [(0, 3_840_000_000)]


def test_a_missing_sequence_is_a_gap() -> None:
    rows = [row(0, 10**9, 5, 0), row(2 * 10**9, 3 * 10**9, 5, 2)]
    assert spans_of(rows, *FOREVER) == [(0, 10**9), (2 * 10**9, 3 * 10**9)]


def test_runs_join_only_within_a_millisecond() -> None:
    near = [row(0, 10**9, 5, 0), row(10**9 + 999_999, 2 * 10**9, 6, 0)]
    far = [row(0, 10**9, 5, 0), row(10**9 + 1_000_000, 2 * 10**9, 6, 0)]
    assert len(spans_of(near, *FOREVER)) == 1
    assert len(spans_of(far, *FOREVER)) == 2


def test_overlapping_runs_are_both_shown() -> None:
    rows = [row(0, 10**10, 5, 0), row(5 * 10**9, 12 * 10**9, 6, 0)]
    assert spans_of(rows, *FOREVER) == [(0, 10**10), (5 * 10**9, 12 * 10**9)]


def test_whose_rows_a_value_holds_is_told_without_unpacking_it() -> None:
    rows = [row(n * 10**9, (n + 1) * 10**9, 5, n) for n in range(3)]
    value = segment.rows_pack([*rows, replace(rows[0], segment=9, epoch=2)])
    held = [(1, 1), (9, 2)]
    assert [s for s in [(1, 1), (1, 2), (9, 1), (9, 2)] if segment.rows_hold(value, *s)] == held
    assert not segment.rows_hold(segment.rows_pack([]), 1, 1)
    with pytest.raises(MediaError):
        segment.rows_hold(value[:-1], 1, 1)


def test_runs_that_lie_in_the_same_minutes_in_turns_are_one_range_each() -> None:
    # The clock was set back by a minute and a half: the minutes are recorded twice.
    old = [row(n * 10**9, (n + 1) * 10**9, 5, n) for n in range(120)]
    new = [row((n + 30) * 10**9 + 5, (n + 31) * 10**9 + 5, 6, n) for n in range(120)]
    values = [
        segment.rows_pack(
            [
                *(r for r in old if r.row.wall_start_ns // (60 * 10**9) == minute),
                *(r for r in new if r.row.wall_start_ns // (60 * 10**9) == minute),
            ]
        )
        for minute in range(3)
    ]
    assert segment.rows_spans(values, *FOREVER) == [
        (0, 120 * 10**9, 120, 120 * 4096),
        (30 * 10**9 + 5, 150 * 10**9 + 5, 120, 120 * 4096),
    ]


def test_a_question_gets_the_rows_it_touches_whole() -> None:
    rows = [row(n * 10**9, (n + 1) * 10**9, 5, n) for n in range(10)]
    assert spans_of(rows, 3_500_000_000, 5_500_000_000) == [(3 * 10**9, 6 * 10**9)]
    assert spans_of(rows, 3 * 10**9, 5 * 10**9) == [(3 * 10**9, 5 * 10**9)]  # half-open
    assert spans_of(rows, 10 * 10**9, 11 * 10**9) == []


def test_ranges_go_on_from_value_to_value() -> None:
    rows = [row(n * 10**9, (n + 1) * 10**9, 5, n) for n in range(6)]
    values = [segment.rows_pack(rows[:3]), segment.rows_pack([]), segment.rows_pack(rows[3:])]
    assert segment.rows_spans(values, *FOREVER) == [(0, 6 * 10**9, 6, 6 * 4096)]


def test_more_rows_than_a_value_can_count_are_refused() -> None:
    one = row(0, 1, 1, 0)
    with pytest.raises(MediaError, match="VG_ROWS_MAX"):
        segment.rows_pack([one] * 65_536)
    full = segment.rows_pack([one] * 65_535)
    with pytest.raises(MediaError, match="VG_ROWS_MAX"):
        segment.rows_append(full, [one])


def test_a_number_that_does_not_fit_is_not_cut() -> None:
    one = row(0, 1, 1, 0)
    with pytest.raises(OverflowError):
        segment.rows_pack([replace(one, row=replace(one.row, offset=2**32))])
