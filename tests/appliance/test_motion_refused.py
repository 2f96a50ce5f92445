"""A search of motion that is refused: nothing is told, and a line says who asked what of when."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import msgspec
import pytest

from motion_looks_rig import CASE, COMMANDER, GATE, Rig, camera, motion_looks
from vonggac.errors import Invalid, Missing, Refused, Unavailable
from vonggac.registry.camera import OwnerKind
from vonggac.registry.catalog import Catalog
from vonggac.registry.people import Person, Role
from vonggac_appliance.messages_motion import MotionQuery, Points, Watched
from vonggac_appliance.motion_looks import MotionLooks

_S = 1_000_000_000


@pytest.fixture
def rig(home: Path) -> Iterator[Rig]:
    with motion_looks(home) as made:
        yield made


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
        rig.looks.permit(COMMANDER, CASE, rig.query("cong", code))

    (line,) = rig.searches()
    assert line["result"] == f"refused: {code}: {why}"
    assert "permit" not in line
    assert line["search"] == "motion in 0.1,0.2 0.3,0.2 0.3,0.5 0.1,0.5"


def test_a_camera_outside_of_an_officers_area_is_one_that_there_is_not(rig: Rig) -> None:
    officer = replace(COMMANDER, person=Person("cd" * 16, Role.AREA_OFFICER, ("tổ 3",)))
    rig.looks.permit(officer, CASE, rig.query("cong"))

    with pytest.raises(Missing, match="there is no such camera"):
        rig.looks.permit(officer, CASE, rig.query("cong", "cho"))
    unknown = MotionQuery([Watched(b"?" * 16)], time.time_ns() - _S, time.time_ns())
    with pytest.raises(Missing, match="there is no such camera"):
        rig.looks.permit(officer, CASE, unknown)


@pytest.mark.parametrize("role", [Role.TECHNICIAN, Role.AUDITOR])
def test_who_sees_no_video_searches_none(rig: Rig, role: Role) -> None:
    with pytest.raises(Refused):
        rig.looks.permit(
            replace(COMMANDER, person=Person("cd" * 16, role)), CASE, rig.query("cong")
        )


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
        rig.looks.permit(COMMANDER, CASE, msgspec.structs.replace(rig.query("cong"), **changes))

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
        rig.looks.permit(COMMANDER, CASE, rig.query("cong", regions=[region]))

    assert refused.value.field == "region"


def test_corners_are_counted_before_anything_is_made_of_them(rig: Rig) -> None:
    crossing: Points = [(0.1, 0.1), (0.9, 0.9), (0.9, 0.1), (0.1, 0.9)]
    watched = Watched(rig.ids["cong"], [], [crossing] * 5000)
    query = MotionQuery([watched], time.time_ns() - _S, time.time_ns())

    with pytest.raises(Invalid, match="too many corners"):
        rig.looks.permit(COMMANDER, CASE, query)


def test_a_mask_that_leaves_nothing_is_refused(rig: Rig) -> None:
    query = MotionQuery(
        [Watched(rig.ids["cong"], [GATE], [GATE])], time.time_ns() - _S, time.time_ns()
    )

    with pytest.raises(Invalid, match="masked out"):
        rig.looks.permit(COMMANDER, CASE, query)


def test_one_search_does_not_fill_the_chain_with_regions(rig: Rig) -> None:
    now_ns = time.time_ns()
    watched = [
        Watched(bytes(8) + n.to_bytes(8, "big"), [[(0, 0), (1, 0), (1, 0.5 + n / 200)]])
        for n in range(65)
    ]

    with pytest.raises(Invalid, match="64 lines at most"):
        rig.looks.permit(COMMANDER, CASE, MotionQuery(watched, now_ns - _S, now_ns))

    assert len(rig.searches()) == 1


def test_nothing_is_searched_where_the_chain_cannot_be_written(tmp_path: Path) -> None:

    with Catalog(tmp_path) as catalog:
        one = camera("cong", OwnerKind.STATE)
        catalog.add_camera(one)
        looks = MotionLooks(tmp_path, catalog)
        with pytest.raises(Unavailable, match="nothing is shown unlogged"):
            looks.permit(
                COMMANDER,
                CASE,
                MotionQuery([Watched(one.id)], time.time_ns() - _S, time.time_ns()),
            )


def test_the_line_of_a_refused_search_has_its_cameras_and_its_range(rig: Rig) -> None:
    operator = replace(COMMANDER, person=Person("cd" * 16, Role.OPERATOR))
    begins = "2026-11-01T06:00:00.000Z"
    from_ns = int(datetime.fromisoformat(begins).timestamp()) * _S
    query = msgspec.structs.replace(
        rig.query("cong", "cho"), from_ns=from_ns, to_ns=from_ns + 600 * _S
    )

    with pytest.raises(Refused, match="the last two hours"):
        rig.looks.permit(operator, CASE, query)

    (line,) = rig.searches()
    assert (line["from"], line["to"]) == (begins, "2026-11-01T06:10:00.000Z")
    assert line["cameras"] == [rig.ids["cong"].hex(), rig.ids["cho"].hex()]
    assert "permit" not in line and "red" not in line


def test_a_refused_search_has_a_line_for_each_region_as_one_that_is_allowed(rig: Rig) -> None:
    other: Points = [(0.5, 0.5), (0.6, 0.5), (0.6, 0.6)]
    query = rig.query("cong", "cho", *(f"pho{n}" for n in range(16)))
    cameras = [*query.cameras, Watched(rig.ids["nha12"], [other])]
    query = msgspec.structs.replace(query, cameras=cameras)

    with pytest.raises(Refused, match="nha12"):
        rig.looks.permit(COMMANDER, CASE, query)

    words = [str(line["search"]) for line in rig.searches()]
    assert words == ["motion in 0.1,0.2 0.3,0.2 0.3,0.5 0.1,0.5"] * 2 + [
        "motion in 0.5,0.5 0.6,0.5 0.6,0.6"
    ]
    assert [str(line["object"]).count(",") + 1 for line in rig.searches()] == [16, 2, 1]
    assert len({line["result"] for line in rig.searches()}) == 1


def test_a_refused_heat_picture_is_called_one(rig: Rig) -> None:
    with pytest.raises(Refused):
        rig.looks.permit(COMMANDER, CASE, rig.query("nha12"), is_heat=True)

    assert rig.searches()[-1]["search"] == "heat of the whole picture"


@pytest.mark.parametrize("changes", [{"to_ns": 1 << 63}, {"from_ns": -(1 << 63)}])
def test_a_time_that_is_none_is_not_written_down(rig: Rig, changes: dict[str, object]) -> None:
    with pytest.raises(Invalid):
        rig.looks.permit(COMMANDER, CASE, msgspec.structs.replace(rig.query("cong"), **changes))

    (line,) = rig.searches()
    assert "from" not in line and str(line["result"]).startswith("refused: ")
