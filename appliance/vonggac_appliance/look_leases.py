"""Descriptors of segments that are being looked at, each with its lease. Thread-safe.

Whether a segment still lives the life that is looked at, its own bytes say after every read; that
the lease holds, the keeper says once a second.

A lease is a connection of its own to the keeper: closing that gives it back at once, and threads
that read different segments do not wait for each other. A keeper gives few (64), so a look keeps
few, and none that it has not used for a while.
"""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from vonggac.errors import Gone, Refused, TooMany, Unavailable
from vonggac.media.chunk import ChunkView
from vonggac.store.segment import Life, SegmentFile
from vonggac.store.standing import stands
from vonggac_appliance.index_client import IndexClient
from vonggac_appliance.sockets import Closed

__all__ = ["LeasePool", "Leased", "Place"]

_KEPT_MAX = 3
"""Unused ones of a look: the segment being played, its successor, and the other stream's."""
_BUSY_MAX = 8
"""Browsers open six connections to a host."""
_IDLE_S = 10.0
_FRESH_S = 1.0
_DEADLINE_S = 5.0


_Key = tuple[str, "Place", bytes, bytes]
"""Look, segment, receipt: a renewed look has another receipt."""


@dataclass(frozen=True, slots=True)
class Place:
    """A life of a segment."""

    disk: bytes
    segment: int
    epoch: int


@dataclass(slots=True)
class Leased:
    """A segment that may be read. What was read counts only once `confirm` has returned."""

    place: Place
    fd: int
    file: SegmentFile
    _client: IndexClient
    _lease: int
    _ask: Callable[[], tuple[IndexClient, int, int]]
    """Asks for it once more: client, descriptor, lease."""
    users: int = 0
    used_s: float = 0.0
    is_void: bool = False
    """Not to be lent again."""
    is_open: Callable[[], bool] = lambda: True
    """Whether its look is: after its end nothing more is given out, of what was begun either."""
    checked_s: float = field(default_factory=time.monotonic)
    """Monotonic: when the keeper last said that the lease holds."""
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @classmethod
    def take(
        cls, home: Path, place: Place, stream: bytes, receipt: bytes, is_open: Callable[[], bool]
    ) -> Leased:
        """Asks the keeper. Gone, Refused (the receipt), TooMany, Unavailable."""

        def ask() -> tuple[IndexClient, int, int]:
            client = IndexClient(home, place.disk, _DEADLINE_S)
            try:
                return client, *client.lease(stream, place.segment, place.epoch, receipt)
            except BaseException:
                client.close()
                raise

        client, fd, lease = ask()
        file = SegmentFile(fd, os.fstat(fd).st_size)
        return cls(place, fd, file, client, lease, ask, is_open=is_open)

    @property
    def life(self) -> Life:
        """What every chunk in it must say of its place."""
        return Life(self.place.disk, self.place.segment, self.place.epoch)

    def confirm(self, view: ChunkView) -> None:
        """The segment still lives that life, so what was read of it is what it was.

        `view`: a chunk that was found in it before. Raises Gone, Refused (the look has ended, the
        receipt has expired), Unavailable.
        """
        if time.monotonic() - self.checked_s > _FRESH_S:
            self.check()
        self._check_open()
        if not stands(self.file, view):
            self.is_void = True
            raise Gone(f"segment {self.place.segment} was given up")

    def check(self) -> None:
        """The keeper says that the lease holds and the segment lives that life.

        Raises Gone, Refused (the look has ended, the receipt has expired), Unavailable.
        """
        with self._lock:
            try:
                self._renew()
            except (Refused, Unavailable):
                self.is_void = True
                raise
        self.checked_s = time.monotonic()
        self._check_open()  # last: it may have ended while the keeper was asked

    def _renew(self) -> None:
        try:
            self._client.renew(self._lease)
        except Closed:
            # A keeper was replaced. No life comes back: where its successor lends this one, it
            # stood all the while.
            client, fd, lease = self._ask()
            os.close(fd)  # of the same file
            self._client.close()
            self._client, self._lease = client, lease

    def _check_open(self) -> None:
        if not self.is_open():
            self.is_void = True
            raise Refused("the look has ended")

    def close(self) -> None:
        self._client.close()
        os.close(self.fd)


