"""Packets that tell a decoding order (RFC 6184 interleaved mode, RFC 7798 DONL), and PACI."""

from __future__ import annotations

import struct
from collections.abc import Sequence

import pytest

from packetiser import H265, fragments
from rtp_camera import Camera

SPS = bytes.fromhex("6764001facb4")
PPS = bytes.fromhex("68ee3cb0")
IDR = bytes.fromhex("65888400aabbccdd")
P_1 = bytes.fromhex("419a0102030405")
P_2 = bytes.fromhex("415480060708")
H265_SPS = bytes.fromhex("420101016080")
H265_IDR = bytes.fromhex("2601af0102030405")
H265_TRAIL = bytes.fromhex("0201d00a0b0c")


def stap_b(don: int, nals: Sequence[bytes]) -> bytes:
    """RFC 6184 5.7.1."""
    return struct.pack(">BH", 25, don) + b"".join(struct.pack(">H", len(n)) + n for n in nals)


def mtap(kind: int, base: int, units: Sequence[tuple[int, int, bytes]]) -> bytes:
    """RFC 6184 5.7.2: (distance of the number, timestamp offset, NAL unit)."""
    offset_bytes = kind - 24
    return struct.pack(">BH", kind, base) + b"".join(
        struct.pack(">HB", len(nal), distance) + later.to_bytes(offset_bytes) + nal
        for distance, later, nal in units
    )


def fu_b(don: int, nal: bytes) -> list[bytes]:
    """RFC 6184 5.8: the first fragment is an FU-B, the second an FU-A."""
    kind = nal[0] & 0x1F
    middle = len(nal) // 2
    indicator = nal[0] & 0xE0
    first = struct.pack(">BBH", indicator | 29, 0x80 | kind, don) + nal[1:middle]
    return [first, bytes([indicator | 28, 0x40 | kind]) + nal[middle:]]


def numbered(payload: bytes, don: int) -> bytes:
    """An H.265 payload with its decoding order number behind the header (RFC 7798 4.4.1)."""
    return payload[:2] + struct.pack(">H", don) + payload[2:]


def paci(inner: bytes, hints: bytes = b"") -> bytes:
    """RFC 7798 4.4.4: `inner` without its header, behind `hints`."""
    fields = (inner[0] & 0xFE) << 8 | len(hints) << 4
    header = bytes([inner[0] & 0x01 | 50 << 1, inner[1]])
    return header + struct.pack(">H", fields) + hints + inner[2:]


def nals(camera: Camera) -> list[list[bytes]]:
    return [unit.nals for unit in camera.end()]


def test_a_numbered_aggregate_gives_its_nal_units() -> None:
    camera = Camera().send(1, stap_b(7, [SPS, PPS, IDR])).send(2, P_1)
    assert nals(camera) == [[SPS, PPS, IDR], [P_1]]
    assert not any(unit.damaged for unit in camera.units)
    assert camera.assembler.counts["order_odd"] == 0


@pytest.mark.parametrize("kind", [26, 27], ids=["MTAP16", "MTAP24"])
def test_an_aggregate_of_several_times_gives_each_picture_its_own(kind: int) -> None:
    units = [(0, 0, SPS), (1, 0, PPS), (2, 0, IDR), (3, 3600, P_1), (4, 3600, P_2)]
    camera = Camera().send(1000, mtap(kind, 65533, units)).send(8200, P_1)
    assert nals(camera) == [[SPS, PPS, IDR], [P_1, P_2], [P_1]]
    assert [unit.timestamp for unit in camera.units] == [1000, 4600, 8200]
    assert not any(unit.damaged for unit in camera.units)


def test_a_picture_may_go_on_behind_an_aggregate_of_several_times() -> None:
    camera = Camera().send(0, mtap(26, 0, [(0, 0, IDR), (1, 3600, P_1)])).send(3600, P_2)
    assert nals(camera) == [[IDR], [P_1, P_2]]
    assert not any(unit.damaged for unit in camera.units)


def test_a_numbered_fragment_begins_a_nal_unit() -> None:
    camera = Camera().send(1, *fu_b(3, IDR)).send(2, P_1)
    assert nals(camera) == [[IDR], [P_1]]


