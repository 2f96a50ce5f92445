"""Brings the catalog's locks to every keeper, and what two people removed; knows which disk holds
which. The recorder's part of promise 5 of docs/design/storage.md.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from vonggac.registry.catalog import Catalog
from vonggac.registry.locks import Lock
from vonggac_appliance import bus_control
from vonggac_appliance.clock import Clock, iso, wall_ns
from vonggac_appliance.keepers import Keeper
from vonggac_appliance.messages import Kind
from vonggac_appliance.messages_keeper import LockRange, Locks, LocksDurable, Unlock

__all__ = ["LockCourier"]

_RANGES_A_MESSAGE = 500
"""Of 82 bytes each: a keeper's socket takes 64 KiB at once."""
_NAMES_A_MESSAGE = 2000
_REMIND_NS = 86_400 * 1_000_000_000

Alarm = Callable[[str, str, str], None]


class LockCourier:
    """`keepers` gives those there are; `alarm` takes kind, subject and sentence."""

    def __init__(
        self,
        catalog: Catalog,
        keepers: Callable[[], Iterable[Keeper]],
        alarm: Alarm,
        clock: Clock = wall_ns,
    ) -> None:
        self._catalog = catalog
        self._keepers = keepers
        self._alarm = alarm
        self._clock = clock
        self._changes = -1
        self._rows: dict[bytes, Lock] = {}
        self._durable: dict[str, list[bytes]] = {}
        """By the disk's uuid, as its keeper has told since it is ready."""
        self._reminded_ns: dict[bytes, int] = {}
        self._unknown: set[bytes] = set()

    def follow(self) -> None:
        """Reads the catalog if it was written since, and says so to all keepers."""
        if self._catalog.changes != self._changes:
            self.read()
        self._remind()

    def read(self) -> None:
        """Reads the catalog's locks; keepers hear of it if they changed."""
        changes = self._catalog.changes  # before the rows: what is written meanwhile is read again
        rows = {lock.id: lock for lock in self._catalog.locks()}
        is_news = rows != self._rows
        self._rows, self._changes = rows, changes
        if is_news:
            for keeper in self._keepers():
                if keeper.is_ready:
                    self._tell(keeper)

    def ready(self, keeper: Keeper) -> None:
        """A keeper gives up no footage before it has heard this."""
        self._durable.pop(keeper.uuid, None)
        self._tell(keeper)

    def durable(self, keeper: Keeper, told: LocksDurable) -> None:
        """What its journal holds; what two people have removed is taken out of it."""
        self._durable[keeper.uuid] = told.locks
        self._take_out(keeper, told.locks)
        for lock in told.locks:
            if lock not in self._rows and lock not in self._unknown:
                self._unknown.add(lock)
                what = f"it holds a lock {lock.hex()} that the catalog does not know"
                what += "; it stays (vonggac lock adopt)"
                self._alarm("lock-unknown", keeper.path, what)

    def reply(self) -> bus_control.LocksReply:
        """For `ask-locks`."""
        return bus_control.LocksReply(
            [
                bus_control.DiskLocks(
                    keeper.uuid,
                    keeper.path,
                    keeper.state,
                    self._durable.get(keeper.uuid) if keeper.is_ready else None,
                )
                for keeper in self._keepers()
                if keeper.state != "retired"
            ]
        )

    def _tell(self, keeper: Keeper) -> None:
        ranges = [
            LockRange(lock.id, stream.id, stream.from_ns, stream.to_ns)
            for lock in self._rows.values()
            if lock.is_held
            for stream in lock.streams
        ]
        for first in range(0, max(1, len(ranges)), _RANGES_A_MESSAGE):
            part = ranges[first : first + _RANGES_A_MESSAGE]
            more = first + _RANGES_A_MESSAGE < len(ranges)
            keeper.tell(Kind.LOCKS, Locks(part, more))
        self._take_out(keeper, self._durable.get(keeper.uuid, []))

    def _take_out(self, keeper: Keeper, held: list[bytes]) -> None:
        gone = [lock for lock in held if lock in self._rows and not self._rows[lock].is_held]
        for first in range(0, len(gone), _NAMES_A_MESSAGE):
            keeper.tell(Kind.UNLOCK, Unlock(gone[first : first + _NAMES_A_MESSAGE]))

    def _remind(self) -> None:
        """Overdue reviews, once a day each (evidence L-2)."""
        now_ns = self._clock()
        for lock in self._rows.values():
            is_due = lock.is_held and lock.review_ns <= now_ns
            reminded_ns = self._reminded_ns.get(lock.id)
            if not is_due or (reminded_ns is not None and now_ns - reminded_ns < _REMIND_NS):
                continue
            self._reminded_ns[lock.id] = now_ns
            what = (
                f"case {lock.case}, {lock.officer}: its review was due {iso(lock.review_ns)}; it "
                "holds until two people remove it (vonggac lock review, lock remove)"
            )
            self._alarm("lock-review", f"lock {lock.number}, {lock.code}", what)
