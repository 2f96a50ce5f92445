"""Live views of a real recorder: from the ring into the loop, over drops, restarts and renewals."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from box_rig import DEADLINE_S, Box, Cameras, states
from fragment_reader import Told, browsers_keep, read
from vonggac.evidence import receipt
from vonggac.registry.catalog import Catalog
from vonggac.registry.people import Purpose, PurposeCode
from vonggac_appliance import secrets
from vonggac_appliance.live_view import SYNC, LiveMessage, LiveState, LiveView
from vonggac_appliance.live_views import LiveViews
from vonggac_appliance.look import Look
from vonggac_appliance.recorder_events import RecorderEvents

NS = 1_000_000_000


def look_at(
    home: Path, catalog: Catalog, code: str, seconds: float = 600, back_s: float = 60
) -> Look:
    """An open look with a receipt of the chain's own key."""
    camera = catalog.camera(code)
    assert camera is not None
    now_ns = time.time_ns()
    from_ns, to_ns = now_ns - int(back_s * NS), now_ns + int(seconds * NS)
    proof = receipt.Receipt(
        line=1,
        camera=camera.id,
        streams=tuple(stream.id for stream in camera.streams),
        from_ns=from_ns,
        to_ns=to_ns,
        permit=receipt.Permit.LIVE,
        expires_ns=to_ns,
    )
    return Look(
        id="0" * 32,
        session="s",
        camera=camera,
        kind="live",
        streams=camera.streams,
        from_ns=from_ns,
        to_ns=to_ns,
        shown_from_ns=from_ns,
        purpose=Purpose(PurposeCode.RESCUE, "thử"),
        line=1,
        receipt=receipt.write(secrets.receipt_key(home), proof),
        opened_ns=now_ns,
        expires_ns=to_ns,
    )


class Watching:
    """A view in a thread of its own, as a tile has it."""

    def __init__(self, views: LiveViews, look: Look, name: str = "main", pause_s: float = 0.0):
        stream = look.stream(name)
        assert stream is not None
        self.look: Look | None = look
        self.pause_s = pause_s
        self.view: LiveView = views.watch(look, stream, lambda: self.look)
        self.heard: list[LiveMessage | LiveState] = []
        self.delays_s: list[float] = []
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        for item in self.view:
            if isinstance(item, LiveMessage) and item.kind == "media":
                self.delays_s.append((time.time_ns() - item.wall_ns) / NS)
            with self._changed:
                self.heard.append(item)
                self._changed.notify_all()
            if self.pause_s:
                time.sleep(self.pause_s)
        with self._changed:
            self._changed.notify_all()

    def until(self, is_so: Callable[[], bool]) -> None:
        with self._changed:
            assert self._changed.wait_for(is_so, DEADLINE_S), self.states()

    def states(self) -> list[tuple[str, str]]:
        return [(i.state, i.code) for i in list(self.heard) if isinstance(i, LiveState)]

    def until_state(self, state: str, code: str = "", count: int = 1) -> None:
        self.until(lambda: self.states().count((state, code)) >= count)

    def media(self) -> list[LiveMessage]:
        return [i for i in list(self.heard) if isinstance(i, LiveMessage) and i.kind == "media"]

    def inits(self) -> list[LiveMessage]:
        return [i for i in list(self.heard) if isinstance(i, LiveMessage) and i.kind == "init"]

    def samples(self) -> list[Told]:
        return [sample for message in self.media() for sample in read(message.data)]

    def until_more(self, count: int) -> None:
        wanted = len(self.media()) + count
        self.until(lambda: len(self.media()) >= wanted)

    def end(self) -> None:
        self.view.close()
        self._thread.join(DEADLINE_S)
        assert not self._thread.is_alive()


@pytest.fixture(scope="module")
def cameras() -> Iterator[Cameras]:
    made = Cameras(2)
    yield made
    made.stop()


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory, cameras: Cameras) -> Iterator[Box]:
    """It records both cameras, from test to test; who takes something down brings it back."""
    made = Box(tmp_path_factory.mktemp("live") / "home", "320M")
    for name in cameras.names:
        made.add(cameras, name)
    with made.running():
        made.until_durable(3.0)
        yield made
    made.discard()


@pytest.fixture
def catalog(box: Box) -> Iterator[Catalog]:
    with Catalog(box.home, is_readonly=True) as opened:
        yield opened


@pytest.fixture
def views(box: Box, catalog: Catalog) -> Iterator[LiveViews]:
    events = RecorderEvents(box.home)
    made = LiveViews(box.home, catalog, events)
    yield made
    made.close()
    events.close()


def without_holes(told: list[Told], step: int) -> bool:
    """Pictures that follow each other, none twice and none left out."""
    return {b.shown - a.shown for a, b in itertools.pairwise(told)} == {step}


