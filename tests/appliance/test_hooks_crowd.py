"""Whoever has no key and knocks as often as he can takes nothing from connected programs."""

from __future__ import annotations

import os
import resource
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import pytest
import zmq
from zmq.utils.monitor import recv_monitor_message

from audit_rig import audit_process
from hook_rig import SECOND_NS, Eyes, HookBox, free_port, until
from vonggac.registry.catalog import Catalog
from vonggac.registry.hooks import Hook, HookKind
from vonggac_appliance.hook_door import HookDoor
from vonggac_appliance.hook_gate import BACKLOG, CONNECTIONS_MAX
from vonggac_appliance.hook_limits import SPARE, spare
from vonggac_appliance.hook_log import HookLog
from vonggac_appliance.hook_marks import HookMarks
from vonggac_appliance.hook_protocol import HookKept, HookMark, HookRefused

CAMERA = b"\1" * 16
FORBIDDEN = "cannot be shut to a crowd"
"""What is logged where the kernel lets this user attach no filter to a TCP port."""


@pytest.fixture
def box(home: Path) -> HookBox:
    return HookBox(home)


@pytest.fixture
def eyes(box: HookBox) -> Iterator[Eyes]:
    eyes = Eyes(box.home)
    yield eyes
    eyes.close()


def granted(port: int = 9) -> Hook:
    kinds = (HookKind.MOTION, HookKind.MARKS)
    words = ("traffic desk", "counts lorries", (CAMERA,), kinds, port, "k" * 40)
    return Hook(1, *words, 1 << 62, "ab" * 16, "", "local:0", 1)


def descriptors(pid: int) -> int:
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))


