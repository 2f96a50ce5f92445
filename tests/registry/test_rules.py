"""`may_record` and `may_view`, by tables."""

from __future__ import annotations

import msgspec
import pytest

from vonggac.errors import Missing
from vonggac.media.chunk import GapReason
from vonggac.registry.camera import AdminState, Basis, Camera, Hours, Mode, OwnerKind
from vonggac.registry.people import Person, Purpose, PurposeCode, Role
from vonggac.registry.rules import (
    OPERATOR_BACK_NS,
    known,
    may_know,
    may_record,
    may_record_sound,
    may_view,
)

HOUR = 3_600_000_000_000
DAY = 24 * HOUR
NOW = 1_800_000_000 * 1_000_000_000  # 2027-01-15 08:00 UTC, 15:00 in Vietnam
CASE = Purpose(PurposeCode.CRIME, "2026/17")


def camera(**changes: object) -> Camera:
    plain = Camera(
        id=bytes(16), code="c1", streams=(), created_ns=0, owner_kind=OwnerKind.STATE, area="tổ 3"
    )
    return msgspec.structs.replace(plain, **changes)


def basis(mode: Mode = Mode.RECORDED_AND_LIVE, **changes: object) -> Basis:
    plain = Basis(mode=mode, from_ns=NOW - 30 * DAY, until_ns=NOW + 30 * DAY)
    return msgspec.structs.replace(plain, **changes)


HOUSEHOLD = OwnerKind.HOUSEHOLD


@pytest.mark.parametrize(
    ("row", "is_allowed", "gap", "is_red"),
    [
        pytest.param(camera(), True, None, False, id="state-without-basis"),
        pytest.param(
            camera(owner_kind=OwnerKind.UNCLASSIFIED), True, None, True, id="unclassified"
        ),
        pytest.param(
            camera(owner_kind=HOUSEHOLD), False, GapReason.AGREEMENT_ENDED, False, id="no-basis"
        ),
        pytest.param(
            camera(owner_kind=HOUSEHOLD, basis=basis(Mode.RECORDED)), True, None, False, id="C"
        ),
        pytest.param(camera(owner_kind=HOUSEHOLD, basis=basis()), True, None, False, id="D"),
        pytest.param(
            camera(owner_kind=HOUSEHOLD, basis=basis(Mode.REGISTRY_ONLY)),
            False,
            GapReason.AGREEMENT_ENDED,
            False,
            id="A",
        ),
        pytest.param(
            camera(owner_kind=OwnerKind.SCHOOL, basis=basis(Mode.EXTRACT_ON_REQUEST)),
            False,
            GapReason.AGREEMENT_ENDED,
            False,
            id="B",
        ),
        pytest.param(
            camera(basis=basis(until_ns=NOW)),
            False,
            GapReason.AGREEMENT_ENDED,
            False,
            id="ends-this-instant",
        ),
        pytest.param(camera(basis=basis(until_ns=NOW + 1)), True, None, False, id="last-ns"),
        pytest.param(camera(basis=basis(until_ns=None)), True, None, False, id="without-end"),
        pytest.param(
            camera(basis=basis(from_ns=NOW + 1)), False, GapReason.PAUSED, False, id="not-begun"
        ),
        pytest.param(
            camera(admin_state=AdminState.PAUSED), False, GapReason.PAUSED, False, id="paused"
        ),
        pytest.param(
            camera(admin_state=AdminState.WITHDRAWN, basis=basis()),
            False,
            GapReason.AGREEMENT_ENDED,
            False,
            id="withdrawn",
        ),
        pytest.param(
            camera(admin_state=AdminState.AWAITING_REPAIR), True, None, False, id="awaiting-repair"
        ),
    ],
)
def test_who_is_recorded(
    row: Camera, is_allowed: bool, gap: GapReason | None, is_red: bool
) -> None:
    answer = may_record(row, NOW)
    assert (answer.is_allowed, answer.is_red) == (is_allowed, is_red)
    assert is_allowed or (answer.gap is gap and answer.sentence)


