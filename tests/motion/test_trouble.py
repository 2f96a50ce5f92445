"""The watch for camera trouble: told after minutes, named by kind, and only a reason to look."""

from __future__ import annotations

import copy
from collections.abc import Iterator

import pytest

from trouble_scenes import (
    BEFALLS,
    NOON_NS,
    STEP_S,
    Befalls,
    S,
    Sensor,
    befallen,
    camera,
    infrared,
    usual,
)
from vonggac.motion.trouble import Trouble, TroubleTold, TroubleWatch, judge
from vonggac.motion.view import View, likeness, still_of

LEARNT_MINUTES = 32
SHOWN = (
    "painted over", "a searchlight", "turned by 120 px", "blurred by 10 px", "frozen",
    "no light by day",
)  # fmt: skip
FINE = ("rain", "headlights", "a lorry parks", "a bus stops", "haze", "clouds")


@pytest.fixture(scope="module")
def learnt() -> TroubleWatch:
    """At noon, after half an hour in which nothing was wrong."""
    watch = TroubleWatch()
    for at_ns, means in usual(100, LEARNT_MINUTES, is_night=False):
        assert watch.feed(NOON_NS + at_ns, means) == []
    return watch


BEGAN_NS = NOON_NS + LEARNT_MINUTES * 60 * S


def named(name: str) -> Befalls:
    return next(one for one in BEFALLS if one.name == name)


def fed(watch: TroubleWatch, what: str, minutes: float, from_ns: int) -> list[TroubleTold]:
    told = []
    for at_ns, means in befallen(named(what), 100, minutes, is_night=False):
        told += watch.feed(from_ns + at_ns, means)
    return told


@pytest.mark.parametrize("name", SHOWN)
def test_trouble_is_told_by_its_kind_with_two_moments(learnt: TroubleWatch, name: str) -> None:
    told = fed(copy.deepcopy(learnt), name, 7, BEGAN_NS)
    assert [one.kind for one in told] == [named(name).kind]
    assert NOON_NS < told[0].usual_ns <= BEGAN_NS < told[0].at_ns
    assert abs(told[0].from_ns - BEGAN_NS) <= 120 * S


@pytest.mark.parametrize("name", FINE)
def test_what_passes_or_is_weather_is_no_trouble(learnt: TroubleWatch, name: str) -> None:
    assert fed(copy.deepcopy(learnt), name, 6, BEGAN_NS) == []


def test_trouble_is_over_when_the_view_has_been_back_for_minutes(learnt: TroubleWatch) -> None:
    watch = copy.deepcopy(learnt)
    (begun,) = fed(watch, "painted over", 5, BEGAN_NS)
    assert fed(watch, "nothing", 2, BEGAN_NS + 300 * S) == []
    (over,) = fed(watch, "nothing", 4, BEGAN_NS + 420 * S)
    assert over.is_over
    assert (over.kind, over.from_ns, over.usual_ns) == (begun.kind, begun.from_ns, begun.usual_ns)


def test_nothing_is_told_by_who_knows_no_view_yet() -> None:
    assert fed(TroubleWatch(), "painted over", 6, NOON_NS) == []


def test_what_is_covered_is_not_learnt(learnt: TroubleWatch) -> None:
    watch = copy.deepcopy(learnt)
    covered = Sensor(3, 2.0, 0).means(camera(100, is_night=False)[0] * 0 + 90)
    told: list[TroubleTold] = []
    for second in range(0, 3600, STEP_S):
        told += watch.feed(BEGAN_NS + second * S, covered)
    assert [(one.kind, one.is_over) for one in told] == [(Trouble.COVERED, False)]


def test_a_camera_that_was_set_anew_is_told_and_then_known() -> None:
    watch, sensor, told = TroubleWatch(usual_after_minutes=20), Sensor(3, 2.0, 0), []
    for seed, minutes in ((100, 12), (101, 40)):
        pictures = [sensor.means(camera(seed, is_night=False)[0]) for _ in range(4)]
        began_ns = NOON_NS + (0 if seed == 100 else 12 * 60 * S)
        for at, second in enumerate(range(0, minutes * 60, STEP_S)):
            told += watch.feed(began_ns + second * S, pictures[at % 4])
    assert [(one.kind, one.is_over) for one in told] == [
        (Trouble.TURNED, False),
        (Trouble.TURNED, True),
    ]
    assert told[1].at_ns - told[0].from_ns >= 20 * 60 * S


