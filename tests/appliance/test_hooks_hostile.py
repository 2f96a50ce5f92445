"""A slow, dead or hostile program costs others nothing, and the process little."""

from __future__ import annotations

import contextlib
import itertools
import os
import resource
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
import zmq

from hook_rig import Eyes, HookBox, client, free_port, until
from vonggac.motion.mark_files import days_of, marks_of_day
from vonggac.registry.catalog import Catalog, DiskRow
from vonggac_appliance.hook_marks import folder_of
from vonggac_appliance.hooking import box_key
from vonggac_appliance.keep_questions import socket_name
from vonggac_appliance.processes import look_at
from vonggac_appliance.sockets import listen, prepare_class

LISTEN = msgspec.msgpack.encode({"type": "listen", "kinds": ["motion"]})
GROWTH_MAX_BYTES = 64 << 20
DISK = b"d" * 16
ENDLESS = "a message without end, or of too many frames"


@pytest.fixture
def box(home: Path) -> HookBox:
    return HookBox(home)


@pytest.fixture
def eyes(box: HookBox) -> Iterator[Eyes]:
    eyes = Eyes(box.home)
    yield eyes
    eyes.close()


def memory(process: subprocess.Popen[bytes]) -> int:
    return look_at("hooks", 0, process.pid).memory_bytes or 0


def cpu_s(process: subprocess.Popen[bytes]) -> float:
    fields = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def test_who_does_not_read_misses_it_and_nobody_else_does(box: HookBox, eyes: Eyes) -> None:
    slow_port, port = free_port(), free_port()
    with box.running() as process:
        slow_key, key = box.grant(slow_port), box.grant(port)
        with box.program(slow_port, slow_key) as slow, box.program(port, key) as hook:
            slow._socket.rcvhwm, slow._socket.rcvbuf = 1, 4096
            slow._socket.disconnect(f"tcp://127.0.0.1:{slow_port}")
            slow._socket.connect(f"tcp://127.0.0.1:{slow_port}")
            slow._socket.send(LISTEN)
            until("the bus", lambda: eyes.see("cam1") or len(list(hook.messages(wait_s=0.2))) > 1)
            before, seen = memory(process), 0
            for second in range(6000):
                eyes.see("cam1", second)
                if second % 200 == 0:
                    seen += sum(t["type"] == "motion" for t in hook.messages(wait_s=0.1))
            grown = memory(process) - before
            told: list[int] = []

            def has_missed() -> bool:
                slow._socket.send(LISTEN)
                while slow._socket.poll(200):
                    message = msgspec.msgpack.decode(slow._socket.recv())
                    told.append(message.get("missed", 0))
                return bool(told) and told[-1] > 0

            until("what was missed", has_missed)

    assert seen > 1000
    assert grown < GROWTH_MAX_BYTES
    assert len(box.lines("hook delivery")) < 20


def test_what_a_message_without_end_takes_is_bounded_without_a_unit_too(box: HookBox) -> None:
    """libzmq keeps the frames of a message until its last one came, however many they are."""
    port = free_port()
    with box.running() as process, box.program(port, box.grant(port)) as hook:
        next(hook.messages())
        soft, hard = resource.prlimit(process.pid, resource.RLIMIT_DATA)
        assert soft == hard == 512 << 20
        assert memory(process) < hard / 3


def test_a_fifth_listener_is_told_that_there_are_too_many(box: HookBox) -> None:
    port = free_port()
    with box.running():
        key = box.grant(port)
        programs = [box.program(port, key) for _ in range(5)]
        for hook in programs[:4]:
            assert next(hook.messages())["type"] == "grant"
        with pytest.raises(client().Refused, match="busy"):
            next(programs[4].messages())
        for hook in programs:
            hook.close()