@pytest.mark.parametrize(
    ("spans", "is_allowed"),
    [
        pytest.param((Hours(15 * 60, 16 * 60),), True, id="starts-now"),
        pytest.param((Hours(14 * 60, 15 * 60),), False, id="ended-now"),
        pytest.param((Hours(22 * 60, 6 * 60),), False, id="night"),
        pytest.param((Hours(22 * 60, 15 * 60 + 1),), True, id="past-midnight"),
        pytest.param((Hours(0, 60), Hours(900, 901)), True, id="second-span"),
    ],
)
def test_agreed_hours_are_those_of_the_local_day(
    spans: tuple[Hours, ...], is_allowed: bool
) -> None:
    answer = may_record(camera(basis=basis(hours=spans)), NOW)
    assert answer.is_allowed is is_allowed
    assert is_allowed or answer.gap is GapReason.PAUSED


@pytest.mark.parametrize("role", list(Role))
def test_an_empty_range_is_refused_to_everybody(role: Role) -> None:
    assert not may_view(Person("x", role), camera(), NOW, NOW, CASE, NOW).is_allowed


@pytest.mark.parametrize(
    ("person", "is_allowed"),
    [
        pytest.param(Person("a", Role.COMMANDER), True, id="commander"),
        pytest.param(Person("a", Role.AREA_OFFICER, ("tổ 3",)), True, id="own-area"),
        pytest.param(Person("a", Role.AREA_OFFICER, ("tổ 7",)), False, id="other-area"),
        pytest.param(Person("a", Role.DETECTIVE), True, id="detective"),
        pytest.param(Person("a", Role.OPERATOR), True, id="operator"),
        pytest.param(Person("a", Role.TECHNICIAN), False, id="technician"),
        pytest.param(Person("a", Role.AUDITOR), False, id="auditor"),
        pytest.param(Person("local:0", Role.LOCAL), True, id="local"),
    ],
)
def test_a_role_decides_who_replays(person: Person, is_allowed: bool) -> None:
    answer = may_view(person, camera(), NOW - HOUR, NOW, CASE, NOW)
    assert answer.is_allowed is is_allowed
    assert is_allowed or answer.sentence


@pytest.mark.parametrize("role", [Role.AREA_OFFICER, Role.DETECTIVE, Role.OPERATOR])
def test_an_unclassified_camera_is_hidden_from_officers(role: Role) -> None:
    row = camera(owner_kind=OwnerKind.UNCLASSIFIED)
    person = Person("a", role, ("tổ 3",))
    assert not may_view(person, row, NOW - HOUR, NOW, CASE, NOW).is_allowed
    seen = may_view(Person("c", Role.COMMANDER), row, NOW - HOUR, NOW, CASE, NOW)
    assert seen.is_allowed
    assert seen.is_red


def test_an_operator_replays_two_hours_and_no_more() -> None:
    person = Person("o", Role.OPERATOR)
    edge = NOW - OPERATOR_BACK_NS
    assert may_view(person, camera(), edge, NOW, CASE, NOW).is_allowed
    assert not may_view(person, camera(), edge - 1, NOW, CASE, NOW).is_allowed


@pytest.mark.parametrize("purpose", [None, Purpose(PurposeCode.OTHER, "  ")], ids=["none", "blank"])
def test_a_look_without_purpose_is_refused_to_people_and_red_for_a_shell(
    purpose: Purpose | None,
) -> None:
    commander = Person("c", Role.COMMANDER)
    assert not may_view(commander, camera(), NOW - 1, NOW, purpose, NOW).is_allowed
    shell = may_view(Person("local:0", Role.LOCAL), camera(), NOW - 1, NOW, purpose, NOW)
    assert shell.is_allowed
    assert shell.is_red


