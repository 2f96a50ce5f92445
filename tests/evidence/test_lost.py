"""What the ledger tells of a disk that is gone."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from vonggac.evidence.ledger import Entry, Head
from vonggac.evidence.lost import SLACK_NS, spans_on, touches

MINUTE_NS = 60 * 10**9
BEGIN_NS = 1_760_000_000 * 10**9
GONE, OTHER = b"g" * 16, b"o" * 16
ONE, TWO = b"1" * 16, b"2" * 16


def at(minutes: float) -> int:
    return BEGIN_NS + int(minutes * MINUTE_NS)


def heads(*marks: tuple[bytes, float], stream: bytes = ONE, begin: float = 0) -> list[Head]:
    """Of one run: which disk held it, at which minute."""
    run = at(begin) // 1000
    return [
        Head(disk, stream, run, int((minute - begin) * 60), at(minute), bytes(32))
        for disk, minute in marks
    ]


def grave(begin: float, end: float, disk: bytes = GONE, stream: bytes = ONE) -> Entry:
    span: Entry = {"from_ns": at(begin), "to_ns": at(end)}
    return {"disk": disk.hex(), "stream": stream.hex(), "run": at(0) // 1000} | span


def test_a_run_was_there_from_its_begin_to_its_newest_head() -> None:
    found = spans_on(GONE, heads((GONE, 15), (GONE, 30), (GONE, 45)), [])
    assert found == {ONE: [(at(0), at(45))]}
    assert spans_on(OTHER, heads((GONE, 15)), []) == {}


def test_where_a_run_moved_what_lies_between_may_be_on_either_disk() -> None:
    marks = heads((OTHER, 15), (OTHER, 30), (GONE, 45), (GONE, 60), (OTHER, 75), (OTHER, 90))
    assert spans_on(GONE, marks, []) == {ONE: [(at(30), at(75))]}
    assert spans_on(OTHER, marks, []) == {ONE: [(at(0), at(45)), (at(60), at(90))]}


def test_what_was_erased_is_not_lost() -> None:
    marks = heads((GONE, 15), (GONE, 120))
    told = [grave(0, 40), grave(60, 80), grave(0, 120, OTHER), grave(0, 120, GONE, TWO)]
    assert spans_on(GONE, marks, told) == {ONE: [(at(40), at(60)), (at(80), at(120))]}
    assert spans_on(GONE, marks, [grave(-5, 200)]) == {}


def test_runs_that_follow_each_other_are_one_range_and_streams_are_apart() -> None:
    marks = [
        *heads((GONE, 15), (GONE, 20)),
        *heads((GONE, 35), begin=21),
        *heads((GONE, 100), begin=90),
        *heads((GONE, 15), stream=TWO),
    ]
    assert spans_on(GONE, marks, []) == {
        ONE: [(at(0), at(35)), (at(90), at(100))],
        TWO: [(at(0), at(15))],
    }


def test_a_list_that_came_twice_or_late_tells_the_same() -> None:
    marks = heads((OTHER, 15), (GONE, 30), (GONE, 45))
    assert spans_on(GONE, [*reversed(marks), *marks], []) == spans_on(GONE, marks, [])


def test_a_line_that_is_no_tombstone_takes_nothing_away() -> None:
    marks = heads((GONE, 15))
    odd: list[Entry] = [{}, grave(0, 15) | {"stream": "x"}, grave(0, 15) | {"to_ns": None}]
    assert spans_on(GONE, marks, odd) == spans_on(GONE, marks, [])


def test_a_lock_may_have_been_there_a_quarter_of_an_hour_around() -> None:
    spans = [(at(60), at(90))]
    assert touches(spans, at(70), at(71))
    assert touches(spans, at(91), at(200)) and touches(spans, at(0), at(46))
    assert not touches(spans, at(105), at(200)) and not touches(spans, at(0), at(45))
    assert not touches([], at(0), at(200))


@given(
    marks=st.lists(st.tuples(st.sampled_from([GONE, OTHER]), st.integers(1, 400)), min_size=1),
    minute=st.floats(0, 400),
)
def test_a_minute_between_two_heads_is_told_of_the_disk_of_the_later_one(
    marks: list[tuple[bytes, int]], minute: float
) -> None:
    by_minute = {end: disk for disk, end in marks}
    ends = sorted(by_minute)
    later = next((end for end in ends if minute < end), None)
    spans = spans_on(GONE, heads(*((by_minute[end], end) for end in ends)), []).get(ONE, [])
    is_told = any(start <= at(minute) < end for start, end in spans)
    if later is None:
        assert not is_told
    elif by_minute[later] == GONE:
        assert is_told
    assert all(b[0] - a[1] >= SLACK_NS for a, b in itertools.pairwise(spans))
