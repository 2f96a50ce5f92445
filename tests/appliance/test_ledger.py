"""The ledger's lists as `audit run` writes them, and what an altered one is told by."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from audit_rig import audit_run, chain_of, vonggac
from vonggac.errors import Refused, StorageError, Unavailable
from vonggac.evidence import ledger as lists
from vonggac_appliance import audit_client
from vonggac_appliance.audit_reading import lists_of, verify_home
from vonggac_appliance.ledger import heads_of
from vonggac_appliance.messages_audit import AuditAppend

HEADS = [lists.Head(b"d" * 16, b"s" * 16, 41, n, 1000 + n, bytes([n]) * 32) for n in range(3)]
TEXTS = [head.to_text() for head in HEADS]


def path_of(home: Path) -> Path:
    (told,) = lists_of(home)
    return home / "ledger" / told.name


def test_a_list_lies_in_the_ledger_and_its_root_in_the_chain(home: Path) -> None:
    with audit_run(home):
        (written,) = audit_client.send_list(home, "heads", TEXTS)
    line = chain_of(home)[written.line - 1]
    assert (line["action"], line["result"], line["entries"]) == ("ledger", "done", 3)
    assert line["peer"]["uid"] == os.getuid()
    content = (home / "ledger" / line["object"]).read_bytes()
    assert content == b"".join(text.encode() + b"\n" for text in TEXTS)
    assert line["root"] == written.root == lists.root(content.splitlines(keepends=True))
    assert verify_home(home).problems == ()
    assert list(heads_of(home, lists_of(home))) == HEADS


def test_a_list_too_long_for_a_message_becomes_several(home: Path) -> None:
    texts = [lists.canonical_text({"n": n, "text": "x" * 1000}) for n in range(150)]
    with audit_run(home):
        written = audit_client.send_list(home, "tombstones", texts)
    assert len(written) == len(lists_of(home)) == 3
    assert verify_home(home).problems == ()


@pytest.mark.parametrize(
    ("damage", "what"),
    [
        (lambda path: path.unlink(), "not there"),
        (lambda path: path.write_bytes(path.read_bytes().replace(b":41,", b":42,")), "altered"),
        (lambda path: path.write_bytes(path.read_bytes()[:-1]), "altered"),
        (lambda path: path.write_bytes(path.read_bytes() * 2), "altered"),
    ],
)
def test_an_altered_list_is_named_with_its_line(
    home: Path, damage: Callable[[Path], object], what: str
) -> None:
    with audit_run(home):
        audit_client.send_list(home, "heads", TEXTS)
    damage(path_of(home))
    (problem,) = verify_home(home).problems
    assert problem.line == 2
    assert what in problem.what
    assert vonggac(home, "audit", "verify") == 1


def test_a_list_without_a_line_counts_for_nothing(home: Path) -> None:
    with audit_run(home):
        audit_client.send_list(home, "heads", TEXTS)
    beside = path_of(home).with_name("051500.123Z-0123456789abcdef.jsonl")
    beside.write_text("left by a crash")
    assert verify_home(home).problems == ()
    assert vonggac(home, "audit", "verify") == 0


def test_what_is_no_list_is_refused_and_leaves_nothing(home: Path) -> None:
    with audit_run(home), pytest.raises(Refused, match="canonical"):
        audit_client.send_list(home, "heads", ["{}  "])
    assert not (home / "ledger").exists()
    assert verify_home(home).entries == 1


def test_nobody_writes_a_root_by_a_plain_append(home: Path) -> None:
    event = AuditAppend(action="ledger", object="heads/x", purpose=None)
    with audit_run(home), pytest.raises(Refused, match="does not know"):
        audit_client.append(home, event)


def test_a_ledger_that_cannot_be_written_refuses_and_leaves_no_line(home: Path) -> None:
    (home / "ledger").write_text("a file where a directory belongs")
    with audit_run(home):
        with pytest.raises(StorageError, match="ledger"):
            audit_client.send_list(home, "heads", TEXTS)
        assert verify_home(home).entries == 1
        (home / "ledger").unlink()
        audit_client.send_list(home, "heads", TEXTS)
    assert verify_home(home).entries == 2


def test_without_the_writer_nothing_is_claimed_to_be_written(home: Path) -> None:
    with pytest.raises(Unavailable):
        audit_client.send_list(home, "heads", TEXTS)
