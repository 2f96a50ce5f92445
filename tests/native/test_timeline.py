"""Media time, wall time, decode order (vg/timeline.h)."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vonggac._native.chunker import Reorder, Timeline

FRAME = 3600
FRAME_NS = 40_000_000
START_NS = 1_763_700_000_000_000_000
SECOND_NS = 1_000_000_000


def test_media_time_counts_from_the_first_timestamp() -> None:
    t = Timeline()
    assert [t.media(x) for x in (77_000, 80_600, 84_200)] == [0, FRAME, 2 * FRAME]


def test_media_time_goes_on_through_the_wrap() -> None:
    t = Timeline()
    t.media(0xFFFF_FFFF - 100)
    assert t.media((0xFFFF_FFFF - 100 + FRAME) & 0xFFFF_FFFF) == FRAME


def test_media_time_steps_back_with_b_pictures() -> None:
    t = Timeline()
    assert [t.media(x * FRAME) for x in (0, 3, 1, 2, 6)] == [x * FRAME for x in (0, 3, 1, 2, 6)]


def test_a_single_frame_stamped_hours_away_is_put_one_frame_on() -> None:
    """Intelbras DVRs stamp single frames up to 37,600 s ahead (rtsp.md row 79)."""
    t = Timeline()
    seen = [t.media(x) for x in (0, FRAME, 2 * FRAME, 37_600 * 90_000 % 2**32, 4 * FRAME)]
    assert seen == [0, FRAME, 2 * FRAME, 3 * FRAME, 4 * FRAME]
    assert t.outliers == 1


def test_three_outliers_in_a_row_are_a_new_timeline() -> None:
    t = Timeline()
    for n in range(10):
        t.media(n * FRAME)
    far = 1_000_000_000
    seen = [t.media(far + n * FRAME) for n in range(5)]
    assert seen == [(10 + n) * FRAME for n in range(5)]


def test_a_restart_at_zero_goes_on_where_it_was() -> None:
    """Timestamps that restart (rtsp.md row 80)."""
    t = Timeline()
    for n in range(100):
        t.media(1_000_000_000 + n * FRAME)
    seen = [t.media(n * FRAME) for n in range(4)]
    assert seen == [(100 + n) * FRAME for n in range(4)]


def arrive(t: Timeline, count: int, spacing: int = FRAME, arrival: int = FRAME_NS) -> list[int]:
    return [t.wall(n * spacing, START_NS + n * arrival)[0] for n in range(count)]


def test_wall_time_is_spacing_when_arrival_agrees() -> None:
    assert arrive(Timeline(), 5) == [START_NS + n * FRAME_NS for n in range(5)]


def test_jitter_below_the_dead_band_moves_nothing() -> None:
    t = Timeline()
    walls = [t.wall(n * FRAME, START_NS + n * FRAME_NS + n % 4 * 10_000_000) for n in range(200)]
    assert walls == [(START_NS + n * FRAME_NS, False) for n in range(200)]


def test_a_burst_after_a_stall_moves_wall_time_by_no_more_than_the_dead_band() -> None:
    """Wi-Fi holds three seconds back, then delivers them at once."""
    t = Timeline()
    arrive(t, 100)
    late = START_NS + 175 * FRAME_NS
    for n in range(100, 175):
        wall, reanchored = t.wall(n * FRAME, late)
        assert not reanchored
        assert abs(wall - (START_NS + n * FRAME_NS)) < 40_000_000


def test_a_start_with_pictures_that_waited_is_put_right_within_seconds() -> None:
    """A camera's cached GOP (rtsp.md row 83), or what a killed loop had left in its sockets."""
    t = Timeline()
    waited = 25
    walls = []
    for n in range(waited + 25 * 10):
        wall, reanchored = t.wall(n * FRAME, START_NS + max(0, n - waited) * FRAME_NS)
        assert not reanchored
        walls.append(wall)
    assert walls == sorted(set(walls))
    assert abs(walls[-1] - (START_NS + (25 * 10 - 1) * FRAME_NS)) <= 40_000_000


def test_a_camera_that_sends_21_of_25_has_no_hole_and_keeps_to_wall_time() -> None:
    """rtsp.md row 81: it is set anew every ten seconds or so, always forward."""
    t = Timeline()
    arrival = SECOND_NS // 21
    walls = arrive(t, 21 * 60, FRAME, arrival)
    assert walls == sorted(walls)
    assert abs(walls[-1] - (START_NS + (21 * 60 - 1) * arrival)) < 2_500_000_000


def test_a_clock_that_is_a_little_fast_is_followed_without_a_break() -> None:
    t = Timeline()
    arrival = FRAME_NS * 1002 // 1000
    seen = [t.wall(n * FRAME, START_NS + n * arrival) for n in range(25 * 600)]
    assert not any(reanchored for _wall, reanchored in seen)
    assert abs(seen[-1][0] - (START_NS + (25 * 600 - 1) * arrival)) < 100_000_000


