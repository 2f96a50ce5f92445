"""Two disks and a real recorder: what happens to the streams of one that goes."""

from __future__ import annotations

import contextlib
import os
import resource
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from box_rig import Box, Cameras
from fuse_disk import FuseDisk, fuse_disk
from interpose.preload import Control, build
from vonggac._native import segment as native
from vonggac.media.chunk import ChunkFlag, PackedRow
from vonggac.registry.catalog import Catalog
from vonggac.store.start import open_for_reading
from vonggac_appliance import bus_control
from vonggac_appliance.suspect import suspect_marker

CODES = ("cam1", "cam2")


@pytest.fixture(scope="module")
def cameras() -> Iterator[Cameras]:
    cameras = Cameras(len(CODES))
    yield cameras
    cameras.stop()


class TwoDisks(Box):
    """A box whose disks are `disk` and `second`."""

    def __init__(self, home: Path) -> None:
        super().__init__(home, "512M")
        self.second = home / "second"
        self.second.mkdir()
        self.run_here("disk", "format", str(self.second), "--size", "512M", "--segment-size", "16M")

    def discard(self) -> None:
        super().discard()
        shutil.rmtree(self.second, ignore_errors=True)

    def chunks(self, stream: bytes) -> list[tuple[Path, PackedRow]]:
        """All of a stream on both disks, read without a keeper."""
        found = []
        for path in (self.disk, self.second):
            reading = open_for_reading(path)
            for value in reading.archive.packed_minutes(stream, 0, 1 << 62):
                found += [(path, row) for row in native.rows_unpack(value)]
            reading.close()
        return found


@pytest.fixture
def box(tmp_path: Path, cameras: Cameras) -> Iterator[TwoDisks]:
    box = TwoDisks(tmp_path / "home")
    for code in CODES:
        box.add(cameras, code)
    yield box
    box.discard()


