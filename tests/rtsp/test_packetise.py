"""Packets are cut as RFC 6184 and RFC 7798 say; a small strict reader puts them together again."""

from __future__ import annotations

import os
import struct
from pathlib import Path

import pytest

from vonggac.media.chunk import Codec
from vonggac.rtsp.annexb import access_units, split_annexb
from vonggac.rtsp.packetise import Packetiser, interleave


def _units_of(codec: Codec, packets: list[bytes]) -> list[bytes]:
    """NAL units of whole, ordered packets: the inverse, written from the RFCs and strict."""
    out: list[bytes] = []
    open_unit = b""
    wide = codec is Codec.H265
    for packet in packets:
        payload = packet[12:]
        kind = payload[0] >> 1 & 0x3F if wide else payload[0] & 0x1F
        if kind == (48 if wide else 24):
            at = 2 if wide else 1
            while at < len(payload):
                (size,) = struct.unpack_from(">H", payload, at)
                out.append(payload[at + 2 : at + 2 + size])
                at += 2 + size
        elif kind == (49 if wide else 28):
            fu = payload[2] if wide else payload[1]
            if fu & 0x80:
                assert open_unit == b""
                assert not fu & 0x40
                if wide:
                    open_unit = bytes((payload[0] & 0x81 | (fu & 0x3F) << 1, payload[1]))
                else:
                    open_unit = bytes((payload[0] & 0xE0 | fu & 0x1F,))
            open_unit += payload[3:] if wide else payload[2:]
            if fu & 0x40:
                out.append(open_unit)
                open_unit = b""
        else:
            out.append(payload)
    assert open_unit == b""
    return out


def _h264(kind: int, size: int) -> bytes:
    return bytes((0x60 | kind,)) + bytes(1 + at % 255 for at in range(size - 1))


def _h265(kind: int, size: int) -> bytes:
    return bytes((kind << 1, 1)) + bytes(1 + at % 255 for at in range(size - 2))


@pytest.mark.parametrize("mtu_bytes", [20, 64, 256, 1400, 65535])
@pytest.mark.parametrize("aggregate", [False, True], ids=["single", "aggregated"])
@pytest.mark.parametrize("codec", [Codec.H264, Codec.H265], ids=["h264", "h265"])
def test_every_unit_comes_back_once_and_in_order(
    codec: Codec, aggregate: bool, mtu_bytes: int
) -> None:
    make, kinds = (_h264, (7, 8, 6, 5, 5)) if codec is Codec.H264 else (_h265, (32, 33, 34, 19, 1))
    units = [make(kind, 3 + 700 * at) for at, kind in enumerate(kinds)]
    packets = Packetiser(codec, mtu_bytes=mtu_bytes, aggregate=aggregate).access_unit(
        units, 1 << 32
    )

    assert _units_of(codec, packets) == units
    assert max(map(len, packets)) <= mtu_bytes
    assert [packet[1] >> 7 for packet in packets] == [0] * (len(packets) - 1) + [1]
    assert {packet[4:8] for packet in packets} == {bytes(4)}


@pytest.mark.parametrize("size", range(5, 40))
def test_a_fragment_never_starts_and_ends_at_once(size: int) -> None:
    unit = _h264(5, size)
    packets = Packetiser(Codec.H264, mtu_bytes=20).access_unit([unit], 0)
    assert _units_of(Codec.H264, packets) == [unit]


def test_sequence_numbers_wrap_at_sixteen_bits() -> None:
    packetiser = Packetiser(Codec.H264, sequence=0xFFFF)
    packets = packetiser.access_unit([_h264(1, 4000)], 5)
    numbers = [struct.unpack_from(">H", packet, 2)[0] for packet in packets]
    assert numbers == [0xFFFF, 0, 1]


def test_an_interleaved_packet_tells_channel_and_length() -> None:
    assert interleave(3, b"abcd") == b"$\x03\x00\x04abcd"


def test_a_byte_stream_is_split_at_short_and_long_start_codes() -> None:
    stream = b"\x00\x00\x00\x01\x67\x01\x00\x00\x01\x68\x02\x00\x00\x00\x00\x01\x65\x88\x00\x00"
    assert split_annexb(stream) == [b"\x67\x01", b"\x68\x02", b"\x65\x88"]


def test_slices_of_one_picture_stay_together() -> None:
    units = [
        b"\x67\x01",
        b"\x68\x02",
        b"\x65\x88",
        b"\x65\x40",
        b"\x41\x9a",
        b"\x06\x01",
        b"\x41\x9a",
    ]
    groups = access_units(Codec.H264, units)
    assert [len(group) for group in groups] == [4, 1, 2]


def test_a_suffix_sei_stays_with_its_picture() -> None:
    idr, suffix, trail = bytes((19 << 1, 1, 0x80)), bytes((40 << 1, 1, 1)), bytes((2, 1, 0x80))
    assert access_units(Codec.H265, [idr, suffix, trail]) == [(idr, suffix), (trail,)]


_FILES = [
    (Codec.H264, "h264/BA1_FT_C.264", 299),
    (Codec.H264, "h264/BA_MW_D.264", 100),
    (Codec.H264, "h264/minimp4_foreman_slices.264", None),
    (Codec.H265, "h265/input-60-640x480.h265", 60),
    (Codec.H265, "h265/input-15-1280x720-temporal-id-1.h265", 15),
]


@pytest.mark.parametrize(("codec", "name", "pictures"), _FILES, ids=[name for _, name, _ in _FILES])
def test_real_streams_come_back_unchanged(codec: Codec, name: str, pictures: int | None) -> None:
    default = Path(__file__).parents[2] / "../shared/fixtures"
    path = Path(os.environ.get("VONGGAC_FIXTURES", default)) / "video/dev" / name
    if not path.exists():
        pytest.skip(f"no shared fixture {name}")
    units = split_annexb(path.read_bytes())
    groups = access_units(codec, units)
    packetiser = Packetiser(codec, aggregate=True)
    packets = [
        packet for at, group in enumerate(groups) for packet in packetiser.access_unit(group, at)
    ]
    assert _units_of(codec, packets) == units
    if pictures is not None:
        assert len(groups) == pictures