def test_trouble_is_not_over_at_night_while_no_night_is_known(learnt: TroubleWatch) -> None:
    watch = copy.deepcopy(learnt)
    assert len(fed(watch, "painted over", 5, BEGAN_NS)) == 1
    assert fed(watch, "painted over", 15, NOON_NS + 10 * 3600 * S) == []
    assert fed(watch, "painted over", 5, NOON_NS + 23 * 3600 * S) == []
    (over,) = fed(watch, "nothing", 5, NOON_NS + 24 * 3600 * S)
    assert over.is_over


def test_the_first_dusk_is_not_judged_by_the_day(learnt: TroubleWatch) -> None:
    watch, sensor = copy.deepcopy(learnt), Sensor(4, 5.0, 0)
    dusk_ns = NOON_NS + 6 * 3600 * S
    told = [watch.feed(dusk_ns + at, means) for at, means in infrared_minutes(sensor, 6)]
    assert not any(told)


@pytest.mark.parametrize("until_minute", [100, 800], ids=["dusk", "a night that is learnt"])
def test_the_usual_picture_is_none_of_a_cover_of_which_nobody_could_say_so(
    learnt: TroubleWatch, until_minute: int
) -> None:
    """Before its first night is known a camera is covered at dusk, and the next day tells it."""
    watch = copy.deepcopy(learnt)
    dusk_ns, day_ns = NOON_NS + 330 * 60 * S, NOON_NS + 1140 * 60 * S
    covered = [Sensor(3, 2.0, at).means(camera(100, is_night=False)[0] * 0 + 90) for at in range(4)]
    told: list[TroubleTold] = []
    for began_ns, minutes in ((dusk_ns, until_minute), (day_ns - 300 * S, 10)):
        for at in range(minutes * 3):
            told += watch.feed(began_ns + at * STEP_S * S, covered[at % 4])
    assert [one.kind for one in told] == [Trouble.COVERED]
    assert told[0].from_ns >= day_ns - 120 * S
    assert BEGAN_NS - 120 * S <= told[0].usual_ns < BEGAN_NS


def test_key_frames_half_a_minute_apart_are_enough(learnt: TroubleWatch) -> None:
    watch = copy.deepcopy(learnt)
    covered = Sensor(3, 2.0, 0).means(camera(100, is_night=False)[0] * 0 + 90)
    told = [watch.feed(BEGAN_NS + at * 30 * S, covered) for at in range(16)]
    assert [one.kind for some in told for one in some] == [Trouble.COVERED]


def test_a_hole_in_the_footage_begins_the_minutes_anew(learnt: TroubleWatch) -> None:
    watch = copy.deepcopy(learnt)
    told = []
    for turn in range(4):
        told += fed(watch, "painted over", 2.5, BEGAN_NS + turn * 600 * S)
    assert told == []


def test_a_clock_that_is_set_back_begins_the_minutes_anew(learnt: TroubleWatch) -> None:
    watch = copy.deepcopy(learnt)
    assert fed(watch, "painted over", 2.5, BEGAN_NS) == []
    assert fed(watch, "painted over", 2.5, BEGAN_NS - 900 * S) == []


def infrared_minutes(sensor: Sensor, minutes: int) -> Iterator[tuple[int, bytes]]:
    night = infrared(camera(100, is_night=False)[0], 100)
    for at in range(minutes * 60 // STEP_S):
        yield at * STEP_S * S, sensor.means(night)


def test_a_night_view_that_is_known_is_no_trouble_by_day(learnt: TroubleWatch) -> None:
    watch, sensor = copy.deepcopy(learnt), Sensor(4, 5.0, 0)
    evening_ns = NOON_NS + 9 * 3600 * S
    told = [
        told
        for began_ns in (evening_ns, evening_ns + 14 * 3600 * S)
        for at_ns, means in infrared_minutes(sensor, 12)
        for told in watch.feed(began_ns + at_ns, means)
    ]
    assert told == []


def test_a_view_without_edges_says_of_nothing_that_it_is_turned() -> None:
    flat = View(bytes([120]) * (128 * 72))
    other = View(still_of([means for _, means in usual(100, 1, is_night=False)]))
    assert likeness(other, flat).blocks == 0
    assert judge(other, flat) is None


def test_a_still_has_nothing_of_what_passes() -> None:
    place, passing = bytes([80]) * 9216, bytes([200]) * 9216
    assert still_of([place, passing, place]) == place
