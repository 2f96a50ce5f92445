"""How long a ring lasts."""

from __future__ import annotations

import pytest

from vonggac.store.forecast import forecast

S = 1_000_000_000
DAY = 86_400
GIB = 1 << 30
NOW = 1_800_000_000 * S


def test_the_last_days_rate_says_how_long_the_free_room_lasts() -> None:
    found = forecast(100 * GIB, 40 * GIB, NOW - 9 * DAY * S, NOW, (20 * GIB / DAY, DAY * S))

    assert found.lasts_s == pytest.approx(3 * DAY)
    assert found.holds_s == pytest.approx(5 * DAY)
    assert (found.free_bytes, found.over_ns) == (60 * GIB, DAY * S)


def test_without_a_measured_rate_the_footage_itself_gives_one() -> None:
    found = forecast(100 * GIB, 40 * GIB, NOW - 4 * DAY * S, NOW, None)

    assert found.bytes_per_s == pytest.approx(10 * GIB / DAY)
    assert found.lasts_s == pytest.approx(6 * DAY)


def test_a_full_ring_overwrites_and_has_no_date_for_it() -> None:
    found = forecast(100 * GIB, 100 * GIB, NOW - 5 * DAY * S, NOW, None)

    assert found.is_overwriting and found.lasts_s is None
    assert found.holds_s == pytest.approx(5 * DAY)


@pytest.mark.parametrize(
    ("oldest_ns", "measured"),
    [
        pytest.param(None, None, id="nothing-recorded"),
        pytest.param(NOW - 5 * S, None, id="five-seconds"),
        pytest.param(NOW + 5 * S, None, id="clock-set-back"),
        pytest.param(NOW - DAY * S, (0.0, DAY * S), id="nothing-came-all-day"),
    ],
)
def test_where_nothing_is_known_nothing_is_foretold(
    oldest_ns: int | None, measured: tuple[float, int] | None
) -> None:
    found = forecast(100 * GIB, GIB, oldest_ns, NOW, measured)

    assert (found.bytes_per_s, found.lasts_s, found.holds_s) == (None, None, None)
