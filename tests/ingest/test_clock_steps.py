"""When a clock was set, as against kept."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from vonggac.ingest import clock_steps
from vonggac.ingest.clock_steps import STEP_NS, StepNote

SECOND = 1_000_000_000
HOUR = 3600 * SECOND
NOW = 1_795_305_600 * SECOND


def looks(walls: list[tuple[int, int]]) -> list[int]:
    """The steps seen at (wall, boot) pairs, the first of which begins the watch."""
    state = clock_steps.begin(*walls[0])
    found = []
    for wall, boot in walls[1:]:
        state, step = state.look(wall, boot)
        found.append(step)
    return found


def test_a_clock_that_is_kept_has_no_step() -> None:
    assert looks([(NOW + n * SECOND, n * SECOND) for n in range(8000)]) == [0] * 7999


def test_a_step_is_told_once_with_its_size() -> None:
    for step in (HOUR, -HOUR, 366 * 24 * HOUR, -366 * 24 * HOUR, STEP_NS + 1, -STEP_NS - 1):
        before = [(NOW + n * SECOND, n * SECOND) for n in range(10)]
        after = [(NOW + n * SECOND + step, n * SECOND) for n in range(10, 20)]
        assert looks(before + after) == [0] * 9 + [step] + [0] * 9


def test_a_minute_is_no_step_yet() -> None:
    assert looks([(NOW, 0), (NOW + SECOND + STEP_NS, SECOND)]) == [0]


def test_short_steps_that_make_more_than_a_minute_within_an_hour_are_one() -> None:
    walls = [(NOW + n * 600 * SECOND + n * 25 * SECOND, n * 600 * SECOND) for n in range(4)]
    assert looks(walls) == [0, 0, 75 * SECOND]


def test_a_smeared_leap_second_and_a_drifting_crystal_are_no_steps() -> None:
    # 500 ppm is the most that the kernel slews: 43 s a day.
    walls = [(NOW + n * SECOND * 60 * 1_000_500 // 1_000_000, n * 60 * SECOND) for n in range(4320)]
    assert set(looks(walls)) == {0}


def test_a_machine_that_slept_has_not_set_its_clock() -> None:
    assert looks([(NOW, 0), (NOW + 9 * HOUR, 9 * HOUR)]) == [0]


@given(
    st.lists(st.integers(STEP_NS + 1, 10**17) | st.integers(-(10**17), -STEP_NS - 1), max_size=20),
    st.integers(0, 10**17),
)
def test_every_step_is_told(steps: list[int], boot: int) -> None:
    walls, offset = [(NOW + boot, boot)], NOW
    for step in steps:
        boot += SECOND
        offset += step
        walls.append((offset + boot, boot))
    assert looks(walls) == steps


def test_a_clock_before_what_is_recorded_is_behind_it() -> None:
    assert clock_steps.behind_the_record(0, NOW) == -NOW
    assert clock_steps.behind_the_record(NOW - STEP_NS, NOW) == 0
    assert clock_steps.behind_the_record(NOW + HOUR, NOW) == 0


def test_a_note_counts_steps_and_keeps_the_largest() -> None:
    note = clock_steps.noted(None, 5, -HOUR)
    assert note == StepNote(5, -HOUR, HOUR)
    again = clock_steps.noted(note, 7, 2 * STEP_NS)
    assert again == StepNote(7, 2 * STEP_NS, HOUR, 2)
