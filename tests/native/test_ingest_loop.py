"""The ingest loop with real sockets: the test plays parent, keeper and camera."""

from __future__ import annotations

import contextlib
import hashlib
import mmap
import os
import re
import signal
import socket
import struct
import time
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from pathlib import Path
from random import Random

import pytest

from loop_rig import (
    FRAME_TICKS,
    LIVE_HEAD,
    LIVE_UNIT,
    PPS,
    REFUSED,
    SPS,
    Camera,
    Keeper,
    Rig,
    gop,
    idr,
    interleave,
    later,
)
from segment_maker import Stream, encode
from vonggac._native import segment
from vonggac.media.chunk import ChunkFlag, Codec, GapReason
from vonggac.rtsp.packetise import sender_report
from vonggac_appliance import loop_wire
from vonggac_appliance.loop_wire import LoopEvent

STREAM = b"s" * 16
OTHER = b"t" * 16


@pytest.fixture
def make_rig() -> Iterator[Callable[..., Rig]]:
    rigs: list[Rig] = []

    def make(**options: int) -> Rig:
        rigs.append(Rig(**options))
        return rigs[-1]

    yield make
    for rig in rigs:
        rig.close()


@pytest.fixture
def rig(make_rig: Callable[..., Rig]) -> Rig:
    return make_rig()


def without_sets(units: Sequence[Sequence[bytes]]) -> list[bytes]:
    return [nal for nals in units for nal in nals if nal not in (SPS, PPS)]


def check_chain(keeper: Keeper) -> None:
    """Every chunk's hashes, its numbering and its link to the one before."""
    previous: dict[int, tuple[int, bytes]] = {}
    for received in keeper.chunks:
        claim = received.claim
        assert claim.video_sha256 == hashlib.sha256(received.payload).digest()
        sequence, sha256 = previous.get(claim.run, (-1, bytes(32)))
        assert (claim.sequence, claim.previous_sha256) == (sequence + 1, sha256)
        previous[claim.run] = (claim.sequence, received.claim_sha256)


def has_ended(keeper: Keeper) -> bool:
    return bool(keeper.chunks[-1].claim.flags & ChunkFlag.END)


def test_what_a_camera_sends_stands_in_chunks(rig: Rig) -> None:
    keeper = rig.keeper()
    camera = rig.attach()
    camera.send(gop(60, 1) + gop(60, 2))
    ended = rig.detach()
    assert ended.next_sequence == len(keeper.chunks)
    assert keeper.nals == without_sets(camera.sent)
    assert len(rig.events(LoopEvent.FIRST_VIDEO)) == 1
    check_chain(keeper)


def test_a_chunk_is_one_that_a_segment_can_hold(rig: Rig) -> None:
    keeper = rig.keeper()
    camera = rig.attach()
    camera.send(gop(10))
    rig.detach()
    received = keeper.chunks[0]
    head = bytearray(received.chunk.head)
    segment.chunk_place(head, 0, 1, b"d" * 16, 3, 9, len(received.chunk.segment_head))
    view = segment.chunk_parse(bytes(head) + received.payload)
    assert view is not None
    assert view.claim.samples == 10
    assert len(received.chunk.segment_head) % 4096 == 0
    assert hashlib.sha256(received.chunk.segment_head).digest() == received.chunk.entry_sha256


@pytest.fixture(scope="module")
def encoded(
    program: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory
) -> Callable[[Codec, int], Stream]:
    """Two and a half seconds of an encoder's stream, made once."""

    @cache
    def make(codec: Codec, b_frames: int) -> Stream:
        return encode(program("ffmpeg"), codec, tmp_path_factory.mktemp("encoded"), 3, b_frames)

    return make


