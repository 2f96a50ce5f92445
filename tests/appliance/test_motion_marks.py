"""A search of marks finds what looking at each finds, in order, and lets others have a turn."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from footage_maker import CAMERA, CAMERA_ROW, make_home
from vonggac.motion.mark_files import MarkFiles
from vonggac.motion.marks import Mark
from vonggac.registry.catalog import Catalog
from vonggac_appliance.hook_marks import folder_of
from vonggac_appliance.messages_motion import (
    MarkFound,
    MarksFound,
    MotionDone,
    MotionQuery,
    Watched,
)
from vonggac_appliance.motion_marks import MotionMarks

S = 1_000_000_000
NOON_NS = (int(time.time()) // 86_400 * 86_400 - 43_200) * S
OTHER = b"o" * 16
KINDS = ("lorry", "person", "bus")
BOXES = ((0.0, 0.0, 0.5, 1.0), (0.5, 0.0, 1.0, 1.0))
LEFT = [(0.0, 0.0), (0.25, 0.0), (0.25, 1.0), (0.0, 1.0)]


@pytest.fixture(scope="module")
def catalog(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Catalog]:
    home = tmp_path_factory.mktemp("home")
    streams = (replace(CAMERA_ROW.streams[0], id=b"S" * 16),)
    make_home(home, CAMERA_ROW, replace(CAMERA_ROW, id=OTHER, code="cam2", streams=streams))
    with Catalog(home, is_readonly=True) as catalog:
        yield catalog


def made(at_s: int, length_s: int, kind: str, box: int) -> Mark:
    span = (NOON_NS + at_s * S, NOON_NS + (at_s + length_s) * S)
    return Mark(1 + box, *span, kind, BOXES[box], 0.5, span[1])


MARKS = st.lists(
    st.tuples(
        st.sampled_from((CAMERA, OTHER)),
        st.builds(
            made,
            st.integers(-100_000, 50_000),
            st.integers(1, 3600),
            st.sampled_from(KINDS),
            st.integers(0, 1),
        ),
    ),
    max_size=30,
)


def search(
    catalog: Catalog, marks: Sequence[tuple[bytes, Mark]], query: MotionQuery
) -> tuple[list[MarkFound], MotionDone]:
    with tempfile.TemporaryDirectory() as room:
        files = MarkFiles(folder_of(Path(room)), 1 << 24)
        for camera, mark in marks:
            files.add(camera, mark)
        files.close()
        answers = list(MotionMarks(Path(room), catalog, lambda _: True).search(1, query))
    assert isinstance(answers[-1], MotionDone)
    found = [one for told in answers if isinstance(told, MarksFound) for one in told.marks]
    return found, answers[-1]


@settings(max_examples=40)
@given(
    marks=MARKS,
    span=st.tuples(st.integers(-100_000, 50_000), st.integers(1, 120_000)),
    kinds=st.sets(st.sampled_from(KINDS)),
    limit=st.integers(1, 40),
    is_left=st.booleans(),
    hours=st.none() | st.sampled_from(((0, 600), (1200, 120))),
)
def test_a_search_finds_what_looking_at_each_finds(
    catalog: Catalog,
    marks: list[tuple[bytes, Mark]],
    span: tuple[int, int],
    kinds: set[str],
    limit: int,
    is_left: bool,
    hours: tuple[int, int] | None,
) -> None:
    from_ns, to_ns = NOON_NS + span[0] * S, NOON_NS + (span[0] + span[1]) * S
    watched = [Watched(camera, [LEFT] if is_left else []) for camera in (CAMERA, OTHER)]
    query = MotionQuery(watched, from_ns, to_ns, hours=hours, limit=limit, marks=sorted(kinds))

    def is_sought(mark: Mark) -> bool:
        minute = (mark.from_ns // (60 * S) + 420) % 1440
        is_then = (
            hours is None
            or (hours[0] <= minute < hours[1])
            or (hours[0] > hours[1] and (minute >= hours[0] or minute < hours[1]))
        )
        is_there = not is_left or mark.box == BOXES[0]
        is_kind = not kinds or mark.kind in kinds
        return mark.from_ns < to_ns and mark.to_ns > from_ns and is_then and is_there and is_kind

    def key(camera: bytes, mark: Any) -> tuple[Any, ...]:
        return (mark.to_ns, mark.from_ns, camera, mark.kind, mark.box, mark.hook)

    wanted = sorted((key(c, m) for c, m in marks if is_sought(m)), reverse=True)
    found, done = search(catalog, marks, query)

    told = [key(one.camera, one) for one in found]
    assert told == sorted(told, key=lambda one: one[0], reverse=True)
    assert len(told) == min(limit, len(wanted))
    assert done.is_limited == (len(wanted) > limit)
    assert (done.complete_from_ns > 0) == done.is_limited
    ends = {
        hook: [[one[0] for one in of if one[-1] == hook] for of in (told, wanted)]
        for hook in (1, 2)
    }
    assert all(own == all_of[: len(own)] for own, all_of in ends.values()), "the newest of each"
    most = max(len(own) for own, _ in ends.values())
    assert all(own == all_of or len(own) >= most - 1 for own, all_of in ends.values()), "alike"
    newer = [one for one in wanted if one[0] > done.complete_from_ns]
    assert sorted(one for one in told if one[0] > done.complete_from_ns) == sorted(newer)


def test_a_day_of_very_many_marks_is_read_in_turns_and_only_so_many_are_told(
    catalog: Catalog, tmp_path: Path
) -> None:
    files = MarkFiles(folder_of(tmp_path), 1 << 24)
    for number in range(50_000):
        files.add(CAMERA, made(-number // 4, 1, "lorry", 0))
    files.close()
    query = MotionQuery([Watched(CAMERA)], NOON_NS - 86_400 * S, NOON_NS + 60 * S, limit=300)
    query = replace(query, marks=[])
    answers = list(MotionMarks(tmp_path, catalog, lambda _: True).search(1, query))

    assert None in answers
    told = [len(one.marks) for one in answers if isinstance(one, MarksFound)]
    assert told == [200, 100]


def test_no_program_hides_what_another_said_before_it(catalog: Catalog) -> None:
    few = [(CAMERA, made(-90_000 - number, 1, "lorry", 0)) for number in range(20)]
    many = [(camera, made(-n, 1, "lorry", 1)) for n in range(1000) for camera in (CAMERA, OTHER)]
    watched = [Watched(CAMERA), Watched(OTHER)]
    query = MotionQuery(watched, NOON_NS - 172_800 * S, NOON_NS + 60 * S, limit=1000, marks=[])

    found, done = search(catalog, few + many, query)

    assert [sum(one.hook == hook for one in found) for hook in (1, 2)] == [20, 980]
    assert done.is_limited and done.complete_from_ns == NOON_NS + (-490 + 1) * S


def test_what_may_not_be_told_any_more_is_not_told(catalog: Catalog, tmp_path: Path) -> None:
    files = MarkFiles(folder_of(tmp_path), 1 << 20)
    for camera in (CAMERA, OTHER):
        files.add(camera, made(0, 1, "lorry", 0))
    files.close()
    watched = [Watched(CAMERA), Watched(OTHER)]
    query = MotionQuery(watched, NOON_NS, NOON_NS + 60 * S, marks=[])
    marks = MotionMarks(tmp_path, catalog, lambda camera: camera == OTHER)
    told = [one for one in marks.search(1, query) if isinstance(one, MarksFound)]

    assert [[mark.camera for mark in one.marks] for one in told] == [[OTHER]]
