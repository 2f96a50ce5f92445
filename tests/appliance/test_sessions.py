"""Sessions: whose they are, and when they end, over a real audit chain, catalog and state."""

from __future__ import annotations

from pathlib import Path

import pytest

from account_rig import ELSEWHERE, HERE, NAME, PASSWORD, Office, closed_office, said
from audit_rig import audit_run, chain_of
from vonggac.errors import NotSignedIn, Unavailable
from vonggac_appliance.sessions import PER_PERSON_MAX


@pytest.mark.parametrize(
    "token",
    ["", "x", "A" * 43, "ả" * 43, "\ud800", "A" * 1_000_000, "../../etc/passwd"],
    ids=["empty", "short", "guessed", "letters", "half", "endless", "path"],
)
def test_a_token_that_was_never_given_is_nobodys(here: Office, token: str) -> None:
    here.enrol()
    here.accounts.sign_in(NAME, PASSWORD, HERE)
    with pytest.raises(NotSignedIn):
        here.accounts.session(token)
    here.accounts.sign_out(token, HERE)
    assert said(here.home)[-1][0] == "sign in"


def test_a_session_id_is_no_token(here: Office) -> None:
    here.enrol()
    _, session = here.accounts.sign_in(NAME, PASSWORD, HERE)
    for public in (session.id, session.person.name):
        with pytest.raises(NotSignedIn):
            here.accounts.session(public)


def test_each_token_is_its_own_persons(here: Office) -> None:
    here.enrol()
    here.enrol("Trần Thị Bình", "tre xanh ru gió mát")
    first, an = here.accounts.sign_in(NAME, PASSWORD, HERE)
    second, binh = here.accounts.sign_in("trần thị bình", "tre xanh ru gió mát", HERE)
    assert here.accounts.session(first) == an
    assert here.accounts.session(second) == binh
    assert an.person != binh.person
    here.accounts.sign_out(first, HERE)
    assert here.accounts.session(second) == binh


def test_a_token_that_was_signed_out_is_worth_nothing(here: Office) -> None:
    here.enrol()
    token, session = here.accounts.sign_in(NAME, PASSWORD, HERE)
    here.accounts.sign_out(token, ELSEWHERE)
    with pytest.raises(NotSignedIn):
        here.accounts.session(token)
    line = chain_of(here.home)[-1]
    assert (line["action"], line["actor"], line["session"], line["address"]) == (
        "sign out",
        session.person.name,
        session.id,
        ELSEWHERE.address,
    )
    here.accounts.sign_out(token, HERE)  # replayed
    assert chain_of(here.home)[-1] == line


def test_signing_out_works_while_the_chain_is_down_and_says_so(home: Path) -> None:
    with closed_office(home) as here:
        here.enrol()
        with audit_run(home):
            token, _ = here.accounts.sign_in(NAME, PASSWORD, HERE)
        with pytest.raises(Unavailable):
            here.accounts.sign_out(token, HERE)
        with pytest.raises(NotSignedIn):
            here.accounts.session(token)


def test_a_session_ends_half_an_hour_after_its_last_use(here: Office) -> None:
    here.enrol()
    token, first = here.accounts.sign_in(NAME, PASSWORD, HERE)
    for _ in range(4):
        here.time.pass_s(29 * 60)
        moved = here.accounts.session(token)
        assert moved.until_ns == here.time() + 30 * 60 * 10**9
    assert moved.id == first.id
    here.time.pass_s(30 * 60)
    with pytest.raises(NotSignedIn):
        here.accounts.session(token)


def test_what_a_page_asks_by_itself_keeps_no_session(here: Office) -> None:
    here.enrol()
    token, first = here.accounts.sign_in(NAME, PASSWORD, HERE)
    for _ in range(29):
        here.time.pass_s(60)
        assert here.accounts.session(token, moves=False) == first
    here.time.pass_s(60)
    with pytest.raises(NotSignedIn):
        here.accounts.session(token, moves=False)


def test_a_session_ends_after_twelve_hours_however_it_is_used(here: Office) -> None:
    here.enrol()
    token, _ = here.accounts.sign_in(NAME, PASSWORD, HERE)
    for _ in range(12 * 60 // 20 - 1):
        here.time.pass_s(20 * 60)
        here.accounts.session(token)
    here.time.pass_s(20 * 60)
    with pytest.raises(NotSignedIn):
        here.accounts.session(token)


def test_a_clock_that_is_set_back_ends_sessions(here: Office) -> None:
    here.enrol()
    token, _ = here.accounts.sign_in(NAME, PASSWORD, HERE)
    here.time.pass_s(-3600)
    with pytest.raises(NotSignedIn):
        here.accounts.session(token)


def test_sessions_outlive_a_restart_of_serve(here: Office) -> None:
    here.enrol()
    token, session = here.accounts.sign_in(NAME, PASSWORD, HERE)
    assert here.again().session(token) == session


def test_a_use_within_the_minute_writes_nothing(here: Office) -> None:
    here.enrol()
    token, _ = here.accounts.sign_in(NAME, PASSWORD, HERE)
    data = here.home / "serve" / "data.mdb"
    before = data.read_bytes()
    for _ in range(5):
        here.time.pass_s(10)
        here.accounts.session(token)
    assert data.read_bytes() == before


def test_whoever_listens_hears_of_every_end(here: Office) -> None:
    here.enrol()
    ended: list[str] = []
    here.accounts.when_ended(ended.append)
    token, out = here.accounts.sign_in(NAME, PASSWORD, HERE)
    here.accounts.sign_out(token, HERE)
    assert ended == [out.id]
    late, idle = here.accounts.sign_in(NAME, PASSWORD, HERE)
    here.time.pass_s(3600)
    with pytest.raises(NotSignedIn):
        here.accounts.session(late)
    assert ended == [out.id, idle.id]
    _, swept = here.accounts.sign_in(NAME, PASSWORD, HERE)
    here.accounts.sweep()
    assert ended == [out.id, idle.id]
    here.time.pass_s(3600)
    here.accounts.sweep()
    here.accounts.sweep()
    assert ended == [out.id, idle.id, swept.id]


def test_one_person_has_so_many_sessions_and_the_oldest_gives_way(here: Office) -> None:
    here.enrol()
    ended: list[str] = []
    here.accounts.when_ended(ended.append)
    tokens = []
    for _ in range(PER_PERSON_MAX + 1):
        here.time.pass_s(1)
        tokens.append(here.accounts.sign_in(NAME, PASSWORD, HERE)[0])
    with pytest.raises(NotSignedIn):
        here.accounts.session(tokens[0])
    for token in tokens[1:]:
        here.accounts.session(token)
    assert len(ended) == 1
