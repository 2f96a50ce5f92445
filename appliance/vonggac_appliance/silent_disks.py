"""Keepers that let a question time out: the others must not be held up by them again at once."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable
from typing import TypeVar

from vonggac.errors import Unavailable

__all__ = ["SilentDisks"]

_SLOW_S = 1.0
"""Who refuses a connection does so at once, and may be asked again."""
_LEFT_ALONE_S = 15.0

_Told = TypeVar("_Told")


class SilentDisks:
    """Asks disks, and leaves alone for 15 s those that answered nothing in time. Thread-safe."""

    def __init__(self, clock_s: Callable[[], float] = time.monotonic) -> None:
        self._clock_s = clock_s
        self._until_s: dict[Hashable, float] = {}
        self._lock = threading.Lock()

    def ask(self, disk: Hashable, question: Callable[[], _Told]) -> _Told:
        """What the question gives. Raises Unavailable at once for a disk that is left alone."""
        began_s = self._clock_s()
        with self._lock:
            if began_s < self._until_s.get(disk, began_s):
                raise Unavailable("this disk did not answer a moment ago")
        try:
            told = question()
        except Unavailable:
            now_s = self._clock_s()
            if now_s - began_s >= _SLOW_S:
                with self._lock:
                    self._until_s[disk] = now_s + _LEFT_ALONE_S
            raise
        with self._lock:
            self._until_s.pop(disk, None)
        return told