@pytest.mark.parametrize("mtu_bytes", [100, 1400, 60_000])
@pytest.mark.parametrize("aggregate", [False, True], ids=["single", "aggregated"])
@pytest.mark.parametrize("codec", list(Codec), ids=["h264", "h265"])
@pytest.mark.parametrize("b_frames", [0, 3])
def test_every_nal_unit_of_an_encoder_stands_there_once_in_order(
    rig: Rig,
    encoded: Callable[[Codec, int], Stream],
    codec: Codec,
    b_frames: int,
    aggregate: bool,
    mtu_bytes: int,
) -> None:
    stream = encoded(codec, b_frames)
    keeper = rig.keeper()
    camera = rig.attach(codec=codec, aggregate=aggregate, mtu_bytes=mtu_bytes)
    for unit in stream.units:
        camera.send_at(unit.nals, 5000 + unit.presentation_ticks)
    rig.detach()
    sets = {*stream.vps, *stream.sps, *stream.pps}
    assert keeper.nals == [n for u in stream.units for n in u.nals if n not in sets]
    check_chain(keeper)


def test_chunks_close_at_whole_seconds_and_the_tick_follows_them(rig: Rig) -> None:
    keeper = rig.keeper()
    camera = rig.attach()
    camera.send(gop(3))
    rig.until(lambda: len(keeper.chunks) == 1)
    before = len(keeper.ticks)
    rig.until(lambda: len(keeper.ticks) > before + 1)
    # A loop that was held up leaves a second out, and says none twice.
    assert keeper.ticks == sorted(set(keeper.ticks))
    assert abs(time.monotonic() - keeper.ticks[-1]) < 5
    camera.send(later(1))
    rig.until(lambda: len(keeper.chunks) == 2)
    # The picture that the next one had to end first came with the second tick.
    assert [c.claim.samples for c in keeper.chunks] == [2, 1]


def test_a_new_keeper_gets_again_what_is_not_durable(rig: Rig) -> None:
    first = rig.keeper(acknowledges=None)
    camera = rig.attach()
    camera.send(gop(5, 1) + gop(5, 2) + gop(5, 3))
    rig.until(lambda: len(first.chunks) >= 2)
    first.acknowledge([first.chunks[0].header], 1)
    first.socket.close()
    first.is_closed = True
    rig.keepers.remove(first)
    second = rig.keeper()
    assert second.loop == (7, 0)
    rig.tell(loop_wire.detach(STREAM, 0))
    rig.until(lambda: bool(second.chunks) and has_ended(second))
    assert [c.claim.sequence for c in second.chunks] == list(range(1, len(second.chunks) + 1))
    kept = [*first.chunks[0].nals, *second.nals]
    assert kept == without_sets(camera.sent)


def test_chunks_wait_for_a_keeper_that_is_not_there_yet(rig: Rig) -> None:
    camera = rig.attach()
    camera.send(gop(5, 1) + gop(5, 2))
    rig.tell(loop_wire.detach(STREAM, 0))
    rig.until(lambda: rig.ended(1000) is not None)
    keeper = rig.keeper()
    rig.until(lambda: len(keeper.chunks) == 2)
    assert keeper.nals == without_sets(camera.sent)


def test_slots_are_separate(rig: Rig) -> None:
    zero, one = rig.keeper(0), rig.keeper(1)
    a = rig.attach(STREAM, keeper=0, run=1)
    b = rig.attach(OTHER, keeper=1, run=2)
    a.send(gop(5, 1))
    b.send(gop(5, 2))
    rig.detach(STREAM, 1)
    rig.detach(OTHER, 2)
    assert {c.chunk.stream for c in zero.chunks} == {STREAM}
    assert {c.chunk.stream for c in one.chunks} == {OTHER}


