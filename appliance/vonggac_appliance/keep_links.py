"""All loops that hand chunks to a keeper: what came of them, and who has nothing more to bring."""

from __future__ import annotations

import logging
import socket
from collections.abc import Callable
from functools import partial

import msgspec

from vonggac.errors import MediaError
from vonggac_appliance.keep_loops import Chunk, LoopLink
from vonggac_appliance.keep_poll import READ, WRITE, Poller
from vonggac_appliance.messages import Kind
from vonggac_appliance.messages_keeper import Loop

__all__ = ["Links"]

_log = logging.getLogger("vonggac.keep")


class Links:
    """Connections, each one incarnation of a loop."""

    def __init__(self, poller: Poller, say: Callable[[Kind, msgspec.Struct], None]) -> None:
        """`say`: to the parent."""
        self._poller = poller
        self._say = say
        self._links: list[LoopLink] = []

    def __bool__(self) -> bool:
        """Whether there are any."""
        return bool(self._links)

    def add(self, sock: socket.socket, loop: Loop) -> None:
        """A loop's socket, fresh from the parent."""
        link = LoopLink(sock, loop.loop, loop.incarnation)
        self._links.append(link)
        self._poller.watch(sock.fileno(), READ, partial(self._ready, link))

    def ticking(self) -> list[LoopLink]:
        """Those that will tick once more."""
        return [link for link in self._links if link.reader is not None and not link.is_ended]

    def take_arrived(self) -> list[Chunk]:
        """What was handed over since, of each loop in its order."""
        arrived: list[Chunk] = []
        for link in self._links:
            arrived += [(link, header) for header in link.arrived]
            link.arrived.clear()
            if link.is_connected:
                events = READ | (WRITE if link.wants_write else 0)
                self._poller.watch(link.sock.fileno(), events, partial(self._ready, link))
        return arrived

    def let_go(self) -> None:
        """Connections that will bring nothing more, and whose chunks are all durable or refused."""
        for link in [link for link in self._links if link.is_drained]:
            if link.is_connected:
                link.say_drained()
                self._poller.unwatch(link.sock.fileno())
            self._links.remove(link)
            # Of one incarnation there are two where streams were moved between disks.
            if all(
                (x.number, x.incarnation) != (link.number, link.incarnation) for x in self._links
            ):
                self._say(Kind.DRAINED, Loop(link.number, link.incarnation))
            link.close()

    def close(self) -> None:
        for link in self._links:
            link.close()

    def _ready(self, link: LoopLink, mask: int) -> None:
        try:
            if mask & WRITE:
                link.write()
            link.read()
        except (MediaError, OSError) as error:
            _log.error("loop %d talks nonsense: %s", link.number, error)
        if not link.is_connected:
            self._poller.unwatch(link.sock.fileno())
