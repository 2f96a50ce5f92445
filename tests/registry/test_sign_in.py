"""How long a session holds, and how wrong passwords make wait."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vonggac.registry.sign_in import (
    ABSOLUTE_NS,
    FORGET_NS,
    IDLE_NS,
    NO_TRIES,
    WAIT_MOST_NS,
    Tries,
    is_session_over,
)

SECOND = 1_000_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE


@pytest.mark.parametrize(
    ("seen_ns", "now_ns", "is_over"),
    [
        pytest.param(0, 0, False, id="just-begun"),
        pytest.param(0, IDLE_NS - 1, False, id="nearly-idle"),
        pytest.param(0, IDLE_NS, True, id="idle"),
        pytest.param(11 * HOUR, 11 * HOUR + 29 * MINUTE, False, id="used-all-day"),
        pytest.param(ABSOLUTE_NS - 1, ABSOLUTE_NS, True, id="twelve-hours"),
        pytest.param(HOUR, HOUR - 30 * SECOND, False, id="the-clock-was-put-right"),
        pytest.param(HOUR, 0, True, id="the-clock-was-set-back"),
    ],
)
def test_a_session_ends(seen_ns: int, now_ns: int, is_over: bool) -> None:
    assert is_session_over(0, seen_ns, now_ns) is is_over


def test_waits_grow_from_a_second_to_five_minutes() -> None:
    tries, waits = NO_TRIES, []
    now_ns = HOUR
    for _ in range(13):
        tries = tries.more(now_ns)
        waits.append(tries.wait_ns(now_ns) // SECOND)
        now_ns += tries.wait_ns(now_ns)
    assert waits == [0, 0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]


def test_a_wait_passes() -> None:
    tries = Tries(5, 0)
    assert tries.wait_ns(0) == 4 * SECOND
    assert tries.wait_ns(3 * SECOND) == SECOND
    assert tries.wait_ns(4 * SECOND) == 0


def test_an_hour_without_any_forgets_them() -> None:
    assert Tries(30, 0).more(FORGET_NS).failures == 1
    assert Tries(30, 0).more(FORGET_NS - 1).failures == 31


def test_a_right_one_leaves_the_wait_as_it_was() -> None:
    tries = Tries(5, 3 * SECOND)
    assert tries.more(HOUR // 2).less().wait_ns(4 * SECOND) == tries.wait_ns(4 * SECOND)
    assert NO_TRIES.more(1).less().failures == NO_TRIES.less().failures == 0


@given(st.integers(0, 10**6), st.integers(0, 10**18), st.integers(0, 10**18))
def test_no_wait_is_longer_than_the_longest(failures: int, last_ns: int, later_ns: int) -> None:
    assert 0 <= Tries(failures, last_ns).wait_ns(last_ns + later_ns) <= WAIT_MOST_NS


@given(st.lists(st.integers(0, 10 * MINUTE), max_size=40))
def test_whoever_is_made_to_wait_gets_few_tries(pauses: list[int]) -> None:
    """However an hour is used, it does not hold more than 23 looks at a password."""
    tries, now_ns, looked = NO_TRIES, HOUR, 0
    for pause_ns in pauses:
        if now_ns > 2 * HOUR:
            break
        if tries.wait_ns(now_ns) == 0:
            tries, looked = tries.more(now_ns), looked + 1
        now_ns += pause_ns
    assert looked <= 23
