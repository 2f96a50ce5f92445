"""What is lost, comes twice, or belongs to another session."""

from __future__ import annotations

import pytest

from assembler_rig import IDR, IDR_2, P_1, P_2, PPS, SPS, M, flags, fu, nals
from packetiser import rtp
from rtp_camera import Camera


def test_an_empty_packet_is_nothing() -> None:
    camera = Camera().send(1, IDR, b"").send(2, P_1)
    assert nals(camera.end()) == [[IDR], [P_1]]
    assert flags(camera.units) == [False, False]


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


@pytest.mark.parametrize("ends", [False, True], ids=["goes on", "ends"])
def test_a_loss_before_sets_with_the_old_timestamp_marks_the_picture_before(ends: bool) -> None:
    camera = Camera().send(1, P_1).lose().send(1, SPS, PPS)
    if not ends:
        camera.send(2, IDR)
    units = camera.end()
    assert nals(units) == [[P_1], [SPS, PPS] if ends else [SPS, PPS, IDR]]
    assert flags(units) == [True, True]


def test_a_fragment_without_its_start_before_such_sets_marks_it_too() -> None:
    camera = Camera().send(1, IDR, *fu(IDR_2)[1:]).send(1, SPS, PPS).send(2, IDR)
    units = camera.end()
    assert nals(units) == [[IDR], [SPS, PPS, IDR]]
    assert flags(units) == [True, True]


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


def test_a_hole_in_the_connection_marks_what_is_being_put_together() -> None:
    camera = Camera().send(1, IDR)
    camera.assembler.mark_hole()
    assert flags(camera.send(2, P_1).send(3, P_1).end()) == [True, True, False]


def test_a_hole_drops_an_unfinished_nal_unit() -> None:
    first, middle, last = fu(IDR)
    camera = Camera().send(1, SPS, first, middle)
    camera.assembler.mark_hole()
    assert nals(camera.send(1, last).send(2, P_1).end()) == [[SPS, P_1]]
