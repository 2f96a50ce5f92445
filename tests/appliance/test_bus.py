"""The bus, the control socket, and messages between the parent and its children."""

from __future__ import annotations

import asyncio
import os
import re
import socket
import struct
from pathlib import Path

import msgspec
import pytest
import zmq
import zmq.asyncio

from vonggac.errors import MediaError, StorageError, Unavailable
from vonggac_appliance import bus_control, bus_events, channel, control, loop_wire, parts
from vonggac_appliance.events import Publisher
from vonggac_appliance.sockets import ipc_path, reachable

EVENTS = [
    bus_events.CameraChanged("cam1", "main", "waiting", "network", "retrying", 5),
    bus_events.GapOpened("cam1", "main", 1, "network"),
    bus_events.GapClosed("cam1", "main", 1, 2, "network", 3),
    bus_events.DurableTick("ab" * 16, 1.5, 4096, [(bytes(16), 7)]),
    bus_events.SegmentSealed("ab" * 16, 4, bytes(16), 1, 2),
    bus_events.DiskChanged("ab" * 16, "/disk", "slow", "took 3 s"),
    bus_events.MotionFound("cam1", 5, True, 5, 8, 6, 40, "full", 9),
    bus_events.MotionTier("cam1", "key", "no room", 9),
    bus_events.CameraTrouble("cam1", "covered", 5, 4, 8, 9),
    bus_events.MarkAdded("cam1", 3, "desk", 5, 8, "lorry", (0.0, 0.0, 1.0, 1.0), 0.5, 9),
    bus_events.HookCounts([bus_events.HookCount(3, 7, {"full": 1})], 4096, 9),
    bus_events.Alarm("flood", "cam1/main", "too much", 9),
]


@pytest.mark.parametrize("event", EVENTS, ids=lambda e: type(e).__name__)
def test_an_event_survives_its_two_frames(event: bus_events.Event) -> None:
    topic, body = bus_events.encode_event(event)

    assert bus_events.decode_event([topic, body]) == event
    assert topic.decode() in {row.name for row in bus_events.TOPICS}


def test_every_event_is_in_the_table_of_topics() -> None:
    assert {type(event) for event in EVENTS} == {row.type for row in bus_events.TOPICS}


def test_a_newer_event_with_more_fields_can_be_read() -> None:
    raw = msgspec.msgpack.decode(bus_events.encode_event(EVENTS[1])[1])
    newer = msgspec.msgpack.encode({**raw, "added": 1})

    assert bus_events.decode_event([b"gap-opened", newer]) == EVENTS[1]


@pytest.mark.parametrize("name", ["h", "h" * 120], ids=["short path", "path beyond sun_path"])
def test_a_subscriber_hears_events(tmp_path: Path, name: str) -> None:
    home = tmp_path / name
    home.mkdir()
    with zmq.Context() as context:
        publisher = Publisher(home, "record", context)
        with (
            context.socket(zmq.SUB) as subscriber,
            ipc_path(bus_events.events_endpoint(home, "record")) as address,
        ):
            subscriber.subscribe(b"alarm")
            subscriber.connect(address)
            heard = _until_heard(publisher, subscriber)
        publisher.close()

    assert heard == EVENTS[-1]


def _until_heard(publisher: Publisher, subscriber: zmq.Socket[bytes]) -> bus_events.Event:
    for _ in range(500):  # a subscription takes a moment to arrive; nothing tells when
        for event in EVENTS:
            publisher.send(event)
        if subscriber.poll(20):
            return bus_events.decode_event(subscriber.recv_multipart())
    raise AssertionError("nothing heard in 10 s")


