"""Searches for motion over HTTP: who may, what is told, and what stands in the chain afterwards."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from msgspec.structs import replace

from footage_maker import CAMERA, CAMERA_ROW, MAIN, SUB, make_home
from look_rig import CASE, HERE, Page, page
from motion_page_rig import Moved, index_of
from vonggac.errors import NotSignedIn
from vonggac.motion.slots import Tier
from vonggac.registry.camera import OwnerKind
from vonggac.registry.catalog import Catalog
from vonggac.registry.people import Role
from vonggac_appliance.messages_motion import MotionCovered, MotionQuery, MotionReply, Watched
from vonggac_appliance.motion_page import Told
from vonggac_appliance.motion_server import MotionServer

NOW_S = int(time.time())
FROM_S = (NOW_S - 3600) // 120 * 120
"""Seconds 0 to 599 after it are indexed."""
GATE = (0.25, 0.25, 0.125, 0.25)
GATE_CORNERS = [[0.25, 0.25], [0.375, 0.25], [0.375, 0.5], [0.25, 0.5]]
QUERY = MotionQuery([Watched(CAMERA)], FROM_S * 10**9, (FROM_S + 600) * 10**9)
SKY = (0.0, 0.0, 1.0, 0.1)
SKY_CORNERS = [[0.0, 0.0], [1.0, 0.0], [1.0, 0.1], [0.0, 0.1]]


INDEX: list[MotionServer] = []
"""The one that answers."""


def moved() -> Iterator[Moved]:
    """At the gate from 100 to 109, and, by key frames alone, at 400; in the sky from 300 to 304."""
    for second in range(600):
        at = FROM_S + second
        if 100 <= second < 110:
            yield Moved(at, GATE)
        elif 300 <= second < 305:
            yield Moved(at, SKY, is_global=second == 300)
        elif second == 400:
            yield Moved(at, GATE, Tier.KEY)
        else:
            yield Moved(at)


def busy() -> Iterator[Moved]:
    """Hours before that, something at the gate every four seconds: 3,000 hits."""
    for second in range(FROM_S - 20_400, FROM_S - 8_400):
        yield Moved(second, GATE if second % 4 == 0 else None)


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    """A camera, an index that knows ten minutes of it, and a page."""
    home = tmp_path_factory.mktemp("office")
    make_home(home)
    with page(home) as made:
        seen = {SUB: moved(), MAIN: busy()}
        with index_of(home, made.services.accounts._catalog, seen) as index:
            INDEX.append(index)
            yield made
        INDEX.clear()


def asked(**more: Any) -> dict[str, Any]:
    return {
        "cameras": [{"camera": CAMERA.hex(), "regions": [GATE_CORNERS]}],
        "from": FROM_S * 1000,
        "to": (FROM_S + 600) * 1000,
        "purpose": {"code": "hình sự", "text": "2026/17"},
    } | more


def post(office: Page, sent: Any, what: str = "search") -> Any:
    return office.client.post(f"/api/v1/motion/{what}", json=sent, buffered=True)


def lines_of(answer: Any) -> list[dict[str, Any]]:
    assert answer.status_code == 200, answer.json
    assert answer.mimetype == "application/x-ndjson"
    return [json.loads(line) for line in answer.text.splitlines()]


def hits_of(answer: Any) -> list[dict[str, Any]]:
    return [hit for line in lines_of(answer) if line["kind"] == "hits" for hit in line["hits"]]


def spans(hits: list[dict[str, Any]]) -> list[tuple[int, int]]:
    """Seconds after the first indexed one."""
    return [(h["from"] // 1000 - FROM_S, h["to"] // 1000 - FROM_S) for h in hits]


def test_a_search_tells_what_is_known_then_where_to_look_then_the_seconds_newest_first(
    office: Page,
) -> None:
    told = lines_of(post(office, asked()))

    assert told[0]["kind"] == "covered" and told[-1]["kind"] == "done"
    assert told[0]["ranges"] == [[FROM_S * 1000, (FROM_S + 600) * 1000]]
    kinds = [line["kind"] for line in told]
    assert kinds.index("coarse") < kinds.index("hits")
    (newest, older) = hits_of(post(office, asked()))
    assert spans([newest, older]) == [(400, 401), (100, 110)]
    assert (newest["tier"], older["tier"]) == ("key", "full"), "what is known to 10 s says so"
    assert older["cells"] == 8 * 9 and older["camera"] == CAMERA.hex()
    assert FROM_S + 100 <= older["strongest"] // 1000 < FROM_S + 110
    done = told[-1]
    assert (done["cameras"], done["seconds_searched"], done["is_limited"]) == (1, 600, False)


def test_every_search_is_a_line_that_names_region_camera_range_and_purpose(office: Page) -> None:
    post(office, asked(cells_min=3))

    line = office.lines()[-1]
    assert (line["action"], line["object"], line["result"]) == ("motion search", "cam1", "allowed")
    assert line["search"] == ("motion in 0.25,0.25 0.375,0.25 0.375,0.5 0.25,0.5, at least 3 cells")
    assert line["purpose"] == {"code": "hình sự", "text": "2026/17"}
    assert line["session"] == office.session.id and line["address"] == "127.0.0.1"


def test_a_polygon_masks_hours_and_a_number_of_cells_narrow_what_is_found(office: Page) -> None:
    whole = [{"camera": CAMERA.hex()}]
    assert len(hits_of(post(office, asked(cameras=whole)))) == 3
    triangle = [{"camera": CAMERA.hex(), "regions": [[[0.5, 0], [0.6, 0], [0.55, 0.05]]]}]
    (sky,) = hits_of(post(office, asked(cameras=triangle)))
    assert spans([sky]) == [(300, 305)]
    masked = [{"camera": CAMERA.hex(), "masks": [SKY_CORNERS]}]
    assert spans(hits_of(post(office, asked(cameras=masked)))) == [(400, 401), (100, 110)]
    many = hits_of(post(office, asked(cameras=whole, cells_min=100)))
    assert spans(many) == [(300, 305)], "only the sky has so many"
    first, limited = post(office, asked(cameras=whole, limit=1)), asked(cameras=whole, limit=1)
    assert len(hits_of(first)) == 1 and lines_of(post(office, limited))[-1]["is_limited"]
    local_minute = (FROM_S // 60 + 7 * 60) % 1440
    before = ((local_minute - 60) % 1440, local_minute)
    assert hits_of(post(office, asked(cameras=whole, hours=before))) == []


def test_where_nothing_is_indexed_the_answer_is_not_that_nothing_moved(office: Page) -> None:
    early = asked(**{"from": (FROM_S - 600) * 1000, "to": FROM_S * 1000})
    told = lines_of(post(office, early))
    assert told[0] == {
        "kind": "covered",
        "camera": CAMERA.hex(),
        "ranges": [],
        "masks": [],
        "complete_from": None,
    }
    assert told[-1]["seconds_searched"] == 0


def test_a_heat_picture_counts_the_seconds_of_every_cell(office: Page) -> None:
    answer = post(office, asked(), "heat")

    (told,) = answer.json["cameras"]
    assert told["camera"] == CAMERA.hex() and told["seconds"] == 600
    assert len(told["counts"]) == 64 * 36
    assert told["counts"][10 * 64 + 17] == 11, "ten seconds at the gate, and one by key frames"
    assert told["counts"][0] == 5 and told["counts"][35 * 64 + 63] == 0
    assert office.lines()[-1]["search"] == "heat of the whole picture"


@pytest.mark.parametrize(
    "purpose", [None, {}, {"code": "giải trí"}, {"code": "khác", "text": " . "}, 7]
)
@pytest.mark.parametrize("what", ["search", "heat"])
def test_without_a_purpose_nothing_is_searched_and_the_attempt_is_a_line(
    office: Page, purpose: Any, what: str
) -> None:
    before = len(office.lines())

    answer = post(office, asked(purpose=purpose), what)

    assert answer.status_code == 403 and answer.json["error"]["code"] == "refused"
    (line,) = office.lines()[before:]
    assert line["action"] == "motion search" and line["result"].startswith("refused: ")
    assert "permit" not in line


@pytest.mark.parametrize(
    ("more", "status", "field"),
    [
        ({"cameras": []}, 422, "camera"),
        ({"cameras": [{"camera": "cam1"}]}, 422, "camera"),
        ({"cameras": [{"camera": "f" * 32}]}, 404, None),
        ({"cameras": [{"camera": CAMERA.hex()}] * 2}, 422, "camera"),
        ({"cameras": [{"camera": CAMERA.hex(), "regions": [[[0, 0], [1, 0]]]}]}, 422, "region"),
        (
            {"cameras": [{"camera": CAMERA.hex(), "regions": [[[0, 0], [1, 1], [1, 0], [0, 1]]]}]},
            422,
            "region",
        ),
        (
            {"cameras": [{"camera": CAMERA.hex(), "regions": [[[0, 0], [2, 0], [2, 1]]]}]},
            422,
            "region",
        ),
        ({"from": None}, 422, "to"),
        ({"to": 5}, 422, "to"),
        ({"from": (NOW_S + 86_400) * 1000, "to": (NOW_S + 90_000) * 1000}, 422, "from"),
        ({"cells_min": 0}, 422, "cells"),
        ({"hours": [60, 60]}, 422, "hours"),
        ({"limit": 0}, 422, "limit"),
        ({"cameras": 5}, 422, "cameras"),
    ],
)
def test_what_makes_no_sense_is_named(
    office: Page, more: dict[str, Any], status: int, field: str | None
) -> None:
    answer = post(office, asked(**more))

    assert answer.status_code == status, answer.json
    assert answer.json["error"].get("field") == field


def test_whoever_may_not_see_a_camera_may_not_ask_what_moved_there(office: Page) -> None:
    auditor = office.other(Role.AUDITOR, name="Kiểm")
    assert post(auditor, asked()).status_code == 403
    assert post(auditor, asked(), "heat").status_code == 403
    stranger = office.other(Role.AREA_OFFICER, "tổ 3", name="Cảnh")
    assert post(stranger, asked()).status_code == 404, "he does not learn that there is one"
    operator = office.other(Role.OPERATOR, name="Oanh")
    yesterday = asked(**{"from": (NOW_S - 86_400) * 1000, "to": NOW_S * 1000})
    assert post(operator, yesterday).status_code == 403, "as for replay: two hours"
    assert office.client.get("/api/v1/motion/search").status_code == 405


def test_a_household_without_an_agreement_is_not_searched(office: Page) -> None:
    catalog: Catalog = office.services.accounts._catalog
    home_row = replace(
        CAMERA_ROW,
        id=b"h" * 16,
        code="nhà 12",
        owner_kind=OwnerKind.HOUSEHOLD,
        streams=(replace(CAMERA_ROW.streams[0], id=b"H" * 16),),
    )
    catalog.add_camera(home_row)
    for what in ("search", "heat"):
        answer = post(office, asked(cameras=[{"camera": home_row.id.hex()}]), what)
        assert answer.status_code == 403
        assert office.lines()[-1]["object"] == "nhà 12"
        assert "agreement" in office.lines()[-1]["result"]


def test_one_session_has_only_so_many_searches_under_way_and_closing_one_makes_room(
    office: Page,
) -> None:
    motion = office.services.motion
    open_ones = [motion.search(office.session, HERE, CASE, QUERY) for _ in range(4)]
    try:
        assert post(office, asked()).status_code == 429
        open_ones.pop().close()
        assert post(office, asked()).status_code == 200
    finally:
        for one in open_ones:
            one.close()


def test_who_goes_away_in_the_middle_leaves_no_search_behind(office: Page) -> None:
    query = MotionQuery(
        [Watched(CAMERA)], (FROM_S - 20_400) * 10**9, (FROM_S - 8_400) * 10**9, limit=100_000
    )
    told = office.services.motion.search(office.session, HERE, CASE, query)
    assert isinstance(next(told), MotionCovered)
    wait_until(lambda: bool(INDEX[0]._searches))  # it stands still until somebody reads on

    told.close()

    wait_until(lambda: not INDEX[0]._searches)


def wait_until(is_so: Callable[[], bool], deadline_s: float = 25.0) -> None:
    """`motion run` itself gives up after 30 s."""
    until_s = time.monotonic() + deadline_s
    while not is_so():
        assert time.monotonic() < until_s
        time.sleep(0.02)  # nothing tells of a search's end


def test_who_signs_out_is_told_nothing_more(office: Page) -> None:
    guest = office.other(Role.COMMANDER, name="Giang")
    told = office.services.motion.search(guest.session, HERE, CASE, QUERY)
    next(told)
    assert guest.client.post("/sign-out").status_code in (200, 303)
    with pytest.raises(NotSignedIn):
        next(told)
    told.close()


def test_who_signs_out_while_an_answer_is_on_its_way_is_not_told_it(office: Page) -> None:
    motion = office.services.motion

    def late() -> Iterator[MotionReply]:
        motion.end_session("a session")
        yield MotionCovered(1, CAMERA, [(FROM_S, FROM_S + 1)])

    with pytest.raises(NotSignedIn):
        next(Told(late(), motion, "a session", contextlib.ExitStack()))


def test_another_site_searches_nothing(office: Page) -> None:
    answer = office.client.post(
        "/api/v1/motion/search", json=asked(), headers={"Sec-Fetch-Site": "cross-site"}
    )
    assert answer.status_code == 403


def test_where_motion_does_not_run_the_page_says_so_and_nothing_is_logged(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    home = tmp_path_factory.mktemp("quiet")
    make_home(home)
    with page(home) as made:
        before = len(made.lines())
        answer = post(made, asked())
        assert answer.status_code == 503 and answer.json["error"]["code"] == "unavailable"
        assert len(made.lines()) == before
