"""What the commands about backups say without a recorder, and what they never show."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from audit_rig import vonggac
from vonggac_appliance.audit_log import AuditLog


def test_a_place_without_a_backup_is_named(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert vonggac(home, "restore", str(tmp_path / "nowhere")) == 78
    assert "nowhere is not there" in capsys.readouterr().err
    assert vonggac(home, "restore", str(tmp_path)) == 78
    assert "is no vonggac disk" in capsys.readouterr().err
    (tmp_path / "file").write_bytes(b"x" * 10_000)
    assert vonggac(home, "restore", str(tmp_path / "file")) == 1
    assert "no size of two slots" in capsys.readouterr().err


def test_a_disk_without_a_place_gets_one_by_the_command(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    disk = home / "disk"
    assert vonggac(home, "disk", "format", str(disk), "--size=160M", "--segment-size=16M") == 0
    (disk / "backup").unlink()
    assert vonggac(home, "backup", "list") == 0
    assert f"vonggac disk prepare-backup {disk}" in capsys.readouterr().out
    assert vonggac(home, "disk", "prepare-backup", str(disk)) == 0
    assert vonggac(home, "disk", "prepare-backup", str(disk)) == 0
    assert "already" in capsys.readouterr().out
    assert vonggac(home, "backup", "list", "--json") == 0
    (told,) = json.loads(capsys.readouterr().out)["disks"]
    assert (told["made"], told["what"]) == (None, "") and told["room_bytes"] > 0


def test_the_recovery_key_is_shown_in_no_file_and_no_pipe(
    home: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert vonggac(home, "backup", "key") == 1
    out, err = capfd.readouterr()
    assert out == "" and "on a terminal only" in err
    assert not (home / "keys").exists()


def test_the_tail_of_the_log_is_whole_lines(home: Path) -> None:
    log = AuditLog(home)
    log.open()
    assert log.tail(1000) == (1, b"")
    log.append([{"action": "clock confirm", "object": str(number)} for number in range(20)])
    whole = (home / "audit" / "log.jsonl").read_bytes()
    lines = whole.splitlines(keepends=True)
    for most in (0, 10, len(lines[-1]), len(lines[-1]) + 1, len(whole) - 1, len(whole), 1 << 20):
        first, tail = log.tail(most)
        assert len(tail) <= most and tail == b"".join(lines[first - 1 :])
    assert log.tail(len(lines[-1]))[0] == 20
    log.close()
