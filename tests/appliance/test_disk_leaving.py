"""What keeps a drained disk in the box: locks first, then what is promised."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest
from msgspec import structs

from store.maker import START_NS, Bench, FakeStream, make_disk, opened
from vonggac.errors import VonggacError
from vonggac.registry.camera import OwnerKind
from vonggac.registry.catalog import DiskRow
from vonggac.registry.locks import Lock, LockedStream, Unlock
from vonggac.registry.retention import Classes, ClassLimits, Removed
from vonggac.store.journal import Lock as JournalLock
from vonggac_appliance.disk_leaving import Known, held_on

SECOND_NS = 1_000_000_000
DAY_NS = 86_400 * SECOND_NS
CLASSES = Classes(ClassLimits(30, None, 5), {})
LOCK_ID = b"l" * 16


@dataclass
class Drained:
    row: DiskRow
    stream: FakeStream
    camera: Removed
    lock: Lock


@pytest.fixture
def drained(tmp_path: Path) -> Drained:
    """A disk with ten seconds of a stream."""
    identity = make_disk(tmp_path / "disk")
    row = DiskRow(
        identity.disk,
        str(tmp_path / "disk"),
        identity.segments,
        identity.segment_bytes,
        START_NS,
        is_draining=True,
    )
    bench, stream = opened(tmp_path / "disk")
    for _ in range(10):
        bench.tick([stream.chunk()])
    bench.crash()
    camera = Removed(stream.camera, "cam1", ((stream.stream, "main"),), OwnerKind.STATE, START_NS)
    span = START_NS + 3 * SECOND_NS, START_NS + 4 * SECOND_NS
    lock = Lock(
        id=LOCK_ID,
        number=7,
        camera=stream.camera,
        code="cam1",
        streams=(LockedStream(stream.stream, "main", *span),),
        from_ns=span[0],
        to_ns=span[1],
        case="2026/17",
        officer="A",
        reason="B",
        review_ns=0,
        made_by="local:0",
        made_ns=START_NS,
    )
    return Drained(row, stream, camera, lock)


def test_what_is_promised_holds_a_disk_to_the_day_of_its_newest_footage(
    drained: Drained, tmp_path: Path
) -> None:
    known = Known([], [drained.camera], CLASSES)
    (held,) = held_on(tmp_path, drained.row, known, START_NS + DAY_NS)

    assert held.until_ns == START_NS + 10 * SECOND_NS + 30 * DAY_NS
    assert (held.what, held.is_lock) == ("cam1 is promised 30 days", False)
    assert held_on(tmp_path, drained.row, known, START_NS + 31 * DAY_NS) == []


def test_a_lock_holds_a_disk_for_ever_and_one_that_two_have_removed_does_not(
    drained: Drained, tmp_path: Path
) -> None:
    late_ns = START_NS + 3650 * DAY_NS
    (held,) = held_on(tmp_path, drained.row, Known([drained.lock], [], CLASSES), late_ns)
    assert held.is_lock and "lock 7 (case 2026/17, cam1) holds 1 segments" in held.what

    asked = Unlock("done", "local:1", "local", late_ns)
    lock = structs.replace(drained.lock, unlock=asked)
    assert held_on(tmp_path, drained.row, Known([lock], [], CLASSES), late_ns)
    lock = structs.replace(lock, unlock=structs.replace(asked, confirmed_ns=late_ns))
    assert held_on(tmp_path, drained.row, Known([lock], [], CLASSES), late_ns) == []

    elsewhere = LockedStream(b"x" * 16, "main", START_NS, late_ns)
    lock = structs.replace(drained.lock, streams=(elsewhere,))
    assert held_on(tmp_path, drained.row, Known([lock], [], CLASSES), late_ns) == []


def test_a_lock_that_only_the_disk_knows_holds_it_as_well(drained: Drained, tmp_path: Path) -> None:
    bench = Bench.open(tmp_path / "disk")
    stream = drained.stream
    bench.ring.locks = (JournalLock(LOCK_ID, stream.stream, START_NS, START_NS + SECOND_NS),)
    bench.ring.is_journal_dirty = True
    bench.tick()
    bench.crash()

    (held,) = held_on(tmp_path, drained.row, Known([], [], CLASSES), START_NS + 3650 * DAY_NS)
    assert held.is_lock and "only the disk's journal knows" in held.what


def test_a_disk_that_does_not_answer_is_not_known_to_be_free(
    drained: Drained, tmp_path: Path
) -> None:
    (tmp_path / "disk").rename(tmp_path / "gone")
    with pytest.raises(VonggacError, match="is not there"):
        held_on(tmp_path, drained.row, Known([], [], CLASSES), START_NS)
