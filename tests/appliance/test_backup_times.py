"""When a backup is due."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from vonggac_appliance.backup_times import is_fresh

HANOI = timezone(timedelta(hours=7))


def at(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 11, day, hour, minute, tzinfo=HANOI)


@pytest.mark.parametrize(
    ("made", "now", "expected"),
    [
        pytest.param(None, at(20, 12), False, id="none-yet"),
        pytest.param(at(20, 3), at(20, 3), True, id="just-made"),
        pytest.param(at(20, 2, 59), at(20, 3), False, id="the-hour-strikes"),
        pytest.param(at(20, 2, 59), at(20, 2, 59), True, id="a-minute-before"),
        pytest.param(at(19, 3, 1), at(20, 2, 59), True, id="last-nights"),
        pytest.param(at(19, 2, 59), at(20, 2, 58), False, id="missed-last-night"),
        pytest.param(at(10, 3), at(20, 12), False, id="the-box-was-off-for-days"),
        pytest.param(at(20, 12, 30), at(20, 12), True, id="the-clock-was-set-back-a-little"),
        pytest.param(at(25, 3), at(20, 12), False, id="made-with-a-wrong-clock"),
    ],
)
def test_a_backup_is_due_when_the_hour_has_struck_since_the_last(
    made: datetime | None, now: datetime, expected: bool
) -> None:
    assert is_fresh(made, now, 3) is expected


def test_the_hour_is_that_of_the_box() -> None:
    utc = timezone.utc  # noqa: UP017
    made = datetime(2026, 11, 19, 20, 30, tzinfo=utc)  # 03:30 in Hanoi
    assert is_fresh(made, at(20, 4), 3)
    assert not is_fresh(made, datetime(2026, 11, 20, 4, tzinfo=utc), 3)
