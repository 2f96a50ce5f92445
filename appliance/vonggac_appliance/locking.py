"""Making and removing locks, for commands and the page: rules, quota, audit line, catalog, disks.

A lock binds with its row in the catalog. It is made although nobody writes the audit chain, for
footage does not wait; it is not removed then.
"""

from __future__ import annotations

import contextlib
import secrets
import time
from dataclasses import dataclass, field
from pathlib import Path

from msgspec import structs

from vonggac.errors import Refused, StorageError, Unavailable
from vonggac.evidence.chain import Action
from vonggac.registry import locks as rules
from vonggac.registry.camera import Camera
from vonggac.registry.catalog import Catalog
from vonggac.registry.locks import Lock, LockedStream
from vonggac.registry.people import Person, PurposeCode
from vonggac.registry.retention import Removed
from vonggac.store import journal
from vonggac_appliance import audit_client, bus_control, control
from vonggac_appliance.clock import Clock, iso, wall_ns
from vonggac_appliance.lock_survey import DiskHold, OpenDisks, open_disks, unknown_locks
from vonggac_appliance.messages_audit import AuditAppend

__all__ = ["Added", "Locking", "Order"]

DURABLE_S = 10.0
"""A tick, a sync, and the second until its keeper tells; of a busy disk several."""
_AGAIN_S = 0.1
_TRIES = 5
_NOTE_S = 2.0


@dataclass(frozen=True, slots=True)
class Order:
    """What somebody wants locked."""

    code: str
    """Of a camera; also of one that was removed, for its footage is still there."""
    names: tuple[str, ...]
    """`main`, `sub`."""
    from_ns: int
    to_ns: int
    case: str
    officer: str
    reason: str
    review_ns: int


@dataclass(frozen=True, slots=True)
class Added:
    """A lock that holds."""

    lock: Lock
    holds: list[DiskHold]
    is_logged: bool
    is_recorder: bool
    """False: no recorder runs; the next one takes the lock before it reuses anything."""
    durable: list[str] = field(default_factory=list)
    """Paths of disks in whose journal it stands, synced."""
    later: list[str] = field(default_factory=list)
    """Of disks that cannot be written now: they take it when they come."""
    missing: list[str] = field(default_factory=list)
    """Of disks that are written and have not confirmed in time."""


