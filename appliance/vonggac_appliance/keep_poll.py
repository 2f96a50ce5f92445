"""Descriptors and who is called when one of them is ready."""

from __future__ import annotations

import select
from collections.abc import Callable

Handler = Callable[[int], None]
READ, WRITE = select.EPOLLIN, select.EPOLLOUT


class Poller:
    """An epoll whose `watch` may be called again with other events."""

    def __init__(self) -> None:
        self._epoll = select.epoll()
        self._watched: dict[int, tuple[int, Handler]] = {}

    def watch(self, fd: int, events: int, handler: Handler) -> None:
        known = self._watched.get(fd)
        if known is None:
            self._epoll.register(fd, events)
        elif known[0] != events:
            self._epoll.modify(fd, events)
        self._watched[fd] = (events, handler)

    def unwatch(self, fd: int) -> None:
        """Before the descriptor is closed; of one that is not watched, nothing."""
        if self._watched.pop(fd, None) is not None:
            self._epoll.unregister(fd)

    def turn(self, timeout_s: float) -> None:
        """Waits, and calls who is concerned."""
        for fd, mask in self._epoll.poll(timeout_s):
            known = self._watched.get(fd)
            if known is not None:
                known[1](mask)

    def close(self) -> None:
        self._epoll.close()