@pytest.mark.parametrize(
    ("row", "from_ns", "is_live", "is_allowed"),
    [
        pytest.param(camera(owner_kind=HOUSEHOLD), NOW - 1, False, False, id="no-agreement"),
        pytest.param(camera(basis=basis(Mode.RECORDED)), NOW - 1, False, True, id="C-replay"),
        pytest.param(camera(basis=basis(Mode.RECORDED)), NOW - 1, True, False, id="C-live"),
        pytest.param(camera(basis=basis()), NOW - 1, True, True, id="D-live"),
        pytest.param(
            camera(basis=basis(), admin_state=AdminState.PAUSED), NOW - 1, True, False, id="paused"
        ),
        pytest.param(camera(basis=basis()), NOW - 31 * DAY, False, False, id="before-it-began"),
        pytest.param(
            camera(basis=basis(retention_cap_days=7)), NOW - 8 * DAY, False, False, id="too-old"
        ),
        pytest.param(camera(basis=basis(Mode.REGISTRY_ONLY)), NOW - 1, False, False, id="A"),
    ],
)
def test_the_agreement_binds_even_a_shell(
    row: Camera, from_ns: int, is_live: bool, is_allowed: bool
) -> None:
    person = Person("local:0", Role.LOCAL)
    answer = may_view(person, row, from_ns, NOW, CASE, NOW, is_live=is_live)
    assert answer.is_allowed is is_allowed


def test_what_was_recorded_under_an_ended_agreement_is_still_seen() -> None:
    row = camera(owner_kind=HOUSEHOLD, basis=basis(until_ns=NOW - DAY))
    person = Person("c", Role.COMMANDER)
    assert may_view(person, row, NOW - 3 * DAY, NOW - 2 * DAY, CASE, NOW).is_allowed
    assert not may_view(person, row, NOW - 3 * DAY, NOW, CASE, NOW).is_allowed


@pytest.mark.parametrize(
    ("person", "row", "is_known"),
    [
        pytest.param(Person("o", Role.AREA_OFFICER, ("tổ 3",)), camera(), True, id="own-area"),
        pytest.param(Person("o", Role.AREA_OFFICER, ("tổ 7",)), camera(), False, id="other-area"),
        pytest.param(Person("o", Role.AREA_OFFICER), camera(area=""), False, id="no-area"),
        pytest.param(
            Person("o", Role.AREA_OFFICER, ("tổ 3",)),
            camera(owner_kind=OwnerKind.UNCLASSIFIED),
            False,
            id="unclassified",
        ),
        pytest.param(Person("d", Role.DETECTIVE), camera(), True, id="detective"),
        pytest.param(
            Person("d", Role.DETECTIVE),
            camera(owner_kind=OwnerKind.UNCLASSIFIED),
            False,
            id="detective-unclassified",
        ),
        pytest.param(
            Person("c", Role.COMMANDER),
            camera(owner_kind=OwnerKind.UNCLASSIFIED),
            True,
            id="commander-unclassified",
        ),
        pytest.param(Person("t", Role.TECHNICIAN), camera(), True, id="technician"),
        pytest.param(Person("a", Role.AUDITOR), camera(), True, id="auditor"),
    ],
)
def test_a_role_decides_of_which_cameras_one_knows(
    person: Person, row: Camera, is_known: bool
) -> None:
    assert may_know(person, row) is is_known


def test_of_a_camera_that_one_may_not_know_one_is_told_as_of_none() -> None:
    own, other = (Person("o", Role.AREA_OFFICER, (area,)) for area in ("tổ 3", "tổ 7"))
    assert known(own, camera()) == camera()
    with pytest.raises(Missing) as of_another:
        known(other, camera())
    with pytest.raises(Missing) as of_none:
        known(own, None)
    assert str(of_another.value) == str(of_none.value)


@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize("kind", list(OwnerKind))
def test_nobody_sees_a_camera_that_he_may_not_know_of(role: Role, kind: OwnerKind) -> None:
    for area in ("tổ 3", "tổ 7"):
        person = Person("x", role, ("tổ 3",))
        row = camera(owner_kind=kind, area=area, basis=basis())
        viewing = may_view(person, row, NOW - HOUR, NOW, CASE, NOW)
        assert may_know(person, row) or not viewing.is_allowed


@pytest.mark.parametrize("kind", list(OwnerKind))
def test_sound_is_recorded_only_where_a_basis_says_so_and_never_of_the_state(
    kind: OwnerKind,
) -> None:
    assert not may_record_sound(camera(owner_kind=kind, basis=None))
    assert not may_record_sound(camera(owner_kind=kind, basis=basis()))
    is_kept = may_record_sound(camera(owner_kind=kind, basis=basis(audio=True)))
    assert is_kept is (kind is not OwnerKind.STATE)
