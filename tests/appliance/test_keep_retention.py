"""A keeper's retention on a real disk, with the clock in the test's hand."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from store.maker import BOX, SECOND_NS, START_NS, Bench, FakeStream, make_disk
from vonggac._native import segment as native
from vonggac.media.chunk import Row
from vonggac.store.check import check
from vonggac.store.index_values import SegmentRow
from vonggac.store.journal import Lock, SegmentState
from vonggac.store.tombstone import RECYCLED
from vonggac_appliance.keep_chores import Desk
from vonggac_appliance.keep_retention import KeepRetention
from vonggac_appliance.keep_tombstones import KeepTombstones
from vonggac_appliance.messages import Kind
from vonggac_appliance.messages_keeper import (
    ClockTold,
    KeeperAlarm,
    KeptDays,
    Retention,
    RetentionTold,
    Tombstones,
    TombstonesKept,
)
from vonggac_appliance.sockets import Message

HOUR_S, DAY_S = 3600, 86_400


class Box:
    """A ring with its chore, and a clock that goes as the test says."""

    def __init__(self, folder: Path) -> None:
        self.where = folder / "disk"
        make_disk(self.where)
        self.now_ns = START_NS
        self.now_s = 1000.0
        self.said: list[tuple[Kind, msgspec.Struct]] = []
        self.revoked: list[tuple[int, int]] = []
        self.limits: dict[bytes, KeptDays] = {}
        self.is_confirmed = False
        self.begin(Bench.start(self.where))
        self.bench.prime(3)

    def begin(self, bench: Bench) -> None:
        self.bench = bench
        desk = Desk(bench.ring, self.where.parent, self.say, lambda: None)
        self.chore = KeepRetention(
            desk, lambda n, e: self.revoked.append((n, e)), lambda: self.now_ns
        )
        self.graves = KeepTombstones(desk, ledger_s=5.0)
        self.tell()

    def say(self, kind: Kind, body: msgspec.Struct) -> None:
        self.said.append((kind, body))
        if isinstance(body, Tombstones) and self.is_ledger_there:
            self.obey(Kind.TOMBSTONES_KEPT, TombstonesKept(body.upto))

    is_ledger_there = True
    is_told = True
    """The recorder goes on telling that the clock is right."""

    def obey(self, kind: Kind, body: msgspec.Struct) -> None:
        obeys = {**self.chore.obeys, **self.graves.obeys}
        obeys[kind](Message(kind, 0, msgspec.msgpack.encode(body)))

    def tell(self, synced_s: int = 2 * HOUR_S, *, is_stepped: bool = False) -> None:
        others = KeptDays(30, None, 5, "default")
        self.obey(Kind.RETENTION, Retention(self.limits, {}, others, self.is_confirmed))
        self.tell_clock(synced_s, is_stepped=is_stepped)

    def tell_clock(self, synced_s: int = 2 * HOUR_S, *, is_stepped: bool = False) -> None:
        self.obey(Kind.CLOCK_TOLD, ClockTold(synced_s * SECOND_NS, is_stepped))

    def limit(self, stream: FakeStream, days_max: int | None, days_min: int = 0) -> None:
        self.limits[stream.camera] = KeptDays(days_min, days_max, 5, "agreement")
        self.tell()

    def record(self, stream: FakeStream, count: int = 20, size: int = 1_000_000) -> None:
        for number in range(count):
            batch, _ = self.bench.tick([stream.chunk(size)])
            assert not batch.waiting
            if number % 10 == 9:
                self.bench.commit()
        self.now_ns = max(self.now_ns, stream.wall_ns)

    def later(self, seconds: float) -> None:
        """The clock goes on; the recorder's word about it is renewed."""
        self.now_ns += int(seconds * SECOND_NS)
        self.now_s += seconds
        self.chore.turn(self.now_s)
        self.tell_clock()

    def turns(self, count: int = 30) -> None:
        """So many seconds, each with its tick."""
        for number in range(count):
            self.now_ns += SECOND_NS
            self.now_s += 1.0
            self.chore.turn(self.now_s)
            self.graves.turn(self.now_s)
            self.bench.tick()
            if self.is_told and number % 10 == 0:
                self.tell_clock()
            if number % 10 == 9:
                self.bench.commit()

    def rows(self, stream: FakeStream) -> list[Row]:
        values = self.bench.ring.archive.packed_minutes(stream.stream, 0, 1 << 62)
        return [row.row for value in values for row in native.rows_unpack(value)]

    def states(self) -> list[SegmentState]:
        return [row.state for _, row in self.bench.ring.archive.segments()]

    def alarms(self) -> list[str]:
        return [body.kind for _, body in self.said if isinstance(body, KeeperAlarm)]

    def tombstones(self) -> list[dict[str, object]]:
        told = [body for _, body in self.said if isinstance(body, Tombstones)]
        return [json.loads(line) for body in told for line in body.lines]

    def last_told(self) -> RetentionTold:
        return [body for _, body in self.said if isinstance(body, RetentionTold)][-1]


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Box]:
    made = Box(tmp_path)
    yield made
    made.bench.crash()
    report = check(made.where, BOX, is_deep=True)
    assert report.is_ok, report.problems


