"""Alarms that a person has to look at: which there are, and how one grows old. Pure.

A row stands for one condition: as long as nobody has acknowledged it, the same kind about the same
subject is counted, and no further row is made.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

__all__ = ["KINDS", "NOTE_MAX", "ROWS_MAX", "Alarm", "acknowledged", "repeated", "seen", "surplus"]

KINDS: Final = frozenset(
    {
        "arena-full",
        "backup-failed",
        "backup-off",
        "bit-rot",
        "camera-quarantined",
        "certificate-ends",
        "chore-failed",
        "clock-step",
        "disk-draining",
        "disk-failed",
        "disk-hung",
        "disk-slow",
        "disk-suspect",
        "erase-failed",
        "flood",
        "index-failed",
        "keeper-crashed",
        "lock-refused",
        "lock-review",
        "lock-unknown",
        "locks-too-many",
        "loop-crashed",
        "other-device",
        "push-refused",
        "retention-at-risk",
        "retention-guard",
        "tombstones-lost",
        "udp-overrun",
        "view-blinded",
        "view-covered",
        "view-dark",
        "view-defocused",
        "view-frozen",
        "view-turned",
        "weaker-login",
        "wrong-password",
    }
)
"""Every one that is raised; the page has words for each, and for no other."""
ROWS_MAX: Final = 10_000
NOTE_MAX: Final = 500
"""Characters that a person may write beside it."""


class Alarm(msgspec.Struct, frozen=True):
    """A row of HOME/alarms (docs/ref/alarms.md). Times are wall time in ns."""

    number: int
    """Rising, never given twice."""
    kind: str
    subject: str
    """What it is about: a disk's path, a camera, a stream (camera/name), a lock."""
    what: str
    """The newest sentence; English, for those who repair it."""
    first_ns: int
    last_ns: int
    count: int = 1
    seen_by: str = ""
    seen_ns: int = 0
    acknowledged_by: str = ""
    acknowledged_ns: int = 0
    note: str = ""
    """What was done about it, by who acknowledged it."""
    pictures_ns: tuple[int, ...] = ()
    """Moments of the camera's footage to look at: one as usual, and one that shows it."""

    @property
    def is_open(self) -> bool:
        """Whether a person still has to act on it."""
        return not self.acknowledged_ns


def repeated(alarm: Alarm, what: str, at_ns: int, pictures_ns: Sequence[int] = ()) -> Alarm:
    """The same again. A clock that was set back takes nothing from the row."""
    last_ns = max(alarm.last_ns, at_ns)
    return msgspec.structs.replace(
        alarm, what=what, last_ns=last_ns, count=alarm.count + 1, pictures_ns=tuple(pictures_ns)
    )


def seen(alarm: Alarm, by: str, at_ns: int) -> Alarm:
    """Somebody has had it before his eyes; the first one counts."""
    if alarm.seen_ns:
        return alarm
    return msgspec.structs.replace(alarm, seen_by=by, seen_ns=at_ns)


def acknowledged(alarm: Alarm, by: str, note: str, at_ns: int) -> Alarm:
    """Somebody answers for it; the first one counts."""
    if not alarm.is_open:
        return alarm
    return msgspec.structs.replace(
        seen(alarm, by, at_ns), acknowledged_by=by, acknowledged_ns=at_ns, note=note
    )


def surplus(alarms: Iterable[Alarm], most: int = ROWS_MAX) -> list[int]:
    """The numbers of those to forget: acknowledged ones first, then the oldest."""
    rows = list(alarms)
    if len(rows) <= most:
        return []
    rows.sort(key=lambda alarm: (alarm.is_open, alarm.number))
    return [alarm.number for alarm in rows[: len(rows) - most]]
