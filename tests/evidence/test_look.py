"""What a look may span, and how much of it was seen."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vonggac.errors import Invalid
from vonggac.evidence import look

HOUR_NS = 3600 * 1_000_000_000
NOW_NS = 1_795_320_000 * 1_000_000_000
MS = 1_000_000


@pytest.mark.parametrize(
    ("from_ns", "to_ns", "field"),
    [
        (NOW_NS, NOW_NS - 1, "to"),
        (NOW_NS - HOUR_NS, NOW_NS - HOUR_NS, "to"),
        (-1, NOW_NS, "from"),
        (0, 1 << 62, "to"),
        (1 << 63, 1 << 64, "from"),
        (NOW_NS - 49 * HOUR_NS, NOW_NS, "to"),
        (NOW_NS + 1, NOW_NS + HOUR_NS, "from"),
    ],
    ids=["reversed", "empty", "negative", "enormous", "no time", "49 hours", "tomorrow"],
)
def test_a_range_that_nobody_can_have_meant_is_refused(
    from_ns: int, to_ns: int, field: str
) -> None:
    with pytest.raises(Invalid) as caught:
        look.check_stored(from_ns, to_ns, NOW_NS)
    assert caught.value.field == field


def test_today_until_midnight_may_be_asked_for() -> None:
    look.check_stored(NOW_NS - 12 * HOUR_NS, NOW_NS + 12 * HOUR_NS, NOW_NS)


def test_a_household_s_camera_asks_again_after_five_minutes() -> None:
    assert look.lifetime_ns(is_household=True) == 5 * 60 * 10**9
    assert look.lifetime_ns(is_household=False) == 15 * 60 * 10**9


def test_what_was_sent_twice_counts_once() -> None:
    seen = look.Delivered()
    for from_ms, to_ms in ((0, 1000), (500, 1500), (3000, 4000), (0, 1000)):
        seen.add(from_ms * MS, to_ms * MS)
    assert seen.ranges == ((0, 1500 * MS), (3000 * MS, 4000 * MS))
    assert seen.total_ms == 2500
    seen.add(1500 * MS, 3000 * MS)
    assert seen.ranges == ((0, 4000 * MS),)


def test_nothing_sent_is_nothing_seen() -> None:
    seen = look.Delivered()
    seen.add(5, 5)
    seen.add(6, 2)
    assert seen.total_ms == 0


@given(st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)), max_size=30))
def test_the_union_is_that_of_all_seconds(spans: list[tuple[int, int]]) -> None:
    seen = look.Delivered()
    seconds: set[int] = set()
    for from_s, to_s in spans:
        seen.add(from_s * 10**9, to_s * 10**9)
        seconds |= set(range(from_s, to_s))
    assert seen.total_ms == 1000 * len(seconds)
    assert sorted(seen.ranges) == list(seen.ranges)
