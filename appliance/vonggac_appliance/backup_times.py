"""When a backup of the home is due. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta

__all__ = ["is_fresh"]

_AHEAD = timedelta(hours=1)
"""A backup from further ahead was made with a wrong clock."""


def is_fresh(made: datetime | None, now: datetime, hour: int) -> bool:
    """Whether a backup was made since `hour` o'clock last struck. Both with the box's offset.

    A box that was off at that hour makes it when it is on again.
    """
    if made is None:
        return False
    struck = now.replace(hour=hour, minute=0, second=0, microsecond=0)
    if struck > now:
        struck -= timedelta(days=1)
    return struck <= made <= now + _AHEAD
