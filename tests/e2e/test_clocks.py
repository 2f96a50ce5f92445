"""The box's clock is set while it records: nothing is lost, overwritten, reordered or erased."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from box_rig import DEADLINE_S, Box, Cameras
from clip_source import ClipSource
from clock_rig import HOUR, SECOND, YEAR, ClockSetter, Footage, add, film, until_told
from vonggac.media.chunk import GapReason
from vonggac.registry.catalog import Catalog
from vonggac.store.check import check
from vonggac_appliance import bus_events, clock_watch

pytestmark = pytest.mark.slow

NAMES = ("gate", "alley")
FILM_S = 12.0
DEAD_RTC_NS = 40 * SECOND
"""1970, a moment after the start."""
NEAR_NS = 8 * SECOND
"""A tick that tells of a stream is at most so old."""


@pytest.fixture
def clock(
    program: Callable[[str], str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> ClockSetter:
    setter = ClockSetter(program("cc"), tmp_path)
    for name, value in setter.environment.items():
        monkeypatch.setenv(name, value)
    return setter


@pytest.fixture
def box(clock: ClockSetter, tmp_path: Path) -> Iterator[Box]:
    made = Box(tmp_path / "home")
    yield made
    made.discard()


def until_recorded(
    box: Box, clock: ClockSetter, streams: dict[str, bytes]
) -> list[bus_events.Alarm]:
    """Until all of them are durable in the time that the clock shows now; gives alarms heard."""
    now_ns = clock.now_ns()
    alarms: list[bus_events.Alarm] = []
    until_told(box.home, (now_ns - NEAR_NS, now_ns + 40 * SECOND), [*streams.values()], alarms)
    return alarms


def is_noted(box: Box, number: int, _: object) -> bool:
    """Whether so many steps wait for a person: the recorder looks once a second."""
    note = clock_watch.unconfirmed(box.home)
    return note is not None and note.count == number


def test_steps_of_the_clock_lose_nothing_and_make_runs_of_their_own(
    box: Box, clock: ClockSetter
) -> None:
    """An hour and a year, to and fro."""
    films = {name: film(FILM_S) for name in NAMES}
    source = ClipSource(films)
    try:
        streams = add(box, source, NAMES)
        with box.running():
            until_recorded(box, clock, streams)
            steps = [HOUR, -HOUR, YEAR, -YEAR]
            for number, step in enumerate(steps, 1):
                clock.set_by(step)
                until_recorded(box, clock, streams)
                box.until(partial(is_noted, box, number))
            assert source.all_sent.wait(DEADLINE_S)
            sent = sum(len(f.units) for f in films.values())
            box.until(lambda now: sum(s.samples for c in now.cameras for s in c.streams) >= sent)
    finally:
        source.stop()

    assert source.connections == len(NAMES)
    for name, stream in streams.items():
        found = Footage(box.disk, stream)
        found.assert_runs_are_whole()
        assert found.frames == len(films[name].units)
        assert len(found.runs) == 1 + len(steps)
        assert [run.gap_reason for run in found.runs[1:]] == [GapReason.CLOCK_SET] * len(steps)
        before = [(run.run, run.wall_end_ns) for run in found.runs[:-1]]
        assert [(run.predecessor_run, run.gap_start_ns) for run in found.runs[1:]] == before
        for step, (old, new) in zip(steps, itertools.pairwise(found.runs), strict=True):
            assert abs(new.wall_start_ns - old.wall_end_ns - step) < 3 * SECOND
        gaps = {
            gap.reason
            for gap in found.timeline.gaps
            if found.first_ns <= gap.from_ns < found.last_ns
        }
        assert gaps == {GapReason.CLOCK_SET}
        ranges = found.timeline.ranges
        assert [r.from_ns for r in ranges] == sorted(r.from_ns for r in ranges)
        assert sum(r.frames for r in ranges) == found.frames
        assert len(ranges) <= len(found.runs)
    assert check(box.disk, is_deep=True).problems == []


def test_a_recorder_that_starts_in_the_past_adds_to_what_is_there(
    box: Box, clock: ClockSetter
) -> None:
    """The battery of its clock is dead: 1970, until the time comes from the network."""
    cameras = Cameras(1)
    try:
        box.add(cameras, "cam1")
        with box.running():
            box.until_durable(2.0)
        with Catalog(box.home, is_readonly=True) as catalog:
            streams = {s.name: s.id for c in catalog.cameras() for s in c.streams}
        before = {name: Footage(box.disk, stream).rows for name, stream in streams.items()}
        assert clock_watch.unconfirmed(box.home) is None
        clock.set_to(DEAD_RTC_NS)
        with box.running():
            until_recorded(box, clock, streams)
            behind = clock_watch.unconfirmed(box.home)
            clock.set_by(-clock.offset_ns)
            until_recorded(box, clock, streams)
    finally:
        cameras.stop()

    assert behind is not None and behind.count == 1 and behind.step_ns < -56 * YEAR
    for name, stream in streams.items():
        found = Footage(box.disk, stream)
        found.assert_runs_are_whole()
        assert found.rows[: len(before[name])] == before[name]
        _, past, present = found.runs
        assert past.wall_start_ns < DEAD_RTC_NS + 60 * SECOND
        assert (present.predecessor_run, present.gap_reason) == (past.run, GapReason.CLOCK_SET)
    assert "the last of 2 steps" in box.run("clock", "status")
    assert "confirmed" in box.run("clock", "confirm")
    assert clock_watch.unconfirmed(box.home) is None
