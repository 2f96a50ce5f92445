"""Signing in, waits, and floods of guesses, over a real audit chain, catalog and state."""

from __future__ import annotations

import threading
import unicodedata
from pathlib import Path

import pytest

from account_rig import ELSEWHERE, HERE, NAME, PASSWORD, Office, closed_office, said
from audit_rig import chain_of
from vonggac.errors import NotSignedIn, TooMany, Unavailable
from vonggac_appliance.accounts import HASHES_MAX, Accounts, Caller


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
    line = chain_of(here.home)[-1]
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
    before = len(chain_of(here.home))
    for _ in range(50):
        wait_of(here)
    assert len(chain_of(here.home)) == before + 1
    assert said(here.home)[-1] == ("sign in", NAME, "refused: too many tries")
    here.time.pass_s(1)
    fail(here)
    wait_of(here)
    assert len(chain_of(here.home)) == before + 3


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
