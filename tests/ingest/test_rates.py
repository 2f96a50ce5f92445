"""Measured rates of a stream."""

from __future__ import annotations

import pytest

from vonggac.ingest.rates import Count, Meter, Rate

S = 1_000_000_000
START = 1_800_000_000 * S


def count(second: float, run: int = 1, fps: int = 25, byte_rate: int = 250_000) -> Count:
    return Count(START + int(second * S), run, int(second * byte_rate), int(second * fps))


def meter(*counts: Count) -> Meter:
    made = Meter()
    for one in counts:
        made.seen(one)
    return made


def test_a_rate_is_of_the_last_ten_seconds() -> None:
    slow = [count(second) for second in range(30)]
    last = slow[-1]
    fast = [
        Count(last.at_ns + n * S, 1, last.size_bytes + n * 500_000, last.samples + n * 50)
        for n in range(1, 11)
    ]

    assert meter(*slow).rate() == Rate(25.0, 2_000_000.0)
    assert meter(*slow, *fast).rate() == Rate(50.0, 4_000_000.0)


@pytest.mark.parametrize(
    "counts",
    [
        pytest.param([], id="nothing"),
        pytest.param([count(0)], id="one"),
        pytest.param([count(0), count(1)], id="one-second"),
        pytest.param([count(0), count(5), count(6, run=2)], id="another-run"),
        pytest.param([count(5), count(8), count(2)], id="clock-set-back"),
        pytest.param([count(0), count(5), count(60)], id="nobody-asked-for-a-while"),
        pytest.param([count(0), count(5), Count(0, 0, 0, 0)], id="ended"),
    ],
)
def test_too_little_is_no_rate(counts: list[Count]) -> None:
    assert meter(*counts).rate() is None


def test_the_same_count_seen_twice_changes_nothing() -> None:
    assert meter(count(0), count(5), count(5), count(5)).rate() == Rate(25.0, 2_000_000.0)


def test_a_stream_that_stands_still_has_a_rate_of_zero() -> None:
    counts = [Count(START + n * S, 1, 1000, 10) for n in range(5)]

    assert meter(*counts).rate() == Rate(0.0, 0.0)
