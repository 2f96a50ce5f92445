"""What a power cut left of its last tick was never acknowledged: `disk check` says so, and says of
everything before it that it is lost.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from store.maker import BOX, Bench, FakeStream, make_disk, opened
from vonggac.media.chunk import Row
from vonggac.store.check import check
from vonggac.store.check_report import Problem
from vonggac.store.disk import segment_path
from vonggac.store.rebuild_whole import rebuild
from vonggac.store.recovery import TORN_NS

SECONDS = 12
TICK_SECONDS = TORN_NS // 1_000_000_000 - 2


@dataclass(frozen=True)
class Last:
    """A recording that ended with a cut: the rows of its one segment."""

    where: Path
    number: int
    rows: list[Row]

    def zero(self, row: Row, part: slice = slice(None)) -> None:
        """That never reached the disk."""
        size = len(range(row.chunk_bytes)[part])
        with segment_path(self.where, self.number).open("r+b") as file:
            file.seek(row.offset + (part.start or 0))
            file.write(bytes(size))


@pytest.fixture
def cut(tmp_path: Path) -> Last:
    """A chunk a second; the last five share a tick, as on a slow disk."""
    where = tmp_path / "disk"
    make_disk(where)
    bench, stream = opened(where)
    for _ in range(SECONDS):
        bench.tick([stream.chunk()])
    bench.tick([stream.chunk() for _ in range(TICK_SECONDS)])
    (number,) = bench.ring.open
    segment = bench.ring.open[number]
    rows = segment.rows()
    bench.crash()
    return Last(where, number, rows)


def go_on(cut: Last) -> None:
    """The recorder comes back, in the same segment."""
    bench = Bench.open(cut.where)
    stream = FakeStream(1, wall_ns=cut.rows[-1].wall_end_ns + 20_000_000_000)
    stream.begin(2, gap=(cut.rows[-1].wall_end_ns, 9))
    for _ in range(SECONDS):
        bench.tick([stream.chunk()])
    bench.commit()
    bench.crash()


def what(problems: list[Problem]) -> set[int]:
    return {problem.promise for problem in problems}


def miss_one(cut: Last) -> None:
    cut.zero(cut.rows[-3])


def miss_two(cut: Last) -> None:
    cut.zero(cut.rows[-4])
    cut.zero(cut.rows[-2])


def miss_a_part(cut: Last) -> None:
    cut.zero(cut.rows[-3], slice(8192, 16384))


@pytest.mark.parametrize("tear", [miss_one, miss_two, miss_a_part])
def test_what_is_torn_in_the_last_tick_is_no_loss_then_or_later(
    cut: Last, tear: Callable[[Last], None]
) -> None:
    tear(cut)
    assert check(cut.where, is_deep=True).problems == []
    assert check(cut.where).problems == []
    go_on(cut)
    assert check(cut.where, is_deep=True).problems == []
    assert check(cut.where).problems == []


@pytest.mark.parametrize("is_deep", [False, True])
def test_what_is_missing_before_the_last_tick_is_lost(cut: Last, is_deep: bool) -> None:
    cut.zero(cut.rows[3])
    assert what(check(cut.where, is_deep=is_deep).problems) == {1}
    go_on(cut)
    assert what(check(cut.where, is_deep=is_deep).problems) == {1}


@dataclass(frozen=True)
class Across:
    """A run whose last tick sealed one segment and opened another: their rows."""

    where: Path
    sealed: int
    rows: list[Row]
    behind: list[Row]
    stream: FakeStream


@pytest.fixture
def across(where: Path) -> Across:
    bench, stream = opened(where)
    while True:
        batch, _ = bench.tick([stream.chunk(2_900_000) for _ in range(2)])
        assert not batch.waiting
        if batch.sealed:
            break
    segment = batch.sealed[0].segment
    (behind,) = bench.ring.open.values()
    made = Across(where, segment.number, segment.rows(), behind.rows(), stream)
    bench.crash()
    assert made.behind[0].sequence == made.rows[-1].sequence + 1
    return made


def lose(across: Across, row: Row) -> None:
    with segment_path(across.where, across.sealed).open("r+b") as file:
        file.seek(row.offset)
        file.write(bytes(row.chunk_bytes))


@pytest.mark.parametrize("is_deep", [False, True])
def test_what_is_torn_off_the_end_of_a_segment_is_no_loss_then_or_later(
    across: Across, is_deep: bool
) -> None:
    lose(across, across.rows[-1])
    assert check(across.where, is_deep=is_deep).problems == []
    bench = Bench.start(across.where)
    stream = FakeStream(1, wall_ns=across.behind[-1].wall_end_ns + 20_000_000_000)
    stream.begin(2, gap=(across.behind[-1].wall_end_ns, 9))
    for _ in range(SECONDS):
        bench.tick([stream.chunk()])
    bench.commit()
    bench.crash()
    assert check(across.where, is_deep=is_deep).problems == []


@pytest.mark.parametrize("is_deep", [False, True])
def test_what_is_missing_at_the_end_of_a_segment_while_the_run_went_on_is_lost(
    across: Across, is_deep: bool
) -> None:
    bench = Bench.start(across.where)
    for _ in range(SECONDS):
        bench.tick([across.stream.chunk()])
    bench.commit()
    bench.crash()
    lose(across, across.rows[-1])
    with segment_path(across.where, across.sealed).open("r+b") as file:
        file.seek(-4096, os.SEEK_END)
        file.write(bytes(4096))  # or its table would still name the chunk
    rebuild(across.where, BOX)
    found = check(across.where, is_deep=is_deep).problems
    assert [problem.what for problem in found if "follows" in problem.what], found


def test_a_payload_that_went_bad_before_the_last_tick_is_lost(cut: Last) -> None:
    cut.zero(cut.rows[3], slice(8192, 16384))
    assert what(check(cut.where).problems) == {1}


def test_a_payload_that_was_whole_when_the_recorder_came_back_is_lost_if_it_goes_bad(
    cut: Last,
) -> None:
    go_on(cut)
    cut.zero(cut.rows[-2], slice(8192, 16384))
    assert what(check(cut.where, is_deep=True).problems) == {1}
