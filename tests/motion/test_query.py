"""What a search may ask, and which hours it means."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from vonggac.errors import Invalid
from vonggac.motion.query import Ask, Query, windows
from vonggac.motion.region import EVERYWHERE, NOWHERE

CAMERA = Ask(bytes(16), EVERYWHERE)
HANOI = timezone(timedelta(hours=7))


def at(text: str, zone: Any = HANOI) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=zone).timestamp())


def test_without_hours_the_range_is_one_window() -> None:
    assert windows(Query((CAMERA,), 100, 200)) == ((100, 200),)


def test_hours_are_those_of_the_local_day() -> None:
    query = Query((CAMERA,), at("2026-11-20"), at("2026-11-22"), hours=(6 * 3600, 7 * 3600),
                  zone=HANOI)  # fmt: skip
    assert windows(query) == (
        (at("2026-11-20 06:00"), at("2026-11-20 07:00")),
        (at("2026-11-21 06:00"), at("2026-11-21 07:00")),
    )


def test_hours_over_midnight_are_one_window_cut_by_the_range() -> None:
    query = Query((CAMERA,), at("2026-11-20 01:00"), at("2026-11-21 23:00"),
                  hours=(20 * 3600, 2 * 3600), zone=HANOI)  # fmt: skip
    assert windows(query) == (
        (at("2026-11-20 01:00"), at("2026-11-20 02:00")),
        (at("2026-11-20 20:00"), at("2026-11-21 02:00")),
        (at("2026-11-21 20:00"), at("2026-11-21 23:00")),
    )


def test_a_day_until_24_touches_the_next() -> None:
    query = Query((CAMERA,), at("2026-11-20"), at("2026-11-22"), hours=(0, 86_400), zone=HANOI)
    assert windows(query) == ((at("2026-11-20"), at("2026-11-22")),)


def test_an_hour_that_a_zone_has_twice_is_one_window() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    query = Query((CAMERA,), at("2026-10-24 22:00", UTC), at("2026-10-25 23:00", UTC),
                  hours=(2 * 3600, 4 * 3600), zone=berlin)  # fmt: skip
    (window,) = windows(query)
    assert window == (at("2026-10-25 00:00", UTC), at("2026-10-25 03:00", UTC))


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"asks": ()}, "cameras"),
        ({"asks": (CAMERA, CAMERA)}, "cameras"),
        ({"to_s": 100}, "to"),
        ({"at_least": 0}, "cells"),
        ({"at_least": 2305}, "cells"),
        ({"hours": (0, 86_401)}, "hours"),
        ({"gap_s": -1}, "gap"),
    ],
)
def test_a_query_that_makes_no_sense_names_the_field(wrong: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid) as refused:
        Query(**({"asks": (CAMERA,), "from_s": 100, "to_s": 200} | wrong))
    assert refused.value.field == field


@pytest.mark.parametrize("mask", [NOWHERE, b"", bytes(287)])
def test_a_region_without_a_cell_is_refused(mask: bytes) -> None:
    with pytest.raises(Invalid):
        Ask(bytes(16), mask)
