"""`vonggac person password`: typed on a terminal, written down, and every session ends."""

from __future__ import annotations

import getpass
import sys
from pathlib import Path

import pytest

from account_rig import HERE, NAME, PASSWORD, closed_office, office
from audit_rig import chain_of, vonggac
from vonggac.errors import Missing, NotSignedIn, Unavailable
from vonggac.registry.passwords import PasswordRefused

NEW = "thuyền giấy trên sông Hương"


def test_a_new_password_lets_in_and_the_old_one_does_not(home: Path) -> None:
    with office(home) as here:
        here.enrol()
        ended: list[str] = []
        here.accounts.when_ended(ended.append)
        token, session = here.accounts.sign_in(NAME, PASSWORD, HERE)
        here.accounts.set_password(NAME.upper(), NEW)
        assert ended == [session.id]
        with pytest.raises(NotSignedIn):
            here.accounts.session(token)
        with pytest.raises(NotSignedIn):
            here.accounts.sign_in(NAME, PASSWORD, HERE)
        here.accounts.sign_in(NAME, NEW, HERE)
    line = next(line for line in chain_of(home) if line["action"] == "person password")
    assert (line["object"], line["result"]) == (NAME, "done")
    assert NEW not in str(chain_of(home))


def test_the_page_hears_that_another_process_has_ended_its_sessions(home: Path) -> None:
    with office(home) as here:
        here.enrol()
        page = here.again()
        ended: list[str] = []
        page.when_ended(ended.append)
        _, session = page.sign_in(NAME, PASSWORD, HERE)
        page.sweep()
        here.accounts.set_password(NAME, NEW)
        assert ended == []
        page.sweep()
        page.sweep()
        assert ended == [session.id]


@pytest.mark.parametrize(
    ("name", "password", "error"),
    [("Bình", NEW, Missing), (NAME, "ngắn", PasswordRefused), (NAME, NAME * 2, PasswordRefused)],
    ids=["nobody", "too short", "the name"],
)
def test_what_is_refused_changes_nothing(
    home: Path, name: str, password: str, error: type[Exception]
) -> None:
    with office(home) as here:
        here.enrol()
        token, _ = here.accounts.sign_in(NAME, PASSWORD, HERE)
        with pytest.raises(error):
            here.accounts.set_password(name, password)
        here.accounts.session(token)
        here.accounts.sign_in(NAME, PASSWORD, HERE)


def test_without_the_audit_chain_nothing_is_changed(home: Path) -> None:
    with office(home) as here:
        here.enrol()
    with closed_office(home) as here:
        before = here.catalog.people()
        with pytest.raises(Unavailable):
            here.accounts.set_password(NAME, NEW)
        assert here.catalog.people() == before


def test_it_is_typed_twice_and_on_a_terminal(
    home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with office(home) as here:
        here.enrol()
        before = here.catalog.people()
        monkeypatch.setattr(sys.stdin, "isatty", lambda: False, raising=False)
        assert vonggac(home, "person", "password", NAME) == 1
        assert "on a terminal" in capsys.readouterr().err
        monkeypatch.setattr(sys.stdin, "isatty", lambda: True, raising=False)
        typed = iter([NEW, PASSWORD])
        monkeypatch.setattr(getpass, "getpass", lambda _: next(typed))
        assert vonggac(home, "person", "password", NAME) == 1
        assert "not the same" in capsys.readouterr().err
        assert here.catalog.people() == before
