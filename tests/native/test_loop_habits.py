"""What cameras mix in with their video: reports in the wrong place, absurd clocks, metadata."""

from __future__ import annotations

import struct

import pytest

from loop_rig import (
    PAYLOAD_TYPE,
    PPS,
    RTCP_CHANNEL,
    RTP_CHANNEL,
    SPS,
    Rig,
    gop,
    idr,
    interleave,
    without_sets,
)
from packetiser import H265, fragments, rtp
from vonggac.media.chunk import ChunkFlag, Codec
from vonggac.rtsp.habits import Habit
from vonggac.rtsp.packetise import sender_report
from vonggac_appliance import loop_stats, loop_wire
from vonggac_appliance.loop_wire import LoopEvent

SSRC = 0x56474143
START_NS = 1_763_700_000_000_000_000
SECOND_NS = 1_000_000_000
UNKNOWN = -(2**63)
METADATA = b'<tt:MetadataStream xmlns:tt="http://www.onvif.org/ver10/schema"/>'


def clocks(rig: Rig, reports: list[bytes], channel: int = RTCP_CHANNEL) -> list[int | None]:
    """The camera clock in each claim of a camera that sends these between its pictures."""
    keeper = rig.keeper()
    camera = rig.attach()
    camera.send(gop(2, 0))
    for n, report in enumerate(reports):
        camera.socket.sendall(interleave(report, channel))
        camera.send(gop(2, n + 1))
    camera.send(gop(2, 99))
    rig.detach()
    assert keeper.nals == without_sets(camera.sent)
    assert not any(
        c.claim.flags & (ChunkFlag.DAMAGED | ChunkFlag.REANCHORED) for c in keeper.chunks
    )
    return [c.claim.camera_clock_ns for c in keeper.chunks]


def test_reports_on_the_channel_of_the_pictures_are_read(rig: Rig) -> None:
    agreeing = [
        sender_report(SSRC, START_NS + n * SECOND_NS, 90_000 * (n + 1), 1, 1) for n in range(3)
    ]
    told = clocks(rig, agreeing, RTP_CHANNEL)
    assert any(clock not in (None, UNKNOWN) for clock in told)


REPORTS = {
    "no NTP time": [
        struct.pack(">BBHIQIII", 0x80, 200, 6, SSRC, 0, 90_000 * n, 1, 1) for n in (1, 2)
    ],
    "no RTP time": [sender_report(SSRC, START_NS + n * SECOND_NS, 0, 1, 1) for n in (1, 2)],
    "jumps": [
        sender_report(SSRC, START_NS + n * n * SECOND_NS, 90_000 * n, 1, 1) for n in (1, 3, 5)
    ],
    "of somebody else": [
        sender_report(7, START_NS + n * SECOND_NS, 90_000 * n, 1, 1) for n in (1, 2)
    ],
    "before 1970": [
        struct.pack(">BBHIQIII", 0x80, 200, 6, SSRC, n << 32, 90_000 * n, 1, 1) for n in (1, 2)
    ],
    "cut": [sender_report(SSRC, START_NS, 90_000, 1, 1)[:20]] * 2,
}


@pytest.mark.parametrize("reports", REPORTS.values(), ids=REPORTS)
def test_an_absurd_clock_is_unknown_and_moves_nothing(rig: Rig, reports: list[bytes]) -> None:
    assert all(clock in (None, UNKNOWN) for clock in clocks(rig, reports))


def test_metadata_is_passed_over_on_whatever_channel(rig: Rig) -> None:
    keeper = rig.keeper()
    camera = rig.attach()
    for n in range(4):
        camera.send(gop(3, n))
        # A track that was never set up, and the video's own channel under another type and source.
        other = rtp(
            METADATA, sequence=n, timestamp=n * 90_000, payload_type=107, ssrc=9, marker=True
        )
        camera.socket.sendall(interleave(other, 4) + interleave(other, RTP_CHANNEL))
    rig.detach()
    assert keeper.nals == without_sets(camera.sent)
    assert not any(c.claim.flags & ChunkFlag.DAMAGED for c in keeper.chunks)
    assert not rig.events(LoopEvent.CLOSED)


