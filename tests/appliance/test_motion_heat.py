"""Heat pictures: how often each cell of a camera moved."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from motion_answers_rig import BEGIN_S, Rig, camera_of, motion_answers
from vonggac.errors import Refused
from vonggac.motion.slots import Slot, Tier, cells_of
from vonggac.registry.camera import Camera, OwnerKind, Stream
from vonggac_appliance.messages_motion import (
    MotionDone,
    MotionHeat,
    MotionHits,
)
from vonggac_appliance.motion_client import MotionClient

_S = 1_000_000_000


@pytest.fixture
def rig(home: Path) -> Iterator[Rig]:
    with motion_answers(home) as made:
        yield made


def test_heat_counts_the_seconds_of_each_cell(rig: Rig) -> None:
    rig.move(0, 100, 3, seconds=5)
    rig.move(0, 200, 3, seconds=2)
    rig.begin()
    query = rig.query(0)

    with MotionClient(rig.home) as client:
        (heat,) = client.heat(query, rig.receipts(query, is_heat=True))
        with pytest.raises(Refused):
            client.heat(query, rig.receipts(query))

    assert heat.seconds == 7
    assert {cell: n for cell, n in enumerate(heat.counts) if n} == {3: 7}


def test_heat_counts_a_second_once_that_both_streams_of_a_camera_were_indexed_for(rig: Rig) -> None:
    """As around the moment in which a sub-stream stays away."""
    both = (Stream(os.urandom(16), "main", "rtsp://127.0.0.1/main"), *camera_of("cam3").streams)
    rig.cameras.append(Camera(os.urandom(16), "cam3", both, 1, owner_kind=OwnerKind.STATE))
    rig.looks._catalog.add_camera(rig.cameras[2])
    for stream, column in zip(both, (3, 4), strict=True):
        at = range(BEGIN_S + 100, BEGIN_S + 105)
        rig.index.add(stream.id, [Slot(s, cells_of([3, column]), Tier.FULL) for s in at])
    rig.begin()
    query = rig.query(2)

    with MotionClient(rig.home) as client:
        (heat,) = client.heat(query, rig.receipts(query, is_heat=True))

    assert heat.seconds == 5
    assert {cell: n for cell, n in enumerate(heat.counts) if n} == {3: 5, 4: 5}


def test_who_waits_for_a_heat_picture_of_many_days_hears_that_it_goes_on(home: Path) -> None:
    with motion_answers(home, say_s=0.0) as rig:
        for day in range(6):
            rig.move(0, -86_400 * day, 3)
        rig.index.flush()
        rig.index.compact()
        query = rig.query(0, from_ns=(BEGIN_S - 6 * 86_400) * _S)

        told = [one for one in rig.answers.heat(7, query) if one is not None]

        assert told[:6] == [MotionHits(7, [])] * 6
        assert [type(one) for one in told[6:]] == [MotionHeat, MotionDone]
        rig.begin()
        with MotionClient(rig.home) as client:
            (heat,) = client.heat(query, rig.receipts(query, is_heat=True))
        assert heat.counts[3] == 6
