"""A thread that looks again and again as long as somebody wants to know, and then rests."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

__all__ = ["ASKED_S", "WhileAsked"]

ASKED_S = 30.0
"""How long it goes on after somebody wanted to know."""


class WhileAsked:
    """Calls `look` at most every `every_s` seconds. Nothing is started before the first `want`."""

    def __init__(self, name: str, every_s: float, look: Callable[[], None]) -> None:
        self.changed = threading.Condition()
        """Guards what `look` finds; whoever waits for that is notified by `look`."""
        self._name = name
        self._every_s = every_s
        self._look = look
        self._until_s = float("-inf")
        self._is_closing = False
        self._thread: threading.Thread | None = None

    def want(self) -> None:
        """Somebody wants to know. Called with `changed` held."""
        was_idle = time.monotonic() >= self._until_s
        self._until_s = time.monotonic() + ASKED_S
        if self._thread is None and not self._is_closing:
            self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
            self._thread.start()
        elif was_idle:
            self.changed.notify_all()

    def close(self) -> None:
        """Ends the thread."""
        with self.changed:
            self._is_closing = True
            self.changed.notify_all()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        while True:
            with self.changed:
                while not self._is_closing and time.monotonic() >= self._until_s:
                    self.changed.wait()
                if self._is_closing:
                    return
            begun_s = time.monotonic()
            self._look()
            with self.changed:
                rest_s = self._every_s - (time.monotonic() - begun_s)
                self.changed.wait_for(lambda: self._is_closing, max(0.0, rest_s))