class Locking:
    """The service."""

    def __init__(
        self, home: Path, catalog: Catalog, quota_percent: int, clock: Clock = wall_ns
    ) -> None:
        self._home = home
        self._catalog = catalog
        self._quota_percent = quota_percent
        self._clock = clock

    def add(self, order: Order, person: Person) -> Added:
        """Locks, and waits until the disks hold it. Refused beyond the quota, Invalid."""
        for _ in range(_TRIES):
            found = self._try_add(order, person)
            if found is not None:
                lock, holds = found
                self._tell_recorder()
                is_logged = self._note(Action.LOCK_ADD, lock, "done")
                durable, later, missing = self._wait(lock, is_held=True)
                is_recorder = bool(durable or later or missing)
                return Added(lock, holds, is_logged, is_recorder, durable, later, missing)
        raise Unavailable("others are locking at this moment: try again")

    def adopt(self, person: Person) -> tuple[list[Lock], list[str]]:
        """Makes rows for the locks that only the disks' journals know; each line comes first.

        Gives them, and a sentence for each disk that could not be read.
        """
        rows = self._catalog.locks()
        found, faults = unknown_locks(self._catalog.disks(), {row.id for row in rows})
        made: list[Lock] = []
        for lock_id, (where, ranges) in found.items():
            row = self._found(lock_id, len(rows) + len(made) + 1, ranges, where, person)
            self._log(Action.LOCK_ADOPT, row, f"by {person.name}: {row.reason}", person)
            if not self._catalog.add_lock(row, len(rows) + len(made)):
                raise Unavailable("others are locking at this moment: try again")
            made.append(row)
        return made, faults

    def review(self, number: int, review_ns: int, person: Person) -> Lock:
        """Puts the review off. The audit line comes first."""
        lock = self._lock(number)
        after = rules.review_later(lock, review_ns, self._clock())
        self._log(Action.LOCK_REVIEW, lock, f"by {person.name}, until {iso(review_ns)}", person)
        self._catalog.change_lock(lock, after)
        return after

    def ask_unlock(self, number: int, person: Person, reason: str) -> Lock:
        """One person wants it removed; it holds as before. The audit line comes first."""
        lock = self._lock(number)
        try:
            after = rules.ask_unlock(lock, person, reason, self._clock())
        except Refused as error:
            self._log(Action.LOCK_REMOVE, lock, f"refused: {error}", person)
            raise
        why = "" if after.unlock is None else after.unlock.reason
        self._log(Action.LOCK_REMOVE, lock, f"asked by {person.name}: {why}", person)
        self._catalog.change_lock(lock, after)
        return after

    def confirm_unlock(self, number: int, person: Person) -> tuple[Lock, list[str]]:
        """The second person; the audit line comes first. Gives paths that have not done it yet."""
        lock = self._lock(number)
        try:
            after = rules.confirm_unlock(lock, person, self._clock())
        except Refused as error:
            self._log(Action.LOCK_CONFIRM, lock, f"refused: {error}", person)
            raise
        assert after.unlock is not None
        who = f"asked by {after.unlock.asked_by}, confirmed by {person.name}"
        self._log(Action.LOCK_CONFIRM, lock, who, person)
        self._catalog.change_lock(lock, after)
        self._tell_recorder()
        _, later, missing = self._wait(after, is_held=False)
        return after, later + missing

    def refuse(self, number: int, action: str, why: str) -> None:
        """Writes down that somebody tried, such as with a wrong password."""
        self._log(action, self._lock(number), f"refused: {why}", None)

    def holds(self) -> tuple[list[Lock], list[DiskHold]]:
        """All rows, and what those that bind hold of each disk."""
        rows = self._catalog.locks()
        held = [row for row in rows if row.is_held]
        with open_disks(self._home, self._catalog.disks()) as disks:
            return rows, disks.holds(held, self._clock())

    # --- making one

    def _found(
        self,
        lock_id: bytes,
        number: int,
        ranges: list[journal.Lock],
        where: str,
        person: Person,
    ) -> Lock:
        cameras: list[Camera | Removed] = [*self._catalog.removed(), *self._catalog.cameras()]
        streams = {stream: (c, name) for c in cameras for stream, name in streams_of(c)}
        known = [streams[r.stream] for r in ranges if r.stream in streams]
        held = tuple(
            LockedStream(r.stream, streams.get(r.stream, (None, ""))[1], r.from_ns, r.to_ns)
            for r in ranges
        )
        camera = known[0][0] if known else None
        return rules.found_lock(lock_id, number, camera, held, where, person, self._clock())

    def _try_add(self, order: Order, person: Person) -> tuple[Lock, list[DiskHold]] | None:
        """None: somebody else has made one meanwhile."""
        rows = self._catalog.locks()
        held = [row for row in rows if row.is_held]
        lock = self._draft(order, person, len(rows) + 1)
        with open_disks(self._home, self._catalog.disks()) as disks:
            lock = self._widened(lock, disks)
            holds = disks.holds([*held, lock], self._clock())
        self._refuse_unknown(holds)
        try:
            for hold in holds:
                before = hold.segments(row.number for row in held)
                after = hold.segments([*(row.number for row in held), lock.number])
                path, segments = hold.row.path, hold.row.segments
                rules.check_quota(path, before, after, segments, self._quota_percent)
        except Refused as error:
            self._note(Action.LOCK_ADD, lock, "refused: beyond the quota")
            with contextlib.suppress(Unavailable):
                control.ask(self._home, bus_control.LockRefused(lock.code, str(error)))
            raise
        return (lock, holds) if self._catalog.add_lock(lock, len(rows)) else None

    def _refuse_unknown(self, holds: list[DiskHold]) -> None:
        """A disk that is away is not waited for; one that is written to has to tell its share."""
        unknown = {hold.row.path: hold.what for hold in holds if hold.what}
        if not unknown:
            return
        with contextlib.suppress(Unavailable):
            reply = control.ask(self._home, bus_control.AskLocks())
            disks = reply.disks if isinstance(reply, bus_control.LocksReply) else []
            for disk in disks:
                if disk.path in unknown and disk.state not in _AWAY:
                    what = f"not locked: {disk.path} is {disk.state} and does not say what locks"
                    raise Refused(f"{what} hold of it already: {unknown[disk.path]}")

    def _cameras(self, code: str, from_ns: int) -> list[Camera | Removed]:
        """Who was called so at that time or since: the one of the catalog first."""
        now = self._catalog.camera(code)
        found: list[Camera | Removed] = [] if now is None else [now]
        gone = self._catalog.removed()
        found += [c for c in gone if c.code == code and c.removed_ns > from_ns]
        if not found:
            raise Refused(f"there is no camera {code}, and none was removed since then")
        return found

    def _draft(self, order: Order, person: Person, number: int) -> Lock:
        cameras = self._cameras(order.code, order.from_ns)
        streams = tuple(s for c in cameras for s in streams_of(c) if s[1] in order.names)
        if not streams:
            raise Refused(f"{order.code} has no stream {' or '.join(order.names)}")
        return rules.new_lock(
            secrets.token_bytes(16),
            number,
            cameras[0],
            streams,
            (order.from_ns, order.to_ns),
            (order.case, order.officer, order.reason),
            order.review_ns,
            person,
            self._clock(),
        )

    def _widened(self, lock: Lock, disks: OpenDisks) -> Lock:
        now_ns = self._clock()
        return structs.replace(
            lock, streams=tuple(disks.widened(stream, now_ns) for stream in lock.streams)
        )

    # --- the recorder and the chain

    def _lock(self, number: int) -> Lock:
        lock = self._catalog.lock(number)
        if lock is None:
            raise Refused(f"there is no lock {number} (vonggac lock list)")
        return lock

    def _tell_recorder(self) -> None:
        """A running one reads the catalog at once; it would within a second."""
        with contextlib.suppress(Unavailable):
            control.ask(self._home, bus_control.Changed())

    def _wait(self, lock: Lock, *, is_held: bool) -> tuple[list[str], list[str], list[str]]:
        """Paths of disks that have done it, that will, and that should have by now."""
        until_s = time.monotonic() + DURABLE_S

        def is_done(disk: bus_control.DiskLocks) -> bool:
            return disk.locks is not None and (lock.id in disk.locks) == is_held

        while True:
            try:
                reply = control.ask(self._home, bus_control.AskLocks())
            except Unavailable:
                return [], [], []
            disks = reply.disks if isinstance(reply, bus_control.LocksReply) else []
            away = [disk for disk in disks if disk.state in _AWAY]
            waiting = [disk for disk in disks if disk not in away and not is_done(disk)]
            if not waiting or time.monotonic() >= until_s:
                done = [disk.path for disk in disks if disk not in away and is_done(disk)]
                return done, [disk.path for disk in away], [disk.path for disk in waiting]
            time.sleep(_AGAIN_S)  # a disk's sync is not waited for on the recorder's socket

    def _note(self, action: str, lock: Lock, result: str) -> bool:
        """A line, if somebody writes the chain; what it says is done all the same."""
        try:
            audit_client.append(self._home, _event(action, lock, result), _NOTE_S)
        except (Unavailable, StorageError, Refused):
            return False
        return True

    def _log(self, action: str, lock: Lock, result: str, person: Person | None) -> None:
        """A line, without which nothing is done. Raises Unavailable, StorageError."""
        event = _event(action, lock, result)
        if person is not None:
            event = structs.replace(event, person=person.name, role=str(person.role))
        try:
            audit_client.append(self._home, event)
        except Unavailable as error:
            raise Unavailable(
                "a lock is not changed unlogged, and the audit chain does not answer: "
                "start `vonggac audit run`"
            ) from error


_AWAY = ("starting", "failed", "down", "hung")
"""States of a disk that nothing is written to now."""


def streams_of(camera: Camera | Removed) -> tuple[tuple[bytes, str], ...]:
    """Id and name of each stream."""
    if isinstance(camera, Removed):
        return camera.streams
    return tuple((stream.id, stream.name) for stream in camera.streams)


def _event(action: str, lock: Lock, result: str) -> AuditAppend:
    span = f"{iso(lock.from_ns)} to {iso(lock.to_ns)}"
    names = ", ".join(stream.name for stream in lock.streams)
    return AuditAppend(
        action=action,
        object=f"lock {lock.number}: {lock.code} {names}, {span}",
        purpose=(PurposeCode.OTHER, f"{lock.case}, {lock.officer}: {lock.reason}"),
        result=result,
    )