@pytest.mark.parametrize("name", ["h", "h" * 120], ids=["short path", "path beyond sun_path"])
def test_the_control_socket_answers_and_survives_nonsense(tmp_path: Path, name: str) -> None:
    home = tmp_path / name
    home.mkdir()
    seen: list[bus_control.Control] = []

    def act(request: bus_control.Control) -> bus_control.Reply:
        seen.append(request)
        return bus_control.Failed("unknown-camera", "no")

    async def scene() -> list[bus_control.Reply]:
        with zmq.asyncio.Context() as context:
            server = control.ControlServer(home, context, act)
            task = asyncio.create_task(server.serve())
            replies = [await asyncio.to_thread(control.ask, home, bus_control.RestartCamera("x"))]
            with (
                context.socket(zmq.DEALER) as dealer,
                ipc_path(bus_control.control_endpoint(home)) as address,
            ):
                dealer.connect(address)
                await dealer.send(b"\xc1 no message")
                replies.append(msgspec.msgpack.decode(await dealer.recv(), type=bus_control.Reply))
                for nonsense in (b"\x81\xa4type\xa1\xff", b"\x81\xa1z" + b"\x91" * 60_000 + b"\0"):
                    await dealer.send(nonsense)
                    replies.append(
                        msgspec.msgpack.decode(await dealer.recv(), type=bus_control.Reply)
                    )
                await dealer.send_multipart([b"two", b"frames"])
                replies.append(msgspec.msgpack.decode(await dealer.recv(), type=bus_control.Reply))
            replies.append(await asyncio.to_thread(control.ask, home, bus_control.Changed()))
            task.cancel()
            server.close()
        return replies

    replies = asyncio.run(scene())

    assert [type(reply) for reply in replies] == [bus_control.Failed] * 6
    codes = [reply.code for reply in replies if isinstance(reply, bus_control.Failed)]
    assert codes == ["unknown-camera", *["malformed"] * 4, "unknown-camera"]
    assert seen == [bus_control.RestartCamera("x"), bus_control.Changed()]


def test_what_cannot_be_done_is_answered_and_ends_nothing(home: Path) -> None:
    def act(_: bus_control.Control) -> bus_control.Reply:
        raise StorageError("the catalog is damaged")

    async def scene() -> list[bus_control.Reply]:
        with zmq.asyncio.Context() as context:
            server = control.ControlServer(home, context, act)
            task = asyncio.create_task(server.serve())
            replies = [
                await asyncio.to_thread(control.ask, home, bus_control.Changed()) for _ in "12"
            ]
            task.cancel()
            server.close()
        return replies

    assert asyncio.run(scene()) == [bus_control.Failed("failed", "the catalog is damaged")] * 2


def test_a_recorder_that_is_not_running_is_said_at_once(home: Path) -> None:
    with pytest.raises(Unavailable, match="not running"):
        control.ask(home, bus_control.Status(), deadline_s=60)


def test_a_dead_recorders_socket_is_not_waited_for(home: Path) -> None:
    path = bus_control.control_endpoint(home)
    path.parent.mkdir(parents=True)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as dead, reachable(path) as name:
        dead.bind(name)

    with pytest.raises(Unavailable, match="not running"):
        control.ask(home, bus_control.Status(), deadline_s=60)


def test_a_message_larger_than_a_datagram_is_joined_again() -> None:
    body = os.urandom(200_000)
    joiner = parts.Joiner()

    joined = [joiner.join(message) for message in parts.split(220, body)]

    assert len(joined) == 4
    assert joined[:-1] == [None] * 3
    assert joined[-1] == (220, body)


def test_parts_of_two_messages_are_not_mixed() -> None:
    joiner = parts.Joiner()
    joiner.join(parts.split(220, bytes(100_000))[0])

    with pytest.raises(MediaError, match="part 1 after 1"):
        joiner.join(parts.split(221, bytes(100_000))[1])


