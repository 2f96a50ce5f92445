"""Timeline and cut through a running keeper, and from the disk itself when none runs."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from crash.keeper_peer import Arena, KeeperPeer
from store.maker import SECOND_NS, FakeStream, make_disk
from vonggac._native import segment as native
from vonggac.errors import Refused
from vonggac.evidence import receipt as receipts
from vonggac.media.chunk import GapReason
from vonggac.store.disk import Identity
from vonggac_appliance import footage
from vonggac_appliance.messages_keeper import GapOpen

KEY = bytes(32)
FAR_NS = 1 << 62


@pytest.fixture
def identity(tmp_path: Path) -> Identity:
    (tmp_path / "keys").mkdir()
    (tmp_path / "keys" / "receipt.key").write_bytes(KEY)
    return make_disk(tmp_path / "disk")


def receipt(stream: FakeStream, from_ns: int, to_ns: int) -> bytes:
    return receipts.write(
        KEY,
        receipts.Receipt(
            line=1,
            camera=stream.camera,
            streams=(stream.stream,),
            from_ns=from_ns,
            to_ns=to_ns,
            permit=receipts.Permit.STORED,
            expires_ns=time.time_ns() + 60 * SECOND_NS,
        ),
    )


def payload_hashes(file: Path) -> list[bytes]:
    """The payload's SHA-256 of each chunk of a cut, walked box by box."""
    data = file.read_bytes()
    at, found, decode_end = 0, [], 0
    while at < len(data):
        if data[at + 4 : at + 8] == b"prft":
            view = native.chunk_parse(data, at)
            assert view is not None and view.decode_time_ticks >= decode_end
            decode_end = view.decode_time_ticks + view.claim.duration_ticks
            start = at + view.payload_offset
            found.append(native.sha256(data[start : start + view.claim.video_bytes]))
            at += view.place.chunk_bytes
        else:
            at += int.from_bytes(data[at : at + 4], "big")
    assert at == len(data)
    return found


def record(peer: KeeperPeer, stream: FakeStream, count: int) -> None:
    for _ in range(count):
        peer.tick([stream.chunk(2_000_000)])
        peer.wait_for(len(stream.sent))


def test_timeline_and_cut_are_the_same_online_and_offline(
    tmp_path: Path, identity: Identity, arena: Arena
) -> None:
    disk = tmp_path / "disk"
    disks = [(disk, identity.disk)]
    peer = KeeperPeer(disk, tmp_path, arena)
    peer.ready()
    peer.expect(1)
    peer.connect()
    stream = FakeStream(1)
    stream.begin(1)
    first_ns = stream.wall_ns
    record(peer, stream, 3)
    stopped_ns = stream.wall_ns
    peer.gap(GapOpen(stream.camera, stream.stream, stopped_ns, int(GapReason.NETWORK)))
    stream.begin(2, stopped_ns + 30 * SECOND_NS, (stopped_ns, int(GapReason.NETWORK)))
    record(peer, stream, 9)

    online = footage.timeline_of(tmp_path, disks, stream.stream, first_ns, stream.wall_ns)
    assert [(r.from_ns, r.to_ns) for r in online.ranges] == [
        (first_ns, stopped_ns),
        (stopped_ns + 30 * SECOND_NS, stream.wall_ns),
    ]
    assert [(g.from_ns, g.reason) for g in online.gaps] == [(stopped_ns, GapReason.NETWORK)]
    assert online.durable_until_ns == stream.wall_ns
    assert footage.disk_facts(tmp_path, disk, identity.disk).state == "recording"

    # The second second begins amid the fragment of seconds 0 and 1.
    from_ns, to_ns = first_ns + SECOND_NS, stream.wall_ns
    proof = receipt(stream, from_ns, to_ns)
    one = footage.cut(tmp_path, disks, stream.stream, from_ns, to_ns, proof, tmp_path / "one.mp4")
    assert [file.chunks for file in one.files] == [12] and one.broken == 0
    assert payload_hashes(tmp_path / "one.mp4") == [sha256 for _, _, sha256 in stream.sent]

    with pytest.raises(Refused, match="no receipt"):
        footage.cut(tmp_path, disks, stream.stream, from_ns, to_ns, b"", tmp_path / "no.mp4")
    other = receipt(FakeStream(2), from_ns, to_ns)
    with pytest.raises(Refused, match="another camera"):
        footage.cut(tmp_path, disks, stream.stream, from_ns, to_ns, other, tmp_path / "no.mp4")

    assert peer.quit()[0] == 0
    offline = footage.timeline_of(tmp_path, disks, stream.stream, first_ns, stream.wall_ns)
    assert (offline.ranges, offline.gaps) == (online.ranges, online.gaps)
    two = footage.cut(tmp_path, disks, stream.stream, from_ns, to_ns, proof, tmp_path / "two.mp4")
    assert two.files[0].chunks == 12
    assert (tmp_path / "one.mp4").read_bytes() == (tmp_path / "two.mp4").read_bytes()


