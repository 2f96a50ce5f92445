"""How a keeper's threads beside the ticks use its disk: slowly, and stopped at once."""

from __future__ import annotations

import ctypes
import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

__all__ = ["Pace", "Stopped", "wait_for_others"]

_SLEEP_MAX_S = 0.5
_IOPRIO_SET = {"x86_64": 251, "aarch64": 30}
_IOPRIO_IDLE = 3 << 13
"""ioprio_set(2): served when nobody else wants the disk, where its scheduler knows priorities."""


class Stopped(Exception):
    """The keeper ends: what is being done is left."""


@dataclass(slots=True)
class Pace:
    """So many bytes a second on average, with no debt from pauses."""

    rate_bytes: int
    stop: threading.Event
    clock: Callable[[], float] = time.monotonic
    _due_s: float = 0.0

    def take(self, size: int) -> None:
        """Waits until `size` more may be read or written. Raises Stopped."""
        now_s = self.clock()
        self._due_s = max(self._due_s, now_s - _SLEEP_MAX_S) + size / self.rate_bytes
        while (wait_s := self._due_s - self.clock()) > 0:
            if self.stop.wait(min(wait_s, _SLEEP_MAX_S)):
                raise Stopped
        if self.stop.is_set():
            raise Stopped


def wait_for_others() -> None:
    """This thread's reads come after all others'; without effect where the disk's scheduler knows
    no such thing. Not for a thread that writes: the recording's sync would wait for it as well.
    """
    number = _IOPRIO_SET.get(os.uname().machine)
    if number is not None:
        ctypes.CDLL(None, use_errno=True).syscall(number, 1, 0, _IOPRIO_IDLE)
