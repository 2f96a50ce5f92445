"""Questions to a keeper from callers who mean it no good, while it records."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from crash.keeper_peer import Arena, KeeperPeer
from store.maker import FakeStream, make_disk
from vonggac._native import segment as native
from vonggac.evidence import receipt
from vonggac.media.chunk import GapReason
from vonggac_appliance import secrets, sockets
from vonggac_appliance.day_bars import DAY_NS, ROWS_NS, ask_bar
from vonggac_appliance.index_client import IndexClient
from vonggac_appliance.keep_questions import socket_name
from vonggac_appliance.messages import Kind, Refused
from vonggac_appliance.messages_footage import (
    AskHeads,
    AskLease,
    AskRows,
    AskRuns,
    Lease,
    Renew,
    Rows,
)

SECOND_NS = 1_000_000_000


@pytest.fixture
def peer(tmp_path: Path) -> Iterator[KeeperPeer]:
    """A keeper that has made one chunk of `FakeStream(1)` durable."""
    make_disk(tmp_path / "disk")
    arena = Arena.make()
    keeper = KeeperPeer(tmp_path / "disk", tmp_path, arena)
    yield keeper
    if keeper.process.poll() is None:
        keeper.kill()
    arena.close()


def begin(peer: KeeperPeer) -> tuple[bytes, FakeStream]:
    disk = peer.ready().disk
    peer.connect()
    stream = FakeStream(1)
    stream.begin(1)
    peer.tick([stream.chunk()])
    peer.wait_for(1)
    return disk, stream


def receipt_for(home: Path, stream: FakeStream, from_ns: int, to_ns: int, seconds: float) -> bytes:
    seen = receipt.Receipt(
        line=1,
        camera=stream.camera,
        streams=(stream.stream,),
        from_ns=from_ns,
        to_ns=to_ns,
        permit=receipt.Permit.STORED,
        expires_ns=time.time_ns() + int(seconds * SECOND_NS),
    )
    return receipt.write(secrets.receipt_key(home), seen)


def test_a_question_that_is_none_is_refused_and_stops_nobody(
    tmp_path: Path, peer: KeeperPeer
) -> None:
    disk, stream = begin(peer)
    questions: list[tuple[Kind, bytes]] = [
        (Kind.ASK_ROWS, msgspec.msgpack.encode(AskRows(b"s" * 600, 0, 1))),
        (Kind.ASK_ROWS, msgspec.msgpack.encode(AskRows(b"", 0, 1))),
        (Kind.ASK_ROWS, msgspec.msgpack.encode(AskRows(stream.stream, -(1 << 63), 1 << 63))),
        (Kind.ASK_RUNS, msgspec.msgpack.encode(AskRuns(b"s" * 600, 0, 1 << 62))),
        (Kind.ASK_LEASE, msgspec.msgpack.encode(AskLease(stream.stream, 1 << 40, 1, b""))),
        (Kind.ASK_LEASE, msgspec.msgpack.encode(AskLease(stream.stream, -1, 1, b""))),
        (Kind.ASK_LEASE, msgspec.msgpack.encode(AskLease(stream.stream, 1 << 20, 1, b""))),
        (Kind.ASK_HEADS, msgspec.msgpack.encode(AskHeads(b"", [1]))),
        (Kind.ASK_HEADS, msgspec.msgpack.encode(AskHeads(stream.stream, [0] * 4097))),
        (Kind.ASK_ROWS, b"\x81\xa1z" + b"\x91" * 60_000 + b"\0"),
        (Kind.ASK_ROWS, b"\x81\xa4\xff\xfe\xfd\xfc\0"),
        (Kind.ASK_DISK, b"\x81\xa1z\xa1\xff"),
        (Kind.LIVE, b""),
    ]
    path = sockets.socket_path(tmp_path, "view", socket_name(disk))
    for kind, body in questions:
        with sockets.connect(path, 10.0) as caller:
            sockets.send(caller, kind, body)
            answer = sockets.recv(caller)
            if kind is not Kind.ASK_DISK:
                assert sockets.decode(answer, Refused).code in ("malformed", "range"), body[:40]
    peer.tick([stream.chunk()])
    peer.wait_for(2)
    assert peer.quit()[0] == 0


def test_an_answer_in_parts_tells_each_value_once(tmp_path: Path, peer: KeeperPeer) -> None:
    disk, stream = begin(peer)
    steps_s = 7200, 10, 9000, -7000  # the last one: the clock was set back
    for run, step_s in enumerate(steps_s, 2):
        stream.begin(run, stream.wall_ns + step_s * SECOND_NS)
        peer.tick([stream.chunk()])
    peer.wait_for(1 + len(steps_s))
    end_ns = stream.wall_ns + DAY_NS
    with IndexClient(tmp_path, disk) as client:
        told = client.rows(stream.stream, 0, end_ns)
    assert told.durable_until_ns == stream.wall_ns
    path = sockets.socket_path(tmp_path, "view", socket_name(disk))
    parts: list[bytes] = []
    ask = AskRows(stream.stream, 0, end_ns, limit=1)
    with sockets.connect(path, 10.0) as caller:
        while True:
            sockets.send(caller, Kind.ASK_ROWS, ask)
            answer = sockets.decode(sockets.recv(caller), Rows)
            assert len(answer.packed) == 1
            parts += answer.packed
            if not answer.more:
                break
            assert answer.next_minute > ask.from_minute
            ask = msgspec.structs.replace(ask, from_minute=answer.next_minute)
    assert parts == told.packed
    assert len(parts) == 3, "a start, and what lies more than an hour behind the one before"
    runs = [packed.row.run for value in parts for packed in native.rows_unpack(value)]
    assert sorted(runs) == [1, 2, 3, 4, 5]
    assert peer.quit()[0] == 0


def test_a_lease_ends_with_its_receipt(tmp_path: Path, peer: KeeperPeer) -> None:
    disk, stream = begin(peer)
    proof = receipt_for(tmp_path, stream, 0, stream.wall_ns, seconds=1.5)
    with IndexClient(tmp_path, disk) as client:
        packed = client.rows(stream.stream, 0, stream.wall_ns).packed
        row = native.rows_unpack(packed[0])[0]
    path = sockets.socket_path(tmp_path, "view", socket_name(disk))
    with sockets.connect(path, 10.0) as caller:
        sockets.send(caller, Kind.ASK_LEASE, AskLease(stream.stream, row.segment, row.epoch, proof))
        answer = sockets.recv(caller)
        lease = sockets.decode(answer, Lease).lease
        answer.close_fds()
        until_s = time.monotonic() + 20.0
        while (answer := _renewed(caller, lease)).kind == Kind.LEASE:
            assert time.monotonic() < until_s
            time.sleep(0.05)
        assert sockets.decode(answer, Refused) == Refused("receipt", "the receipt has expired")
        sockets.send(caller, Kind.ASK_LEASE, AskLease(stream.stream, row.segment, row.epoch, proof))
        assert sockets.decode(sockets.recv(caller), Refused).what == "the receipt has expired"
    assert peer.quit()[0] == 0


def test_a_segment_s_head_is_told_with_its_epoch_and_to_its_own_stream_alone(
    tmp_path: Path, peer: KeeperPeer
) -> None:
    disk, stream = begin(peer)
    with IndexClient(tmp_path, disk) as client:
        packed = client.rows(stream.stream, 0, stream.wall_ns).packed
        row = native.rows_unpack(packed[0])[0]
        asked = [row.segment, row.segment + 1, 1 << 40, -1, row.segment]
        told = client.heads(stream.stream, asked)
        assert [epoch for epoch, _ in told] == [row.epoch, 0, 0, 0, row.epoch]
        assert [head is not None for _, head in told] == [True, False, False, False, True]
        head = told[0][1]
        assert head is not None and head[4:8] == b"ftyp" and b"moov" in head
        assert client.heads(bytes(16), [row.segment]) == [(0, None)]
        many = client.heads(stream.stream, [row.segment] * 5000)
        assert many == [(row.epoch, head)] * 5000
    assert peer.quit()[0] == 0


def _renewed(caller: socket.socket, lease: int) -> sockets.Message:
    sockets.send(caller, Kind.RENEW, Renew(lease))
    return sockets.recv(caller)


def test_a_day_is_drawn_from_runs_and_the_first_row(tmp_path: Path, peer: KeeperPeer) -> None:
    disk, stream = begin(peer)
    began_ns = stream.wall_ns - SECOND_NS
    for _ in range(3):
        peer.tick([stream.chunk()])
    lost_ns = stream.wall_ns
    stream.begin(2, lost_ns + 3600 * SECOND_NS, (lost_ns, int(GapReason.NETWORK)))
    peer.tick([stream.chunk()])
    peer.wait_for(5)
    end_ns = stream.wall_ns

    with IndexClient(tmp_path, disk) as client:
        runs, gap = client.runs(stream.stream, 0, end_ns)
        assert [(r.wall_start_ns, r.wall_end_ns) for r in runs] == [
            (began_ns, lost_ns),
            (lost_ns + 3600 * SECOND_NS, end_ns),
        ]
        assert gap is None
        assert client.first_row(stream.stream, 0, end_ns) == (began_ns, True)
        assert client.first_row(stream.stream, lost_ns - SECOND_NS, end_ns) == (
            lost_ns - SECOND_NS,
            True,
        )
        # The minute before is looked at too, and holds nothing that touches the range.
        assert client.first_row(stream.stream, lost_ns, end_ns)[0] == runs[1].wall_start_ns
        assert client.first_row(stream.stream, end_ns, end_ns + SECOND_NS) == (None, True)
        assert client.first_row(bytes(16), 0, end_ns) == (None, True)
        assert client.keeper_pid == peer.process.pid
    from_ns, to_ns = end_ns - DAY_NS, end_ns
    for ask_from_ns in (from_ns, end_ns - ROWS_NS - SECOND_NS):  # by rows, and by runs
        bar = ask_bar(tmp_path, [disk], stream.stream, ask_from_ns, to_ns, 1000)
        assert bar.ranges == ((began_ns, lost_ns), (runs[1].wall_start_ns, end_ns))
        assert [(g.from_ns, g.to_ns, g.reason) for g in bar.gaps] == [
            (lost_ns, runs[1].wall_start_ns, GapReason.NETWORK)
        ]
    assert peer.quit()[0] == 0