def recorded(box: Box, number: int = 1, seconds: int = 40) -> FakeStream:
    stream = FakeStream(number)
    stream.begin(1, wall_ns=box.now_ns)
    box.record(stream, seconds)
    return stream


def test_what_is_older_than_it_may_be_is_erased_and_told(box: Box) -> None:
    stream = recorded(box)
    box.limit(stream, 3)
    box.later(3 * DAY_S - 60)
    box.turns(30)
    assert len(box.rows(stream)) == 40, "not before its time"

    box.later(HOUR_S)
    for _ in range(4):  # a segment an hour is 5 % and more of so small a disk
        box.turns()
        box.later(HOUR_S)
    box.turns()
    assert box.rows(stream) == []
    told = box.tombstones()
    assert [(t["first"], t["last"]) for t in told] == [(0, 15), (16, 31), (32, 39)]
    assert {(t["rule"], t["days"], t["by"]) for t in told} == {("expired", 3, "agreement")}


def test_a_lower_limit_applies_to_what_is_recorded_already(box: Box) -> None:
    stream = recorded(box)
    box.later(10 * DAY_S)
    box.turns()
    assert len(box.rows(stream)) == 40
    box.limit(stream, 7)
    for _ in range(5):
        box.turns()
        box.later(HOUR_S)
    box.turns()
    assert box.rows(stream) == []


@pytest.mark.parametrize("why", ["synced for too short", "stepped", "told long ago", "stepped now"])
def test_a_clock_that_is_not_to_be_trusted_erases_nothing(box: Box, why: str) -> None:
    stream = recorded(box)
    box.limit(stream, 3)
    box.is_told = False
    box.now_ns += 5 * DAY_S * SECOND_NS
    box.now_s += 5 * DAY_S
    box.chore.turn(box.now_s)
    if why == "synced for too short":
        box.tell_clock(HOUR_S - 100)
    elif why == "stepped":
        box.tell_clock(is_stepped=True)
    elif why == "stepped now":
        box.tell_clock()
        box.now_ns += 400 * DAY_S * SECOND_NS
    box.turns()

    assert len(box.rows(stream)) == 40 and box.tombstones() == []
    assert box.last_told().held


def test_what_a_lock_does_not_cover_is_erased_around_it(box: Box) -> None:
    stream = recorded(box)
    box.limit(stream, 3)
    rows = box.rows(stream)
    lock = Lock(b"l" * 16, stream.stream, rows[5].wall_start_ns, rows[8].wall_end_ns)
    box.bench.ring.hold((lock,))
    box.later(4 * DAY_S)
    for _ in range(5):
        box.turns()
        box.later(HOUR_S)

    left = [row.sequence for row in box.rows(stream)]
    assert left == list(range(4, 10)), "whole fragments of two seconds"
    assert box.revoked, "whoever reads there asks again"
    before = len(box.tombstones())
    box.turns(90)
    assert len(box.tombstones()) == before, "nothing is erased twice"

    box.bench.ring.hold(())
    for _ in range(3):
        box.turns()
        box.later(HOUR_S)
    box.turns()
    assert box.rows(stream) == []


