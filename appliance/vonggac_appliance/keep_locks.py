"""A keeper's locks: what the parent tells of the catalog's goes into the journal, and is told back
when it is durable there. Promise 5 of docs/design/storage.md.

In memory a lock binds at once; nothing is given up before the catalog's were told.
"""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Mapping

from vonggac._native import segment as native
from vonggac.errors import VonggacError
from vonggac.store.index_values import MINUTE_NS
from vonggac.store.journal import Lock
from vonggac.store.locks import RANGES_MAX, LockSet, Range, pinned, union, without
from vonggac.store.ring import Ring
from vonggac_appliance import sockets
from vonggac_appliance.keep_chores import Desk, Obey
from vonggac_appliance.messages import Kind
from vonggac_appliance.messages_keeper import Locks, LocksDurable, Unlock

__all__ = ["KeepLocks", "PinCount"]

_log = logging.getLogger("vonggac.keep")

_COUNT_S = 0.01
"""Of each second: counting what is held never holds up a tick."""
_PIECE_NS = 60 * MINUTE_NS
_COUNT_AGAIN_S = 600.0
"""What is locked ahead of time fills while it is recorded."""


class PinCount:
    """How many segments locks hold on this disk, counted an hour of a stream at a step."""

    def __init__(self, ring: Ring) -> None:
        self.segments: int | None = None
        """None until everything was counted once."""
        self._ring = ring
        self._found: set[int] = set()
        self._left: deque[tuple[bytes, Range]] = deque()

    @property
    def is_done(self) -> bool:
        """Whether there is nothing to count."""
        return not self._left

    def begin(self, locks: LockSet) -> None:
        """Counts anew; what was counted before stays told meanwhile."""
        self._found = set()
        self._left = deque((s, span) for s in locks.streams for span in locks.ranges(s))
        self._settle()

    def give_up(self) -> None:
        """Until it is begun again."""
        self.segments = None
        self._left.clear()

    def step(self) -> None:
        """The next piece of a range."""
        stream, (start_ns, end_ns) = self._left.popleft()
        until_ns = min(end_ns, start_ns + _PIECE_NS)
        values = list(self._ring.archive.packed_minutes(stream, start_ns, until_ns))
        self._found |= pinned(values, [(start_ns, until_ns)])
        if until_ns < end_ns and (first_ns := self._first_ns(stream, until_ns, end_ns)) is not None:
            self._left.appendleft((stream, (first_ns, end_ns)))
        self._settle()

    def _first_ns(self, stream: bytes, from_ns: int, to_ns: int) -> int | None:
        """A lock may reach over years of which nothing is recorded."""
        for value in self._ring.archive.packed_minutes(stream, from_ns, to_ns):
            if spans := native.rows_spans([value], from_ns, to_ns):
                return max(from_ns, min(span[0] for span in spans))
        return None

    def _settle(self) -> None:
        if not self._left:
            self.segments = len(self._found)


class KeepLocks:
    """The chore."""

    def __init__(self, desk: Desk) -> None:
        self.count = PinCount(desk.ring)
        self._desk = desk
        self._told: list[Lock] = []
        self._refused: list[Lock] = []
        """More than the journal holds: tried again when something was taken out of it."""
        self._is_asked = False
        self._counted_s = 0.0
        desk.ring.spares.are_locks_known = False
        self.count.begin(desk.ring.lock_set)

    @property
    def obeys(self) -> Mapping[Kind, Obey]:
        """What the catalog holds, and what was taken out of it."""
        return {Kind.LOCKS: self._locks, Kind.UNLOCK: self._unlock}

    def turn(self, now_s: float) -> None:
        """Tells what has become durable; counts on."""
        ring = self._desk.ring
        if self._is_asked and set(ring.durable_locks) == set(ring.locks):
            self._is_asked = False
            names = list(dict.fromkeys(lock.lock for lock in ring.durable_locks))
            self._desk.say(Kind.LOCKS_DURABLE, LocksDurable(ring.disk.identity.disk, names))
        if self.count.is_done and now_s - self._counted_s >= _COUNT_AGAIN_S:
            self._recount(now_s)
        until_s = time.monotonic() + _COUNT_S
        try:
            while not self.count.is_done and time.monotonic() < until_s:
                self.count.step()
        except VonggacError as error:  # promise 4: an index that cannot be read stops nothing
            _log.error("what locks hold cannot be counted: %s", error)
            self.count.give_up()

    def close(self) -> None:
        """Nothing is left open."""

    def _locks(self, message: sockets.Message) -> None:
        locks = sockets.decode(message, Locks)
        self._told += [Lock(r.lock, r.stream, r.from_ns, r.to_ns) for r in locks.ranges]
        if locks.more:
            return
        told, self._told = self._told, []
        self._take(told)

    def _take(self, told: list[Lock]) -> None:
        spares = self._desk.ring.spares
        both = union(self._desk.ring.locks, told)
        if len(both) > RANGES_MAX:
            what = f"{len(both)} locked ranges, of which a journal holds {RANGES_MAX}"
            self._desk.alarm("locks-too-many", str(self._desk.ring.disk.path), what)
            # No footage is given up: rather a full disk than lost evidence.
            spares.are_locks_known = False
            self._refused = told
            return
        self._refused = []
        self._hold(both)
        spares.are_locks_known = True

    def _unlock(self, message: sockets.Message) -> None:
        gone = set(sockets.decode(message, Unlock).locks)
        self._hold(without(self._desk.ring.locks, gone))
        if self._refused:
            self._take([lock for lock in self._refused if lock.lock not in gone])

    def _hold(self, locks: tuple[Lock, ...]) -> None:
        self._desk.ring.hold(locks)
        self._is_asked = True
        if self._desk.ring.is_journal_dirty:
            self._desk.hurry()
        self._recount(time.monotonic())

    def _recount(self, now_s: float) -> None:
        self._counted_s = now_s
        self.count.begin(self._desk.ring.lock_set)
