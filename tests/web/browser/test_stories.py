"""What a person sees and does on the page, in Debian's Chromium and Firefox, on a real box.

The tests of one browser follow each other: the first one signs in.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from box_rig import Cameras, wait_gone
from browser_person import BROWSERS, ROOT, Person, descendants, missing_for
from page_rig import NAME, PAGE_PASSWORD, PagedBox
from vonggac.motion.mark_files import MarkFiles
from vonggac.motion.marks import Mark
from vonggac.registry.catalog import Catalog
from vonggac_appliance import bus_control, control
from vonggac_appliance.hook_marks import folder_of

SMOOTH, BROKEN = "cam1", "cam3"
"""Recorded throughout; with a gap of a few seconds. Between them is one that sends H.265."""
GAP_S = 4.0
TEXTS = json.loads((ROOT / "web/vonggac_web/translations/vi.json").read_text(encoding="utf-8"))
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

    def gap_ms(self) -> tuple[int, int]:
        """Where the recording of the broken camera stops and goes on."""
        ranges = self.box.timeline(BROKEN, "main").ranges
        assert len(ranges) >= 2, ranges
        return ranges[0].to_ns // 10**6, ranges[1].from_ns // 10**6

    def mark(self, code: str, marks: list[tuple[int, str]]) -> None:
        """These alone, as `hooks run` keeps them: a second each, from a moment (ms) on."""
        shutil.rmtree(folder_of(self.box.home), ignore_errors=True)
        files = MarkFiles(folder_of(self.box.home), 1 << 20)
        camera = bytes.fromhex(self.camera_id(code))
        for at_ms, kind in marks:
            span = (at_ms * 10**6, at_ms * 10**6 + 10**9)
            files.add(camera, Mark(9, *span, kind, (0.0, 0.0, 1.0, 1.0), 0.5, span[1]))
        files.close()

    def marks_lines(self) -> list[dict[str, Any]]:
        """Who asked for marks."""
        return [line for line in self.box.audit_lines() if line["action"] == "mark list"]

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
    for width in (1366, 360):
        told = scene.plays("axe", path="/setup", width=width, height=760)
        assert told["url"].endswith("/setup")
        assert told["serious"] == []
        assert told["overflow"]["by"] <= 0, told["overflow"]

    seen = scene.plays("first_sign_in", code=code, name=NAME, password=PAGE_PASSWORD)

    assert seen["landed"] == "/setup"
    assert seen["focused"] == "code"
    assert seen["then"] == "/cameras"
    assert seen["who"] == NAME
    assert "vonggac" not in seen["cookieInScript"]
    assert scene.box.until_line(action="sign in", result="allowed")["session"]


def test_the_list_says_what_every_camera_does_and_shows_no_picture(scene: Scene) -> None:
    scene.box.until_durable(4)

    seen = scene.plays("list")

    for name in scene.cameras.names:
        assert name in seen["text"]
        assert any(link.endswith(scene.camera_id(name)) for link in seen["links"])
    assert "H.264" in seen["text"]
    assert "H.265" in seen["text"]
    assert seen["text"].count(words("state.recording")) >= len(scene.cameras.names)
    assert seen["images"] == 0


def test_live_pictures_come_once_a_purpose_was_said(scene: Scene) -> None:
    told = scene.plays(
        "live", camera=scene.camera_id(SMOOTH), code="hình sự", text="vụ 12/2026", refuse=True
    )

    assert told["wrong"]
    assert told["withoutPurpose"] == 0
    assert told["stateWithout"] == "idle"
    assert told["frames"] == 40
    assert told["advances"]
    assert (told["width"], told["height"]) == (1280, 720)
    line = scene.box.until_line(action="live", object=SMOOTH, result="allowed")
    assert line["purpose"] == {"code": "hình sự", "text": "vụ 12/2026"}
    assert line["permit"] == "live"
    assert line["device"]


def test_recordings_play_across_a_gap_and_its_reason_is_told(scene: Scene) -> None:
    before_ms, after_ms = scene.gap_ms()

    told = scene.plays(
        "across_a_gap",
        camera=scene.camera_id(BROKEN),
        before=before_ms - 3000,
        after=after_ms,
        code="khác",
        text="xem lại cả ngày",
    )

    assert told["start"]["frames"] == 10
    assert told["end"]["frames"] == 10
    assert abs(told["from"] - (before_ms - 3000)) < 3000
    assert told["to"] > after_ms
    reasons = [words(f"gap.{gap.replace(' ', '-')}") for gap, _ in scene.box.holes(BROKEN, "main")]
    assert any(reason in told["gap"] for reason in reasons), told["gap"]
    line = scene.box.until_line(action="look", object=BROKEN, result="allowed")
    assert line["purpose"] == {"code": "khác", "text": "xem lại cả ngày"}
    assert line["permit"] == "stored"


def test_looking_through_shows_a_key_frame_for_every_place(scene: Scene) -> None:
    line = scene.box.timeline(SMOOTH, "main")
    from_ms, to_ms = line.ranges[0].from_ns // 10**6, line.ranges[-1].to_ns // 10**6

    told = scene.plays(
        "scrub",
        camera=scene.camera_id(SMOOTH),
        **{"from": from_ms + 1000, "to": to_ms - 3000},
        code="tai nạn giao thông",
        text="",
        steps=4,
    )

    assert told["shown"] == 4
    assert told["onTop"]
    assert told["size"] == [1280, 720]
    assert told["different"] >= 4


def test_what_moved_in_a_region_of_the_picture_is_found_and_played(scene: Scene) -> None:
    told = scene.plays("motion", camera=scene.camera_id(SMOOTH), code="hình sự", text="vụ 17")

    # One browser's pointer stands on whole pixels.
    dragged = pytest.approx([20, 10, 60, 10, 60, 90, 20, 90], abs=1)
    assert corners(told["drawn"]) == pytest.approx([10, 10, 50, 10, 50, 90, 10, 90], abs=1)
    assert corners(told["dragged"]) == dragged
    assert told["listed"] >= 1 and told["onLine"] >= 1 and told["covered"] >= 1
    assert told["typed"] == {"wrong": words("js.motion.corners-wrong"), "right": ""}
    assert told["cleared"]
    assert corners(told["polygon"]) == pytest.approx([20, 20, 80, 20, 50, 80], abs=1)
    assert told["masked"] == {"masks": 1, "drawn": 1, "points": 0}
    assert "cam" in told["other"]
    assert told["left"] == {"videos": 0, "heat": False, "rows": True}
    assert 0 < told["heat"]["hot"] < 64 * 36 and told["heat"]["off"] <= 1, told["heat"]
    searched = [
        line["search"] for line in scene.box.audit_lines() if line["action"] == "motion search"
    ]
    assert "heat of the whole picture" in searched
    whole_days = [search for search in searched if " to " not in search]
    drawn = [search for search in whole_days if search.startswith("motion in 0")]
    regions = [corners(search.removeprefix("motion in ")) for search in drawn]
    assert any([100 * part for part in region] == dragged for region in regions)
    assert "motion in 0,0 0.3,0 0.3,0.4 0,0.4" in searched
    assert any("00:01 to 24:00" in search for search in searched)
    narrowed, half = told["hours"]["said"]
    assert words("js.motion.hours-said").format(**{"from": "00:01", "to": "24:00"}) in narrowed
    assert (half, told["hours"]["focused"]) == (words("js.motion.hours-wrong"), "motion-hours-to")


def test_a_mask_is_kept_told_looked_behind_and_taken_away(scene: Scene) -> None:
    told = scene.plays(
        "masks",
        camera=scene.camera_id(SMOOTH),
        code="hình sự",
        text="vụ 17",
        name="cây phượng",
    )

    assert told["wrong"] == words("js.masks.name-wrong")
    assert "cây phượng" in told["listed"] and NAME in told["listed"]
    assert told["drawn"] == {"kept": 1, "isSeen": True, "points": 0}
    assert words("js.masks.left-out").format(count=1) in told["without"]
    assert words("js.masks.behind-said").format(count=1) in told["behind"]
    assert told["seen"] == 1
    assert "vùng che" not in told["after"]
    made = scene.box.until_line(action="motion mask add", result="allowed")
    assert made["object"].startswith("cam1, mask 1 «cây phượng»: 0,0 1,0 1,0.96 0,0.96")
    assert scene.box.until_line(action="motion mask remove")["actor"] == made["actor"]
    searched = [line.get("search", "") for line in scene.box.audit_lines()]
    assert "motion in the whole picture, without its masks 1" in searched
    assert "motion in the whole picture" in searched
    assert words("js.motion.others-same").format(count=1) in told["same"]
    assert told["typed"] == "true"
    assert words("js.motion.others-whole-said").format(count=1) in told["whole"]
    assert searched[-2:] == ["motion in 0,0 1,0 1,0.96 0,0.96", "motion in the whole picture"]


def test_a_finger_draws_on_a_phone_and_the_page_stays_where_it_is(scene: Scene) -> None:
    told = scene.plays("touch", camera=scene.camera_id(SMOOTH), code="hình sự", text="vụ 17")

    assert told["pointers"] == ["touch"]
    assert told["scrolled"] == 0 and told["overflow"] <= 0
    for name, wanted in {
        "drawn": [20, 20, 60, 20, 60, 70, 20, 70],
        "moved": [30, 10, 70, 10, 70, 60, 30, 60],
        "reshaped": [30, 10, 90, 10, 90, 80, 30, 80],
        "polygon": [20, 30, 80, 30, 50, 80],
        "shifted": [30, 40, 90, 40, 60, 90],
    }.items():
        assert corners(told[name]) == pytest.approx(wanted, abs=1), name
    assert told["after"] == told["shifted"], "a finger that only scrolls draws nothing"


@pytest.mark.parametrize("width", [1366, 360])
def test_what_machines_marked_is_drawn_listed_with_its_source_played_and_put_away(
    scene: Scene, width: int
) -> None:
    at_ms = scene.box.timeline(SMOOTH, "main").ranges[0].from_ns // 10**6 + 1500
    spans = [(at_ms, "lorry"), (at_ms + 400, "person"), (at_ms - 86_400_000, "bus")]
    scene.mark(SMOOTH, spans)
    before = len(scene.marks_lines())

    told = scene.plays(
        "marks",
        camera=scene.camera_id(SMOOTH),
        code="hình sự",
        text="vụ 17",
        count=2,
        first=at_ms,
        kind="lorry",
        few=1,
        width=width,
    )

    source = TEXTS["js.mark.says"].format(name=TEXTS["js.mark.hook"].format(hook=9))
    assert all(source in row for row in told["rows"]), told["rows"]
    assert words("js.mark.person") in told["rows"][0] and words("js.mark.lorry") in told["rows"][1]
    assert "?" in told["rows"][0], "no fact"
    assert source in told["tip"] and 1 <= told["signs"] <= 2 and told["wide"] <= 0
    assert told["isOff"] and told["staysOff"]
    searched = [line["search"] for line in scene.marks_lines()[before:]]
    assert "marks of all kinds in the whole picture" in searched
    assert searched[-1] == "marks of lorry in the whole picture"


def test_everything_is_reached_without_a_pointer(scene: Scene) -> None:
    told = scene.plays("keyboard", camera=scene.camera_id(SMOOTH), text="tìm người")

    assert told["asked"]
    assert told["value"]
    assert 1500 <= told["moved"] <= 6000
    line = scene.box.until_line(action="look", object=SMOOTH, result="allowed")
    assert line["purpose"]["code"] == told["code"]


def test_a_camera_that_goes_is_seen_with_its_reason(scene: Scene) -> None:
    reason = words("gap.no-video")  # it falls silent, its connections stay open
    scene.person.asks("lost", words=reason)
    scene.person.hears("looking")
    scene.cameras.server.take_down(BROKEN)
    try:
        told = scene.person.tells()
    finally:
        scene.cameras.server.bring_back(BROKEN)

    assert told.complaints == []
    # It waits a second and connects anew, in vain: the page may have been looked at in either.
    text = told.result["text"]
    assert words("state.waiting") in text or words("state.connecting") in text


def test_open_alarms_are_counted_in_every_page_s_head(scene: Scene) -> None:
    control.ask(scene.box.home, bus_control.LockRefused(SMOOTH, "a lock would go beyond its quota"))
    reply = control.ask(scene.box.home, bus_control.AskAlarms())
    assert isinstance(reply, bus_control.AlarmsReply)
    count = sum(row.is_open for row in reply.alarms)

    told = scene.plays("open_alarms")

    assert told["text"] == str(count)
    assert told["title"] == TEXTS["js.alarms-open"].format(count=count)


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_every_page_is_fit_for_everybody_at_every_width(scene: Scene, dark: bool) -> None:
    person = scene.person
    control.ask(scene.box.home, bus_control.LockRefused(SMOOTH, "a lock would go beyond its quota"))
    if dark:
        person = Person(scene.person.browser, scene.box.origin, dark=True)
    try:
        if dark:
            assert person.plays("axe", path="/sign-in").result["serious"] == []
            person.plays("sign_in", name=NAME, password=PAGE_PASSWORD)
        found = [
            person.plays("axe", path=path, width=width, height=760)
            for path in (
                "/cameras",
                f"/cameras/{scene.camera_id(SMOOTH)}",
                "/alarms",
                "/status",
                "/none",
            )
            for width in (1366, 360)
        ]
    finally:
        if dark:
            person.leave()

    for told in found:
        assert told.result["dark"] is dark
        assert told.result["serious"] == [], told.result["url"]
        assert told.result["overflow"]["by"] <= 0, told.result
        assert [c for c in told.complaints if "/none" not in c] == []


def test_an_open_look_is_fit_for_everybody_too(scene: Scene) -> None:
    scene.plays("live", camera=scene.camera_id(SMOOTH), code="hình sự", text="", frames=5)

    for width in (1366, 360):
        told = scene.plays("axe", width=width, height=760)

        assert told["serious"] == []
        assert told["overflow"]["by"] <= 0, told["overflow"]


def test_whoever_signs_out_is_out(scene: Scene) -> None:
    told = scene.plays("sign_out")

    assert told == {"then": "/sign-in", "back": "/sign-in"}
    scene.plays("sign_in", name=NAME, password=PAGE_PASSWORD)


def test_a_browser_that_is_killed_ends_its_look(scene: Scene) -> None:
    scene.plays("live", camera=scene.camera_id(SMOOTH), code="cứu nạn", text="", frames=60)
    look = scene.box.until_line(action="live", object=SMOOTH, result="allowed")
    assert look["purpose"]["code"] == "cứu nạn"

    for pid in (pids := descendants(scene.person.pid)):
        os.kill(pid, signal.SIGKILL)
    killed_s = time.monotonic()
    end = scene.box.until_line(END_S, action="look end", about=look["n"])

    assert time.monotonic() - killed_s <= END_S
    assert 2000 <= end["delivered_ms"] <= 60_000
    wait_gone(pids)


def corners(text: str) -> list[float]:
    """`10,10 50,10 …` as numbers."""
    return [float(part) for part in text.replace(" ", ",").split(",")]


def words(key: str) -> str:
    """What the page says for a key, in Vietnamese."""
    text: str = TEXTS[key]
    return text