def test_a_lock_that_comes_in_time_is_obeyed(box: Box) -> None:
    stream = recorded(box, seconds=20)
    box.limit(stream, 3)
    rows = box.rows(stream)
    box.later(4 * DAY_S)
    box.chore.turn(box.now_s + 1)
    box.chore.turn(box.now_s + 2)
    lock = Lock(b"l" * 16, stream.stream, rows[0].wall_start_ns, rows[-1].wall_end_ns)
    box.bench.ring.hold((lock,))
    box.turns()
    assert [row.sequence for row in box.rows(stream)] == list(range(20))


def test_tombstones_wait_for_the_ledger_through_a_crash(box: Box) -> None:
    box.is_ledger_there = False
    stream = recorded(box, seconds=20)
    box.limit(stream, 3)
    box.later(4 * DAY_S)
    for _ in range(3):
        box.turns()
        box.later(HOUR_S)
    told = {(t["number"], t["first"]) for t in box.tombstones()}
    assert told

    box.bench.crash()
    box.said.clear()
    box.is_ledger_there = True
    box.begin(Bench.start(box.where))
    box.turns(12)
    assert {(t["number"], t["first"]) for t in box.tombstones()} >= told
    box.said.clear()
    box.turns(100)
    assert box.tombstones() == []


def test_footage_that_a_full_ring_gives_up_has_its_tombstone_too(box: Box) -> None:
    stream = recorded(box, seconds=250)
    box.turns(20)
    assert len(box.rows(stream)) < 250
    told = box.tombstones()
    assert {t["rule"] for t in told} == {"recycled"}
    gone = sorted((t["first"], t["last"]) for t in told)
    assert gone[0][0] == 0 and gone[-1][1] == box.rows(stream)[0].sequence - 1


def sealed(box: Box) -> tuple[int, SegmentRow]:
    """The first one in the order of reuse."""
    archive = box.bench.ring.archive
    return next(archive.reusable(box.bench.ring.disk.identity.segments + 1))


def test_what_was_planned_is_taken_back_when_a_limit_changes(box: Box) -> None:
    stream = recorded(box, seconds=20)
    number, row = sealed(box)
    spares, eraser = box.bench.ring.spares, box.bench.ring.eraser
    rows = box.bench.ring.archive.rows_of_segment(number, row)
    spares.due.append((number, row.epoch, RECYCLED))
    spares.preferred.append((number, row.epoch))
    eraser.wish(number, row.epoch, rows[:2], RECYCLED)

    box.limit(stream, 60)
    assert not spares.due and not spares.preferred
    for _ in range(4):
        box.bench.tick()
    assert eraser.is_settled and len(box.rows(stream)) == 20


@pytest.mark.parametrize("ticks", [0, 1])
def test_what_was_planned_is_taken_back_when_the_clock_is_not_trusted(box: Box, ticks: int) -> None:
    stream = recorded(box, seconds=20)
    number, row = sealed(box)
    rows = box.bench.ring.archive.rows_of_segment(number, row)
    box.bench.ring.eraser.wish(number, row.epoch, rows[:2], RECYCLED)
    for _ in range(ticks):  # after one its heads are read; nothing is journalled yet
        box.bench.tick()
    box.bench.ring.spares.due.append((number, row.epoch, RECYCLED))
    box.tell_clock(is_stepped=True)
    box.is_told = False
    box.turns(5)
    assert box.bench.ring.eraser.is_settled and len(box.rows(stream)) == 20


def test_a_clock_that_was_set_just_before_the_recorders_word_is_not_trusted(box: Box) -> None:
    stream = recorded(box, seconds=20)
    box.turns(3)
    box.later(HOUR_S)
    box.is_told = False
    box.now_ns += 5 * DAY_S * SECOND_NS
    box.limit(stream, 3)  # told with it: synchronised, not stepped
    box.turns(50)
    assert len(box.rows(stream)) == 20 and box.last_told().held
    box.is_told = True
    box.tell_clock()
    box.turns(70)
    assert len(box.rows(stream)) < 20, "its next word holds"


