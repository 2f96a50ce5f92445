"""By which transport, and at which of its addresses, a camera is tried."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from dialled_camera import CONFIG, Named, Serving, clip, serving
from vonggac.rtsp.learnt import Learnt
from vonggac.rtsp.url import parse_camera_url
from vonggac_appliance.camera_address import resolve
from vonggac_appliance.camera_memory import Memory
from vonggac_appliance.learnt_store import LearntStore

S = 1_000_000_000
DAY_NS = 86_400 * S


@pytest.fixture(scope="module")
def camera() -> Iterator[Serving]:
    with serving(Named(clip(), "IP Camera(C1214)")) as it:
        yield it


# -- The transport that was entered --


def test_what_worked_is_used_and_once_a_day_what_was_entered_is_tried() -> None:
    memory = Memory(learnt=Learnt("tcp"))
    assert memory.way("udp", 1000 * S) == "tcp"
    assert memory.way("udp", 1000 * S + DAY_NS - 1) == "tcp"
    assert memory.way("udp", 1000 * S + DAY_NS) == "udp"
    assert memory.way("udp", 1001 * S + DAY_NS) == "tcp"  # it fell back again
    assert memory.way("udp", 1000 * S + 2 * DAY_NS) == "udp"


def test_what_works_as_it_was_entered_is_never_tried_otherwise() -> None:
    memory = Memory(learnt=Learnt("udp"))
    assert [memory.way("udp", n * DAY_NS) for n in range(1, 4)] == ["udp"] * 3
    assert memory.fell_back_ns == 0
    assert Memory().way("tcp", 1) == "tcp"


def test_a_clock_that_was_set_back_costs_one_try_and_no_year() -> None:
    memory = Memory(learnt=Learnt("tcp"), fell_back_ns=9000 * DAY_NS)
    assert memory.way("udp", 20 * DAY_NS) == "udp"
    assert memory.way("udp", 20 * DAY_NS + S) == "tcp"


@pytest.mark.parametrize(("entered", "worked"), [("udp", "tcp"), ("tcp", "udp")])
def test_a_camera_that_fell_back_is_asked_as_entered_a_day_later(
    camera: Serving, entered: str, worked: str
) -> None:
    memory = Memory(learnt=Learnt(worked), fell_back_ns=time.time_ns() - DAY_NS // 2)
    before = len(camera.transports())
    assert camera.call(memory, transport=entered) is None
    memory.learnt = replace(memory.learnt, transport=worked)
    memory.fell_back_ns -= DAY_NS
    assert camera.call(memory, transport=entered) is None
    assert camera.transports()[before:] == [worked, entered]
    assert memory.learnt.transport == entered


def test_since_when_it_fell_back_outlives_the_recorder(home: Path) -> None:
    store = LearntStore(home)
    store.of(b"c" * 16).fell_back_ns = 1000 * S
    store.close()
    again = LearntStore(home)
    assert again.of(b"c" * 16).fell_back_ns == 1000 * S
    again.close()


# -- Addresses of a name --


def test_an_address_at_which_nobody_answers_is_not_tried_before_the_others(
    camera: Serving,
) -> None:
    """The camera is at 127.0.0.1 alone; the name is ::1 as well, where the system knows IPv6."""
    memory = Memory()
    url = f"rtsp://localhost:{camera.server.port}/camera"
    results = [camera.call(memory, url=url) for _ in range(4)]
    assert None in results[:2]
    assert results[2:] == [None, None]


def test_addresses_are_taken_in_turn_once_none_of_them_answered() -> None:
    url = parse_camera_url("rtsp://127.0.0.1/")
    found = asyncio.run(resolve(url, CONFIG, ["127.0.0.1"]))
    assert found.sockaddr == ("127.0.0.1", 554)
