"""Whether a disk keeps what was promised of the footage on it, told before it does not. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["Demand", "Outlook", "outlook"]

_DAYS_FAR = 36_500.0


@dataclass(frozen=True, slots=True)
class Demand:
    """A stream, or all of a camera's on one disk."""

    name: str
    bytes_a_day: int
    days_min: int
    days_max: int | None
    priority: int


@dataclass(frozen=True, slots=True)
class Outlook:
    """What comes of it."""

    bytes_a_day: int
    holds_days: float | None
    """How far back the disk reaches at the present rate; None: nothing is recorded on it."""
    needed_bytes: int
    """To keep every promise."""
    room_bytes: int
    """What there is beside locked footage."""
    broken: tuple[str, ...] = ()
    """Whose promise will not be kept, the lowest priority first."""


def outlook(capacity_bytes: int, pinned_bytes: int, demands: Sequence[Demand]) -> Outlook:
    """From rates and promises; a stream that is erased after days_max takes no more than that."""
    room = max(capacity_bytes - pinned_bytes, 0)
    rate = sum(demand.bytes_a_day for demand in demands)
    needed = sum(demand.bytes_a_day * demand.days_min for demand in demands)
    return Outlook(
        bytes_a_day=rate,
        holds_days=_reach_days(room, demands) if rate else None,
        needed_bytes=needed,
        room_bytes=room,
        broken=_broken(room, demands),
    )


def _reach_days(room: int, demands: Sequence[Demand]) -> float:
    """Days d for which the sum of rate * min(d, days_max) fills the room."""
    days = 0.0
    left = float(room)
    growing = [d for d in demands if d.bytes_a_day]
    limits = sorted({d.days_max for d in growing if d.days_max is not None})
    for limit in (*limits, None):
        rate = sum(d.bytes_a_day for d in growing if d.days_max is None or d.days_max > days)
        if not rate:
            return _DAYS_FAR
        step = left / rate
        if limit is None or days + step <= limit:
            return min(days + step, _DAYS_FAR)
        left -= rate * (limit - days)
        days = float(limit)
    return days


def _broken(room: int, demands: Sequence[Demand]) -> tuple[str, ...]:
    """Promises that find no room once those of higher priority have theirs.

    Within a priority all share what is left, so all of them break.
    """
    broken: list[str] = []
    for priority in sorted({d.priority for d in demands}, reverse=True):
        own = [d for d in demands if d.priority == priority]
        needed = sum(d.bytes_a_day * d.days_min for d in own)
        if needed > room:
            broken = [d.name for d in own if d.bytes_a_day and d.days_min] + broken
        room = max(room - needed, 0)
    return tuple(dict.fromkeys(broken))
