"""The first person, sign-in and sessions, over a real audit chain, catalog and state."""

from __future__ import annotations

import json
import os
import threading
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from account_rig import HERE, NAME, PASSWORD, Office, closed_office, office
from audit_rig import audit_run
from vonggac.errors import Invalid, NotSignedIn, Refused, TooMany, Unavailable
from vonggac.registry.passwords import PasswordRefused
from vonggac.registry.people import Role
from vonggac_appliance.accounts import HASHES_MAX, Accounts, Caller
from vonggac_appliance.sessions import PER_PERSON_MAX

ELSEWHERE = Caller("192.168.1.99", "Chrome")


@pytest.fixture
def here(home: Path) -> Iterator[Office]:
    with office(home) as made:
        yield made


def lines(home: Path) -> list[dict[str, Any]]:
    text = (home / "audit" / "log.jsonl").read_text()
    return [json.loads(line) for line in text.splitlines()]


def said(home: Path) -> list[tuple[str, str, str]]:
    """Action, object and result of every line but the first."""
    return [(line["action"], line["object"], line["result"]) for line in lines(home)[1:]]


# -- The first person --


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
    code_line, _, line = lines(here.home)[1:]
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


# -- Sign-in --


def test_a_name_and_its_password_give_a_session(here: Office) -> None:
    account = here.enrol()
    token, session = here.accounts.sign_in("nguyễn văn an", PASSWORD, HERE)
    assert session.person.name == account.id.hex()
    assert here.accounts.session(token) == session
    assert len(token) == 43
    assert len(session.id) == 16


def test_a_vietnamese_passphrase_typed_in_parts_is_the_same(here: Office) -> None:
    phrase = "mưa rơi trên mái nhà ông bà ngoại ở làng Vũ Đại ngày ấy vui ghê!"
    here.enrol(password=phrase)
    here.accounts.sign_in(
        unicodedata.normalize("NFD", NAME), unicodedata.normalize("NFD", phrase), HERE
    )


@pytest.mark.parametrize(
    ("name", "password"),
    [
        pytest.param(NAME, "sai", id="wrong"),
        pytest.param(NAME, "", id="none"),
        pytest.param(NAME, PASSWORD.upper(), id="capitals"),
        pytest.param(NAME, PASSWORD + " ", id="a-space-more"),
        pytest.param(NAME, PASSWORD[:-1] + "\ud800", id="half-a-character"),
        pytest.param(NAME, PASSWORD * 100_000, id="endless"),
        pytest.param("Trần Thị Bình", PASSWORD, id="unknown"),
        pytest.param("", PASSWORD, id="nobody"),
        pytest.param("\ud800", PASSWORD, id="half-a-name"),
        pytest.param("a" * 1_000_000, PASSWORD, id="an-endless-name"),
    ],
)
def test_what_is_wrong_is_never_said(here: Office, name: str, password: str) -> None:
    here.enrol()
    with pytest.raises(NotSignedIn, match=r"^the name or the password is wrong$"):
        here.accounts.sign_in(name, password, HERE)
    line = lines(here.home)[-1]
    assert (line["actor"], line["role"]) == ("unknown", "none")
    assert line["result"].startswith("refused: ")
    assert line["address"] == HERE.address


def fail(here: Office, name: str = NAME, caller: Caller = HERE, accounts: Accounts | None = None):
    with pytest.raises(NotSignedIn):
        (accounts or here.accounts).sign_in(name, "sai mật khẩu", caller)


def wait_of(here: Office, name: str = NAME, caller: Caller = HERE) -> float:
    with pytest.raises(TooMany) as caught:
        here.accounts.sign_in(name, PASSWORD, caller)
    return caught.value.retry_after_s


def test_after_three_wrong_ones_it_takes_longer_each_time(here: Office) -> None:
    here.enrol()
    for _ in range(3):
        fail(here)
    for seconds in (1, 2, 4, 8):
        assert wait_of(here) == seconds
        here.time.pass_s(seconds - 0.001)
        assert 0 < wait_of(here) <= 0.001
        here.time.pass_s(0.001)
        fail(here)
    here.time.pass_s(16)
    here.accounts.sign_in(NAME, PASSWORD, HERE)
    fail(here, caller=ELSEWHERE)  # the name is free again
    here.accounts.sign_in(NAME, PASSWORD, HERE)  # and the address has waited


def test_a_wait_is_the_names_wherever_it_is_typed(here: Office) -> None:
    here.enrol()
    for number in range(3):
        fail(here, caller=Caller(f"10.0.0.{number}", ""))
    assert wait_of(here, caller=ELSEWHERE) == 1
    assert wait_of(here, name=NAME.upper(), caller=ELSEWHERE) == 1


