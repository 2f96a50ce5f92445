"""Times as people write and read them."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vonggac_appliance import clock
from vonggac_appliance.chrony import parse_tracking

NOW = 1_795_305_600_123_456_789  # 2026-11-22 00:00:00.123456789 UTC
SECOND = 1_000_000_000


@pytest.fixture
def vietnam(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The box's zone, as POSIX writes +07."""
    monkeypatch.setenv("TZ", "<+07>-7")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.usefixtures("vietnam")
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("now", NOW),
        ("-90s", NOW - 90 * SECOND),
        ("-10m", NOW - 600 * SECOND),
        ("-2h", NOW - 7200 * SECOND),
        ("-1d", NOW - 86400 * SECOND),
        ("2026-11-22T00:00:00Z", NOW - 123_456_789),
        ("2026-11-22T07:00:00+07:00", NOW - 123_456_789),
        ("2026-11-22T07:00:00", NOW - 123_456_789),
        ("2026-11-22T07:00:00.5", NOW - 123_456_789 + SECOND // 2),
        ("2026-11-22", NOW - 123_456_789 - 7 * 3600 * SECOND),
    ],
)
def test_a_time_is_read(text: str, expected: int) -> None:
    assert clock.parse_time(text, NOW) == expected


@pytest.mark.parametrize("text", ["", "-10", "10m", "-1w", "yesterday", "2026-13-01", "-1.5h"])
def test_what_is_no_time_is_told_with_an_example(text: str) -> None:
    with pytest.raises(clock.TimeFormatError, match="-10m or now"):
        clock.parse_time(text, NOW)


@given(st.text(max_size=30))
def test_any_text_is_a_time_or_an_error(text: str) -> None:
    try:
        assert isinstance(clock.parse_time(text, NOW), int)
    except clock.TimeFormatError:
        return


@pytest.mark.usefixtures("vietnam")
def test_a_time_is_printed_with_its_offset() -> None:
    assert clock.iso(NOW) == "2026-11-22T07:00:00.123+07:00"


@given(st.integers(0, 4_000_000_000_000))
def test_what_is_printed_is_read_again_to_the_millisecond(milliseconds: int) -> None:
    ns = milliseconds * 1_000_000
    assert clock.parse_time(clock.iso(ns), 0) == ns


def test_the_kernel_is_asked_whether_the_clock_is_kept() -> None:
    assert isinstance(clock.is_synchronised(), bool)


def test_the_wall_clock_is_the_systems() -> None:
    assert abs(clock.wall_ns() - time.time_ns()) < 60 * SECOND
    assert re.fullmatch(r"\d{4}-.*[+-]\d\d:\d\d", clock.iso(clock.wall_ns()))


@pytest.mark.parametrize(
    ("line", "offset_s"),
    [
        pytest.param(
            "C0A80101,192.168.1.1,3,1795313639.1,0.000012500,0.0,0.0,1.2,0.0,0.0,0.01,0.0,64.2,Normal\n",
            -0.0000125,
            id="slow",
        ),
        pytest.param(
            "C0A80101,192.168.1.1,3,1795313639.1,-0.250000000,0.0,0.0,1.2,0.0,0.0,0.01,0.0,64.2,Normal\n",
            0.25,
            id="fast",
        ),
        pytest.param(
            "00000000,,0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,1.0,1.0,0.0,Not synchronised\n",
            None,
            id="follows-nothing",
        ),
        pytest.param("506 Cannot talk to daemon\n", None, id="no-daemon"),
        pytest.param("", None, id="nothing"),
        pytest.param(",,,,x,,,,,,,,,Normal\n", None, id="no-number"),
    ],
)
def test_chronys_line_tells_how_far_the_box_is_ahead(line: str, offset_s: float | None) -> None:
    assert parse_tracking(line) == offset_s
