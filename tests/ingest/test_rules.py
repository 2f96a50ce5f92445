"""When a camera is tried again, what a gap is called, and where a stream goes."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vonggac.ingest import backoff, gap, placement, quarantine, states
from vonggac.media.chunk import GapReason

SECOND_NS = 1_000_000_000


@pytest.mark.parametrize(
    ("failures", "delay_s"), [(1, 1.0), (2, 2.0), (3, 4.0), (5, 16.0), (6, 30.0), (10_000, 30.0)]
)
def test_the_wait_doubles_to_half_a_minute_and_stays(failures: int, delay_s: float) -> None:
    assert backoff.Backoff().delay_s(failures, chance=0.0) == delay_s


@given(st.integers(1, 100), st.floats(0, 1, exclude_max=True))
def test_chance_shortens_a_wait_by_a_quarter_at_most(failures: int, chance: float) -> None:
    rule = backoff.Backoff()

    assert 0.75 * rule.delay_s(failures, 0.0) <= rule.delay_s(failures, chance)
    assert rule.delay_s(failures, chance) <= rule.delay_s(failures, 0.0)


def test_a_camera_that_is_busy_while_it_boots_was_not_busy_for_as_long_as_it_was_away() -> None:
    failures, away = backoff.Failures(), backoff.Backoff()
    for _ in range(20):
        waited_s = failures.one_more(away, 0.0)
    assert waited_s == away.most_s
    assert failures.one_more(backoff.BUSY, 0.0) == 5.0
    assert failures.one_more(backoff.BUSY, 0.0) == 10.0
    assert failures.one_more(away, 0.0) == away.most_s
    failures.clear()
    assert failures.one_more(away, 0.0) == away.first_s


def test_a_try_that_waited_long_for_an_answer_counts_as_rest() -> None:
    failures, usual = backoff.Failures(), backoff.Backoff()
    waits_s = [failures.one_more(usual, 0.0, spent_s=12.0) for _ in range(6)]
    assert waits_s == [1.0, 1.0, 1.0, 1.0, 4.0, 18.0]


def test_a_camera_that_was_away_for_an_hour_is_asked_soon_while_it_boots() -> None:
    failures, rule = backoff.Failures(), backoff.Backoff()
    for _ in range(20):
        waited_s = failures.one_more(backoff.of_away(rule), 0.0)
    assert waited_s == rule.most_s
    assert failures.one_more(rule, 0.0) == rule.first_s


def test_a_wrong_password_waits_for_minutes() -> None:
    assert backoff.WRONG_PASSWORD.delay_s(1, chance=0.99) >= 60


def test_64_cameras_start_spread_and_within_15_seconds() -> None:
    limiter = backoff.start_limiter(per_second=10.0, now_s=100.0)

    waits = []
    for _ in range(128):  # main and sub
        limiter, wait_s = limiter.take(now_s=100.0)
        waits.append(wait_s)

    assert waits[:10] == [0.0] * 10
    assert sum(w < 1.0 for w in waits) <= 20
    assert 10.0 < waits[-1] <= 13.0


def test_an_idle_limiter_saves_up_one_second_of_starts() -> None:
    limiter = backoff.start_limiter(per_second=2.0, now_s=0.0)
    waits = []
    for _ in range(3):
        limiter, wait_s = limiter.take(now_s=1000.0)
        waits.append(wait_s)

    assert waits == [0.0, 0.0, 0.5]


def test_two_crashes_in_ten_minutes_quarantine() -> None:
    record = quarantine.CrashRecord().crashed(0)
    assert not record.is_quarantined

    assert record.crashed(quarantine.WINDOW_NS - 1).is_quarantined
    assert not record.crashed(quarantine.WINDOW_NS).is_quarantined


def test_a_quarantine_does_not_end_by_itself() -> None:
    record = quarantine.CrashRecord().crashed(0).crashed(1)

    assert record.crashed(10 * quarantine.WINDOW_NS).is_quarantined


def test_the_reason_that_held_longest_names_a_gap() -> None:
    start = 1_000 * SECOND_NS
    one = gap.open_gap(start, 7, GapReason.NETWORK, start)
    one = one.said(GapReason.CAMERA_OFF, start + 2 * SECOND_NS)
    one = one.said(GapReason.REFUSED, start + 3600 * SECOND_NS)

    assert one.reason(start + 3601 * SECOND_NS) == GapReason.CAMERA_OFF
    assert (one.start_ns, one.predecessor) == (start, 7)


def test_a_gap_of_less_than_a_second_has_its_latest_reason() -> None:
    one = gap.open_gap(0, 0, GapReason.NETWORK, 0).said(GapReason.REFUSED, 400_000_000)

    assert one.reason(600_000_000) == GapReason.REFUSED


def test_spells_of_one_reason_add_up() -> None:
    one = gap.open_gap(0, 0, GapReason.REFUSED, 0)
    for turn in range(1, 6):
        reason = GapReason.NETWORK if turn % 2 else GapReason.REFUSED
        one = one.said(reason, turn * 10 * SECOND_NS)

    # refused 0-10, 20-30, 40-50; network 10-20, 30-40 and 50-55
    assert one.reason(55 * SECOND_NS) == GapReason.REFUSED


def test_a_clock_set_back_does_not_break_a_gap() -> None:
    one = gap.open_gap(100 * SECOND_NS, 0, GapReason.NETWORK, 100 * SECOND_NS)
    one = one.said(GapReason.CAMERA_OFF, 10 * SECOND_NS)

    assert one.reason(50 * SECOND_NS) == GapReason.CAMERA_OFF


def test_the_time_before_a_start_counts_as_box_stopped() -> None:
    one = gap.open_gap(0, 3, GapReason.BOX_STOPPED, 3600 * SECOND_NS)
    one = one.said(GapReason.CAMERA_OFF, 3601 * SECOND_NS)

    assert one.reason(3660 * SECOND_NS) == GapReason.BOX_STOPPED


def test_the_fullest_loop_with_room_takes_the_next_camera() -> None:
    loops = [
        placement.LoopLoad(0, 32, False),
        placement.LoopLoad(1, 5, False),
        placement.LoopLoad(2, 9, True),
    ]
    assert placement.choose_loop(loops, False, 32) == 1
    assert placement.choose_loop(loops, True, 32) == 2


def test_a_household_camera_never_shares_a_loop_with_the_state() -> None:
    assert placement.choose_loop([placement.LoopLoad(0, 1, False)], True, 32) is None


@given(st.lists(st.booleans(), max_size=200), st.integers(1, 32))
def test_no_loop_takes_more_cameras_than_allowed(cameras: list[bool], most: int) -> None:
    loops: list[placement.LoopLoad] = []
    for household in cameras:
        number = placement.choose_loop(loops, household, most)
        if number is None:
            loops.append(placement.LoopLoad(len(loops), 1, household))
        else:
            old = loops[number]
            loops[number] = placement.LoopLoad(number, old.cameras + 1, old.is_household)

    assert sum(x.cameras for x in loops) == len(cameras)
    assert all(x.cameras <= most for x in loops)
    for household in (True, False):
        assert sum(x.cameras < most for x in loops if x.is_household == household) <= 1


def test_streams_share_disks_by_their_segments() -> None:
    streams = {0: 0, 1: 0}
    for _ in range(30):
        disks = [placement.DiskLoad(0, streams[0], 200), placement.DiskLoad(1, streams[1], 100)]
        slot = placement.choose_disk(disks)
        assert slot is not None
        streams[slot] += 1

    assert streams == {0: 20, 1: 10}


def test_a_stream_stays_on_the_disk_of_its_open_segment() -> None:
    disks = [placement.DiskLoad(0, 0, 1000), placement.DiskLoad(1, 60, 10)]

    assert placement.choose_disk(disks, before=1) == 1
    assert placement.choose_disk(disks[:1], before=1) == 0
    assert placement.choose_disk([]) is None


def test_a_sound_disk_comes_before_a_doubtful_one_and_that_before_none() -> None:
    doubtful = placement.DiskLoad(0, 0, 1000, is_doubtful=True)

    assert placement.choose_disk([doubtful, placement.DiskLoad(1, 60, 10)]) == 1
    assert placement.choose_disk([doubtful]) == 0


def test_a_disk_with_seeks_to_spare_comes_before_one_with_more_room() -> None:
    full = placement.DiskLoad(0, 60, 100_000, streams_max=60)
    free = placement.DiskLoad(1, 60, 1_000, streams_max=61)

    assert placement.choose_disk([full, free]) == 1


def test_what_seeks_allow_is_measured_and_not_guessed() -> None:
    assert placement.stream_budget(60, tick_ms=1_000.0) == 30
    assert placement.stream_budget(60, tick_ms=99.0) is None
    assert placement.stream_budget(0, tick_ms=5_000.0) is None
    assert placement.surplus(60, tick_ms=1_000.0) == 30
    assert placement.surplus(1, tick_ms=5_000.0) == 1
    assert placement.surplus(0, tick_ms=5_000.0) == 0


def test_every_state_can_be_stopped_and_every_live_one_forbidden() -> None:
    for state in states.State:
        assert states.after(state, states.Cause.REMOVED) is states.State.STOPPED
        if state is not states.State.STOPPED:
            assert states.after(state, states.Cause.FORBIDDEN) is states.State.PAUSED


def test_a_move_that_the_table_does_not_know_is_our_mistake() -> None:
    with pytest.raises(AssertionError, match="FIRST_VIDEO while paused"):
        states.after(states.State.PAUSED, states.Cause.FIRST_VIDEO)


def test_a_camera_is_as_well_as_its_worst_stream() -> None:
    both = [states.State.RECORDING, states.State.WAITING]

    assert states.of_camera(both) is states.State.WAITING
    assert states.of_camera([]) is states.State.STOPPED


def test_the_document_draws_the_table_of_states(root: Path) -> None:
    path = root / "docs/design/ingest.md"
    if not path.exists():
        pytest.skip("the tree with the documents is not here")
    drawn = [line for line in path.read_text().splitlines() if line.startswith("| ")]

    for cause in states.Cause:
        row = [str(states.TABLE.get((state, cause), "")) for state in states.State]
        assert f"| {cause.name} | {' | '.join(row)} |" in drawn
    assert f"| cause | {' | '.join(states.State)} |" in drawn
