"""Wrong passwords in mind."""

from __future__ import annotations

import pytest

from account_rig import Time
from vonggac_appliance import guesses
from vonggac_appliance.guesses import Guesses, TooSoon


def test_the_longest_wait_of_all_keys_counts() -> None:
    time = Time()
    counted = Guesses(time)
    for _ in range(4):
        counted.begin(["a"])
        time.pass_s(1)
    time.pass_s(1)
    for _ in range(3):
        counted.begin(["b"])
    counted.begin(["a"])
    with pytest.raises(TooSoon) as caught:
        counted.begin(["a", "b"])
    assert caught.value.retry_after_s == 4


def test_a_try_that_has_to_wait_counts_for_no_key() -> None:
    time = Time()
    counted = Guesses(time)
    for _ in range(3):
        counted.begin(["a"])
    for _ in range(10):
        with pytest.raises(TooSoon):
            counted.begin(["a", "b"])
    for _ in range(3):
        counted.begin(["b"])
    time.pass_s(1)
    counted.begin(["a"])


def test_what_is_taken_back_was_no_guess() -> None:
    counted = Guesses(Time())
    for _ in range(20):
        counted.begin(["a"])
        counted.take_back(["a"])
    counted.take_back(["never seen"])
    counted.forget("never seen")


def test_memory_is_bounded_and_the_oldest_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guesses, "KEYS_MAX", 8)
    time = Time()
    counted = Guesses(time)
    for _ in range(3):
        counted.begin(["first"])
    for number in range(7):
        time.pass_s(0.01)
        counted.begin([str(number)])
    with pytest.raises(TooSoon):
        counted.begin(["first"])
    counted.begin(["one more"])
    counted.begin(["first"])
    assert len(counted._held) == 8
