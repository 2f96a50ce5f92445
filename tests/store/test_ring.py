"""The ring without processes: what is written is found, what a crash leaves goes on."""

from __future__ import annotations

from pathlib import Path

from store.maker import START_NS, Bench, FakeStream, again, opened
from vonggac._native import segment as native
from vonggac.media.chunk import ChunkFlag, Row
from vonggac.store.journal import SegmentState

FAR_NS = 1 << 62


def rows_of(bench: Bench, stream: FakeStream) -> list[Row]:
    values = bench.ring.archive.packed_minutes(stream.stream, 0, FAR_NS)
    return [row.row for value in values for row in native.rows_unpack(value)]


def record(bench: Bench, stream: FakeStream, count: int, size: int = 40_000) -> None:
    for number in range(count):
        batch, _ = bench.tick([stream.chunk(size)])
        assert not batch.waiting and not batch.refused
        if number % 10 == 9:
            bench.commit()


def test_a_new_disk_needs_three_ticks_before_the_first_chunk(where: Path) -> None:
    bench = Bench.open(where)
    stream = FakeStream(1)
    stream.begin(1)
    chunk = stream.chunk()
    waited = 0
    while (batch := bench.tick([again(chunk)])[0]).waiting:
        waited += 1
    assert waited == 2 and len(batch.durable) == 1
    bench.crash()


def test_what_was_written_is_found_after_a_crash_without_any_commit(where: Path) -> None:
    bench, stream = opened(where, run=7)
    for _ in range(5):
        bench.tick([stream.chunk()])
    bench.crash()
    bench = Bench.open(where)
    assert [(r.run, r.sequence) for r in rows_of(bench, stream)] == [(7, n) for n in range(5)]
    assert bench.found.notes == []
    bench.crash()


def test_a_resumed_segment_goes_on_where_it_stood(where: Path) -> None:
    bench, stream = opened(where, run=7)
    record(bench, stream, 13)
    bench.crash()
    bench = Bench.open(where)
    bench.prime(1)
    stream.begin(8, gap=(stream.wall_ns, 9))
    stream.wall_ns += 4_000_000_000
    record(bench, stream, 3)
    segment = next(iter(bench.ring.open.values()))
    assert segment.count == 16
    # The gap of 4 s is in the decode times: 13 s, 4 s of nothing, 3 s.
    assert segment.decode_end_ticks == 20 * 90_000
    bench.crash()


def test_a_chunk_that_is_durable_already_is_known_and_not_written(where: Path) -> None:
    bench, stream = opened(where)
    chunk = stream.chunk()
    bench.tick([again(chunk)])
    batch, _ = bench.tick([again(chunk)])
    assert len(batch.known) == 1 and not batch.placed
    bench.crash()
    bench = Bench.open(where)
    batch, _ = bench.tick([again(chunk)])
    assert len(batch.known) == 1
    bench.crash()


def test_the_ring_gives_up_the_oldest_and_loses_no_room(where: Path) -> None:
    bench, stream = opened(where)
    record(bench, stream, 400, size=1_000_000)
    rows = rows_of(bench, stream)
    assert [r.sequence for r in rows] == list(range(rows[0].sequence, 400))
    bench.commit()
    states = [row.state for _, row in bench.ring.archive.segments()]
    assert len(states) == bench.disk.identity.segments
    assert states.count(SegmentState.SEALED) >= bench.disk.identity.segments - 6
    epochs = [row.epoch for _, row in bench.ring.archive.segments() if row.epoch]
    assert len(set(epochs)) == len(epochs)
    bench.crash()


def test_a_clock_that_jumps_back_overwrites_and_reorders_nothing(where: Path) -> None:
    bench, stream = opened(where)
    record(bench, stream, 5)
    stream.begin(2, wall_ns=START_NS - 86_400 * 1_000_000_000)
    record(bench, stream, 5)
    assert sorted((r.run, r.sequence) for r in rows_of(bench, stream)) == [
        (run, n) for run in (1, 2) for n in range(5)
    ]
    segment = next(iter(bench.ring.open.values()))
    assert segment.decode_end_ticks == 10 * 90_000
    bench.crash()