def test_a_successor_hands_over_what_a_killed_loop_had_sent(rig: Rig) -> None:
    silent = rig.keeper(acknowledges=None)
    ours, theirs = socket.socketpair()
    camera = rig.attach(connection=(ours, theirs))
    camera.send(gop(5, 1) + gop(5, 2) + gop(5, 3))
    rig.until(lambda: len(silent.chunks) >= 2)
    rig.kill()
    rig.keepers.remove(silent)
    rig.start()
    keeper = rig.keeper()
    assert keeper.loop == (7, 1)
    rig.until(lambda: len(keeper.chunks) >= len(silent.chunks))
    seen = [(c.claim.run, c.claim.sequence) for c in silent.chunks]
    assert [(c.claim.run, c.claim.sequence) for c in keeper.chunks][: len(seen)] == seen
    # The connection goes on in a new run, in the middle of a GOP, from the next whole packet.
    camera = Camera(ours, camera.packetiser, camera.timestamp)
    rig.attach(
        run=1001,
        predecessor=1000,
        reason=GapReason.CRASHES,
        flags=loop_wire.FLAG_REFERENCES_LOST,
        sets=((), [SPS], [PPS]),
        connection=(ours, theirs),
    )
    camera.send(later(5) + gop(5, 4))
    rig.detach(run=1001)
    new = [c.claim for c in keeper.chunks if c.claim.run == 1001]
    assert new[0].flags & ChunkFlag.REFERENCES_LOST
    assert (new[0].predecessor_run, new[0].gap_reason) == (1000, GapReason.CRASHES)
    assert not new[-1].flags & ChunkFlag.REFERENCES_LOST
    assert sum(c.samples for c in new) >= 9


def test_the_crash_page_names_the_stream_that_is_parsed(rig: Rig) -> None:
    """The loop is stopped until it is found parsing, and crashed there."""
    rig.keeper()
    rig.attach(OTHER, run=2).send(gop(2))
    loud = rig.attach(STREAM, run=1)
    loud.socket.setblocking(False)
    flood = b"".join(
        interleave(packet)
        for n, nals in enumerate(gop(200, size=20_000))
        for packet in loud.packetiser.access_unit(nals, n * FRAME_TICKS)
    )
    sent = 0
    with mmap.mmap(rig.crash, mmap.PAGESIZE, prot=mmap.PROT_READ) as page:
        for _ in range(20_000):
            with contextlib.suppress(BlockingIOError):
                sent += loud.socket.send(flood[sent % len(flood) :])
            rig.process.send_signal(signal.SIGSTOP)
            os.waitpid(rig.process.pid, os.WUNTRACED)
            if page[0] == 1 and page[8:24] == STREAM:
                break
            rig.process.send_signal(signal.SIGCONT)
        rig.process.send_signal(signal.SIGSEGV)
        rig.process.send_signal(signal.SIGCONT)
        assert rig.process.wait() == -signal.SIGSEGV
        assert (page[0], page[8:24]) == (1, STREAM)


def test_the_other_cameras_of_a_killed_loop_stay_connected(rig: Rig) -> None:
    rig.keeper()
    ours, theirs = socket.socketpair()
    camera = rig.attach(connection=(ours, theirs))
    camera.send(gop(3))
    rig.kill(signal.SIGSEGV)
    camera.send(later(1))  # nobody closed it: the parent has its own descriptor
    rig.start()
    rig.keeper()
    rig.attach(run=1001, connection=(ours, theirs))
    camera.send(gop(3, 2))
    assert rig.detach(run=1001).next_sequence >= 1


def test_a_disk_that_hangs_leaves_room_for_the_streams_of_the_others(
    make_rig: Callable[..., Rig],
) -> None:
    rig = make_rig(blocks=64)
    rig.keeper(slot=0, acknowledges=None)
    rig.keeper(slot=1)
    hung = rig.attach(STREAM, keeper=0, run=1)
    well = rig.attach(OTHER, keeper=1, run=2)
    for n in range(12):
        hung.send(gop(4, n, size=100_000))
    rig.until(lambda: len(rig.events(LoopEvent.NO_ROOM)) > 0)
    well.send(gop(20, 1, size=2_000))
    ended = rig.detach(OTHER, run=2)
    assert ended.next_sequence > 0
    assert rig.events(LoopEvent.NO_ROOM, OTHER) == []
    assert rig.keepers[1].nals == without_sets(well.sent)