def test_an_outage_sets_wall_time_anew_and_says_so() -> None:
    t = Timeline()
    arrive(t, 100)
    outage = 60 * SECOND_NS
    seen = [t.wall(n * FRAME, START_NS + n * FRAME_NS + outage) for n in range(100, 200)]
    assert sum(reanchored for _wall, reanchored in seen) == 1
    assert seen[-1][0] == START_NS + 199 * FRAME_NS + outage


def test_wall_time_goes_on_where_timestamps_stand_still() -> None:
    """All stamps equal (rtsp.md row 83): decode times are then one tick apart."""
    t = Timeline()
    for n in range(25 * 120):
        arrival = START_NS + n * FRAME_NS
        wall, _reanchored = t.wall(n, arrival)
        assert arrival - 5 * SECOND_NS < wall <= arrival


def test_wall_time_does_not_run_away_with_timestamps_that_do() -> None:
    t = Timeline()
    for n in range(25 * 600):
        arrival = START_NS + n * FRAME_NS
        wall, _reanchored = t.wall(10 * n * FRAME, arrival)
        assert arrival <= wall < arrival + 11 * SECOND_NS


def test_a_flood_of_two_thousand_pictures_is_ten_seconds_ahead_and_no_more() -> None:
    """As a publisher sends them who has stored them: 80 s of pictures in a tenth of a second."""
    t = Timeline()
    seen = [t.wall(n * FRAME, START_NS) for n in range(2000)]
    assert 10 * SECOND_NS < seen[-1][0] - START_NS < 11 * SECOND_NS
    assert seen[-1][1]


_STEPS = st.tuples(
    st.sampled_from((1, 90, FRAME, 90_000, 450_000)),  # the last one: VG_JUMP_TICKS
    st.sampled_from((0, 1_000, 20_000_000, 100_000_000, SECOND_NS, 12 * SECOND_NS)),
    st.integers(1, 300),
)


@given(st.lists(_STEPS, max_size=8))
def test_no_camera_brings_wall_time_eleven_seconds_ahead_of_arrival(
    steps: list[tuple[int, int, int]],
) -> None:
    t, decode, arrival = Timeline(), 0, START_NS
    for spacing, elapsed, count in steps:
        for _ in range(count):
            decode, arrival = decode + spacing, arrival + elapsed
            assert t.wall(decode, arrival)[0] < arrival + 10_700_000_000


def test_a_clock_set_back_never_takes_wall_time_back() -> None:
    t = Timeline()
    arrive(t, 100)
    step = 60 * SECOND_NS
    seen = [t.wall(n * FRAME, START_NS + n * FRAME_NS - step) for n in range(100, 3000)]
    walls = [wall for wall, _reanchored in seen]
    assert walls == sorted(set(walls))
    assert seen[0][1]
    assert abs(walls[-1] - (START_NS + 2999 * FRAME_NS - step)) < 100_000_000


def decode_all(depth: int, presentation: list[int]) -> list[int]:
    r = Reorder(depth)
    known = [d for p in presentation for d in r.push(p)]
    return known + r.flush()


def test_without_b_pictures_decode_is_presentation_at_once() -> None:
    r = Reorder(0)
    assert [r.push(n * FRAME) for n in range(3)] == [[0], [FRAME], [2 * FRAME]]


def test_the_nth_decoded_picture_decodes_at_the_nth_presentation_time() -> None:
    assert decode_all(2, [0, 4, 2, 1, 3, 8, 6, 5, 7]) == list(range(9))


def test_a_depth_that_is_not_told_is_learnt_from_the_first_step_back() -> None:
    r = Reorder(-1)
    for p in (0, 3, 1, 2, 6, 4, 5, 9, 7, 8):
        r.push(p * FRAME)
    assert r.depth == 1


def test_a_clock_that_steps_back_a_second_is_no_b_picture() -> None:
    r = Reorder(-1)
    for n in range(50):
        r.push(n * FRAME)
    r.push(20 * FRAME)
    assert r.depth == 0


@given(
    st.integers(-1, 16),
    st.lists(st.integers(-(10**9), 10**9), max_size=80),
)
def test_decode_times_always_rise_and_one_comes_for_each(depth: int, times: list[int]) -> None:
    decode = decode_all(depth, times)
    assert len(decode) == len(times)
    assert all(a < b for a, b in pairwise(decode))
    assert all(d >= 0 for d in decode)


@given(st.lists(st.integers(0, 2**32 - 1), max_size=60))
@pytest.mark.filterwarnings("error")
def test_no_timestamp_moves_media_time_further_than_the_bound(times: list[int]) -> None:
    t = Timeline()
    last = 0
    for time in times:
        now = t.media(time)
        assert abs(now - last) <= 5 * 90_000
        last = now


@given(st.lists(st.tuples(st.integers(0, 10**6), st.integers(-(10**12), 10**12)), max_size=60))
def test_wall_time_never_goes_back(steps: list[tuple[int, int]]) -> None:
    t = Timeline()
    decode = 0
    last = 0
    for spacing, error in steps:
        decode += spacing
        wall, _reanchored = t.wall(decode, START_NS + decode * 100_000 // 9 + error)
        assert wall >= last
        last = wall
