"""Cameras whose clocks drift, lie or jump, links that hold pictures back: no gap comes of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from box_rig import DEADLINE_S, Box
from clip_source import ClipSource, Film
from clock_rig import SECOND, Footage, add, film
from vonggac.media.chunk import ChunkFlag
from vonggac.store.check import check

pytestmark = pytest.mark.slow

FILM_S = 7.0
HOUR_TICKS = 3600 * 90_000


def stamped(one: Film, stamps: Iterator[int]) -> Film:
    return replace(one, ticks=tuple(stamp for stamp, _ in zip(stamps, one.ticks, strict=False)))


def drifting(one: Film) -> Iterator[int]:
    """A crystal that is wrong by one in a thousand."""
    return (ticks * 1001 // 1000 for ticks in one.ticks)


def jumping(one: Film) -> Iterator[int]:
    """Its NTP wakes: an hour ahead; later it starts at nought again."""
    third = len(one.ticks) // 3
    for number, ticks in enumerate(one.ticks):
        if number < third:
            yield ticks
        elif number < 2 * third:
            yield ticks + HOUR_TICKS
        else:
            yield ticks - one.ticks[2 * third]


def straying(one: Film) -> Iterator[int]:
    """Single frames hours off, as an Intelbras DVR stamps them."""
    for number, ticks in enumerate(one.ticks):
        yield ticks + (37_600 * 90_000 if number % 60 == 30 else 0)


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Box]:
    made = Box(tmp_path / "home")
    yield made
    made.discard()


def test_no_camera_s_clock_and_no_burst_makes_a_gap_or_loses_a_picture(box: Box) -> None:
    plain = film(FILM_S)
    films = {
        "slow": replace(plain, speed=21 / 25),  # declares 25 pictures a second, sends 21
        "drifting": stamped(plain, drifting(plain)),
        "jumping": stamped(plain, jumping(plain)),
        "straying": stamped(plain, straying(plain)),
        "bursting": replace(plain, pauses={40: 1.5, 90: 2.5, 150: 0.8}),
    }
    source = ClipSource(films)
    try:
        streams = add(box, source, tuple(films))
        with box.running():
            assert source.all_sent.wait(DEADLINE_S)
            sent = sum(len(f.units) for f in films.values())
            box.until(lambda now: sum(s.samples for c in now.cameras for s in c.streams) >= sent)
    finally:
        source.stop()

    assert source.connections == len(films)
    for name, stream in streams.items():
        found = Footage(box.disk, stream)
        found.assert_runs_are_whole()
        assert found.frames == len(films[name].units), name
        (only,) = found.timeline.ranges
        assert only.frames == found.frames
        # As long as it was sent, which a busy machine does late; bursts may shift its ends.
        took_s = source.took_s[name]
        assert abs((only.to_ns - only.from_ns) / SECOND - took_s) < 2.5, name
        # Nothing kept this clock of the box, or something did: each chunk says which.
        synced = {bool(row.row.flags & ChunkFlag.CLOCK_SYNCED) for row in found.rows}
        assert len(synced) == 1
    assert check(box.disk, is_deep=True).problems == []
