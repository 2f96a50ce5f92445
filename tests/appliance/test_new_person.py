"""`vonggac person add`: a code lets in whom it was made for, as what it was made for, once."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from account_rig import HERE, NAME, PASSWORD, Office, closed_office, office
from audit_rig import audit_run, vonggac
from look_rig import chain_of
from page_rig import shown_code
from vonggac.errors import Invalid, Refused, Unavailable
from vonggac.registry.people import Account, Role
from vonggac_appliance.accounts import Caller

SECOND = "Trần Thị Bình"
OTHER_PASSWORD = "thuyền giấy trên sông Hương"


@pytest.fixture
def here(home: Path) -> Iterator[Office]:
    """Somebody is there already."""
    with office(home) as made:
        made.enrol()
        yield made


def code_of(here: Office, name: str = SECOND, role: Role = Role.DETECTIVE, *areas: str) -> str:
    return here.accounts.make_person_code(name, role, areas)


def joins(here: Office, code: str, name: str = SECOND, address: str = HERE.address) -> Role:
    _, session = here.accounts.new_person(code, name, OTHER_PASSWORD, Caller(address, ""))
    return session.person.role


def test_a_code_lets_in_whom_it_was_made_for_and_the_chain_says_who_made_it(here: Office) -> None:
    code = code_of(here, f" {SECOND} ", Role.AREA_OFFICER, "Tổ 3", "Tổ 4")
    token, session = here.accounts.new_person(code, SECOND.upper(), OTHER_PASSWORD, HERE)
    assert here.accounts.session(token) == session
    assert session.display_name == SECOND
    assert session.person.role is Role.AREA_OFFICER
    assert session.person.areas == ("Tổ 3", "Tổ 4")
    here.accounts.sign_in(SECOND, OTHER_PASSWORD, HERE)

    lines = chain_of(here.home)
    made = next(line for line in lines if line["action"] == "setup code")
    assert (made["object"], made["result"]) == (SECOND, "done: as area-officer, Tổ 3, Tổ 4")
    assert made["actor"] == f"local:{os.getuid()}"
    added = next(line for line in lines if line["action"] == "person add")
    assert (added["object"], added["role"]) == (SECOND, "area-officer")
    assert (added["actor"], added["about"]) == (session.person.name, made["n"])
    assert code not in str(lines) and OTHER_PASSWORD not in str(lines)


def test_a_code_works_once(here: Office) -> None:
    code = code_of(here)
    assert joins(here, code) is Role.DETECTIVE
    with pytest.raises(Invalid):
        joins(here, code, "Lê Văn Cường")
    assert len(here.catalog.people()) == 2


def test_a_code_is_wrong_for_another_name_and_five_such_tries_end_it(here: Office) -> None:
    code = code_of(here)
    for number in range(5):
        with pytest.raises(Invalid) as caught:
            joins(here, code, "Lê Văn Cường", f"10.0.0.{number}")
        assert caught.value.field == "code"
    with pytest.raises(Invalid):
        joins(here, code)
    refused = chain_of(here.home)[-1]
    assert (refused["object"], refused["result"]) == ("new person", "refused: wrong code")
    assert len(here.catalog.people()) == 1


def test_whoever_knows_neither_code_nor_name_does_not_end_a_code(here: Office) -> None:
    code = code_of(here)
    for number in range(6):
        with pytest.raises(Invalid):
            joins(here, "2345-6789", "Lê Văn Cường", f"10.0.0.{number}")
    assert joins(here, code) is Role.DETECTIVE
    code = code_of(here, "Phạm Thị Dung")
    for number in range(5):
        with pytest.raises(Invalid):
            joins(here, "2345-6789", "Phạm Thị Dung", f"10.0.1.{number}")
    with pytest.raises(Invalid):
        joins(here, code, "Phạm Thị Dung", "10.0.2.1")


def test_a_code_that_is_made_while_another_is_used_stays(
    here: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    add, later = here.catalog.add_account, list[str]()

    def adds(account: Account, *, is_first: bool = False) -> None:
        later.append(code_of(here, "Lê Văn Cường", Role.AUDITOR))
        add(account, is_first=is_first)

    with monkeypatch.context() as patch:
        patch.setattr(here.catalog, "add_account", adds)
        assert joins(here, code_of(here)) is Role.DETECTIVE
    assert joins(here, later[0], "Lê Văn Cường") is Role.AUDITOR


def test_a_code_lives_for_a_quarter_of_an_hour_and_until_the_next_one(here: Office) -> None:
    code = code_of(here)
    here.time.pass_s(15 * 60)
    with pytest.raises(Invalid):
        joins(here, code)
    first = code_of(here)
    second = code_of(here, "Lê Văn Cường", Role.AUDITOR)
    with pytest.raises(Invalid):
        joins(here, first)
    assert joins(here, second, "Lê Văn Cường") is Role.AUDITOR


def test_the_first_persons_code_is_no_way_in_for_a_second(home: Path) -> None:
    with office(home) as here:
        code = here.accounts.make_code()
        with pytest.raises(Refused, match="nobody is there yet"):
            joins(here, code)
        with pytest.raises(Refused, match="setup-code"):
            code_of(here)
        here.enrol()
        with pytest.raises(Invalid):
            joins(here, code)


@pytest.mark.parametrize("name", ["", "x\u202ey", NAME.lower(), "a" * 65])
def test_nobody_gets_a_name_that_is_none_or_is_taken(here: Office, name: str) -> None:
    with pytest.raises(Refused):
        code_of(here, name)
    assert not [line for line in chain_of(here.home) if line["action"] == "setup code"]


def test_without_the_audit_chain_there_is_no_code_and_nobody_joins(home: Path) -> None:
    with office(home) as here:
        here.enrol()
    with closed_office(home) as here:
        with pytest.raises(Unavailable):
            code_of(here)
        with audit_run(home):
            code = code_of(here)
        with pytest.raises(Unavailable):
            joins(here, code)
        assert len(here.catalog.people()) == 1
        with audit_run(home):
            joins(here, code)


def test_the_command_shows_the_code_on_a_terminal(home: Path) -> None:
    with office(home) as here:
        here.enrol()
        code = shown_code(home, "person", "add", SECOND, "--role", "commander")
        here.time.now_ns = os.stat(home / "serve" / "data.mdb").st_mtime_ns + 10**9
        assert joins(here, code) is Role.COMMANDER
        here.accounts.sign_in(NAME, PASSWORD, HERE)


@pytest.mark.parametrize(
    ("words", "status", "says"),
    [
        ([SECOND, "--role", "local"], 2, "invalid choice"),
        ([SECOND, "--role", "area-officer"], 2, "--area"),
        ([SECOND, "--role", "detective", "--area", "Tổ 3"], 2, "--area"),
        ([SECOND, "--role", "area-officer", "--area", " "], 2, "--area"),
        (["\t", "--role", "detective"], 2, "NAME: the name is empty"),
        ([NAME, "--role", "detective"], 1, "is there already"),
    ],
    ids=["role", "no area", "area", "empty area", "no name", "taken"],
)
def test_a_wrong_command_is_told(
    home: Path,
    words: list[str],
    status: int,
    says: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    with closed_office(home) as here:
        here.enrol()
    with audit_run(home):
        assert vonggac(home, "person", "add", *words) == status
    assert says in capsys.readouterr().err


def test_no_file_and_no_pipe_gets_a_code(here: Office, capfd: pytest.CaptureFixture[str]) -> None:
    assert vonggac(here.home, "person", "add", SECOND, "--role", "detective") == 1
    out, err = capfd.readouterr()
    assert (out, "on a terminal only" in err) == ("", True)


def test_the_doctor_asks_for_a_second_person(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for state in ("warning", "ok"):
        with closed_office(home) as here:
            here.enrol(NAME if state == "warning" else SECOND)
        vonggac(home, "doctor", "--json")
        checks = json.loads(capsys.readouterr().out)["checks"]
        (people,) = [check for check in checks if check["subject"] == "people"]
        assert people["state"] == state
        assert ("person add" in people["what"]) == (state == "warning")