def test_a_channel_passes_messages_and_descriptors_in_order() -> None:
    async def scene() -> tuple[list[bytes], list[int]]:
        ours, theirs = channel.pair()
        one = channel.Channel(ours, lambda _: None, lambda: None)
        read, write = os.pipe()
        for number in range(3):
            assert one.send(b"%d" % number, (os.dup(write),) if number == 1 else ())
        received = [socket.recv_fds(theirs, 100, 1) for _ in range(3)]
        one.close()
        theirs.close()
        for _, fds, _, _ in received:
            for fd in fds:
                os.write(fd, b"x")
                os.close(fd)
        os.close(write)
        assert os.read(read, 10) == b"x"
        os.close(read)
        return [x[0] for x in received], [len(x[1]) for x in received]

    messages, counts = asyncio.run(scene())

    assert messages == [b"0", b"1", b"2"]
    assert counts == [0, 1, 0]


def test_a_channel_to_a_slow_reader_keeps_what_does_not_fit() -> None:
    async def scene() -> int:
        ours, theirs = channel.pair()
        one = channel.Channel(ours, lambda _: None, lambda: None)
        for number in range(2000):
            assert one.send(number.to_bytes(4) * 1000)
        theirs.setblocking(False)
        loop = asyncio.get_running_loop()
        for number in range(2000):
            assert await loop.sock_recv(theirs, 65536) == number.to_bytes(4) * 1000
        one.close()
        theirs.close()
        return 2000

    assert asyncio.run(scene()) == 2000


def test_a_channel_tells_of_its_peers_end_once() -> None:
    async def scene() -> list[str]:
        said: list[str] = []
        over = asyncio.Event()

        def ended() -> None:
            said.append("end")
            over.set()

        ours, theirs = channel.pair()
        one = channel.Channel(ours, lambda m: said.append(m.decode()), ended)
        theirs.send(b"last words")
        theirs.close()
        await asyncio.wait_for(over.wait(), 5)
        assert not one.send(b"too late")
        return said

    assert asyncio.run(scene()) == ["last words", "end"]


def test_the_kinds_and_events_are_those_of_the_header(root: Path) -> None:
    header = root / "native/include/vg/wire.h"
    if not header.exists():
        pytest.skip("the tree with the headers is not here")
    text = header.read_text()
    kinds = {m[1]: int(m[2]) for m in re.finditer(r"VG_WIRE_(\w+) = (\d+)", text)}
    events = {m[1]: int(m[2]) for m in re.finditer(r"VG_EVENT_(\w+) = (\d+)", text)}

    assert {k.name: int(k) for k in loop_wire.Wire}.items() <= kinds.items()
    assert {e.name: int(e) for e in loop_wire.LoopEvent} == events


def _from_loop(kind: loop_wire.Wire, body: bytes) -> bytes:
    return struct.pack(">HHIHH", 1, kind, 0, 0, 1) + body


def test_what_a_loop_says_is_read() -> None:
    stream = bytes(range(16))
    ended = _from_loop(loop_wire.Wire.ENDED, stream + struct.pack(">QQq", 7, 9, -1))
    event = _from_loop(loop_wire.Wire.EVENT, stream + struct.pack(">BiI", 4, 104, 5) + b"hello")

    assert loop_wire.read(ended) == loop_wire.Ended(stream, 7, 9, -1)
    assert loop_wire.read(event) == loop_wire.Event(
        stream, loop_wire.LoopEvent.CLOSED, 104, "hello"
    )
    assert loop_wire.read(_from_loop(loop_wire.Wire.READY, bytes(4))) == loop_wire.Ready(0)


@pytest.mark.parametrize(
    "message",
    [
        b"",
        b"\0" * 12,
        _from_loop(loop_wire.Wire.ENDED, bytes(39)),
        _from_loop(loop_wire.Wire.EVENT, bytes(16) + struct.pack(">BiI", 4, 0, 6) + b"hello"),
        _from_loop(loop_wire.Wire.EVENT, bytes(16) + struct.pack(">BiI", 99, 0, 0)),
        _from_loop(loop_wire.Wire.STATS_REPLY, b"\0\2" + bytes(129)),
    ],
    ids=["empty", "version 0", "short", "blob too long", "unknown event", "missing record"],
)
def test_nonsense_from_a_loop_is_an_error(message: bytes) -> None:
    with pytest.raises(MediaError):
        loop_wire.read(message)