def test_a_fragment_that_goes_on_in_the_next_segment_is_cut_whole(
    tmp_path: Path, identity: Identity, arena: Arena
) -> None:
    disks = [(tmp_path / "disk", identity.disk)]
    peer = KeeperPeer(tmp_path / "disk", tmp_path, arena)
    peer.ready()
    peer.expect(1)
    peer.connect()
    stream = FakeStream(1)
    stream.begin(1)
    first_ns = stream.wall_ns
    for _ in range(9):
        peer.tick([stream.chunk(2_300_000)])
        peer.wait_for(len(stream.sent))

    # Seven chunks fill a segment, every second one begins a fragment: seconds 6 and 7 are one, in
    # two segments. The receipt of second 7 alone would not open the first of them.
    from_ns, to_ns = first_ns + 7 * SECOND_NS, first_ns + 8 * SECOND_NS
    shown = footage.extent(tmp_path, disks, stream.stream, from_ns, to_ns)
    assert shown == (first_ns + 6 * SECOND_NS, to_ns)
    proof = receipt(stream, from_ns, to_ns)
    with pytest.raises(Refused, match="outside the receipt"):
        footage.cut(tmp_path, disks, stream.stream, from_ns, to_ns, proof, tmp_path / "no.mp4")
    out = tmp_path / "out.mp4"
    footage.cut(tmp_path, disks, stream.stream, from_ns, to_ns, receipt(stream, *shown), out, shown)
    assert payload_hashes(out) == [sha256 for _, _, sha256 in stream.sent[6:8]]
    assert peer.quit()[0] == 0


def test_a_hole_between_two_sessions_that_nobody_explains_reads_box_stopped(
    tmp_path: Path, identity: Identity, arena: Arena
) -> None:
    disks = [(tmp_path / "disk", identity.disk)]
    stream = FakeStream(1, wall_ns=time.time_ns() - 3600 * SECOND_NS)
    began_ns = stream.wall_ns
    for run in (1, 2):
        peer = KeeperPeer(tmp_path / "disk", tmp_path, arena)
        peer.ready()
        peer.connect(run)
        stream.begin(run)
        peer.tick([stream.chunk()])
        peer.wait_for(1)
        assert peer.quit()[0] == 0
        stream.wall_ns = time.time_ns()
    line = footage.timeline_of(tmp_path, disks, stream.stream, began_ns, FAR_NS)
    assert [gap.reason for gap in line.gaps][:1] == [GapReason.BOX_STOPPED]
    assert line.gaps[-1].to_ns <= time.time_ns()


def test_a_killed_keeper_leaves_a_disk_that_can_be_read(
    tmp_path: Path, identity: Identity, arena: Arena
) -> None:
    disks = [(tmp_path / "disk", identity.disk)]
    peer = KeeperPeer(tmp_path / "disk", tmp_path, arena)
    peer.ready()
    peer.connect()
    stream = FakeStream(1)
    stream.begin(1)
    record(peer, stream, 2)
    peer.kill()
    line = footage.timeline_of(tmp_path, disks, stream.stream, stream.wall_ns - SECOND_NS, FAR_NS)
    assert line.durable_until_ns == stream.wall_ns
    assert line.ranges[0].frames == 10
    assert line.gaps[-1].reason == GapReason.BOX_STOPPED
