"""A box whose home is gone goes on with its own disk: recorded, backed up, destroyed, restored."""

from __future__ import annotations

import json
import os
import pty
import select
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from account_rig import HERE, NAME, PASSWORD, office
from audit_rig import vonggac
from box_rig import DEADLINE_S, Box, Cameras
from box_rig import PASSWORD as CAMERA_PASSWORD
from vonggac.store import backup_slot
from vonggac_appliance import backup_seal

_START = "import sys; from vonggac_appliance.cli import main; sys.exit(main())"


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Box]:
    box = Box(tmp_path / "home", "512M")
    yield box
    box.discard()
    shutil.rmtree(tmp_path / "old", ignore_errors=True)


class Terminal:
    """A command on a terminal, and the person before it."""

    def __init__(self, home: Path, *words: str) -> None:
        self.ours, theirs = pty.openpty()
        command = [sys.executable, "-c", _START, "--home", str(home), *words]
        self.process = subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs)
        os.close(theirs)
        self.said = ""

    def until(self, words: str) -> str:
        """What it said, once these words are among it."""
        until_s = time.monotonic() + DEADLINE_S
        while words not in self.said:
            assert time.monotonic() < until_s, self.said
            if select.select([self.ours], [], [], 0.2)[0]:
                self.said += os.read(self.ours, 4096).decode()
        return self.said

    def type(self, line: str) -> None:
        os.write(self.ours, line.encode() + b"\n")

    def end(self) -> int:
        """Its exit status."""
        try:
            while select.select([self.ours], [], [], DEADLINE_S)[0]:
                self.said += os.read(self.ours, 4096).decode()
        except OSError:  # EIO: the other side is closed
            pass
        os.close(self.ours)
        return self.process.wait(DEADLINE_S)


def make_key(home: Path) -> str:
    """As a person does it, who types back what he wrote down."""
    terminal = Terminal(home, "backup", "key")
    said = terminal.until("characters: ")
    key = next(word for word in said.split() if word.startswith("AGE-SECRET-KEY-1"))
    terminal.type(key[-6:].lower())
    assert terminal.end() == 0, terminal.said
    return key


@dataclass(frozen=True, slots=True)
class Shell:
    """Commands in this process: a dozen of them cost less than one that is started."""

    home: Path
    capsys: pytest.CaptureFixture[str]

    def run(self, *words: str, status: int = 0) -> str:
        """What it prints; where it failed, what it says on stderr."""
        self.capsys.readouterr()
        assert vonggac(self.home, *words) == status, self.capsys.readouterr()
        out, err = self.capsys.readouterr()
        return err if status and not out else out


def destroy(box: Box) -> None:
    """The home is gone; the disk, which lies below it in this test, is not."""
    old = box.home.with_name("old")
    box.home.rename(old)
    box.home.mkdir(mode=0o750)
    (old / "disk").rename(box.disk)


