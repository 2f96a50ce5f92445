"""A block device that goes away under a running recorder, and what is done about the disk then.

losetup --detach waits for whoever uses a device, and not every kernel has a device mapper. So the
loop device's file lies on a file system of our own, and that is what goes away: from then on every
read and write of the device fails, and ext4 and the keeper meet real errors of a real device.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from box_rig import Box, Cameras
from e2e.test_disks_failover import disk_of, is_elsewhere, runs, until_further
from fuse_disk import fuse_disk
from vonggac._native import segment as native
from vonggac.media.chunk import ChunkFlag
from vonggac.registry.catalog import Catalog
from vonggac.store.start import open_for_reading

IMAGE_BYTES = 640 << 20
CODES = ("cam1",)


def done(*words: str | Path) -> str:
    return subprocess.run(words, check=True, capture_output=True, text=True).stdout.strip()


@contextlib.contextmanager
def mounted(image: Path, where: Path, options: str, *more: str) -> Iterator[None]:
    """A loop device over `image`, mounted; `more` is for losetup. Skips where nobody may."""
    words = ("losetup", "--find", "--show", *more, image)
    made = subprocess.run(words, capture_output=True, text=True, check=False)
    if made.returncode:
        pytest.skip(f"this machine has no loop device to give: {made.stderr}")
    device = made.stdout.strip()
    try:
        if not options.startswith("ro"):
            done("mkfs.ext4", "-q", "-F", device)
        done("mount", "-o", options, device, where)
        try:
            yield
        finally:
            done("umount", "--lazy", where)
    finally:
        done("losetup", "--detach", device)


@pytest.fixture
def cameras() -> Iterator[Cameras]:
    made = Cameras(len(CODES))
    yield made
    made.stop()


@pytest.fixture
def box(tmp_path: Path, cameras: Cameras) -> Iterator[Box]:
    made = Box(tmp_path / "home", "512M")
    for code in CODES:
        made.add(cameras, code)
    yield made
    made.discard()


@pytest.mark.slow
def test_a_device_that_is_pulled_loses_nothing_and_can_be_retired_as_lost(
    box: Box, tmp_path: Path, program: Callable[[str], str]
) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root may make block devices")
    program("losetup")
    program("mkfs.ext4")
    backing, front, second = tmp_path / "backing", tmp_path / "front", box.home / "second"
    for folder in (backing, front, second):
        folder.mkdir()
    image = backing / "image"
    image.touch()
    os.truncate(image, IMAGE_BYTES)
    with fuse_disk(backing, front) as port, contextlib.ExitStack() as device:
        # Past the page cache of what it lies on, or reading would go on after the pull.
        device.enter_context(mounted(front / "image", second, "rw", "--direct-io=on"))
        box.run("disk", "format", str(second), "--size", "512M", "--segment-size", "16M")
        with box.running("run"):
            box.until_durable(1.0)
            before = runs(box)
            box.until(lambda now: disk_of(now, second).state == "recording")
            assert disk_of(box.status(), second).streams == 1

            port.pull()
            box.until(lambda now: is_elsewhere(now, second))
            assert disk_of(box.status(), second).state == "failed"
            until_further(box)
            assert runs(box) == before, "no camera was connected anew, no chunk dropped"

            box.run("disk", "retire", str(second), "--lost", "--reason", "rút khỏi máy")
            box.until(lambda now: [disk.path for disk in now.disks] == [str(box.disk)])
            until_further(box)
            device.close()
            find_again(box, image, second)


def find_again(box: Box, image: Path, second: Path) -> None:
    """The device turns up: what was durable on it is there, and not a chunk lies between."""
    with mounted(image, second, "ro"):
        told = json.loads(box.run("disk", "mount-readonly", str(second), "--json"))
        assert told["own_box"] is True
        codes = {camera["code"] for camera in told["cameras"]}
        assert codes and codes <= set(CODES)
        assert box.stop() == 0
        assert_nothing_is_missing(box.home, [box.disk, second])


def assert_nothing_is_missing(home: Path, disks: list[Path]) -> None:
    """Every chunk from a run's first to its last lies whole on one disk or the other."""
    with Catalog(home, is_readonly=True) as catalog:
        streams = [stream for camera in catalog.cameras() for stream in camera.streams]
    readings = [open_for_reading(path) for path in disks]
    for stream in streams:
        rows = [
            packed.row
            for reading in readings
            for value in reading.archive.packed_minutes(stream.id, 0, 1 << 62)
            for packed in native.rows_unpack(value)
        ]
        whole = {row.sequence for row in rows if not row.flags & ChunkFlag.BROKEN}
        assert len({row.run for row in rows}) == 1
        assert whole == set(range(max(whole) + 1)), stream.name
    for reading in readings:
        reading.close()
