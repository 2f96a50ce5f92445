"""Figures of streams that are known to the picture."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loop_rig import PPS, SPS, idr, inter
from vonggac.media.chunk import Codec
from vonggac.probe.figures import Figures
from vonggac.probe.meter import Meter
from vonggac.rtsp.events import PlayReady
from vonggac.rtsp.habits import Habit
from vonggac.rtsp.packetise import Packetiser, sender_report

S = 1_000_000_000
WALL_NS = 1_790_000_000 * S
SSRC = 77


def play(*, udp: bool = False) -> PlayReady:
    return PlayReady(
        Codec.H264, 96, 90_000, 0, 1, (), (SPS,), (PPS,), 60, "OPTIONS", None, "",
        udp_ports=(5000, 5001) if udp else None,
    )  # fmt: skip


def measured(
    *, fps: float = 25, gop: int = 50, pictures: int = 500, stamped_fps: float = 25,
    clock_s: float = 0.0, loses: int = 0, udp: bool = False,
) -> tuple[Figures, Meter]:  # fmt: skip
    """A stream as it would arrive: `fps` by the clock, stamped as `stamped_fps`."""
    meter = Meter(play(udp=udp))
    packetiser = Packetiser(Codec.H264, ssrc=SSRC)
    count = 0
    for number in range(pictures):
        now_ns = round(number / fps * S)
        units = [SPS, PPS, idr(3000, number)] if number % gop == 0 else [inter(800, number)]
        stamp = round(number * 90_000 / stamped_fps)
        for packet in packetiser.access_unit(units, stamp):
            count += 1
            if not loses or count % loses:
                meter.packet(packet, now_ns, WALL_NS + now_ns)
        meter.read_empty(now_ns)
        if number % 100 == 10:
            told_ns = WALL_NS + now_ns + round(clock_s * S)
            meter.packet(sender_report(SSRC, told_ns, stamp, 1, 1), now_ns, WALL_NS + now_ns)
    return meter.finish(0, round(pictures / fps * S)), meter


def test_an_ordinary_stream_is_what_it_is() -> None:
    figures, meter = measured()
    assert (figures.width, figures.height) == (320, 180)
    assert figures.fps == pytest.approx(25, rel=0.01)
    assert figures.stamped_fps == pytest.approx(25, rel=0.01)
    assert figures.gop is not None
    assert (figures.gop.median_s, figures.gop.pictures) == (pytest.approx(2), 50)
    assert figures.packets_lost == figures.damaged == 0
    assert figures.clock is not None and abs(figures.clock.offset_s) < 0.001
    assert figures.bitrate_bps == pytest.approx((9 * 3000 * 2 + 490 * 800 * 1.02) * 8 / 20, rel=0.2)
    assert not meter.habits()


def test_a_clock_that_goes_ahead_is_told_by_its_reports() -> None:
    figures, _ = measured(clock_s=37)
    assert figures.clock is not None
    assert figures.clock.offset_s == pytest.approx(37, abs=0.01)
    assert figures.clock.reports == 5


def test_a_gop_is_measured_by_stamps_and_one_that_does_not_end_by_the_clock() -> None:
    figures, _ = measured(gop=200)
    assert figures.gop is not None and figures.gop.most_s == pytest.approx(8)
    figures, _ = measured(gop=5000)
    assert figures.gop is None and figures.open_gop_s == pytest.approx(20, rel=0.02)


def test_stamps_and_arrival_are_told_apart() -> None:
    figures, _ = measured(fps=21, stamped_fps=25)
    assert figures.fps == pytest.approx(21, rel=0.01)
    assert figures.stamped_fps == pytest.approx(25, rel=0.01)


def test_what_is_lost_is_counted_and_its_pictures_are_damaged() -> None:
    figures, _ = measured(loses=50, udp=True)
    assert figures.lost_part == pytest.approx(0.02, rel=0.2)
    assert figures.damaged > 0


def test_datagrams_out_of_order_are_put_in_order() -> None:
    meter = Meter(play(udp=True))
    packetiser = Packetiser(Codec.H264, ssrc=SSRC)
    packets = [
        p for n in range(40) for p in packetiser.access_unit([SPS, PPS, idr(3000, n)], n * 3600)
    ]
    for at in range(0, len(packets) - 1, 2):
        packets[at], packets[at + 1] = packets[at + 1], packets[at]
    for number, packet in enumerate(packets):
        meter.packet(packet, number * S // 100, WALL_NS)
        meter.read_empty(number * S // 100)
    figures = meter.finish(0, 4 * S)
    assert (figures.packets_lost, figures.damaged) == (0, 0)
    assert figures.pictures >= 39


def test_what_waits_is_not_given_up_while_the_missing_stands_in_the_socket() -> None:
    """One read ends within a key frame; the next, 100 ms later, begins with what it overtook."""
    meter = Meter(play(udp=True))
    packetiser = Packetiser(Codec.H264, ssrc=SSRC, mtu_bytes=600)
    lead = [p for n in range(20) for p in packetiser.access_unit([SPS, PPS, idr(500, n)], n * 3600)]
    for packet in lead:
        meter.packet(packet, 0, WALL_NS)
    meter.read_empty(S // 10)
    packets = packetiser.access_unit([SPS, PPS, idr(3000, 20)], 20 * 3600)
    assert len(packets) >= 6
    for now_ns, read in ((S, packets[0::2]), (S + S // 10, packets[1::2])):
        for packet in read:
            meter.packet(packet, now_ns, WALL_NS)
        meter.read_empty(now_ns)
    figures = meter.finish(0, 2 * S)
    assert (figures.packets_lost, figures.packets_late, figures.damaged) == (0, 0, 0)


def test_a_datagram_that_never_comes_is_given_up_once_the_socket_is_empty() -> None:
    meter = Meter(play(udp=True))
    packetiser = Packetiser(Codec.H264, ssrc=SSRC, mtu_bytes=600)
    for number in range(20):
        packets = packetiser.access_unit([SPS, PPS, idr(500, number)], number * 3600)
        for packet in packets[: -1 if number == 10 else None]:
            meter.packet(packet, number * S // 25, WALL_NS)
        meter.read_empty(number * S // 25)
    figures = meter.finish(0, S)
    assert (figures.packets_lost, figures.packets_late) == (1, 0)
    assert figures.pause_max_s < 0.5


def test_odd_packets_are_counted_under_their_rows_names() -> None:
    meter = Meter(play())
    packetiser = Packetiser(Codec.H264, ssrc=SSRC)
    for number in range(30):
        for packet in packetiser.access_unit(
            [SPS + b"\0\0\1" + PPS, idr(300, number)], number * 3600
        ):
            meter.packet(packet, number * S // 25, WALL_NS)
            meter.packet(packet, number * S // 25, WALL_NS)
    meter.garbage()
    meter.finish(0, S)
    habits = meter.habits()
    assert habits[Habit.REPEATED_PACKETS] and habits[Habit.START_CODES]
    assert habits[Habit.GARBAGE] == 1


def test_a_stream_without_a_picture_has_figures_too() -> None:
    figures = Meter(play()).finish(0, 5 * S)
    assert (figures.pictures, figures.fps, figures.gop) == (0, None, None)
    assert figures.open_gop_s == 5
    assert Meter(play()).receiver_report() == b""


@given(st.lists(st.binary(max_size=60), max_size=12), st.booleans(), st.sampled_from(list(Codec)))
def test_whatever_comes_as_a_packet_there_are_figures(
    packets: list[bytes], udp: bool, codec: Codec
) -> None:
    meter = Meter(replace(play(udp=udp), codec=codec, sps=(), pps=()))
    for number, data in enumerate(packets):
        meter.packet(data, number * S, WALL_NS)
        meter.packet(b"\x80\x60" + data, number * S, WALL_NS)
    assert meter.finish(0, 20 * S).measured_s == 20
    meter.habits()
    meter.receiver_report()
