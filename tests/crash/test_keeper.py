"""A keeper as its parent and its loops see it, killed at any moment."""

from __future__ import annotations

import errno
import random
import resource
import time
from dataclasses import replace
from pathlib import Path

import pytest

from crash.keeper_peer import Arena, KeeperPeer
from store.maker import Bench, FakeStream
from vonggac._native import segment as native
from vonggac.store.check import check
from vonggac.store.journal import SegmentState
from vonggac.store.start import open_for_reading
from vonggac_appliance import sockets
from vonggac_appliance.messages import Kind
from vonggac_appliance.messages_keeper import DiskState


def found_on(where: Path, stream: FakeStream) -> list[tuple[bytes, int, int]]:
    bench = Bench.open(where)
    values = list(bench.ring.archive.packed_minutes(stream.stream, 0, 1 << 62))
    bench.crash()
    return [
        (stream.stream, r.row.run, r.row.sequence) for v in values for r in native.rows_unpack(v)
    ]


def test_a_chunk_is_acknowledged_and_reported(where: Path, tmp_path: Path, arena: Arena) -> None:
    peer = KeeperPeer(where, tmp_path, arena)
    ready = peer.ready()
    assert ready.streams == [] and ready.segments > 8 and not ready.suspect
    peer.connect()
    stream = FakeStream(1)
    stream.begin(1)
    peer.tick([stream.chunk()])
    peer.wait_for(1)
    durable = peer.durable()
    assert [(s.stream, s.run, s.sequence) for s in durable.streams] == peer.acknowledged
    assert arena.writer.used == 0
    status, _ = peer.quit()
    assert status == 0
    assert found_on(where, stream) == peer.acknowledged


def test_what_a_killed_keeper_acknowledged_is_there(
    where: Path, tmp_path: Path, arena: Arena
) -> None:
    random.seed(7)
    streams = [FakeStream(number) for number in range(4)]
    acknowledged: set[tuple[bytes, int, int]] = set()
    for life in range(3):
        peer = KeeperPeer(where, tmp_path, arena)
        peer.ready()
        peer.connect(life)
        for stream in streams:
            stream.begin(life + 1)
        until_s = time.monotonic() + random.uniform(0.3, 2.5)
        while time.monotonic() < until_s:
            peer.tick([stream.chunk(random.randrange(1000, 300_000)) for stream in streams])
            while peer.read(0.1) and time.monotonic() < until_s:
                pass
        peer.kill()
        acknowledged.update(peer.acknowledged)
    made = {(s.stream, run, sequence) for s in streams for run, sequence, _ in s.sent}
    found = [entry for stream in streams for entry in found_on(where, stream)]
    assert len(found) == len(set(found))
    assert acknowledged and acknowledged <= set(found) <= made
    # What was handed over again was written or was there already: nothing waits in the arena for
    # ever.
    peer = KeeperPeer(where, tmp_path, arena)
    peer.ready()
    waiting = len(arena.waiting)
    peer.connect(9)
    peer.wait_for(waiting)
    assert peer.quit()[0] == 0
    found = [entry for stream in streams for entry in found_on(where, stream)]
    assert set(found) == made and len(found) == len(made)


def test_a_loop_that_says_bye_hears_that_all_is_drained(
    where: Path, tmp_path: Path, arena: Arena
) -> None:
    peer = KeeperPeer(where, tmp_path, arena)
    peer.ready()
    peer.connect()
    stream = FakeStream(1)
    stream.begin(1)
    peer.tick([stream.chunk()])
    peer.bye()
    while not peer.is_drained:
        assert peer.read(10.0)
    assert len(peer.acknowledged) == 1
    assert peer.quit()[0] == 0


@pytest.mark.slow
def test_a_second_recorder_is_told_so(where: Path, tmp_path: Path, arena: Arena) -> None:
    bench = Bench.open(where)
    peer = KeeperPeer(where, tmp_path, arena)
    status, said = peer.wait()
    bench.crash()
    assert status == 1 and "another recorder" in said and "Traceback" not in said


def test_a_failed_write_stops_the_keeper_and_makes_the_disk_suspect(
    where: Path, tmp_path: Path, arena: Arena
) -> None:
    peer = KeeperPeer(where, tmp_path, arena)
    peer.ready()
    peer.connect()
    stream = FakeStream(1)
    stream.begin(1)
    peer.tick([stream.chunk()])
    peer.wait_for(1)
    # From now on every write behind the first block fails (EFBIG), as a disk's would with EIO.
    resource.prlimit(peer.process.pid, resource.RLIMIT_FSIZE, (4096, 4096))
    peer.tick([stream.chunk()])
    state = sockets.decode(peer.heard(Kind.DISK_STATE), DiskState)
    assert state.state == "failed" and state.errno == errno.EFBIG
    status, said = peer.wait()
    assert status == 1 and "has failed" in said and "Traceback" not in said
    assert len(peer.acknowledged) == 1

    peer = KeeperPeer(where, tmp_path, arena)
    assert peer.ready().suspect
    peer.connect(1)
    peer.wait_for(1)
    assert peer.quit()[0] == 0
    assert [entry[2] for entry in found_on(where, stream)] == [0, 1]
    report = check(where, is_deep=True)
    assert report.problems == []
    reading = open_for_reading(where)
    states = [row.state for _, row in reading.archive.segments() if row.chunks]
    reading.close()
    assert sorted(states) == [SegmentState.OPEN, SegmentState.SEALED]


def test_recording_goes_on_while_the_index_is_made_again(
    where: Path, tmp_path: Path, arena: Arena
) -> None:
    bench = Bench.open(where)
    bench.prime(1)
    old = FakeStream(2)
    old.begin(1)
    for _ in range(20):
        bench.tick([old.chunk(2_000_000)])
    bench.crash()
    (where / "index" / "data.mdb").unlink()
    peer = KeeperPeer(where, tmp_path, arena)
    peer.ready()
    peer.connect()
    stream = FakeStream(1)
    stream.begin(2)
    peer.tick([stream.chunk()])
    peer.wait_for(1)
    assert peer.quit()[0] == 0
    assert len(found_on(where, old)) == 20 and len(found_on(where, stream)) == 1
    assert check(where, is_deep=True).problems == []


def test_a_chunk_that_does_not_hold_together_is_refused_and_stops_nobody(
    where: Path, tmp_path: Path, arena: Arena
) -> None:
    peer = KeeperPeer(where, tmp_path, arena)
    peer.ready()
    peer.connect()
    good, bad = FakeStream(1), FakeStream(2)
    good.begin(1)
    bad.begin(1)
    peer.tick([replace(bad.chunk(), run=77), good.chunk()])
    peer.wait_for(1)
    assert peer.acknowledged == [(good.stream, 1, 0)] and peer.refused == [(bad.stream, 77, 0)]
    assert peer.quit()[0] == 0
