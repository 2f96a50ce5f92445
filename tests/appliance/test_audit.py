"""`audit run` as a process of its own, and what an outsider finds in its log."""

from __future__ import annotations

import os
import resource
import select
import signal
import subprocess
import threading
from pathlib import Path

import pytest

from audit_rig import ADD, CAMERA, CUT, MAIN, SIGNED_IN, Run, audit_run, chain_of
from vonggac.errors import StorageError, Unavailable
from vonggac.evidence import receipt
from vonggac.evidence.receipt import Permit
from vonggac_appliance import audit_client, secrets, sockets
from vonggac_appliance.audit import AuditServer
from vonggac_appliance.audit_reading import verify_home
from vonggac_appliance.messages_audit import AuditAppend


def test_an_append_is_written_synced_and_answered_with_a_receipt(home: Path, run: Run) -> None:
    with run() as process:
        answer = audit_client.append(home, CUT)
    start, line = chain_of(home)
    assert start["action"] == "audit start"
    assert answer.line == line["n"] == 2
    assert line["action"] == "cut"
    assert line["object"] == "cam1"
    assert line["purpose"] == {"code": "khác", "text": "xe máy mất lúc 2 giờ"}
    assert (line["actor"], line["role"], line["result"]) == (
        f"local:{os.getuid()}",
        "local",
        "allowed",
    )
    assert line["peer"] == {"uid": os.getuid(), "gid": os.getgid(), "pid": os.getpid()}
    assert (line["camera"], line["from"], line["to"]) == (
        CAMERA.hex(),
        "1970-01-01T00:00:01.000Z",
        "1970-01-01T00:00:02.000Z",
    )
    assert str(line["time"]).endswith("Z")
    assert line["single_user"] is True
    assert "red" not in line
    assert process.returncode == 0
    read = receipt.read(secrets.receipt_key(home), answer.receipt)
    assert read is not None
    assert (read.line, read.camera, read.streams) == (2, CAMERA, (MAIN,))
    assert (read.from_ns, read.to_ns, read.permit) == (CUT.from_ns, CUT.to_ns, Permit.STORED)


def test_a_look_without_purpose_is_written_and_red(home: Path, run: Run) -> None:
    with run():
        audit_client.append(
            home, AuditAppend("cut", "c", None, "allowed", None, None, 1, CAMERA, (MAIN,), 0, 1)
        )
    line = chain_of(home)[1]
    assert line["purpose"] is None
    assert line["red"] is True


def test_what_shows_no_picture_gets_no_receipt(home: Path, run: Run) -> None:
    with run():
        assert audit_client.append(home, ADD).receipt == b""


PERSON = {
    "actor": "ab" * 16,
    "role": "commander",
    "address": "192.168.1.7",
    "device": "Firefox",
    "session": "0123456789abcdef",
}


def test_without_service_users_the_page_is_believed_and_the_line_says_so(
    home: Path, run: Run
) -> None:
    with run():
        audit_client.append(home, SIGNED_IN)
        audit_client.append(home, ADD)
    named, plain = chain_of(home)[1:]
    assert {key: named[key] for key in PERSON} == PERSON
    assert named["single_user"] is True
    assert (named["about"], named["delivered_ms"]) == (7, 1500)
    assert plain["actor"] == f"local:{os.getuid()}"
    assert not {"address", "device", "session", "about", "delivered_ms"} & set(plain)


@pytest.mark.parametrize("is_page", [True, False])
def test_with_service_users_only_the_page_says_who_he_is(
    home: Path, monkeypatch: pytest.MonkeyPatch, is_page: bool
) -> None:
    uids = {"vonggac-audit": os.geteuid(), "vonggac-serve": os.geteuid() + (not is_page)}
    monkeypatch.setattr(sockets, "service_uid", uids.get)
    with audit_run(home):
        audit_client.append(home, SIGNED_IN)
    line = chain_of(home)[1]
    assert "single_user" not in line
    if is_page:
        assert {key: line[key] for key in PERSON} == PERSON
    else:
        assert line["actor"] == f"local:{os.getuid()}"
        assert not {"address", "device", "session", "about", "delivered_ms"} & set(line)


