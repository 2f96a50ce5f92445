"""From packets to access units: every NAL unit once, in order, whatever the camera does."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from packetiser import (
    H264,
    H265,
    Sender,
    access_units,
    aggregate,
    fragments,
    rtp,
    split_annex_b,
)
from rtp_camera import Camera
from vonggac._native import parse

P, M = False, True
"""Plain and marked."""

SPS = bytes.fromhex("6764001facb4")
PPS = bytes.fromhex("68ee3cb0")
SEI = bytes.fromhex("0605040102030480")
RECOVERY = bytes.fromhex("060601c480")
"""recovery_frame_cnt 0."""
AUD = bytes.fromhex("09f0")
IDR = bytes.fromhex("65888400aabbccdd")
IDR_2 = bytes.fromhex("654480aabbcc")
"""A second slice: first_mb_in_slice is 1."""
P_1 = bytes.fromhex("419a0102030405")
P_2 = bytes.fromhex("415480060708")
I_1 = bytes.fromhex("41b80405060708")
"""slice_type 7: all of the picture is intra."""
ENDED = bytes.fromhex("0a")

H265_VPS = bytes.fromhex("40010c01ffff")
H265_SPS = bytes.fromhex("420101016080")
H265_PPS = bytes.fromhex("4401c172b0")
H265_IDR = bytes.fromhex("2601af0102030405")
H265_IDR_2 = bytes.fromhex("26012f0102030405")
H265_CRA = bytes.fromhex("2a01af0a0b0c")
H265_BLA = bytes.fromhex("2001af0a0b0c")
H265_RASL = bytes.fromhex("1001d00a0b0c")
H265_TRAIL = bytes.fromhex("0201d00a0b0c")
H265_SUFFIX_SEI = bytes.fromhex("5001840102")


def nals(units: Iterable[parse.AccessUnit]) -> list[list[bytes]]:
    return [unit.nals for unit in units]


def flags(units: Iterable[parse.AccessUnit]) -> list[bool]:
    return [unit.damaged for unit in units]


def trusted() -> Camera:
    """A camera whose marker is believed; what it sent up to here is forgotten."""
    camera = Camera()
    for i in range(parse.MARKER_TRUST + 1):
        camera.send(i * 10, (P_1, M))
    camera.send(1000, (P_1, M))
    camera.units.clear()
    return camera


# Where an access unit ends


def test_an_access_unit_ends_where_the_timestamp_changes() -> None:
    camera = Camera().send(1, IDR, IDR_2)
    assert camera.units == []
    camera.send(2, P_1)
    assert nals(camera.units) == [[IDR, IDR_2]]
    assert camera.units[0].timestamp == 1
    assert nals(camera.end()) == [[IDR, IDR_2], [P_1]]


def test_a_first_slice_begins_an_access_unit_even_with_the_same_timestamp() -> None:
    units = Camera().send(7, P_1, P_2, P_1, P_2).end()
    assert nals(units) == [[P_1, P_2], [P_1, P_2]]


def test_what_precedes_a_slice_belongs_to_the_following_access_unit() -> None:
    units = Camera().send(1, P_1).send(2, AUD, SPS, PPS, SEI, IDR).send(3, P_1).end()
    assert nals(units) == [[P_1], [AUD, SPS, PPS, SEI, IDR], [P_1]]
    assert [unit.kind for unit in units] == [parse.SYNC_NONE, parse.SYNC_IDR, parse.SYNC_NONE]


def test_parameter_sets_with_the_timestamp_of_the_picture_before_go_to_the_next() -> None:
    units = Camera().send(1, P_1, SPS, PPS).send(2, IDR).end()
    assert nals(units) == [[P_1], [SPS, PPS, IDR]]
    assert [unit.timestamp for unit in units] == [1, 2]


@pytest.mark.parametrize("kind", [6, 7, 8, 9, 14, 15, 16, 17, 18])
def test_these_types_begin_the_next_access_unit(kind: int) -> None:
    nal = bytes([kind, 0x80, 0x80])
    assert nals(Camera().send(1, P_1, nal, P_1).end()) == [[P_1], [nal, P_1]]


@pytest.mark.parametrize("kind", [10, 11, 12, 13, 19, 20, 21, 22, 23])
def test_these_types_stay_with_the_open_access_unit(kind: int) -> None:
    nal = bytes([kind, 0x80, 0x80])
    assert nals(Camera().send(1, P_1, nal, P_1).end()) == [[P_1, nal], [P_1]]


def test_an_end_of_sequence_stays_with_its_picture() -> None:
    assert nals(Camera().send(1, IDR, ENDED).send(2, IDR).end()) == [[IDR, ENDED], [IDR]]


def test_a_suffix_sei_stays_and_a_prefix_goes() -> None:
    camera = Camera(H265).send(1, H265_TRAIL, H265_SUFFIX_SEI, H265_VPS, H265_SPS, H265_PPS)
    units = camera.send(2, H265_IDR, H265_IDR_2).end()
    assert nals(units) == [
        [H265_TRAIL, H265_SUFFIX_SEI],
        [H265_VPS, H265_SPS, H265_PPS, H265_IDR, H265_IDR_2],
    ]


def test_sei_between_slices_of_one_picture_does_not_split_it() -> None:
    assert nals(Camera().send(1, P_1, SEI, P_2).send(2, P_1).end()) == [[P_1, SEI, P_2], [P_1]]


def test_parameter_sets_at_the_end_are_delivered_without_a_picture() -> None:
    units = Camera().send(1, IDR, SPS, PPS).end()
    assert nals(units) == [[IDR], [SPS, PPS]]
    assert [unit.is_picture for unit in units] == [True, False]


# The marker


def test_a_marker_ends_nothing_until_it_was_right_often_enough() -> None:
    camera = Camera()
    for i in range(parse.MARKER_TRUST):
        camera.send(i, (P_1, M))
        assert len(camera.units) == i
    camera.send(100, (P_1, M))
    assert len(camera.units) == parse.MARKER_TRUST + 1


def test_a_trusted_marker_ends_an_access_unit_at_once() -> None:
    camera = trusted().send(2000, P_1, (P_2, M))
    assert nals(camera.units) == [[P_1, P_2]]


def test_a_trusted_marker_on_parameter_sets_ends_nothing() -> None:
    camera = trusted().send(2000, (SPS, M), (PPS, M))
    assert camera.units == []
    assert nals(camera.send(2000, (IDR, M)).end()) == [[SPS, PPS, IDR]]


def test_a_marker_that_was_wrong_once_is_never_believed_again() -> None:
    camera = trusted().send(2000, (P_1, M), (P_2, M))
    assert camera.assembler.counts["marker_wrong"] == 1
    assert nals(camera.units) == [[P_1]]
    for i in range(40):
        camera.send(3000 + i, (P_1, M))
    assert nals(camera.units[1:3]) == [[P_2], [P_1]]
    assert camera.units[1].damaged
    assert len(camera.units) == 41


def test_a_marker_on_every_slice_is_not_believed() -> None:
    camera = Camera()
    for i in range(40):
        camera.send(i, (P_1, M), (P_2, M))
    assert nals(camera.end()) == [[P_1, P_2]] * 40


def test_no_marker_at_all_still_gives_every_picture() -> None:
    camera = Camera()
    for i in range(40):
        camera.send(i, P_1, P_2)
    assert nals(camera.end()) == [[P_1, P_2]] * 40
    assert flags(camera.units) == [False] * 40


def test_a_lost_marker_is_not_held_against_the_camera() -> None:
    camera = trusted().send(2000, P_1).lose().send(3000, (P_1, M)).send(4000, (P_1, M))
    assert camera.assembler.counts["marker_wrong"] == 0
    assert flags(camera.units) == [True, True, False]


# How it can be entered


def test_an_intra_picture_with_a_recovery_point_is_an_entry() -> None:
    units = Camera().send(1, RECOVERY, I_1).send(2, RECOVERY, P_1).send(3, I_1).end()
    kinds = [unit.kind for unit in units]
    assert kinds == [parse.SYNC_RECOVERY, parse.SYNC_NONE, parse.SYNC_NONE]


def test_a_recovery_point_behind_other_messages_is_found() -> None:
    sei = bytes.fromhex("06" + "05ff05" + "11" * 260 + "06" + "01" + "c4" + "80")
    assert Camera().send(1, sei, I_1).end()[0].kind == parse.SYNC_RECOVERY


def test_a_recovery_that_takes_frames_is_no_entry() -> None:
    sei = bytes.fromhex("06" + "0601" + "44" + "80")
    assert Camera().send(1, sei, I_1).end()[0].kind == parse.SYNC_NONE


@pytest.mark.parametrize(
    ("nal", "kind", "leading"),
    [
        pytest.param(H265_IDR, parse.SYNC_IDR, False, id="idr"),
        pytest.param(H265_CRA, parse.SYNC_CRA, False, id="cra"),
        pytest.param(H265_BLA, parse.SYNC_BLA, False, id="bla"),
        pytest.param(H265_RASL, parse.SYNC_NONE, True, id="rasl"),
        pytest.param(H265_TRAIL, parse.SYNC_NONE, False, id="trail"),
    ],
)
def test_h265_pictures_are_told_apart(nal: bytes, kind: int, leading: bool) -> None:
    unit = Camera(H265).send(1, nal).end()[0]
    assert (unit.kind, unit.leading) == (kind, leading)


# Fragments


def fu(nal: bytes, room_bytes: int = 5) -> list[bytes]:
    return fragments(H264, nal, room_bytes)


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


# Aggregates


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


# Annex B where it does not belong


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


# What is dropped


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


def test_an_empty_packet_is_nothing() -> None:
    camera = Camera().send(1, IDR, b"").send(2, P_1)
    assert nals(camera.end()) == [[IDR], [P_1]]
    assert flags(camera.units) == [False, False]


# Which packets count


def test_other_payload_types_do_not_touch_the_sequence() -> None:
    camera = Camera().send(1, IDR)
    for kind in (50, 112):
        camera.raw(rtp(b"junk", sequence=camera.sequence - 1, timestamp=9, payload_type=kind))
    camera.send(2, P_1)
    assert nals(camera.end()) == [[IDR], [P_1]]
    assert camera.assembler.counts["packets_foreign"] == 2
    assert camera.assembler.counts["packets_lost"] == 0
    assert camera.assembler.counts["packets_duplicate"] == 0


def test_a_duplicate_is_dropped() -> None:
    camera = Camera().send(1, IDR)
    camera.sequence -= 1
    camera.send(1, IDR).send(2, P_1)
    assert nals(camera.end()) == [[IDR], [P_1]]
    assert camera.assembler.counts["packets_duplicate"] == 1
    assert flags(camera.units) == [False, False]


def test_a_camera_that_sends_everything_twice_loses_nothing() -> None:
    camera = Camera()
    for i in range(20):
        camera.send(i, (P_1, M))
        camera.sequence -= 1
        camera.send(i, (P_1, M))
    assert nals(camera.end()) == [[P_1]] * 20
    assert not any(flags(camera.units))
    assert camera.assembler.counts["packets_duplicate"] == 20


def test_a_loss_between_pictures_of_one_timestamp_marks_both() -> None:
    assert flags(Camera().send(1, P_1).lose().send(1, P_1).send(2, P_1).end()) == [
        True,
        True,
        False,
    ]


def test_lost_packets_are_counted_and_mark_both_sides() -> None:
    camera = Camera().send(1, IDR).lose(3).send(2, P_1).send(3, P_1)
    assert flags(camera.end()) == [True, True, False]
    assert camera.assembler.counts["packets_lost"] == 3
    assert camera.assembler.counts["damaged"] == 2


def test_a_marker_says_that_what_came_before_a_loss_was_whole() -> None:
    camera = Camera().send(1, (P_1, M)).lose().send(3, (P_1, M)).send(4, (P_1, M))
    assert flags(camera.end()) == [False, True, False]


def test_a_sequence_that_begins_anew_is_followed_after_three_packets() -> None:
    camera = Camera()
    camera.sequence = 40000
    camera.send(1, IDR)
    camera.sequence = 20000
    for i in range(6):
        camera.send(2 + i, (P_1, M))
    assert [unit.timestamp for unit in camera.end()] == [1, 4, 5, 6, 7]
    assert flags(camera.units) == [True, True, False, False, False]


def other(camera: Camera, ssrc: int, timestamp: int, payload: bytes) -> None:
    camera.raw(rtp(payload, sequence=camera.sequence, timestamp=timestamp, ssrc=ssrc))
    camera.sequence += 1


def test_a_few_packets_of_an_old_session_are_dropped() -> None:
    camera = Camera().send(1, (IDR, M))
    for round_ in range(4):
        camera.raw(rtp(P_2, sequence=9, timestamp=77, ssrc=5))
        camera.raw(rtp(P_2, sequence=10, timestamp=77, ssrc=5))
        camera.send(2 + round_, (P_1, M))
    assert nals(camera.end()) == [[IDR], *[[P_1]] * 4]
    assert camera.assembler.counts["packets_foreign"] == 8
    assert not any(flags(camera.units))


def test_another_ssrc_is_adopted_after_three_packets() -> None:
    camera = Camera().send(1, (IDR, M))
    for i in range(4):
        other(camera, 5, 100 + i, IDR)
    units = camera.end()
    assert [unit.timestamp for unit in units] == [1, 102, 103]
    assert flags(units) == [False, True, False]


def test_a_new_ssrc_ends_the_access_unit_even_with_the_same_timestamp() -> None:
    camera = Camera().send(1, (IDR, M))
    for _ in range(3):
        other(camera, 5, 1, IDR_2)
    assert nals(camera.end()) == [[IDR], [IDR_2]]


# Holes and limits


def test_a_hole_in_the_connection_marks_what_is_being_put_together() -> None:
    camera = Camera().send(1, IDR)
    camera.assembler.mark_hole()
    assert flags(camera.send(2, P_1).send(3, P_1).end()) == [True, True, False]


def test_a_hole_drops_an_unfinished_nal_unit() -> None:
    first, middle, last = fu(IDR)
    camera = Camera().send(1, SPS, first, middle)
    camera.assembler.mark_hole()
    assert nals(camera.send(1, last).send(2, P_1).end()) == [[SPS, P_1]]


def test_an_access_unit_without_room_is_dropped_and_the_next_is_marked() -> None:
    camera = Camera(capacity_bytes=100)
    for i in range(4):
        size = 120 if i == 1 else 20
        camera.send(i, *[P_1[:2] + bytes([7]) * 18, *[P_2[:2] + bytes([7]) * 18] * (size // 20)])
    units = camera.end()
    assert [unit.timestamp for unit in units] == [0, 2, 3]
    assert flags(units) == [False, True, False]
    assert camera.assembler.counts["damaged"] == 2


def test_an_access_unit_that_just_fits_is_kept() -> None:
    full = P_1[:2] + bytes([7]) * 98
    camera = Camera(capacity_bytes=100)
    for i in range(4):
        camera.send(i, full)
    assert nals(camera.end()) == [[full]] * 4


def test_more_nal_units_than_the_limit_are_dropped() -> None:
    camera = Camera().send(1, P_1, *[P_2] * parse.NAL_UNITS_MAX).send(2, P_1).send(3, P_1)
    assert nals(camera.end()) == [[P_1], [P_1]]
    assert flags(camera.units) == [True, False]


def test_timestamps_that_never_change_do_not_stop_the_stream_after_a_large_picture() -> None:
    camera = Camera(capacity_bytes=100)
    camera.send(1, P_1, *[P_2] * 30, (P_2, M))
    for _ in range(3):
        camera.send(1, (P_1, M))
    assert nals(camera.end()) == [[P_1]] * 3


# Whole streams


def stream_files(fixtures: Path) -> list[tuple[int, Path]]:
    video = fixtures / "video" / "dev"
    found = [(H264, path) for path in sorted((video / "h264").iterdir())]
    found += [(H265, path) for path in sorted((video / "h265").iterdir())]
    found.append((H264, video / "cctv" / "aws_h264SampleFrames.h264"))
    known = (".264", ".h264", ".h265", ".jsv")
    return [(codec, path) for codec, path in found if path.suffix in known]


def through(codec: int, packets: Iterable[bytes]) -> Camera:
    camera = Camera(codec, parse.ACCESS_UNIT_BYTES_MAX)
    for packet in packets:
        camera.raw(packet)
    camera.end()
    return camera


@pytest.mark.parametrize(
    ("mtu_bytes", "joined", "marker"),
    [
        pytest.param(1400, False, "last", id="usual"),
        pytest.param(1400, True, "last", id="aggregates"),
        pytest.param(240, True, "none", id="small packets without marker"),
        pytest.param(65000, False, "all", id="one packet a slice, all marked"),
    ],
)
def test_recorded_streams_come_out_bit_by_bit(
    fixtures: Path, mtu_bytes: int, joined: bool, marker: str
) -> None:
    checked = 0
    for codec, path in stream_files(fixtures):
        units = access_units(codec, split_annex_b(path.read_bytes()))
        if max(len(unit) for unit in units) > parse.NAL_UNITS_MAX:
            continue
        camera = through(codec, Sender(codec, mtu_bytes, joined, marker).packets(units))
        assert nals(camera.units) == units, path.name
        assert not any(flags(camera.units)), path.name
        assert camera.faults == [], path.name
        checked += 1
    assert checked > 30


@pytest.mark.parametrize(
    ("name", "pictures", "entries"),
    [
        ("h264/BA_MW_D.264", 100, 4),
        ("h264/minimp4_foreman_slices.264", 300, 15),
        ("h264/Cisco_Men_whisper_640x320_CABAC_Bframe_9.264", 9, 2),
        ("h264/CVFC1_Sony_C.jsv", 50, 1),
        ("h265/input-60-640x480-variable-parameters.h265", 60, 6),
        ("h265/input-300-98x58-conformance-window.h265", 300, 3),
        ("h265/input-15-1280x720-temporal-id-1.h265", 15, 1),
    ],
)
def test_pictures_and_entries_are_as_many_as_the_file_has(
    fixtures: Path, name: str, pictures: int, entries: int
) -> None:
    codec = H264 if name.startswith("h264") else H265
    stream = (fixtures / "video" / "dev" / name).read_bytes()
    # All NAL units with one timestamp, so that only the rule can tell them apart.
    packets = [
        rtp(payload, sequence=index, timestamp=5)
        for index, payload in enumerate(
            part
            for nal in split_annex_b(stream)
            for part in ([nal] if len(nal) < 1000 else fragments(codec, nal, 1000))
        )
    ]
    units = through(codec, packets).units
    assert sum(unit.is_picture for unit in units) == pictures
    assert sum(unit.kind != parse.SYNC_NONE for unit in units) == entries


def spoil(packets: list[bytes], rng: random.Random) -> Iterator[bytes]:
    """Loses, repeats, cuts and flips packets here and there."""
    for packet in packets:
        chance = rng.random()
        if chance < 0.01:
            continue
        if chance < 0.02:
            yield packet
        if chance < 0.03:
            yield packet[: rng.randrange(12, len(packet) + 1)]
            continue
        if chance < 0.04:
            spoiled = bytearray(packet)
            spoiled[rng.randrange(12, len(packet))] ^= 1 << rng.randrange(8)
            yield bytes(spoiled)
            continue
        yield packet


@pytest.mark.parametrize("seed", range(4))
def test_a_spoiled_stream_never_loses_its_step(fixtures: Path, seed: int) -> None:
    rng = random.Random(seed)
    for codec, name in [
        (H264, "h264/minimp4_foreman_slices.264"),
        (H265, "h265/input-60-640x480-variable-parameters.h265"),
    ]:
        stream = (fixtures / "video" / "dev" / name).read_bytes()
        sent = access_units(codec, split_annex_b(stream))
        sender = Sender(codec, 300, joined=seed % 2 == 0)
        camera = through(codec, spoil(list(sender.packets(sent)), rng))
        by_time = {
            (sender.first_timestamp + i * 3600) & 0xFFFFFFFF: unit for i, unit in enumerate(sent)
        }
        assert len(camera.units) > len(sent) // 2
        whole = [u for u in camera.units if not u.damaged and u.timestamp in by_time]
        # What is not marked is what was sent, but for flipped bits, which nothing can see.
        close = sum(len(b"".join(by_time[u.timestamp])) == len(b"".join(u.nals)) for u in whole)
        assert close >= len(whole) * 0.8
        assert len(whole) > len(sent) // 4