def test_what_a_predecessor_left_for_a_hanging_disk_counts_until_it_is_durable(
    make_rig: Callable[..., Rig],
) -> None:
    rig = make_rig(blocks=64)
    first = rig.keeper(slot=0, acknowledges=None)
    hung = rig.attach(STREAM, keeper=0, run=1)
    for n in range(12):
        hung.send(gop(4, n, size=100_000))
    rig.until(lambda: len(rig.events(LoopEvent.NO_ROOM)) > 0 and len(first.chunks) > 0)
    rig.kill()
    rig.messages.clear()
    rig.start()
    second = rig.attach(STREAM, keeper=0, run=2, flags=loop_wire.FLAG_WAITS_FOR_ROOM)
    second.send(gop(4, 20))
    rig.until(lambda: rig.stats().dropped == 3)
    slow = rig.keeper(slot=0)
    deadline = time.monotonic() + 15
    while not any(c.chunk.run == 2 for c in slow.chunks) and time.monotonic() < deadline:
        second.send(gop(4, 21))
        rig.turn(0.3)
    assert any(c.chunk.run == 2 for c in slow.chunks)


def test_what_a_keeper_refuses_is_freed_and_told(rig: Rig) -> None:
    keeper = rig.keeper(acknowledges=REFUSED)
    camera = rig.attach()
    camera.send(gop(5))
    rig.detach()
    rig.until(lambda: bool(rig.events(LoopEvent.NO_ROOM)))
    assert rig.events(LoopEvent.NO_ROOM)[0].detail == "refused by the keeper"
    assert keeper.chunks


def test_an_acknowledgement_of_what_was_not_given_frees_nothing(rig: Rig) -> None:
    keeper = rig.keeper(acknowledges=None)
    camera = rig.attach()
    camera.send(gop(5, 1) + gop(5, 2))
    rig.until(lambda: len(keeper.chunks) >= 1)
    header = keeper.chunks[0].header
    keeper.acknowledge([header, header, 0, 2**32 - 1, header + 1], 1)
    camera.send(gop(5, 3))
    rig.detach()
    assert keeper.nals == without_sets(camera.sent)


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


def test_early_bytes_come_first(rig: Rig) -> None:
    keeper = rig.keeper()
    ours, theirs = socket.socketpair()
    early_camera = rig.attach(OTHER, run=2)
    units = gop(3)
    packets = [p for n, u in enumerate(units) for p in early_camera.packetiser.access_unit(u, n)]
    data = b"".join(map(interleave, packets))
    rig.attach(run=1, early=data[:333], connection=(ours, theirs))
    ours.sendall(data[333:])
    rig.detach(STREAM, 1)
    assert next(c.nals for c in keeper.chunks if c.claim.run == 1) == without_sets(units)


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


