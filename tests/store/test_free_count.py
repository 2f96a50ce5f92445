"""How many segments are free is known without counting millions of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from store.maker import BOX, Bench, FakeStream, make_disk
from vonggac.store.check import check
from vonggac.store.index import Table
from vonggac.store.journal import SegmentState
from vonggac.store.rebuild_whole import rebuild
from vonggac.store.start import open_for_reading


def counted(bench: Bench) -> int:
    states = [row.state for _, row in bench.ring.archive.segments()]
    return states.count(SegmentState.FREE)


def test_the_count_follows_every_change_and_survives(tmp_path: Path) -> None:
    where = tmp_path / "disk"
    segments = make_disk(where).segments
    bench = Bench.open(where)
    assert bench.ring.archive.free_count(segments) == segments == counted(bench)
    stream = FakeStream(1)
    stream.begin(1)
    bench.prime(1)
    for _ in range(20):
        bench.tick([stream.chunk(3_000_000)])
        assert bench.ring.archive.free_count(segments) == counted(bench)
    bench.commit()
    free = counted(bench)
    assert 0 < free < segments
    bench.crash()
    again = Bench.open(where)
    assert again.ring.archive.free_count(segments) == free == counted(again)
    again.crash()
    assert check(where).problems == []


def test_an_index_that_does_not_say_is_counted_once(tmp_path: Path) -> None:
    where = tmp_path / "disk"
    segments = make_disk(where).segments
    bench = Bench.open(where)
    bench.index.delete(Table.META, b"free")
    assert bench.ring.archive.free_count(segments) == segments
    assert bench.index.get(Table.META, b"free") == segments.to_bytes(4, "big")
    bench.crash()
    rebuild(where, BOX)
    reading = open_for_reading(where)
    assert reading.archive.free_count(segments) == segments
    reading.close()


@pytest.mark.parametrize("damage", [b"", b"\xff" * 4, b"\0" * 9])
def test_a_count_that_is_nonsense_is_counted_again(tmp_path: Path, damage: bytes) -> None:
    where = tmp_path / "disk"
    segments = make_disk(where).segments
    bench = Bench.open(where)
    bench.index.put(Table.META, b"free", damage)
    assert bench.ring.archive.free_count(segments) == segments
    bench.crash()


def test_a_count_that_is_wrong_is_told(tmp_path: Path) -> None:
    where = tmp_path / "disk"
    make_disk(where)
    bench = Bench.open(where)
    bench.index.put(Table.META, b"free", (3).to_bytes(4, "big"))
    bench.commit()
    bench.crash()
    (problem,) = check(where).problems
    assert "counts 3 free segments" in problem.what