def test_h265_with_decoding_order_numbers_is_recorded_without_them(rig: Rig) -> None:
    vps = bytes.fromhex("40010c01ffff01600000030090000003000003005d959809")
    sps = bytes.fromhex(
        "42010101600000030090000003000003005da00280802d165959a4932b9a02000003000200000300321040"
    )
    pps = bytes.fromhex("4401c172b46240")
    picture = bytes.fromhex("2601af") + bytes(range(1, 60))
    keeper = rig.keeper()
    camera = rig.attach(codec=Codec.H265, flags=loop_wire.FLAG_DONL)
    sequence = number = 0
    for n in range(3):
        for nal in (vps, sps, pps, picture):
            first, *others = fragments(H265, nal, 40) if nal is picture else [nal]
            at = 3 if others else 2
            payloads = [first[:at] + number.to_bytes(2, "big") + first[at:], *others]
            number += 1
            for payload in payloads:
                packet = rtp(
                    payload,
                    sequence=sequence,
                    timestamp=n * 3600,
                    marker=nal is picture and payload is payloads[-1],
                    payload_type=PAYLOAD_TYPE,
                )
                camera.socket.sendall(interleave(packet))
                sequence += 1
    rig.detach()
    assert keeper.nals == [picture] * 3
    assert not any(c.claim.flags & ChunkFlag.DAMAGED for c in keeper.chunks)


# -- What is counted of it --


def counted(rig: Rig, reports: list[bytes], channel: int) -> dict[Habit, int]:
    """Habits of a camera that sends these between its pictures."""
    rig.keeper()
    camera = rig.attach()
    camera.send(gop(2, 0))
    for n, report in enumerate(reports):
        camera.socket.sendall(interleave(report, channel))
        camera.send(gop(2, n + 1))
    rig.until(lambda: rig.stats().access_units >= len(camera.sent) - 1)
    found = dict(loop_stats.habits_between(None, rig.stats()))
    rig.detach()
    return found


AGREEING = [sender_report(SSRC, START_NS + n * SECOND_NS, 90_000 * (n + 1), 1, 1) for n in range(3)]


@pytest.mark.parametrize(
    ("reports", "channel", "habits"),
    [
        pytest.param(AGREEING, RTCP_CHANNEL, {}, id="by the book"),
        pytest.param(AGREEING, RTP_CHANNEL, {Habit.SWAPPED_REPORTS: 3}, id="swapped"),
        pytest.param(AGREEING, 6, {Habit.STRANGE_CHANNELS: 3}, id="strange channel"),
        pytest.param(
            REPORTS["of somebody else"], RTCP_CHANNEL, {Habit.FOREIGN_REPORTS: 2}, id="foreign"
        ),
        pytest.param(REPORTS["cut"], RTCP_CHANNEL, {Habit.BROKEN_REPORTS: 2}, id="broken"),
        pytest.param(REPORTS["no NTP time"], RTCP_CHANNEL, {Habit.ABSURD_CLOCK: 2}, id="no time"),
        pytest.param(REPORTS["jumps"], RTCP_CHANNEL, {Habit.ABSURD_CLOCK: 2}, id="jumps"),
    ],
)
def test_odd_reports_are_counted_by_their_row(
    rig: Rig, reports: list[bytes], channel: int, habits: dict[Habit, int]
) -> None:
    assert counted(rig, reports, channel) == habits


def test_odd_timestamps_are_counted_by_their_row(rig: Rig) -> None:
    """A frame stamped hours away, as an Intelbras recorder sends them."""
    rig.keeper()
    camera = rig.attach()
    for n, hours in enumerate((0, 0, 9, 0, 0)):
        camera.send_at([SPS, PPS, idr(200)], n * 3600 + hours * 3600 * 90_000)
    rig.until(lambda: rig.stats().access_units >= 4)
    assert dict(loop_stats.habits_between(None, rig.stats()))[Habit.STAMPS] == 1
    rig.detach()
