"""Segments with wrong bits, foreign chunks and torn tails: named, stepped over, never believed."""

from __future__ import annotations

import json
import random
import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store.maker import BOX, Bench, FakeStream, opened
from vonggac._native import segment as native
from vonggac.errors import ConfigError, StorageError
from vonggac.media.chunk import PackedRow
from vonggac.store import disk as disks
from vonggac.store.check import check
from vonggac.store.formatting import format_disk
from vonggac.store.segment import Life, SegmentFile
from vonggac.store.start import open_for_reading

SEGMENT_BYTES = 256 << 10


@pytest.fixture(autouse=True)
def _small_segments(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(disks, "SEGMENT_BYTES_MIN", SEGMENT_BYTES)


@dataclass(frozen=True, slots=True)
class Disk:
    where: Path
    stream: FakeStream

    def rows(self) -> list[PackedRow]:
        reading = open_for_reading(self.where)
        try:
            values = list(reading.archive.packed_minutes(self.stream.stream, 0, 1 << 62))
        finally:
            reading.close()
        return [packed for value in values for packed in native.rows_unpack(value)]

    def sequences(self) -> list[int]:
        return [packed.row.sequence for packed in self.rows()]

    def path(self, segment: int) -> Path:
        return disks.segment_path(self.where, segment)

    def write(self, segment: int, offset: int, data: bytes) -> None:
        with self.path(segment).open("r+b") as file:
            file.seek(offset)
            file.write(data)

    def flip(self, segment: int, offset: int, bit: int) -> None:
        byte = self.path(segment).read_bytes()[offset]
        self.write(segment, offset, bytes([byte ^ 1 << bit]))

    def problems(self) -> list[tuple[int, int]]:
        return [(p.segment, p.promise) for p in check(self.where, is_deep=True).problems]

    def record_on(self) -> None:
        """A keeper starts, records, and what it records is there."""
        bench = Bench.start(self.where)
        bench.prime(1)
        self.stream.begin(self.stream.run + 1)
        chunks = [self.stream.chunk() for _ in range(3)]
        for chunk in chunks:
            bench.tick([chunk])
        bench.crash()
        found = [(r.row.run, r.row.sequence) for r in self.rows()]
        assert found[-3:] == [(self.stream.run, n) for n in range(3)]


def make(where: Path, chunks: int, commit: bool) -> Disk:
    """One stream: two segments that are sealed, one that is open."""
    format_disk(where, 31 << 19, BOX, SEGMENT_BYTES)
    bench, stream = opened(where)
    for _ in range(chunks):
        bench.tick([stream.chunk(30_001)])
    if commit:
        bench.tick()
        bench.commit()
        bench.tick()
    bench.crash()
    return Disk(where, stream)


@pytest.fixture
def indexed(tmp_path: Path) -> Disk:
    return make(tmp_path / "disk", 18, commit=True)


@pytest.fixture
def unindexed(tmp_path: Path) -> Disk:
    return make(tmp_path / "disk", 18, commit=False)


def region(disk: Disk, packed: PackedRow, name: str) -> range:
    """Where in its file a part of a chunk lies."""
    with disk.path(packed.segment).open("rb") as opened:
        file = SegmentFile(opened.fileno(), SEGMENT_BYTES)
        identity = disks.Identity.from_json(
            (disk.where / disks.IDENTITY_NAME).read_bytes(), disk.where
        )
        view = file.chunk_of(Life(identity.disk, packed.segment, packed.epoch), packed.row.offset)
    assert view is not None
    start = packed.row.offset
    payload = start + view.payload_offset
    end = payload + view.claim.video_bytes
    return {
        "header": range(start, payload - 8 - packed.row.moof_bytes),
        "moof": range(payload - 8 - packed.row.moof_bytes, payload - 8),
        "payload": range(payload, end),
        "padding": range(end + 8, start + packed.row.chunk_bytes),
    }[name]


@pytest.mark.parametrize("name", ["header", "moof", "payload", "padding"])
@pytest.mark.parametrize("is_sealed", [True, False], ids=["sealed", "open"])
def test_a_wrong_bit_in_an_indexed_chunk_is_named_and_takes_no_other(
    indexed: Disk, name: str, is_sealed: bool
) -> None:
    chance = random.Random(3)
    before = indexed.sequences()
    rows = indexed.rows()
    packed = rows[2] if is_sealed else rows[-2]
    where = region(indexed, packed, name)
    for _ in range(4):
        at, bit = chance.choice(where), chance.randrange(8)
        indexed.flip(packed.segment, at, bit)
        found = indexed.problems()
        assert {segment for segment, _ in found} <= {packed.segment}
        assert bool(found) == (name != "padding"), (name, at)
        assert indexed.sequences() == before
        indexed.flip(packed.segment, at, bit)
    indexed.flip(packed.segment, where[len(where) // 2], 0)
    indexed.record_on()
    assert indexed.sequences()[: len(before)] == before


@pytest.mark.parametrize("name", ["header", "moof", "payload"])
def test_a_wrong_bit_in_a_chunk_that_no_index_knows_is_stepped_over(
    unindexed: Disk, name: str
) -> None:
    rows = unindexed.rows()
    packed = rows[-2]
    where = region(unindexed, packed, name)
    unindexed.flip(packed.segment, where[len(where) // 2], 3)
    expected = [r.row.sequence for r in rows if name == "payload" or r is not packed]
    assert unindexed.sequences() == expected
    bench = Bench.start(unindexed.where)
    told = [*bench.found.notes, *bench.found.torn]
    bench.crash()
    assert told or name == "payload"
    unindexed.record_on()
    assert unindexed.sequences()[: len(expected)] == expected


def foreign_chunk(disk: Disk, packed: PackedRow) -> bytes:
    data = disk.path(packed.segment).read_bytes()
    return data[packed.row.offset : packed.row.offset + packed.row.chunk_bytes]


def end_of(disk: Disk) -> tuple[int, int]:
    """The open segment, and where its last chunk ends."""
    last = disk.rows()[-1]
    return last.segment, last.row.offset + last.row.chunk_bytes


def test_a_chunk_of_another_life_or_place_is_not_believed(indexed: Disk) -> None:
    before = indexed.sequences()
    segment, end = end_of(indexed)
    indexed.write(segment, end, foreign_chunk(indexed, indexed.rows()[0]))
    assert indexed.sequences() == before
    indexed.record_on()
    assert indexed.sequences()[: len(before)] == before
    assert indexed.problems() == []


def test_a_chunk_of_another_box_s_disk_is_not_believed(indexed: Disk, tmp_path: Path) -> None:
    """The same segment, epoch and offset on a disk of somebody else."""
    segment, end = end_of(indexed)
    other = make(tmp_path / "other", 20, commit=False)
    there = [r for r in other.rows() if (r.segment, r.row.offset) == (segment, end)]
    assert there
    indexed.write(segment, end, foreign_chunk(other, there[0]))
    before = indexed.sequences()
    indexed.record_on()
    assert indexed.sequences()[: len(before)] == before
    assert indexed.problems() == []


@pytest.mark.parametrize("size", [1, 511, 4096, 20_000])
def test_a_torn_tail_is_zeroed_and_recorded_over(unindexed: Disk, size: int) -> None:
    before = unindexed.sequences()
    segment, end = end_of(unindexed)
    unindexed.write(segment, end, random.Random(size).randbytes(size))
    unindexed.record_on()
    assert unindexed.sequences()[: len(before)] == before
    assert unindexed.problems() == []


@pytest.mark.parametrize("name", [disks.JOURNAL_NAME, disks.INDEX_NAME])
def test_a_journal_of_another_disk_is_refused_and_an_index_made_again(
    indexed: Disk, tmp_path: Path, name: str
) -> None:
    other = make(tmp_path / "other", 2, commit=True)
    before = indexed.sequences()
    if name == disks.JOURNAL_NAME:
        shutil.copyfile(other.where / name, indexed.where / name)
        with pytest.raises(StorageError, match="belongs to another disk"):
            Bench.start(indexed.where)
        with pytest.raises(StorageError, match="belongs to another disk"):
            check(indexed.where)
    else:
        shutil.rmtree(indexed.where / name)
        shutil.copytree(other.where / name, indexed.where / name)
        assert indexed.problems() == [(-1, 4)]
        assert indexed.sequences() == before
        indexed.record_on()


@pytest.mark.parametrize("change", [-1, 1])
def test_an_identity_that_miscounts_its_segments_is_refused(indexed: Disk, change: int) -> None:
    path = indexed.where / disks.IDENTITY_NAME
    facts = json.loads(path.read_bytes())
    facts["segments"] += change
    path.write_bytes(json.dumps(facts).encode())
    with pytest.raises(ConfigError, match="damaged"):
        Bench.start(indexed.where)


WORDS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=40),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner),
)


@given(st.data())
def test_an_identity_that_is_damaged_says_so(data: st.DataObject) -> None:
    whole = disks.Identity(bytes(16), BOX, 16 << 20, 8, 1).to_json()
    facts = json.loads(whole)
    if data.draw(st.booleans()):
        facts[data.draw(st.sampled_from(sorted(facts)))] = data.draw(WORDS)
        text = json.dumps(facts).encode()
    else:
        at = data.draw(st.integers(0, len(whole) - 1))
        text = whole[:at] + bytes([data.draw(st.integers(0, 255))]) + whole[at + 1 :]
    try:
        found = disks.Identity.from_json(text, Path("d"))
    except ConfigError:
        return
    assert len(found.disk) == len(found.box) == 16 and found.segments > 0
