"""Searching motion is a look: rules, a line, a receipt for that question and no other."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from motion_looks_rig import CASE, COMMANDER, GATE, Rig, motion_looks
from vonggac.errors import Refused, TooMany
from vonggac.evidence import receipt
from vonggac.evidence.receipt import Permit
from vonggac.registry.people import Person, Role, local_person
from vonggac_appliance import motion_words
from vonggac_appliance.messages_motion import MotionQuery, Points, Watched
from vonggac_appliance.motion_looks import MotionLooks, Searcher
from vonggac_appliance.secrets import receipt_key

_S = 1_000_000_000


@pytest.fixture
def rig(home: Path) -> Iterator[Rig]:
    with motion_looks(home) as made:
        yield made


def test_a_search_is_a_line_with_region_cameras_range_and_purpose(rig: Rig) -> None:
    query = msgspec.structs.replace(rig.query("cong", "cho"), cells_min=3, hours=(1200, 120))

    permit = rig.looks.permit(COMMANDER, CASE, query)

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
    permit = rig.looks.permit(COMMANDER, CASE, rig.query("cong"))
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

    permit = rig.looks.permit(COMMANDER, CASE, query)

    assert [len(str(line["object"]).split(", ")) for line in rig.searches()] == [16, 2, 1]
    assert len(permit.receipts) == 3
    assert rig.searches()[2]["search"] == "motion in the whole picture"


def test_an_operator_searches_the_last_two_hours_only(rig: Rig) -> None:
    operator = replace(COMMANDER, person=Person("cd" * 16, Role.OPERATOR))
    query = rig.query("cong")
    rig.looks.permit(operator, CASE, query)

    with pytest.raises(Refused, match="the last two hours"):
        rig.looks.permit(
            operator, CASE, msgspec.structs.replace(query, from_ns=query.from_ns - 7200 * _S)
        )


def test_without_a_purpose_nobody_at_the_page_searches_and_a_shell_does_so_in_red(
    rig: Rig,
) -> None:
    with pytest.raises(Refused, match="a purpose comes before the picture"):
        rig.looks.permit(COMMANDER, None, rig.query("cong"))

    permit = rig.looks.permit(Searcher(local_person(os.getuid())), None, rig.query("cong"))

    assert permit.red == "no purpose was given"
    assert rig.searches()[-1]["red"] is True
    assert rig.searches()[-1]["actor"] == f"local:{os.getuid()}"


def test_what_is_left_out_stands_in_the_line_and_in_its_receipt(rig: Rig) -> None:
    left_of_the_gate: Points = [(0.0, 0.0), (0.1, 0.0), (0.1, 1.0), (0.0, 1.0)]
    now_ns = time.time_ns()
    watched = Watched(rig.ids["cong"], [], [left_of_the_gate])
    query = MotionQuery([watched], now_ns - 3600 * _S, now_ns)

    permit = rig.looks.permit(COMMANDER, CASE, query)

    (line,) = rig.searches()
    assert line["search"] == "motion in the whole picture, without 0,0 0.1,0 0.1,1 0,1"
    for masks in ([], [GATE]):
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


def test_nobody_searches_faster_than_the_chain_is_meant_for(rig: Rig) -> None:
    now_ns = [0]
    looks = MotionLooks(rig.home, rig.catalog, monotonic=lambda: now_ns[0])
    for _ in range(120):
        looks.permit(COMMANDER, CASE, rig.query("cong"))

    for _ in range(2):
        with pytest.raises(TooMany):
            looks.permit(COMMANDER, CASE, rig.query("cong"))

    assert [line["result"] for line in rig.searches()][-1] == (
        "refused: too many searches within a minute"
    )
    assert len(rig.searches()) == 121
    now_ns[0] = 61 * _S
    looks.permit(COMMANDER, CASE, rig.query("cong"))