class LeasePool:
    """All leases of this process, by look."""

    def __init__(self, home: Path, is_open: Callable[[str], bool]) -> None:
        """`is_open`: whether a look of this id is; asked before anything is given out."""
        self._home = home
        self._is_open = is_open
        self._held: dict[_Key, Leased] = {}
        self._lock = threading.Lock()

    @contextlib.contextmanager
    def lent(self, look_id: str, place: Place, stream: bytes, receipt: bytes) -> Iterator[Leased]:
        """A leased segment for a block."""
        leased = self.borrow(look_id, place, stream, receipt)
        try:
            yield leased
        finally:
            self.give_back(leased)

    def borrow(self, look_id: str, place: Place, stream: bytes, receipt: bytes) -> Leased:
        """To be given back. Gone, Refused, TooMany, Unavailable."""
        key = (look_id, place, stream, receipt)
        found = self._kept(key)
        if found is not None:
            try:
                # A keeper may have been replaced meanwhile, or this process stopped for a while.
                if time.monotonic() - found.checked_s > _FRESH_S:
                    found.check()
                return found
            except (Refused, Unavailable):
                self.give_back(found)
        self._make_room(look_id)

        def is_open() -> bool:
            return self._is_open(look_id)

        try:
            leased = Leased.take(self._home, place, stream, receipt, is_open)
        except TooMany:
            self.close_idle(0.0)
            leased = Leased.take(self._home, place, stream, receipt, is_open)
        with self._lock:
            leased.users = 1
            # Two threads may have asked at once: the one that is not in the table is closed when
            # it is given back.
            leased.is_void = key in self._held or not is_open()
            if not leased.is_void:
                self._held[key] = leased
        return leased

    def give_back(self, leased: Leased) -> None:
        """It is kept for the next request, unless it is void."""
        with self._lock:
            leased.users -= 1
            leased.used_s = time.monotonic()
            if leased.users or not leased.is_void:
                return
            self._held = {key: held for key, held in self._held.items() if held is not leased}
        leased.close()

    def drop(self, look_id: str) -> None:
        """The look has ended, and `is_open` says so: what is still lent closes when given back."""
        self._close(lambda key, _: key[0] == look_id, is_over=True)

    def close_idle(self, idle_s: float = _IDLE_S) -> None:
        """Gives back what nobody has used for so long."""
        before_s = time.monotonic() - idle_s
        self._close(lambda _, held: held.used_s <= before_s, is_over=False)

    def _kept(self, key: _Key) -> Leased | None:
        with self._lock:
            found = self._held.get(key)
            if found is None or found.is_void:
                return None
            found.users += 1
            return found

    def _make_room(self, look_id: str) -> None:
        with self._lock:
            own = [(key, held) for key, held in self._held.items() if key[0] == look_id]
            idle = sorted(
                (held.used_s, number) for number, (_, held) in enumerate(own) if not held.users
            )
            if len(own) - len(idle) >= _BUSY_MAX:
                raise TooMany("this look is read too often at once", 1.0)
            surplus = [own[n][0] for _, n in idle[: max(len(idle) - _KEPT_MAX + 1, 0)]]
            closing = [self._held.pop(key) for key in surplus]
        for held in closing:
            held.close()

    def _close(self, is_meant: Callable[[_Key, Leased], bool], *, is_over: bool) -> None:
        with self._lock:
            meant = [(key, held) for key, held in self._held.items() if is_meant(key, held)]
            closing = []
            for key, held in meant:
                held.is_void = held.is_void or is_over
                if not held.users:
                    closing.append(self._held.pop(key))
        for held in closing:
            held.close()