def test_the_outsiders_script_passes_on_a_real_log(home: Path, run: Run, fixtures: Path) -> None:
    script = fixtures.parent / "recipes" / "verify_chain.sh"
    if not script.exists():
        pytest.skip(f"no {script}")
    for _ in range(2):
        with run():
            audit_client.append(home, CUT)
            audit_client.append(home, ADD)
    outsider = ["sh", script, home / "audit" / "log.jsonl", home / "audit" / "head"]
    checked = subprocess.run(outsider, capture_output=True, check=False)
    assert checked.stdout.startswith(b"OK 6 lines")
    result = verify_home(home)
    assert (result.entries, result.problems, result.head_behind) == (6, (), 0)


def test_many_callers_at_once_share_the_chain(home: Path, run: Run) -> None:
    numbers: list[int] = []

    def caller() -> None:
        for _ in range(10):
            numbers.append(audit_client.append(home, CUT).line)

    with run():
        threads = [threading.Thread(target=caller) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert sorted(numbers) == list(range(2, 82))
    assert verify_home(home).problems == ()


def test_a_killed_writer_leaves_every_acknowledged_line(home: Path, run: Run) -> None:
    acknowledged = 0
    for _ in range(3):
        with run() as process:
            acknowledged = max(audit_client.append(home, CUT).line for _ in range(5))
            process.kill()
            process.wait()
    result = verify_home(home)
    assert result.entries >= acknowledged
    assert result.problems == ()


def test_while_it_is_down_the_command_is_named(home: Path) -> None:
    with pytest.raises(Unavailable, match="start `vonggac audit run`"):
        audit_client.append(home, CUT)
    assert not (home / "audit").exists()


def test_there_is_no_second_writer(home: Path, run: Run) -> None:
    with run():
        with pytest.raises(Unavailable, match="another `vonggac audit run`"):
            AuditServer(home)
        assert audit_client.append(home, ADD).line == 2


def test_a_full_disk_refuses_appends_and_the_process_recovers(home: Path, run: Run) -> None:
    with run() as process:
        audit_client.append(home, CUT)
        size = (home / "audit" / "log.jsonl").stat().st_size
        # The file may not grow: write() fails as on a full disk, first half-way and then at once.
        for limit in (size + 100, size):
            resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
            with pytest.raises(StorageError, match="cannot be written"):
                audit_client.append(home, CUT)
            assert (home / "audit" / "log.jsonl").stat().st_size == size
        free = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, free)
        assert audit_client.append(home, CUT).line == 3
    assert chain_of(home)[2]["refused"] == 2
    assert verify_home(home).problems == ()


def test_a_log_that_cannot_be_opened_at_start_is_tried_again(home: Path, run: Run) -> None:
    (home / "audit").mkdir()
    (home / "audit" / "log.jsonl").mkdir()  # refuses to be opened for writing, for root too
    with run():
        with pytest.raises(StorageError, match="cannot be written"):
            audit_client.append(home, CUT)
        (home / "audit" / "log.jsonl").rmdir()
        assert audit_client.append(home, CUT).line == 2
    assert [line["action"] for line in chain_of(home)] == ["audit start", "cut"]


def test_a_signal_ends_it_at_once_and_removes_its_socket(home: Path, run: Run) -> None:
    with run() as process:
        process.send_signal(signal.SIGINT)
        pidfd = os.pidfd_open(process.pid)
        try:
            assert select.select([pidfd], [], [], 10)[0]
        finally:
            os.close(pidfd)
    assert process.returncode == 0
    assert not sockets.socket_path(home, "audit", "append.sock").exists()


def test_the_writer_tells_how_long_the_chain_is(home: Path, run: Run) -> None:
    with run() as process:
        audit_client.append(home, ADD)
        chain_now, pid = audit_client.ask_chain(home)
        head = (home / "audit" / "head").read_text().strip()

    assert (chain_now.lines, chain_now.head) == (2, head)
    assert pid == process.pid
    with pytest.raises(Unavailable):
        audit_client.ask_chain(home)
