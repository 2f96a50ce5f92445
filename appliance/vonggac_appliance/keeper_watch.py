"""How the parent notices a disk that hangs: a keeper in an endless write cannot say so itself."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

__all__ = ["HANGS_S", "HangWatch"]

HANGS_S = 2.0
"""A write, sync or commit that takes longer is one of a disk that hangs."""
_MUTE_S = 3.0
"""A keeper that is written to and says nothing for so long hangs itself: two messages a second."""
_LONG_S = 8.0
"""Memory holds 10 s of video for a disk."""
_UNREAD_S = 0.02
_DISTRUST_S = 600.0
"""How long a disk that hung gets streams only where there is no other."""


class HangWatch:
    """Of one keeper. `on_hang` is called once for each job that takes more than 2 s."""

    def __init__(self, on_hang: Callable[[], None]) -> None:
        self._on_hang = on_hang
        self._busy_s: float | None = None
        self._heard_s = time.monotonic()
        self._timer: asyncio.TimerHandle | None = None
        self._hung_s = float("-inf")

    @property
    def hangs(self) -> bool:
        """Whether what was begun has not ended within 2 s."""
        return self._busy_s is not None and time.monotonic() - self._busy_s >= HANGS_S

    def hung_at(self, now_s: float) -> bool:
        """The same of a moment before: whoever was held up since may have its end lie unread."""
        return self._busy_s is not None and now_s - self._busy_s >= HANGS_S

    @property
    def hangs_long(self) -> bool:
        """Whether it has hung for so long that a disk which hung itself is worth a try."""
        return self._busy_s is not None and time.monotonic() - self._busy_s >= _LONG_S

    @property
    def is_busy(self) -> bool:
        """Whether it may be about to hang."""
        return self._busy_s is not None and time.monotonic() - self._busy_s > HANGS_S / 2

    @property
    def is_doubtful(self) -> bool:
        """Whether it hung lately, or may be about to."""
        return self.is_busy or time.monotonic() < self._hung_s + _DISTRUST_S

    def is_mute(self, now_s: float) -> bool:
        """Whether a keeper that is written to has said nothing for 3 s."""
        return now_s - self._heard_s > _MUTE_S

    def heard(self) -> None:
        """It said something."""
        self._heard_s = time.monotonic()

    def writes(self, is_busy: bool) -> None:
        """It began to write, or has nothing more to write."""
        self.stop()
        if is_busy:
            self._busy_s = time.monotonic()
            self._timer = asyncio.get_running_loop().call_later(HANGS_S, self._look)

    def hung(self) -> None:
        """It was given up."""
        self.stop()
        self._hung_s = time.monotonic()

    def stop(self) -> None:
        """Nothing is being written any more."""
        self._busy_s = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _look(self) -> None:
        """Once more, after what may lie unread: we could be the ones who were held up."""
        self._timer = asyncio.get_running_loop().call_later(_UNREAD_S, self._tell)

    def _tell(self) -> None:
        self._timer = None
        if self.hangs:
            self._on_hang()
