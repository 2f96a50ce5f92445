"""A damaged index is made again: it never ends recording, and never decides what is reused."""

from __future__ import annotations

import os
import random
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from store.maker import BOX, SECOND_NS, Bench, FakeStream, again
from vonggac._native import segment as native
from vonggac.store import disk as disks
from vonggac.store.archive import Archive
from vonggac.store.check import check
from vonggac.store.formatting import format_disk
from vonggac.store.index import DATA_NAME, Index, IndexDamaged, Table
from vonggac.store.journal import Lock, SegmentState
from vonggac.store.start import Started, open_for_reading, start
from vonggac.store.tombstone import Rule

SEGMENT_BYTES = 256 << 10
PAGE_BYTES = 4096
STREAMS = 3
Found = set[tuple[bytes, int, int]]


@pytest.fixture
def where(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Some minutes of three streams, committed often."""
    monkeypatch.setattr(disks, "SEGMENT_BYTES_MIN", SEGMENT_BYTES)
    disk = tmp_path / "disk"
    format_disk(disk, 41 << 19, BOX, SEGMENT_BYTES)
    bench = Bench.open(disk)
    bench.prime(STREAMS)
    streams = [FakeStream(number) for number in range(STREAMS)]
    for stream in streams:
        stream.begin(1)
    for number in range(150):
        bench.tick([stream.chunk(9_000) for stream in streams])
        if number % 5 == 4:
            bench.commit()
    lock = Lock(bytes(16), streams[0].stream, streams[0].wall_ns - 140 * SECOND_NS, 1 << 62)
    bench.ring.hold((lock,))
    bench.tick()
    bench.crash()
    return disk


def rows_on(disk: Path) -> Found:
    reading = open_for_reading(disk)
    try:
        return {
            (stream, packed.row.run, packed.row.sequence)
            for stream, _ in reading.archive.streams()
            for value in reading.archive.packed_minutes(stream, 0, 1 << 62)
            for packed in native.rows_unpack(value)
        }
    finally:
        reading.close()


def used_pages(disk: Path) -> list[int]:
    data = (disk / "index" / DATA_NAME).read_bytes()
    pages = range(len(data) // PAGE_BYTES)
    return [n for n in pages if any(data[n * PAGE_BYTES : (n + 1) * PAGE_BYTES])]


def record(started: Started, ticks: int) -> None:
    """As a keeper does: ticks, steps of a rebuild between them, commits."""
    ring = started.ring
    ring.spares.expected_streams = 1
    stream = FakeStream(9)
    stream.begin(5)
    waiting = []
    for number in range(ticks):
        chunks = [*waiting, stream.chunk(30_000)]
        batch = ring.plan((chunk, again(chunk)) for chunk in chunks)
        assert batch.run().errno == 0
        ring.finish(batch)
        waiting = batch.waiting
        for _ in range(8):
            if started.rebuild is not None and not started.rebuild.step():
                started.rebuild = None
                ring.rebuilt()
        if number % 5 == 4 and ring.can_commit:
            frozen = ring.freeze()
            ring.archive.index.commit(frozen)
            ring.committed(frozen)
    assert not waiting


def let_go(started: Started) -> None:
    started.ring.archive.index.close()
    started.ring.close()
    started.ring.disk.close()


def test_an_index_cut_anywhere_is_made_again(where: Path) -> None:
    before = rows_on(where)
    data = where / "index" / DATA_NAME
    whole = data.read_bytes()
    for pages in [*used_pages(where), len(whole) // PAGE_BYTES - 1]:
        data.write_bytes(whole[: pages * PAGE_BYTES])
        assert rows_on(where) == before
        started = start(where, BOX)
        assert started.why_rebuilt is not None
        let_go(started)
    started = start(where, BOX)
    record(started, 10)
    let_go(started)
    assert rows_on(where) >= before


def garbage(page: bytearray, chance: random.Random) -> None:
    page[:] = chance.randbytes(PAGE_BYTES)


def wrong_bits(page: bytearray, chance: random.Random) -> None:
    for _ in range(20):
        page[chance.randrange(200)] ^= 1 << chance.randrange(8)


def outcome_of(work: Callable[[], str]) -> str:
    """What it gives, in a process of its own: LMDB may take that along."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        status = 1
        try:
            os.write(writing, work().encode())
            status = 0
        finally:
            os._exit(status)
    os.close(writing)
    with open(reading, "rb") as told:
        said = told.read().decode()
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        return f"signal {os.WTERMSIG(status)}"
    assert status == 0, "neither well nor IndexDamaged"
    return said


@pytest.mark.slow
@pytest.mark.parametrize("damage", [garbage, wrong_bits])
def test_a_page_of_garbage_costs_an_index_and_no_footage(
    where: Path, tmp_path: Path, damage: Callable[[bytearray, random.Random], None]
) -> None:
    before = rows_on(where)
    chance = random.Random(4)
    seen: dict[str, int] = {}
    for page in chance.sample(used_pages(where), 20):
        disk = tmp_path / "damaged"
        shutil.copytree(where, disk)
        with (disk / "index" / DATA_NAME).open("r+b") as file:
            file.seek(page * PAGE_BYTES)
            content = bytearray(file.read(PAGE_BYTES))
            damage(content, chance)
            file.seek(page * PAGE_BYTES)
            file.write(content)

        def keep(disk: Path = disk) -> str:
            try:
                started = start(disk, BOX)
                record(started, 12)
            except IndexDamaged:
                return "damaged"
            return "rebuilt" if started.why_rebuilt else "unnoticed"

        how = outcome_of(keep)
        seen[how] = seen.get(how, 0) + 1
        # Whatever became of that keeper: the next one is told, does without, and all is there.
        started = start(disk, BOX, distrust=how)
        record(started, 12)
        let_go(started)
        assert rows_on(disk) >= before, (page, how)
        shutil.rmtree(disk)
    assert seen.keys() > {"unnoticed"}, seen


def test_a_wrong_bit_in_a_segments_row_is_noticed_before_it_decides_anything(where: Path) -> None:
    disk = disks.open_disk(where, BOX, exclusive=True)
    index = Index.open(disk.index_path(), disk.identity.disk, disk.index_bytes(), writable=True)
    key = (0).to_bytes(4, "big")
    row = index.get(Table.SEGMENTS, key)
    assert row is not None
    for bit in range(0, 8 * len(row), 7):
        wrong = bytearray(row)
        wrong[bit // 8] ^= 1 << bit % 8
        index.put(Table.SEGMENTS, key, bytes(wrong))
        with pytest.raises(IndexDamaged):
            Archive(index).segment(0)
    index.put(Table.SEGMENTS, key, row[:-4])  # as a former version wrote it, without its CRC
    assert Archive(index).segment(0) is not None
    index.close()
    disk.close()


def test_a_commit_that_fails_leaves_what_is_there_readable(where: Path) -> None:
    bench = Bench.open(where)
    stream = FakeStream(1)
    frozen = bench.ring.freeze()
    bench.ring.commit_failed()
    assert frozen.changes
    assert bench.ring.archive.stream(stream.stream) is not None
    assert next(bench.ring.archive.reusable(), None) is not None
    bench.tick([])
    bench.crash()
    started = start(where, BOX)
    assert started.why_rebuilt is not None and "older" in started.why_rebuilt
    let_go(started)


def test_a_chunk_that_is_not_what_the_index_says_is_not_erased(where: Path) -> None:
    """By its row it was decided that no lock holds it."""
    bench = Bench.open(where)
    segments = bench.ring.archive.segments()
    number, row = next((n, r) for n, r in segments if r.state is SegmentState.SEALED)
    rows = bench.ring.archive.rows_of_segment(number, row)
    wrong = replace(rows[1], wall_start_ns=rows[1].wall_start_ns - 3600 * SECOND_NS)
    bench.ring.hold(())
    bench.ring.eraser.wish(number, row.epoch, [wrong], Rule("expired", 1, "default"))
    for _ in range(3):
        bench.tick()
    assert bench.ring.eraser.is_settled and len(bench.ring.eraser.faults) == 1
    assert bench.ring.archive.rows_of_segment(number, row) == rows
    bench.crash()
    assert check(where, is_deep=True).problems == []