def test_who_says_more_than_he_may_waits_in_his_own_socket(box: HookBox) -> None:
    loud_port, port = free_port(), free_port()
    with box.running() as process:
        loud_key, key = box.grant(loud_port), box.grant(port)
        with box.program(loud_port, loud_key) as loud, box.program(port, key) as hook:
            assert next(loud.messages())["type"] == "grant"
            began_s, spent_s = time.monotonic(), cpu_s(process)
            sent = 0
            while time.monotonic() < began_s + 3:
                try:
                    loud._socket.send(b"\xff" * 1000, zmq.NOBLOCK)
                    sent += 1
                except zmq.Again:
                    time.sleep(0.001)
            lasted_s = time.monotonic() - began_s
            spent_s = cpu_s(process) - spent_s
            assert next(hook.messages())["type"] == "grant"
            answers = 0
            while loud._socket.poll(0):
                loud._socket.recv()
                answers += 1

    assert sent > 500
    assert answers <= 200 + 60 * (lasted_s + 5)
    assert spent_s < lasted_s / 2


def test_connections_that_say_nothing_or_nonsense_are_closed(box: HookBox) -> None:
    port = free_port()
    with box.running():
        key = box.grant(port)
        until("its door", lambda: f"at port {port}" in box.log.read_text())
        silent = [socket.create_connection(("127.0.0.1", port)) for _ in range(100)]
        for one in silent[:50]:
            one.sendall(os.urandom(64))
        with box.program(port, key) as hook:
            assert next(hook.messages())["type"] == "grant"
        for one in silent:
            one.settimeout(60)
            try:
                while one.recv(4096):
                    pass
            except ConnectionResetError:
                continue
            finally:
                one.close()


def test_wrong_keys_at_the_door_keep_nobody_out(box: HookBox) -> None:
    port = free_port()
    with box.running(), zmq.Context() as context:
        key = box.grant(port)
        strangers = []
        for _ in range(30):
            stranger = context.socket(zmq.DEALER)
            stranger.linger = 0
            stranger.curve_serverkey = box_key(box.home).encode()
            stranger.curve_publickey, stranger.curve_secretkey = zmq.curve_keypair()
            stranger.connect(f"tcp://127.0.0.1:{port}")
            stranger.send(LISTEN)
            strangers.append(stranger)
        with box.program(port, key) as hook:
            assert next(hook.messages())["type"] == "grant"
        for stranger in strangers:
            assert not stranger.poll(0)
            stranger.close()


def test_without_descriptors_it_lives_on_and_serves_again(box: HookBox, eyes: Eyes) -> None:
    port = free_port()
    with box.running() as process:
        key = box.grant(port)
        with box.program(port, key) as hook:
            assert next(hook.messages())["type"] == "grant"
            there = len(list(Path(f"/proc/{process.pid}/fd").iterdir()))
            limit = there + 20
            resource.prlimit(process.pid, resource.RLIMIT_NOFILE, (limit, limit))
            crowd = [socket.create_connection(("127.0.0.1", port)) for _ in range(60)]
            until(
                "the limit", lambda: len(list(Path(f"/proc/{process.pid}/fd").iterdir())) >= limit
            )
            assert next(hook.messages())["type"] == "grant"
            box.grant(free_port())  # the catalog is looked at, and where marks are
            until("a look", lambda: "Too many open files" in box.log.read_text())
            eyes.see("cam1")  # the chain cannot be reached
            assert next(hook.messages())["type"] == "grant"
            for one in crowd:
                one.close()
        with box.program(port, key) as hook:
            assert next(hook.messages())["type"] == "grant"
        assert process.poll() is None


@contextlib.contextmanager
def hung_disk(box: HookBox) -> Iterator[threading.Event]:
    """A keeper that takes every question and answers none; set: it was asked."""
    with Catalog(box.home) as catalog:
        catalog.enrol_disk(DiskRow(DISK, "/nowhere", 1, 1 << 25, 1))
    listener = listen(prepare_class(box.home, "view") / socket_name(DISK))
    asked, taken = threading.Event(), contextlib.ExitStack()

    def take() -> None:
        with contextlib.suppress(OSError):  # it was shut down: nobody asks any more
            while True:
                caller, _ = listener.accept()
                taken.callback(caller.close)
                if caller.recv(4096):
                    asked.set()

    thread = threading.Thread(target=take)
    thread.start()
    try:
        yield asked
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()
        taken.close()
        listener.close()