def test_what_decodes_before_something_that_came_already_is_marked() -> None:
    camera = Camera().send(1, stap_b(9, [IDR])).send(2, stap_b(4, [P_1])).send(3, stap_b(10, [P_1]))
    assert nals(camera) == [[IDR], [P_1], [P_1]]
    assert [unit.damaged for unit in camera.units] == [False, True, False]
    assert camera.assembler.counts["order_odd"] == 1


@pytest.mark.parametrize(
    ("payload", "fault"),
    [
        pytest.param(b"\x19\0", "RFC 6184 5.7.1 DON (short at byte 2)", id="STAP-B"),
        pytest.param(
            b"\x19\0\0\0\x09\x65", "RFC 6184 5.7.1 size (short at byte 5)", id="STAP-B NAL"
        ),
        pytest.param(
            b"\x1a\0\0\0\x09\0\0\0\x65", "RFC 6184 5.7.2 size (short at byte 8)", id="MTAP"
        ),
        pytest.param(b"\x1d\x85\0", "RFC 6184 5.8 FU header (short at byte 3)", id="FU-B"),
    ],
)
def test_a_cut_packet_is_a_fault_and_marks_its_picture(payload: bytes, fault: str) -> None:
    camera = Camera().send(1, payload, IDR).send(2, P_1)
    assert camera.faults == [fault]
    assert nals(camera) == [[IDR], [P_1]]
    assert [unit.damaged for unit in camera.units] == [True, False]


def test_declared_numbers_are_taken_out_of_h265_packets() -> None:
    camera = Camera(H265)
    camera.assembler.expect_donl()
    first, *others = fragments(H265, H265_IDR, 6)
    both = struct.pack(">BBH", 48 << 1, 1, 3) + b"".join(
        [struct.pack(">H", len(H265_TRAIL)) + H265_TRAIL, b"\0",  # the next number is 3 + 0 + 1
         struct.pack(">H", len(H265_TRAIL)) + H265_TRAIL]
    )  # fmt: skip
    camera.send(1, numbered(H265_SPS, 1), first[:3] + struct.pack(">H", 2) + first[3:], *others)
    camera.send(2, both)
    assert nals(camera) == [[H265_SPS, H265_IDR], [H265_TRAIL], [H265_TRAIL]]
    assert camera.faults == []
    assert camera.assembler.counts["order_odd"] == 0


@pytest.mark.parametrize(
    ("payload", "fault"),
    [
        pytest.param(b"\x26\x01\x07", "RFC 7798 4.4.1 DONL (short at byte 1)", id="single"),
        pytest.param(
            b"\x62\x01\x93\x07", "RFC 7798 4.4.3 FU header (short at byte 4)", id="fragment"
        ),
    ],
)
def test_a_packet_without_its_declared_number_is_a_fault(payload: bytes, fault: str) -> None:
    camera = Camera(H265)
    camera.assembler.expect_donl()
    camera.send(1, payload, numbered(H265_IDR, 1))
    assert camera.faults == [fault]
    assert nals(camera) == [[H265_IDR]]
    assert [unit.damaged for unit in camera.units] == [True]


@pytest.mark.parametrize("hints", [b"", b"\x01\x02\x03"], ids=["no hints", "hints"])
def test_paci_packets_are_unwrapped(hints: bytes) -> None:
    whole = [paci(part, hints) for part in fragments(H265, H265_IDR, 6)]
    camera = Camera(H265).send(1, paci(H265_SPS, hints), *whole).send(2, paci(H265_TRAIL, hints))
    assert nals(camera) == [[H265_SPS, H265_IDR], [H265_TRAIL]]
    assert camera.faults == []


def test_a_paci_packet_inside_another_or_cut_is_a_fault() -> None:
    inside = paci(paci(H265_SPS))
    camera = Camera(H265).send(1, inside, bytes([50 << 1, 1, 0x26, 0x70, 9]), H265_IDR)
    assert camera.faults == [
        "RFC 7798 4.4 Type (value at byte 0)",
        "RFC 7798 4.4.4 PHSsize (short at byte 5)",
    ]
    assert nals(camera) == [[H265_IDR]]
