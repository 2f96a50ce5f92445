"""What is drawn of a day: pixels, and gaps that do not vanish in them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vonggac.media.chunk import GapReason
from vonggac.playback.day_bar import drawn, trimmed
from vonggac.store.index_values import RunRow
from vonggac.store.timeline import Gap, Range, Tail, Timeline, timeline_of_runs

S = 1_000_000_000
DAY = 86_400
START = 1_800_000_000 * S


def at(second: float) -> int:
    return START + int(second * S)


def line(ranges: list[tuple[float, float]], gaps: list[tuple[float, float, int]]) -> Timeline:
    return Timeline(
        tuple(Range(at(a), at(b), 1, 1) for a, b in ranges),
        tuple(Gap(at(a), at(b), reason) for a, b, reason in gaps),
        at(ranges[-1][1]) if ranges else None,
    )


def test_a_gap_of_a_second_is_still_seen_in_a_day() -> None:
    found = line([(0, 1000), (1001, DAY)], [(1000, 1001, GapReason.NETWORK)])
    bar = drawn(found, at(0), at(DAY), 288)

    assert bar.ranges == ((at(0), at(DAY)),)
    assert bar.gaps == (Gap(at(1000), at(1001), GapReason.NETWORK),)
    assert bar.recorded_ns == DAY * S


def test_gaps_of_one_pixel_are_one_by_the_reason_of_the_longest() -> None:
    gaps = [
        (10, 12, GapReason.NETWORK),
        (20, 90, GapReason.CAMERA_OFF),
        (95, 96, GapReason.REFUSED),
        (400, 401, GapReason.DISK),
    ]
    found = line([(0, 10), (12, 20), (90, 95), (96, 400), (401, DAY)], gaps)
    bar = drawn(found, at(0), at(DAY), 288)

    assert bar.gaps == (
        Gap(at(10), at(96), GapReason.CAMERA_OFF),
        Gap(at(400), at(401), GapReason.DISK),
    )


def test_ranges_are_cut_at_the_ends_of_the_question() -> None:
    bar = drawn(line([(-50, 500), (900, 5000)], []), at(0), at(1000), 100)

    assert bar.ranges == ((at(0), at(500)), (at(900), at(1000)))


@given(
    st.lists(st.tuples(st.integers(0, 3000), st.integers(1, 500)), max_size=200),
    st.integers(1, 400),
)
def test_there_are_never_more_than_pixels_and_nothing_recorded_is_left_out(
    steps: list[tuple[int, int]], pixels: int
) -> None:
    ranges: list[tuple[float, float]] = []
    gaps: list[tuple[float, float, int]] = []
    second = 0
    for pause, length in steps:
        if pause:
            gaps.append((second, second + pause, GapReason.NETWORK))
        ranges.append((second + pause, second + pause + length))
        second += pause + length
    end = max(second, 1)
    bar = drawn(line(ranges, gaps), at(0), at(end), pixels)

    assert len(bar.ranges) <= pixels + 1 and len(bar.gaps) <= pixels + 1
    for start, stop in ranges:
        assert any(a <= at(start) and at(stop) <= b for a, b in bar.ranges)
    for start, stop, _ in gaps:
        assert any(g.from_ns <= at(start) and at(stop) <= g.to_ns for g in bar.gaps)
    assert list(bar.ranges) == sorted(bar.ranges)


def run(
    number: int, start: float, end: float, reason: int = 0, gap_start: float | None = None
) -> RunRow:
    gap_ns = 0 if gap_start is None else at(gap_start)
    return RunRow(number, at(start), at(end), 0, number - 1, reason, gap_ns)


@pytest.mark.parametrize(
    ("runs", "first", "open_gap", "expected"),
    [
        pytest.param([run(1, 500, 999)], 500, None, [], id="never-tried-before"),
        pytest.param(
            [run(1, 500, 999, GapReason.CAMERA_OFF, 300)],
            500,
            None,
            [(300, 500, GapReason.CAMERA_OFF)],
            id="tried-from-300",
        ),
        pytest.param([run(1, -900, 999)], 400, None, [], id="overwritten"),
        pytest.param(
            [run(2, 200, 999, GapReason.DISK, -70)],
            200,
            None,
            [(0, 200, GapReason.DISK)],
            id="a-gap-from-before",
        ),
        pytest.param([], None, None, [], id="nothing-at-all"),
        pytest.param(
            [],
            None,
            (600, GapReason.WRONG_PASSWORD),
            [(600, 1000, GapReason.WRONG_PASSWORD)],
            id="never-came",
        ),
    ],
)
def test_before_the_first_try_nothing_failed(
    runs: list[RunRow],
    first: float | None,
    open_gap: tuple[float, int] | None,
    expected: list[tuple[float, float, int]],
) -> None:
    gap = None if open_gap is None else (at(open_gap[0]), open_gap[1])
    durable_ns = max((r.wall_end_ns for r in runs), default=None)
    tail = Tail(durable_ns, at(1000), gap, is_keeper_running=True)
    first_ns = None if first is None else at(first)
    found = timeline_of_runs(runs, first_ns, at(0), at(1000), tail)

    assert trimmed(found, runs, tail, at(0)).gaps == tuple(
        Gap(at(a), at(b), reason) for a, b, reason in expected
    )
