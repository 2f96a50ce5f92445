"""What a search of marks is answered: of all cameras together, by their ends, the newest first.

`hooks run` keeps marks (docs/ref/hooks.md), `motion run` reads them: it is always there, and no
stranger speaks to it. A generator gives None where it would go on for too long.
"""

from __future__ import annotations

import heapq
import itertools
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from vonggac.errors import Invalid
from vonggac.motion import region
from vonggac.motion.mark_files import day_of, days_of, marks_of_day
from vonggac.motion.marks import LENGTH_MAX_NS, Mark
from vonggac.registry.catalog import Catalog
from vonggac_appliance import motion_words
from vonggac_appliance.hook_marks import folder_of
from vonggac_appliance.messages_motion import (
    MarkFound,
    MarksFound,
    MotionDone,
    MotionQuery,
    MotionReply,
    Watched,
)

__all__ = ["MotionMarks"]

_BATCH = 200
_TURN_S = 0.05
"""Of one search, before others have their turn."""
_SAY_S = 3.0
"""Without a mark: whoever waits hears that it goes on."""
_S = 1_000_000_000
_NS_PER_MINUTE = 60 * _S
_MINUTES_PER_DAY = 1440

_Ranked = tuple[int, int, bytes, Mark]
"""End, a number that no other has, camera, mark."""


class MotionMarks:
    """Of one home; reads only."""

    def __init__(
        self,
        home: Path,
        catalog: Catalog,
        may_tell: Callable[[bytes], bool],
        begins_s: Callable[[bytes], int] = lambda stream: 0,
    ) -> None:
        """`may_tell`: whether it may be told who came, at each answer; `begins_s`: where
        the footage of a stream begins.
        """
        self._folder = folder_of(home)
        self._begins_s = begins_s
        self._catalog = catalog
        self._may_tell = may_tell

    def search(self, number: int, query: MotionQuery) -> Iterator[MotionReply | None]:
        """All answers; the last is MotionDone. Raises StorageError."""
        began_s = said_s = time.monotonic()
        if query.marks is None:
            raise Invalid("kinds", "a search of marks names their kinds, or none for all")
        names = {row.number: row.name for row in self._catalog.hooks()}
        wanted = [
            _Wanted.of(query, watched, self._begins_ns(watched.camera)) for watched in query.cameras
        ]
        shares = _Shares(query.limit)
        for _ in self._fill(shares, query, wanted):
            if time.monotonic() - said_s > _SAY_S:
                yield MarksFound(number, [])
                said_s = time.monotonic()
            yield None
        newest = shares.newest()
        for at in range(0, len(newest), _BATCH):
            batch = [one for one in newest[at : at + _BATCH] if self._may_tell(one[2])]
            if batch:
                yield MarksFound(number, [_found(one, names) for one in batch])
        yield MotionDone(
            number,
            len(query.cameras),
            0,
            int((time.monotonic() - began_s) * 1000),
            is_limited=bool(shares.full),
            complete_from_ns=shares.complete_from_ns,
        )

    def _begins_ns(self, camera: bytes) -> int:
        """What speaks of footage from before that is told to nobody; it goes within the hour."""
        row = self._catalog.camera_by_id(camera)
        streams = () if row is None else row.streams
        return min((self._begins_s(stream.id) * _S for stream in streams), default=0)

    def _fill(
        self, shares: _Shares, query: MotionQuery, wanted: Sequence[_Wanted]
    ) -> Iterator[None]:
        """Days from the newest on; at each None others have a turn."""
        first, last = day_of(query.from_ns), day_of(query.to_ns + LENGTH_MAX_NS)
        days: dict[str, list[_Wanted]] = {}
        for one in wanted:
            for day in days_of(self._folder, one.camera):
                if first <= day <= last:
                    days.setdefault(day, []).append(one)
        numbers = itertools.count()
        turn_s = time.monotonic()
        for day in sorted(days, reverse=True):
            full = shares.full  # whatever else they said ended before
            for one in days[day]:
                for mark in marks_of_day(self._folder, one.camera, day, without=full):
                    if one.takes(mark):
                        shares.take((mark.to_ns, next(numbers), one.camera, mark))
                    if time.monotonic() - turn_s > _TURN_S:
                        yield None
                        turn_s = time.monotonic()
            yield None


