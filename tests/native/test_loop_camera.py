"""A camera that stalls, goes, floods or talks nonsense to its loop."""

from __future__ import annotations

import contextlib
import struct
import time
from collections.abc import Callable

from loop_rig import (
    FRAME_TICKS,
    PPS,
    SPS,
    Rig,
    check_chain,
    gop,
    idr,
    interleave,
    later,
    without_sets,
)
from vonggac.media.chunk import ChunkFlag
from vonggac.rtsp.packetise import sender_report
from vonggac_appliance import loop_wire
from vonggac_appliance.loop_wire import LoopEvent

STREAM = b"s" * 16
OTHER = b"t" * 16


def test_a_stall_is_said_once_and_so_is_its_end(rig: Rig) -> None:
    rig.keeper()
    camera = rig.attach(stall_ms=300)
    camera.send(gop(3))
    rig.until(lambda: len(rig.events(LoopEvent.STALLED)) == 1)
    camera.socket.sendall(interleave(sender_report(0x56474143, time.time_ns(), 1, 1, 1), 1))
    camera.send(later(2))
    rig.until(lambda: bool(rig.events(LoopEvent.RESUMED)))
    rig.until(lambda: len(rig.events(LoopEvent.STALLED)) == 2)


def test_the_end_of_a_connection_ends_the_run_with_its_last_picture(rig: Rig) -> None:
    keeper = rig.keeper()
    camera = rig.attach()
    camera.send(gop(7))
    camera.socket.close()
    rig.until(lambda: rig.ended(1000) is not None)
    assert [e.errno for e in rig.events(LoopEvent.CLOSED)] == [0]
    rig.until(lambda: sum(c.claim.samples for c in keeper.chunks) == 7)
    assert keeper.chunks[-1].claim.flags & ChunkFlag.END
    ended = rig.ended(1000)
    assert ended is not None
    assert ended.last_wall_end_ns == keeper.chunks[-1].chunk.wall_end_ns


def test_garbage_is_skipped_and_the_picture_around_it_is_marked(rig: Rig) -> None:
    keeper = rig.keeper()
    camera = rig.attach()
    camera.send(gop(5, 1))
    camera.socket.sendall(bytes(range(1, 36)) * 40)
    camera.send(gop(5, 2))
    rig.detach()
    assert keeper.nals[:4] == without_sets(camera.sent)[:4]
    assert keeper.nals[-5:] == without_sets(camera.sent)[-5:]
    assert any(c.claim.flags & ChunkFlag.DAMAGED for c in keeper.chunks)


def test_a_false_length_in_garbage_holds_up_no_pictures(rig: Rig) -> None:
    """64 KiB are half a minute of a camera at night."""
    rig.keeper()
    camera = rig.attach()
    camera.send(gop(5, 1))
    camera.socket.sendall(b"$\0\xff\xff\x80\x60")
    camera.send(gop(5, 2))
    rig.until(lambda: rig.stats().access_units >= 8)
    assert not rig.events(LoopEvent.STALLED)
    rig.detach()


def test_no_way_back_closes_the_stream_and_no_other(rig: Rig) -> None:
    keeper = rig.keeper()
    bad = rig.attach(STREAM, run=1)
    good = rig.attach(OTHER, run=2)
    bad.socket.sendall(b"\xaa" * 400_000)
    rig.until(lambda: bool(rig.events(LoopEvent.BAD_STREAM)))
    rig.until(lambda: rig.ended(1) is not None)
    good.send(gop(5))
    rig.detach(OTHER, 2)
    assert keeper.nals == without_sets(good.sent)


def test_messages_go_both_ways_between_packets(rig: Rig) -> None:
    rig.keeper()
    camera = rig.attach()
    answer = b"RTSP/1.0 200 OK\r\nCSeq: 5\r\nContent-Length: 3\r\n\r\nabc"
    camera.send(gop(2))
    camera.socket.sendall(answer)
    rig.until(lambda: any(isinstance(m, loop_wire.Message) for m in rig.messages))
    assert [m.message for m in rig.messages if isinstance(m, loop_wire.Message)] == [answer]
    request = b"GET_PARAMETER rtsp://x/ RTSP/1.0\r\nCSeq: 6\r\n\r\n"
    rig.tell(loop_wire.rtsp(STREAM, request))
    assert camera.socket.recv(4096) == request


