"""Fragments, aggregates and start codes: every NAL unit once, in order."""

from __future__ import annotations

import pytest

from assembler_rig import (
    AUD,
    H265_IDR,
    H265_PPS,
    H265_SPS,
    H265_TRAIL,
    H265_VPS,
    IDR,
    IDR_2,
    P_1,
    P_2,
    PPS,
    SEI,
    SPS,
    M,
    flags,
    fu,
    nals,
)
from packetiser import (
    H264,
    H265,
    aggregate,
    fragments,
)
from rtp_camera import Camera


def test_fragments_make_the_nal_unit_again() -> None:
    assert len(fu(IDR)) == 3
    assert nals(Camera().send(1, SPS, *fu(IDR), IDR_2).end()) == [[SPS, IDR, IDR_2]]


def test_a_fragment_that_starts_and_ends_is_a_whole_nal_unit() -> None:
    camera = Camera(H265).send(1, b"\x62\x01\xd3" + H265_IDR[2:])
    assert nals(camera.end()) == [[H265_IDR]]
    assert camera.assembler.counts["fu_odd"] == 1


def test_a_missing_end_drops_that_nal_unit_and_marks_its_picture() -> None:
    first, middle, _ = fu(IDR)
    units = Camera().send(1, first, middle, IDR_2).send(2, P_1).end()
    assert nals(units) == [[IDR_2], [P_1]]
    assert flags(units) == [True, False]


def test_a_marker_instead_of_the_end_bit_ends_the_nal_unit() -> None:
    first, middle, last = fu(IDR)
    open_end = last[:1] + bytes([last[1] & ~0x40]) + last[2:]
    units = Camera().send(1, first, middle, (open_end, M)).send(2, P_1).end()
    assert nals(units) == [[IDR], [P_1]]
    assert flags(units) == [False, False]


def test_a_missing_start_drops_the_rest_and_says_which_rule() -> None:
    camera = Camera().send(1, *fu(IDR)[1:]).send(2, P_1)
    assert camera.faults == ["RFC 6184 5.8 S (value at byte 1)"] * 2
    assert nals(camera.end()) == [[P_1]]
    assert flags(camera.units) == [True]
    assert camera.assembler.counts["nals_dropped"] == 1


def test_the_type_of_the_first_fragment_holds() -> None:
    first, middle, last = fu(IDR)
    other = middle[:1] + bytes([1]) + middle[2:]
    assert nals(Camera().send(1, first, other, last).end()) == [[IDR]]


def test_an_empty_fragment_is_harmless() -> None:
    first, middle, last = fu(IDR)
    camera = Camera().send(1, first, first[:1] + b"\x05", middle, last)
    assert nals(camera.end()) == [[IDR]]
    assert camera.assembler.counts["fu_odd"] == 1


@pytest.mark.parametrize("lost", range(3))
def test_a_lost_fragment_damages_its_picture(lost: int) -> None:
    camera = Camera().send(1, SPS)
    for index, part in enumerate(fu(IDR)):
        if index == lost:
            camera.lose()
        else:
            camera.send(1, part)
    units = camera.send(1, IDR_2).send(2, P_1).end()
    assert nals(units) == [[SPS, IDR_2], [P_1]]
    assert flags(units) == [True, False]


def test_a_picture_behind_a_loss_comes_whole_in_fragments() -> None:
    units = Camera().send(1, P_1).lose().send(2, *fu(IDR)).send(3, P_1).end()
    assert nals(units) == [[P_1], [IDR], [P_1]]
    assert flags(units) == [True, True, False]


def test_a_marker_ends_a_nal_unit_behind_a_loss_too() -> None:
    first, middle, last = fu(IDR)
    open_end = last[:1] + bytes([last[1] & ~0x40]) + last[2:]
    units = Camera().send(1, P_1).lose().send(2, first, middle, (open_end, M)).send(3, P_1).end()
    assert nals(units) == [[P_1], [IDR], [P_1]]


def test_an_unfinished_nal_unit_at_the_end_marks_its_picture() -> None:
    units = Camera().send(1, P_1, *fragments(H264, P_2, 4)[:2]).end()
    assert nals(units) == [[P_1]]
    assert flags(units) == [True]


def test_an_aggregate_gives_its_nal_units_in_order() -> None:
    units = Camera().send(1, aggregate(H264, [SPS, PPS, SEI, IDR])).end()
    assert nals(units) == [[SPS, PPS, SEI, IDR]]


def test_zeros_behind_an_aggregate_are_padding() -> None:
    for zeros in range(1, 6):
        camera = Camera().send(1, aggregate(H264, [SPS, PPS]) + bytes(zeros), IDR)
        assert nals(camera.end()) == [[SPS, PPS, IDR]]
        assert not camera.units[0].damaged


