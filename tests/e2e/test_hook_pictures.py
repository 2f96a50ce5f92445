"""A program saves a still at an episode of motion: recorder, motion, chain and hooks, all real."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import av
import msgspec
import pytest

from audit_rig import chain_of
from box_rig import Box, Cameras
from hook_rig import CLIENTS, SECOND_NS, HookBox, free_port, until
from motion_rig import motion_run
from vonggac_appliance.hooking import box_key


def ask(hook: Any, camera: str, at_ns: int) -> dict[str, Any]:
    """The answer to one question."""
    hook.ask_picture(camera, at_ns)
    assert hook._socket.poll(60_000)
    answer: dict[str, Any] = msgspec.msgpack.decode(hook._socket.recv())
    return answer


@pytest.mark.slow
def test_a_program_of_twenty_lines_saves_a_still_at_an_episode(
    box: Box, cameras: Cameras, tmp_path: Path
) -> None:
    for name in cameras.names:
        box.add(cameras, name)
    office, port = HookBox(box.home, with_cameras=False), free_port()
    with box.running(), office.running():
        box.until_durable(3.0)
        key = office.grant(port, kinds=("motion", "key-frames"))
        until("its door", lambda: f"at port {port}" in office.log.read_text())
        with subprocess.Popen(
            [sys.executable, str(CLIENTS / "examples/stills.py"), f"tcp://127.0.0.1:{port}",
             box_key(box.home), str(key), str(tmp_path)],
            stdout=subprocess.PIPE,
            text=True,
        ) as process:  # fmt: skip
            assert process.stdout is not None
            killer = threading.Timer(120, process.kill)
            killer.start()
            lines = [process.stdout.readline()]
            with motion_run(box.home):
                while lines[-1] and not lines[-1].endswith(".mp4\n"):
                    lines.append(process.stdout.readline())
            killer.cancel()
            process.terminate()
        with office.program(port, key) as hook:
            assert next(hook.messages("key-frames"))["type"] == "grant"
            now_ns = time.time_ns()
            refused = [
                ask(hook, "cam2", now_ns - 5 * SECOND_NS),
                ask(hook, "cam1", now_ns - 3600 * SECOND_NS),
                ask(hook, "cam1", now_ns + 60 * SECOND_NS),
            ]
            hurry = [ask(hook, "cam1", now_ns - 5 * SECOND_NS) for _ in range(15)]

    assert lines[0] == "cameras: cam1\n"
    with av.open(str(tmp_path / lines[-1].strip())) as still:
        (picture,) = still.decode(video=0)
    assert picture.width > 0
    assert [told["code"] for told in refused] == ["camera", "at_ns", "at_ns"]
    assert "rate" in {told.get("code") for told in hurry}
    given = [line for line in chain_of(box.home) if line["action"] == "hook picture"]
    assert given[0]["object"] == "cam1/sub to hook 1 «traffic desk»"
    assert given[0]["permit"] == "stored" and given[0]["purpose"]["text"] == "counts lorries"
    assert len(given) == 1 + sum(told["type"] == "picture" for told in hurry)