def test_who_asks_for_pictures_of_a_disk_that_hangs_holds_up_nobody(
    box: HookBox, eyes: Eyes
) -> None:
    bad_port, port = free_port(), free_port()
    cameras, episodes = ("cam1", "cam2", "cam3"), itertools.count(1)
    with hung_disk(box) as is_asked, box.running():
        bad_key = box.grant(bad_port, cameras=cameras, kinds=("key-frames",))
        key = box.grant(port)
        with box.program(bad_port, bad_key) as bad, box.program(port, key) as hook:
            assert next(hook.messages())["type"] == "grant"

            def is_told_meanwhile() -> bool:
                """Something came while the keeper was asked for a picture, before its answer."""
                while bad._socket.poll(0):
                    bad._socket.recv()
                is_asked.clear()
                bad._say({"type": "listen"})
                for camera in cameras:
                    bad.ask_picture(camera, time.time_ns())
                if not is_asked.wait(10):
                    return False  # it paused: these cameras could not be read a moment ago
                episode = next(episodes)
                eyes.see("cam1", episode)
                told = any(t.get("episode") == episode for t in hook.messages(wait_s=2.0))
                answers = []
                while bad._socket.poll(0):
                    answers.append(msgspec.msgpack.decode(bad._socket.recv())["type"])
                return told and set(answers) <= {"grant"}

            until("a message while a disk hangs", is_told_meanwhile)


def test_a_message_of_countless_frames_shuts_its_own_door_and_no_other(
    box: HookBox, eyes: Eyes
) -> None:
    bad_port, port = free_port(), free_port()
    frames = 200_000
    with box.running() as process:
        bad_key, key = box.grant(bad_port), box.grant(port)
        with box.program(bad_port, bad_key) as bad, box.program(port, key) as hook:
            assert next(bad.messages())["type"] == "grant"
            until("the bus", lambda: eyes.see("cam1") or len(list(hook.messages(wait_s=0.2))) > 1)
            for _ in range(frames):
                bad._socket.send(b"", zmq.SNDMORE)
            bad._socket.send(b"")
            until("its end", lambda: f"hook 1: {ENDLESS}" in box.log.read_text())
            eyes.see("cam1", 77)
            assert any(t.get("episode") == 77 for t in hook.messages(wait_s=5.0))
            until("its door again", lambda: box.log.read_text().count(f"at port {bad_port}") == 2)
            until("its grant", lambda: any(t["type"] == "grant" for t in bad.messages(wait_s=1.0)))
            assert process.poll() is None


def test_a_flood_of_good_marks_costs_its_own_hook_alone(box: HookBox, eyes: Eyes) -> None:
    bad_port, port = free_port(), free_port()
    cameras = ("cam1", "cam2", "cam3")
    with box.running():
        bad_key = box.grant(bad_port, cameras=cameras, kinds=("marks",))
        key = box.grant(port, kinds=("marks", "motion"))
        with box.program(bad_port, bad_key) as bad, box.program(port, key) as hook:
            until("the bus", lambda: eyes.see("cam1") or len(list(hook.messages(wait_s=0.2))) > 1)
            began_s, told = time.monotonic(), set()
            for episode in range(1, 31):
                now_ns = time.time_ns()
                for number in range(100):
                    bad.mark(cameras[number % 3], now_ns - 10**9, now_ns, "lorry")
                hook.mark("cam1", now_ns - 10**9, now_ns, "bus")
                eyes.see("cam1", episode)
                told |= {one.get("episode") for one in hook.messages(wait_s=0.1)}
            lasted_s = time.monotonic() - began_s
            until("the rest", lambda: told.update(
                one.get("episode") for one in hook.messages(wait_s=0.2)
            ) or told >= set(range(1, 31)))  # fmt: skip

    folder = folder_of(box.home)
    kept = [mark for camera in (b"\1" * 16, b"\2" * 16, b"\3" * 16)
            for day in days_of(folder, camera)
            for mark in marks_of_day(folder, camera, day)]  # fmt: skip
    assert sum(mark.hook == 2 for mark in kept) == 30
    assert 0 < sum(mark.hook == 1 for mark in kept) <= 200 + 60 * (lasted_s + 5)