@pytest.mark.parametrize("name", ["cam1", "cam2"])
def test_a_view_begins_at_once_and_nothing_is_missing_between_ring_and_loop(
    box: Box, catalog: Catalog, views: LiveViews, name: str
) -> None:
    box.until_durable(3.0)
    look = look_at(box.home, catalog, name)
    came_from_ring = 0
    ages_s = []
    for n in range(40):
        if n >= 8 and came_from_ring and max(ages_s) > 0.5:
            break
        watching = Watching(views, look)
        watching.until_more(16)
        watching.end()
        # It did not wait for a key frame to come: so the first picture is of some age, unless
        # one came at that very moment.
        assert ("waiting", "key-frame") not in watching.states()
        ages_s.append(watching.delays_s[0])
        told = watching.samples()
        assert told[0].is_sync
        assert without_holes(told, 3600), [b.shown - a.shown for a, b in itertools.pairwise(told)]
        assert browsers_keep(told)
        walls = [message.wall_ns for message in watching.media()]
        assert walls == sorted(walls)
        # A loop gives one picture at a time, the ring chunks. The first of them may be a key frame
        # alone: one that came just before a tick, as then each of this camera's does.
        came_from_ring += any(len(read(message.data)) > 1 for message in watching.media())
        time.sleep(0.23 * (n % 3))  # at other places of a GOP
    assert came_from_ring > 0
    assert max(ages_s) > 0.5
    assert watching.states()[:2] == [("starting", ""), ("live", "")]
    (init,) = watching.inits()
    assert init.data[4:8] == b"ftyp"


def test_a_camera_that_drops_and_comes_back_is_seen_again_in_the_same_view(
    box: Box, cameras: Cameras, catalog: Catalog, views: LiveViews
) -> None:
    box.until_durable(1.0)
    watching = Watching(views, look_at(box.home, catalog, "cam1"))
    watching.until_more(20)
    cameras.server.take_down("cam1")
    box.until(lambda now: states(now)["cam1"] == "waiting")
    watching.until_state("waiting", "camera")
    before = len(watching.media())
    cameras.server.bring_back("cam1")
    watching.until_state("live", count=2)
    watching.until(lambda: len(watching.media()) > before + 20)
    watching.end()
    told = watching.samples()
    assert watching.media()[before].flags & SYNC
    assert browsers_keep(told)
    assert without_holes(told, 3600)  # media time goes on, wall time has jumped
    walls = [message.wall_ns for message in watching.media()]
    assert walls[before] - walls[before - 1] > 2 * NS


def test_a_recorder_that_is_started_anew_is_seen_without_a_new_look(
    box: Box, catalog: Catalog, views: LiveViews
) -> None:
    box.until_durable(1.0)
    watching = Watching(views, look_at(box.home, catalog, "cam1"))
    watching.until_more(10)
    assert box.stop() == 0
    watching.until_state("waiting", "recorder")
    box.start()
    watching.until_state("live", count=2)
    watching.until_more(20)
    watching.end()
    assert browsers_keep(watching.samples())


def test_a_view_ends_with_its_receipt_unless_the_look_is_renewed(
    box: Box, catalog: Catalog, views: LiveViews
) -> None:
    box.until_durable(1.0)
    left = Watching(views, look_at(box.home, catalog, "cam1", seconds=5))
    renewed = Watching(views, look_at(box.home, catalog, "cam1", seconds=5))
    renewed.until_more(1)
    renewed.look = replace(look_at(box.home, catalog, "cam1"))
    left.until_state("ended", "renew")
    renewed.until_more(50)
    renewed.end()
    left.end()
    assert left.view.look.expires_ns <= time.time_ns()
    assert max(message.wall_ns for message in left.media()) < left.view.look.expires_ns
    assert renewed.states() == [("starting", ""), ("live", ""), ("live", "")]
    assert len(renewed.inits()) == 1
    told = renewed.samples()
    assert without_holes(told, 3600)  # over the change of receipts, too
    assert browsers_keep(told)


def test_a_look_that_is_ended_ends_the_view(box: Box, catalog: Catalog, views: LiveViews) -> None:
    box.until_durable(1.0)
    watching = Watching(views, look_at(box.home, catalog, "cam1"))
    watching.until_more(5)
    watching.look = None
    watching.until_state("ended", "look")
    watching.end()


def test_a_forged_receipt_shows_nothing(box: Box, catalog: Catalog, views: LiveViews) -> None:
    box.until_durable(1.0)
    watching = Watching(views, replace(look_at(box.home, catalog, "cam1"), receipt=b"forged"))
    watching.until_state("refused", "receipt")
    watching.end()
    assert watching.media() == watching.inits() == []


def test_a_slow_viewer_is_dropped_to_a_key_frame_and_told(
    box: Box, catalog: Catalog, views: LiveViews
) -> None:
    box.until_durable(1.0)
    watching = Watching(views, look_at(box.home, catalog, "cam1"))
    watching.until_more(5)
    watching.pause_s = 0.4
    watching.until_state("dropped")
    watching.pause_s = 0.0
    watching.until_more(30)
    watching.end()
    heard = watching.heard
    at = heard.index(LiveState("dropped"))
    after = heard[at + 1]
    assert isinstance(after, LiveMessage)
    assert after.flags & SYNC and after.flags & 2
    assert browsers_keep(watching.samples())


def test_the_start_of_a_gop_outside_of_the_look_is_waited_out(
    box: Box, catalog: Catalog, views: LiveViews
) -> None:
    """What was before the look's range stays unseen: the view begins at a key frame."""
    box.until_durable(3.0)
    found = False
    for n in range(40):
        if found:
            break
        look = look_at(box.home, catalog, "cam1", back_s=0)
        watching = Watching(views, look)
        watching.until_more(30)
        watching.end()
        assert watching.samples()[0].is_sync
        found = ("waiting", "key-frame") in watching.states()
        time.sleep(0.23 * (n % 3))  # at other places of a GOP
    assert found
