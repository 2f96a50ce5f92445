"""What recovery makes of a disk that a crash has left in the middle of something."""

from __future__ import annotations

import os
from pathlib import Path

from store.maker import SECOND_NS, Bench, FakeStream, again, opened
from vonggac._native import segment as native
from vonggac.media.chunk import ChunkFlag, PackedRow
from vonggac.store import disk as disks
from vonggac.store import journal
from vonggac.store.check import check
from vonggac.store.journal import OpenGap, SegmentState
from vonggac.store.start import open_for_reading


def rows_of(bench: Bench, stream: FakeStream) -> list[PackedRow]:
    found = [
        packed
        for value in bench.ring.archive.packed_minutes(stream.stream, 0, 1 << 62)
        for packed in native.rows_unpack(value)
    ]
    return sorted(found, key=lambda packed: (packed.row.run, packed.row.sequence))


def segment_of(bench: Bench) -> int:
    return next(iter(bench.ring.open))


def until_sealed(bench: Bench, stream: FakeStream, commit_after: int) -> int:
    """Chunks until the first segment is sealed inside a fragment; gives its last sequence."""
    bench.tick([stream.chunk(60_000)])
    first = segment_of(bench)
    while segment_of(bench) == first:
        if stream.sequence == commit_after:
            bench.commit()
        bench.tick([stream.chunk(60_000)])
    return stream.sequence - 2


def test_a_fragment_goes_on_though_its_last_chunk_was_indexed_before_the_seal(small: Path) -> None:
    bench, stream = opened(small)
    stream.chunk(1000)  # never handed over: the segment's last chunk is then a sync sample's
    last = until_sealed(bench, stream, commit_after=4)
    bench.crash()
    bench = Bench.open(small)
    row = next(r.row for r in rows_of(bench, stream) if r.row.sequence == last)
    assert row.flags & ChunkFlag.CONTINUES
    bench.crash()


def test_the_chunk_that_continues_is_the_last_by_its_place_whatever_the_clock_said(
    small: Path,
) -> None:
    bench, stream = opened(small)
    bench.tick([stream.chunk(60_000)])
    stream.begin(2, stream.wall_ns - 3600 * SECOND_NS)
    last = until_sealed(bench, stream, commit_after=3)
    marked = [r.row for r in rows_of(bench, stream) if r.row.flags & ChunkFlag.CONTINUES]
    assert [(row.run, row.sequence) for row in marked] == [(2, last)]
    bench.crash()


def test_a_table_without_the_box_before_it_is_a_seal_that_was_torn(small: Path) -> None:
    bench, stream = opened(small)
    bench.tick([stream.chunk(60_000)])
    first = segment_of(bench)
    while segment_of(bench) == first:
        bench.tick([stream.chunk(60_000)])
    end = max(
        r.row.offset + r.row.chunk_bytes for r in rows_of(bench, stream) if r.segment == first
    )
    bench.crash()
    with disks.segment_path(small, first).open("r+b") as file:
        file.seek(end)
        file.write(bytes(8))
    bench = Bench.open(small)
    assert bench.found.sealed == []
    bench.tick()  # sealed anew
    bench.commit()
    bench.crash()
    assert check(small, is_deep=True).problems == []


def test_a_segment_sealed_and_reused_between_two_commits_has_one_life(small: Path) -> None:
    bench, stream = opened(small)
    bench.tick([stream.chunk(60_000)])
    first = segment_of(bench)
    while any(r.segment == first for r in rows_of(bench, stream)):
        bench.tick([stream.chunk(60_000)])
    listed = [entry for entry in bench.ring.snapshot().segments if entry.number == first]
    assert [entry.state for entry in listed] == [SegmentState.RESERVED]
    expected = [(r.segment, r.epoch, r.row.sequence) for r in rows_of(bench, stream)]
    bench.crash()
    bench = Bench.open(small)
    assert [(r.segment, r.epoch, r.row.sequence) for r in rows_of(bench, stream)] == expected
    bench.crash()
    assert check(small, is_deep=True).problems == []


