"""Searching motion is a look: rules, a line, a receipt for that question and no other."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec
import pytest

from audit_rig import audit_run, chain_of
from vonggac.errors import Invalid, Missing, Refused, TooMany, Unavailable
from vonggac.evidence import receipt
from vonggac.evidence.receipt import Permit
from vonggac.registry.camera import Basis, Camera, Mode, OwnerKind, Stream
from vonggac.registry.catalog import Catalog
from vonggac.registry.people import Person, Purpose, PurposeCode, Role, local_person
from vonggac_appliance import motion_words
from vonggac_appliance.messages_motion import MotionQuery, Points, Watched
from vonggac_appliance.motion_looks import MotionLooks, Searcher
from vonggac_appliance.secrets import receipt_key

_S = 1_000_000_000
_GATE: Points = [(0.1, 0.2), (0.3, 0.2), (0.3, 0.5), (0.1, 0.5)]
_CASE = Purpose(PurposeCode.CRIME, "2026/17")
_COMMANDER = Searcher(Person("ab" * 16, Role.COMMANDER), "0123456789abcdef", "192.168.1.7", "Ff")


@dataclass(slots=True)
class Rig:
    home: Path
    catalog: Catalog
    looks: MotionLooks
    ids: dict[str, bytes]

    def query(self, *codes: str, regions: list[Points] | None = None) -> MotionQuery:
        now_ns = time.time_ns()
        where = [_GATE] if regions is None else regions
        cameras = [Watched(self.ids[code], where) for code in codes]
        return MotionQuery(cameras, now_ns - 3600 * _S, now_ns + 60 * _S)

    def searches(self) -> list[dict[str, object]]:
        return [line for line in chain_of(self.home) if line["action"] == "motion search"]


def camera(code: str, kind: OwnerKind, basis: Basis | None = None, area: str = "") -> Camera:
    streams = (Stream(os.urandom(16), "main", "rtsp://127.0.0.1/main"),)
    return Camera(os.urandom(16), code, streams, 1, owner_kind=kind, basis=basis, area=area)


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    with audit_run(tmp_path), Catalog(tmp_path) as catalog:
        asked = Basis(Mode.EXTRACT_ON_REQUEST, from_ns=0)
        cameras = [
            camera("cong", OwnerKind.STATE, area="tổ 3"),
            camera("cho", OwnerKind.STATE, area="tổ 7"),
            camera("nha12", OwnerKind.HOUSEHOLD),
            camera("nha14", OwnerKind.HOUSEHOLD, asked),
            *(camera(f"pho{n}", OwnerKind.STATE) for n in range(18)),
        ]
        for one in cameras:
            catalog.add_camera(one)
        looks = MotionLooks(tmp_path, catalog)
        yield Rig(tmp_path, catalog, looks, {one.code: one.id for one in cameras})


def test_a_search_is_a_line_with_region_cameras_range_and_purpose(rig: Rig) -> None:
    query = msgspec.structs.replace(rig.query("cong", "cho"), cells_min=3, hours=(1200, 120))

    permit = rig.looks.permit(_COMMANDER, _CASE, query)

    (line,) = rig.searches()
    assert permit.lines == (line["n"],)
    assert line["object"] == "cong, cho"
    assert line["cameras"] == [rig.ids["cong"].hex(), rig.ids["cho"].hex()]
    assert line["search"] == (
        "motion in 0.1,0.2 0.3,0.2 0.3,0.5 0.1,0.5, at least 3 cells, 20:00 to 02:00 +07:00"
    )
    assert line["purpose"] == {"code": "hình sự", "text": "2026/17"}
    assert (line["actor"], line["address"]) == ("ab" * 16, "192.168.1.7")
    assert line["permit"] == "search" and "red" not in line
    assert line["from"] < line["to"] <= line["time"]


def test_the_receipts_are_for_that_question_and_no_other(rig: Rig) -> None:
    permit = rig.looks.permit(_COMMANDER, _CASE, rig.query("cong"))
    words = motion_words.words_of(permit.query, permit.query.cameras[0])
    span = permit.query.from_ns, permit.query.to_ns

    def says_no(words: str) -> str | None:
        return receipt.verify(
            receipt_key(rig.home),
            permit.receipts[0],
            receipt.search_digest(words),
            rig.ids["cong"],
            *span,
            Permit.SEARCH,
            time.time_ns(),
        )

    assert says_no(words) is None
    assert says_no("motion in the whole picture") is not None


def test_many_cameras_and_different_regions_are_several_lines(rig: Rig) -> None:
    query = rig.query(*(f"pho{n}" for n in range(18)))
    other = Watched(rig.ids["cong"], [])
    query = msgspec.structs.replace(query, cameras=[*query.cameras, other])

    permit = rig.looks.permit(_COMMANDER, _CASE, query)

    assert [len(str(line["object"]).split(", ")) for line in rig.searches()] == [16, 2, 1]
    assert len(permit.receipts) == 3
    assert rig.searches()[2]["search"] == "motion in the whole picture"


@pytest.mark.parametrize(
    ("code", "why"),
    [
        ("nha12", "a household camera without an agreement is not shown"),
        ("nha14", "agreement of mode B does not allow looking here"),
    ],
)
def test_what_an_agreement_does_not_allow_is_not_searched_either(
    rig: Rig, code: str, why: str
) -> None:
    with pytest.raises(Refused, match=why):
        rig.looks.permit(_COMMANDER, _CASE, rig.query("cong", code))

    (line,) = rig.searches()
    assert line["result"] == f"refused: {code}: {why}"
    assert "permit" not in line
    assert line["search"] == "motion in 0.1,0.2 0.3,0.2 0.3,0.5 0.1,0.5"


def test_an_operator_searches_the_last_two_hours_only(rig: Rig) -> None:
    operator = replace(_COMMANDER, person=Person("cd" * 16, Role.OPERATOR))
    query = rig.query("cong")
    rig.looks.permit(operator, _CASE, query)

    with pytest.raises(Refused, match="the last two hours"):
        rig.looks.permit(
            operator, _CASE, msgspec.structs.replace(query, from_ns=query.from_ns - 7200 * _S)
        )


def test_a_camera_outside_of_an_officers_area_is_one_that_there_is_not(rig: Rig) -> None:
    officer = replace(_COMMANDER, person=Person("cd" * 16, Role.AREA_OFFICER, ("tổ 3",)))
    rig.looks.permit(officer, _CASE, rig.query("cong"))

    with pytest.raises(Missing, match="there is no such camera"):
        rig.looks.permit(officer, _CASE, rig.query("cong", "cho"))
    unknown = MotionQuery([Watched(b"?" * 16)], time.time_ns() - _S, time.time_ns())
    with pytest.raises(Missing, match="there is no such camera"):
        rig.looks.permit(officer, _CASE, unknown)


@pytest.mark.parametrize("role", [Role.TECHNICIAN, Role.AUDITOR])
def test_who_sees_no_video_searches_none(rig: Rig, role: Role) -> None:
    with pytest.raises(Refused):
        rig.looks.permit(
            replace(_COMMANDER, person=Person("cd" * 16, role)), _CASE, rig.query("cong")
        )


def test_without_a_purpose_nobody_at_the_page_searches_and_a_shell_does_so_in_red(
    rig: Rig,
) -> None:
    with pytest.raises(Refused, match="a purpose comes before the picture"):
        rig.looks.permit(_COMMANDER, None, rig.query("cong"))

    permit = rig.looks.permit(Searcher(local_person(os.getuid())), None, rig.query("cong"))

    assert permit.red == "no purpose was given"
    assert rig.searches()[-1]["red"] is True
    assert rig.searches()[-1]["actor"] == f"local:{os.getuid()}"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"from_ns": 5, "to_ns": 5}, "to"),
        ({"from_ns": 0, "to_ns": 500 * 86400 * _S}, "to"),
        ({"from_ns": 1 << 61, "to_ns": 1 << 62}, "to"),
        ({"cells_min": 0}, "cells"),
        ({"cells_min": 2305}, "cells"),
        ({"limit": 0}, "limit"),
        ({"join_s": -1}, "join"),
        ({"hours": (0, 1441)}, "hours"),
        ({"hours": (60, 60)}, "hours"),
        ({"cameras": []}, "camera"),
    ],
)
def test_what_nobody_can_have_meant_is_refused_and_logged(
    rig: Rig, changes: dict[str, object], field: str
) -> None:
    with pytest.raises(Invalid) as refused:
        rig.looks.permit(_COMMANDER, _CASE, msgspec.structs.replace(rig.query("cong"), **changes))

    assert refused.value.field == field
    assert str(rig.searches()[-1]["result"]).startswith("refused: ")


@pytest.mark.parametrize(
    "region",
    [
        [(0.1, 0.1), (0.2, 0.2)],
        [(0.1, 0.1), (0.1, 0.1), (0.1, 0.1)],
        [(0.1, 0.1), (0.9, 0.9), (0.9, 0.1), (0.1, 0.9)],
        [(0.5, 0.5), (1.5, 0.5), (0.5, 0.9)],
        [(0.1, 0.1), (float("nan"), 0.5), (0.5, 0.9)],
        [(0.0, 0.0), *((n / 400, 0.9 - n / 9000) for n in range(99))],
    ],
    ids=["two points", "a point", "self-crossing", "outside", "no number", "too many corners"],
)
def test_a_region_that_is_none_is_refused(rig: Rig, region: Points) -> None:
    with pytest.raises(Invalid) as refused:
        rig.looks.permit(_COMMANDER, _CASE, rig.query("cong", regions=[region]))

    assert refused.value.field == "region"


def test_corners_are_counted_before_anything_is_made_of_them(rig: Rig) -> None:
    crossing: Points = [(0.1, 0.1), (0.9, 0.9), (0.9, 0.1), (0.1, 0.9)]
    watched = Watched(rig.ids["cong"], [], [crossing] * 5000)
    query = MotionQuery([watched], time.time_ns() - _S, time.time_ns())

    with pytest.raises(Invalid, match="too many corners"):
        rig.looks.permit(_COMMANDER, _CASE, query)


def test_a_mask_that_leaves_nothing_is_refused(rig: Rig) -> None:
    query = MotionQuery(
        [Watched(rig.ids["cong"], [_GATE], [_GATE])], time.time_ns() - _S, time.time_ns()
    )

    with pytest.raises(Invalid, match="masked out"):
        rig.looks.permit(_COMMANDER, _CASE, query)


def test_what_is_left_out_stands_in_the_line_and_in_its_receipt(rig: Rig) -> None:
    left_of_the_gate: Points = [(0.0, 0.0), (0.1, 0.0), (0.1, 1.0), (0.0, 1.0)]
    now_ns = time.time_ns()
    watched = Watched(rig.ids["cong"], [], [left_of_the_gate])
    query = MotionQuery([watched], now_ns - 3600 * _S, now_ns)

    permit = rig.looks.permit(_COMMANDER, _CASE, query)

    (line,) = rig.searches()
    assert line["search"] == "motion in the whole picture, without 0,0 0.1,0 0.1,1 0,1"
    for masks in ([], [_GATE]):
        words = motion_words.words_of(query, Watched(watched.camera, [], masks))
        no = receipt.verify(
            receipt_key(rig.home),
            permit.receipts[0],
            receipt.search_digest(words),
            watched.camera,
            permit.query.from_ns,
            permit.query.to_ns,
            Permit.SEARCH,
            time.time_ns(),
        )
        assert no is not None


def test_one_search_does_not_fill_the_chain_with_regions(rig: Rig) -> None:
    now_ns = time.time_ns()
    watched = [
        Watched(bytes(8) + n.to_bytes(8, "big"), [[(0, 0), (1, 0), (1, 0.5 + n / 200)]])
        for n in range(65)
    ]

    with pytest.raises(Invalid, match="64 lines at most"):
        rig.looks.permit(_COMMANDER, _CASE, MotionQuery(watched, now_ns - _S, now_ns))

    assert len(rig.searches()) == 1


def test_nobody_searches_faster_than_the_chain_is_meant_for(rig: Rig) -> None:
    now_ns = [0]
    looks = MotionLooks(rig.home, rig.catalog, monotonic=lambda: now_ns[0])
    for _ in range(120):
        looks.permit(_COMMANDER, _CASE, rig.query("cong"))

    for _ in range(2):
        with pytest.raises(TooMany):
            looks.permit(_COMMANDER, _CASE, rig.query("cong"))

    assert [line["result"] for line in rig.searches()][-1] == (
        "refused: too many searches within a minute"
    )
    assert len(rig.searches()) == 121
    now_ns[0] = 61 * _S
    looks.permit(_COMMANDER, _CASE, rig.query("cong"))


def test_nothing_is_searched_where_the_chain_cannot_be_written(tmp_path: Path) -> None:

    with Catalog(tmp_path) as catalog:
        one = camera("cong", OwnerKind.STATE)
        catalog.add_camera(one)
        looks = MotionLooks(tmp_path, catalog)
        with pytest.raises(Unavailable, match="nothing is shown unlogged"):
            looks.permit(
                _COMMANDER,
                _CASE,
                MotionQuery([Watched(one.id)], time.time_ns() - _S, time.time_ns()),
            )
