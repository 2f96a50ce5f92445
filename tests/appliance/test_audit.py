"""`audit run` as a process of its own, its log, and what an outsider finds in it."""

from __future__ import annotations

import hashlib
import json
import os
import resource
import select
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import msgspec
import pytest

from audit_rig import audit_run
from vonggac.errors import ConfigError, Refused, StorageError, Unavailable
from vonggac.evidence import chain, receipt
from vonggac.evidence.receipt import Permit
from vonggac_appliance import audit_client, secrets, sockets
from vonggac_appliance.audit import AuditServer
from vonggac_appliance.audit_log import AuditLog, read_checkpoint, verify_home
from vonggac_appliance.messages import Kind
from vonggac_appliance.messages import Refused as RefusedMessage
from vonggac_appliance.messages_audit import AuditAppend, AuditReceipt

CAMERA, MAIN = b"c" * 16, b"m" * 16
CUT = AuditAppend(
    action="cut",
    object="cam1",
    purpose=("khác", "xe máy mất lúc 2 giờ"),
    permit=Permit.STORED,
    camera=CAMERA,
    streams=(MAIN,),
    from_ns=1_000_000_000,
    to_ns=2_000_000_000,
)
ADD = AuditAppend(action="camera add", object="cam1", purpose=None)

CODE = (
    "import logging, sys; from pathlib import Path; from vonggac_appliance import audit\n"
    "logging.basicConfig()\n"
    "sys.exit(audit.main(Path(sys.argv[1])))"
)

Run = Callable[[], AbstractContextManager[subprocess.Popen[bytes]]]


@pytest.fixture
def run(home: Path, tmp_path: Path) -> Run:
    """Starts `audit run`, ready when the block begins; SIGTERM at its end."""

    @contextmanager
    def start() -> Iterator[subprocess.Popen[bytes]]:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
            address = tmp_path / f"notify{os.urandom(4).hex()}"
            notify.bind(str(address))
            notify.settimeout(60)
            process = subprocess.Popen(
                [sys.executable, "-c", CODE, str(home)],
                env={**os.environ, "NOTIFY_SOCKET": str(address)},
                stderr=subprocess.PIPE,
            )
            try:
                assert b"READY=1" in notify.recv(4096)
                yield process
            finally:
                process.terminate()
                process.communicate(timeout=60)

    return start


def lines_of(home: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in (home / "audit" / "log.jsonl").read_bytes().splitlines()]


def test_an_append_is_written_synced_and_answered_with_a_receipt(home: Path, run: Run) -> None:
    with run() as process:
        answer = audit_client.append(home, CUT)
    start, line = lines_of(home)
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
    line = lines_of(home)[1]
    assert line["purpose"] is None
    assert line["red"] is True


def test_what_shows_no_picture_gets_no_receipt(home: Path, run: Run) -> None:
    with run():
        assert audit_client.append(home, ADD).receipt == b""


SIGNED_IN = AuditAppend(
    action="look",
    object="cam1",
    purpose=("khác", "x"),
    person="ab" * 16,
    role="commander",
    address="192.168.1.7",
    device="Firefox",
    session="0123456789abcdef",
    about=7,
    delivered_ms=1500,
)
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
    named, plain = lines_of(home)[1:]
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
    line = lines_of(home)[1]
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
    assert lines_of(home)[2]["refused"] == 2
    assert verify_home(home).problems == ()


def test_a_log_that_cannot_be_opened_at_start_is_tried_again(home: Path, run: Run) -> None:
    (home / "audit").mkdir()
    (home / "audit" / "log.jsonl").mkdir()  # refuses to be opened for writing, for root too
    with run():
        with pytest.raises(StorageError, match="cannot be written"):
            audit_client.append(home, CUT)
        (home / "audit" / "log.jsonl").rmdir()
        assert audit_client.append(home, CUT).line == 2
    assert [line["action"] for line in lines_of(home)] == ["audit start", "cut"]


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
    assert lines_of(home)[1]["cut"] == {
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


@pytest.mark.parametrize(
    "wrong",
    [
        AuditAppend(action="dance", object="c", purpose=None),
        AuditAppend(action="audit start", object="c", purpose=None),
        AuditAppend(action="cut", object="c" * 501, purpose=None),
        AuditAppend(action="cut", object="c", purpose=("vui", "x")),
        AuditAppend(action="cut", object="c", purpose=None, permit=1),
        AuditAppend(action="cut", object="c", purpose=None, permit=9, camera=CAMERA),
        AuditAppend("cut", "c", None, permit=1, camera=CAMERA, streams=(b"x",), to_ns=1),
        AuditAppend("cut", "c", None, permit=1, camera=CAMERA, streams=(MAIN,), to_ns=1 << 63),
        msgspec.structs.replace(CUT, result="refused: no agreement"),
        msgspec.structs.replace(CUT, action="camera add"),
        msgspec.structs.replace(SIGNED_IN, device="d" * 501),
        msgspec.structs.replace(SIGNED_IN, about=-1),
        msgspec.structs.replace(SIGNED_IN, delivered_ms=1 << 62),
    ],
    ids=[
        "action",
        "start",
        "long",
        "purpose",
        "no-range",
        "permit",
        "stream",
        "time",
        "a-receipt-under-a-refusal",
        "a-receipt-under-another-act",
        "a-long-device",
        "a-line-below-zero",
        "more-than-all-time",
    ],
)
def test_a_malformed_append_is_refused_and_leaves_no_line(
    home: Path, run: Run, wrong: AuditAppend
) -> None:
    with run():
        with pytest.raises(Refused):
            audit_client.append(home, wrong)
        assert audit_client.append(home, ADD).line == 2


@pytest.mark.parametrize(
    "body",
    [b"\x81\xa6action\xa2\xff\xfe", b"\x81\xa1z" + b"\x91" * 60_000 + b"\0"],
    ids=["no-utf-8", "a-thousand-brackets"],
)
def test_what_cannot_be_decoded_is_refused_and_ends_nobody(
    home: Path, run: Run, body: bytes
) -> None:
    path = sockets.socket_path(home, "audit", "append.sock")
    with run(), sockets.connect(path, 5) as caller:
        sockets.send(caller, Kind.AUDIT_APPEND, body, request=4)
        assert sockets.decode(sockets.recv(caller), RefusedMessage).code == "malformed"
        assert audit_client.append(home, ADD).line == 2


def test_bytes_that_are_no_message_end_that_caller_alone(home: Path, run: Run) -> None:
    path = sockets.socket_path(home, "audit", "append.sock")
    with run(), sockets.connect(path, 5) as good, sockets.connect(path, 5) as bad:
        bad.send(b"?")
        with pytest.raises(sockets.Closed):
            sockets.recv(bad)
        sockets.send(good, 999, b"", request=4)
        refusal = sockets.recv(good)
        assert refusal.request == 4
        assert sockets.decode(refusal, RefusedMessage).code == "malformed"
        for number in range(3):
            sockets.send(good, Kind.AUDIT_APPEND, ADD, request=number)
        answers = [sockets.recv(good) for _ in range(3)]
        assert [sockets.decode(answer, AuditReceipt).line for answer in answers] == [2, 3, 4]


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


def test_the_writer_tells_how_long_the_chain_is(home: Path, run: Run) -> None:
    with run() as process:
        audit_client.append(home, ADD)
        chain_now, pid = audit_client.ask_chain(home)
        head = (home / "audit" / "head").read_text().strip()

    assert (chain_now.lines, chain_now.head) == (2, head)
    assert pid == process.pid
    with pytest.raises(Unavailable):
        audit_client.ask_chain(home)
