"""When a keeper that ended is started again, and when one is tried on a disk that was refused."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

from vonggac.ingest.backoff import Backoff

__all__ = ["Restarts"]

_AGAIN = Backoff(first_s=0.2, most_s=10.0, jitter=0.0)
_LOOK_AGAIN = Backoff(first_s=2.0, most_s=60.0, jitter=0.0)
"""For a disk that is not there, or is not ours: it may be mounted, or changed, while we run."""
_GOOD_AFTER_S = 60.0
"""A keeper that lived this long starts its back-off anew."""


class Restarts:
    """Of one keeper, which `start` starts. One start is planned at most."""

    def __init__(self, start: Callable[[], Awaitable[None]]) -> None:
        self._start = start
        self._planned: asyncio.Task[None] | None = None
        self._began_s = 0.0
        self._failures = 0
        self._looks = 0
        """How often a disk was refused as it is; 0: it was not. What failed while written stays."""

    @property
    def is_planned(self) -> bool:
        """Whether a start is waited for, or under way."""
        return self._planned is not None

    def begins(self) -> None:
        """A keeper is being forked."""
        self._began_s = time.monotonic()

    def done(self) -> None:
        """There is a keeper, and no start is planned any more."""
        self._planned = None

    def forget(self) -> None:
        """It is another disk's turn, or another path's: nothing is held against it."""
        self._looks = self._failures = 0

    def now(self) -> None:
        """Starts it, instead of what was planned."""
        self.cancel()
        self._plan(0.0)

    def after_end(self) -> float:
        """Starts it after a delay in seconds, which it returns."""
        self._failures = 1 if self._lived_long else self._failures + 1
        return self._plan(_AGAIN.delay_s(self._failures, 0.0))

    def after_refusal(self, was_ready: bool) -> float:
        """The same for a disk that cannot be used; `was_ready`: it once could."""
        self._looks = 1 if self._lived_long and was_ready else self._looks + 1
        return self._plan(_LOOK_AGAIN.delay_s(self._looks, 0.0))

    def cancel(self) -> None:
        """Nothing is started."""
        if self._planned is not None:
            self._planned.cancel()

    @property
    def _lived_long(self) -> bool:
        return time.monotonic() - self._began_s > _GOOD_AFTER_S

    def _plan(self, delay_s: float) -> float:
        self._planned = asyncio.get_running_loop().create_task(self._start_after(delay_s))
        return delay_s

    async def _start_after(self, delay_s: float) -> None:
        await asyncio.sleep(delay_s)
        await self._start()
