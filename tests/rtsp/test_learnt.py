"""What the end of a connection teaches about keep-alives."""

from __future__ import annotations

import pytest

from vonggac.rtsp.learnt import Keepalive, Learnt, Life, after_end, is_suspicious


def life(
    lived_s: float,
    *,
    keepalives: int = 2,
    since_s: float = 30.0,
    method: Keepalive = Keepalive.GET_PARAMETER,
) -> Life:
    return Life(lived_s, 60, keepalives, since_s, method)


@pytest.mark.parametrize(
    ("ended", "fits"),
    [
        pytest.param(life(65), True, id="just behind the time-out"),
        pytest.param(life(48), True, id="a little before it"),
        pytest.param(life(20, keepalives=0, since_s=0), False, id="long before it"),
        pytest.param(life(3600, keepalives=120), False, id="long after it"),
        pytest.param(life(33, keepalives=1, since_s=3), True, id="behind the first keep-alive"),
        pytest.param(life(3603, keepalives=120, since_s=3), False, id="behind the 120th"),
    ],
)
def test_an_end_fits_a_keepalive_that_does_not_count(ended: Life, fits: bool) -> None:
    assert is_suspicious(ended) is fits


def test_the_second_end_that_fits_changes_the_method_and_one_does_not() -> None:
    once = after_end(Learnt(), life(65))
    assert (once.keepalive, once.suspected) == (None, 1)
    twice = after_end(once, life(66))
    assert (twice.keepalive, twice.suspected) == (Keepalive.OPTIONS, 0)


def test_a_long_life_in_between_clears_the_suspicion() -> None:
    learnt = after_end(after_end(Learnt(), life(65)), life(900))
    assert after_end(learnt, life(65)).keepalive is None


def test_every_method_has_its_turn_and_then_the_first_again() -> None:
    learnt, seen = Learnt(), []
    method = Keepalive.GET_PARAMETER
    for _ in range(3):
        learnt = after_end(after_end(learnt, life(65, method=method)), life(65, method=method))
        assert learnt.keepalive is not None
        seen.append(method := learnt.keepalive)
    assert seen == [Keepalive.OPTIONS, Keepalive.RTCP, Keepalive.GET_PARAMETER]
