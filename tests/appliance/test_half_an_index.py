"""A keeper that makes its index again knows half of its disk: nobody takes that for the whole."""

from __future__ import annotations

import os
import queue
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from crash.keeper_peer import Arena, KeeperPeer
from store.maker import SECOND_NS, Bench, FakeStream, make_disk
from vonggac.media.chunk import GapReason
from vonggac.motion import ranges
from vonggac.motion.mark_files import MarkFiles
from vonggac.motion.marks import Mark
from vonggac.motion.slots import Slot, Tier, cells_of
from vonggac.playback.day_bar import Bar
from vonggac.registry.catalog import Catalog, DiskRow
from vonggac.store.disk import INDEX_NAME
from vonggac.store.index import DATA_NAME
from vonggac.store.timeline import Gap
from vonggac_appliance.day_bars import DAY_NS, ask_bar
from vonggac_appliance.footage import found_of
from vonggac_appliance.hook_marks import folder_of
from vonggac_appliance.hook_marks_survey import MarkSurvey
from vonggac_appliance.index_client import IndexClient
from vonggac_appliance.look_index import LookIndex
from vonggac_appliance.motion_keeping import MotionKeeping
from vonggac_appliance.motion_plan import MotionPlan
from vonggac_appliance.motion_reading import MotionReader
from vonggac_appliance.motion_survey import Begins, Surveyed, Surveyor

DEADLINE_S = 120.0
FIRST_S, HOLE_S, LAST_S = 10, 3, 3
"""Two segments that are full, a hole in the recording, and one that is open."""


@dataclass(slots=True)
class Half:
    """A disk, and its keeper, which has lost its index and read no segment yet."""

    home: Path
    disk: bytes
    stream: FakeStream
    start_s: int

    @property
    def spans_s(self) -> ranges.Ranges:
        """What is recorded."""
        last_s = self.start_s + FIRST_S + HOLE_S
        return (self.start_s, self.start_s + FIRST_S), (last_s, last_s + LAST_S)

    @property
    def span_ns(self) -> tuple[int, int]:
        return self.spans_s[0][0] * SECOND_NS, self.spans_s[1][1] * SECOND_NS

    @property
    def hole_ns(self) -> tuple[int, int]:
        return self.spans_s[0][1] * SECOND_NS, self.spans_s[1][0] * SECOND_NS

    def until_whole(self) -> None:
        """Lets the index be made."""
        (self.home / "go").touch()
        until_s = time.monotonic() + DEADLINE_S
        with IndexClient(self.home, self.disk) as client:
            while not client.rows(self.stream.stream, *self.span_ns).is_whole:
                assert time.monotonic() < until_s
                time.sleep(0.02)  # a keeper tells nobody that it has all of them


@pytest.fixture
def half(home: Path) -> Iterator[Half]:
    where = home / "disk"
    identity = make_disk(where)
    start_s = int(time.time()) - 3600
    stream = FakeStream(1)
    stream.begin(1, start_s * SECOND_NS)
    bench = Bench.open(where)
    bench.prime(1)
    for _ in range(FIRST_S):
        bench.tick([stream.chunk(3_000_000)])
    hole = stream.wall_ns, int(GapReason.NETWORK)
    stream.begin(2, stream.wall_ns + HOLE_S * SECOND_NS, hole)
    bench.tick([stream.chunk(3_000_000)])
    bench.commit()
    for _ in range(LAST_S - 1):
        bench.tick([stream.chunk(3_000_000)])  # its journal leaves out what the index has
    bench.crash()
    (where / INDEX_NAME / DATA_NAME).unlink()
    arena = Arena.make()
    keeper = KeeperPeer(where, home, arena, is_rebuild_held=True)
    keeper.ready()
    yield Half(home, identity.disk, stream, start_s)
    keeper.kill()
    arena.close()