def test_a_wait_is_the_addresss_whoever_is_typed(here: Office) -> None:
    here.enrol()
    for name in ("một", "hai", "ba"):
        fail(here, name=name)
    assert wait_of(here) == 1
    here.accounts.sign_in(NAME, PASSWORD, ELSEWHERE)


def test_an_ipv6_machine_gains_nothing_by_its_many_addresses(here: Office) -> None:
    for number in range(3):
        fail(here, name=f"ai {number}", caller=Caller(f"fd00:1:2:3::{number}", ""))
    assert wait_of(here, caller=Caller("fd00:1:2:3:4:5:6:7", "")) == 1
    fail(here, caller=Caller("fd00:1:2:4::1", ""))


def test_a_name_that_nobody_has_waits_like_one_that_somebody_has(here: Office) -> None:
    for number in range(3):
        fail(here, name="không ai", caller=Caller(f"10.0.0.{number}", ""))
    assert wait_of(here, name="không ai", caller=ELSEWHERE) == 1


def test_an_own_sign_in_does_not_wash_an_address(here: Office) -> None:
    here.enrol()
    here.enrol("Trần Thị Bình", "tre xanh ru gió mát")
    for _ in range(3):
        fail(here, name="Trần Thị Bình")
        here.time.pass_s(10)
        here.accounts.sign_in(NAME, PASSWORD, HERE)
    fail(here, name="ai đó")
    assert wait_of(here, name="ai khác") == 2


def test_a_flood_of_early_tries_writes_one_line_a_wait(here: Office) -> None:
    here.enrol()
    for _ in range(3):
        fail(here)
    before = len(lines(here.home))
    for _ in range(50):
        wait_of(here)
    assert len(lines(here.home)) == before + 1
    assert said(here.home)[-1] == ("sign in", NAME, "refused: too many tries")
    here.time.pass_s(1)
    fail(here)
    wait_of(here)
    assert len(lines(here.home)) == before + 3


def test_many_guesses_at_once_gain_nothing(here: Office) -> None:
    here.enrol()
    outcomes: list[type[Exception]] = []
    start = threading.Barrier(8)

    def guess(number: int) -> None:
        start.wait()
        try:
            here.accounts.sign_in(NAME, f"sai {number}", Caller(f"10.0.0.{number}", ""))
        except (NotSignedIn, TooMany) as error:
            outcomes.append(type(error))

    threads = [threading.Thread(target=guess, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outcomes.count(NotSignedIn) == 3
    assert len(outcomes) == 8


class _SlowHasher:
    """Stands for Argon2 and counts how many run at once."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.running = self.most = 0
        self.go = threading.Event()

    def is_right(self, password: str, kept: str | None) -> bool:
        with self.lock:
            self.running += 1
            self.most = max(self.most, self.running)
        self.go.wait(20)
        with self.lock:
            self.running -= 1
        return False


def test_two_hashes_run_at_once_and_a_flood_is_turned_away(here: Office) -> None:
    slow = _SlowHasher()
    accounts = Accounts(
        here.home, here.catalog, here.state, clock=here.time, monotonic=here.time,
        hasher=slow,  # type: ignore[arg-type]
    )  # fmt: skip
    turned_away = threading.Semaphore(0)

    def come(number: int) -> None:
        try:
            accounts.sign_in(f"ai {number}", "sai", Caller(f"10.0.{number}.1", ""))
        except TooMany:
            turned_away.release()
        except NotSignedIn:
            return

    threads = [threading.Thread(target=come, args=(number,)) for number in range(40)]
    for thread in threads:
        thread.start()
    for _ in range(30):  # ten have a place, of which two hash
        assert turned_away.acquire(timeout=20)
    slow.go.set()
    for thread in threads:
        thread.join()
    assert slow.most == HASHES_MAX


def test_while_the_chain_is_down_nobody_signs_in(home: Path) -> None:
    with closed_office(home) as here:
        here.enrol()
        for password in (PASSWORD, "sai"):
            with pytest.raises(Unavailable):
                here.accounts.sign_in(NAME, password, Caller(password, ""))
        with here.state.read() as rows:
            assert rows.all("sessions") == []


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


# -- Sessions --


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
    line = lines(here.home)[-1]
    assert (line["action"], line["actor"], line["session"], line["address"]) == (
        "sign out",
        session.person.name,
        session.id,
        ELSEWHERE.address,
    )
    here.accounts.sign_out(token, HERE)  # replayed
    assert lines(here.home)[-1] == line


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
