"""The ingest loop with real sockets: what cameras send, in chunks. The test plays all others."""

from __future__ import annotations

import hashlib
import socket
import time
from collections.abc import Callable
from functools import cache

import pytest

from loop_rig import (
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
from segment_maker import Stream, encode
from vonggac._native import segment
from vonggac.media.chunk import Codec
from vonggac.rtsp.packetise import sender_report
from vonggac_appliance.loop_wire import LoopEvent

STREAM = b"s" * 16
OTHER = b"t" * 16


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
@pytest.mark.parametrize("codec", [Codec.H264, Codec.H265], ids=["h264", "h265"])
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
