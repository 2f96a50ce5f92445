"""`record` and its processes: what the end or the hanging of one costs the cameras."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from box_rig import (
    DEADLINE_S,
    Box,
    Cameras,
    child_pids,
    kill_loop_between_parses,
    kill_loop_while_parsing,
    states,
    wait_gone,
)
from vonggac.registry.catalog import Catalog
from vonggac_appliance import bus_control, control


@pytest.fixture
def three_cameras() -> Iterator[Cameras]:
    served = Cameras(3)
    yield served
    served.stop()


def _stream_id(box: Box, camera: str, name: str) -> bytes:
    with Catalog(box.home, is_readonly=True) as catalog:
        row = catalog.camera(camera)
    assert row is not None
    stream = row.stream(name)
    assert stream is not None
    return stream.id


@pytest.mark.slow
def test_a_loops_crash_keeps_its_cameras_connected(box: Box, cameras: Cameras) -> None:
    for name in cameras.names:
        box.add(cameras, name)
    with box.running():
        box.until_durable(2.0)
        before, connections = box.runs(), cameras.connections
        pid = kill_loop_between_parses(box)
        box.until(lambda now: any(other != pid and other for _, other in now.loops))
        box.until(
            lambda now: all(
                s.state == "recording" and s.run > before[c.id, s.name] and s.samples > 30
                for c in now.cameras
                for s in c.streams
            )
        )

    assert cameras.connections == connections
    for camera, name in before:
        # None where it died right behind a tick. How many pictures that costs: tests/crash/.
        assert len(box.holes(camera, name)) <= 1


@pytest.mark.slow
def test_a_camera_that_crashes_its_loop_twice_is_quarantined_alone(
    box: Box, cameras: Cameras
) -> None:
    for name in cameras.names:
        box.add(cameras, name)
    with box.running():
        box.until_durable(1.0)
        guilty = _stream_id(box, "cam1", "main")
        neighbours = cameras.connections
        kill_loop_while_parsing(box, guilty)
        box.until(lambda now: now.cameras[0].streams[0].gap_reason == "crashes the recorder")
        box.until_durable(1.0)
        assert cameras.connections == neighbours + 1
        kill_loop_while_parsing(box, guilty)
        now = box.until(
            lambda now: (
                states(now) == {"cam1": "quarantined", "cam2": "recording"}
                and all(s.state == "quarantined" for s in now.cameras[0].streams)
            )
        )
        assert now.cameras[0].gap_reason == "crashes the recorder"
        assert cameras.connections == neighbours + 1

        assert control.ask(box.home, bus_control.RestartCamera("cam1")) == bus_control.Ok()
        box.until_durable(1.0)

    assert {reason for reason, _ in box.holes("cam1", "main")} == {"crashes the recorder"}


def test_a_hanging_loop_is_ended_and_replaced(box: Box, cameras: Cameras) -> None:
    box.add(cameras, "cam1")
    with box.running():
        box.until_durable(1.0)
        before = box.runs()
        ((_, pid),) = box.status().loops
        os.kill(pid, signal.SIGSTOP)

        box.until(lambda now: all(s.run > before["cam1", s.name] for s in now.cameras[0].streams))
        box.until_durable(1.0)

    assert "does not answer" in box.log.read_text()


@pytest.mark.slow
def test_a_keepers_death_costs_no_run(box: Box, cameras: Cameras) -> None:
    box.add(cameras, "cam1")
    with box.running():
        box.until_durable(2.0)
        before = box.streams()
        keeper = box.keeper_pid()
        os.kill(keeper, signal.SIGKILL)
        box.until(
            lambda now: all(
                (s.durable_until_ns or 0)
                > (before["cam1", s.name].durable_until_ns or 0) + 3_000_000_000
                for s in now.cameras[0].streams
            )
        )
        after = box.streams()

    assert {k: s.run for k, s in after.items()} == {k: s.run for k, s in before.items()}
    assert box.holes("cam1", "main") == box.holes("cam1", "sub") == []


@pytest.mark.slow
def test_a_killed_recorder_takes_its_children_along_and_its_successor_goes_on(
    box: Box, cameras: Cameras
) -> None:
    box.add(cameras, "cam1")
    with box.running():
        box.until_durable(2.0)
        before = box.runs()
        children = box.children()
        box.stop(signal.SIGKILL)
        wait_gone(children)
        box.start()
        box.until_durable(2.0)
        after = box.runs()

    assert all(after[key] > before[key] for key in before)
    ((reason, _),) = box.holes("cam1", "main")
    assert reason == "box stopped"


@pytest.mark.slow
def test_a_hanging_disk_costs_what_does_not_fit_into_memory_and_no_connection(
    box: Box, three_cameras: Cameras
) -> None:
    cameras = three_cameras
    (box.home / "config.toml").write_text('[record]\narena = "16 MiB"\n')
    for name in cameras.names:
        box.add(cameras, name)
    with box.running():
        box.until_durable(1.0)
        connections = cameras.connections
        keeper = box.keeper_pid()
        os.kill(keeper, signal.SIGSTOP)
        box.until(lambda now: now.disks[0].state == "slow")
        box.until(_all_wait_for_their_disk, deadline_s=DEADLINE_S)
        waiting = box.streams()
        box.until(
            lambda now: all(
                s.bytes > waiting[c.id, s.name].bytes for c in now.cameras for s in c.streams
            )
        )  # nobody is held back
        kill_loop_between_parses(box)
        box.until(
            lambda now: all(
                s.run > waiting[c.id, s.name].run for c in now.cameras for s in c.streams
            )
        )
        os.kill(keeper, signal.SIGCONT)
        box.until_durable(2.0)

    assert cameras.connections == connections
    for camera, stream in waiting:
        holes = box.holes(camera, stream)
        assert holes, (camera, stream)
        assert {reason for reason, _ in holes} == {"disk"}


def _all_wait_for_their_disk(now: bus_control.StatusReply) -> bool:
    streams = [s for c in now.cameras for s in c.streams]
    return all(s.gap_reason == "disk" and s.dropped and s.bytes for s in streams)


def test_a_recorder_without_its_zygote_ends(box: Box) -> None:
    box.start()
    assert box.process is not None
    (forker,) = child_pids(box.process.pid)
    children = box.children()
    os.kill(forker, signal.SIGKILL)

    assert box.process.wait(DEADLINE_S) == 1
    wait_gone(children)


def test_a_keeper_comes_before_the_loops_where_that_is_allowed(box: Box) -> None:
    asking = [sys.executable, "-c", "import os; os.nice(-5)"]
    is_allowed = subprocess.run(asking, stderr=subprocess.DEVNULL, check=False).returncode == 0
    usual = os.getpriority(os.PRIO_PROCESS, 0)
    with box.running():
        (keeper,) = box.children()
        box.until(lambda now: now.disks[0].uuid != "")  # it takes its rank before its disk
        rank = os.getpriority(os.PRIO_PROCESS, keeper)

    assert rank == (max(usual - 5, -20) if is_allowed else usual)


def test_a_second_recorder_in_the_home_says_so(box: Box) -> None:
    with box.running():
        assert "another recorder already runs" in box.run("record", status=1)


def test_a_home_without_a_disk_says_what_to_type(tmp_path: Path) -> None:
    made = Box(tmp_path / "home", "320M")
    with Catalog(made.home) as catalog:
        catalog.forget_disk(catalog.disks()[0].uuid)

    assert "vonggac disk format" in made.run("record", status=78)
    made.discard()
