"""Which days are gone through: those of which a disk or the index has anything."""

from __future__ import annotations

import queue
import time
from collections.abc import Collection
from pathlib import Path

from look_rig import keepers
from store.maker import SECOND_NS, Bench, FakeStream, make_disk
from vonggac_appliance.motion_survey import Begins, Surveyed, Surveyor

DEADLINE_S = 60.0
DAY_S = 86_400
TODAY = int(time.time()) // DAY_S


def recorded(where: Path, stream: FakeStream, *days: int) -> None:
    """Some seconds about noon of each, in this order."""
    bench = Bench.open(where)
    bench.prime(1)
    for run, day in enumerate(days, 1):
        stream.begin(run, (day * DAY_S + DAY_S // 2) * SECOND_NS)
        bench.tick([stream.chunk() for _ in range(3)])
    bench.commit()
    bench.crash()


def surveyed(
    home: Path, disk: bytes, streams: list[FakeStream], indexed: Collection[int], count: int
) -> list[Surveyed]:
    """The first so many windows of a pass."""
    inbox: queue.Queue[Surveyed | Begins] = queue.Queue()
    cameras = {stream.camera: (stream.stream,) for stream in streams}
    surveyor = Surveyor(home, lambda: (disk,), lambda: cameras, lambda: indexed, inbox.put)
    surveyor.start()
    found: list[Surveyed] = []
    try:
        while len(found) < count:
            told = inbox.get(timeout=DEADLINE_S)
            found += [told] if isinstance(told, Surveyed) else []
    finally:
        surveyor.close()
    return found


def test_a_row_of_fifty_years_ago_costs_one_day_and_not_twenty_thousand(home: Path) -> None:
    identity = make_disk(home / "disk")
    one, other = FakeStream(1), FakeStream(2)
    recorded(home / "disk", one, TODAY - 3, 0, TODAY - 2)
    recorded(home / "disk", other, TODAY - 400, TODAY - 3)
    indexed = {TODAY - 700, TODAY - 2, TODAY - 1, TODAY + 300}

    with keepers(home, home / "disk"):
        told = surveyed(home, identity.disk, [one, other], indexed, 14)

    days = [TODAY + 300, TODAY - 1, TODAY - 2, TODAY - 3, TODAY - 400, TODAY - 700, 0]
    assert [window.from_s // DAY_S for window in told] == [day for day in days for _ in range(2)]
    assert [window.camera for window in told] == [one.camera, other.camera] * 7
    assert all(window.to_s - window.from_s == DAY_S for window in told)
    noon_s = DAY_S // 2
    assert told[-2].recorded == {one.stream: ((noon_s, noon_s + 3),)}
    with_footage = {
        window.from_s // DAY_S for window in told for r in window.recorded.values() if r
    }
    assert with_footage == {TODAY - 2, TODAY - 3, TODAY - 400, 0}