@pytest.mark.slow
def test_a_box_goes_on_from_its_disk_when_its_home_is_gone(
    box: Box, cameras: Cameras, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shell = Shell(box.home, capsys)
    for name in cameras.names:
        box.add(cameras, name, "--area", "Tổ dân phố 7")
    (box.home / "config.toml").write_text("[retention]\ndays_min = 7\n")
    with office(box.home) as here:
        here.enrol()
    with box.running("run"):
        box.until_durable(2.0)
        assert "no recovery key was made" in shell.run("backup", "now", status=1)
        key = make_key(box.home)
        done = json.loads(shell.run("backup", "now", "--json"))
        assert done["ok"] and done["has_key"]
        (disk,) = done["disks"]
        assert disk["generation"] >= 1 and disk["bytes"] <= disk["room_bytes"]
        assert "0 h old" in shell.run("doctor")
        box.until_durable(3.0)
    before = box.timeline("cam1", "main").ranges[0].from_ns
    verified = json.loads(shell.run("audit", "verify", "--json"))
    assert verified["ok"]

    held = (box.disk / backup_slot.BACKUP_NAME).read_bytes()
    sealed = backup_slot.read(box.disk / backup_slot.BACKUP_NAME)[1]
    secrets = [
        CAMERA_PASSWORD,
        "admin",
        NAME,
        PASSWORD,
        "cam1",
        "rtsp://",
        "Tổ dân",
        key,
        "days_min",
    ]
    secrets += ["audit start", "local:"]
    private = (box.home / "keys" / "record.key").read_bytes()
    receipts = (box.home / "keys" / "receipt.key").read_bytes()
    for secret in (*(word.encode() for word in secrets), private, receipts):
        assert secret not in held, secret
    assert backup_seal.is_sealed(sealed)

    destroy(box)
    (tmp_path / "other").write_text(backup_seal.new_key()[0])
    key_file = tmp_path / "key"
    key_file.write_text(key + "\n")
    said = shell.run("restore", str(box.disk), "--key-file", str(tmp_path / "other"), status=1)
    assert "does not open this backup" in said
    assert not (box.home / "catalog").exists()
    told = json.loads(shell.run("restore", str(box.disk), "--key-file", str(key_file), "--json"))
    assert (told["cameras"], told["people"], told["disks"]) == (2, 1, [str(box.disk)])
    assert told["audit_from"] == 1 and told["audit_lines"] >= 1
    assert "days_min = 7" in (box.home / "config.toml").read_text()
    again = shell.run("restore", str(box.disk), "--key-file", str(key_file), status=1)
    assert "has a catalog already" in again

    box.login.write_text("nobody needs to type it again")
    with box.running("run"):
        now = box.until_durable(1.0)
        assert {camera.id for camera in now.cameras} == {"cam1", "cam2"}, "their passwords open"
        assert json.loads(shell.run("backup", "now", "--json"))["ok"], "with the same key"
    line = box.timeline("cam1", "main")
    assert line.ranges[0].from_ns == before and len(line.ranges) == 2, "old footage and new"
    with office(box.home) as here:
        here.accounts.sign_in(NAME, PASSWORD, HERE)

    found = json.loads(shell.run("audit", "verify", "--json", status=1))
    (problem,) = found["problems"]
    assert problem["line"] == told["audit_lines"] + 1
    assert "the home was restored from a backup of" in problem["what"]


def test_a_person_who_types_nothing_changes_nothing(home: Path) -> None:
    terminal = Terminal(home, "backup", "key")
    terminal.until("characters: ")
    os.write(terminal.ours, b"\x04")  # Ctrl-D
    assert terminal.end() == 1
    assert "nothing was typed" in terminal.said and "Traceback" not in terminal.said
    assert not (home / "keys").exists()


def test_a_key_that_was_not_written_down_is_not_put_in_force(home: Path) -> None:
    terminal = Terminal(home, "backup", "key")
    terminal.until("characters: ")
    terminal.type("000000")
    assert terminal.end() == 1
    assert "nothing was changed" in terminal.said
    assert not (home / "keys").exists()
    key = make_key(home)
    terminal = Terminal(home, "backup", "key")
    assert terminal.end() == 1 and "there is a recovery key already" in terminal.said
    assert backup_seal.public_of(home) == str(backup_seal.key_of(key).to_public())


def test_the_key_is_typed_where_it_is_asked_for(home: Path, tmp_path: Path) -> None:
    key = make_key(home)
    sealed = tmp_path / "home.age"
    sealed.write_bytes(backup_seal.seal(b"no archive", backup_seal.recipient(_public(home))))
    terminal = Terminal(tmp_path / "new", "restore", str(sealed))
    terminal.until("recovery key: ")
    terminal.type(key.lower())
    assert terminal.end() == 78
    assert "the backup is damaged" in terminal.said, "the key opened it"
    assert not (tmp_path / "new").exists()


def _public(home: Path) -> str:
    public = backup_seal.public_of(home)
    assert public is not None
    return public
