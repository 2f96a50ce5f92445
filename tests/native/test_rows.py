"""Packed rows: exact for every field, small for the usual ones, and ranges of contiguous ones."""

from __future__ import annotations

import random
import time
from dataclasses import replace
from itertools import groupby, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vonggac._native import rows as native
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


def day(seed: int, jitter_ticks: int, slew_ns: int, of_ms: int = 86_400_000) -> list[PackedRow]:
    """25 pictures a second and 1.5 Mbit/s, a day of it: a sync sample every 2 s, ticks."""
    rng = random.Random(seed)
    cuts = sorted([*range(1000, of_ms, 1000), *range(370, of_ms, 2000)])
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


def by_minutes(rows: list[PackedRow]) -> list[bytes]:
    """The values of the index, near enough."""
    return [
        segment.rows_pack(list(group))
        for _, group in groupby(rows, lambda packed: packed.row.wall_start_ns // MINUTE_NS // 4)
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
    for value in (data, b"\x01\x00\x02" + data, b"\x02\x00\x02" + data):
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
        (b"\x03\x00\x00", "unsupported"),
        (b"\x02\x00\x01" + bytes(19), "short"),
        (b"\x02\x00\x00" + bytes(20), "value"),
        (b"\x01\x00\x01", "value"),
        (b"\x01\x00\x00\x00", "value"),
        (b"\x01\x00\x01\xc0" + bytes(10), "value"),
        (b"\x01\x00\x01\x00" + b"\xff" * 12, "value"),
    ],
    ids=[
        "empty",
        "header",
        "version 0",
        "newer",
        "half of the sums",
        "sums of nothing",
        "no row",
        "too many",
        "kind 3",
        "endless",
    ],
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
    assert sum(map(len, by_minutes(rows))) <= 1_500_000


def test_a_day_is_one_range_and_read_in_milliseconds() -> None:
    rows = day(2, 300, 2000)
    values = by_minutes(rows)

    took_s = []
    for _ in range(5):
        start = time.thread_time()  # what others take of a core is not ours
        spans = segment.rows_spans(values, *FOREVER)
        took_s.append(time.thread_time() - start)

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


def test_the_rows_of_one_segment_are_found_and_taken_out() -> None:
    rows = [row(n * 10**9, (n + 1) * 10**9, 5, n) for n in range(3)]
    other = replace(rows[0], segment=9, epoch=2)
    value = segment.rows_pack([*rows, other])
    assert native.rows_of(value, 1, 1) == [packed.row for packed in rows]
    assert native.rows_of(value, 9, 2) == [other.row]
    assert native.rows_of(value, 1, 2) == native.rows_of(value, 9, 1) == []
    assert native.rows_without(value, 1, 1) == segment.rows_pack([other])
    assert native.rows_without(segment.rows_pack(rows), 1, 1) is None
    first = replace(rows[0], row=replace(rows[0].row, offset=4096))
    value = segment.rows_pack([first, *rows[1:]])
    assert native.rows_without(value, 1, 1, {4096}) == segment.rows_pack(rows[1:])
    for read in (native.rows_of, native.rows_without):
        with pytest.raises(MediaError):
            read(value[:-1], 1, 1)


def test_a_flag_is_added_to_one_row() -> None:
    rows = day(4, 300, 2000, 300_000)[:90]
    value = segment.rows_pack(rows)
    wanted = rows[40]
    place = wanted.segment, wanted.epoch, wanted.row.offset
    rows[40] = replace(wanted, row=replace(wanted.row, flags=wanted.row.flags | 1 << 17))
    assert native.rows_flag(value, *place, 1 << 17) == segment.rows_pack(rows)
    assert native.rows_flag(value, place[0], place[1] + 1, place[2], 1 << 17) == value


def test_a_value_is_parted_by_time_and_merged_by_number() -> None:
    rows = day(5, 300, 2000, 300_000)[:300]
    value = segment.rows_pack(rows)
    at_ns = rows[100].row.wall_start_ns
    before, behind = native.rows_split(value, at_ns)
    assert (before, behind) == (segment.rows_pack(rows[:100]), segment.rows_pack(rows[100:]))
    assert native.rows_split(value, rows[0].row.wall_start_ns) == (None, value)
    assert native.rows_split(value, rows[-1].row.wall_end_ns) == (value, None)
    assert native.rows_merge(segment.rows_pack(rows[100:]), rows[:100]) == value


@given(st.lists(ANY_ROW, max_size=12, unique_by=lambda p: (p.row.run, p.row.sequence)))
def test_rows_merge_in_any_order(rows: list[PackedRow]) -> None:
    ordered = sorted(rows, key=lambda packed: (packed.row.run, packed.row.sequence))
    merged = native.rows_merge(segment.rows_pack(rows[::2]), rows[1::2])
    assert merged == segment.rows_pack(ordered)


def plain(value: bytes) -> bytes:
    """The same rows without their sums, as every value was before there were any."""
    return value if value[0] == 1 else b"\x01" + value[1:3] + value[23:]


def test_rows_of_one_run_have_sums_and_others_none() -> None:
    rows = [row(n * 10**9, (n + 1) * 10**9, 5, n) for n in range(4)]
    assert segment.rows_pack(rows)[0] == 2
    for others in (
        [],
        [*rows[:2], rows[3]],
        [*rows[:2], replace(rows[2], row=replace(rows[2].row, run=6))],
        [*rows[:3], replace(rows[3], row=replace(rows[3].row, wall_start_ns=-1))],
        [replace(rows[0], row=replace(rows[0].row, wall_end_ns=0))],
        [replace(packed, row=replace(packed.row, samples=2**31)) for packed in rows],
    ):
        assert segment.rows_pack(others)[0] == 1


def test_a_value_of_before_is_read_and_gone_on_with() -> None:
    rows = day(6, 300, 2000, 300_000)[:200]
    old = plain(segment.rows_pack(rows[:90]))
    assert segment.rows_unpack(old) == rows[:90]
    assert segment.rows_append(old, rows[90:]) == segment.rows_pack(rows)


def test_sums_that_are_not_those_of_the_rows_are_told() -> None:
    value = segment.rows_pack(day(7, 300, 2000, 300_000)[:90])
    for at in range(3, 23):
        wrong = value[:at] + bytes([value[at] ^ 1]) + value[at + 1 :]
        with pytest.raises(MediaError, match="sums"):
            segment.rows_unpack(wrong)
        with pytest.raises(MediaError, match="sums"):
            segment.rows_append(wrong, [])


@given(
    st.integers(0, 10**6),
    st.lists(st.integers(0, 400), min_size=2, max_size=2, unique=True),
    st.sets(st.integers(1, 399), max_size=6),
    st.sets(st.integers(0, 399), max_size=3),
)
def test_sums_tell_the_ranges_that_rows_tell(
    seed: int, asked: list[int], cuts: set[int], lost: set[int]
) -> None:
    rows = day(seed, 300, 2000, 300_000)[:400]
    edges = [0, *sorted(cuts), 400]
    parts = [[r for n, r in enumerate(rows[a:b], a) if n not in lost] for a, b in pairwise(edges)]
    values = [segment.rows_pack(part) for part in parts]
    ends = [*(packed.row.wall_start_ns for packed in rows), rows[-1].row.wall_end_ns]
    from_ns, to_ns = (ends[at] for at in sorted(asked))
    found = segment.rows_spans(values, from_ns, to_ns)
    assert found == segment.rows_spans([plain(value) for value in values], from_ns, to_ns)


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