def test_a_gap_stands_in_the_journal_until_the_chunk_that_names_it_is_durable(small: Path) -> None:
    bench, stream = opened(small)
    bench.tick([stream.chunk()])
    gap = OpenGap(stream.camera, stream.stream, stream.wall_ns, 2)
    bench.ring.open_gap(gap)
    bench.tick()
    stream.begin(2, stream.wall_ns + 9 * SECOND_NS, (gap.start_ns, gap.reason))
    chunk = stream.chunk()
    batch = bench.ring.plan([(chunk, again(chunk))])
    for fd, offset, parts in batch.writes:
        if fd == bench.ring.journal_fd:  # the cut lets nothing else of this tick through
            os.pwritev(fd, parts, offset)
    bench.crash()
    bench = Bench.open(small)
    assert bench.ring.gaps == {stream.stream: gap}
    bench.prime(1)
    bench.tick([again(chunk)])
    bench.tick()
    assert bench.ring.snapshot().gaps == ()
    bench.crash()
    bench = Bench.open(small)
    assert bench.ring.gaps == {}
    bench.crash()


def test_a_run_that_began_before_a_gap_does_not_explain_it(small: Path) -> None:
    """Its first chunk has waited for a segment while the stream stopped again."""
    bench, stream = opened(small)
    first = stream.chunk()
    gap = OpenGap(stream.camera, stream.stream, stream.wall_ns, 2)
    bench.ring.open_gap(gap)
    bench.tick([first])
    bench.tick()
    assert bench.ring.snapshot().gaps == (gap,)
    bench.crash()
    bench = Bench.open(small)
    assert bench.ring.gaps == {stream.stream: gap}
    bench.crash()


def lose_newer_half(small: Path) -> None:
    with (small / disks.JOURNAL_NAME).open("r+b") as file:
        data = file.read()
        starts = (0, journal.SLOT_BYTES)
        newest = max(starts, key=lambda start: journal.decode(data[start:]).generation)
        file.seek(newest + 40)
        file.write(b"\xff" * 64)


def test_what_only_a_damaged_half_of_the_journal_knew_is_found_in_the_segments(
    small: Path,
) -> None:
    """The segment that is recorded into was reserved in the tick whose journal is lost."""
    bench, stream = opened(small)
    while not bench.ring.spares.oldest_order:  # the ring has turned once
        bench.tick([stream.chunk(60_000)])
        if stream.sequence % 5 == 0:
            bench.commit()
    taken = bench.ring.spares.highest_epoch
    generation = bench.ring.generation
    while bench.ring.generation < generation + 2:
        bench.tick([stream.chunk(60_000)])
    expected = {(r.segment, r.epoch, r.row.sequence) for r in rows_of(bench, stream)}
    bench.crash()
    lose_newer_half(small)
    assert check(small, is_deep=True).problems == []
    bench = Bench.open(small)
    assert bench.ring.spares.highest_epoch > taken
    bench.crash()
    reading = open_for_reading(small)
    found = {
        (packed.segment, packed.epoch, packed.row.sequence)
        for value in reading.archive.packed_minutes(stream.stream, 0, 1 << 62)
        for packed in native.rows_unpack(value)
    }
    reading.close()
    assert found >= expected


def test_an_old_half_of_the_journal_gives_up_nothing_that_the_index_knows(small: Path) -> None:
    bench, stream = opened(small)
    for _ in range(60):
        bench.tick([stream.chunk(60_000)])
    bench.tick()
    bench.commit()
    older = bench.ring.snapshot()
    for _ in range(60):
        bench.tick([stream.chunk(60_000)])
    bench.commit()
    bench.tick()
    expected = [(r.segment, r.epoch, r.row.sequence) for r in rows_of(bench, stream)]
    bench.crash()
    path = small / disks.JOURNAL_NAME
    path.write_bytes(bytes(journal.FILE_BYTES))
    offset, data = journal.encode(older)
    with path.open("r+b") as file:
        file.seek(offset)
        file.write(data)
    bench = Bench.open(small)
    assert [(r.segment, r.epoch, r.row.sequence) for r in rows_of(bench, stream)] == expected
    assert check_after(bench, small) == []


def check_after(bench: Bench, small: Path) -> list[str]:
    bench.tick()
    bench.crash()
    return [problem.what for problem in check(small, is_deep=True).problems]