def test_the_cameras_clock_is_believed_once_two_reports_agree(rig: Rig) -> None:
    keeper = rig.keeper()
    camera = rig.attach()
    start = 1_763_700_000_000_000_000

    def report(rtp: int, wall_ns: int) -> None:
        packet = sender_report(0x56474143, wall_ns, rtp, 1, 1)
        camera.socket.sendall(interleave(packet, 1))

    camera.send(gop(3, 1))
    report(90_000, start)
    camera.send(gop(3, 2))
    report(180_000, start + 1_000_000_000)
    camera.send(gop(3, 3))
    report(270_000, start + 9_000_000_000)
    camera.send(gop(3, 4))
    camera.send(gop(3, 5))
    rig.detach()
    clocks = {c.claim.sequence: c.claim.camera_clock_ns for c in keeper.chunks}
    known = [n for n, clock in clocks.items() if clock not in (None, -(2**63))]
    assert len(known) == 1
    clock = clocks[known[0]]
    claim = keeper.chunks[known[0]].claim
    assert clock is not None
    rtp = 1000 + claim.media_start_ticks
    assert abs(clock - (start + (rtp - 90_000) * 100_000 // 9)) < 1000


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


def test_stats_count(rig: Rig) -> None:
    rig.keeper()
    camera = rig.attach()
    camera.send(gop(10, 1) + gop(10, 2) + later(1))
    rig.until(lambda: rig.stats().access_units >= 20)
    s = rig.stats()
    assert (s.sync_samples, s.packets_lost, s.damaged, s.dropped) == (2, 0, 0, 0)
    assert (s.width, s.height, s.codec) == (320, 180, Codec.H264)
    assert s.keyframe_interval_ms == 400
    assert s.bytes > 4000


def test_sets_that_change_are_told_and_make_another_entry(rig: Rig) -> None:
    keeper = rig.keeper()
    camera = rig.attach()
    camera.send(gop(3, 1))
    camera.send([[SPS, PPS + b"\x01", idr()], *later(1)])
    rig.detach()
    assert len(rig.events(LoopEvent.ENTRY_CHANGED)) == 1
    assert len({c.chunk.entry_sha256 for c in keeper.chunks}) == 2


def test_an_attachment_that_cannot_be_is_answered(rig: Rig) -> None:
    rig.attach(STREAM, run=1)
    rig.attach(STREAM, run=2)
    rig.until(lambda: rig.ended(2) is not None)
    assert rig.events(LoopEvent.BAD_STREAM)[0].detail == "attached already"


def test_nonsense_from_the_parent_is_ignored(rig: Rig) -> None:
    for junk in (b"", b"\x00", b"\x00\x01\x00\x01" + bytes(8), bytes(64), os.urandom(5000)):
        if junk:
            rig.tell(junk)
    keeper = rig.keeper()
    camera = rig.attach()
    camera.send(gop(3))
    rig.detach()
    assert keeper.nals == without_sets(camera.sent)


def test_no_message_of_the_parent_ends_the_loop(rig: Rig) -> None:
    """Mutations of real ones, with and without a descriptor; QUIT itself is left out."""
    random = Random(7)
    a = loop_wire.Attach(
        b"c" * 16,
        OTHER,
        0,
        1,
        96,
        0,
        1,
        90_000,
        5000,
        0,
        9,
        0,
        0,
        0,
        (),
        (SPS,),
        (PPS,),
        b"$\0\0\4",
    )
    real = [
        loop_wire.attach(a),
        loop_wire.detach(OTHER, 1),
        loop_wire.rtsp(OTHER, b"OPTIONS * RTSP/1.0\r\n\r\n"),
        loop_wire.keeper(5, 0),
        loop_wire.live(OTHER, 60_000, b"head"),
        loop_wire.clock(is_synced=True),
    ]
    for n in range(400):
        message = bytearray(random.choice(real))
        for _ in range(random.randrange(4)):
            message[random.randrange(4, len(message))] = random.choice((0, 1, 127, 255))
        ours, theirs = socket.socketpair()
        rig.tell(bytes(message[: random.randrange(8, len(message) + 1)]), theirs if n % 4 else None)
        ours.close()
        theirs.close()
        rig.turn(0)
    keeper = rig.keeper()
    camera = rig.attach()
    camera.send(gop(3))
    rig.detach()
    assert keeper.nals == without_sets(camera.sent)


def test_the_end_of_the_parent_is_a_clean_end(rig: Rig) -> None:
    keeper = rig.keeper()
    camera = rig.attach()
    camera.send(gop(5))
    rig.control.close()
    while not keeper.is_closed:
        keeper.read()
    assert rig.process.wait(5) == 0
    assert keeper.said_bye
    assert keeper.nals == without_sets(camera.sent)


def test_quit_waits_no_longer_than_two_seconds_for_a_silent_keeper(rig: Rig) -> None:
    keeper = rig.keeper(acknowledges=None)
    camera = rig.attach()
    camera.send(gop(5))
    start = time.monotonic()
    rig.tell(loop_wire.end())
    while not keeper.is_closed:
        keeper.read()
    assert rig.process.wait(5) == 0
    assert 1.5 < time.monotonic() - start < 10
    # What was not acknowledged waits for the successor.
    rig.keepers.remove(keeper)
    rig.incarnation += 1
    rig.messages.clear()
    rig.start()
    again = rig.keeper()
    rig.until(lambda: len(again.chunks) == len(keeper.chunks))


class Viewer:
    """What a live viewer puts together."""

    def __init__(self, rig: Rig, header: bytes = b"the receipt", until_ms: int = 600_000) -> None:
        self.socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        rig.sockets.append(self.socket)
        rig.tell(loop_wire.live(STREAM, until_ms, header), theirs)
        self.socket.settimeout(10)
        self.first = self.socket.recv(1 << 16)
        self.heads: list[bytes] = []

    def unit(self) -> tuple[int, tuple[int, ...], bytes]:
        """(number, fixed fields, bytes) of the next access unit."""
        body = b""
        while True:
            message = self.socket.recv(1 << 16)
            _version, kind, number, part, last = struct.unpack_from(">HHIHH", message)
            if kind == LIVE_HEAD:
                self.heads.append(message[12:])
                continue
            assert kind == LIVE_UNIT
            if part == 0:
                fields = struct.unpack_from(">QQIBBQqI", message, 12)
                body = message[12 + 42 :]
            else:
                body += message[12:]
            if last:
                assert len(body) == fields[-1]
                return number, fields, body


def framed(nals: Sequence[bytes]) -> bytes:
    return b"".join(len(n).to_bytes(4) + n for n in nals if n not in (SPS, PPS))


def test_a_viewer_gets_the_gop_so_far_and_then_what_comes(rig: Rig) -> None:
    keeper = rig.keeper(acknowledges=None)
    camera = rig.attach()
    units = gop(8, 1, size=30_000)
    camera.send(units[:4])
    rig.until(lambda: len(keeper.chunks) == 1)  # a tick: the GOP so far is in two chunks
    camera.send(units[4:6])
    rig.until(lambda: rig.stats().access_units >= 5)
    viewer = Viewer(rig)
    assert viewer.first == b"the receipt"
    camera.send(units[6:])
    seen = [viewer.unit() for _ in range(7)]
    assert [body for _n, _f, body in seen] == [framed(u) for u in units[:7]]
    assert [n for n, _f, _b in seen] == list(range(1, 8))
    assert [fields[5] for _n, fields, _b in seen] == [n * FRAME_TICKS for n in range(7)]
    assert viewer.heads == [keeper.chunks[0].chunk.segment_head]
    rig.detach()
    place = [(f[1], f[2]) for _n, f, _b in seen]
    stored = [(c.claim.sequence, n) for c in keeper.chunks for n in range(c.claim.samples)]
    assert place == stored[:7]


def test_a_viewer_that_comes_late_gets_what_is_not_in_the_ring(rig: Rig) -> None:
    keeper = rig.keeper()
    camera = rig.attach()
    camera.send(gop(5, 1))
    rig.until(lambda: len(keeper.chunks) == 1)
    rig.until(lambda: len(keeper.ticks) > 2)
    more = later(3)
    camera.send(more[:2])
    rig.until(lambda: rig.stats().access_units >= 6)
    viewer = Viewer(rig)
    following = gop(3, 2)
    camera.send([*more[2:], *following])
    durable = keeper.chunks[0].claim.samples
    rest = [*gop(5, 1)[durable:], *more, following[0]]
    seen = [viewer.unit() for _ in rest]
    assert [body for _n, _f, body in seen] == [framed(unit) for unit in rest]
    # It goes on where the ring ends: sequence, sample, and no sync sample.
    assert seen[0][1][1:4] == (keeper.chunks[0].claim.sequence + 1, 0, 0)
    assert seen[-1][1][3] == 1


def test_a_viewer_gets_the_next_picture_when_all_before_it_is_in_the_ring(rig: Rig) -> None:
    keeper = rig.keeper()
    camera = rig.attach()
    camera.send(gop(5, 1))
    rig.until(lambda: len(keeper.chunks) == 1)
    camera.send(later(1))  # ends the picture before it
    rig.until(lambda: len(keeper.chunks) == 2)
    rig.until(lambda: len(keeper.ticks) > 3)
    viewer = Viewer(rig)
    camera.send(later(2))
    assert viewer.unit()[1][2] == 0


def test_a_slow_viewer_is_dropped_to_the_next_sync_sample_and_told(rig: Rig) -> None:
    rig.keeper()
    camera = rig.attach()
    camera.send(gop(2, 1))
    rig.until(lambda: rig.stats().access_units >= 1)
    viewer = Viewer(rig)
    for n in range(2, 30):
        camera.send(gop(10, n, size=30_000))
    rig.until(lambda: rig.stats().access_units >= 280)
    skipped = False
    last = 0
    for _ in range(3000):
        camera.send(gop(2, 1000))
        number, fields, _body = viewer.unit()
        assert number == last + 1
        last = number
        if fields[4] & 2:
            skipped = True
            assert fields[3] == 1
            break
    assert skipped


def test_a_viewer_is_let_go_when_its_receipt_ends(rig: Rig) -> None:
    rig.keeper()
    camera = rig.attach()
    camera.send(gop(3))
    rig.until(lambda: rig.stats().access_units >= 2)
    start_s = time.monotonic()
    ending, staying = Viewer(rig, until_ms=1500), Viewer(rig)
    # Also when no picture comes: the next tick finds it.
    while ending.socket.recv(1 << 16):
        pass
    assert 1.4 < time.monotonic() - start_s < 8
    camera.send(later(2))
    assert staying.unit()[0] == 1


def wakes_a_second(rig: Rig) -> float:
    """How often the loop slept and went on, by the system's count."""

    def count() -> int:
        lines = Path(f"/proc/{rig.process.pid}/status").read_text().splitlines()
        return next(int(x.split()[1]) for x in lines if x.startswith("voluntary_ctxt_switches"))

    before, began = count(), time.monotonic()
    while time.monotonic() < began + 1:
        rig.turn(0.05)
    return (count() - before) / (time.monotonic() - began)


def test_cameras_are_read_more_often_while_somebody_watches(rig: Rig) -> None:
    rig.keeper()
    camera = rig.attach()
    camera.send(gop(4))
    rig.until(lambda: rig.stats().access_units >= 3)
    alone = wakes_a_second(rig)
    viewer = Viewer(rig)
    watched = wakes_a_second(rig)
    viewer.socket.close()
    rig.turn(0.5)
    assert watched > 2 * alone
    assert wakes_a_second(rig) < watched / 2


def test_a_socket_has_room_for_what_comes_between_two_reads(rig: Rig) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        ours = socket.create_connection(server.getsockname())
        theirs, _ = server.accept()
    rig.keeper()
    camera = rig.attach(connection=(ours, theirs))
    camera.send(gop(4))
    rig.until(lambda: rig.stats().access_units >= 3)
    assert theirs.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF) >= 1 << 20
    assert theirs.getsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT) == 1


def test_the_17th_viewer_is_refused_and_the_others_stay(rig: Rig) -> None:
    rig.keeper()
    camera = rig.attach()
    camera.send(gop(3))
    rig.until(lambda: rig.stats().access_units >= 2)
    viewers = [Viewer(rig) for _ in range(16)]
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    rig.tell(loop_wire.live(STREAM, 60_000, b"x"), theirs)
    ours.settimeout(10)
    assert ours.recv(10) == b""
    ours.close()
    viewers[3].socket.close()
    camera.send(later(2))
    assert viewers[15].unit()[0] == 1


def test_the_numbers_are_those_of_the_header(root: Path) -> None:
    header = (root / "native/include/vg/wire.h").read_text()

    def numbers(prefix: str) -> dict[str, int]:
        return {
            name: int(value)
            for name, value in re.findall(rf"VG_{prefix}_([A-Z_]+) = (\d+)[,\s]", header)
        }

    kinds = numbers("WIRE")
    assert {w.name: w.value for w in loop_wire.Wire}.items() <= kinds.items()
    assert {e.name: e.value for e in LoopEvent} == numbers("EVENT")
    assert (kinds["HELLO"], kinds["ACK"], kinds["LIVE_UNIT"]) == (96, 100, 129)
