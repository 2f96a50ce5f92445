"""Episodes as they happen."""

from __future__ import annotations

from vonggac.motion.slots import NO_CELLS, Slot, Tier, cells_of
from vonggac.motion.tracker import Happening, Tracker


def slot(second: int, cells: int = 0, tier: Tier = Tier.FULL, is_global: bool = False) -> Slot:
    return Slot(second, cells_of(range(cells)) if cells else NO_CELLS, tier, is_global)


def told(*slots: Slot) -> list[Happening]:
    tracker = Tracker()
    return [happening for one in slots for happening in tracker.add(one)]


def test_an_episode_is_told_when_it_begins_and_when_it_is_over() -> None:
    seconds = [slot(100), slot(101, 3), slot(102, 9), slot(103, 4)]
    seconds += [slot(104 + n) for n in range(6)]

    began, over = told(*seconds)

    assert began == Happening(101, 102, 101, 3, Tier.FULL)
    assert over == Happening(101, 104, 102, 9, Tier.FULL, is_over=True)


def test_a_short_pause_does_not_end_it() -> None:
    assert len(told(slot(1, 1), slot(2), slot(3), slot(4), slot(5, 1))) == 1


def test_what_goes_on_for_a_minute_is_told_and_begins_anew() -> None:
    found = told(*(slot(n, 1) for n in range(130)))

    assert [(one.from_s, one.is_over) for one in found] == [
        (0, False), (0, True), (60, False), (60, True), (120, False),
    ]  # fmt: skip


def test_a_light_that_is_switched_is_no_episode() -> None:
    assert told(slot(1, 2000, is_global=True)) == []


def test_an_episode_has_the_coarsest_of_its_tiers() -> None:
    found = told(slot(1, 1), slot(2, 1, Tier.KEY), *(slot(n) for n in range(3, 10)))

    assert found[-1].tier is Tier.KEY


def test_a_second_that_was_told_is_not_told_again() -> None:
    assert len(told(slot(5, 1), slot(5, 1), slot(4, 1))) == 1


def test_a_clock_that_is_set_back_ends_what_is_open_and_begins_anew() -> None:
    began, over, again, again_over = told(slot(10_000, 1), slot(6_400, 2), slot(6_410))

    assert (began.from_s, over.to_s, over.is_over) == (10_000, 10_001, True)
    assert (again.from_s, again_over.to_s, again_over.cells) == (6_400, 6_401, 2)


def test_a_second_may_come_in_parts() -> None:
    (began,) = told(slot(5), slot(5, 2), slot(6))

    assert (began.from_s, began.cells) == (5, 2)


def test_a_stream_that_falls_silent_ends_its_episode() -> None:
    tracker = Tracker()
    tracker.add(slot(5, 1))

    assert tracker.quiet_until(8) == []
    assert [one.is_over for one in tracker.quiet_until(30)] == [True]
    assert tracker.quiet_until(60) == []
