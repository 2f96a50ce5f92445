"""What moves is found within five seconds whatever there is to catch up, in time of the test's own.

The plan and the governor are the real ones; `motion_box.py` decodes in numbers.
"""

from __future__ import annotations

import pytest

from motion_box import Box
from vonggac.motion.slots import Tier

_PROMISED_S = 5.0
_SHARE = 0.5
_MAIN_AND_SUBS = [0.10, *[0.006] * 8]
"""One camera without a sub-stream: 1080p at 25 pictures a second, HEVC."""


@pytest.mark.parametrize(
    "costs",
    [
        _MAIN_AND_SUBS,
        [2 * cost for cost in _MAIN_AND_SUBS],
        [0.025, *[0.006] * 8],
        [0.005] * 64,
        [0.3],
        [0.1] * 4,
    ],
    ids=["main and subs", "half as fast", "720p and subs", "64 subs", "one main", "four mains"],
)
def test_cameras_that_fit_are_decoded_whole_and_in_time_while_older_footage_comes_in(
    costs: list[float],
) -> None:
    box = Box(costs, backlog_s=36_000)

    box.run(600)

    assert box.longest_wait_s(since_s=5) < _PROMISED_S
    assert box.changes == []
    assert box.most_spent(60) < _SHARE * (60 + 3), "the share, and what is held for a moment"
    assert box.caught_up_s * sum(costs) / len(costs) > 0.5 * 600 * (_SHARE - sum(costs)) - 30


@pytest.mark.parametrize(
    "costs",
    [[3 * cost for cost in _MAIN_AND_SUBS], [0.015] * 64, [0.1] * 8],
    ids=["a third as fast", "64 subs on a slow box", "eight mains"],
)
def test_what_does_not_fit_settles_within_a_minute_and_older_footage_comes_in(
    costs: list[float],
) -> None:
    box = Box(costs)

    box.run(900)

    assert Tier.KEY in {watch.tier for watch in box.plan.watches()}
    assert [change for change in box.changes if change[0] > 60] == []
    assert box.longest_wait_s(since_s=60) < _PROMISED_S
    assert box.most_spent(60) < _SHARE * (60 + 3)
    assert box.caught_up_s > 900


def test_after_a_disk_that_did_not_answer_the_newest_is_found_first() -> None:
    box = Box([0.005] * 64, stalls=(100.0, 140.0))

    box.run(300)

    assert box.longest_wait_s(since_s=140) < _PROMISED_S
    assert box.changes == [], "footage that came late is no reason to see less"