def test_a_message_larger_than_the_parent_can_be_told_is_dropped(rig: Rig) -> None:
    keeper = rig.keeper()
    camera = rig.attach()
    camera.send(gop(2, 1))
    body = b"x" * 65_530
    camera.socket.sendall(b"RTSP/1.0 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
    camera.send(gop(2, 2))
    rig.detach()
    assert keeper.nals == without_sets(camera.sent)


def test_receiver_reports_tell_what_was_received(rig: Rig) -> None:
    rig.keeper()
    camera = rig.attach()
    camera.send(gop(10))
    camera.socket.settimeout(10)
    report = camera.socket.recv(36)
    assert report[:4] == b"$\x01\x00\x20"
    assert report[4:6] == b"\x81\xc9"
    assert report[12:16] == (0x56474143).to_bytes(4)
    assert int.from_bytes(report[20:24]) & 0xFFFF == camera.packetiser.sequence - 1


def test_bye_is_told(rig: Rig) -> None:
    rig.keeper()
    camera = rig.attach()
    camera.send(gop(2))
    camera.socket.sendall(interleave(struct.pack(">BBHI", 0x81, 203, 1, 0x56474143), 1))
    rig.until(lambda: len(rig.events(LoopEvent.BYE)) == 1)


def test_an_old_sessions_packets_and_its_bye_are_nobodys(rig: Rig) -> None:
    """A Reolink RLC-410 sends both on the new connection (rtsp.md row 68)."""
    rig.keeper()
    camera = rig.attach()
    camera.send(gop(2))
    old = struct.pack(">BBHII", 0x80, 96, 7, 5, 0x0B501E7E) + b"\x41old"
    camera.socket.sendall(interleave(old))
    camera.socket.sendall(interleave(struct.pack(">BBHI", 0x81, 203, 1, 0x0B501E7E), 1))
    camera.send(later(2))
    rig.detach()
    assert rig.events(LoopEvent.BYE) == []


def test_a_flood_is_a_state_that_drops_whole_pictures(make_rig: Callable[..., Rig]) -> None:
    rig = make_rig(flood_bytes_per_second=100_000)
    keeper = rig.keeper()
    camera = rig.attach()
    for n in range(5):
        camera.send(gop(10, n, size=10_000))
    rig.until(lambda: len(rig.events(LoopEvent.FLOOD)) == 1)
    rig.until(lambda: rig.stats().bytes > 500_000)
    before = rig.stats().dropped
    assert before > 20
    # After a while of quiet it is recorded again, from a sync sample on.
    deadline = time.monotonic() + 15
    while not any(idr(400, 99) in c.nals for c in keeper.chunks) and time.monotonic() < deadline:
        camera.send([[SPS, PPS, idr(400, 99)], *later(1)])
        rig.turn(0.5)
    rig.detach()
    sent = set(without_sets(camera.sent))
    assert set(keeper.nals) <= sent
    assert idr(400, 99) in keeper.nals
    check_chain(keeper)


def test_a_flood_that_goes_on_is_left_in_the_connection(make_rig: Callable[..., Rig]) -> None:
    rig = make_rig(flood_bytes_per_second=100_000)
    rig.keeper()
    camera = rig.attach()
    packets = b"".join(
        interleave(packet)
        for n, nals in enumerate(gop(50, size=20_000))
        for packet in camera.packetiser.access_unit(nals, n * FRAME_TICKS)
    )
    camera.socket.setblocking(False)
    start = time.monotonic()
    sent = 0
    while time.monotonic() - start < 1:
        with contextlib.suppress(BlockingIOError):
            sent += camera.socket.send(packets[sent % len(packets) :])
        rig.turn(0.001)
    read = rig.stats().bytes
    # Two seconds' worth, two more of debt, one read, and what the time since has earned.
    assert read < 2 * 200_000 + 256 * 1024 + 100_000 * (time.monotonic() - start)


def test_messages_of_one_camera_do_not_drown_the_parent(rig: Rig) -> None:
    rig.keeper()
    camera = rig.attach()
    for n in range(1000):
        camera.socket.sendall(b"OPTIONS * RTSP/1.0\r\nCSeq: %d\r\n\r\n" % n)
    camera.send(gop(2))
    rig.detach()
    told = [m for m in rig.messages if isinstance(m, loop_wire.Message)]
    assert 32 <= len(told) < 200