@contextmanager
def knocking(port: int, wanted: int = 60) -> Iterator[None]:
    """So many at a time, each of whom says nothing and comes again as soon as he is put out."""
    is_over = threading.Event()

    def knock() -> None:
        while not is_over.is_set():
            try:
                with socket.create_connection(("127.0.0.1", port), timeout=3) as one:
                    while one.recv(64):
                        pass
            except OSError:
                is_over.wait(0.01)

    threads = [threading.Thread(target=knock) for _ in range(wanted)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        is_over.set()
        for thread in threads:
            thread.join()


def take_all(taken: ExitStack) -> None:
    with suppress(OSError):
        while True:
            taken.callback(os.close, os.open("/dev/null", os.O_RDONLY))


@contextmanager
def no_descriptors() -> Iterator[None]:
    """None is left to this process, but the spare ones."""
    with ExitStack() as taken:
        before = resource.getrlimit(resource.RLIMIT_NOFILE)
        limit = max(map(int, os.listdir("/proc/self/fd"))) + 8
        resource.setrlimit(resource.RLIMIT_NOFILE, (limit, before[1]))
        taken.callback(resource.setrlimit, resource.RLIMIT_NOFILE, before)
        take_all(taken)
        yield


@contextmanager
def no_spare_ones() -> Iterator[None]:
    with ExitStack() as taken:
        with spare():
            take_all(taken)
        yield


def test_who_is_connected_is_told_and_marks_while_strangers_knock(box: HookBox, eyes: Eyes) -> None:
    port, rounds = free_port(), 10
    with box.running() as process, ExitStack() as stack:
        key = box.grant(port, cameras=("cam1", "cam2"), kinds=("motion", "marks"))
        hook = stack.enter_context(box.program(port, key))
        until("the bus", lambda: eyes.see("cam1") or len(list(hook.messages(wait_s=0.2))) > 1)
        limit = descriptors(process.pid) + CONNECTIONS_MAX + 4
        resource.prlimit(process.pid, resource.RLIMIT_NOFILE, (limit, limit + SPARE))
        stack.enter_context(knocking(port))
        until("a crowd", lambda: "at its port" in (log := box.log.read_text()) or FORBIDDEN in log)
        told: set[int] = set()
        answers = []
        for episode in range(1, rounds + 1):
            now_ns = time.time_ns()
            hook.mark("cam2", now_ns - SECOND_NS, now_ns, "lorry")
            eyes.see("cam2", episode)  # its first line in the chain, and its first mark

            def is_told(wanted: int = episode) -> bool:
                for one in hook.messages(wait_s=0.2):
                    if one["type"] == "motion":
                        told.add(one["episode"])
                    elif one["type"] != "grant":
                        answers.append(one["type"])
                return wanted in told and len(answers) == wanted

            until(f"episode {episode}", is_told)
        hook._listen_s = 0.0
        (grant, *_) = [one for one in hook.messages(wait_s=1.0) if one["type"] == "grant"]

    assert answers == ["kept"] * rounds
    assert grant["missed"] == 0
    assert "Too many open files" not in box.log.read_text()


def test_a_port_takes_in_so_many_and_the_next_one_when_one_leaves(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with zmq.Context() as context, ExitStack() as stack:
        _, secret = zmq.curve_keypair()
        door = HookDoor(granted(free_port()), "127.0.0.1", secret, context, time.monotonic())
        stack.callback(door.close)

        def is_let_in() -> bool:
            door.mind(time.monotonic())
            try:
                one = socket.create_connection(("127.0.0.1", door.hook.port), timeout=0.5)
            except TimeoutError:
                return False
            crowd.append(stack.enter_context(one))
            return True

        crowd: list[socket.socket] = []
        until("a closed port", lambda: not is_let_in() or FORBIDDEN in caplog.text)
        if FORBIDDEN in caplog.text:
            pytest.skip("this kernel lets this user attach no filter to a TCP port")
        assert CONNECTIONS_MAX <= len(crowd) <= CONNECTIONS_MAX + 2 * BACKLOG
        for one in crowd:
            one.close()
        until("an open port", is_let_in)


def test_a_mark_is_kept_though_no_descriptor_is_left(box: HookBox) -> None:
    now_ns = time.time_ns()
    with Catalog(box.home, is_readonly=True) as catalog:
        marks = HookMarks(box.home, catalog, lambda _: None)
        camera = catalog.camera("cam1")
        asked = HookMark(1, "cam1", now_ns - SECOND_NS, now_ns, "lorry")
        with no_descriptors():
            told = marks.take(granted(), camera, asked)
        marks.close()

    assert isinstance(told, HookKept)


def test_no_descriptor_is_told_as_what_passes_and_not_as_full(box: HookBox) -> None:
    now_ns = time.time_ns()
    with Catalog(box.home, is_readonly=True) as catalog:
        marks = HookMarks(box.home, catalog, lambda _: None)
        camera = catalog.camera("cam1")
        asked = HookMark(1, "cam1", now_ns - SECOND_NS, now_ns, "lorry")
        with no_descriptors(), no_spare_ones():
            told = marks.take(granted(), camera, asked)
        again = marks.take(granted(), camera, asked)
        marks.close()

    assert isinstance(told, HookRefused) and told.code == "busy"
    assert isinstance(again, HookKept)


def test_a_line_is_written_though_no_descriptor_is_left(home: Path, tmp_path: Path) -> None:
    log = HookLog(home)
    with audit_process(home, tmp_path), no_descriptors():
        assert log.open(granted(), "cam1", 1, 1.0)
        with no_spare_ones():
            assert log.open(granted(), "cam2", 1, 1.0), "its way to the chain is kept"
    with audit_process(home, tmp_path):
        assert log.open(granted(), "cam3", 1, 1.0), "the writer was started anew"
    log.close()


def test_where_nobody_answers_for_keys_nobody_is_let_in() -> None:
    """As at the end of the process, or if its ZAP socket were lost."""
    public, secret = zmq.curve_keypair()
    with zmq.Context() as context, ExitStack() as stack:
        door = HookDoor(granted(free_port()), "127.0.0.1", secret, context, time.monotonic())
        stack.callback(door.close)
        stranger = stack.enter_context(context.socket(zmq.DEALER))
        stranger.linger = 0
        stranger.curve_serverkey = public
        stranger.curve_publickey, stranger.curve_secretkey = zmq.curve_keypair()
        told = zmq.EVENT_HANDSHAKE_SUCCEEDED | zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL
        stranger.monitor("inproc://stranger", told)
        monitor = stack.enter_context(context.socket(zmq.PAIR))
        monitor.connect("inproc://stranger")
        stranger.connect(f"tcp://127.0.0.1:{door.hook.port}")
        stranger.send(b"x")
        assert monitor.poll(60_000)
        assert recv_monitor_message(monitor)["event"] == zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL
        assert not door.socket.poll(0)
