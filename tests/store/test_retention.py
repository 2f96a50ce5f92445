"""What the plan promises, whatever segments, limits, locks and clocks it is given."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vonggac.media.chunk import ChunkFlag, Row, SyncKind
from vonggac.store.index_values import SegmentRow
from vonggac.store.journal import Lock, SegmentState
from vonggac.store.locks import LockSet
from vonggac.store.promise import Demand, outlook
from vonggac.store.retention import (
    DAY_NS,
    HOUR_NS,
    Clock,
    Due,
    Limits,
    Policies,
    Room,
    due,
    plan,
    rows_due,
)

NOW_NS = 1_800_000_000 * 1_000_000_000
MEGA = 1 << 20
SEGMENT_BYTES = 32 * MEGA
STREAMS = [bytes([n]) * 16 for n in range(3)]
SYNCED = Clock(NOW_NS, HOUR_NS, is_stepped=False)

days = st.integers(0, 60)
moments = st.integers(NOW_NS - 60 * DAY_NS, NOW_NS + DAY_NS)
limits = st.builds(Limits, days, st.none() | st.integers(1, 60), st.integers(0, 9))


@st.composite
def segments(draw: st.DrawFn) -> tuple[int, SegmentRow]:
    start_ns, number = draw(moments), draw(st.integers(0, 10_000))
    return number, SegmentRow(
        SegmentState.SEALED,
        epoch=number + 1,
        camera=draw(st.sampled_from(STREAMS)),
        stream=draw(st.sampled_from(STREAMS)),
        wall_start_ns=start_ns,
        wall_end_ns=start_ns + draw(st.integers(1, 3 * DAY_NS)),
        order=number,
        chunks=draw(st.integers(1, 100)),
    )


@st.composite
def locks(draw: st.DrawFn) -> LockSet:
    found = []
    for stream in draw(st.lists(st.sampled_from(STREAMS), max_size=4)):
        start_ns = draw(moments)
        found.append(Lock(b"l" * 16, stream, start_ns, start_ns + draw(st.integers(1, 9 * DAY_NS))))
    return LockSet.of(found)


policies = st.builds(Policies, st.dictionaries(st.sampled_from(STREAMS), limits), limits)
some = st.lists(segments(), max_size=30)


def room(budget_segments: int = 1000, due_segments: int = 0, held: int = 1000) -> Room:
    return Room(
        SEGMENT_BYTES,
        held * SEGMENT_BYTES,
        due_segments * SEGMENT_BYTES,
        budget_segments * SEGMENT_BYTES,
    )


@given(some, policies, locks())
def test_nothing_that_is_locked_or_not_due_goes_as_a_whole(
    found: list[tuple[int, SegmentRow]], told: Policies, held: LockSet
) -> None:
    for step in plan(found, told, held, SYNCED, room()).steps:
        row = step.row
        days_max = told.of(row.camera).days_max
        assert days_max is not None
        if step.is_whole:
            assert row.wall_end_ns <= NOW_NS - days_max * DAY_NS
            assert not held.is_locked(row.stream, row.wall_start_ns, row.wall_end_ns)
        else:
            assert row.wall_start_ns <= NOW_NS - days_max * DAY_NS


@given(some, policies, locks())
def test_all_that_is_over_for_a_day_and_not_locked_is_planned(
    found: list[tuple[int, SegmentRow]], told: Policies, held: LockSet
) -> None:
    planned = {id(step.row) for step in plan(found, told, held, SYNCED, room()).steps}
    for _, row in found:
        days_max = told.of(row.camera).days_max
        is_old = days_max is not None and row.wall_start_ns <= NOW_NS - (days_max + 1) * DAY_NS
        if is_old and not held.is_locked(row.stream, row.wall_start_ns, row.wall_end_ns + HOUR_NS):
            assert id(row) in planned


@given(some, policies, locks(), st.integers(0, 20))
def test_no_more_is_planned_than_the_rate_allows(
    found: list[tuple[int, SegmentRow]], told: Policies, held: LockSet, budget: int
) -> None:
    assert len(plan(found, told, held, SYNCED, room(budget)).steps) <= budget


@given(some, policies, locks(), st.integers(0, HOUR_NS - 1), st.booleans())
def test_a_clock_that_is_not_kept_or_was_set_erases_nothing(
    found: list[tuple[int, SegmentRow]], told: Policies, held: LockSet, synced: int, stepped: bool
) -> None:
    for clock in (Clock(NOW_NS, synced, stepped), Clock(NOW_NS, 9 * HOUR_NS, is_stepped=True)):
        made = plan(found, told, held, clock, room())
        assert made.steps == () and made.held


@given(some, policies, locks())
def test_what_a_plan_leaves_is_not_planned_by_the_next(
    found: list[tuple[int, SegmentRow]], told: Policies, held: LockSet
) -> None:
    first = plan(found, told, held, SYNCED, room()).steps
    gone = {id(step.row) for step in first}
    left = [pair for pair in found if id(pair[1]) not in gone]
    assert plan(left, told, held, SYNCED, room()).steps == ()


def test_more_than_half_of_all_footage_at_once_waits_for_a_person() -> None:
    told = Policies({}, Limits(0, 3))
    row = SegmentRow(SegmentState.SEALED, epoch=1, wall_start_ns=1, wall_end_ns=2, chunks=1)
    much = room(due_segments=60, held=100)

    made = plan([(0, row)], told, LockSet(), SYNCED, much)
    assert made.is_guarded and not made.steps and "60 %" in made.held
    assert plan([(0, row)], told, LockSet(), SYNCED, replace(much, is_confirmed=True)).steps
    assert plan([(0, row)], told, LockSet(), SYNCED, room(due_segments=40, held=100)).steps
    assert plan([(0, row)], told, LockSet(), SYNCED, room(due_segments=4, held=4)).steps


def row(n: int, end_ns: int, *, sync: bool = True, synced: bool = True, flags: int = 0) -> Row:
    """A chunk of a second that ends then."""
    flags |= int(ChunkFlag.CLOCK_SYNCED) if synced else 0
    kind = SyncKind.IDR if sync else SyncKind.NONE
    start_ns = end_ns - 1_000_000_000
    return Row(4096 * (n + 1), 4096, 100, 50, start_ns, end_ns, 90_000, 25, flags, kind, 1, n)


def rows_of(*ends: int) -> list[Row]:
    return [row(n, NOW_NS - 3 * DAY_NS + 1_000_000_000 * end) for n, end in enumerate(ends)]


LIMIT = Limits(0, 3, 5, "agreement")


def test_a_chunk_is_due_when_it_has_ended_and_not_a_moment_before() -> None:
    found = rows_of(-2, -1, 0, 1, 2)
    assert rows_due(found, STREAMS[0], LIMIT, LockSet(), NOW_NS) == found[:3]
    assert rows_due(found, STREAMS[0], Limits(0, None), LockSet(), NOW_NS) == []


def test_of_a_fragment_that_a_lock_touches_nothing_goes() -> None:
    line = NOW_NS - 3 * DAY_NS
    found = [row(n, line - (9 - n) * 1_000_000_000, sync=n % 3 == 0) for n in range(9)]
    held = LockSet.of([Lock(b"", STREAMS[0], found[4].wall_start_ns, found[4].wall_end_ns)])

    assert rows_due(found, STREAMS[0], LIMIT, held, NOW_NS) == found[:3] + found[6:]
    assert rows_due(found, STREAMS[1], LIMIT, held, NOW_NS) == found


def test_what_a_locked_fragment_in_the_next_segment_begins_with_stays() -> None:
    line = NOW_NS - 3 * DAY_NS
    found = [row(0, line - 9), row(1, line - 5, flags=int(ChunkFlag.CONTINUES))]
    held = LockSet.of([Lock(b"", STREAMS[0], line, line + 1)])

    assert rows_due(found, STREAMS[0], LIMIT, held, NOW_NS) == found[:1]
    span = SegmentRow(
        SegmentState.SEALED, 1, STREAMS[0], STREAMS[0], b"", line - DAY_NS, line - 5, chunks=2
    )
    assert due(span, LIMIT, held, NOW_NS) is Due.PART


@pytest.mark.parametrize("year_ns", [0, 946_684_800 * 1_000_000_000])
def test_a_time_that_was_not_synchronised_proves_no_age(year_ns: int) -> None:
    line = NOW_NS - 3 * DAY_NS
    dead = [row(0, year_ns + 1_000_000_000, synced=False)]
    fresh = [row(1, line + 1)]
    old = [row(1, line - 1)]

    assert rows_due(dead, STREAMS[0], LIMIT, LockSet(), NOW_NS) == []
    assert rows_due(dead + fresh, STREAMS[0], LIMIT, LockSet(), NOW_NS) == []
    assert rows_due(dead + old, STREAMS[0], LIMIT, LockSet(), NOW_NS) == dead + old
    assert rows_due(dead, STREAMS[0], LIMIT, LockSet(), NOW_NS, later_ns=line) == dead
    assert rows_due(dead, STREAMS[0], LIMIT, LockSet(), NOW_NS, later_ns=line + 1) == []


def test_a_segment_over_more_than_half_a_day_loses_its_older_part_before() -> None:
    line = NOW_NS - 3 * DAY_NS
    span = SegmentRow(SegmentState.SEALED, wall_start_ns=line - HOUR_NS, wall_end_ns=line + 1)
    span = replace(span, chunks=9)
    assert due(span, LIMIT, LockSet(), NOW_NS) is Due.NOTHING
    assert due(replace(span, wall_start_ns=line - DAY_NS), LIMIT, LockSet(), NOW_NS) is Due.PART
    assert due(replace(span, wall_end_ns=line), LIMIT, LockSet(), NOW_NS) is Due.WHOLE


def test_a_disk_reaches_as_far_back_as_its_rates_let_it() -> None:
    one = Demand("cam1", 10 * MEGA, 30, None, 5)
    seen = outlook(310 * MEGA, 10 * MEGA, [one])
    assert seen.holds_days == pytest.approx(30.0) and seen.broken == ()

    short = outlook(124 * MEGA, 0, [one])
    assert short.holds_days == pytest.approx(12.4) and short.broken == ("cam1",)


def test_what_is_erased_early_leaves_its_room_to_the_others() -> None:
    brief = Demand("home", 10 * MEGA, 3, 3, 5)
    long = Demand("street", 10 * MEGA, 30, None, 5)
    # 3 days of both, then 24 days of one: 60 + 240.
    assert outlook(300 * MEGA, 0, [brief, long]).holds_days == pytest.approx(27.0)


def test_the_promise_of_the_lowest_priority_breaks_first() -> None:
    high = Demand("gate", 10 * MEGA, 10, None, 9)
    low = Demand("yard", 10 * MEGA, 10, None, 1)
    assert outlook(150 * MEGA, 0, [low, high]).broken == ("yard",)
    assert outlook(90 * MEGA, 0, [low, high]).broken == ("yard", "gate")
    assert outlook(200 * MEGA, 0, [low, high]).broken == ()
