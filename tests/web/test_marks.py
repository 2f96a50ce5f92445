"""Marks over HTTP: who may ask, what is told and of whom, and what the chain says afterwards."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
from msgspec.structs import replace

from footage_maker import CAMERA, CAMERA_ROW, MAIN, make_home
from look_rig import CASE, HERE, Page, page
from motion_page_rig import Moved, index_of
from vonggac.errors import Invalid, Refused
from vonggac.motion.mark_files import MarkFiles
from vonggac.motion.marks import Mark
from vonggac.registry.camera import OwnerKind
from vonggac.registry.catalog import Catalog
from vonggac.registry.people import Role
from vonggac_appliance.hook_marks import folder_of
from vonggac_appliance.messages_motion import MarksFound, MotionQuery, Watched
from vonggac_appliance.motion_client import MotionClient
from vonggac_appliance.motion_looks import MotionLooks, Searcher

S = 1_000_000_000
NOW_S = int(time.time())
FROM_S = NOW_S - 3600
LEFT, RIGHT = (0.0, 0.5, 0.25, 1.0), (0.75, 0.5, 1.0, 1.0)
LEFT_CORNERS = [[0.0, 0.5], [0.25, 0.5], [0.25, 1.0], [0.0, 1.0]]
QUERY = MotionQuery([Watched(CAMERA)], FROM_S * S, NOW_S * S, marks=[])
MARKS = (
    (10, 20, "lorry", LEFT),
    (100, 130, "person", LEFT),
    (200, 260, "lorry", RIGHT),
    (-90_000, -89_990, "bus", LEFT),
)
"""Seconds after FROM_S, the last one of the day before."""


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    """A camera with marks of two days, whoever pushed them, and a page."""
    home = tmp_path_factory.mktemp("office")
    make_home(home)
    files = MarkFiles(folder_of(home), 1 << 20)
    for start, end, kind, box in MARKS:
        span = ((FROM_S + start) * S, (FROM_S + end) * S)
        files.add(CAMERA, Mark(7, *span, kind, box, 0.5, NOW_S * S))
    files.close()
    with page(home) as made, index_of(home, made.services.accounts._catalog, {MAIN: [Moved(1)]}):
        yield made


def asked(**more: Any) -> dict[str, Any]:
    return {
        "cameras": [{"camera": CAMERA.hex()}],
        "from": FROM_S * 1000,
        "to": NOW_S * 1000,
        "purpose": {"code": "hình sự", "text": "2026/17"},
    } | more


def post(office: Page, sent: Any) -> Any:
    return office.client.post("/api/v1/marks/search", json=sent)


def begins(answer: Any) -> list[int]:
    """Seconds after FROM_S."""
    assert answer.status_code == 200, answer.json
    return [mark["from"] // 1000 - FROM_S for mark in answer.json["marks"]]


def test_marks_are_told_newest_first_each_with_its_source(office: Page) -> None:
    answer = post(office, asked())

    assert begins(answer) == [200, 100, 10]
    newest = answer.json["marks"][0]
    assert newest == {
        "camera": CAMERA.hex(),
        "from": (FROM_S + 200) * 1000,
        "to": (FROM_S + 260) * 1000,
        "kind": "lorry",
        "box": list(RIGHT),
        "score": 0.5,
        "hook": 7,
        "name": "",
    }
    assert (answer.json["is_limited"], answer.json["complete_from"]) == (False, None)
    line = office.lines()[-1]
    assert (line["action"], line["object"], line["result"]) == ("mark list", "cam1", "allowed")
    assert line["search"] == "marks of all kinds in the whole picture"
    assert line["purpose"] == {"code": "hình sự", "text": "2026/17"}
    assert line["session"] == office.session.id and line["cameras"] == [CAMERA.hex()]


def test_kinds_hours_regions_and_days_narrow_what_is_found(office: Page) -> None:
    assert begins(post(office, asked(kinds=["lorry"]))) == [200, 10]
    assert office.lines()[-1]["search"] == "marks of lorry in the whole picture"
    assert begins(post(office, asked(kinds=["flood"]))) == []
    left = [{"camera": CAMERA.hex(), "regions": [LEFT_CORNERS]}]
    assert begins(post(office, asked(cameras=left))) == [100, 10]
    hidden = [{"camera": CAMERA.hex(), "masks": [LEFT_CORNERS]}]
    assert begins(post(office, asked(cameras=hidden))) == [200]
    local_minute = (FROM_S // 60 + 7 * 60) % 1440
    before = ((local_minute - 60) % 1440, (local_minute - 1) % 1440)
    assert begins(post(office, asked(hours=before))) == []
    longer = asked(**{"from": (FROM_S - 100_000) * 1000})
    assert begins(post(office, longer)) == [200, 100, 10, -90_000]
    touched = asked(**{"from": (FROM_S + 129) * 1000, "to": (FROM_S + 201) * 1000})
    assert begins(post(office, touched)) == [200, 100]


def test_a_limit_says_from_when_on_nothing_is_missing(office: Page) -> None:
    answer = post(office, asked(limit=2))

    assert begins(answer) == [200, 100]
    assert answer.json["is_limited"] and answer.json["complete_from"] == (FROM_S + 20) * 1000


@pytest.mark.parametrize(
    ("more", "status", "field"),
    [
        ({"cameras": []}, 422, "camera"),
        ({"cameras": [{"camera": "f" * 32}]}, 404, None),
        ({"kinds": ["face"]}, 422, "kinds"),
        ({"kinds": ["51A-12345"]}, 422, "kinds"),
        ({"kinds": ["lorry", "lorry"]}, 422, "kinds"),
        ({"kinds": None}, 422, "kinds"),
        ({"kinds": "lorry"}, 422, "kinds"),
        ({"limit": 10_001}, 422, "limit"),
        ({"to": 5}, 422, "to"),
        ({"purpose": None}, 403, None),
    ],
)
def test_what_makes_no_sense_is_named(
    office: Page, more: dict[str, Any], status: int, field: str | None
) -> None:
    answer = post(office, asked(**more))

    assert answer.status_code == status, answer.json
    assert answer.json["error"].get("field") == field


def test_whoever_may_not_see_a_camera_may_not_ask_what_was_said_of_it(office: Page) -> None:
    assert post(office.other(Role.AUDITOR, name="Kiểm"), asked()).status_code == 403
    assert office.lines()[-1]["action"] == "mark list"
    assert office.lines()[-1]["result"].startswith("refused: ")
    stranger = office.other(Role.AREA_OFFICER, "tổ 3", name="Cảnh")
    assert post(stranger, asked()).status_code == 404
    operator = office.other(Role.OPERATOR, name="Oanh")
    yesterday = asked(**{"from": (NOW_S - 86_400) * 1000})
    assert post(operator, yesterday).status_code == 403, "as for replay: two hours"
    catalog: Catalog = office.services.accounts._catalog
    row = replace(CAMERA_ROW, id=b"h" * 16, code="nhà 12", owner_kind=OwnerKind.HOUSEHOLD)
    streams = (replace(CAMERA_ROW.streams[0], id=b"H" * 16),)
    catalog.add_camera(replace(row, streams=streams))
    answer = post(office, asked(cameras=[{"camera": row.id.hex()}]))
    assert answer.status_code == 403 and "agreement" in office.lines()[-1]["result"]


def test_a_receipt_for_one_question_opens_no_other(office: Page) -> None:
    looks = MotionLooks(office.home, office.services.accounts._catalog)
    who = Searcher(office.session.person, office.session.id, HERE.address, HERE.device)
    of_lorries = looks.permit(who, CASE, replace(QUERY, marks=["lorry"]), has_masks=False)
    of_motion = looks.permit(who, CASE, replace(QUERY, marks=None), has_masks=False)
    with MotionClient(office.home) as client:
        found = list(client.marks(of_lorries.query, of_lorries.receipts))
        assert isinstance(found[0], MarksFound) and len(found[0].marks) == 2
        for given in (of_lorries, of_motion):
            with pytest.raises(Refused, match="receipt"):
                list(client.marks(replace(given.query, marks=[]), given.receipts))
        with pytest.raises(Refused, match="receipt"):
            list(client.search(replace(of_lorries.query, marks=None), of_lorries.receipts))
        with pytest.raises((Invalid, Refused), match="names no kinds"):
            list(client.search(of_lorries.query, of_lorries.receipts))
        with pytest.raises((Invalid, Refused), match="names their kinds"):
            list(client.marks(of_motion.query, of_motion.receipts))
