"""`disk check` takes nothing for lost that is being erased, whatever became of the index and of the
tombstones in it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from store.maker import BOX, Bench, opened
from vonggac.media.chunk import Row
from vonggac.store.check import Depth, check
from vonggac.store.check_report import DERIVABLE, DURABLE
from vonggac.store.disk import INDEX_NAME, segment_path
from vonggac.store.index import DATA_NAME
from vonggac.store.journal import SegmentState
from vonggac.store.rebuild_whole import rebuild
from vonggac.store.segment import Life, SegmentFile
from vonggac.store.tombstone import Rule
from vonggac.store.vouched import Head, Vouched

JOURNALLED, ZEROED = 2, 3
"""Ticks behind the wish."""
SECONDS = 20
FIRST, BEHIND = 4, 8


@dataclass(frozen=True)
class Erasing:
    """A disk whose power went as the middle of a sealed segment was erased."""

    where: Path
    number: int
    stream: bytes
    rows: list[Row]
    heads: list[Head]
    """What a ledger names of the segment."""

    def lose(self, offset: int, size: int) -> None:
        with segment_path(self.where, self.number).open("r+b") as file:
            file.seek(offset)
            file.write(bytes(size))

    def tear_a_head(self) -> None:
        self.lose(self.rows[FIRST + 1].offset, 512)

    def tear_the_table(self) -> None:
        path = segment_path(self.where, self.number)
        self.lose(path.stat().st_size - 64 + 24, 8)  # a part of the footer's hash

    def tear_nothing(self) -> None:
        pass

    def lose_index(self) -> None:
        (self.where / INDEX_NAME / DATA_NAME).unlink()

    def problems(self, *, is_deep: bool) -> set[tuple[int, str]]:
        """Promise and sentence, but for the lost index's own."""
        vouched = Vouched()
        vouched.add_heads(self.heads)
        report = check(self.where, BOX, depth=Depth(is_deep, vouched))
        found = {(one.segment, one.promise, one.what) for one in report.problems}
        return {(promise, what) for at, promise, what in found if (at, promise) != (-1, DERIVABLE)}


def erasing(small: Path, ticks: int) -> Erasing:
    bench, stream = opened(small)
    for _ in range(SECONDS):
        assert not bench.tick([stream.chunk(15_000)])[0].waiting
    bench.commit()
    segments = bench.ring.archive.segments()
    number, row = next((n, r) for n, r in segments if r.state is SegmentState.SEALED)
    rows = bench.ring.archive.rows_of_segment(number, row)
    life = Life(bench.disk.identity.disk, number, row.epoch)
    heads = []
    with segment_path(small, number).open("rb") as file:
        segment = SegmentFile(file.fileno(), bench.disk.identity.segment_bytes)
        for one in rows:
            view = segment.chunk_of(life, one.offset)
            assert view is not None
            heads.append(Head(row.stream, one.run, one.sequence, view.claim_sha256))
    bench.ring.eraser.wish(number, row.epoch, rows[FIRST:BEHIND], Rule("expired", 3, "default"))
    for _ in range(ticks):
        bench.tick()
    assert len(bench.ring.snapshot().erase_intents) == BEHIND - FIRST
    bench.crash()
    return Erasing(small, number, row.stream, rows, heads)


@pytest.mark.parametrize("is_deep", [False, True])
@pytest.mark.parametrize("ticks", [JOURNALLED, ZEROED])
@pytest.mark.parametrize("is_index_lost", [False, True])
@pytest.mark.parametrize(
    "tear", [Erasing.tear_nothing, Erasing.tear_a_head, Erasing.tear_the_table]
)
def test_what_a_cut_found_being_erased_is_no_loss(
    small: Path, ticks: int, is_index_lost: bool, tear: Callable[[Erasing], None], is_deep: bool
) -> None:
    cut = erasing(small, ticks)
    tear(cut)
    if is_index_lost:
        cut.lose_index()
    assert cut.problems(is_deep=is_deep) == set()


def test_what_was_erased_and_no_tombstone_tells_of_is_named(small: Path) -> None:
    cut = erasing(small, ZEROED)
    bench = Bench.start(small)
    bench.tick()
    bench.commit()
    bench.tick()
    assert bench.ring.snapshot().erase_intents == ()
    bench.crash()
    assert cut.problems(is_deep=False) == set()
    cut.lose_index()
    rebuild(small, BOX)
    before, behind = cut.rows[FIRST - 1].sequence, cut.rows[BEHIND].sequence
    what = f"run {cut.rows[0].run}: {behind} follows {before}"
    assert cut.problems(is_deep=False) == {(DURABLE, what)}


def test_a_chunk_that_is_lost_beside_those_is_named(small: Path) -> None:
    cut = erasing(small, JOURNALLED)
    cut.lose(cut.rows[BEHIND + 1].offset, cut.rows[BEHIND + 1].chunk_bytes)
    cut.lose_index()
    (head,) = [h for h in cut.heads if h.sequence == cut.rows[BEHIND + 1].sequence]
    found = cut.problems(is_deep=True)
    assert {promise for promise, _ in found} == {DURABLE}
    assert f"run {head.run}: {head.sequence + 1} follows {head.sequence - 1}" in {
        what for _, what in found
    }
