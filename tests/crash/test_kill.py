"""What is killed with SIGKILL at random moments under load, and what that costs."""

from __future__ import annotations

import importlib
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from box_rig import Box, crash_page, states
from vonggac.registry.catalog import Catalog

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def bench(root: Path, program: Callable[[str], str]) -> Iterator[Callable[[str], ModuleType]]:
    """Imports a program of bench/."""
    program("cc")
    folder = root / "bench"
    if not (folder / "kill.py").exists():
        pytest.skip("the benches are not here")
    sys.path.insert(0, str(folder))
    yield importlib.import_module
    sys.path.remove(str(folder))


@pytest.fixture
def source(bench: Callable[[str], ModuleType], tmp_path: Path) -> Iterator[Any]:
    """The bench's cameras, which count the connections they get."""
    module = bench("camera_source")
    module.BUILD = tmp_path  # type: ignore[attr-defined]
    with module.Source(clip=module.padded_clip(1_000_000)) as running:
        yield running


def test_three_kills_of_each_process_break_no_promise(
    bench: Callable[[str], ModuleType], tmp_path: Path
) -> None:
    camera_source = bench("camera_source")
    camera_source.BUILD = tmp_path  # type: ignore[attr-defined]
    clip = camera_source.padded_clip(1_000_000)
    seed = time.time_ns() % 1000
    report = bench("kill").run(tmp_path, "1G", cameras=3, times=3, seed=seed, clip=clip)
    assert report.problems == [], f"seed {seed}"
    assert report.kills == {"record": 3, "loop": 3, "keeper": 3}
    assert report.checks >= 2


def test_a_camera_that_crashes_its_loop_costs_its_neighbours_a_second(
    bench: Callable[[str], ModuleType], source: Any, tmp_path: Path
) -> None:
    """Two cameras in its loop, two in another one."""
    seams = bench("seams").seams
    box = Box(tmp_path / "home")
    (box.home / "config.toml").write_text("[record]\ncameras_per_loop = 2\n")
    try:
        with box.running():
            for names in (("guilty", "near"), ("far1", "far2")):
                for name in names:
                    add(box, name, source)
                box.until(lambda now: all_recorded(now, 2.0))
            assert len(box.status().loops) == 2
            began_ns = time.time_ns()
            far = {name: runs_of(box, name) for name in ("far1", "far2")}
            before = runs_of(box, "guilty") + runs_of(box, "near")
            crash_loop(box, 0, stream_of(box, "guilty", "main"))
            box.until(lambda now: all_recorded(now, 2.0) and not set(before) & set(runs_in(now)))
            between = runs_of(box, "near")
            crash_loop(box, 0, stream_of(box, "guilty", "main"))
            box.until(lambda now: states(now)["guilty"] == "quarantined")
            at_ns = time.time_ns()
            # Each crash broke its neighbours' runs. A keeper may tell that a new one is durable
            # before its loop tells that it has begun.
            box.until(
                lambda now: (
                    not set(between) & set(runs_in(now))
                    and all(
                        (s.durable_until_ns or 0) > at_ns
                        for c in now.cameras
                        for s in c.streams
                        if c.id != "guilty"
                    )
                )
            )
            now = states(box.status())
            assert {name: runs_of(box, name) for name in far} == far
        opened = source.stop().sessions_peak, len(source.sessions)
    finally:
        if box.process is not None:
            box.stop(signal.SIGKILL)

    assert now == {
        "guilty": "quarantined", "near": "recording", "far1": "recording", "far2": "recording"
    }  # fmt: skip
    # Eight streams, and the guilty one's return after its first crash: nobody else connected anew.
    assert opened == (8, 9)
    for name in ("main", "sub"):
        assert box.holes("far1", name) == box.holes("far2", name) == []
        # A run ended with each crash. A slow fork changes nothing in how many pictures are missing.
        lost = [seam.missing for seam in seams(box.disk, stream_of(box, "near", name), source.clip)]
        assert len(lost) == 2
        assert all(missing < 2 * 25 for missing in lost), lost
        assert box.timeline("near", name, began_ns).ranges


def add(box: Box, name: str, source: Any) -> None:
    """A camera without a login."""
    streams = ("--url", source.url(f"{name}/main"), "--sub-url", source.url(f"{name}/sub"))
    box.run_here("camera", "add", name, *streams, "--owner-kind", "state")


def all_recorded(now: Any, seconds: float) -> bool:
    """Whether each stream there is records and has so much in its present run."""
    streams = [s for c in now.cameras for s in c.streams]
    return bool(streams) and all(
        s.state == "recording" and s.samples > 25 * seconds for s in streams
    )


def runs_of(box: Box, camera: str) -> list[int]:
    return [s.run for c in box.status().cameras if c.id == camera for s in c.streams]


def runs_in(now: Any) -> list[int]:
    return [s.run for c in now.cameras for s in c.streams]


def stream_of(box: Box, camera: str, name: str) -> bytes:
    with Catalog(box.home, is_readonly=True) as catalog:
        row = catalog.camera(camera)
    assert row is not None
    return next(stream.id for stream in row.streams if stream.name == name)


def crash_loop(box: Box, number: int, stream: bytes) -> None:
    """As if a loop had crashed in the middle of this stream's bytes."""
    assert box.process is not None
    pid = dict(box.status().loops)[number]
    assert pid > 0
    os.kill(pid, signal.SIGSTOP)
    page = crash_page(box.process.pid, number)
    os.pwrite(page, (1).to_bytes(8, sys.byteorder) + stream, 0)
    os.close(page)
    os.kill(pid, signal.SIGKILL)
