"""`vonggac serve` as a process: it answers, watches itself, and ends in order."""

from __future__ import annotations

import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from audit_rig import audit_run
from box_rig import DEADLINE_S, wait_gone
from serve_rig import START, Served, Signed, start_with


@pytest.fixture
def served(paged: Path) -> Iterator[Served]:
    made = Served(paged)
    yield made
    made.stop(signal.SIGKILL)


def test_it_is_ready_when_it_answers_and_ends_when_told(served: Served) -> None:
    assert served.get() == 303  # nobody is enrolled: to the setup
    assert served.get("/nothing") == 404
    children = [served.process.pid, served.worker]

    assert served.stop() == 0
    wait_gone(children)
    assert "Traceback" not in served.log.read_text()


def test_it_shows_signs_of_life_while_it_turns(served: Served) -> None:
    assert "WATCHDOG=1" in [served.heard(), served.heard()]


@pytest.mark.slow
def test_a_worker_that_hangs_is_replaced_and_no_sign_of_life_told_meanwhile(paged: Path) -> None:
    hangs_s = 6
    served = Served(paged, start_with(HANGS=hangs_s))
    try:
        first = served.worker
        os.kill(first, signal.SIGSTOP)
        while select.select([served.notify], [], [], 0)[0]:
            served.heard()  # of before
        fed = 0
        while "READY=1" not in (heard := served.heard()):
            fed += "WATCHDOG=1" in heard

        # The parent turns once a second, a busy machine's less often: so many turns are in it, and
        # one that was under way. To kill a worker takes it two more, and to start one.
        assert fed <= hangs_s + 1
        assert served.worker != first
        assert served.get() == 303
    finally:
        served.stop(signal.SIGKILL)


def test_a_worker_that_dies_is_replaced(served: Served) -> None:
    first = served.worker
    os.kill(first, signal.SIGKILL)
    wait_gone([first])
    while "READY=1" not in served.heard():
        pass

    assert served.worker != first
    assert served.get() == 303


def test_a_worker_without_its_parent_ends(served: Served) -> None:
    worker = served.worker
    assert served.stop(signal.SIGKILL) == -signal.SIGKILL

    wait_gone([worker])


def test_no_signal_makes_a_second_worker(served: Served) -> None:
    worker = served.worker
    for number in (signal.SIGHUP, signal.SIGTTIN, signal.SIGUSR2, signal.SIGWINCH, signal.SIGTTOU):
        served.process.send_signal(number)
    while "WATCHDOG=1" not in served.heard():  # a turn with all of them behind it
        pass
    served.heard()

    assert served.worker == worker


def test_a_request_that_does_not_come_ends_and_frees_its_thread(paged: Path) -> None:
    head_s = 2.0
    served = Served(paged, start_with(HEAD=head_s))
    try:
        began_s = time.monotonic()
        with socket.create_connection(("127.0.0.1", served.port)) as slow:
            slow.sendall(b"GET / HTTP/1.1\r\nHost: local")
            slow.settimeout(DEADLINE_S)
            assert slow.recv(100) == b""
        assert time.monotonic() - began_s >= head_s
        assert served.get() == 303
    finally:
        served.stop(signal.SIGKILL)


def test_browsers_that_do_not_close_keep_nobody_waiting(served: Served) -> None:
    """gunicorn alone would wait 2 s for each, one after the other: two minutes, and it would be
    taken for hanging."""
    left = []
    first = served.worker
    began_s = time.monotonic()
    for _ in range(60):
        left.append(socket.create_connection(("127.0.0.1", served.port)))
        left[-1].sendall(b"GET /nothing HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    for one in left:
        one.settimeout(DEADLINE_S)
        assert one.recv(100).startswith(b"HTTP/1.1 404")
    assert served.get() == 303
    took_s = time.monotonic() - began_s
    for one in left:
        one.close()

    assert took_s < 60
    assert served.worker == first


# What MemoryDenyWriteExecute= of the unit asks of the kernel (PR_SET_MDWE); it lasts through forks.
WITHOUT_EXECUTABLE_MEMORY = (
    "import ctypes, sys\n"
    "if ctypes.CDLL(None, use_errno=True).prctl(65, 1, 0, 0, 0) != 0: sys.exit(77)\n" + START
)


def test_signing_in_needs_no_executable_memory(paged: Path) -> None:
    probe = "import ctypes, sys; sys.exit(ctypes.CDLL(None).prctl(66, 0, 0, 0, 0) < 0)"
    if subprocess.run([sys.executable, "-c", probe], check=False).returncode:
        pytest.skip("this kernel does not know PR_SET_MDWE")
    with audit_run(paged):
        served = Served(paged, WITHOUT_EXECUTABLE_MEMORY)
        try:
            somebody = Signed(served, paged)  # hashes a password
            status, _ = somebody.ask("GET", "/status")
        finally:
            assert served.stop() == 0

    assert status == 200
