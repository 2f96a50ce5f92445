"""What a person sees and does on the page, in Debian's Chromium and Firefox, on a real box.

The tests of one browser follow each other: the first one signs in.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from box_rig import Cameras
from browser_person import BROWSERS, Person, missing_for
from page_rig import NAME, PAGE_PASSWORD, PagedBox
from vonggac.registry.catalog import Catalog

SMOOTH, HEVC, BROKEN = "cam1", "cam2", "cam3"
"""Recorded throughout in H.264; in H.265; with a gap of a few seconds."""
GAP_S = 4.0
END_S = 15.0
"""How soon after its browser died a look has its end in the chain (evidence V-1)."""


@dataclass(slots=True)
class Scene:
    """A box that records, its cameras, and somebody at a browser."""

    box: PagedBox
    cameras: Cameras
    person: Person

    def camera_id(self, code: str) -> str:
        with Catalog(self.box.home, is_readonly=True) as catalog:
            camera = catalog.camera(code)
        assert camera is not None
        return camera.id.hex()

    def plays(self, story: str, **options: object) -> dict[str, Any]:
        """A story in which the page complained of nothing."""
        told = self.person.plays(story, **options)
        assert told.complaints == []
        return told.result


def need(browser: str) -> None:
    """Skips, or fails where VONGGAC_BROWSERS=required says that nothing may be missing."""
    if missing := missing_for(browser):
        reason = f"a browser test needs {', '.join(missing)}"
        if os.environ.get("VONGGAC_BROWSERS") == "required":
            pytest.fail(reason)
        pytest.skip(reason)


@pytest.fixture(scope="module", params=BROWSERS)
def browser(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    need(name)
    return name


@pytest.fixture(scope="module")
def scene(browser: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """Recorded for a while, a gap in the third camera, and somebody who has signed in."""
    cameras = Cameras(3)
    box = PagedBox(tmp_path_factory.mktemp("page") / "home")
    try:
        for name in cameras.names:
            box.add(cameras, name)
        with box.running("run"):
            person = Person(browser, box.origin)
            try:
                _record_with_a_gap(box, cameras)
                yield Scene(box, cameras, person)
            finally:
                person.leave()
    finally:
        box.discard()
        cameras.stop()


def _record_with_a_gap(box: PagedBox, cameras: Cameras) -> None:
    box.until_durable(4)
    cameras.server.take_down(BROKEN)
    gone_s = time.monotonic()
    box.until(lambda now: {c.id: c.state for c in now.cameras}[BROKEN] != "recording")
    time.sleep(max(0.0, gone_s + GAP_S - time.monotonic()))  # the length of the gap is its point
    cameras.server.bring_back(BROKEN)
    box.until_durable(4)


def test_the_first_person_comes_in_with_the_code(scene: Scene) -> None:
    code = scene.box.setup_code()

    seen = scene.plays("first_sign_in", code=code, name=NAME, password=PAGE_PASSWORD)

    assert seen["landed"] == "/setup"
    assert seen["focused"] == "code"
    assert seen["then"] == "/cameras"
    assert seen["who"] == NAME
    assert "vonggac" not in seen["cookieInScript"]
    assert scene.box.until_line(action="sign in", result="allowed")["session"]
