"""What is locked stays, however often the ring turns; and what is not goes on being recorded."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from store.maker import SECOND_NS, START_NS, Bench, FakeStream, make_disk, opened
from vonggac._native import segment as native
from vonggac.store.archive import Archive
from vonggac.store.batch import Batch
from vonggac.store.index import Index
from vonggac.store.index_values import SegmentRow
from vonggac.store.journal import Lock, SegmentState
from vonggac.store.locks import LockSet
from vonggac.store.spares import Spares

FAR_NS = 1 << 62
ONE, TWO = b"1" * 16, b"2" * 16


@pytest.fixture
def where(tmp_path: Path) -> Path:
    make_disk(tmp_path / "disk", 150 << 20)  # eight segments of eight chunks
    return tmp_path / "disk"


def record(bench: Bench, stream: FakeStream, seconds: int) -> int:
    """Chunks of 2 MB; gives how many of them found no segment."""
    refused = 0
    for number in range(seconds):
        waiting = [stream.chunk(2_000_000)]
        for _ in range(4):
            batch, _ = bench.tick(waiting)
            waiting = list(batch.waiting)
            if not waiting:
                break
        refused += len(waiting)
        if number % 10 == 9:
            bench.commit()
    return refused


def seconds_of(bench: Bench, stream: FakeStream) -> list[int]:
    values = bench.ring.archive.packed_minutes(stream.stream, 0, FAR_NS)
    rows = [packed.row for value in values for packed in native.rows_unpack(value)]
    return sorted((row.wall_start_ns - START_NS) // SECOND_NS for row in rows)


def lock(stream: FakeStream, first: int, last: int, name: bytes = ONE) -> Lock:
    return Lock(name, stream.stream, START_NS + first * SECOND_NS, START_NS + last * SECOND_NS)


@pytest.fixture
def begun(where: Path) -> tuple[Bench, FakeStream]:
    bench, stream = opened(where)
    assert record(bench, stream, 40) == 0
    return bench, stream


def test_locked_seconds_are_there_after_the_ring_turned_twice(
    begun: tuple[Bench, FakeStream],
) -> None:
    bench, stream = begun
    bench.ring.hold((lock(stream, 5, 12),))
    assert record(bench, stream, 130) == 0
    kept = seconds_of(bench, stream)
    assert set(range(5, 12)) <= set(kept) and 169 in kept
    assert len([second for second in kept if second < 100]) < 24  # two or three segments, no more
    bench.crash()


def test_what_was_unlocked_goes_with_the_next_turn(begun: tuple[Bench, FakeStream]) -> None:
    bench, stream = begun
    bench.ring.hold((lock(stream, 5, 12), lock(stream, 20, 21, TWO)))
    record(bench, stream, 70)
    bench.ring.hold((lock(stream, 20, 21, TWO),))
    record(bench, stream, 70)
    kept = seconds_of(bench, stream)
    assert 5 not in kept and 20 in kept
    bench.crash()


def test_a_lock_is_durable_with_the_next_tick_and_survives_a_crash(
    where: Path, begun: tuple[Bench, FakeStream]
) -> None:
    bench, stream = begun
    held = (lock(stream, 5, 12),)
    bench.ring.hold(held)
    assert bench.ring.durable_locks == ()
    bench.tick()
    assert bench.ring.durable_locks == held
    bench.crash()
    bench = Bench.open(where)
    assert bench.ring.locks == bench.ring.durable_locks == held
    bench.prime(1)
    stream.begin(2)
    record(bench, stream, 70)
    assert set(range(5, 12)) <= set(seconds_of(bench, stream))
    bench.crash()


def test_a_ring_that_is_locked_all_over_is_full_until_something_is_unlocked(
    begun: tuple[Bench, FakeStream],
) -> None:
    bench, stream = begun
    bench.ring.hold((Lock(ONE, stream.stream, 0, FAR_NS),))
    assert record(bench, stream, 70) > 0
    assert bench.ring.spares.is_full
    assert seconds_of(bench, stream)[:40] == list(range(40))
    bench.ring.hold(())
    assert record(bench, stream, 70) == 0
    assert not bench.ring.spares.is_full
    bench.crash()


def test_no_footage_is_given_up_before_the_catalogs_locks_are_known(
    begun: tuple[Bench, FakeStream],
) -> None:
    bench, stream = begun
    bench.ring.spares.are_locks_known = False
    assert record(bench, stream, 70) > 0
    assert seconds_of(bench, stream)[:40] == list(range(40))
    bench.ring.hold((lock(stream, 0, 3),))
    bench.ring.spares.are_locks_known = True
    assert record(bench, stream, 70) == 0
    assert set(range(3)) <= set(seconds_of(bench, stream))
    bench.crash()


def test_ten_thousand_locked_segments_do_not_hide_one_that_is_free_to_go(where: Path) -> None:
    bench = Bench.open(where)
    archive = Archive(Index.in_memory(bench.disk.identity.disk))
    for number in range(10_000):
        row = SegmentRow(
            SegmentState.SEALED, number + 1, ONE, ONE, bytes(32), number, number + 1, number + 100
        )
        archive.put_segment(number + 1000, row)
    archive.put_segment(3, SegmentRow(SegmentState.SEALED, 10_001, TWO, TWO, order=20_000))
    locked = LockSet.of([Lock(ONE, ONE, 0, FAR_NS)])
    spares = Spares(bench.disk, archive, 1 << 41)
    looked: list[int] = []

    def is_locked(row: SegmentRow) -> bool:
        looked.append(row.epoch)
        return locked.is_locked(row.stream, row.wall_start_ns, row.wall_end_ns)

    ticks = 0
    while not spares.reserved:
        before = len(looked)
        spares.move_on(Batch[None](-1, 0), [], 1, is_locked)
        assert len(looked) - before <= 4096  # no tick is held up
        assert not spares.is_full
        ticks += 1
    assert [spare.number for spare in spares.reserved] == [3]
    assert len(looked) == 10_001  # what is known to be locked is looked at once
    spares.reserved[0].is_journalled = True
    spares.move_on(Batch[None](-1, 0), [], 9, is_locked)
    assert len(looked) == 10_001
    spares.close()
    bench.crash()


class Turning:
    """Eight segments that go round: taken, sealed again as somebody's footage, locked, read."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.archive = Archive(Index.in_memory(bench.disk.identity.disk))
        self.spares = Spares(bench.disk, self.archive, 1 << 41)
        self.spares.is_leased = lambda number, _: number in self.leased
        self.locks: set[bytes] = set()
        self.leased: set[int] = set()
        self.order = 1000
        self.epoch = 1
        for number in range(8):
            self.seal(number, bytes([number % 3]) * 16)

    def seal(self, number: int, stream: bytes) -> None:
        self.order, self.epoch = self.order + 1, self.epoch + 1
        row = SegmentRow(
            SegmentState.SEALED, self.epoch, ONE, stream, bytes(32), 1, 2, self.order, chunks=1
        )
        self.archive.put_segment(number, row)

    def is_locked(self, row: SegmentRow) -> bool:
        return row.stream in self.locks

    def take(self, stream: bytes) -> list[int]:
        """The segments that are given up; they hold `stream` from then on."""
        self.spares.move_on(Batch[None](-1, 0), [], 0, self.is_locked)
        taken = [spare.number for spare in self.spares.reserved]
        for spare in self.spares.reserved:
            os.close(spare.fd)
            self.seal(spare.number, stream)
        self.spares.reserved.clear()
        return taken

    def due(self) -> list[int]:
        """Two, the oldest first, those that somebody reads last: by looking at all of them."""
        rows = sorted(self.archive.segments(), key=lambda pair: pair[1].order)
        free = [number for number, row in rows if not self.is_locked(row)]
        return sorted(free, key=lambda number: number in self.leased)[:2]


@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("take"), st.integers(0, 2)),
            st.tuples(st.just("lock"), st.integers(0, 2)),
            st.tuples(st.just("unlock"), st.integers(0, 2)),
            st.tuples(st.just("read"), st.integers(0, 7)),
            st.tuples(st.just("let go"), st.integers(0, 7)),
        ),
        max_size=40,
    )
)
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_is_locked_read_and_reused_in_between(
    where: Path, steps: list[tuple[str, int]]
) -> None:
    """What is given up is the oldest that is not locked, whatever was passed over before."""
    turning = Turning(Bench.open(where))
    try:
        for step, number in steps:
            stream = bytes([number]) * 16
            if step == "take":
                due = turning.due()
                assert turning.take(stream) == due
            elif step == "lock":
                turning.locks.add(stream)
            elif step == "unlock":
                turning.locks.discard(stream)
                turning.spares.look_again()
            elif step == "read":
                turning.leased.add(number)
            else:
                turning.leased.discard(number)
    finally:
        turning.bench.crash()
