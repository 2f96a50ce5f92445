"""What the motion process tells on the bus, heard by a real subscriber."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import zmq

from vonggac.motion.slots import NO_CELLS, Slot, Tier, cells_of
from vonggac.registry.camera import Camera, Stream
from vonggac_appliance import bus_events
from vonggac_appliance.bus_events import MotionFound, MotionTier
from vonggac_appliance.events import Publisher
from vonggac_appliance.motion_plan import MotionPlan
from vonggac_appliance.motion_telling import MotionTelling
from vonggac_appliance.sockets import ipc_path

_CAMERA = Camera(b"c" * 16, "cam1", (Stream(b"s" * 16, "sub", "rtsp://127.0.0.1/"),), 1)


class Rig:
    def __init__(self, home: Path, context: zmq.Context[zmq.Socket[bytes]]) -> None:
        self.plan = MotionPlan(0.5)
        self.plan.update([_CAMERA])
        self.publisher = Publisher(home, "motion", context)
        self.telling = MotionTelling(self.plan, self.publisher)
        self.heard = context.socket(zmq.SUB)
        self.heard.linger = 0
        self.heard.subscribe(b"")
        with ipc_path(bus_events.events_endpoint(home, "motion")) as address:
            self.heard.connect(address)
            self._until_connected()

    def _until_connected(self) -> None:
        """A PUB socket sends nothing to who is not there yet."""
        until_s = time.monotonic() + 60
        while time.monotonic() < until_s:
            self.publisher.send(MotionTier("", "full", "", 0))
            if self.heard.poll(50):
                break
        while self.heard.poll(200):
            self.heard.recv_multipart()

    def next(self) -> bus_events.Event:
        assert self.heard.poll(60_000)
        return bus_events.decode_event(self.heard.recv_multipart())

    def close(self) -> None:
        self.heard.close()
        self.publisher.close()


@pytest.fixture
def rig(home: Path) -> Iterator[Rig]:
    with zmq.Context() as context:
        made = Rig(home, context)
        yield made
        made.close()


def slots(from_s: int, *cells: int) -> tuple[Slot, ...]:
    """One second after the other, with so many cells each."""
    return tuple(
        Slot(second, cells_of(range(count)) if count else NO_CELLS, Tier.FULL)
        for second, count in enumerate(cells, from_s)
    )


def test_an_episode_is_told_at_its_beginning_and_at_its_end(rig: Rig) -> None:
    from_s = int(time.time()) - 20
    rig.telling.see(_CAMERA.id, slots(from_s, 0, 2, 7, 0, 0, 0, 0, 0, 0))

    began, over = rig.next(), rig.next()

    assert isinstance(began, MotionFound) and isinstance(over, MotionFound)
    assert (began.camera, began.episode, began.is_over) == ("cam1", from_s + 1, False)
    assert (over.episode, over.is_over, over.cells) == (from_s + 1, True, 7)
    assert (over.from_ns, over.to_ns) == ((from_s + 1) * 10**9, (from_s + 3) * 10**9)
    assert over.strongest_ns == (from_s + 2) * 10**9


def test_a_camera_that_goes_away_in_the_middle_ends_its_episode(rig: Rig) -> None:
    rig.telling.see(_CAMERA.id, slots(int(time.time()) - 60, 3))
    rig.telling.quiet()

    told = [rig.next(), rig.next()]

    assert [one.is_over for one in told if isinstance(one, MotionFound)] == [False, True]


def test_what_is_indexed_late_is_no_news(rig: Rig) -> None:
    rig.telling.see(_CAMERA.id, slots(int(time.time()) - 3600, 3))
    rig.telling.tiers(rig.plan.watches())

    assert isinstance(rig.next(), MotionTier)


def test_a_camera_that_is_decoded_in_another_way_is_told_with_the_reason(rig: Rig) -> None:
    rig.telling.tiers(rig.plan.govern({_CAMERA.id: Tier.KEY}))

    told = rig.next()

    assert isinstance(told, MotionTier)
    assert (told.camera, told.tier) == ("cam1", "key")
    assert told.what == "the share of the CPU does not suffice: by key frames alone"


def test_the_state_has_what_each_camera_costs_and_how_far_it_is(rig: Rig) -> None:
    now_ns = time.time_ns()
    rig.plan.heard(b"s" * 16, now_ns)
    rig.plan.add_old(_CAMERA.id, [(1000, 1600)])
    rig.telling.count()

    told = rig.telling.status(7, 0.5, 4711, 3)

    assert (told.number, told.cpu_budget_permille, told.index_bytes, told.skipped) == (
        7, 500, 4711, 3,
    )  # fmt: skip
    (stream,) = told.streams
    assert (stream.stream, stream.tier, stream.backlog_s) == ("sub", "full", 600)
    assert stream.behind_s in (3, 4)
