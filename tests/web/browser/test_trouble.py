"""Both pictures of a camera's trouble stand side by side, each a look with line and end."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from browser_person import ROOT, Person, missing_for
from footage_maker import Run, make_disk, make_home, write
from look_rig import Page, keepers, page, served
from segment_maker import Stream
from vonggac_appliance.alarm_list import AlarmList
from vonggac_appliance.alarm_store import AlarmStore
from vonggac_appliance.live_views import LiveViews
from vonggac_appliance.recorder_events import RecorderEvents
from web.test_media import FILLER, SECOND_NS, START_NS

TEXTS = json.loads((ROOT / "web/vonggac_web/translations/vi.json").read_text(encoding="utf-8"))
USUAL_NS, SHOWN_NS, NEVER_NS = (START_NS + s * SECOND_NS for s in (4, 12, 900))


@pytest.fixture(params=["chromium", "firefox"])
def office(
    request: pytest.FixtureRequest, home: Path, clip: Stream
) -> Iterator[tuple[Page, Person]]:
    """Twenty seconds of a camera and two alarms of it, one of which names a moment that is gone."""
    if missing := missing_for(request.param):
        pytest.skip(f"needs {', '.join(missing)}")
    with ExitStack() as stack:
        make_home(home)
        disk = make_disk(home)
        write(disk, Run(clip, START_NS, filler_bytes=FILLER).chunks(20))
        alarms = AlarmStore(home)
        alarms.note("view-turned", "cam1", "needs a look", SHOWN_NS, [NEVER_NS, SHOWN_NS])
        alarms.note("view-covered", "cam1", "needs a look", SHOWN_NS, [USUAL_NS, SHOWN_NS])
        alarms.close()
        stack.enter_context(keepers(home, disk))
        made = stack.enter_context(page(home))
        catalog = made.services.accounts._catalog
        events = RecorderEvents(home)
        stack.callback(events.close)
        live = LiveViews(home, catalog, events)
        stack.callback(live.close)
        services = replace(made.services, alarms=AlarmList(home, catalog), live=live)
        made = replace(made, services=services)
        person = Person(request.param, stack.enter_context(served(made)))
        stack.callback(person.leave)
        yield made, person


def test_both_pictures_stand_beside_each_other_and_what_is_gone_says_so(
    office: tuple[Page, Person],
) -> None:
    made, person = office

    told = person.plays(
        "trouble",
        cookie={"name": "vonggac", "value": made.token},
        opening=TEXTS["js.trouble.opening"],
    )

    assert told.complaints == []
    usual, shown = told.result["both"]
    assert usual["size"] and usual["size"] == shown["size"]
    assert usual["y"] == shown["y"] and usual["x"] + usual["width"] <= shown["x"]
    assert usual["label"].startswith(TEXTS["alarms.picture-usual"])
    never, there = told.result["gone"]
    assert never["text"] == TEXTS["js.trouble.gone"] and there["size"]
    assert told.result["overflow"] <= 0 and told.result["left"] == 0
    looks, ends = _over(made, 6)
    assert all(line["purpose"] == {"code": "hình sự", "text": "vụ 17"} for line in looks)
    assert all(line["result"] == "allowed" and line["object"] == "cam1" for line in looks)
    assert sorted(line["about"] for line in ends) == [line["n"] for line in looks]
    shown = [line["about"] for line in ends if line["delivered_ms"] > 0]
    assert len(shown) == 3 and not {line["n"] for line in looks[4:]} & set(shown), "put away"


def _over(made: Page, count: int) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """So many looks, and their ends."""
    until_s = time.monotonic() + 60
    while True:
        lines = made.lines()
        looks, ends = ([x for x in lines if x["action"] == one] for one in ("look", "look end"))
        if len(looks) == len(ends) == count:
            return looks, ends
        assert time.monotonic() < until_s, (looks, ends)
        time.sleep(0.1)  # nothing tells of a line
