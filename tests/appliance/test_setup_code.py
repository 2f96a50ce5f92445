"""`vonggac setup-code`: for a terminal, for whom the box belongs to, while nobody is there."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from account_rig import HERE, NAME, PASSWORD, office
from audit_rig import audit_run, vonggac
from page_rig import setup_code
from vonggac.errors import Refused
from vonggac_appliance import cli_setup, sockets


def test_it_is_shown_on_a_terminal_and_lets_the_first_person_in(home: Path) -> None:
    with audit_run(home):
        code = setup_code(home)
    assert re.fullmatch(r"[2-9A-HJ-NP-Z]{4}-[2-9A-HJ-NP-Z]{4}", code)
    with office(home) as here:
        here.time.now_ns = os.stat(home / "serve" / "data.mdb").st_mtime_ns + 10**9
        here.accounts.first_person(code, NAME, PASSWORD, HERE)


def test_it_is_shown_in_no_file_and_no_pipe(home: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with audit_run(home):
        assert vonggac(home, "setup-code") == 1
    out, err = capfd.readouterr()
    assert out == ""
    assert "on a terminal only" in err
    assert not (home / "serve").exists()


def test_without_the_audit_chain_there_is_none(
    home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    assert vonggac(home, "setup-code") == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert "vonggac audit run" in err


def test_with_somebody_there_is_none(
    home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    with office(home) as here:
        here.enrol()
    assert vonggac(home, "setup-code") == 1
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("euid", "service", "is_allowed"),
    [
        pytest.param(0, 991, True, id="root"),
        pytest.param(991, 991, True, id="the-page"),
        pytest.param(1000, 991, False, id="somebody"),
        pytest.param(0, None, True, id="root-without-service-users"),
        pytest.param(1000, None, True, id="whose-home-it-is"),
        pytest.param(1001, None, False, id="whose-home-it-is-not"),
    ],
)
def test_only_who_the_box_belongs_to_makes_one(
    monkeypatch: pytest.MonkeyPatch, euid: int, service: int | None, is_allowed: bool
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: euid)
    monkeypatch.setattr(sockets, "service_uid", lambda _: service)
    monkeypatch.setattr(Path, "stat", lambda _: SimpleNamespace(st_uid=1000))
    if is_allowed:
        cli_setup.check_user(Path("home"), "makes a code")
        return
    with pytest.raises(Refused, match="only root or vonggac-serve"):
        cli_setup.check_user(Path("home"), "makes a code")


def test_a_home_that_is_not_there_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setattr(sockets, "service_uid", lambda _: None)
    assert vonggac(tmp_path / "gone", "setup-code") == 78
    assert "gone" in capsys.readouterr().err
    assert not (tmp_path / "gone").exists()