def test_a_time_is_proven_by_later_footage_that_has_gone_already(box: Box) -> None:
    stream = FakeStream(1, is_synced=False)
    stream.begin(1, wall_ns=box.now_ns)
    box.record(stream, 16)
    stream.is_synced = True
    box.record(stream, 20)
    box.limit(stream, 3)
    rows = box.rows(stream)
    box.bench.ring.hold(
        (Lock(b"l" * 16, stream.stream, rows[0].wall_start_ns, rows[15].wall_end_ns),)
    )
    box.later(4 * DAY_S)
    for _ in range(4):
        box.turns()
        box.later(HOUR_S)
    assert [row.sequence for row in box.rows(stream)] == list(range(16))

    box.bench.ring.hold(())
    for _ in range(2):
        box.turns()
        box.later(HOUR_S)
    box.turns()
    assert box.rows(stream) == []


def test_footage_of_another_stream_proves_no_time(box: Box) -> None:
    stream = FakeStream(1, is_synced=False)
    stream.begin(1, wall_ns=box.now_ns)
    box.record(stream, 17)
    box.bench.ring.retire(next(iter(box.bench.ring.open)), is_idle=True)
    recorded(box, 2)
    box.limit(stream, 3)
    box.later(4 * DAY_S)
    for _ in range(2):
        box.turns()
        box.later(HOUR_S)
    assert len(box.rows(stream)) == 17


def test_a_segment_whose_rows_are_not_complete_is_left_and_told_of(box: Box) -> None:
    stream = recorded(box, seconds=20)
    box.limit(stream, 3)
    number, row = sealed(box)
    box.bench.ring.archive.put_segment(number, replace(row, chunks=row.chunks + 1))
    box.turns(3)
    box.later(4 * DAY_S)
    box.turns(130)
    assert box.alarms() == ["erase-failed"], "once"
    assert [r.sequence for r in box.rows(stream)][:16] == list(range(16))
    box.bench.ring.archive.put_segment(number, row)
    box.bench.commit()


def test_too_much_at_once_waits_for_a_person(box: Box) -> None:
    stream = recorded(box, seconds=160)
    before = len(box.rows(stream))
    box.limit(stream, 3)
    box.later(4 * DAY_S)
    box.turns(70)
    assert box.alarms() == ["retention-guard"] and box.last_told().is_guarded
    assert len(box.rows(stream)) == before
    box.is_confirmed = True
    box.tell()
    box.later(HOUR_S)
    box.turns()
    assert len(box.rows(stream)) < before


def test_promised_footage_outlives_other_footage_that_is_newer(box: Box) -> None:
    kept = FakeStream(1)
    kept.begin(1, wall_ns=box.now_ns)
    box.record(kept, 30)
    other = recorded(box, 2, 60)
    box.limits[other.camera] = KeptDays(0, None, 5, "camera")
    box.limit(kept, None, days_min=30)
    box.later(DAY_S)
    busy = recorded(box, 3, 30)
    box.limits[busy.camera] = KeptDays(0, None, 5, "camera")
    box.tell()
    for _ in range(6):
        box.turns(62)
        busy.wall_ns = box.now_ns
        box.record(busy, 15)
    assert [row.sequence for row in box.rows(kept)] == list(range(30))
    assert len(box.rows(other)) < 60


def test_a_promise_that_will_break_is_told_before(box: Box) -> None:
    stream = FakeStream(1)
    stream.begin(1, wall_ns=box.now_ns)
    for _ in range(8):  # two hours, slowly
        box.record(stream, 10)
        stream.wall_ns += 900 * SECOND_NS
    box.limit(stream, None, days_min=30)
    box.turns(70)
    assert box.alarms() == ["retention-at-risk"]
    told = box.last_told()
    assert told.broken == [stream.camera]
    assert told.holds_days is not None and told.holds_days < 1
