"""Looks: each is a line before it is a picture, and has an end in the chain whatever happens."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from audit_rig import audit_run, chain_of
from footage_maker import CAMERA, CAMERA_ROW, MAIN, make_home
from look_rig import CASE, HERE, ask_of, person
from vonggac.errors import Invalid, Missing, Refused, TooMany, Unavailable
from vonggac.evidence import receipt as receipts
from vonggac.registry.camera import Basis, Camera, Mode, OwnerKind
from vonggac.registry.catalog import Catalog
from vonggac.registry.people import Purpose, PurposeCode, Role
from vonggac_appliance import secrets
from vonggac_appliance.look import LookAsk
from vonggac_appliance.looks import Looks
from vonggac_appliance.serve_state import ServeState

SECOND_NS = 1_000_000_000
HOUR_NS = 3600 * SECOND_NS
NOW_NS = 1_795_320_000 * SECOND_NS
LIVE = LookAsk(CAMERA, "live", purpose=CASE)
STORED = ask_of(NOW_NS - HOUR_NS, NOW_NS - HOUR_NS // 2)


@dataclass(slots=True)
class Hands:
    """Both clocks, which move when told."""

    ns: int = NOW_NS

    def __call__(self) -> int:
        return self.ns

    def pass_s(self, seconds: float) -> None:
        self.ns += int(seconds * SECOND_NS)


@dataclass(slots=True)
class Desk:
    """The service over real files, and the writer of the chain, which may be sent away."""

    home: Path
    catalog: Catalog
    state: ServeState
    clock: Hands
    looks: Looks

    def lines(self, action: str = "") -> list[dict[str, Any]]:
        return [line for line in chain_of(self.home) if action in line["action"]]

    def again(self) -> Looks:
        """The service after a restart of `serve`."""
        return Looks(self.home, self.catalog, self.state, clock=self.clock, monotonic=self.clock)


@contextmanager
def desk(home: Path, *cameras: Camera) -> Iterator[Desk]:
    make_home(home, *cameras)
    clock = Hands()
    with Catalog(home) as catalog, ServeState(home) as state:
        made = Desk(home, catalog, state, clock, None)  # type: ignore[arg-type]
        made.looks = made.again()
        yield made


@pytest.fixture
def open_desk(home: Path) -> Iterator[Desk]:
    with audit_run(home), desk(home) as made:
        yield made


def household(mode: Mode = Mode.RECORDED_AND_LIVE) -> Camera:
    row = CAMERA_ROW
    basis = Basis(mode=mode, from_ns=0)
    return Camera(row.id, row.code, row.streams, 1, owner_kind=OwnerKind.HOUSEHOLD, basis=basis)


def test_a_look_is_a_line_before_it_is_anything(open_desk: Desk) -> None:
    session = person()
    look = open_desk.looks.open(session, HERE, STORED)
    line = open_desk.lines("look")[-1]
    assert line["n"] == look.line
    assert (line["actor"], line["role"]) == (session.person.name, "commander")
    assert (line["address"], line["device"], line["session"]) == (
        HERE.address, HERE.device, session.id,
    )  # fmt: skip
    assert line["purpose"] == {"code": "hình sự", "text": "2026/17"}
    assert (line["object"], line["result"], line["permit"]) == ("cam1", "allowed", "stored")
    assert len(line["streams"]) == 2 and "red" not in line
    seen = receipts.read(secrets.receipt_key(open_desk.home), look.receipt)
    assert seen is not None and (seen.from_ns, seen.to_ns) == (look.from_ns, look.to_ns)
    assert MAIN in seen.streams


def test_a_live_look_reaches_from_a_minute_ago_until_it_is_asked_again(open_desk: Desk) -> None:
    look = open_desk.looks.open(person(), HERE, LIVE)
    assert (look.from_ns, look.to_ns) == (NOW_NS - 60 * SECOND_NS, NOW_NS + 900 * SECOND_NS)
    assert look.expires_ns == look.to_ns
    assert open_desk.lines("live")[-1]["permit"] == "live"


@pytest.mark.parametrize(
    "purpose",
    [None, Purpose(PurposeCode.OTHER, ""), Purpose(PurposeCode.OTHER, " . \u200b")],
    ids=["none", "empty", "invisible"],
)
def test_without_a_purpose_there_is_no_look_but_a_line(
    open_desk: Desk, purpose: Purpose | None
) -> None:
    with pytest.raises(Invalid) as caught:
        open_desk.looks.open(person(), HERE, replace(STORED, purpose=purpose))
    assert caught.value.field == "purpose"
    line = open_desk.lines("look")[-1]
    assert line["result"] == "refused: a purpose comes before the picture"
    assert "permit" not in line and line["object"] == "cam1"
    assert not open_desk.looks.of_session(person())


def test_a_purpose_of_the_list_needs_no_words(open_desk: Desk) -> None:
    ask = replace(STORED, purpose=Purpose(PurposeCode.TRAFFIC, ""))
    open_desk.looks.open(person(), HERE, ask)
    assert "red" not in open_desk.lines("look")[-1]


def test_a_camera_that_is_not_there_is_missing_and_logged(open_desk: Desk) -> None:
    for camera, error in ((b"x" * 16, Missing), (b"", Invalid), (b"y" * 600, Invalid)):
        with pytest.raises(error):
            open_desk.looks.open(person(), HERE, replace(STORED, camera=camera))
    assert len([line for line in open_desk.lines("look") if "refused" in line["result"]]) == 3


def test_an_officer_never_learns_of_another_area_s_camera(open_desk: Desk) -> None:
    with pytest.raises(Missing, match="no such camera"):
        open_desk.looks.open(person(Role.AREA_OFFICER, "tổ 3"), HERE, STORED)
    assert open_desk.lines("look")[-1]["object"] == CAMERA.hex()


@pytest.mark.parametrize(
    ("role", "ask", "why"),
    [
        (Role.AUDITOR, STORED, "an auditor sees no video"),
        (Role.TECHNICIAN, LIVE, "a technician sees a test still only"),
        (Role.OPERATOR, ask_of(NOW_NS - 5 * HOUR_NS, NOW_NS), "the last two hours only"),
        (Role.DETECTIVE, replace(STORED, purpose=Purpose(PurposeCode.CRIME, "")), "case number"),
    ],
)
def test_what_the_rules_refuse_is_refused_and_logged(
    open_desk: Desk, role: Role, ask: LookAsk, why: str
) -> None:
    with pytest.raises(Refused, match=why):
        open_desk.looks.open(person(role), HERE, ask)
    line = open_desk.lines()[-1]
    assert why in line["result"] and line["role"] == role.value


@pytest.mark.parametrize(
    ("from_ns", "to_ns"),
    [(NOW_NS, NOW_NS - 1), (-5, NOW_NS), (0, NOW_NS), (1 << 70, 1 << 71), (NOW_NS + 1, NOW_NS + 2)],
    ids=["reversed", "negative", "too long", "enormous", "tomorrow"],
)
def test_a_range_that_is_none_is_refused_and_logged(
    open_desk: Desk, from_ns: int, to_ns: int
) -> None:
    with pytest.raises(Invalid):
        open_desk.looks.open(person(), HERE, ask_of(from_ns, to_ns))
    assert open_desk.lines("look")[-1]["result"].startswith("refused: ")


def test_without_the_chain_there_is_no_look(home: Path) -> None:
    with desk(home) as made:
        session = person()
        for ask in (STORED, LIVE, replace(STORED, purpose=None)):
            with pytest.raises(Unavailable):
                made.looks.open(session, HERE, ask)
        assert not made.looks.of_session(session)


def test_another_session_finds_nothing(open_desk: Desk) -> None:
    mine, other = person(), person()
    look = open_desk.looks.open(mine, HERE, STORED)
    for act in (
        lambda: open_desk.looks.get(other, look.id),
        lambda: open_desk.looks.end(other, look.id),
        lambda: open_desk.looks.renew(other, HERE, look.id),
        lambda: open_desk.looks.get(mine, look.id[:-1] + "x"),
        lambda: open_desk.looks.get(mine, ""),
    ):
        with pytest.raises(Missing):
            act()
    assert open_desk.looks.for_camera(other, CAMERA) is None
    assert open_desk.looks.for_camera(mine, CAMERA) == look


def test_a_look_that_nobody_holds_ends_after_seven_seconds(open_desk: Desk) -> None:
    """A browser was killed: no request, no socket any more."""
    session = person()
    look = open_desk.looks.open(session, HERE, STORED)
    open_desk.clock.pass_s(6)
    open_desk.looks.sweep()
    open_desk.looks.get(session, look.id)
    open_desk.clock.pass_s(6)
    open_desk.looks.sweep()
    assert not open_desk.lines("look end")
    open_desk.clock.pass_s(1)
    open_desk.looks.sweep()
    end = open_desk.lines("look end")[-1]
    assert (end["about"], end["result"]) == (look.line, "nobody is there")
    assert end["delivered_ms"] == 0 and end["actor"] == session.person.name
    with pytest.raises(Missing):
        open_desk.looks.get(session, look.id)


def test_a_look_that_a_page_holds_lives_until_it_lets_go(open_desk: Desk) -> None:
    session, tab, other_tab = person(), object(), object()
    look = open_desk.looks.open(session, HERE, STORED)
    open_desk.looks.hold(look.id, tab)
    open_desk.looks.hold(look.id, other_tab)
    open_desk.looks.release(look.id, other_tab)
    for _ in range(50):
        open_desk.clock.pass_s(10)
        open_desk.looks.sweep()
    assert open_desk.looks.of_session(session) == [look]
    open_desk.looks.release(look.id, tab)
    open_desk.clock.pass_s(10)
    open_desk.looks.sweep()
    assert not open_desk.looks.of_session(session)


def test_a_look_ends_after_fifteen_minutes_unless_somebody_goes_on(open_desk: Desk) -> None:
    session = person()
    look = open_desk.looks.open(session, HERE, STORED)
    open_desk.looks.hold(look.id, open_desk)
    open_desk.clock.pass_s(14 * 60)
    again = open_desk.looks.renew(session, HERE, look.id)
    assert (again.id, again.line) == (look.id, look.line)
    assert again.receipt != look.receipt and again.expires_ns > look.expires_ns
    line = open_desk.lines("look")[-1]
    assert (line["action"], line["about"], line["permit"]) == ("look", look.line, "stored")
    open_desk.clock.pass_s(15 * 60)
    with pytest.raises(Missing):
        open_desk.looks.get(session, look.id)
    open_desk.looks.sweep()
    assert open_desk.lines("look end")[-1]["result"] == "expired"


def test_a_household_s_camera_is_asked_again_after_five_minutes(home: Path) -> None:
    with audit_run(home), desk(home, household()) as made:
        look = made.looks.open(person(), HERE, LIVE)
        assert look.expires_ns == look.to_ns == NOW_NS + 300 * SECOND_NS


def test_an_agreement_that_ends_soon_ends_the_look(home: Path) -> None:
    until_ns = NOW_NS + 60 * SECOND_NS
    basis = Basis(mode=Mode.RECORDED_AND_LIVE, from_ns=NOW_NS - SECOND_NS, until_ns=until_ns)
    camera = Camera(CAMERA, "cam1", CAMERA_ROW.streams, 1, owner_kind=OwnerKind.HOUSEHOLD,
                    basis=basis)  # fmt: skip
    with audit_run(home), desk(home, camera) as made:
        session = person()
        look = made.looks.open(session, HERE, LIVE)
        assert (look.from_ns, look.to_ns) == (NOW_NS - SECOND_NS, until_ns)
        made.clock.pass_s(61)
        with pytest.raises(Refused):
            made.looks.renew(session, HERE, look.id)
        line = made.lines("live")[-1]
        assert line["result"].startswith("refused") and line["about"] == look.line


def test_an_agreement_without_live_view_has_no_list_that_grows(home: Path) -> None:
    """It would be live view, a few seconds late."""
    with audit_run(home), desk(home, household(Mode.RECORDED)) as made:
        session = person()
        with pytest.raises(Refused, match="live view"):
            made.looks.open(session, HERE, LIVE)
        look = made.looks.open(session, HERE, ask_of(NOW_NS - HOUR_NS, NOW_NS + HOUR_NS))
        assert look.to_ns == NOW_NS
        made.clock.pass_s(60)
        made.looks.hold(look.id, made)
        assert made.looks.renew(session, HERE, look.id).to_ns == NOW_NS + 60 * SECOND_NS


def test_a_camera_that_was_removed_is_not_shown_again(open_desk: Desk) -> None:
    session = person()
    look = open_desk.looks.open(session, HERE, STORED)
    open_desk.catalog.remove_camera("cam1")
    with pytest.raises(Missing):
        open_desk.looks.renew(session, HERE, look.id)


def test_signing_out_ends_the_session_s_looks(open_desk: Desk) -> None:
    session, other = person(), person()
    open_desk.looks.open(session, HERE, STORED)
    open_desk.looks.open(session, HERE, LIVE)
    kept = open_desk.looks.open(other, HERE, LIVE)
    open_desk.looks.end_session(session.id)
    ends = open_desk.lines("look end")
    assert [line["result"] for line in ends] == ["signed out"] * 2
    assert open_desk.looks.of_session(other) == [kept]


def test_what_was_sent_of_both_streams_counts_once(open_desk: Desk) -> None:
    session = person()
    look = open_desk.looks.open(session, HERE, STORED)
    for stream, from_s, to_s in ((b"m", 0, 4), (b"s", 2, 6), (b"m", 10, 11), (b"m", 10, 11)):
        open_desk.looks.delivered(
            look.id, stream * 16, NOW_NS + from_s * SECOND_NS, NOW_NS + to_s * SECOND_NS
        )
    open_desk.looks.end(session, look.id)
    assert open_desk.lines("look end")[-1]["delivered_ms"] == 7000
    open_desk.looks.delivered(look.id, MAIN, 0, 1)  # too late: nothing happens


def test_a_killed_serve_leaves_looks_that_the_next_one_ends(open_desk: Desk) -> None:
    session = person()
    look = open_desk.looks.open(session, HERE, STORED)
    open_desk.looks.hold(look.id, open_desk)
    open_desk.looks.delivered(look.id, MAIN, 0, 5 * SECOND_NS)
    open_desk.clock.pass_s(5)
    open_desk.looks.sweep()
    open_desk.looks.delivered(look.id, MAIN, 5 * SECOND_NS, 6 * SECOND_NS)  # not yet noted
    after = open_desk.again()
    with pytest.raises(Missing):
        after.get(session, look.id)
    after.sweep()
    end = open_desk.lines("look end")[-1]
    assert (end["about"], end["result"], end["delivered_ms"]) == (look.line, "serve ended", 5000)
    assert (end["session"], end["address"]) == (session.id, HERE.address)
    open_desk.again().sweep()
    assert len(open_desk.lines("look end")) == 1


def test_an_end_that_cannot_be_written_is_written_later(home: Path) -> None:
    with ExitStack() as stack:
        audit = stack.enter_context(ExitStack())
        audit.enter_context(audit_run(home))
        made = stack.enter_context(desk(home))
        session = person()
        look = made.looks.open(session, HERE, STORED)
        made.looks.delivered(look.id, MAIN, 0, 3 * SECOND_NS)
        audit.close()
        made.looks.end(session, look.id)
        with pytest.raises(Missing):
            made.looks.get(session, look.id)
        made.looks.sweep()
        assert not made.lines("look end")
        restarted = made.again()
        stack.enter_context(audit_run(home))
        restarted.sweep()
        end = made.lines("look end")[-1]
        assert (end["result"], end["delivered_ms"]) == ("done", 3000)


def test_serve_s_own_end_is_that_of_all_looks(open_desk: Desk) -> None:
    open_desk.looks.open(person(), HERE, STORED)
    open_desk.looks.open(person(), HERE, LIVE)
    open_desk.looks.close()
    assert [line["result"] for line in open_desk.lines("look end")] == ["serve ended"] * 2
    open_desk.again().sweep()
    assert len(open_desk.lines("look end")) == 2


def test_a_session_cannot_fill_the_box_with_looks(open_desk: Desk) -> None:
    session = person()
    for _ in range(64):
        open_desk.looks.open(session, HERE, STORED)
    with pytest.raises(TooMany):
        open_desk.looks.open(session, HERE, STORED)
    open_desk.looks.open(person(), HERE, STORED)
    assert open_desk.lines("look")[-2]["result"] == "refused: too many looks are open"


def test_a_session_cannot_fill_the_chain_with_looks(open_desk: Desk) -> None:
    session = person()
    for _ in range(120):
        open_desk.looks.end(session, open_desk.looks.open(session, HERE, STORED).id)
    for _ in range(3):
        with pytest.raises(TooMany) as refused:
            open_desk.looks.open(session, HERE, STORED)
        assert 0 < refused.value.retry_after_s <= 60
    too_many = "refused: too many looks within a minute"
    assert [line["result"] for line in open_desk.lines("look")].count(too_many) == 1
    open_desk.looks.open(person(), HERE, STORED)
    open_desk.clock.pass_s(61)
    open_desk.looks.open(session, HERE, STORED)
