"""A real keeper, and a real recorder, whose disk refuses a write or a sync."""

from __future__ import annotations

import contextlib
import errno
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from box_rig import DEADLINE_S, Box, Cameras
from crash.keeper_peer import Arena, KeeperPeer
from interpose.preload import Calls, Control, build
from store.maker import FakeStream, make_disk
from vonggac._native import segment as native
from vonggac.errors import Unavailable
from vonggac.media.chunk import ChunkFlag
from vonggac.store.check import check
from vonggac.store.start import open_for_reading
from vonggac_appliance import sockets
from vonggac_appliance.messages import Kind
from vonggac_appliance.messages_keeper import DiskState

Interpose = Callable[[Path], Control]


@pytest.fixture
def interposed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, program: Callable[[str], str]
) -> Iterator[Interpose]:
    """Has every process that starts from now on watched by what is returned."""
    program("cc")
    library = build(tmp_path)
    made: list[Control] = []

    def watch(under: Path) -> Control:
        control = Control(tmp_path / "control", under.resolve())
        made.append(control)
        for name in ("LD_PRELOAD", "INTERPOSE_CONTROL"):
            monkeypatch.setenv(name, control.environment(library)[name])
        return control

    yield watch
    for control in made:
        control.close()


def recorded(where: Path, stream: FakeStream) -> list[int]:
    """Of whole chunks: a torn one stays beside the copy that was written again."""
    reading = open_for_reading(where)
    try:
        values = list(reading.archive.packed_minutes(stream.stream, 0, 1 << 62))
        rows = [r.row for value in values for r in native.rows_unpack(value)]
        return sorted(row.sequence for row in rows if not row.flags & ChunkFlag.BROKEN)
    finally:
        reading.close()


@pytest.mark.parametrize(
    ("counted", "number", "error"),
    [
        (Calls.SYNC, 1, errno.EIO),
        (Calls.WRITE, 1, errno.EIO),
        (Calls.WRITE, 2, errno.ENOSPC),
        (Calls.ZERO, 1, errno.EIO),
    ],
    ids=["sync", "first-write", "no-space", "zeroing"],
)
def test_a_keeper_whose_tick_fails_says_so_and_the_next_one_writes_what_waits(
    tmp_path: Path,
    arena: Arena,
    interposed: Interpose,
    counted: Calls,
    number: int,
    error: int,
) -> None:
    where = tmp_path / "disk"
    make_disk(where)
    control = interposed(where)
    peer = KeeperPeer(where, tmp_path, arena)
    peer.ready()
    peer.connect()
    streams = [FakeStream(number) for number in range(2)]
    for stream in streams:
        stream.begin(1)
    peer.tick([stream.chunk() for stream in streams])
    peer.wait_for(2)
    control.fail(number, error, counted, is_torn=True)
    if counted is Calls.ZERO:
        peer.expect(6)  # wants spares
    peer.tick([stream.chunk() for stream in streams])
    state = sockets.decode(peer.heard(Kind.DISK_STATE), DiskState)
    assert (state.state, state.errno) == ("failed", error)
    status, said = peer.wait()
    assert status == 1 and "has failed" in said and "Traceback" not in said
    assert control.failed == 1

    peer = KeeperPeer(where, tmp_path, arena)
    assert peer.ready().suspect
    waiting = len(arena.waiting)
    peer.connect(1)
    peer.wait_for(waiting)
    assert peer.quit()[0] == 0
    assert [recorded(where, stream) for stream in streams] == [[0, 1], [0, 1]]
    assert check(where, is_deep=True).problems == []


def test_a_keeper_whose_index_cannot_be_written_goes_on_recording(
    tmp_path: Path, arena: Arena, interposed: Interpose
) -> None:
    where = tmp_path / "disk"
    make_disk(where)
    control = interposed(where / "index")
    peer = KeeperPeer(where, tmp_path, arena)
    peer.ready()
    peer.connect()
    stream = FakeStream(1)
    stream.begin(1)
    control.fail(1, errno.ENOSPC, Calls.WRITE, is_lasting=True)
    for number in range(12):  # the index commits after the tenth
        peer.tick([stream.chunk()])
        peer.wait_for(number + 1)
    state = sockets.decode(peer.heard(Kind.DISK_STATE), DiskState)
    assert state.state == "recording" and "index cannot be written" in state.what
    status, said = peer.quit()
    assert status == 0 and "Traceback" not in said
    control.disarm()
    peer = KeeperPeer(where, tmp_path, arena)
    peer.ready()
    status, said = peer.quit()
    assert status == 0 and "made again while recording goes on" in said
    assert recorded(where, stream) == list(range(12))


@pytest.fixture
def cameras() -> Iterator[Cameras]:
    made = Cameras(1)
    yield made
    made.stop()


@pytest.mark.slow
@pytest.mark.parametrize("error", [errno.EIO, errno.ENOSPC], ids=["EIO", "ENOSPC"])
def test_a_recorder_outlives_its_disk_s_errors_and_no_gap_is_silent(
    tmp_path: Path, cameras: Cameras, interposed: Interpose, error: int
) -> None:
    box = Box(tmp_path / "home")
    box.add(cameras, "cam1")
    control = interposed(box.disk)
    try:
        with box.running():
            assert box.process is not None
            recorder = box.process.pid
            box.until_durable(1.0)
            counted = Calls.SYNC if error == errno.EIO else Calls.WRITE
            control.fail(1, error, counted)
            box.until_logged("has failed")
            failed_ns = time.time_ns()
            until_s = time.monotonic() + DEADLINE_S
            while True:
                with contextlib.suppress(Unavailable):  # a keeper that is just ending
                    line = box.timeline("cam1", "main")
                    if line.ranges and line.ranges[-1].to_ns > failed_ns + 2_000_000_000:
                        break
                assert time.monotonic() < until_s, box.log.read_text()
                time.sleep(0.2)  # nothing tells that a disk is written again
            assert box.process.poll() is None and box.process.pid == recorder
            assert "Traceback" not in box.log.read_text()
            assert {reason for reason, _ in box.holes("cam1", "main")} <= {"disk"}
            assert control.failed == 1
    finally:
        box.discard()
