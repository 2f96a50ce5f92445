"""The file that programs in Python take from us, and its example."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from hook_rig import CLIENTS, Eyes, HookBox, answers, client, free_port
from vonggac_appliance.hooking import box_key


@pytest.fixture
def box(home: Path) -> HookBox:
    return HookBox(home)


@pytest.fixture
def eyes(box: HookBox) -> Iterator[Eyes]:
    eyes = Eyes(box.home)
    yield eyes
    eyes.close()


def test_the_example_writes_episodes(box: HookBox, eyes: Eyes) -> None:
    port = free_port()
    with box.running():
        key = box.grant(port)
        with subprocess.Popen(
            [sys.executable, CLIENTS / "examples/episodes.py", f"tcp://127.0.0.1:{port}",
             box_key(box.home), key],
            stdout=subprocess.PIPE,
            text=True,
        ) as process:  # fmt: skip
            assert process.stdout is not None
            first = process.stdout.readline()
            stopped = threading.Event()

            def look() -> None:
                while not stopped.wait(0.1):
                    eyes.see("cam1")

            looking = threading.Thread(target=look)
            looking.start()
            second = process.stdout.readline()
            stopped.set()
            looking.join()
            process.terminate()

    assert first == "cameras: cam1\n"
    assert second.startswith("cam1: ") and second.endswith(", 3 s\n")


def test_the_client_needs_nothing_of_the_recorder() -> None:
    words = [
        line for line in (CLIENTS / "vonggac_hook.py").read_text().splitlines() if "import" in line
    ]

    assert not [line for line in words if "vonggac" in line]
    assert client().Hook


def test_the_client_says_that_the_box_takes_no_more(tmp_path: Path) -> None:
    key = tmp_path / "program.key"
    client().make_keys(key)
    said: list[int] = []
    with client().Hook(f"tcp://127.0.0.1:{free_port()}", "x" * 40, key) as hook:
        hook._socket.linger = 0
        with pytest.raises(client().Away):
            said.extend(hook.mark("cam1", 1, 2, "lorry") for _ in range(2000))
        with pytest.raises(client().Away):
            hook.ask_picture("cam1", 1)
        assert list(hook.messages(wait_s=0.2)) == [], "who only listens goes on"

    assert said == list(range(1, len(said) + 1)) and len(said) < 2000


def test_who_does_not_listen_asks_for_no_picture(box: HookBox) -> None:
    port = free_port()
    with box.running(), box.program(port, box.grant(port, kinds=("key-frames",))) as hook:
        hook.ask_picture("cam1", 1)
        (told,) = answers(hook, 1)
        assert (told["code"], told["number"]) == ("listen", 1)
        assert next(hook.messages())["type"] == "grant"
        hook.ask_picture("cam1", 1)
        (told,) = answers(hook, 1)
        assert (told["code"], told["number"]) == ("at_ns", 2)
