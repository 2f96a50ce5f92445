"""Looks over HTTP: what may be asked, what is answered, and what stands in the chain afterwards."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest

from footage_maker import CAMERA, make_home
from look_rig import Page, asked, page
from vonggac.registry.people import Role

SECOND_NS = 1_000_000_000
HOUR_MS = 3_600_000


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    """A camera and no disk: a look needs no footage."""
    home = tmp_path_factory.mktemp("office")
    make_home(home)
    with page(home) as made:
        yield made


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def body(**more: Any) -> dict[str, Any]:
    now_ns = time.time_ns()
    return asked(now_ns - 3600 * SECOND_NS, now_ns - 1800 * SECOND_NS, **more)


def post(office: Page, sent: Any) -> Any:
    return office.client.post("/api/v1/looks", json=sent)


def test_a_look_says_what_may_be_seen_and_until_when(office: Page) -> None:
    sent = body()
    answer = post(office, sent)
    told = answer.json
    assert answer.status_code == 201 and answer.headers["Cache-Control"] == "no-store"
    assert (told["camera"], told["kind"]) == (CAMERA.hex(), "stored")
    assert (told["from"], told["to"]) == (sent["from"], sent["to"])
    assert told["purpose"] == sent["purpose"]
    assert 14 * 60_000 < told["expires"] - now_ms() <= 15 * 60_000
    assert [stream["name"] for stream in told["streams"]] == ["main", "sub"]
    listed = office.client.get("/api/v1/looks").json["looks"]
    assert told["look"] in [look["look"] for look in listed]


def test_times_may_be_written_as_people_write_them(office: Page) -> None:
    told = post(office, body(**{"from": "2026-11-21T20:00:00", "to": "2026-11-21T13:10:00Z"})).json
    assert told["from"] == 1_795_266_000_000, "without an offset Vietnam's time is meant"
    assert told["to"] - told["from"] == 600_000


def test_a_live_look_needs_no_times(office: Page) -> None:
    told = post(
        office, {k: v for k, v in body(kind="live").items() if k not in ("from", "to")}
    ).json
    assert told["from"] <= now_ms() - 59_000 and told["to"] == told["expires"]


@pytest.mark.parametrize(
    "purpose",
    [
        None, {}, {"code": "hình sự "}, {"code": "giải trí", "text": "x"}, {"text": "x"}, "hình sự",
        5, [], {"code": "khác"}, {"code": "khác", "text": "  ..  "}, {"code": 1, "text": 2},
        {"code": "hình sự", "text": "x" * 501},
    ],
)  # fmt: skip
def test_without_a_purpose_of_the_list_there_is_422_and_a_line(
    office: Page, purpose: object
) -> None:
    before = len(office.lines())
    for sent in (body(purpose=purpose), body(purpose=purpose, kind="live")):
        answer = post(office, sent)
        assert answer.status_code == 422
        assert answer.json["error"]["code"] == "invalid"
        assert answer.json["error"]["field"] == "purpose"
    lines = office.lines()[before:]
    assert [line["action"] for line in lines] == ["look", "live"]
    assert all(line["result"].startswith("refused: ") for line in lines)
    assert not any("permit" in line for line in lines)


def test_a_purpose_that_is_left_out_is_none(office: Page) -> None:
    sent = body()
    del sent["purpose"]
    assert post(office, sent).status_code == 422
    assert office.lines()[-1]["purpose"] is None


@pytest.mark.parametrize(
    ("what", "status", "field"),
    [
        ({"camera": "0" * 32}, 404, None),
        ({"camera": "cam1"}, 422, "camera"),
        ({"camera": CAMERA.hex().upper() + "zz"}, 422, "camera"),
        ({"camera": "../../etc/passwd"}, 422, "camera"),
        ({"camera": ""}, 422, "camera"),
        ({"from": None}, 422, "from"),
        ({"from": "gestern"}, 422, "from"),
        ({"from": -5}, 422, "from"),
        ({"from": "2026-02-30T00:00:00"}, 422, "from"),
        ({"from": 1e300}, 422, "from"),
        ({"to": 10**30}, 422, "to"),
        ({"to": "9999-12-31T23:59:59+07:00"}, 422, "to"),
        ({"to": 0}, 422, "to"),
        ({"from": 0}, 422, "to"),
    ],
)
def test_what_makes_no_sense_is_named_and_logged(
    office: Page, what: dict[str, Any], status: int, field: str | None
) -> None:
    before = len(office.lines())
    answer = post(office, body(**what))
    assert answer.status_code == status, answer.json
    assert answer.json["error"].get("field") == field
    (line,) = office.lines()[before:]
    assert line["result"].startswith("refused: ") and "permit" not in line
    assert line["session"] == office.session.id and line["address"] == "127.0.0.1"


@pytest.mark.parametrize(
    ("sent", "status"),
    [({}, 422), ({"camera": 5}, 422), ({"camera": "x", "kind": "all"}, 422), ([], 422)],
)
def test_a_body_of_another_shape_is_none(office: Page, sent: Any, status: int) -> None:
    assert post(office, sent).status_code == status


def test_what_is_no_json_is_malformed(office: Page) -> None:
    for data in (b"{", b"\xff\xfe", b'{"camera": "\\ud800"}', b"[" * 5000):
        answer = office.client.post("/api/v1/looks", data=data, content_type="application/json")
        assert answer.status_code in (400, 422), data[:10]


def test_whoever_may_not_look_is_refused(office: Page) -> None:
    auditor = office.other(Role.AUDITOR, name="Kiểm")
    answer = post(auditor, body())
    assert answer.status_code == 403 and answer.json["error"]["code"] == "refused"
    officer = office.other(Role.AREA_OFFICER, "tổ 3", name="Cảnh")
    assert post(officer, body()).status_code == 404, "he does not learn that there is one"


def test_a_look_is_renewed_and_ended_by_its_session_alone(office: Page) -> None:
    told = post(office, body()).json
    path = f"/api/v1/looks/{told['look']}"
    other = office.other(Role.COMMANDER, name="Dung")
    assert other.client.post(f"{path}/renew").status_code == 404
    assert other.client.delete(path).status_code == 404
    again = office.client.post(f"{path}/renew")
    assert again.status_code == 200 and again.json["look"] == told["look"]
    assert again.json["expires"] >= told["expires"]
    assert office.client.delete(path).status_code == 204
    assert office.client.delete(path).status_code == 404
    assert office.client.post(f"{path}/renew").status_code == 404
    assert office.lines()[-1]["action"] == "look end"


def test_signing_out_ends_the_looks(office: Page) -> None:
    guest = office.other(Role.COMMANDER, name="Giang")
    post(guest, body())
    assert guest.client.post("/sign-out").status_code in (200, 303)
    ends = [line for line in office.lines() if line["action"] == "look end"]
    assert (ends[-1]["result"], ends[-1]["session"]) == ("signed out", guest.session.id)


def test_another_site_opens_no_look(office: Page) -> None:
    before = len(office.lines())
    answer = office.client.post(
        "/api/v1/looks", json=body(), headers={"Sec-Fetch-Site": "cross-site"}
    )
    assert answer.status_code == 403 and len(office.lines()) == before
