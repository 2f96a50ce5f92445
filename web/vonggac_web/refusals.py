"""A line in the system's journal for every request that was refused, as far as there is room.

What concerns pictures and sign-in stands in the audit chain besides. These lines are for whoever
wonders why somebody tries: a forged session, a guessed address, a range outside of a look.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from flask import g, request

__all__ = ["Refusals"]

_log = logging.getLogger("vonggac.serve")

_A_SECOND = 5.0
_AT_ONCE = 50.0
_PATH_CHARS_MAX = 200


class Refusals:
    """Writes them, at most `_A_SECOND` for long; what it left out it counts. Thread-safe."""

    def __init__(self, monotonic_s: Callable[[], float] = time.monotonic) -> None:
        self._monotonic_s = monotonic_s
        self._room = _AT_ONCE
        self._at_s = monotonic_s()
        self._left_out = 0
        self._lock = threading.Lock()

    def note(self, code: str, status: int) -> None:
        """Of the request that is being answered; a query may hold what somebody typed: not it."""
        with self._lock:
            now_s = self._monotonic_s()
            self._room = min(_AT_ONCE, self._room + (now_s - self._at_s) * _A_SECOND)
            self._at_s = now_s
            if self._room < 1.0:
                self._left_out += 1
                return
            self._room -= 1.0
            left_out, self._left_out = self._left_out, 0
        session = g.get("session")
        _log.info(
            "refused: %s %s: %d %s (session %s, from %s)%s",
            request.method,
            ascii(request.path[:_PATH_CHARS_MAX]),
            status,
            code,
            "none" if session is None else session.id,
            request.remote_addr,
            f"; {left_out} more before it" if left_out else "",
        )
