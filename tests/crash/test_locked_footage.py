"""Locked is locked: a keeper under load, killed and started again; the test plays its parent."""

from __future__ import annotations

import json
import os
import select
import time
from pathlib import Path

import msgspec
import pytest

from crash.keeper_peer import DEADLINE_S, Arena, KeeperPeer
from store.maker import BOX, SECOND_NS, START_NS, FakeStream, make_disk
from vonggac._native import segment as native
from vonggac.errors import StorageError
from vonggac.store import journal
from vonggac.store.rebuild_whole import rebuild
from vonggac.store.start import open_for_reading
from vonggac_appliance import sockets
from vonggac_appliance.index_client import IndexClient
from vonggac_appliance.messages import Kind
from vonggac_appliance.messages_keeper import DiskState, LockRange, Locks, LocksDurable, Unlock

ONE = b"1" * 16
CHUNK_BYTES = 3_900_000
"""Four fill a segment: the ring has turned once after some thirty seconds of recording."""
TURN = 34
_AT_ONCE = 12


@pytest.fixture
def where(tmp_path: Path) -> Path:
    make_disk(tmp_path / "disk", 150 << 20)
    return tmp_path / "disk"


@pytest.fixture
def stream() -> FakeStream:
    made = FakeStream(1)
    made.begin(1)
    return made


def record(peer: KeeperPeer, stream: FakeStream, seconds: int) -> None:
    """So many, durable; a dozen at once, for a keeper takes its time from one tick to the next."""
    for first in range(0, seconds, _AT_ONCE):
        chunks = [stream.chunk(CHUNK_BYTES) for _ in range(first, min(first + _AT_ONCE, seconds))]
        count = len(peer.acknowledged) + len(chunks)
        peer.tick(chunks)
        peer.wait_for(count)


def span(first: int, last: int, stream: FakeStream) -> LockRange:
    start_ns = START_NS + first * SECOND_NS
    return LockRange(ONE, stream.stream, start_ns, START_NS + last * SECOND_NS)


def durable(peer: KeeperPeer) -> LocksDurable:
    return msgspec.msgpack.decode(peer.heard(Kind.LOCKS_DURABLE).body, type=LocksDurable)


def seconds_on(where: Path, stream: FakeStream) -> set[int]:
    """Which seconds the disk holds, each with the payload that was sent."""
    reading = open_for_reading(where)
    found = set()
    try:
        for value in reading.archive.packed_minutes(stream.stream, 0, 1 << 62):
            for packed in native.rows_unpack(value):
                row = packed.row
                fd = reading.disk.open_segment(packed.segment, writable=False)
                data = os.pread(fd, row.chunk_bytes, row.offset)
                os.close(fd)
                view = native.chunk_parse(data)
                assert view is not None
                payload = data[view.payload_offset :][: view.claim.video_bytes]
                assert native.sha256(payload) == view.claim.video_sha256
                found.add((row.wall_start_ns - START_NS) // SECOND_NS)
    finally:
        reading.close()
    return found


def begin(where: Path, home: Path, arena: Arena, life: int, *locks: LockRange) -> KeeperPeer:
    peer = KeeperPeer(where, home, arena)
    peer.ready(locks)
    peer.connect(life)
    return peer


def disk_of(where: Path) -> bytes:
    return bytes.fromhex(json.loads((where / "vonggac-disk.json").read_text())["disk"])


def pinned(home: Path, where: Path) -> int | None:
    with IndexClient(home, disk_of(where)) as client:
        return client.disk().pinned_segments


def test_what_was_told_to_be_locked_survives_a_kill_and_a_turn_of_the_ring(
    where: Path, tmp_path: Path, arena: Arena, stream: FakeStream
) -> None:
    peer = begin(where, tmp_path, arena, 0)
    record(peer, stream, 10)
    sockets.send(peer.control, Kind.LOCKS, Locks([span(2, 5, stream)]))
    while durable(peer).locks != [ONE]:
        pass
    peer.kill()  # at this moment: it was said to be durable

    # As if the catalog were lost: what stands in the journal holds alone.
    peer = begin(where, tmp_path, arena, 1)
    assert durable(peer).locks == [ONE]
    stream.begin(2)
    record(peer, stream, TURN)
    assert pinned(tmp_path, where) == 2  # three seconds, in two segments
    assert peer.quit()[0] == 0
    kept = seconds_on(where, stream)
    assert {2, 3, 4} <= kept and 9 not in kept

    # Two people have removed it: that alone takes it out of the journal.
    peer = begin(where, tmp_path, arena, 2)
    sockets.send(peer.control, Kind.UNLOCK, Unlock([ONE]))
    while durable(peer).locks:
        pass
    peer.kill()
    peer = begin(where, tmp_path, arena, 3)
    assert durable(peer).locks == []
    stream.begin(3)
    record(peer, stream, TURN)
    assert pinned(tmp_path, where) == 0
    assert peer.quit()[0] == 0
    assert not {2, 3, 4} & seconds_on(where, stream)


def is_full(peer: KeeperPeer) -> bool:
    """Whether the keeper has just said that nothing can be reused."""
    while select.select([peer.control], [], [], 0)[0]:
        message = sockets.recv(peer.control)
        if message.kind == Kind.DISK_STATE:
            return sockets.decode(message, DiskState).state == "full"
    return False


def test_a_keeper_gives_up_no_footage_before_it_was_told_of_the_catalogs_locks(
    where: Path, tmp_path: Path, arena: Arena, stream: FakeStream
) -> None:
    peer = begin(where, tmp_path, arena, 0)
    record(peer, stream, TURN)  # all segments hold footage
    assert peer.quit()[0] == 0
    before = seconds_on(where, stream)

    oldest = min(before)
    peer = KeeperPeer(where, tmp_path, arena)
    peer.ready(None)
    peer.connect(1)
    stream.begin(2)
    until_s = time.monotonic() + 3 * DEADLINE_S
    while not is_full(peer):  # the spare segments take some
        assert time.monotonic() < until_s
        if len(arena.waiting) < _AT_ONCE:
            peer.tick([stream.chunk(CHUNK_BYTES)])
        peer.read(0.1)
    assert arena.waiting
    # What was locked while no recorder ran; in two messages.
    sockets.send(peer.control, Kind.LOCKS, Locks([span(oldest, oldest + 1, stream)], more=True))
    sockets.send(peer.control, Kind.LOCKS, Locks([]))
    peer.wait_for(len(peer.acknowledged) + len(arena.waiting))
    record(peer, stream, TURN)
    assert peer.quit()[0] == 0
    kept = seconds_on(where, stream)
    assert oldest in kept and oldest + 5 not in kept


def test_a_lock_survives_the_loss_of_journal_and_index_through_the_catalog(
    where: Path, tmp_path: Path, arena: Arena, stream: FakeStream
) -> None:
    locked = span(2, 5, stream)
    peer = begin(where, tmp_path, arena, 0, locked)
    record(peer, stream, 10)
    peer.kill()
    (where / "journal").write_bytes(bytes(journal.FILE_BYTES))
    (where / "index" / "data.mdb").write_bytes(b"")
    with pytest.raises(StorageError, match="neither half"):
        open_for_reading(where)
    rebuild(where, BOX)

    peer = begin(where, tmp_path, arena, 1, locked)
    assert durable(peer).locks == [ONE]
    stream.begin(2)
    record(peer, stream, TURN)
    assert peer.quit()[0] == 0
    assert {2, 3, 4} <= seconds_on(where, stream)
