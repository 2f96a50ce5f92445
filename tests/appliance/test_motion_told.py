"""What a search is told of a real index: footage, agreements, damage, and no more than it asked."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from motion_answers_rig import BEGIN_S, Rig, motion_answers
from vonggac.motion import region
from vonggac.motion.episodes import Found
from vonggac.motion.query import Ask, Query
from vonggac.motion.search import Search
from vonggac.motion.slots import Slot, Tier, cells_of
from vonggac_appliance.messages_motion import (
    MotionCoarse,
    MotionCovered,
    MotionDone,
    MotionHeat,
    MotionHit,
    MotionHits,
    MotionQuery,
    Points,
    Watched,
)
from vonggac_appliance.motion_client import MotionClient

_S = 1_000_000_000
_LEFT: Points = [(0.0, 0.0), (0.5, 0.0), (0.5, 1.0), (0.0, 1.0)]


@pytest.fixture
def rig(home: Path) -> Iterator[Rig]:
    with motion_answers(home) as made:
        yield made


def test_the_coarse_comes_first_and_the_hits_from_the_newest_on(rig: Rig) -> None:
    rig.move(0, 100, 3, seconds=4)
    rig.move(1, 2000, 3)
    rig.move(0, 3000, 60)
    rig.begin()

    answers = rig.ask(rig.query(0, 1))

    kinds = [kind for kind, _ in itertools.groupby(answers, key=type)]
    assert kinds == [MotionCovered, MotionCoarse, MotionHits, MotionDone]
    assert rig.hits(rig.query(0, 1)) == [(0, 3000, 3001), (1, 2000, 2001), (0, 100, 104)]
    done = answers[-1]
    assert isinstance(done, MotionDone)
    assert (done.cameras, done.seconds_searched, done.is_limited) == (2, 6, False)
    coarse = [one for one in answers if isinstance(one, MotionCoarse)]
    assert any((BEGIN_S, BEGIN_S + 120) in one.ranges for one in coarse)


def test_regions_masks_hours_and_a_limit_narrow_it(rig: Rig) -> None:
    rig.move(0, 100, 3)
    rig.move(0, 500, 60)
    rig.begin()
    camera = rig.cameras[0].id
    from_minute = ((BEGIN_S + 480) // 60 + 420) % 1440

    left = rig.query(cameras=[Watched(camera, [_LEFT])])
    masked = rig.query(cameras=[Watched(camera, [], [_LEFT])])
    late = rig.query(0, hours=(from_minute, (from_minute + 5) % 1440))

    assert rig.hits(left) == [(0, 100, 101)]
    assert rig.hits(masked) == [(0, 500, 501)]
    assert rig.hits(late) == [(0, 500, 501)]
    assert rig.hits(rig.query(0, cells_min=2)) == []
    assert rig.hits(rig.query(0, limit=1)) == [(0, 500, 501)]
    done = rig.ask(rig.query(0, limit=1))[-1]
    assert isinstance(done, MotionDone) and done.is_limited


def test_a_hit_says_how_much_moved_and_when_most(rig: Rig) -> None:
    stream = rig.cameras[0].streams[0].id
    slots = [
        Slot(BEGIN_S + 10, cells_of([1]), Tier.FULL),
        Slot(BEGIN_S + 11, cells_of([1, 2, 3]), Tier.KEY, is_global=True),
    ]
    rig.index.add(stream, slots)
    rig.begin()

    (hits,) = [one for one in rig.ask(rig.query(0)) if isinstance(one, MotionHits)]

    camera = rig.cameras[0].id
    assert hits.hits == [
        MotionHit(camera, BEGIN_S + 10, BEGIN_S + 12, BEGIN_S + 11, 3, "key", False)
    ]


def test_an_agreement_that_ends_ends_what_is_being_told_of_itscamera_of(rig: Rig) -> None:
    for second in range(0, 3600, 8):
        rig.move(0, second, 3)
        rig.move(1, second + 4, 3)
    query = rig.query(0, 1, limit=100_000)
    answers = rig.answers.search(1, query)
    first = next(one for one in answers if isinstance(one, MotionHits))
    assert {hit.camera for hit in first.hits} == {camera.id for camera in rig.cameras}

    rig.untold.add(rig.cameras[0].id)

    rest = [hit for one in answers if isinstance(one, MotionHits) for hit in one.hits]
    assert {hit.camera for hit in rest} == {rig.cameras[1].id}
    (*_, heat, _, _) = (one for one in rig.answers.heat(1, query) if one is not None)
    assert isinstance(heat, MotionHeat) and (heat.seconds, sum(heat.counts)) == (0, 0)
    again = list(rig.answers.search(1, rig.query(0)))
    assert [type(one) for one in again if one] == [MotionCovered, MotionDone]


def test_a_search_and_a_heat_picture_of_many_days_that_find_nothing_stop_at_each(
    rig: Rig,
) -> None:
    stream = rig.cameras[0].streams[0].id
    for day in range(6):
        at = range(BEGIN_S - day * 86_400, BEGIN_S - day * 86_400 + 120)
        rig.index.add(stream, [Slot(s, cells_of([s % 40]), Tier.FULL) for s in at])
    rig.index.flush()
    rig.index.compact()
    query = rig.query(0, from_ns=(BEGIN_S - 6 * 86_400) * _S, cells_min=2)

    steps = Search(rig.index).steps(
        Query((Ask(stream, region.EVERYWHERE),), BEGIN_S - 6 * 86_400, BEGIN_S + 120, 2)
    )
    told = list(steps)

    assert sum(one is None for one in told) >= 12, "after each day, of blocks and of seconds"
    assert not any(isinstance(one, Found) for one in told)
    assert sum(one is None for one in rig.answers.heat(1, query)) >= 6


def test_what_has_no_footage_any_more_is_told_no_more(rig: Rig) -> None:
    rig.move(0, 600, 3, 10)
    rig.move(0, 1000, 3, 10)
    rig.move(0, 2000, 3, 10)
    begins_s = rig.begins_s[rig.cameras[0].streams[0].id] = BEGIN_S + 1004
    rig.begin()
    query = rig.query(0)

    told = rig.ask(query)

    assert rig.hits(query) == [(0, 2000, 2010), (0, 1004, 1010)]
    (covered,) = [one for one in told if isinstance(one, MotionCovered)]
    coarse = [span for one in told if isinstance(one, MotionCoarse) for span in one.ranges]
    spans = [*covered.ranges, *coarse]
    assert min(from_s for from_s, _ in spans) == begins_s
    with MotionClient(rig.home) as client:
        (heat,) = client.heat(query, rig.receipts(query, is_heat=True))
    assert heat.counts[3] == 6 + 10


def test_nothing_is_told_of_what_moved_beside_the_range_or_before_the_footage(rig: Rig) -> None:
    rig.move(0, 960, 3, 10)
    rig.move(0, 1200, 3, 10)
    rig.index.flush()
    rig.index.compact()
    rig.begin()

    def coarse(query: MotionQuery) -> list[tuple[int, int]]:
        told = [one for one in rig.ask(query) if isinstance(one, MotionCoarse)]
        return [(a - BEGIN_S, b - BEGIN_S) for one in told for a, b in one.ranges]

    assert coarse(rig.query(0)) == [(960, 1080), (1200, 1320)]
    since = rig.query(0, from_ns=(BEGIN_S + 975) * _S)
    assert coarse(since) == [(1200, 1320)]
    assert coarse(rig.query(0, from_ns=since.from_ns, to_ns=since.from_ns + 60 * _S)) == []
    rig.begins_s[rig.cameras[0].streams[0].id] = BEGIN_S + 975
    assert coarse(rig.query(0)) == [(1200, 1320)]


def test_what_is_told_no_more_takes_nothing_of_a_limit(rig: Rig) -> None:
    rig.move(0, 2000, 3)
    rig.move(1, 1000, 3)
    rig.begins_s[rig.cameras[0].streams[0].id] = BEGIN_S + 3000
    rig.begin()

    assert rig.hits(rig.query(0, 1, limit=1)) == [(1, 1000, 1001)]
    assert rig.hits(rig.query(0, 1)) == [(1, 1000, 1001)]


def test_what_a_search_finds_damaged_it_says_was_not_searched(rig: Rig) -> None:
    rig.move(0, 600, 3, 10)
    rig.index.flush()
    rig.index.compact()
    (path,) = (rig.home / "motion").glob("days/*/*.motion")
    whole = path.read_bytes()
    at = len(whole) - 1
    rig.begin()
    asked = rig.query(0)
    (before,) = [one for one in rig.ask(asked) if isinstance(one, MotionDone)]
    path.write_bytes(whole[:at] + bytes([whole[at] ^ 1]))

    told = rig.ask(asked)

    first, again = [one for one in told if isinstance(one, MotionCovered)]
    assert first.ranges and not again.ranges
    assert isinstance(told[-1], MotionDone)
    assert (before.seconds_searched, told[-1].seconds_searched) == (10, 0)
    assert not any(isinstance(one, MotionHits) and one.hits for one in told)


def test_what_is_said_again_of_damage_says_nothing_of_an_agreement_that_ended(rig: Rig) -> None:
    for camera in (0, 1):
        rig.move(camera, 600, 3, 10)
    rig.index.flush()
    rig.index.compact()
    stream = rig.cameras[0].streams[0].id
    (path,) = (rig.home / "motion").glob(f"days/{stream.hex()}/*.motion")
    whole = path.read_bytes()
    path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    told = rig.answers.search(1, rig.query(0, 1))
    first = [next(told), next(told)]

    rig.untold.add(rig.cameras[1].id)
    again = [one for one in told if isinstance(one, MotionCovered)]

    assert all(isinstance(one, MotionCovered) and one.ranges for one in first)
    assert [one.ranges for one in again] == [[], []]
