"""Leases: who reads which life of which segment, for how long. Pure; times are arguments."""

from __future__ import annotations

from dataclasses import dataclass, field

from vonggac.errors import Refused

LEASE_MS = 60_000
LEASES_MAX = 64


@dataclass(slots=True)
class _Lease:
    segment: int
    epoch: int
    expires_ms: int


@dataclass(slots=True)
class Leases:
    """At most LEASES_MAX at a time. They delay the reuse of a segment, never the recording."""

    _leases: dict[int, _Lease] = field(default_factory=dict)
    _last: int = 0

    def take(self, segment: int, epoch: int, now_ms: int) -> int:
        """The number of a new lease; Refused when there are too many."""
        self.expire(now_ms)
        if len(self._leases) >= LEASES_MAX:
            raise Refused(f"{LEASES_MAX} segments are being read already")
        self._last += 1
        self._leases[self._last] = _Lease(segment, epoch, now_ms + LEASE_MS)
        return self._last

    def renew(self, lease: int, current_epoch: int | None, now_ms: int) -> None:
        """Another 60 s; Refused when it ran out or the segment has begun another life."""
        self.expire(now_ms)
        held = self._leases.get(lease)
        if held is None:
            raise Refused("the lease has run out")
        if held.epoch != current_epoch:
            del self._leases[lease]
            raise Refused("the segment was given up")
        held.expires_ms = now_ms + LEASE_MS

    def segment_of(self, lease: int) -> int | None:
        held = self._leases.get(lease)
        return None if held is None else held.segment

    def give(self, lease: int) -> None:
        """The reader is gone."""
        self._leases.pop(lease, None)

    def revoke(self, segment: int, epoch: int) -> None:
        """Part of it is being erased: whoever reads it asks again, and is told of what is left."""
        for number, held in list(self._leases.items()):
            if (held.segment, held.epoch) == (segment, epoch):
                del self._leases[number]

    def expire(self, now_ms: int) -> None:
        gone = [number for number, held in self._leases.items() if held.expires_ms <= now_ms]
        for number in gone:
            del self._leases[number]

    def holds(self, segment: int, epoch: int) -> bool:
        return any((h.segment, h.epoch) == (segment, epoch) for h in self._leases.values())