def test_what_half_an_index_does_not_tell_is_not_forgotten(half: Half) -> None:
    keeping = MotionKeeping(half.home / "motion", 1 << 30, MotionPlan(1.0))
    stream, camera = half.stream.stream, half.stream.camera
    seconds = [second for span in half.spans_s for second in range(*span)]
    keeping.index.add(stream, [Slot(second, cells_of([5]), Tier.FULL) for second in seconds])
    keeping.streams = {camera: (stream,)}
    keeping.look_back()
    inbox: queue.Queue[Surveyed | Begins] = queue.Queue()
    surveyor = Surveyor(
        half.home,
        lambda: (half.disk,),
        lambda: keeping.streams,
        lambda: keeping.days,
        inbox.put,
    )
    surveyor.start()
    try:
        with pytest.raises(queue.Empty):
            print(inbox.get(timeout=2.0))
        half.until_whole()
        surveyor.go_anew()
        told = inbox.get(timeout=DEADLINE_S)
    finally:
        surveyor.close()

    assert isinstance(told, Surveyed)
    keeping.reconcile(told)
    covered = keeping.index.covered(stream, 0, 1 << 36)
    known = ranges.union((one.from_s, one.to_s) for one in covered)
    assert known == half.spans_s


def test_marks_stay_while_nobody_knows_all_that_is_recorded(half: Half) -> None:
    stream, camera = half.stream.stream, half.stream.camera
    files = MarkFiles(folder_of(half.home), 1 << 20)
    for second in (half.start_s + 1, half.start_s - 600):
        span = second * SECOND_NS, (second + 1) * SECOND_NS
        files.add(camera, Mark(1, *span, "lorry", (0.0, 0.0, 1.0, 1.0), 1.0, span[1]))
    files.close()
    survey = MarkSurvey(
        half.home, folder_of(half.home), lambda: {camera: (stream,)}, lambda: (half.disk,)
    )

    survey.look()
    assert survey.gone.empty()
    half.until_whole()
    survey.look()
    assert survey.gone.get_nowait().camera == camera, "what has no footage goes after that"
    survey.close()


def test_what_is_known_already_is_read_and_counts_as_a_part(half: Half) -> None:
    reader = MotionReader(half.home, (half.disk, os.urandom(16)), "view")
    stream, span = half.stream.stream, half.span_ns
    part, _, missing = reader.rows(stream, *span)
    assert (len(part), missing) == (LAST_S, 2)
    half.until_whole()
    rows, until_ns, missing = reader.rows(stream, *span)
    reader.close()

    assert (len(rows), until_ns, missing) == (FIRST_S + LAST_S, half.stream.wall_ns, 1)


def test_a_timeline_shows_what_is_known_and_gives_no_reason_for_the_rest(half: Half) -> None:
    stream, span = half.stream.stream, half.span_ns
    where = half.home / "disk"

    def told() -> tuple[tuple[Path, ...], list[Bar]]:
        found = found_of(half.home, [(where, half.disk)], stream, *span)
        days = [span, (span[0] - DAY_NS, span[1] + DAY_NS)]  # by rows, and by runs
        bars = [ask_bar(half.home, [half.disk], stream, *day, 1 << 30) for day in days]
        shown = [(one.from_ns, one.to_ns) for one in found.line.ranges]
        return found.missing, [Bar(*span, tuple(shown), found.line.gaps), *bars]

    missing, bars = told()
    assert missing == (where,)
    for bar in bars:
        assert bar.ranges == ((half.hole_ns[1], span[1]),)
        assert {gap.reason for gap in bar.gaps} == {GapReason.UNKNOWN}
    half.until_whole()
    missing, bars = told()
    assert missing == ()
    for bar in bars:
        assert bar.ranges == ((span[0], half.hole_ns[0]), (half.hole_ns[1], span[1]))
        assert bar.gaps[0] == Gap(*half.hole_ns, int(GapReason.NETWORK))


def test_a_players_list_says_that_a_disk_does_not_tell_all(half: Half) -> None:
    with Catalog(half.home) as catalog:
        catalog.enrol_disk(DiskRow(half.disk, str(half.home / "disk"), 1, 1, 1))
        index = LookIndex(half.home, catalog)
        part = index.found(half.stream.stream, *half.span_ns)
        half.until_whole()
        whole = index.found(half.stream.stream, *half.span_ns)

    assert (part.missing, whole.missing) == (1, 0)
    assert 0 < len(part.fragments[0]) < len(whole.fragments[0])
