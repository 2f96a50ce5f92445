"""The scrub over real segments: what it finds, what it tells once, where it goes on."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import pytest

from crash.keeper_peer import Arena, KeeperPeer
from store.maker import Bench, FakeStream, make_disk, opened
from vonggac.media.chunk import ChunkFlag, Row
from vonggac.store import scrub
from vonggac.store.check import check
from vonggac.store.disk import segment_path
from vonggac.store.index_values import SegmentRow
from vonggac.store.journal import SegmentState
from vonggac.store.look import look
from vonggac_appliance import sockets
from vonggac_appliance.keep_chores import Desk
from vonggac_appliance.keep_scrub import KeepScrub
from vonggac_appliance.messages import Kind
from vonggac_appliance.messages_keeper import Rot, Scrubbed
from vonggac_appliance.scrub_watch import ScrubWatch

FAST_BYTES = 1 << 40
DEADLINE_S = 60.0


@dataclass(slots=True)
class Recording:
    """A disk with four sealed segments of one stream, its ring open."""

    where: Path
    bench: Bench
    stream: FakeStream
    said: list[Scrubbed] = field(default_factory=list)

    def sealed(self) -> list[tuple[int, SegmentRow]]:
        rows = self.bench.ring.archive.segments()
        return [(n, row) for n, row in rows if row.state is SegmentState.SEALED]

    def rows(self, number: int) -> list[Row]:
        archive = self.bench.ring.archive
        row = archive.segment(number)
        assert row is not None
        return archive.rows_of_segment(number, row)

    def chore(self, rate_bytes: int = FAST_BYTES) -> KeepScrub:
        def say(kind: Kind, body: msgspec.Struct) -> None:
            assert kind is Kind.SCRUBBED
            assert isinstance(body, Scrubbed)
            self.said.append(body)

        desk = Desk(self.bench.ring, self.where, say, lambda: None)
        return KeepScrub(desk, rate_bytes)

    def a_round(self) -> list[Rot]:
        """Everything once, by a new chore; what it found."""
        self.said.clear()
        chore = self.chore()
        turn_until(chore, lambda: bool(self.said) and self.is_over())
        chore.close()
        return [rot for scrubbed in self.said for rot in scrubbed.found]

    def is_over(self) -> bool:
        return self.said[-1].next_segment == self.said[-1].segments

    def begin_anew(self) -> None:
        scrub.Round(time.time_ns()).write(self.bench.index)


def turn_until(chore: KeepScrub, is_done: Callable[[], bool]) -> None:
    until_s = time.monotonic() + DEADLINE_S
    while not is_done():
        assert time.monotonic() < until_s
        chore.turn(time.monotonic())
        time.sleep(0.005)  # nothing tells that the thread has read on


@pytest.fixture
def recording(tmp_path: Path) -> Iterator[Recording]:
    where = tmp_path / "disk"
    make_disk(where)
    bench, stream = opened(where, run=7)
    for _ in range(13):
        bench.tick([stream.chunk(5_000_000)])
    bench.commit()
    found = Recording(where, bench, stream)
    assert len(found.sealed()) == 4
    yield found
    if bench.disk.lock_fd >= 0:
        bench.crash()


def damage(where: Path, number: int, offset: int) -> None:
    with open(segment_path(where, number), "r+b") as file:
        file.seek(offset)
        file.write(b"\xff\xfe\xfd")
        file.flush()
        os.fsync(file.fileno())


def test_footage_that_is_well_is_read_whole_and_nothing_is_told(recording: Recording) -> None:
    assert recording.a_round() == []
    told = recording.said[-1]
    whole = sum(
        row.chunk_bytes for number, _ in recording.sealed() for row in recording.rows(number)
    )
    assert (told.read_bytes, told.faults) == (whole, 0)


def test_a_wrong_bit_is_told_once_with_its_camera_and_time(recording: Recording) -> None:
    number, _ = recording.sealed()[0]
    row = recording.rows(number)[1]
    damage(recording.where, number, row.offset + row.chunk_bytes // 2)
    (rot,) = recording.a_round()
    assert (rot.camera, rot.stream) == (recording.stream.camera, recording.stream.stream)
    assert (rot.from_ns, rot.to_ns) == (row.wall_start_ns, row.wall_end_ns)
    assert (rot.segment, rot.offset) == (number, row.offset)
    assert "does not have its hash" in rot.what
    assert recording.said[-1].faults == 1
    assert recording.rows(number)[1].flags & ChunkFlag.BROKEN

    recording.begin_anew()
    assert recording.a_round() == []
    recording.bench.commit()
    recording.bench.crash()
    (problem,) = check(recording.where, is_deep=True).problems
    assert (problem.segment, problem.offset) == (number, row.offset)


def test_a_damaged_head_or_table_is_told_once_for_its_segment(recording: Recording) -> None:
    (first, _), (second, _), *_ = recording.sealed()
    damage(recording.where, first, 4)
    damage(recording.where, second, (16 << 20) - 100)
    rots = recording.a_round()
    assert [(rot.segment, rot.offset, rot.what) for rot in rots] == [
        (first, 0, "has no ftyp and moov"),
        (second, 0, "sealed, and has no whole table"),
    ]
    recording.begin_anew()
    assert recording.a_round() == []


def test_a_chunk_whose_head_is_damaged_is_told(recording: Recording) -> None:
    number, _ = recording.sealed()[0]
    row = recording.rows(number)[2]
    damage(recording.where, number, row.offset + 60)
    (rot,) = recording.a_round()
    assert (rot.offset, rot.what) == (row.offset, "a row without a whole chunk")


def test_many_wrong_places_of_a_segment_are_told_as_one(tmp_path: Path) -> None:
    where = tmp_path / "disk"
    make_disk(where)
    bench, stream = opened(where, run=7)
    for _ in range(20):
        bench.tick([stream.chunk(1_500_000)])
    bench.commit()
    recording = Recording(where, bench, stream)
    ((number, _), *_) = recording.sealed()
    rows = recording.rows(number)
    for row in rows:
        damage(where, number, row.offset + 9000)
    (rot,) = recording.a_round()
    assert rot.what == f"{len(rows)} places, the first: the payload does not have its hash"
    assert (rot.from_ns, rot.to_ns) == (rows[0].wall_start_ns, rows[-1].wall_end_ns)
    assert recording.said[-1].faults == len(rows) > 3
    recording.begin_anew()
    assert recording.a_round() == []
    bench.crash()


def test_reuse_and_erasing_while_it_is_read_are_no_fault(recording: Recording) -> None:
    archive = recording.bench.ring.archive
    number, row = recording.sealed()[0]
    _, job = scrub.next_job(archive, scrub.Round(0), 13)
    assert job is not None and job.number == number
    damage(recording.where, number, recording.rows(number)[0].offset + 9000)
    seen = look(recording.bench.disk, job)
    assert len(scrub.judge(archive, seen)) == 1
    archive.forget(number)
    archive.put_segment(number, SegmentRow(SegmentState.RESERVED, epoch=row.epoch + 100))
    assert scrub.judge(archive, seen) == []


def test_a_restart_goes_on_where_the_round_stood(recording: Recording) -> None:
    numbers = [number for number, _ in recording.sealed()]
    archive = recording.bench.ring.archive
    scrub.Round(time.time_ns() - 10**9, numbers[2]).write(recording.bench.index)
    recording.bench.commit()
    recording.a_round()
    read = sum(row.chunk_bytes for number in numbers[2:] for row in recording.rows(number))
    assert recording.said[-1].read_bytes == read
    now_ns = time.time_ns()
    later = scrub.Round.read(archive.index, now_ns)
    segments = recording.said[-1].segments
    assert later.is_over(segments)
    assert later.following(segments, now_ns) is None
    due_ns = now_ns + scrub.ROUND_NS
    assert later.following(segments, due_ns) == scrub.Round(due_ns)


def test_a_clock_that_went_back_does_not_put_off_the_next_round(recording: Recording) -> None:
    index = recording.bench.index
    now_ns = time.time_ns()
    scrub.Round(now_ns + 365 * 86_400 * 10**9, 13).write(index)
    assert scrub.Round.read(index, now_ns) == scrub.Round(now_ns, 13)


def test_it_reads_no_faster_than_it_may_and_ends_at_once(recording: Recording) -> None:
    chore = recording.chore(rate_bytes=1 << 20)
    began_s = time.monotonic()
    turn_until(chore, lambda: bool(recording.said))
    while time.monotonic() - began_s < 1.0:
        chore.turn(time.monotonic())
        time.sleep(0.02)
    # A segment of 16 MB would need 14 s: none can be through, and closing does not wait for one.
    assert recording.said[-1].read_bytes == 0
    chore.close()
    thread = chore.thread
    assert thread is not None
    thread.join(DEADLINE_S)
    assert not thread.is_alive()


@pytest.mark.parametrize(
    ("capacity_bytes", "rate_bytes"),
    [(100 << 30, 2 << 20), (8 << 40, (8 << 40) // (13 * 86_400)), (1 << 50, 128 << 20)],
)
def test_the_rate_reads_a_disk_in_a_fortnight(capacity_bytes: int, rate_bytes: int) -> None:
    assert scrub.rate_bytes(capacity_bytes) == rate_bytes


def test_a_wrong_place_becomes_an_alarm_and_a_figure() -> None:
    alarms: list[tuple[str, str, str]] = []
    watch = ScrubWatch(dict, lambda *words: alarms.append(words))
    rot = Rot(b"c" * 16, b"m" * 16, 0, 10**9, 12, 4096, "the payload does not have its hash")
    assert watch.status("64" * 16) is None
    watch.note("/srv/disk1", Scrubbed(b"d" * 16, 5000, 1, 77, 6, 12, [rot]))
    ((kind, subject, what),) = alarms
    assert (kind, subject) == ("bit-rot", (b"c" * 16).hex())
    assert "1970-01-01" in what
    assert "disk /srv/disk1, segment 12, byte 4096" in what
    status = watch.status("64" * 16)
    assert status is not None
    assert (status.read_bytes, status.faults, status.began_ns, status.done) == (5000, 1, 77, 0.5)


def test_a_keeper_tells_its_parent_of_rotten_footage(tmp_path: Path) -> None:
    where = tmp_path / "disk"
    make_disk(where)
    bench = Bench.open(where)
    bench.prime(2)
    stream = FakeStream(1)
    stream.begin(7)
    bench.tick([stream.chunk(100_000), stream.chunk(100_000)])
    stream.sps = bytes.fromhex("6764001facd9414041fb011000000300100000030320f1831960")
    bench.tick([stream.chunk(100_000)])  # another sample entry: what was open is sealed
    bench.commit()
    ((number, row),) = [
        (n, row)
        for n, row in bench.ring.archive.segments()
        if row.state is SegmentState.SEALED and row.chunks
    ]
    offset = bench.ring.archive.rows_of_segment(number, row)[1].offset
    bench.crash()
    damage(where, number, offset + 50_000)
    arena = Arena.make()
    peer = KeeperPeer(where, tmp_path, arena)
    peer.ready()
    scrubbed = sockets.decode(peer.heard(Kind.SCRUBBED), Scrubbed)
    while not scrubbed.found:
        scrubbed = sockets.decode(peer.heard(Kind.SCRUBBED), Scrubbed)
    (rot,) = scrubbed.found
    assert (rot.camera, rot.segment, rot.offset) == (stream.camera, number, offset)
    assert peer.quit()[0] == 0
    arena.close()
