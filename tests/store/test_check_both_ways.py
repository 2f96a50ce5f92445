"""`disk check` compares index and segments in both directions, and the disk with the ledger."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from store.maker import BOX, Bench, FakeStream, make_disk, opened
from vonggac._native import segment as native
from vonggac.media.chunk import PackedRow
from vonggac.store.archive import Archive
from vonggac.store.check import Depth, check
from vonggac.store.check_report import Problem
from vonggac.store.disk import segment_path
from vonggac.store.index import Index, Table
from vonggac.store.look import Job, Seen
from vonggac.store.start import open_for_reading
from vonggac.store.vouched import Grave, Head, Vouched

FAR_NS = 1 << 62


@pytest.fixture(scope="module")
def pristine(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, FakeStream, list[Head]]:
    """One stream over two sealed segments and an open one; and the head of each chunk."""
    where = tmp_path_factory.mktemp("pristine") / "disk"
    make_disk(where)
    bench, stream = opened(where, run=7)
    heads: list[Head] = []
    for _ in range(13):
        bench.tick([stream.chunk(3_000_000)])
        state = bench.ring.streams[stream.stream]
        heads.append(Head(stream.stream, 7, state.sequence, state.claim_sha256))
    bench.commit()
    bench.tick([stream.chunk(3_000_000)])
    bench.crash()
    return where, stream, heads


@pytest.fixture
def disk(pristine: tuple[Path, FakeStream, list[Head]], tmp_path: Path) -> Path:
    """A copy that may be damaged; holes stay holes."""
    where = tmp_path / "disk"
    where.mkdir()
    for path in sorted(pristine[0].rglob("*")):
        there = where / path.relative_to(pristine[0])
        if path.is_dir():
            there.mkdir()
        else:
            copy_sparse(path, there)
    return where


def copy_sparse(old: Path, new: Path) -> None:
    """What was preallocated and never written costs one call."""
    with old.open("rb") as source, new.open("wb") as target:
        size = os.fstat(source.fileno()).st_size
        os.truncate(target.fileno(), size)
        at = 0
        while at < size:
            try:
                at = os.lseek(source.fileno(), at, os.SEEK_DATA)
            except OSError:
                return
            data = os.pread(source.fileno(), 1 << 20, at)
            if data.strip(b"\0"):
                os.pwrite(target.fileno(), data, at)
            at += len(data)


def change_index(where: Path, change: Callable[[Archive, bytes], None]) -> None:
    reading = open_for_reading(where)
    identity, size = reading.disk.identity, reading.disk.index_bytes()
    stream = reading.archive.streams()[0][0]
    reading.close()
    index = Index.open(where / "index", identity.disk, size, writable=True)
    archive = Archive(index)
    change(archive, stream)
    archive.file_tails()
    index.commit_now(index.meta.highest_epoch, index.meta.seal_order)
    index.close()


def whats(problems: Iterable[Problem]) -> set[str]:
    return {problem.what for problem in problems}


def first_segment(archive: Archive) -> int:
    return min(number for number, row in archive.segments() if row.chunks)


def test_what_was_recorded_is_well_at_both_depths(disk: Path) -> None:
    assert check(disk).problems == []
    report = check(disk, is_deep=True)
    assert report.problems == []
    assert report.fragments == check(disk).fragments == 7


@pytest.mark.parametrize("is_deep", [False, True])
def test_rows_without_their_chunk_are_told(disk: Path, is_deep: bool) -> None:
    def stray(archive: Archive, stream: bytes) -> None:
        number = first_segment(archive)
        row = archive.segment(number)
        assert row is not None
        last = archive.rows_of_segment(number, row)[-1]
        archive.add_row(stream, PackedRow(number, row.epoch + 99, last))

    change_index(disk, stray)
    problems = check(disk, is_deep=is_deep).problems
    assert whats(problems) == {"a row of a life that this segment does not have"}


@pytest.mark.parametrize("is_deep", [False, True])
def test_chunks_without_their_row_are_told(disk: Path, is_deep: bool) -> None:
    def drop(archive: Archive, stream: bytes) -> None:
        number = first_segment(archive)
        value = next(iter(archive.packed_minutes(stream, 0, FAR_NS)))
        rows = native.rows_unpack(value)
        kept = [r for r in rows if r is not rows[1]]
        key = next(iter(archive.index.items(Table.ROWS, stream, stream + b"\xff" * 4)))[0]
        archive.index.put(Table.ROWS, key, native.rows_pack(kept))
        assert rows[1].segment == number

    change_index(disk, drop)
    found = whats(check(disk, is_deep=is_deep).problems)
    assert "the table and the index do not hold the same rows" in found
    assert any("counts" in what for what in found)


def test_a_chunk_of_an_open_segment_without_its_row_is_told(disk: Path) -> None:
    """In the middle; what lies behind the last row is filed by recovery, as after any crash."""

    def drop(archive: Archive, stream: bytes) -> None:
        (key, value) = list(archive.index.items(Table.ROWS, stream, stream + b"\xff" * 4))[-1]
        rows = native.rows_unpack(value)
        newest = max(row.segment for row in rows)
        second = [row for row in rows if row.segment == newest][1]
        kept = [row for row in rows if row != second]
        archive.index.put(Table.ROWS, key, native.rows_pack(kept))

    change_index(disk, drop)
    assert any("no chunk up to" in what for what in whats(check(disk).problems))


def damaged_in_the_middle(where: Path) -> tuple[int, int]:
    reading = open_for_reading(where)
    number = first_segment(reading.archive)
    row = reading.archive.segment(number)
    assert row is not None
    chunk = reading.archive.rows_of_segment(number, row)[2]
    reading.close()
    with open(segment_path(where, number), "r+b") as file:
        file.seek(chunk.offset + chunk.chunk_bytes // 2)
        file.write(b"\xff\xff\xff")
    return number, chunk.offset


def test_a_wrong_bit_is_found_by_the_deep_look_alone(disk: Path) -> None:
    number, offset = damaged_in_the_middle(disk)
    assert check(disk).problems == []
    (problem,) = check(disk, is_deep=True).problems
    assert (problem.segment, problem.offset, problem.promise) == (number, offset, 1)
    assert problem.what == "the payload does not have its hash"


def test_threads_find_the_same_and_progress_reaches_the_end(disk: Path) -> None:
    damaged_in_the_middle(disk)
    told: list[tuple[int, int]] = []
    readers: set[int] = set()

    def spread(work: Callable[[Job], Seen], jobs: Iterable[Job]) -> Iterator[Seen]:
        def noted(job: Job) -> Seen:
            readers.add(threading.get_ident())
            return work(job)

        with ThreadPoolExecutor(2) as pool:
            yield from pool.map(noted, jobs)

    depth = Depth(True, spread=spread, progress=lambda done, whole: told.append((done, whole)))
    assert check(disk, depth=depth).problems == check(disk, is_deep=True).problems
    assert readers - {threading.get_ident()}
    assert told[-1][0] == told[-1][1] > 30_000_000
    assert told == sorted(told)


# --- the ledger


def test_heads_of_the_ledger_are_met_on_the_disk(
    disk: Path, pristine: tuple[Path, FakeStream, list[Head]]
) -> None:
    vouched = Vouched()
    vouched.add_heads(pristine[2])
    assert check(disk, depth=Depth(True, vouched)).problems == []
    assert not any(vouched.heads.values())


def test_footage_that_was_exchanged_is_not_the_one_the_ledger_names(
    disk: Path, pristine: tuple[Path, FakeStream, list[Head]]
) -> None:
    vouched = Vouched()
    stream = pristine[1].stream
    vouched.add_heads([*pristine[2][:5], Head(stream, 7, 5, b"another" + bytes(25))])
    (problem,) = check(disk, depth=Depth(True, vouched)).problems
    assert problem.what == "run 7: chunk 5 is not the one the ledger names"
    assert problem.promise == 1


def test_footage_that_was_removed_needs_a_tombstone(
    disk: Path, pristine: tuple[Path, FakeStream, list[Head]]
) -> None:
    stream = pristine[1].stream
    gone = [Head(stream, 3, n, bytes(32)) for n in (10, 900, 1800)]
    vouched = Vouched()
    vouched.add_heads(gone)
    (problem,) = check(disk, depth=Depth(True, vouched)).problems
    assert "run 3: the ledger names chunk 1800 and 2 before it; it is gone" in problem.what
    vouched.add_graves([Grave(stream, 3, 0, 899), Grave(stream, 3, 900, 1799)])
    (problem,) = check(disk, depth=Depth(True, vouched)).problems
    assert "names chunk 1800; it is gone" in problem.what
    vouched.add_graves([Grave(stream, 3, 1800, 1900)])
    assert check(disk, depth=Depth(True, vouched)).problems == []


def test_tombstones_that_wait_in_the_index_count_too(
    disk: Path, pristine: tuple[Path, FakeStream, list[Head]]
) -> None:
    bench = Bench.open(disk)
    other = FakeStream(2)
    other.begin(8)
    bench.prime(2)
    # The ring turns until the first segment of the first stream is given up.
    for _ in range(40):
        bench.tick([other.chunk(8_000_000)])
    bench.commit()
    bench.crash()
    vouched = Vouched()
    vouched.add_heads(pristine[2][:2])
    report = check(disk, BOX, depth=Depth(True, vouched))
    assert [p for p in report.problems if "is gone" in p.what] == []
    assert vouched.graves


@pytest.mark.parametrize("is_deep", [False, True])
def test_a_hole_in_a_run_is_told_unless_it_is_buried_or_elsewhere(
    disk: Path, is_deep: bool
) -> None:
    bench = Bench.open(disk)
    stream = FakeStream(5)
    stream.begin(9)
    bench.prime(2)
    for number in range(6):
        chunk = stream.chunk(100_000)
        if number != 3:
            bench.tick([chunk])
    bench.commit()
    bench.crash()
    (problem,) = check(disk, is_deep=is_deep).problems
    assert problem.what == "run 9: 4 follows 2"
    vouched = Vouched()
    vouched.add_graves([Grave(stream.stream, 9, 3, 3)])
    assert check(disk, depth=Depth(is_deep, vouched)).problems == []
    elsewhere = Vouched(has_other_disks=True)
    assert check(disk, depth=Depth(is_deep, elsewhere)).problems == []
