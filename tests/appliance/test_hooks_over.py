"""A connected program is given nothing more of a camera from the moment that it may not have it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import pytest

from hook_rig import SECOND_NS, Eyes, HookBox, free_port, until
from vonggac.registry.camera import Basis, Hours, Mode
from vonggac.registry.catalog import Catalog

MINUTE_NS = 60 * SECOND_NS


@pytest.fixture
def eyes(home: Any) -> Iterator[Eyes]:
    eyes = Eyes(home)
    yield eyes
    eyes.close()


def runs_out(box: HookBox) -> None:
    agree(box, until_ns=time.time_ns() + 3 * SECOND_NS)


def leaves_its_hours(box: HookBox) -> None:
    """When the next minute begins."""
    minute = time.time_ns() // MINUTE_NS % 1440
    agree(box, hours=(Hours((minute - 30) % 1440, (minute + 1) % 1440),))


def is_removed(box: HookBox) -> None:
    with Catalog(box.home) as catalog:
        catalog.remove_camera("cam4")


def agree(box: HookBox, **more: Any) -> None:
    basis = Basis(Mode.RECORDED_AND_LIVE, 1, utc_offset_minutes=0, hooks=True, **more)
    with Catalog(box.home) as catalog:
        camera = catalog.camera("cam4")
        assert camera is not None
        catalog.change_camera(msgspec.structs.replace(camera, basis=basis))


@pytest.mark.parametrize(
    "ends",
    [runs_out, pytest.param(leaves_its_hours, marks=pytest.mark.slow), is_removed],
)
def test_what_a_program_had_of_a_camera_it_has_no_more(
    home: Any, eyes: Eyes, ends: Callable[[HookBox], None]
) -> None:
    box, port = HookBox(home), free_port()
    agree(box)
    with box.running():
        key = box.grant(port, cameras=("cam1", "cam4"), kinds=("motion", "key-frames", "marks"))
        with box.program(port, key) as hook:
            found: list[dict[str, Any]] = []

            def hear() -> list[dict[str, Any]]:
                found.extend(told := list(hook.messages(wait_s=0.3)))
                return told

            def is_told_of_both() -> bool:
                eyes.see("cam1", 1)
                eyes.see("cam4", 1)
                return {"cam1", "cam4"} <= {t["camera"] for t in hear() if t["type"] == "motion"}

            until("both cameras", is_told_of_both)
            ends(box)
            until("its end", lambda: next(hook.messages())["cameras"] == ["cam1"])
            hear()  # what was on its way
            given = len(box.lines("hook delivery"))
            found.clear()
            now_ns = time.time_ns()
            numbers = {
                hook.mark("cam4", now_ns - SECOND_NS, now_ns, "lorry"),
                hook.ask_picture("cam4", now_ns - SECOND_NS),
            }

            def is_told_of_the_other() -> bool:
                eyes.see("cam4", 2)
                eyes.see("cam1", 2)
                hear()
                return sum(told["type"] == "motion" for told in found) >= 3

            until("the other camera", is_told_of_the_other)
    lines = box.lines("hook delivery")[given:]

    assert {told["camera"] for told in found if told["type"] == "motion"} == {"cam1"}
    refused = {told["number"]: told["code"] for told in found if told["type"] == "refused"}
    assert refused == dict.fromkeys(numbers, "camera")
    assert not [line for line in lines if line["object"].startswith("cam4 ")]
    assert not box.lines("hook picture")
