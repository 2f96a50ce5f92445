"""Durations and presentation times of samples (vg/chunker.h)."""

from __future__ import annotations

from chunker_rig import FRAME, FRAME_NS, START_NS, Stream, samples_of
from loop_rig import PPS
from vonggac.media.chunk import SyncKind


def test_at_a_tick_the_last_sample_takes_the_previous_spacing() -> None:
    s = Stream()
    s.sync()
    for _ in range(9):
        s.picture()
    s.tick()
    assert s.claims[0].duration_ticks == 10 * FRAME


def test_the_error_of_a_tick_goes_into_the_next_duration() -> None:
    s = Stream()
    s.sync()
    s.picture()
    s.tick()  # guesses 3600 for the second picture
    s.chunker.push([(1, b"a")], 1000 + 2 * FRAME + 500, 0, START_NS + 3 * FRAME_NS)
    s.chunker.push([(1, b"a")], 1000 + 3 * FRAME + 500, 0, START_NS + 4 * FRAME_NS)
    s.end()
    second = samples_of(s.chunks()[1][1])
    assert second[0][0] == FRAME + 500
    assert sum(c.duration_ticks for c in s.claims) == 4 * FRAME + 500


def test_a_stall_is_a_hole_and_no_long_sample() -> None:
    s = Stream()
    s.sync()
    for _ in range(24):
        s.picture()
    s.tick()
    s.pictures += 75  # three seconds in which nothing came
    s.picture()
    s.picture()
    s.end()
    first, second = s.claims
    assert first.duration_ticks == 25 * FRAME
    assert second.media_start_ticks == 100 * FRAME
    assert second.duration_ticks == 2 * FRAME
    assert abs(second.wall_start_ns - first.wall_start_ns - 4_000_000_000) < 5 * FRAME_NS


def test_b_pictures_keep_their_presentation_times() -> None:
    high = bytes.fromhex(
        "6764000dacd94141"  # High, 320x180, nothing told about reordering
        "fa10000003001000000303c8f14299600000"
    )
    s = Stream(sps=[high], pps=[PPS])
    order = [0, 3, 1, 2, 6, 4, 5, 9, 7, 8, 12, 10, 11]
    s.picture([(5, b"i")], SyncKind.IDR, at=0)
    for n in order[1:]:
        s.picture([(1, b"b%d" % n)], at=n)
    s.end()
    times = []
    for claim, chunk, _payload in s.chunks():
        decode = claim.media_start_ticks
        for duration, _bytes, offset in samples_of(chunk):
            times.append(decode + offset)
            decode += duration
    assert times == [n * FRAME for n in order]


def test_equal_timestamps_are_spaced_by_arrival() -> None:
    s = Stream()
    s.sync()
    for _ in range(100):
        s.picture(at=0)
    s.end()
    assert 96 * FRAME < sum(c.duration_ticks for c in s.claims) < 102 * FRAME
    walls = [c.wall_start_ns for c in s.claims]
    assert walls == sorted(walls)


def test_two_fields_with_one_timestamp_stay_together() -> None:
    s = Stream()
    s.sync()
    for n in range(1, 11):
        s.picture(at=n)
        s.picture(at=n)
    s.picture(at=11)
    s.end()
    durations = [d for _, chunk, _ in s.chunks() for d, _, _ in samples_of(chunk)]
    assert durations[1:-1] == [1, FRAME - 1] * 10