@pytest.fixture
def syncs(
    box: TwoDisks, tmp_path: Path, program: Callable[[str], str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Control]:
    """The syncs of the second disk, of whatever is started from now on."""
    program("cc")
    library = build(tmp_path)
    with Control(tmp_path / "control", box.second.resolve()) as control:
        for name in ("LD_PRELOAD", "INTERPOSE_CONTROL"):
            monkeypatch.setenv(name, control.environment(library)[name])
        yield control


def disk_of(now: bus_control.StatusReply, path: Path) -> bus_control.DiskStatus:
    (found,) = [disk for disk in now.disks if disk.path == str(path)]
    return found


def is_elsewhere(now: bus_control.StatusReply, path: Path) -> bool:
    """Whether no stream is on that disk and all are recorded."""
    is_recording = all(s.state == "recording" for c in now.cameras for s in c.streams)
    return is_recording and disk_of(now, path).streams == 0


def runs(box: Box) -> dict[tuple[str, str], int]:
    return {key: stream.run for key, stream in box.streams().items()}


def until_further(box: Box, seconds: float = 0.5) -> None:
    """Until every stream has so much more durable than now."""
    before = {key: stream.durable_until_ns or 0 for key, stream in box.streams().items()}
    box.until(
        lambda now: all(
            (s.durable_until_ns or 0) > before[c.id, s.name] + seconds * 1e9
            for c in now.cameras
            for s in c.streams
        )
    )


def assert_nothing_is_missing(box: TwoDisks, one_run: bool = True) -> None:
    """Every chunk from a run's first to its last lies whole on one disk or the other."""
    with Catalog(box.home, is_readonly=True) as catalog:
        streams = [s for c in catalog.cameras() for s in c.streams]
    for stream in streams:
        whole = [p.row for _, p in box.chunks(stream.id) if not p.row.flags & ChunkFlag.BROKEN]
        for run in {row.run for row in whole}:
            numbers = {row.sequence for row in whole if row.run == run}
            assert numbers == set(range(max(numbers) + 1)), (stream.name, run)
        assert not one_run or len({row.run for row in whole}) == 1


@contextlib.contextmanager
def recording(box: TwoDisks) -> Iterator[None]:
    box.start()
    try:
        box.until_durable(1.0)
        yield
    except BaseException:
        print(box.log.read_text())
        raise
    finally:
        if box.process is not None:
            assert box.stop() == 0, box.log.read_text()


@pytest.mark.slow
def test_streams_are_shared_and_a_failed_disk_loses_no_second(box: TwoDisks) -> None:
    with recording(box):
        now = box.status()
        assert [disk.streams for disk in now.disks] == [2, 2]
        before = runs(box)
        ((keeper, path),) = [
            (pid, Path(path)) for pid, path in keepers(box) if path == str(box.second)
        ]
        # From now on every write behind the first block fails, as a disk's would with EIO.
        resource.prlimit(keeper, resource.RLIMIT_FSIZE, (4096, 4096))
        box.until(lambda now: disk_of(now, path).state == "failed" and is_elsewhere(now, path))
        until_further(box)
        assert runs(box) == before
        holes = {(code, name): box.holes(code, name) for code in CODES for name in ("main", "sub")}
        assert not any(holes.values()), holes

        suspect_marker(box.home, path).unlink()  # a person has looked at it
        box.until(lambda now: disk_of(now, path).state == "recording")
        until_further(box)
        assert disk_of(box.status(), path).streams == 0, "streams never come back by themselves"
    assert_nothing_is_missing(box)


def keepers(box: Box) -> list[tuple[int, str]]:
    """Pids, and the disks they hold open."""
    loops = {pid for _, pid in box.status().loops}
    found = []
    for pid in box.children():
        links = {os.readlink(link) for link in Path(f"/proc/{pid}/fd").iterdir()}
        for link in links:
            if pid not in loops and link.endswith("/journal"):
                found.append((pid, link.removesuffix("/journal")))
    return found


@pytest.mark.slow
def test_a_disk_that_is_slow_hangs_or_is_pulled_loses_nothing(
    box: TwoDisks, syncs: Control
) -> None:
    with behind_fuse(box.disk) as first, behind_fuse(box.second) as second, recording(box):
        before = runs(box)
        syncs.slow(1300)  # longer than a tick may take, shorter than what hangs
        box.until(lambda now: is_elsewhere(now, box.second))
        syncs.disarm()

        first.tell("hang")
        box.until(lambda now: is_elsewhere(now, box.disk))
        until_further(box)
        assert disk_of(box.status(), box.disk).state == "hung"
        first.tell("go")
        box.until(lambda now: disk_of(now, box.disk).state == "recording")
        assert disk_of(box.status(), box.disk).streams == 0

        second.pull()
        box.until(lambda now: is_elsewhere(now, box.second))
        until_further(box)
        assert runs(box) == before
    assert_nothing_is_missing(box)


@pytest.mark.slow
def test_the_only_disk_is_tried_again_after_it_failed(tmp_path: Path, cameras: Cameras) -> None:
    box = Box(tmp_path / "home", "512M")
    box.add(cameras, "cam1")
    box.start()
    try:
        box.until_durable(1.0)
        before = runs(box)
        resource.prlimit(box.keeper_pid(), resource.RLIMIT_FSIZE, (4096, 4096))
        box.until(lambda now: now.disks[0].state == "failed")
        box.until(lambda now: now.disks[0].state == "recording")
        until_further(box)
        assert runs(box) == before, "what was not durable waited in memory"
        assert suspect_marker(box.home, box.disk).exists(), "a person still has to look at it"
    finally:
        assert box.stop() == 0, box.log.read_text()
    assert box.holes("cam1", "main") == box.holes("cam1", "sub") == []
    box.discard()


@contextlib.contextmanager
def behind_fuse(disk: Path) -> Iterator[FuseDisk]:
    """The disk, seen through a file system that hangs when told to."""
    backing = disk.with_name(disk.name + "-backing")
    disk.rename(backing)
    disk.mkdir()
    with fuse_disk(backing, disk) as mounted:
        yield mounted
    disk.rmdir()
    backing.rename(disk)
