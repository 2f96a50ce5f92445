"""A keeper's locks, over a real ring; its parent is played here."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import pytest

from store.maker import SECOND_NS, START_NS, Bench, FakeStream, make_disk, opened
from vonggac.store.index import Table
from vonggac.store.locks import RANGES_MAX
from vonggac_appliance import sockets
from vonggac_appliance.keep_chores import Desk
from vonggac_appliance.keep_locks import KeepLocks
from vonggac_appliance.messages import Kind
from vonggac_appliance.messages_keeper import KeeperAlarm, LockRange, Locks, LocksDurable, Unlock

ONE = b"1" * 16


@dataclass
class Keeper:
    """The chore, and what it says."""

    bench: Bench
    stream: FakeStream
    said: list[Any]
    chore: KeepLocks

    def hear(self, kind: Kind, body: msgspec.Struct) -> None:
        self.chore.obeys[kind](sockets.Message(kind, 0, msgspec.msgpack.encode(body)))

    def lock(self, first: int, last: int, name: bytes = ONE, *, more: bool = False) -> None:
        start_ns, end_ns = (START_NS + s * SECOND_NS for s in (first, last))
        found = LockRange(name, self.stream.stream, start_ns, end_ns)
        self.hear(Kind.LOCKS, Locks([found], more))

    def count(self) -> int | None:
        """Turns until everything is counted."""
        for now_s in range(1000):
            self.chore.turn(now_s)
            if self.chore.count.is_done:
                return self.chore.count.segments
        raise AssertionError("it never ends")


@pytest.fixture
def keeper(tmp_path: Path) -> Iterator[Keeper]:
    make_disk(tmp_path / "disk", 150 << 20)
    bench, stream = opened(tmp_path / "disk")
    for _ in range(20):
        waiting = [stream.chunk(2_000_000)]
        while waiting:
            waiting = list(bench.tick(waiting)[0].waiting)
    said: list[Any] = []
    desk = Desk(bench.ring, tmp_path, lambda _, body: said.append(body), lambda: None)
    yield Keeper(bench, stream, said, KeepLocks(desk))
    bench.crash()


def test_a_lock_is_told_durable_after_the_tick_that_wrote_it_and_not_before(keeper: Keeper) -> None:
    keeper.lock(2, 4)
    keeper.chore.turn(1.0)
    assert keeper.said == []
    keeper.bench.tick()
    keeper.chore.turn(2.0)
    keeper.chore.turn(3.0)
    assert keeper.said == [LocksDurable(keeper.bench.disk.identity.disk, [ONE])]


def test_locks_are_known_with_the_last_message_of_several(keeper: Keeper) -> None:
    spares = keeper.bench.ring.spares
    assert not spares.are_locks_known
    keeper.lock(2, 4, more=True)
    assert not spares.are_locks_known and keeper.bench.ring.locks == ()
    keeper.hear(Kind.LOCKS, Locks([]))
    assert spares.are_locks_known and len(keeper.bench.ring.locks) == 1


def test_what_locks_hold_is_counted_and_counted_again_when_one_is_removed(keeper: Keeper) -> None:
    assert keeper.count() == 0
    keeper.lock(0, 2)
    keeper.lock(1, 9, b"2" * 16)  # seven seconds fill a segment
    assert keeper.count() == 2
    keeper.hear(Kind.UNLOCK, Unlock([b"2" * 16]))
    assert keeper.count() == 1


def test_a_lock_over_years_of_nothing_is_counted_in_a_few_steps(keeper: Keeper) -> None:
    keeper.hear(Kind.LOCKS, Locks([LockRange(ONE, keeper.stream.stream, 0, 1 << 62)]))
    keeper.chore.turn(1.0)
    keeper.chore.turn(2.0)
    assert keeper.chore.count.segments == 3


def test_an_index_that_cannot_be_read_stops_the_counting_and_nothing_else(keeper: Keeper) -> None:
    archive = keeper.bench.ring.archive
    archive.file_tails()
    for key, _ in list(archive.index.items(Table.ROWS, b"", b"\xff" * 20)):
        archive.index.put(Table.ROWS, key, b"\x09nonsense")
    keeper.lock(2, 4)
    keeper.chore.turn(1.0)
    assert keeper.chore.count.segments is None and keeper.chore.count.is_done
    keeper.bench.tick()
    keeper.chore.turn(2.0)
    assert [type(body) for body in keeper.said] == [LocksDurable]


def test_more_locks_than_a_journal_holds_are_an_alarm_and_no_footage_goes(keeper: Keeper) -> None:
    stream = keeper.stream.stream
    many = [LockRange(n.to_bytes(16, "big"), stream, n, n + 1) for n in range(RANGES_MAX + 1)]
    for first in range(0, len(many), 500):
        more = first + 500 < len(many)
        keeper.hear(Kind.LOCKS, Locks(many[first : first + 500], more))
    (alarm,) = keeper.said
    assert isinstance(alarm, KeeperAlarm) and alarm.kind == "locks-too-many"
    assert not keeper.bench.ring.spares.are_locks_known


def many_locks(keeper: Keeper, first: int, count: int) -> None:
    stream = keeper.stream.stream
    ranges = [LockRange(n.to_bytes(16, "big"), stream, n, n + 1) for n in range(count)][first:]
    for at in range(0, len(ranges), 500):
        keeper.hear(Kind.LOCKS, Locks(ranges[at : at + 500], at + 500 < len(ranges)))


def test_a_lock_too_many_later_on_stops_giving_up_footage_until_there_is_room(
    keeper: Keeper,
) -> None:
    spares = keeper.bench.ring.spares
    many_locks(keeper, 0, RANGES_MAX)
    assert spares.are_locks_known and len(keeper.bench.ring.locks) == RANGES_MAX
    many_locks(keeper, 0, RANGES_MAX + 1)
    assert not spares.are_locks_known
    keeper.hear(Kind.UNLOCK, Unlock([bytes(16)]))
    assert spares.are_locks_known
    names = {lock.lock for lock in keeper.bench.ring.locks}
    assert RANGES_MAX.to_bytes(16, "big") in names and bytes(16) not in names
