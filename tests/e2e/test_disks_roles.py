"""Disks that are added, drained and taken out while a real recorder runs."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from audit_rig import audit_run
from box_rig import Box, Cameras
from vonggac.registry.catalog import Catalog
from vonggac_appliance import bus_control


@pytest.fixture(scope="module")
def cameras() -> Iterator[Cameras]:
    cameras = Cameras(1)
    yield cameras
    cameras.stop()


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Box]:
    box = Box(tmp_path / "home", "512M")
    yield box
    box.discard()
    shutil.rmtree(box.home / "second", ignore_errors=True)


def streams_on(now: bus_control.StatusReply) -> dict[str, int]:
    return {Path(disk.path).name: disk.streams for disk in now.disks}


def roles(box: Box) -> dict[str, tuple[str, str]]:
    listed = json.loads(box.run_here("disk", "list", "--json"))["disks"]
    return {Path(disk["path"]).name: (disk["state"], disk["role"]) for disk in listed}


@pytest.mark.slow
def test_a_disk_comes_another_is_drained_and_leaves_and_nothing_is_missing(
    box: Box, cameras: Cameras
) -> None:
    box.add(cameras, "cam1")
    second = box.home / "second"
    second.mkdir()
    with box.running():
        box.until_durable(0.5)
        runs = {key: stream.run for key, stream in box.streams().items()}
        box.run_here("disk", "format", str(second), "--size", "512M", "--segment-size", "16M")
        box.until(lambda now: streams_on(now) == {"disk": 2, "second": 0})
        box.until(lambda now: all(disk.state == "recording" for disk in now.disks))

        box.run_here("disk", "drain", str(box.disk))
        box.until(lambda now: streams_on(now) == {"disk": 0, "second": 2})
        before = {key: stream.durable_until_ns or 0 for key, stream in box.streams().items()}
        box.until(
            lambda now: all(
                (s.durable_until_ns or 0) > before["cam1", s.name] + 500_000_000
                for s in now.cameras[0].streams
            )
        )
        assert roles(box) == {
            "disk": ("recording", "drained"),
            "second": ("recording", "recording"),
        }
        assert {key: stream.run for key, stream in box.streams().items()} == runs
        assert box.holes("cam1", "main") == box.holes("cam1", "sub") == []

        said = box.run_here("disk", "retire", str(box.disk), status=1)
        assert "cam1 is promised 30 days" in said and "--force-unpromised" in said
        with audit_run(box.home):
            box.run_here("disk", "retire", str(box.disk), "--force-unpromised")
        box.until(lambda now: streams_on(now) == {"second": 2})

        box.run_here("disk", "add", str(box.disk))
        box.until(
            lambda now: (
                streams_on(now) == {"disk": 0, "second": 2}
                and all(disk.state == "recording" for disk in now.disks)
            )
        )
        assert box.holes("cam1", "main") == [], "what lies on it is there again"


def test_a_disk_of_another_box_is_refused_and_nothing_is_written_to_it(
    box: Box, tmp_path: Path
) -> None:
    other = Box(tmp_path / "other", "256M")
    before = {path: path.stat().st_mtime_ns for path in other.disk.rglob("*")}
    said = box.run_here("disk", "add", str(other.disk), status=78)
    assert "belongs to another box" in said
    assert roles(box).keys() == {"disk"}
    assert {path: path.stat().st_mtime_ns for path in other.disk.rglob("*")} == before
    other.discard()


def test_a_disk_that_is_mounted_elsewhere_is_told_by_adding_it(box: Box, tmp_path: Path) -> None:
    moved = tmp_path / "moved"
    box.disk.rename(moved)
    box.run_here("disk", "add", str(moved))
    with Catalog(box.home, is_readonly=True) as catalog:
        assert [Path(row.path) for row in catalog.disks()] == [moved]
    moved.rename(box.disk)
    box.run_here("disk", "add", str(box.disk))


def test_a_disk_does_not_leave_before_its_time(box: Box, tmp_path: Path) -> None:
    assert "is no disk of this box" in box.run_here("disk", "drain", str(tmp_path), status=1)
    said = box.run_here("disk", "retire", str(box.disk), status=1)
    assert "is recorded on: vonggac disk drain" in said
    said = box.run_here("disk", "drain", str(box.disk), status=1)
    assert "only disk that is recorded on" in said