def test_an_aggregate_that_promises_too_much_keeps_what_is_whole() -> None:
    camera = Camera().send(1, aggregate(H264, [SPS, PPS])[:-1], IDR)
    assert camera.faults == ["RFC 6184 5.7.1 size (short at byte 11)"]
    assert nals(camera.end()) == [[SPS, IDR]]
    assert flags(camera.units) == [True]


def test_an_aggregate_may_hold_two_pictures() -> None:
    units = Camera().send(1, aggregate(H264, [P_1, P_2, P_1, AUD, P_1])).end()
    assert nals(units) == [[P_1, P_2], [P_1], [AUD, P_1]]
    units = Camera().send(1, aggregate(H264, [P_1, P_1, SPS])).send(2, PPS, IDR).end()
    assert nals(units) == [[P_1], [P_1], [SPS, PPS, IDR]]


@pytest.mark.parametrize("code", [b"\0\0\1", b"\0\0\0\1"], ids=["three", "four"])
@pytest.mark.parametrize("lead", [False, True], ids=["between", "first"])
def test_start_codes_inside_a_single_packet_split_it(code: bytes, lead: bool) -> None:
    inside = (code if lead else b"") + code.join([SPS, PPS, IDR])
    camera = Camera().send(1, inside).send(2, P_1)
    assert nals(camera.end()) == [[SPS, PPS, IDR], [P_1]]
    assert camera.assembler.counts["start_codes_inside"] == 1
    assert flags(camera.units) == [False, False]


@pytest.mark.parametrize("room_bytes", range(3, 20))
def test_a_start_code_may_straddle_fragments(room_bytes: int) -> None:
    inside = b"\0\0\0\1".join([SPS, PPS, IDR])
    camera = Camera().send(1, *fragments(H264, inside, room_bytes)).send(2, P_1)
    assert nals(camera.end()) == [[SPS, PPS, IDR], [P_1]]


def test_start_codes_inside_h265_and_aggregates_split() -> None:
    inside = b"\0\0\1".join([H265_SPS, H265_PPS])
    units = Camera(H265).send(1, aggregate(H265, [H265_VPS, inside]), H265_IDR).end()
    assert nals(units) == [[H265_VPS, H265_SPS, H265_PPS, H265_IDR]]


def test_zeros_behind_a_nal_unit_are_not_part_of_it() -> None:
    assert nals(Camera().send(1, SPS + b"\0\0\0", IDR + b"\0").end()) == [[SPS, IDR]]
    assert nals(Camera().send(1, SPS + b"\0\0\1", IDR + b"\0\0\0\1").end()) == [[SPS, IDR]]


@pytest.mark.parametrize("first", [0x00, 0x60], ids=["type 0", "type 0 with nal_ref_idc"])
def test_a_nal_unit_of_a_forbidden_type_is_dropped(first: int) -> None:
    camera = Camera().send(1, bytes([first, 1, 2, 3]), IDR)
    assert nals(camera.end()) == [[IDR]]
    assert camera.assembler.counts["nals_dropped"] == 1


@pytest.mark.parametrize("kind", [30, 31])
def test_a_packet_type_that_is_not_handled_is_a_fault(kind: int) -> None:
    camera = Camera().send(1, bytes([0x60 | kind, 1, 2, 3]), IDR)
    assert camera.faults == ["RFC 6184 5.2 type (value at byte 0)"]
    assert nals(camera.end()) == [[IDR]]


def test_an_aggregate_inside_an_aggregate_is_dropped() -> None:
    inner = aggregate(H264, [SPS])
    assert nals(Camera().send(1, aggregate(H264, [inner, PPS]), IDR).end()) == [[PPS, IDR]]


def test_other_layers_and_temporal_id_0_are_dropped() -> None:
    layer_1 = bytes([H265_TRAIL[0], 0x09]) + H265_TRAIL[2:]
    no_temporal_id = bytes([H265_TRAIL[0], 0x00]) + H265_TRAIL[2:]
    camera = Camera(H265).send(1, H265_TRAIL, layer_1, no_temporal_id)
    assert nals(camera.end()) == [[H265_TRAIL]]
    assert camera.assembler.counts["nals_dropped"] == 2


def test_an_h265_packet_type_that_is_not_handled_is_a_fault() -> None:
    camera = Camera(H265).send(1, bytes([51 << 1, 1, 0, 0]), H265_IDR, bytes([1]))
    assert camera.faults == [
        "RFC 7798 4.4 Type (value at byte 0)",
        "RFC 7798 4.4 payload header (short at byte 1)",
    ]
    assert nals(camera.end()) == [[H265_IDR]]
