"""The audit log's file, when it was cut, changed or lost."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from audit_rig import chain_of
from vonggac.errors import ConfigError, StorageError
from vonggac.evidence import chain
from vonggac_appliance.audit_log import AuditLog
from vonggac_appliance.audit_reading import read_checkpoint, verify_home


def test_a_tail_without_newline_is_cut_and_told(home: Path) -> None:
    log = AuditLog(home)
    log.append([{"action": "cut"}])
    log.close()
    tail = b'{"action":"cut","n":2,"pr' * 5000
    with (home / "audit" / "log.jsonl").open("ab") as file:
        file.write(tail)
    log = AuditLog(home)
    assert log.append([{"action": "audit start"}]) == 2
    log.close()
    assert chain_of(home)[1]["cut"] == {
        "bytes": len(tail),
        "sha256": hashlib.sha256(tail).hexdigest(),
    }
    assert verify_home(home).problems == ()


def test_the_head_is_written_anew_at_start(home: Path) -> None:
    log = AuditLog(home)
    log.append([{"action": "cut"}])
    log.close()
    (home / "audit" / "head").write_text("nonsense that is longer than a head is allowed to be" * 3)
    log = AuditLog(home)
    log.open()
    log.close()
    assert verify_home(home).problems == ()


def test_a_strangers_line_is_not_built_upon(home: Path) -> None:
    log = AuditLog(home)
    log.append([{"action": "cut"}])
    with (home / "audit" / "log.jsonl").open("ab") as file:
        file.write(b"{}\n")
    with pytest.raises(StorageError, match="changed by somebody else"):
        log.append([{"action": "cut"}])
    log.close()


def test_an_altered_last_line_does_not_stop_the_numbers(home: Path) -> None:
    log = AuditLog(home)
    log.append([{"action": "cut"}, {"action": "cut"}])
    log.close()
    path = home / "audit" / "log.jsonl"
    path.write_bytes(path.read_bytes().splitlines(keepends=True)[0] + b"garbage\n")
    log = AuditLog(home)
    assert log.append([{"action": "cut"}]) == 3
    log.close()
    assert [problem.line for problem in verify_home(home).problems] == [2]


def test_a_checkpoint_is_what_verify_printed(tmp_path: Path) -> None:
    path = tmp_path / "checkpoint.json"
    path.write_text(json.dumps({"ok": True, "entries": 3, "head": "a" * 64, "problems": []}))
    assert read_checkpoint(path) == chain.Checkpoint(3, "a" * 64)
    for text in ("", "[]", '{"entries": "3", "head": "a"}', '{"entries": 3}'):
        path.write_text(text)
        with pytest.raises(ConfigError, match="no checkpoint"):
            read_checkpoint(path)


def test_a_home_without_a_log_says_so(home: Path) -> None:
    with pytest.raises(ConfigError, match="no audit log"):
        verify_home(home)