class _Shares:
    """The newest marks, no more in all than the limit. Where there are more, those are left out of
    which there are most: no program hides what another said by saying much.
    """

    def __init__(self, limit: int) -> None:
        self._room = limit
        self._heaps: dict[int, list[_Ranked]] = {}
        """By hook, so that no day is held whole."""
        self._until_ns: dict[int, int] = {}
        """Up to where marks of a hook were left out."""

    def take(self, ranked: _Ranked) -> None:
        """One more mark, in any order."""
        hook = ranked[3].hook
        # What is told of a hook has no holes.
        if hook in self._until_ns and ranked[0] <= self._until_ns[hook]:
            return
        heapq.heappush(self._heaps.setdefault(hook, []), ranked)
        self._room -= 1
        if self._room < 0:
            most = max(self._heaps, key=lambda one: len(self._heaps[one]))
            self._until_ns[most] = heapq.heappop(self._heaps[most])[0]
            self._room = 0

    @property
    def full(self) -> frozenset[int]:
        """Hooks of which some were left out."""
        return frozenset(self._until_ns)

    @property
    def complete_from_ns(self) -> int:
        """All that end after it are there; 0: all."""
        return max(self._until_ns.values(), default=0)

    def newest(self) -> list[_Ranked]:
        """Of all hooks together, those that end last first."""
        return sorted(itertools.chain.from_iterable(self._heaps.values()), reverse=True)


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What is sought of a camera."""

    camera: bytes
    from_ns: int
    to_ns: int
    kinds: frozenset[str]
    """None in it: all."""
    cells: int | None
    """A bit each; None: the whole picture."""
    hours: tuple[int, int] | None
    utc_offset_minutes: int

    @classmethod
    def of(cls, query: MotionQuery, watched: Watched, begins_ns: int) -> _Wanted:
        is_whole = not watched.regions and not watched.masks
        return cls(
            watched.camera,
            max(query.from_ns, begins_ns),
            query.to_ns,
            frozenset(query.marks or ()),
            None if is_whole else int.from_bytes(motion_words.mask_of(watched), "big"),
            query.hours,
            query.utc_offset_minutes,
        )

    def takes(self, mark: Mark) -> bool:
        """Whether it is sought: of a kind, in the range, begun in the hours, in the region."""
        if self.kinds and mark.kind not in self.kinds:
            return False
        if mark.from_ns >= self.to_ns or mark.to_ns <= self.from_ns:
            return False
        return self._is_in_hours(mark.from_ns) and self._is_in_region(mark)

    def _is_in_hours(self, ns: int) -> bool:
        if self.hours is None:
            return True
        minute = (ns // _NS_PER_MINUTE + self.utc_offset_minutes) % _MINUTES_PER_DAY
        start, end = self.hours
        return start <= minute < end if start < end else minute >= start or minute < end

    def _is_in_region(self, mark: Mark) -> bool:
        if self.cells is None:
            return True
        left, top, right, bottom = mark.box
        try:
            box = region.rectangle(left, top, right - left, bottom - top)
        except Invalid:  # thinner than a step: it lies in no cell that anybody drew
            return False
        return bool(int.from_bytes(box, "big") & self.cells)


def _found(ranked: _Ranked, names: dict[int, str]) -> MarkFound:
    _, _, camera, mark = ranked
    name = names.get(mark.hook, "")
    return MarkFound(
        camera, mark.from_ns, mark.to_ns, mark.kind, mark.box, mark.score, mark.hook, name
    )
