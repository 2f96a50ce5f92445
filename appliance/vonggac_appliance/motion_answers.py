"""What a search of the motion index is answered, message by message, and whether it may be.

In the process's one thread that has the index: a generator gives None where it would go on for too
long, so that searches take turns.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import timedelta, timezone
from pathlib import Path

from vonggac.errors import Invalid, Refused
from vonggac.motion import ranges, region
from vonggac.motion.episodes import Episode
from vonggac.motion.heat import heat_of_day
from vonggac.motion.index import MotionIndex
from vonggac.motion.query import BLOCK_SECONDS, Ask, Coarse, Query
from vonggac.motion.ranges import Ranges
from vonggac.motion.search import Search
from vonggac.motion.slots import CELL_COUNT, Tier
from vonggac.registry.catalog import Catalog
from vonggac.registry.masks import Corners
from vonggac_appliance import motion_words
from vonggac_appliance.clock import Clock, wall_ns
from vonggac_appliance.messages_motion import (
    MotionCoarse,
    MotionCovered,
    MotionDone,
    MotionHeat,
    MotionHit,
    MotionHits,
    MotionQuery,
    MotionReply,
)
from vonggac_appliance.motion_marks import MotionMarks
from vonggac_appliance.motion_receipts import check_logged

__all__ = ["MotionAnswers"]

_S = 1_000_000_000
_BATCH = 200
_COVERED_MAX = 5000
_DAY_S = 86_400
_TURN_S = 0.05
"""Of one search, before others have their turn."""
_SAY_S = 3.0


class MotionAnswers:
    """Of one index."""

    def __init__(
        self,
        home: Path,
        index: MotionIndex,
        catalog: Catalog,
        clock: Clock = wall_ns,
        may_tell: Callable[[bytes], bool] = lambda camera: True,
        begins_s: Callable[[bytes], int] = lambda stream: 0,
        say_s: float = _SAY_S,
    ) -> None:
        """`may_tell`: whether a camera's motion may be known, at each answer of a long search;
        `begins_s`: what the index knows of a stream from before that has no footage any more;
        `say_s`: without an answer for so long, who waits hears that it goes on.
        """
        self._say_s = say_s
        self._may_tell = may_tell
        self._begins_s = begins_s
        self._home = home
        self._index = index
        self._search = Search(index)
        self._marks = MotionMarks(home, catalog, may_tell, begins_s)
        self._catalog = catalog
        self._clock = clock

    def check(self, query: MotionQuery, given: list[bytes], *, is_heat: bool) -> None:
        """Raises Refused without receipts for exactly this; Invalid for what makes no sense."""
        check_logged(self._home, query, given, self._clock(), is_heat=is_heat)
        motion_words.check_regions(query, {} if is_heat else self._kept(query))

    def marks(self, number: int, query: MotionQuery) -> Iterator[MotionReply | None]:
        """What programs say they saw."""
        return self._marks.search(number, query)

    def search(self, number: int, query: MotionQuery) -> Iterator[MotionReply | None]:
        """All answers; the last is MotionDone."""
        if query.marks is not None:
            raise Invalid("kinds", "a search of motion names no kinds")
        began_s = time.monotonic()
        cameras = self._cameras(query)
        from_s, to_s = query.from_ns // _S, -(-query.to_ns // _S)
        known = {one: self._covered(of, from_s, to_s) for one, of in cameras.items()}
        damages = self._index.damages
        for watched in query.cameras:
            yield _told_covered(number, watched.camera, known[watched.camera], watched.kept)
        count = 0
        for answer in self._found(number, query, cameras, from_s, to_s):
            if isinstance(answer, MotionHits):
                count += len(answer.hits)
            yield answer
        if self._index.damages != damages:  # found while it was read: that was not searched
            for camera, streams in cameras.items():
                still = streams if self._may_tell(camera) else ()
                known[camera] = self._covered(still, from_s, to_s)
                yield _told_covered(number, camera, known[camera], [])
        searched = sum(map(ranges.total, known.values()))
        elapsed_ms = int((time.monotonic() - began_s) * 1000)
        is_limited = count >= query.limit
        yield MotionDone(number, len(cameras), searched, elapsed_ms, is_limited)

    def heat(self, number: int, query: MotionQuery) -> Iterator[MotionReply | None]:
        """A MotionHeat for each camera, and MotionDone; meanwhile MotionHits without any."""
        began_s = said_s = time.monotonic()
        cameras, searched = self._cameras(query), 0
        from_s, to_s = query.from_ns // _S, -(-query.to_ns // _S)
        kept = self._kept(query)
        for watched in query.cameras:
            camera, streams = watched.camera, cameras[watched.camera]
            counts = [0] * CELL_COUNT
            for found in self._heat_by_day(streams, from_s, to_s):
                counts = [a + b for a, b in zip(counts, found, strict=True)]
                if time.monotonic() - said_s > self._say_s:
                    yield MotionHits(number, [])
                    said_s = time.monotonic()
                else:
                    yield None
            # Behind the counting, which may find a day damaged.
            seconds = ranges.total(self._covered(streams, from_s, to_s))
            if not self._may_tell(camera):
                counts, seconds = [0] * CELL_COUNT, 0
            counts = _without(counts, kept[camera])
            searched += seconds
            yield MotionHeat(number, camera, counts, seconds, masks=watched.kept)
        elapsed_ms = int((time.monotonic() - began_s) * 1000)
        yield MotionDone(number, len(cameras), searched, elapsed_ms)

    def _heat_by_day(
        self, streams: tuple[bytes, ...], from_s: int, to_s: int
    ) -> Iterator[list[int]]:
        """Of one camera, whose streams see the same: a second that two of them have counts once."""
        days = {stream: self._index.days(stream) for stream in streams}
        for day in sorted(set().union(*days.values())):
            if day * _DAY_S < to_s and from_s < (day + 1) * _DAY_S:
                begins_s = {one: self._begins_s(one) for one in streams if day in days[one]}
                yield heat_of_day(self._index, begins_s, day, from_s, to_s)

    def _cameras(self, query: MotionQuery) -> dict[bytes, tuple[bytes, ...]]:
        """Each camera's streams: whichever of them was indexed at the time."""
        found: dict[bytes, tuple[bytes, ...]] = {}
        for watched in query.cameras:
            camera = self._catalog.camera_by_id(watched.camera)
            if camera is None:
                raise Refused("there is no such camera")
            may_tell = self._may_tell(watched.camera)
            found[watched.camera] = tuple(s.id for s in camera.streams) if may_tell else ()
        return found

    def _kept(self, query: MotionQuery) -> dict[bytes, tuple[Corners, ...]]:
        """Of each camera the masks that the question names. Refused where one is gone."""
        return {
            one.camera: motion_words.kept_of(one, self._catalog.masks(one.camera))
            if one.kept
            else ()
            for one in query.cameras
        }

    def _covered(self, streams: tuple[bytes, ...], from_s: int, to_s: int) -> Ranges:
        return ranges.union(
            (max(known.from_s, self._begins_s(stream)), known.to_s)
            for stream in streams
            for known in self._index.covered(stream, from_s, to_s)
        )

    def _found(
        self,
        number: int,
        query: MotionQuery,
        cameras: dict[bytes, tuple[bytes, ...]],
        from_s: int,
        to_s: int,
    ) -> Iterator[MotionReply | None]:
        asked = _asked(query, cameras, self._kept(query), from_s, to_s)
        if asked is None:
            return
        of = {stream: camera for camera, streams in cameras.items() for stream in streams}
        batch: list[MotionHit] = []
        left = query.limit
        turn_s = said_s = time.monotonic()
        for answer in self._search.steps(asked):
            if answer is None or not self._may_tell(of[answer.stream]):
                pass  # a day is over, perhaps without a word; or an agreement
            elif isinstance(answer, Coarse):
                spans = answer.ranges
                # A block that is cut would tell of what moved before.
                begins_s = -(-self._begins_s(answer.stream) // BLOCK_SECONDS) * BLOCK_SECONDS
                if still := ranges.within(spans, begins_s, spans[-1][1]):
                    yield MotionCoarse(number, of[answer.stream], list(still))
            elif answer.episode.to_s > (begins_s := self._begins_s(answer.stream)):
                batch.append(_hit(of[answer.stream], answer.episode, begins_s))
                left -= 1
                if not left:
                    break
            now_s = time.monotonic()
            is_late = now_s - turn_s > _TURN_S
            if len(batch) >= _BATCH or (batch and is_late) or now_s - said_s > self._say_s:
                yield MotionHits(number, batch)
                batch, turn_s = [], time.monotonic()
                said_s = turn_s
            elif is_late:
                yield None
                turn_s = time.monotonic()
        if batch:
            yield MotionHits(number, batch)


def _without(counts: list[int], kept: tuple[Corners, ...]) -> list[int]:
    """Seconds of each cell; none of those that a mask touches."""
    if not kept:
        return counts
    hidden = region.union(map(region.polygon, kept))
    return [
        0 if hidden[cell >> 3] >> (cell & 7) & 1 else count for cell, count in enumerate(counts)
    ]


def _asked(
    query: MotionQuery,
    cameras: dict[bytes, tuple[bytes, ...]],
    kept: dict[bytes, tuple[Corners, ...]],
    from_s: int,
    to_s: int,
) -> Query | None:
    """The question as the index takes it; None: of no stream. Its limit is for what is told, and
    the index does not know what that is.
    """
    asks = tuple(
        Ask(stream, motion_words.mask_of(watched, kept[watched.camera]))
        for watched in query.cameras
        for stream in cameras[watched.camera]
    )
    if not asks:
        return None
    return Query(
        asks,
        from_s,
        to_s,
        query.cells_min,
        None if query.hours is None else (query.hours[0] * 60, query.hours[1] * 60),
        timezone(timedelta(minutes=query.utc_offset_minutes)),
        query.join_s,
    )


def _told_covered(number: int, camera: bytes, known: Ranges, masks: list[int]) -> MotionCovered:
    some = known[-_COVERED_MAX:]
    complete_from_s = some[0][0] if len(some) < len(known) else 0
    return MotionCovered(number, camera, list(some), masks=masks, complete_from_s=complete_from_s)


def _hit(camera: bytes, episode: Episode, begins_s: int) -> MotionHit:
    return MotionHit(
        camera,
        max(episode.from_s, begins_s),
        episode.to_s,
        max(episode.strongest_s, begins_s),
        episode.cells,
        "full" if episode.tier is Tier.FULL else "key",
        episode.is_global,
    )
