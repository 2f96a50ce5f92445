from __future__ import annotations

from collections.abc import Mapping

import pytest

from vonggac.store.index import IndexDamaged
from vonggac_appliance.keep_chores import Chores, Obey
from vonggac_appliance.messages import Kind
from vonggac_appliance.sockets import Message


class Counting:
    def __init__(self) -> None:
        self.turned: list[float] = []
        self.heard: list[Message] = []

    @property
    def obeys(self) -> Mapping[Kind, Obey]:
        return {Kind.EXPECT: self.heard.append}

    def turn(self, now_s: float) -> None:
        self.turned.append(now_s)

    def close(self) -> None:
        self.turned.clear()


def test_a_chore_has_its_turn_once_a_second() -> None:
    chore = Counting()
    chores = Chores([chore], print)

    for now_s in (10.0, 10.4, 10.9, 11.0, 11.5, 14.0):
        chores.turn(now_s)

    assert chore.turned == [10.0, 11.0, 14.0]


def test_a_message_goes_to_the_chore_that_obeys_its_kind_and_to_no_other() -> None:
    chore = Counting()
    chores = Chores([chore], print)
    its, other = Message(Kind.EXPECT, 0, b""), Message(Kind.QUIT, 0, b"")

    assert chores.obey(its)
    assert not chores.obey(other)
    assert chore.heard == [its]


class Broken(Counting):
    def turn(self, now_s: float) -> None:
        super().turn(now_s)
        raise ZeroDivisionError("a rate over no time")


def test_a_chore_that_breaks_is_told_once_and_the_others_go_on() -> None:
    broken, sound = Broken(), Counting()
    told: list[tuple[str, str]] = []
    chores = Chores([broken, sound], lambda name, what: told.append((name, what)))

    for now_s in (1.0, 2.0, 3.0):
        chores.turn(now_s)

    assert broken.turned == [1.0]
    assert sound.turned == [1.0, 2.0, 3.0]
    assert told == [("Broken", "ZeroDivisionError: a rate over no time")]


class Damaged(Counting):
    def turn(self, now_s: float) -> None:
        raise IndexDamaged("a segment's row has another CRC")


def test_a_damaged_index_ends_the_keeper_so_that_the_next_one_makes_it_again() -> None:
    with pytest.raises(IndexDamaged):
        Chores([Damaged()], print).turn(1.0)
