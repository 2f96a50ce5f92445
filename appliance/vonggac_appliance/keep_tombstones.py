"""A keeper's tombstones, on their way into the home's ledger (promise 6 of docs/design/storage.md).

They wait in the index until the parent says that the ledger has them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from vonggac.store import tombstone
from vonggac_appliance import sockets
from vonggac_appliance.keep_chores import Desk, Obey
from vonggac_appliance.messages import Kind
from vonggac_appliance.messages_keeper import Tombstones, TombstonesKept

__all__ = ["KeepTombstones"]

_LEDGER_S = 3600.0
"""A list of tombstones an hour, and a line of the audit chain for each."""
_MOST = 250
"""In one message of 450 bytes each; so many are sent before the hour is over."""
_COUNT_S = 60.0


class KeepTombstones:
    """The chore."""

    def __init__(self, desk: Desk, ledger_s: float = _LEDGER_S) -> None:
        self._desk = desk
        self._index = desk.ring.archive.index
        self._ledger_s = ledger_s
        self._counted_s = -math.inf
        self._sent_s: float | None = None
        self._now_s = 0.0
        self._lost = tombstone.lost(self._index)

    @property
    def obeys(self) -> Mapping[Kind, Obey]:
        """What the ledger has."""
        return {Kind.TOMBSTONES_KEPT: self._kept}

    def turn(self, now_s: float) -> None:
        """Sends once an hour, or when there are many; again after a minute without an answer."""
        self._now_s = now_s
        if self._sent_s is None:
            self._sent_s = now_s
        if now_s - self._counted_s < min(_COUNT_S, self._ledger_s):
            return
        self._counted_s = now_s
        self._warn_of_lost()
        is_time = now_s - self._sent_s >= self._ledger_s
        if not is_time and tombstone.waiting(self._index) < _MOST:
            return  # they are not read each minute only to be counted
        upto, lines = tombstone.pending(self._index, _MOST)
        if lines and (is_time or len(lines) == _MOST):
            disk = self._desk.ring.disk.identity.disk
            self._desk.say(Kind.TOMBSTONES, Tombstones(disk, upto, lines))

    def close(self) -> None:
        """Nothing is left open."""

    def _kept(self, message: sockets.Message) -> None:
        tombstone.kept(self._index, sockets.decode(message, TombstonesKept).upto)
        self._sent_s = self._now_s
        self._counted_s = -math.inf  # the next ones go at once, where there are as many

    def _warn_of_lost(self) -> None:
        lost = tombstone.lost(self._index)
        if lost != self._lost:
            self._lost = lost
            what = f"{lost} found no room, because the ledger takes none: is `audit run` running?"
            self._desk.alarm("tombstones-lost", str(self._desk.ring.disk.path), what)
