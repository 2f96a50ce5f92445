"""What is kept of packets: enough to cut the same access units of them, and no picture."""

from __future__ import annotations

import importlib.resources
from collections.abc import Sequence
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vonggac._native.assembler import Assembler
from vonggac._native.parse import rtp_parse
from vonggac.media.chunk import Codec
from vonggac.probe.scrub_packets import Pieces, scrub_rtcp, scrub_rtp
from vonggac.rtsp.packetise import Packetiser, sender_report
from vonggac_appliance.camera_clip import Clip, load_clip

SCENES = {Codec.H264: "street-sub.h264", Codec.H265: "alley-sub.h265"}


def clip_of(codec: Codec) -> Clip:
    file = importlib.resources.files("vonggac_appliance") / "demo" / SCENES[codec]
    return load_clip(file.read_bytes(), codec, Fraction(25, 2))


def applied(data: bytes, kept: Pieces) -> bytes:
    out = bytearray(len(data))
    for at, piece in kept.items():
        out[at : at + len(piece)] = piece
    return bytes(out[: len(data)])


def seen(codec: Codec, packets: Sequence[bytes]) -> list[tuple[int, int, bool, list[int]]]:
    """Timestamp, kind, damage and NAL unit types of every access unit."""
    assembler = Assembler(int(codec), 96)
    found = []

    def pull() -> None:
        while (unit := assembler.pull()) is not None:
            shift = 0x1F if codec is Codec.H264 else 0x7E
            kinds = [nal[0] & shift for nal in unit.nals]
            found.append((unit.timestamp, unit.kind, unit.damaged, kinds))

    for data in packets:
        packet = rtp_parse(data)
        while not assembler.push(packet):
            pull()
        pull()
    assembler.flush()
    pull()
    return found


@pytest.mark.parametrize("codec", SCENES)
@pytest.mark.parametrize("aggregate", [False, True])
def test_scrubbed_packets_make_the_same_access_units(codec: Codec, aggregate: bool) -> None:
    clip = clip_of(codec)
    packetiser = Packetiser(codec, aggregate=aggregate, mtu_bytes=600)
    packets = [
        packet
        for number, units in enumerate(clip.units[:60])
        for packet in packetiser.access_unit(units, number * 3600)
    ]
    scrubbed = [applied(packet, scrub_rtp(packet, codec)) for packet in packets]
    assert seen(codec, scrubbed) == seen(codec, packets)
    assert [len(packet) for packet in scrubbed] == [len(packet) for packet in packets]
    assert sum(map(any, scrubbed)) == len(packets)
    kept = sum(len(packet) - packet[12:].count(0) - 12 for packet in scrubbed)
    assert kept < len(packets) * 40  # headers and parameter sets


@pytest.mark.parametrize("codec", SCENES)
def test_no_byte_of_slice_data_is_kept(codec: Codec) -> None:
    """A slice full of 0xAA leaves its header fields and the stop bit."""
    head = b"\x65\x88" if codec is Codec.H264 else b"\x26\x01\xaf"
    for bytes_ in (20, 5000):
        for packet in Packetiser(codec).access_unit([head + b"\xaa" * bytes_], 0):
            scrubbed = applied(packet, scrub_rtp(packet, codec))
            assert b"\xaa" not in scrubbed[12:]


def test_of_a_slice_that_is_not_the_first_two_fields_are_kept_to_the_bit() -> None:
    """first_mb_in_slice 396 (17 bits), slice_type 7 (7 bits), then nothing though ones follow."""
    bits = "0" * 8 + f"{397:09b}" + "0001000" + "1" * 40
    nal = b"\x41" + int(bits, 2).to_bytes(8) + b"\xff" * 20
    packet = Packetiser(Codec.H264).access_unit([nal], 0)[0]
    scrubbed = applied(packet, scrub_rtp(packet, Codec.H264))[13:]
    assert scrubbed[:3] == int(bits[:24], 2).to_bytes(3)
    assert scrubbed[3:-1] == bytes(len(scrubbed) - 4)


def test_a_picture_behind_parameter_sets_in_one_packet_is_not_kept() -> None:
    """Start codes inside (row 97): what is labelled SPS at its head may hold a picture."""
    clip = clip_of(Codec.H264)
    joined = b"\0\0\0\1".join((clip.sps[0], clip.pps[0], b"\x65\x88" + b"\xaa" * 500))
    packet = b"\x80\x60\0\1" + bytes(8) + joined
    scrubbed = applied(packet, scrub_rtp(packet, Codec.H264))
    assert b"\xaa" not in scrubbed
    assert clip.sps[0] in scrubbed and scrubbed.count(b"\0\0\1") == 2


def test_what_is_called_a_parameter_set_and_is_none_is_not_kept() -> None:
    for nal in (b"\x67" + b"\xaa" * 300, b"\x68" + b"\xaa" * 300, b"\x06\x05\x20" + b"\xaa" * 32):
        packet = b"\x80\x60\0\1" + bytes(8) + nal
        assert b"\xaa" not in applied(packet, scrub_rtp(packet, Codec.H264))


def test_small_slices_of_h264_that_is_declared_as_h265_are_not_kept() -> None:
    packet = b"\x80\x60\0\1" + bytes(8) + b"\x41\x9a" + b"\xaa" * 60
    assert b"\xaa" not in applied(packet, scrub_rtp(packet, Codec.H265))
    clip = clip_of(Codec.H265)
    for one in (*clip.vps, *clip.pps):
        packet = b"\x80\x60\0\1" + bytes(8) + one
        assert applied(packet, scrub_rtp(packet, Codec.H265)) == packet


def test_of_text_where_packets_should_be_one_byte_is_kept() -> None:
    assert scrub_rtp(b"SN0123456789", None) == {0: b"S"}
    assert scrub_rtp(b"", None) == {0: b""}


def test_sound_leaves_its_header_alone() -> None:
    packet = b"\x80\x08\0\1" + bytes(8) + b"\xaa" * 160
    assert scrub_rtp(packet, None) == {0: packet[:12]}


def test_a_report_loses_its_name() -> None:
    report = sender_report(7, 1_700_000_000_000_000_000, 9, 10, 11, name=b"admin@nha-anh-Hai")
    scrubbed = applied(report, scrub_rtcp(report))
    assert scrubbed[:28] == report[:28]
    assert b"Hai" not in scrubbed and len(scrubbed) == len(report)


@given(st.binary(min_size=1, max_size=200), st.sampled_from(list(Codec)), st.booleans())
def test_any_bytes_can_be_scrubbed(data: bytes, codec: Codec, has_donl: bool) -> None:
    packet = b"\x80\x60\0\1" + bytes(8) + data
    for kept in (scrub_rtp(packet, codec, has_donl=has_donl), scrub_rtp(data, codec)):
        assert all(0 <= at < len(packet) for at, piece in kept.items() if piece)
    scrub_rtcp(data)
