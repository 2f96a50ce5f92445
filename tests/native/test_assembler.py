"""From packets to access units: where one ends, what it is, how much it may hold."""

from __future__ import annotations

import pytest

from assembler_rig import (
    AUD,
    ENDED,
    H265_BLA,
    H265_CRA,
    H265_IDR,
    H265_IDR_2,
    H265_PPS,
    H265_RASL,
    H265_SPS,
    H265_SUFFIX_SEI,
    H265_TRAIL,
    H265_VPS,
    I_1,
    IDR,
    IDR_2,
    P_1,
    P_2,
    PPS,
    RECOVERY,
    SEI,
    SPS,
    M,
    flags,
    nals,
    trusted,
)
from packetiser import (
    H265,
)
from rtp_camera import Camera
from vonggac._native.assembler import (
    MARKER_TRUST,
    NAL_UNITS_MAX,
    SYNC_BLA,
    SYNC_CRA,
    SYNC_IDR,
    SYNC_NONE,
    SYNC_RECOVERY,
)


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
    assert [unit.kind for unit in units] == [SYNC_NONE, SYNC_IDR, SYNC_NONE]


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


def test_a_marker_ends_nothing_until_it_was_right_often_enough() -> None:
    camera = Camera()
    for i in range(MARKER_TRUST):
        camera.send(i, (P_1, M))
        assert len(camera.units) == i
    camera.send(100, (P_1, M))
    assert len(camera.units) == MARKER_TRUST + 1


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


def test_an_intra_picture_with_a_recovery_point_is_an_entry() -> None:
    units = Camera().send(1, RECOVERY, I_1).send(2, RECOVERY, P_1).send(3, I_1).end()
    kinds = [unit.kind for unit in units]
    assert kinds == [SYNC_RECOVERY, SYNC_NONE, SYNC_NONE]


def test_a_recovery_point_behind_other_messages_is_found() -> None:
    sei = bytes.fromhex("06" + "05ff05" + "11" * 260 + "06" + "01" + "c4" + "80")
    assert Camera().send(1, sei, I_1).end()[0].kind == SYNC_RECOVERY


def test_a_recovery_that_takes_frames_is_no_entry() -> None:
    sei = bytes.fromhex("06" + "0601" + "44" + "80")
    assert Camera().send(1, sei, I_1).end()[0].kind == SYNC_NONE


@pytest.mark.parametrize(
    ("nal", "kind", "leading"),
    [
        pytest.param(H265_IDR, SYNC_IDR, False, id="idr"),
        pytest.param(H265_CRA, SYNC_CRA, False, id="cra"),
        pytest.param(H265_BLA, SYNC_BLA, False, id="bla"),
        pytest.param(H265_RASL, SYNC_NONE, True, id="rasl"),
        pytest.param(H265_TRAIL, SYNC_NONE, False, id="trail"),
    ],
)
def test_h265_pictures_are_told_apart(nal: bytes, kind: int, leading: bool) -> None:
    unit = Camera(H265).send(1, nal).end()[0]
    assert (unit.kind, unit.leading) == (kind, leading)


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
    camera = Camera().send(1, P_1, *[P_2] * NAL_UNITS_MAX).send(2, P_1).send(3, P_1)
    assert nals(camera.end()) == [[P_1], [P_1]]
    assert flags(camera.units) == [True, False]


def test_timestamps_that_never_change_do_not_stop_the_stream_after_a_large_picture() -> None:
    camera = Camera(capacity_bytes=100)
    camera.send(1, P_1, *[P_2] * 30, (P_2, M))
    for _ in range(3):
        camera.send(1, (P_1, M))
    assert nals(camera.end()) == [[P_1]] * 3
