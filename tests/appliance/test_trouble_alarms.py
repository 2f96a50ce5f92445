"""Camera trouble on its way from the motion process to the alarms, over a real socket."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
import zmq
import zmq.asyncio

from vonggac.motion.trouble import Trouble, TroubleTold
from vonggac.registry.alarms import Alarm
from vonggac.registry.camera import Camera, Stream
from vonggac_appliance.alarm_store import AlarmStore, read_stopped
from vonggac_appliance.bus_events import CameraTrouble
from vonggac_appliance.clock import wall_ns
from vonggac_appliance.events import Publisher
from vonggac_appliance.motion_plan import MotionPlan
from vonggac_appliance.motion_trouble import Troubled, TroubleTelling
from vonggac_appliance.recorder_trouble import TroubleAlarms

S = 1_000_000_000
CAMERA = Camera(b"c" * 16, "cam1", (Stream(b"s" * 16, "sub", "rtsp://127.0.0.1/"),), 1)
NOW_NS = 1_790_000_000 * S
EVENT = CameraTrouble("cam1", "covered", NOW_NS - 300 * S, NOW_NS - 400 * S, NOW_NS - 9 * S, NOW_NS)


class Rig:
    def __init__(self, home: Path, context: zmq.Context[zmq.Socket[bytes]]) -> None:
        self.store = AlarmStore(home)
        self.publisher = Publisher(home, "record", context)
        self.alarms = TroubleAlarms(
            self.store, self.publisher, lambda code: code == "cam1", lambda: NOW_NS
        )

    def rows(self) -> list[Alarm]:
        return self.store.newest(10)


@pytest.fixture
def rig(home: Path) -> Iterator[Rig]:
    with zmq.Context() as context:
        made = Rig(home, context)
        yield made
        made.store.close()
        made.publisher.close()


@pytest.mark.parametrize("kind", list(Trouble))
def test_trouble_is_one_alarm_however_often_it_is_told(rig: Rig, kind: Trouble) -> None:
    for _ in range(3):
        rig.alarms.take(msgspec.structs.replace(EVENT, kind=kind))

    (row,) = rig.rows()
    assert (row.kind, row.subject, row.count) == (f"view-{kind}", "cam1", 1)
    assert "needs a look" in row.what
    assert row.pictures_ns == (EVENT.usual_ns, EVENT.shown_ns)


def test_what_somebody_acknowledged_is_not_raised_again_until_there_is_another(rig: Rig) -> None:
    rig.alarms.take(EVENT)
    rig.store.acknowledge(1, "An", "a bag, taken away", NOW_NS)
    rig.alarms.take(EVENT)
    assert [row.number for row in rig.rows()] == [1]

    rig.alarms.take(msgspec.structs.replace(EVENT, from_ns=EVENT.from_ns + 60 * S))
    assert [row.number for row in rig.rows()] == [2, 1]


@pytest.mark.parametrize(
    "change",
    [
        {"camera": "nobody"},
        {"kind": "person"},
        {"shown_ns": NOW_NS + 3600 * S},
        {"usual_ns": -1},
    ],
    ids=str,
)
def test_what_cannot_be_is_not_believed(rig: Rig, change: dict[str, object]) -> None:
    rig.alarms.take(msgspec.structs.replace(EVENT, **change))
    assert rig.rows() == []


def test_moments_stay_on_the_disk_and_older_rows_have_none(rig: Rig, home: Path) -> None:
    rig.store.note("flood", "cam1/main", "too much", NOW_NS)
    rig.alarms.take(EVENT)
    rig.store.close()
    kept = {row.kind: row.pictures_ns for row in read_stopped(home)}
    assert kept == {"flood": (), "view-covered": (EVENT.usual_ns, EVENT.shown_ns)}


def test_the_recorder_hears_the_motion_process_again_and_again_until_it_is_over(
    home: Path,
) -> None:
    asyncio.run(asyncio.wait_for(_heard(home), 60))


async def _heard(home: Path) -> None:
    plan = MotionPlan(0.5)
    plan.update([CAMERA])
    now_ns = wall_ns()
    told = TroubleTold(Trouble.TURNED, now_ns - 300 * S, now_ns - 400 * S, now_ns - 9 * S)
    with zmq.asyncio.Context() as context:
        shadow = zmq.Context.shadow(context.underlying)
        store, record = AlarmStore(home), Publisher(home, "record", shadow)
        motion = Publisher(home, "motion", shadow)
        telling = TroubleTelling(plan, motion)
        alarms = TroubleAlarms(store, record, lambda code: code == "cam1")
        serving = asyncio.create_task(alarms.serve(home, context))
        telling.take(Troubled(CAMERA.id, told))
        while not store.open_count:  # the first may be told before anybody listens
            telling.again()
            await asyncio.sleep(0.05)
        (row,) = store.newest(2)
        assert (row.kind, row.pictures_ns) == ("view-turned", (told.usual_ns, told.at_ns))
        store.acknowledge(row.number, "An", "", now_ns)
        telling.take(Troubled(CAMERA.id, dataclasses.replace(told, is_over=True)))
        telling.again()
        assert store.open_count == 0
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)
        motion.close()
        record.close()
        store.close()
