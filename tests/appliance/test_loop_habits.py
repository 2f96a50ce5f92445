"""What a loop counts of a camera's packets becomes habits by name."""

from __future__ import annotations

from dataclasses import replace

from vonggac.rtsp.habits import Habit
from vonggac_appliance.loop_stats import StreamStats, habits_between
from vonggac_appliance.loop_wire import LoopEvent, habit_of

BEGUN = StreamStats(b"s" * 16, 7, *(0,) * 17)


def test_what_a_run_has_counted_before_the_first_record_counts() -> None:
    now = replace(BEGUN, packets_foreign=3, start_codes_inside=20)
    assert dict(habits_between(None, now)) == {Habit.FOREIGN_PACKETS: 3, Habit.START_CODES: 20}


def test_only_what_came_since_the_record_before_counts() -> None:
    before = replace(BEGUN, nals_dropped=5, fragments_odd=1)
    now = replace(BEGUN, nals_dropped=7, fragments_odd=1, markers_wrong=1, packets_repeated=4)
    assert dict(habits_between(before, now)) == {
        Habit.NAL_UNITS: 2,
        Habit.MARKER: 1,
        Habit.REPEATED_PACKETS: 4,
    }


def test_garbage_counts_once_a_record_however_long_it_is() -> None:
    now = replace(BEGUN, skipped_bytes=123_456)
    assert habits_between(BEGUN, now) == [(Habit.GARBAGE, 1)]
    assert habits_between(now, now) == []


def test_events_that_are_habits_are_told_from_those_that_are_none() -> None:
    assert habit_of(LoopEvent.BYE) is Habit.BYE
    assert habit_of(LoopEvent.LATE_KEYFRAME) is Habit.LATE_KEYFRAME
    assert habit_of(LoopEvent.ENTRY_CHANGED) is Habit.SETS_CHANGE
    assert habit_of(LoopEvent.CLOSED) is None
