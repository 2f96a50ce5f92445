"""Episodes come newest first, and midnight cuts none in two."""

from __future__ import annotations

from collections.abc import Iterator

from vonggac.motion.episodes import DayFound, Episode, Found, join, newest_first
from vonggac.motion.slots import Tier

DAY = 86_400
A, B = b"a" * 16, b"b" * 16


def episode(from_s: int, to_s: int, cells: int = 1, tier: Tier = Tier.FULL) -> Episode:
    return Episode(from_s, to_s, from_s, cells, tier)


def test_days_and_streams_are_told_newest_first() -> None:
    days = [
        DayFound(DAY, {A: [episode(DAY + 100, DAY + 110)], B: [episode(DAY + 50, DAY + 200)]}),
        DayFound(0, {A: [episode(10, 20), episode(500, 600)]}),
    ]
    assert [(one.stream, one.episode.from_s) for one in newest_first(days, 2)] == [
        (A, DAY + 100), (B, DAY + 50), (A, 500), (A, 10),
    ]  # fmt: skip


def test_what_began_before_midnight_is_told_in_its_turn() -> None:
    days = [
        DayFound(DAY, {A: [episode(DAY, DAY + 5000)], B: [episode(DAY + 100, DAY + 200)]}),
        DayFound(0, {A: [episode(DAY - 50, DAY)], B: [episode(DAY - 20, DAY - 10)]}),
    ]
    begins = [one.episode.from_s - DAY for one in newest_first(days, 2)]
    assert begins == [100, -20, -50]


def test_an_episode_over_midnight_is_one() -> None:
    days = [
        DayFound(DAY, {A: [episode(DAY + 1, DAY + 9, cells=5)]}),
        DayFound(0, {A: [episode(DAY - 50, DAY - 1, cells=3, tier=Tier.KEY)]}),
    ]
    assert list(newest_first(days, 2)) == [
        Found(A, Episode(DAY - 50, DAY + 9, DAY + 1, 5, Tier.KEY))
    ]


def test_an_episode_over_a_whole_day_is_one() -> None:
    days = [
        DayFound(2 * DAY, {A: [episode(2 * DAY, 2 * DAY + 5)]}),
        DayFound(DAY, {A: [episode(DAY, 2 * DAY)]}),
        DayFound(0, {A: [episode(DAY - 1, DAY)]}),
    ]
    assert [found.episode.from_s for found in newest_first(days, 0)] == [DAY - 1]


def test_what_midnight_parts_by_more_than_the_gap_stays_two() -> None:
    days = [
        DayFound(DAY, {A: [episode(DAY + 1, DAY + 9)]}),
        DayFound(0, {A: [episode(DAY - 50, DAY - 2)]}),
    ]
    assert len(list(newest_first(days, 2))) == 2
    assert len(list(newest_first(days, 3))) == 1


def test_a_day_that_is_missing_joins_nothing() -> None:
    days = [
        DayFound(2 * DAY, {A: [episode(2 * DAY, 2 * DAY + 9)]}),
        DayFound(0, {A: [episode(DAY - 50, DAY)]}),
    ]
    assert len(list(newest_first(days, 2))) == 2


def test_nothing_is_read_of_a_day_before_it_is_asked_for() -> None:
    asked = []

    def days() -> Iterator[DayFound]:
        for day in (2, 1, 0):
            asked.append(day)
            yield DayFound(day * DAY, {A: [episode(day * DAY + 50, day * DAY + 60)]})

    found = newest_first(days(), 2)
    next(found)
    assert asked == [2]
    found.close()


def test_the_strongest_of_two_that_are_as_strong_is_the_first() -> None:
    assert join(episode(1, 2, 3), episode(3, 4, 3)).strongest_s == 1
