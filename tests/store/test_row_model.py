"""The values of the index against a plain list of rows, whatever clock, erasing and restarts do."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from hypothesis import example, given, settings
from hypothesis import strategies as st

from vonggac._native import rows as native
from vonggac.media.chunk import ChunkFlag, PackedRow, Row
from vonggac.store.archive import Archive
from vonggac.store.index import Index, Table
from vonggac.store.index_values import MINUTE_NS, U32, SegmentRow, minute_of
from vonggac.store.journal import SegmentState
from vonggac.store.tombstone import Rule

STREAM = b"s" * 16
SECOND_NS = 10**9
BASE = 29_000_000
"""A minute of the year 2025."""
A_SEGMENT = 48
RULE = Rule("expired")
EPOCH = 1 << 40

SECONDS = st.one_of(
    st.integers(0, 400),
    st.sampled_from([minute * 60 for minute in (5, 58, 59, 60, 61, 119, 120, 1440, 525_600)]),
    st.integers(0, 9000),
)
RECORD = st.tuples(
    st.just("record"), SECONDS, st.sampled_from([-1, 0, 1, 7_777]), st.sampled_from([1, 40, 350]),
    st.sampled_from([1, 1, 2, 59, 61]), st.sampled_from([1, 10, 90, 400]),
)  # fmt: skip
AT = st.integers(0, 10**6)
DEED = st.one_of(
    RECORD,
    RECORD,
    st.tuples(st.just("forget"), AT),
    st.tuples(st.just("erase"), AT),
    st.tuples(st.just("mark"), AT),
    st.tuples(st.just("late"), AT),
    st.tuples(st.just("start")),
    st.tuples(st.just("rebuild"), st.booleans()),
)


def row(at_ns: int, run: int, sequence: int, place: int, length_ns: int = SECOND_NS) -> PackedRow:
    wild = place * 2_654_435_761 % 4096  # no two rows are packed alike
    return PackedRow(
        place // A_SEGMENT,
        EPOCH + place // A_SEGMENT,
        Row(4096 * (1 + place % A_SEGMENT), 4096, 488, 500 + wild, at_ns, at_ns + length_ns,
            90_000 + wild, 25, 0x20, 0, run, sequence),
    )  # fmt: skip


@dataclass
class World:
    """An archive, and what ought to be in it."""

    archive: Archive = field(default_factory=lambda: Archive(Index.in_memory(bytes(16))))
    rows: list[PackedRow] = field(default_factory=list)
    places: int = 0
    runs: int = 0

    def record(self, second: int, edge_ns: int, count: int, every: int, at_once: int) -> None:
        """A run from somewhere on, with a commit after so many rows, sealed at its end."""
        self.runs += 1
        start_ns = BASE * MINUTE_NS + second * SECOND_NS + edge_ns
        for sequence in range(count):
            at_ns = start_ns + sequence * every * SECOND_NS
            self._add(row(at_ns, self.runs, sequence, self.places, min(every, 50) * SECOND_NS))
            if sequence % at_once == at_once - 1:
                self.archive.file_tails()
        self._seal()

    def late(self, at: int) -> None:
        """A chunk of a run that went on long ago, into a segment of its own."""
        if self.rows:
            old = self.rows[at % len(self.rows)].row
            self._add(row(old.wall_start_ns, old.run, 10_000 + self.places, self.places))
            self._seal()

    def _add(self, packed: PackedRow) -> None:
        self.archive.add_row(STREAM, packed)
        self.rows.append(packed)
        self.places += 1

    def _seal(self) -> None:
        self.places += -self.places % A_SEGMENT
        for number in {packed.segment for packed in self.rows}:
            if self.archive.segment(number) is None:
                held = [packed.row for packed in self.rows if packed.segment == number]
                self.archive.put_segment(number, sealed(number, held))

    def _segment(self, at: int) -> tuple[int, list[PackedRow]]:
        number = self.rows[at % len(self.rows)].segment
        return number, [packed for packed in self.rows if packed.segment == number]

    def forget(self, at: int) -> None:
        if self.rows:
            number, held = self._segment(at)
            self.archive.forget(number)
            self.rows = [packed for packed in self.rows if packed not in held]

    def erase(self, at: int) -> None:
        """Some chunks of a segment."""
        if self.rows:
            number, held = self._segment(at)
            gone = held[at % 3 :: 1 + at % 4]
            self.archive.erase(number, {packed.row.offset for packed in gone}, RULE)
            self.rows = [packed for packed in self.rows if packed not in gone]

    def mark(self, at: int) -> None:
        if self.rows:
            which = at % len(self.rows)
            one = self.rows[which]
            flag = int(ChunkFlag.BROKEN)
            self.archive.mark_row(STREAM, one.segment, one.epoch, one.row, flag)
            self.rows[which] = replace(one, row=replace(one.row, flags=one.row.flags | flag))

    def start(self) -> None:
        """A keeper that knows nothing but the index."""
        self.archive.file_tails()
        self.archive = Archive(self.archive.index)

    def rebuild(self, is_unordered: bool) -> None:
        self.archive.file_tails()
        self.archive.rows.is_unordered = is_unordered

    def found(self, from_ns: int, to_ns: int) -> list[PackedRow]:
        values = self.archive.packed_minutes(STREAM, from_ns, to_ns)
        return [packed for value in values for packed in native.rows_unpack(value)]

    def check_values(self) -> None:
        """Each row is there once, within an hour of its value's minute, and not behind the next
        value's: where questions look for it (docs/ref/index.md).
        """
        self.archive.file_tails()
        held: list[PackedRow] = []
        values = list(self.archive.index.items(Table.ROWS, STREAM, STREAM + b"\xff" * 4))
        minutes = [U32.unpack(key[16:])[0] for key, _ in values]
        following = [*minutes[1:], 1 << 32][: len(minutes)]
        for minute, next_minute, (_, value) in zip(minutes, following, values, strict=True):
            inside = native.rows_unpack(value)
            of = [minute_of(packed.row.wall_start_ns) for packed in inside]
            assert minute <= min(of) <= max(of) <= min(minute + 59, next_minute)
            held += inside
        assert in_order(held) == in_order(self.rows)

    def check_question(self, from_ns: int, to_ns: int) -> None:
        assert in_order(clipped(self.found(from_ns, to_ns), from_ns, to_ns)) == in_order(
            clipped(self.rows, from_ns, to_ns)
        )

    def check_segment(self, at: int) -> None:
        if self.rows:
            number, held = self._segment(at)
            known = self.archive.segment(number)
            assert known is not None
            assert known.chunks == len(held)
            assert self.archive.rows_of_segment(number, known) == [packed.row for packed in held]


def sealed(number: int, held: list[Row]) -> SegmentRow:
    return SegmentRow(
        SegmentState.SEALED,
        EPOCH + number,
        stream=STREAM,
        wall_start_ns=min(one.wall_start_ns for one in held),
        wall_end_ns=max(one.wall_end_ns for one in held),
        order=10**9 + number,
        chunks=len(held),
    )


def clipped(rows: list[PackedRow], from_ns: int, to_ns: int) -> list[PackedRow]:
    return [p for p in rows if p.row.wall_start_ns < to_ns and p.row.wall_end_ns > from_ns]


def in_order(rows: list[PackedRow]) -> list[PackedRow]:
    return sorted(rows, key=lambda p: (p.row.run, p.row.sequence, p.segment, p.row.offset))


BACK_INTO_A_FULL_VALUE = [("record", 0, 0, 350, 1, 10), ("record", 100, 0, 40, 1, 10)]
BACK_AND_ON_AGAIN = [
    ("record", 7200, 0, 350, 1, 10),
    ("start",),
    ("record", 0, 0, 40, 1, 10),
    ("record", 7210, 0, 40, 1, 10),
]


@settings(max_examples=40)
@example(BACK_INTO_A_FULL_VALUE, [(0, 0, 400), (360, 60, 1)])
@example(BACK_AND_ON_AGAIN, [(0, 7200, 400), (400, 0, 9000)])
@given(
    st.lists(DEED, min_size=3, max_size=8),
    st.lists(st.tuples(AT, SECONDS, SECONDS), min_size=3, max_size=6),
)
def test_rows_are_there_once_and_found_whatever_was_done(
    deeds: list[tuple[object, ...]], questions: list[tuple[int, int, int]]
) -> None:
    world = World()
    for name, *how in deeds:
        getattr(world, str(name))(*how)
    world.check_values()
    for at, second, length in questions:
        from_ns = BASE * MINUTE_NS + second * SECOND_NS
        world.check_question(from_ns, from_ns + 1 + length * SECOND_NS)
        world.check_segment(at)
        if world.rows:
            one = world.rows[at % len(world.rows)].row
            world.check_question(one.wall_start_ns, one.wall_start_ns + 1)
            world.check_question(one.wall_end_ns - 1, one.wall_end_ns)


class Counting(Index):
    """Counts the keys that somebody walked over."""

    walked = 0

    def keys(self, table: Table, first: bytes, last: bytes) -> Iterator[bytes]:
        for key in super().keys(table, first, last):
            self.walked += 1
            yield key


def test_rows_of_1970_walk_over_little_of_what_lies_ahead() -> None:
    index = Counting.in_memory(bytes(16))
    world = World(Archive(index))
    for hour in range(600):
        world.archive.add_row(STREAM, row((BASE + 60 * hour) * MINUTE_NS, 1, hour, hour))
    world.start()
    index.walked = 0
    for second in range(0, 600, 30):
        world.archive.add_row(STREAM, row(second * SECOND_NS, 2, second, 10_000 + second))
        world.archive.file_tails()
    assert index.walked < 300
    assert len(world.found(0, 600 * SECOND_NS)) == 20
    assert len(world.found(0, 1 << 62)) == 620