def test_other_parameter_sets_are_another_segment(where: Path) -> None:
    bench = Bench.open(where)
    bench.prime(2)
    stream = FakeStream(1)
    stream.begin(1)
    record(bench, stream, 2)
    stream.sps = bytes.fromhex("67f4000a9196820db011000003000100000300140f1226a0")
    record(bench, stream, 2)
    sealed = [row for _, row in bench.ring.archive.segments() if row.state is SegmentState.SEALED]
    assert [row.chunks for row in sealed] == [2]
    bench.crash()


def test_a_fragment_that_goes_on_in_the_next_segment_says_so(where: Path) -> None:
    bench, stream = opened(where)
    while not any(r.state is SegmentState.SEALED for _, r in bench.ring.archive.segments()):
        bench.tick([stream.chunk(2_500_000)])
    rows = rows_of(bench, stream)
    turn = next(n for n in range(1, len(rows)) if rows[n].offset < rows[n - 1].offset)
    continues = bool(rows[turn - 1].flags & ChunkFlag.CONTINUES)
    assert continues == (rows[turn].kind == 0)
    bench.crash()


def test_a_payload_that_rotted_before_the_index_knew_it_is_kept_and_flagged(where: Path) -> None:
    bench, stream = opened(where)
    record(bench, stream, 3)
    segment = next(iter(bench.ring.open.values()))
    number, last = segment.number, segment.rows()[-1]
    bench.crash()
    with open(bench.disk.segment_path(number), "r+b") as file:
        file.seek(last.offset + 20_000)
        file.write(b"rot")
    bench = Bench.open(where)
    assert [bool(r.flags & ChunkFlag.BROKEN) for r in rows_of(bench, stream)] == [
        False,
        False,
        True,
    ]
    bench.crash()


def test_a_bad_header_is_scanned_over(where: Path) -> None:
    bench, stream = opened(where)
    record(bench, stream, 4)
    segment = next(iter(bench.ring.open.values()))
    number, second = segment.number, segment.rows()[1]
    bench.crash()
    with open(bench.disk.segment_path(number), "r+b") as file:
        file.seek(second.offset + 40)
        file.write(b"torn")
    bench = Bench.open(where)
    assert [r.sequence for r in rows_of(bench, stream)] == [0, 2, 3]
    assert len(bench.found.torn) == 1
    bench.crash()


def test_a_gap_is_journalled_until_a_run_names_it(where: Path) -> None:
    from vonggac.store.journal import OpenGap

    bench, stream = opened(where)
    record(bench, stream, 2)
    bench.ring.open_gap(OpenGap(stream.camera, stream.stream, stream.wall_ns, 2))
    bench.tick()
    bench.crash()
    bench = Bench.open(where)
    assert bench.ring.gaps[stream.stream].reason == 2
    bench.prime(1)
    stream.begin(2, gap=(stream.wall_ns, 2))
    stream.wall_ns += 10**9
    record(bench, stream, 1)
    assert not bench.ring.gaps
    bench.crash()
    bench = Bench.open(where)
    assert not bench.ring.gaps
    bench.crash()


def test_a_chunk_that_comes_twice_in_a_tick_is_written_once_and_acknowledged_twice(
    where: Path,
) -> None:
    bench, stream = opened(where, run=7)
    chunk = stream.chunk()
    batch, _ = bench.tick([again(chunk), again(chunk)])
    assert len(batch.durable) == 2 and len(batch.placed) == 1
    bench.crash()
    bench = Bench.open(where)
    assert [(r.run, r.sequence) for r in rows_of(bench, stream)] == [(7, 0)]
    bench.crash()
