"""Who has to make room for a caller, and how slow a refusal is."""

from __future__ import annotations

import pytest

from vonggac.ingest.callers import (
    CALLS_OF_ONE_PER_SECOND,
    PENDING_MAX,
    PENDING_OF_ONE_MAX,
    Dawdler,
    Pace,
    Refusals,
    Rivals,
    neighbourhood,
    who_goes,
)


@pytest.mark.parametrize(
    ("address", "wanted"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("2001:db8:1:2:aaaa::1", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("nowhere", "nowhere"),
    ],
)
def test_a_home_is_one_address_or_one_network_of_64_bits(address: str, wanted: str) -> None:
    assert neighbourhood(address) == wanted


def test_nobody_goes_while_there_is_room() -> None:
    waiting = [Dawdler(n, f"a{n}", float(n)) for n in range(PENDING_MAX - 1)]
    assert who_goes(waiting, "a1") is None


def test_a_crowd_of_one_neighbourhood_loses_its_own_slowest() -> None:
    others = [Dawdler(100, "b", 0.0)]
    crowd = [Dawdler(n, "a", 10.0 - n) for n in range(PENDING_OF_ONE_MAX)]
    assert who_goes(others + crowd, "a") == PENDING_OF_ONE_MAX - 1
    assert who_goes(others + crowd, "b") is None


def test_a_crowd_of_many_loses_the_slowest_of_all() -> None:
    waiting = [Dawdler(n, f"a{n}", float(-n)) for n in range(PENDING_MAX)]
    assert who_goes(waiting, "new") == PENDING_MAX - 1


def test_who_has_shown_a_key_is_spared_but_one_a_camera_alone() -> None:
    camera = Dawdler(900, "home", -5.0, "nha12/main")
    strangers = [Dawdler(n, f"a{n}", float(n)) for n in range(PENDING_MAX - 1)]
    assert who_goes([camera, *strangers], "new") == 0
    # One key opens no waiting room: of those that show the same one the first is spared.
    crowd = [Dawdler(n, f"a{n}", float(n), "nha13/main") for n in range(PENDING_MAX - 1)]
    assert who_goes([camera, *crowd], "new") == 1
    all_of_them = [Dawdler(n, "a", float(n), f"nha{n}") for n in range(PENDING_OF_ONE_MAX)]
    assert who_goes(all_of_them, "a") == 0


def test_a_camera_whose_address_changed_is_no_rival_and_who_goes_on_calling_is() -> None:
    rivals = Rivals()
    assert not any(rivals.refused(b"s", "old", "new", float(s)) for s in range(0, 61, 5))
    rivals.ended(b"s")  # its old connection was left, as it was silent
    assert not rivals.refused(b"s", "new", "thief", 62.0)
    assert not any(rivals.refused(b"s", "new", "thief", 62.0 + s) for s in range(0, 89, 8))
    assert not rivals.refused(b"s", "new", "new", 160.0)
    assert rivals.refused(b"s", "new", "thief", 152.0)
    assert not rivals.refused(b"s", "new", "other", 153.0)
    assert not rivals.refused(b"s", "new", "thief", 400.0)  # long after: it begins anew


def test_refusals_get_slower_and_are_forgotten() -> None:
    refusals = Refusals()
    assert [refusals.one_more("a", float(n)) for n in range(6)] == [0.5, 1.0, 2.0, 4.0, 8.0, 8.0]
    assert refusals.one_more("b", 6.0) == 0.5  # a neighbour's are not one's own
    assert refusals.one_more("a", 2000.0) == 0.5


def test_an_internet_of_callers_fits_into_memory() -> None:
    refusals = Refusals()
    for number in range(10_000):
        refusals.one_more(str(number), 0.0)
    assert refusals.one_more("9999", 0.0) == 1.0
    assert refusals.one_more("0", 0.0) == 0.5


def test_who_calls_too_fast_is_let_go_and_neighbours_are_not() -> None:
    pace, burst = Pace(), int(CALLS_OF_ONE_PER_SECOND)
    assert [pace.is_too_fast("a", 1.0) for _ in range(burst + 2)] == [False] * burst + [True] * 2
    assert not pace.is_too_fast("b", 1.0)
    # What was let go is not counted: one more second, as many more calls.
    assert [pace.is_too_fast("a", 2.0) for _ in range(burst + 1)] == [False] * burst + [True]
    for number in range(10_000):
        assert not pace.is_too_fast(str(number), 2.0)
