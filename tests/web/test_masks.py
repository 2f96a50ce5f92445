"""Masks of a camera over HTTP: set by who looks after cameras, seen by all, told in a search."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest

from footage_maker import CAMERA, SUB, make_home
from look_rig import Page, page
from motion_page_rig import Moved, index_of
from vonggac.registry.people import Role

FROM_S = (int(time.time()) - 3600) // 120 * 120
TREE = (0.0, 0.0, 0.25, 0.25)
GATE = (0.5, 0.5, 0.25, 0.25)
CORNERS = [[0.0, 0.0], [0.25, 0.0], [0.25, 0.25], [0.0, 0.25]]
MASKS = f"/api/v1/cameras/{CAMERA.hex()}/masks"


@pytest.fixture
def office(home: Any) -> Iterator[Page]:
    """The tree moves at 100, the gate at 200."""
    make_home(home)
    seen = {SUB: [Moved(FROM_S + 100, TREE), Moved(FROM_S + 200, GATE)]}
    with page(home) as made, index_of(home, made.services.accounts._catalog, seen):
        yield made


def search(office: Page, what: str = "search", **more: Any) -> Any:
    asked = {
        "cameras": [{"camera": CAMERA.hex()}],
        "from": FROM_S * 1000,
        "to": (FROM_S + 600) * 1000,
        "purpose": {"code": "hình sự", "text": "2026/17"},
    }
    return office.client.post(f"/api/v1/motion/{what}", json=asked | more, buffered=True)


def told(office: Page, **more: Any) -> tuple[list[int], list[int]]:
    """Seconds at which hits begin, and the masks that were left out."""
    lines = [json.loads(line) for line in search(office, **more).text.splitlines()]
    hits = [hit["from"] // 1000 - FROM_S for line in lines for hit in line.get("hits", [])]
    (covered,) = [line for line in lines if line["kind"] == "covered"]
    return sorted(hits), covered["masks"]


def test_a_mask_that_is_set_on_the_page_holds_for_all_and_may_be_switched_off(office: Page) -> None:
    answer = office.client.post(MASKS, json={"name": "cây phượng", "corners": CORNERS})

    assert answer.status_code == 201
    made = answer.json
    assert (made["number"], made["name"], made["made_by"]) == (1, "cây phượng", "An")
    line = office.lines()[-1]
    assert (line["action"], line["actor"]) == ("motion mask add", office.session.person.name)
    assert line["session"] == office.session.id and line["address"] == "127.0.0.1"
    operator = office.other(Role.OPERATOR, name="Oanh")
    assert operator.client.get(MASKS).json == {"masks": [made], "may_set": False}
    assert office.client.get(MASKS).json == {"masks": [made], "may_set": True}

    for somebody in (office, operator):
        assert told(somebody) == ([200], [1])
        assert told(somebody, kept_masks=False) == ([100, 200], [])
    (hot,) = search(office, "heat", kept_masks=False).json["cameras"]
    (cold,) = search(office, "heat").json["cameras"]
    assert (hot["masks"], hot["counts"][0]) == ([], 1)
    assert (cold["masks"], cold["counts"][0]) == ([1], 0)
    behind = [{"camera": CAMERA.hex(), "regions": [[[0.1, 0.1], [0.2, 0.1], [0.2, 0.2]]]}]
    answer = search(office, cameras=behind)
    assert (answer.status_code, answer.json["error"]["field"]) == (422, "masks")

    assert office.client.delete(f"{MASKS}/1").status_code == 204
    assert office.lines()[-1]["action"] == "motion mask remove"
    assert told(office) == ([100, 200], [])
    assert office.client.delete(f"{MASKS}/1").status_code == 404


@pytest.mark.parametrize(
    ("role", "status"),
    [
        (Role.TECHNICIAN, 201),
        (Role.DETECTIVE, 403),
        (Role.OPERATOR, 403),
        (Role.AUDITOR, 403),
        (Role.AREA_OFFICER, 404),
    ],
)
def test_masks_are_set_by_who_looks_after_cameras(office: Page, role: Role, status: int) -> None:
    areas = ("tổ 99",) if role is Role.AREA_OFFICER else ()
    who = office.other(role, *areas, name="Bình")

    answer = who.client.post(MASKS, json={"name": "cờ", "corners": CORNERS})

    assert answer.status_code == status
    assert who.client.delete(f"{MASKS}/1").status_code == (204 if status == 201 else status)
    assert who.client.get(MASKS).status_code == (404 if status == 404 else 200)


@pytest.mark.parametrize(
    ("sent", "field"),
    [
        ({"name": "", "corners": CORNERS}, "name"),
        ({"name": "cờ", "corners": CORNERS[:2]}, "region"),
        ({"name": "cờ", "corners": [[0, 0], [1, 1], [1, 0], [0, 1]]}, "region"),
        ({"name": "cờ", "corners": [[0, 0], [2, 0], [2, 2]]}, "region"),
        ({"name": "cờ", "corners": [[0, 0], [1, 0], [1, 1], [0, 1]]}, "region"),
        ({"name": "cờ", "corners": "0,0"}, "corners"),
        ({"corners": CORNERS}, "name"),
    ],
)
def test_a_mask_that_makes_no_sense_is_named(office: Page, sent: Any, field: str) -> None:
    answer = office.client.post(MASKS, json=sent)

    assert (answer.status_code, answer.json["error"]["field"]) == (422, field)
    assert office.client.get(MASKS).json["masks"] == []


def test_another_site_sets_none_and_an_unknown_camera_has_none(office: Page) -> None:
    sent = {"name": "cờ", "corners": CORNERS}
    foreign = office.client.post(MASKS, json=sent, headers={"Sec-Fetch-Site": "cross-site"})

    assert foreign.status_code == 403
    assert office.client.get(MASKS.replace(CAMERA.hex(), "f" * 32)).status_code == 404
    assert office.client.get(MASKS.replace(CAMERA.hex(), "cam1")).status_code == 422
