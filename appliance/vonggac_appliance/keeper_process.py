"""The process behind a disk, and the socket to it: forked, spoken to, heard, ended."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable

import msgspec

from vonggac.errors import MediaError
from vonggac_appliance import channel, loop_wire
from vonggac_appliance.channel import Channel
from vonggac_appliance.children import Children
from vonggac_appliance.keeper_watch import HangWatch
from vonggac_appliance.messages import Kind
from vonggac_appliance.messages_keeper import Loop
from vonggac_appliance.parts import Joiner, split

__all__ = ["KeeperProcess"]

_log = logging.getLogger("vonggac.record")


class KeeperProcess:
    """At most one at a time. What it says goes to `act`, how it ended to `exited`."""

    def __init__(
        self,
        children: Children,
        watch: HangWatch,
        act: Callable[[int, bytes], None],
        exited: Callable[[int], None],
    ) -> None:
        self.pid = 0
        """0: there is none."""
        self._children = children
        self._watch = watch
        self._act = act
        self._on_exit = exited
        self._channel: Channel | None = None
        self._joiner = Joiner()
        self._path = ""

    @property
    def is_joined(self) -> bool:
        """Whether it can be told something."""
        return self._channel is not None

    async def start(self, path: str, home: str, box_id: bytes) -> bool:
        """Forks it. False: its end was heard together with its beginning. Raises Unavailable."""
        self._watch.stop()
        self._path = path
        ours, theirs = channel.pair()
        self._joiner = Joiner()
        self._channel = Channel(ours, self._heard, self._lost)
        with theirs:
            control_fd = os.dup(theirs.fileno())
            pid = await self._children.start_keeper(path, home, box_id, control_fd, self._exited)
        if not self.is_joined:
            return False
        self.pid = pid
        return True

    def connect(self, slot: int, loop: Channel, number: int, incarnation: int) -> None:
        """Joins a loop and this keeper by a new pair of sockets."""
        to_loop, to_keeper = channel.pair()
        with to_loop, to_keeper:
            self.send(Kind.LOOP, Loop(number, incarnation), (os.dup(to_keeper.fileno()),))
            loop.send(loop_wire.keeper(slot, incarnation), (os.dup(to_loop.fileno()),))

    def send(self, kind: Kind, body: msgspec.Struct | None, fds: tuple[int, ...] = ()) -> None:
        """Tells it something, and takes the descriptors; nothing while there is none."""
        if self._channel is None:
            for fd in fds:
                os.close(fd)
            return
        raw = b"" if body is None else msgspec.msgpack.encode(body)
        for message in split(kind, raw):
            self._channel.send(message, fds)
            fds = ()

    def kill(self) -> None:
        """Ends it at once."""
        self._children.kill(self.pid)

    def _heard(self, message: bytes) -> None:
        self._watch.heard()
        try:
            whole = self._joiner.join(message)
            if whole is not None:
                self._act(*whole)
        except (MediaError, msgspec.MsgspecError) as error:
            _log.error("the keeper of %s talks nonsense (%s), ending it", self._path, error)
            self.kill()

    def _lost(self) -> None:
        """Its socket ended; the exit follows."""
        self._channel = None

    def _exited(self, status: int) -> None:
        self.pid = 0
        self._watch.stop()
        if self._channel is not None:
            self._channel.close()
            self._channel = None
        self._on_exit(status)
