"""The real audit writer as a process or a thread, what it is asked to write, the command line."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

from vonggac.evidence.receipt import Permit
from vonggac_appliance import cli
from vonggac_appliance.audit import AuditServer
from vonggac_appliance.messages_audit import AuditAppend

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

_AUDIT_RUN = (
    "import logging, sys; from pathlib import Path; from vonggac_appliance import audit\n"
    "logging.basicConfig()\n"
    "sys.exit(audit.main(Path(sys.argv[1])))"
)

Run = Callable[[], AbstractContextManager[subprocess.Popen[bytes]]]


@contextmanager
def audit_process(home: Path, scratch: Path) -> Iterator[subprocess.Popen[bytes]]:
    """`audit run`, ready when the block begins; SIGTERM at its end."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
        address = scratch / f"notify{os.urandom(4).hex()}"
        notify.bind(str(address))
        notify.settimeout(60)
        process = subprocess.Popen(
            [sys.executable, "-c", _AUDIT_RUN, str(home)],
            env={**os.environ, "NOTIFY_SOCKET": str(address)},
            stderr=subprocess.PIPE,
        )
        try:
            assert b"READY=1" in notify.recv(4096)
            yield process
        finally:
            process.terminate()
            process.communicate(timeout=60)


@contextmanager
def audit_run(home: Path) -> Iterator[None]:
    """Writes the chain of `home` until the block ends."""
    server = AuditServer(home)
    is_ending = threading.Event()

    def serve() -> None:
        while not is_ending.is_set():
            server.turn(0.02)

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield
    finally:
        is_ending.set()
        thread.join()
        server.close()


def vonggac(home: Path, *words: str) -> int:
    """The exit status of a command."""
    try:
        return cli.main(["--home", str(home), *words])
    except SystemExit as ended:  # argparse
        return int(ended.code or 0)


def chain_of(home: Path) -> list[dict[str, Any]]:
    """The lines of the audit chain."""
    text = (home / "audit" / "log.jsonl").read_text()
    return [json.loads(line) for line in text.splitlines()]
