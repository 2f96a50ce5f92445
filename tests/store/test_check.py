"""What `disk check` says of whole and of damaged disks, and what `disk rebuild` finds again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from store.maker import BOX, Bench, FakeStream, make_disk
from vonggac._native import segment as native
from vonggac.errors import StorageError, Unavailable
from vonggac.media.chunk import Row
from vonggac.store.check import check
from vonggac.store.disk import JOURNAL_NAME, segment_path
from vonggac.store.index import DATA_NAME
from vonggac.store.rebuild_whole import rebuild
from vonggac.store.start import open_for_reading

FAR_NS = 1 << 62


@dataclass(slots=True)
class Recorded:
    where: Path
    streams: list[FakeStream]
    rows: dict[bytes, list[tuple[int, int, Row]]]
    """(segment, epoch, row) of each stream, in the order of its minutes."""

    def first(self) -> tuple[int, Row]:
        number, _, row = self.rows[self.streams[0].stream][0]
        return number, row


def rows_on(where: Path, streams: list[FakeStream]) -> dict[bytes, list[tuple[int, int, Row]]]:
    reading = open_for_reading(where, BOX)
    found = {
        s.stream: [
            (r.segment, r.epoch, r.row)
            for value in reading.archive.packed_minutes(s.stream, 0, FAR_NS)
            for r in native.rows_unpack(value)
        ]
        for s in streams
    }
    reading.close()
    return found


@pytest.fixture
def recorded(tmp_path: Path) -> Recorded:
    """Two streams over sealed and open segments, two runs, and a crash at the end."""
    where = tmp_path / "disk"
    make_disk(where)
    streams = [FakeStream(1), FakeStream(2)]
    for life in (1, 2):
        bench = Bench.open(where)
        bench.prime(2)
        for stream in streams:
            stream.begin(life, stream.wall_ns + 5_000_000_000, (stream.wall_ns, 2))
        for number in range(14):
            bench.tick([stream.chunk(1_500_000) for stream in streams])
            if number == 8:
                bench.commit()
        bench.crash()
    return Recorded(where, streams, rows_on(where, streams))


def overwrite(where: Path, number: int, offset: int, data: bytes) -> None:
    with open(segment_path(where, number), "r+b") as file:
        file.seek(offset)
        file.write(data)


def test_a_crashed_disk_is_clean(recorded: Recorded) -> None:
    report = check(recorded.where, is_deep=True)
    assert report.problems == []
    assert report.fragments == 28 and report.segments > 8


def test_a_disk_in_use_is_not_checked(recorded: Recorded) -> None:
    bench = Bench.open(recorded.where)
    with pytest.raises(Unavailable, match="in use"):
        check(recorded.where)
    bench.crash()


def damage_header(r: Recorded) -> None:
    number, row = r.first()
    overwrite(r.where, number, row.offset + 60, b"\xff\xff")


def damage_payload(r: Recorded) -> None:
    number, row = r.first()
    overwrite(r.where, number, row.offset + row.chunk_bytes // 2, b"\xff\xff")


def damage_head(r: Recorded) -> None:
    overwrite(r.where, r.first()[0], 4, b"junk")


def damage_table(r: Recorded) -> None:
    number, _ = r.first()
    size = segment_path(r.where, number).stat().st_size
    overwrite(r.where, number, size - 200, b"\xff\xff")


def cut_short(r: Recorded) -> None:
    with open(segment_path(r.where, r.first()[0]), "r+b") as file:
        file.truncate(1 << 20)


@pytest.mark.parametrize(
    ("damage", "promise"),
    [
        (damage_header, 1),
        (damage_payload, 1),
        (damage_head, 3),
        (damage_table, 4),
        (cut_short, 2),
    ],
)
def test_damage_is_found_and_names_its_segment_and_promise(
    recorded: Recorded, damage: Callable[[Recorded], None], promise: int
) -> None:
    damage(recorded)
    report = check(recorded.where, is_deep=True)
    assert not report.is_ok
    assert {problem.segment for problem in report.problems} == {recorded.first()[0]}
    assert promise in {problem.promise for problem in report.problems}


def test_a_rebuild_finds_the_same_rows_and_runs(recorded: Recorded) -> None:
    stream = recorded.streams[0].stream
    before = open_for_reading(recorded.where)
    runs = before.archive.runs(stream, 0, FAR_NS)
    era = before.disk.identity.era
    before.close()
    (recorded.where / "index" / DATA_NAME).write_bytes(b"not an index")
    report = rebuild(recorded.where, BOX)
    assert report.segments == check(recorded.where).segments
    assert rows_on(recorded.where, recorded.streams) == recorded.rows
    after = open_for_reading(recorded.where)
    assert after.archive.runs(stream, 0, FAR_NS) == runs
    assert after.disk.identity.era == era + 1 and after.why_rebuilt is None
    after.close()
    assert check(recorded.where, is_deep=True).problems == []


def test_a_rebuild_needs_no_journal_and_no_epoch_is_used_again(recorded: Recorded) -> None:
    (recorded.where / JOURNAL_NAME).write_bytes(bytes(2 << 20))
    with pytest.raises(StorageError, match="disk rebuild"):
        Bench.open(recorded.where)
    old = {epoch for rows in recorded.rows.values() for _, epoch, _ in rows}
    rebuild(recorded.where, BOX)
    assert rows_on(recorded.where, recorded.streams) == recorded.rows
    bench = Bench.open(recorded.where)
    bench.prime(2)
    assert bench.ring.spares.ready
    assert all(spare.epoch > max(old) for spare in bench.ring.spares.ready)
    bench.crash()


def test_without_its_index_a_disk_is_read_all_the_same(recorded: Recorded) -> None:
    (recorded.where / "index" / DATA_NAME).unlink()
    assert rows_on(recorded.where, recorded.streams) == recorded.rows
    assert [problem.promise for problem in check(recorded.where).problems] == [4]


def test_after_a_rebuild_the_ring_gives_up_the_oldest_first(recorded: Recorded) -> None:
    rebuild(recorded.where, BOX)
    bench = Bench.open(recorded.where)
    bench.prime(2)
    stream = recorded.streams[0]
    stream.begin(3)
    for _ in range(60):
        batch, _ = bench.tick([stream.chunk(1_500_000)])
        assert not batch.waiting
    bench.commit()
    bench.crash()
    left = rows_on(recorded.where, recorded.streams)[recorded.streams[1].stream]
    assert left == recorded.rows[recorded.streams[1].stream][-len(left) :] if left else True
    assert check(recorded.where, is_deep=True).problems == []
