"""The code of `setup`, and the first person, over a real audit chain, catalog and state."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from account_rig import ELSEWHERE, HERE, NAME, PASSWORD, Office, closed_office, said
from audit_rig import audit_run, chain_of
from vonggac.errors import Invalid, NotSignedIn, Refused, Unavailable
from vonggac.registry.passwords import PasswordRefused
from vonggac.registry.people import Role
from vonggac_appliance.accounts import Caller


def test_the_first_person_is_a_commander_and_signed_in(here: Office) -> None:
    code = here.accounts.make_code()
    token, session = here.accounts.first_person(code, f" {NAME} ", PASSWORD, HERE)
    assert session.person.role is Role.COMMANDER
    assert session.display_name == NAME
    assert here.accounts.session(token) == session
    assert not here.accounts.needs_setup()
    (account,) = here.catalog.people()
    assert (account.name, account.id.hex()) == (NAME, session.person.name)
    assert PASSWORD not in account.password
    assert said(here.home) == [
        ("setup code", "first person", "done"),
        ("person add", NAME, "allowed"),
        ("sign in", NAME, "allowed"),
    ]
    code_line, _, line = chain_of(here.home)[1:]
    assert code_line["actor"] == f"local:{os.getuid()}"
    assert (line["actor"], line["role"], line["session"]) == (
        session.person.name,
        "commander",
        session.id,
    )
    assert (line["address"], line["device"]) == (HERE.address, HERE.device)


def test_no_secret_stands_in_the_chain(here: Office) -> None:
    code = here.accounts.make_code()
    token, _ = here.accounts.first_person(code, NAME, PASSWORD, HERE)
    for name in (NAME, PASSWORD):  # a password typed into the wrong field
        with pytest.raises(NotSignedIn):
            here.accounts.sign_in(name, "sai mật khẩu", HERE)
    text = (here.home / "audit" / "log.jsonl").read_text()
    assert not [w for w in (PASSWORD, "sai mật khẩu", token, code, code[:4]) if w in text]
    assert said(here.home)[-1] == ("sign in", "unknown name", "refused: unknown name")


def test_the_state_holds_no_token_and_no_code(here: Office) -> None:
    code = here.accounts.make_code()
    raw = (here.home / "serve" / "data.mdb").read_bytes()
    assert code.replace("-", "").encode() not in raw
    token, _ = here.accounts.first_person(code, NAME, PASSWORD, HERE)
    raw = (here.home / "serve" / "data.mdb").read_bytes()
    assert token.encode() not in raw


def test_a_code_is_read_however_it_is_typed(here: Office) -> None:
    code = here.accounts.make_code()
    here.accounts.first_person(f"  {code.lower().replace('-', ' ')} ", NAME, PASSWORD, HERE)


@pytest.mark.parametrize(
    "typed", ["", "AAAA-AAAA", "é" * 9, "\ud800", "9" * 100_000], ids=lambda text: text[:9] or "-"
)
def test_a_wrong_code_is_refused_and_written_down(here: Office, typed: str) -> None:
    here.accounts.make_code()
    with pytest.raises(Invalid) as caught:
        here.accounts.first_person(typed, NAME, PASSWORD, HERE)
    assert caught.value.field == "code"
    assert said(here.home)[-1] == ("person add", "first person", "refused: wrong code")
    assert here.accounts.needs_setup()


def test_the_sixth_try_is_refused_whatever_it_is(here: Office) -> None:
    code = here.accounts.make_code()
    for number in range(5):
        here.time.pass_s(60)
        with pytest.raises(Invalid):
            here.accounts.first_person("AAAA-AAAA", NAME, PASSWORD, Caller(f"10.0.0.{number}", ""))
    with pytest.raises(Invalid) as caught:
        here.accounts.first_person(code, NAME, PASSWORD, ELSEWHERE)
    assert caught.value.field == "code"
    again = here.accounts.make_code()
    here.accounts.first_person(again, NAME, PASSWORD, ELSEWHERE)


def test_the_fifth_try_may_be_right(here: Office) -> None:
    code = here.accounts.make_code()
    for number in range(4):
        with pytest.raises(Invalid):
            here.accounts.first_person("AAAA-AAAA", NAME, PASSWORD, Caller(f"10.0.0.{number}", ""))
    here.accounts.first_person(code, NAME, PASSWORD, HERE)


def test_a_code_lives_for_a_quarter_of_an_hour(here: Office) -> None:
    code = here.accounts.make_code()
    here.time.pass_s(15 * 60)
    with pytest.raises(Invalid):
        here.accounts.first_person(code, NAME, PASSWORD, HERE)
    code = here.accounts.make_code()
    here.time.pass_s(15 * 60 - 1)
    here.accounts.first_person(code, NAME, PASSWORD, HERE)


def test_a_code_does_not_grow_younger_when_the_clock_is_set_back(here: Office) -> None:
    code = here.accounts.make_code()
    here.time.pass_s(-3600)
    with pytest.raises(Invalid):
        here.accounts.first_person(code, NAME, PASSWORD, HERE)


def test_a_new_code_ends_the_one_before(here: Office) -> None:
    first, second = here.accounts.make_code(), here.accounts.make_code()
    with pytest.raises(Invalid):
        here.accounts.first_person(first, NAME, PASSWORD, HERE)
    here.accounts.first_person(second, NAME, PASSWORD, HERE)


def test_a_code_works_once(here: Office) -> None:
    code = here.accounts.make_code()
    here.accounts.first_person(code, NAME, PASSWORD, HERE)
    with pytest.raises(Refused, match="first person is there"):
        here.accounts.first_person(code, "Trần Thị Bình", PASSWORD, HERE)
    with pytest.raises(Refused, match="people already"):
        here.accounts.make_code()
    assert len(here.catalog.people()) == 1


def test_two_who_type_the_same_code_at_once_are_one_person(here: Office) -> None:
    code = here.accounts.make_code()
    both = threading.Barrier(2)
    outcomes: list[str] = []

    def come(name: str) -> None:
        both.wait()
        try:
            here.accounts.first_person(code, name, PASSWORD, Caller(name, ""))
            outcomes.append("in")
        except (Refused, Invalid):
            outcomes.append("out")

    threads = [threading.Thread(target=come, args=(name,)) for name in ("An", "Bình")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["in", "out"]
    assert len(here.catalog.people()) == 1


@pytest.mark.parametrize(
    ("name", "password", "field"),
    [
        pytest.param("", PASSWORD, "name", id="no-name"),
        pytest.param(NAME, "Congan@123", "password", id="a-password-of-everybody"),
        pytest.param(NAME, f"{NAME} 123456", "password", id="his-own-name"),
    ],
)
def test_what_is_refused_beside_the_code_costs_no_try(
    here: Office, name: str, password: str, field: str
) -> None:
    code = here.accounts.make_code()
    for _ in range(9):
        with pytest.raises(Invalid) as caught:
            here.accounts.first_person(code, name, password, HERE)
        assert caught.value.field == field
        assert isinstance(caught.value, PasswordRefused) is (field == "password")
    here.accounts.first_person(code, NAME, PASSWORD, HERE)


def test_while_the_chain_is_down_there_is_no_code_and_no_first_person(home: Path) -> None:
    with closed_office(home) as here:
        with pytest.raises(Unavailable):
            here.accounts.make_code()
        with here.state.read() as rows:
            assert rows.all("setup") == []
        with audit_run(home):
            code = here.accounts.make_code()
        with pytest.raises(Unavailable):
            here.accounts.first_person(code, NAME, PASSWORD, HERE)
        assert here.accounts.needs_setup()
        with audit_run(home):
            here.accounts.first_person(code, NAME, PASSWORD, HERE)
