"""A native loop as the parent sees it: its arena outlives it, its streams are given to the next."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import logging
import os
import time
from collections.abc import Iterable, Sequence
from typing import Protocol

from vonggac._native.arena import format_arena
from vonggac.errors import MediaError, Unavailable
from vonggac.ingest.backoff import Backoff
from vonggac_appliance import channel, loop_stats, loop_wire
from vonggac_appliance.channel import Channel
from vonggac_appliance.children import Children, end_of
from vonggac_appliance.keepers import Keeper

_log = logging.getLogger("vonggac.record")

_CRASH_PAGE_BYTES = 4096
_ANSWER_S = 3.0
"""A loop that answers no STATS for so long hangs. One turn of epoll takes milliseconds."""
_DRAIN_S = 2.0
"""How long a new loop waits for keepers to be through with the old one's chunks. A hung disk must
not hold up 32 cameras: their chunks wait in the arena, in order."""
_AGAIN = Backoff(first_s=0.05, most_s=5.0, jitter=0.0)
_GOOD_AFTER_S = 60.0


class Session(Protocol):
    """A stream as its loop sees it."""

    def loop_event(self, event: loop_wire.Event) -> None: ...
    def loop_message(self, message: bytes) -> None: ...
    def loop_ended(self, ended: loop_wire.Ended) -> None: ...
    def loop_stats(self, stats: loop_stats.StreamStats) -> None: ...

    def loop_lost(self, is_guilty: bool) -> None:
        """The loop died; `is_guilty`: while it parsed this stream's bytes."""

    def loop_returned(self) -> None:
        """Another one stands in its place."""


class Hears(Protocol):
    """Who is told of crashes."""

    def loop_crashed(self, loop: LoopHandle, what: str, guilty: Session | None) -> None: ...
    def keepers_ready(self) -> Iterable[Keeper]: ...
    def moves(self, loop: LoopHandle) -> Iterable[tuple[int, int, Sequence[bytes]]]: ...


class LoopHandle:
    """One loop and what outlives it: arena, crash page, sessions."""

    def __init__(
        self,
        number: int,
        is_household: bool,
        arena_bytes: int,
        flood_bytes_per_second: int,
        children: Children,
        hears: Hears,
    ) -> None:
        self.number = number
        self.is_household = is_household
        self.cameras: set[bytes] = set()
        self.sessions: dict[bytes, Session] = {}
        self._flood = flood_bytes_per_second
        self._children = children
        self._hears = hears
        self._arena = _sealed_memfd(f"vonggac-arena-{number}", arena_bytes)
        self._crash_page = _sealed_memfd(f"vonggac-crash-{number}", _CRASH_PAGE_BYTES)
        format_arena(self._arena)
        self._incarnation = 0
        self._channel: Channel | None = None
        self._pid = 0
        self._answered_s = 0.0
        self._asks = 0
        self._failures = 0
        self._started_s = 0.0
        self._connected: set[int] = set()
        """Slots of keepers that have not said that they are through with this incarnation."""
        self._drained = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._is_ending = False
        self._is_synced = False
        self.is_up = False

    @property
    def pid(self) -> int:
        """Of the process; 0 if there is none."""
        return self._pid

    async def start(self) -> None:
        """Forks the loop and joins it to every keeper that is ready."""
        ours, theirs = channel.pair()
        self._started_s = self._answered_s = time.monotonic()
        self._channel = Channel(ours, self._heard, self._lost)
        read_only = os.open(f"/proc/self/fd/{self._arena}", os.O_RDONLY | os.O_CLOEXEC)
        fds = [os.dup(theirs.fileno()), os.dup(self._arena), read_only, os.dup(self._crash_page)]
        theirs.close()
        self._pid = await self._children.start_loop(
            self.number, self._incarnation, self._flood, fds, self._exited
        )
        self.is_up = True
        self._send(loop_wire.clock(self._is_synced))
        for slot, to, streams in self._hears.moves(self):
            self.move(slot, to, streams)  # before anybody is connected: nobody loses anything
        for keeper in self._hears.keepers_ready():
            self.connect(keeper)

    def connect(self, keeper: Keeper) -> None:
        """Joins it to a keeper that has just become ready."""
        if self._channel is None:
            return
        self._connected.add(keeper.slot)
        keeper.connect(self._channel, self.number, self._incarnation)

    def move(self, slot: int, to: int, streams: Sequence[bytes] = ()) -> None:
        """Has streams (without any: all) written to another slot, with what of them is not durable.
        A keeper that was given any of it has to be connected again.
        """
        self._send(loop_wire.move(slot, to, streams))

    def attach(
        self,
        session: Session,
        attach: loop_wire.Attach,
        fd: int,
        datagrams: Iterable[tuple[bytes, int]] = (),
    ) -> bool:
        """Gives a camera's connection to the loop. The caller keeps its own descriptors.

        `datagrams`: UDP messages, each with its socket. False: there is no loop at this moment;
        `loop_returned` follows.
        """
        self.sessions[attach.stream] = session
        if not self.is_up or self._channel is None:
            return False
        messages = ((loop_wire.attach(attach), fd), *datagrams)
        return all(self._channel.send(message, (os.dup(one),)) for message, one in messages)

    def detach(self, stream: bytes, reason: int) -> None:
        """Ends a run; `loop_ended` follows."""
        self._send(loop_wire.detach(stream, reason))

    def forget(self, stream: bytes) -> None:
        """The session is over."""
        self.sessions.pop(stream, None)

    def send_rtsp(self, stream: bytes, message: bytes) -> None:
        """Has an RTSP message written between two packets."""
        self._send(loop_wire.rtsp(stream, message))

    def send_live(self, stream: bytes, until_ms: int, header: bytes, fd: int) -> bool:
        """Gives a viewer's socket to the loop. Takes the descriptor."""
        if self._channel is None:
            os.close(fd)
            return False
        return self._channel.send(loop_wire.live(stream, until_ms, header), (fd,))

    def send_clock(self, is_synced: bool) -> None:
        """Says whether the box's clock is synchronised, to this loop and those after it."""
        self._is_synced = is_synced
        self._send(loop_wire.clock(is_synced))

    def turn(self, now_s: float, is_late: bool) -> None:
        """Once a second: asks for figures; ends a loop that has not answered for 3 s.

        `is_late`: the parent itself was held up, so that answers may lie unread.
        """
        if self._channel is None or not self.is_up:
            return
        if now_s - self._answered_s > _ANSWER_S and not is_late:
            _log.error("loop %d does not answer, ending it", self.number)
            self._children.kill(self._pid)
            self._answered_s = now_s  # its exit follows; one signal is enough
            return
        self._asks += 1
        self._channel.send(loop_wire.stats(self._asks & 0xFFFFFFFF))

    def end(self) -> None:
        """Asks it to end all runs, hand over and exit."""
        self._is_ending = True
        for task in self._tasks:
            task.cancel()
        self._send(loop_wire.end())

    def kill(self) -> None:
        """Ends it at once."""
        self._children.kill(self._pid)

    def drained(self, slot: int, incarnation: int) -> None:
        """A keeper is through with what an ended connection had handed over."""
        if incarnation == self._incarnation:
            self._connected.discard(slot)
            self._drained.set()

    def close(self) -> None:
        """Gives the memory back. Nothing may be running."""
        if self._channel is not None:
            self._channel.close()
        os.close(self._arena)
        os.close(self._crash_page)

    def _send(self, message: bytes) -> None:
        if self._channel is not None:
            self._channel.send(message)

    def _heard(self, message: bytes) -> None:
        try:
            said = loop_wire.read(message)
        except MediaError as error:
            _log.error("loop %d talks nonsense (%s), ending it", self.number, error)
            self._children.kill(self._pid)
            return
        if isinstance(said, loop_stats.Stats):
            self._answered_s = time.monotonic()
            for record in said.streams:
                if (session := self.sessions.get(record.stream)) is not None:
                    session.loop_stats(record)
            return
        if said is None or isinstance(said, loop_wire.Ready):
            return
        session = self.sessions.get(said.stream)
        if session is None:
            return  # the last words of a session that is over
        if isinstance(said, loop_wire.Event):
            session.loop_event(said)
        elif isinstance(said, loop_wire.Message):
            session.loop_message(said.message)
        else:
            session.loop_ended(said)

    def _lost(self) -> None:
        """Its socket ended; the exit follows."""
        self._channel = None
        self.is_up = False

    def _exited(self, status: int) -> None:
        self._pid = 0
        self.is_up = False
        if self._channel is not None:
            self._channel.close()
            self._channel = None
        if self._is_ending:
            return
        lived_s = time.monotonic() - self._started_s
        self._failures = 1 if lived_s > _GOOD_AFTER_S else self._failures + 1
        guilty = self._guilty()
        os.pwrite(self._crash_page, bytes(24), 0)
        what = f"loop {self.number} {end_of(status)}, starting another on the same connections"
        self._hears.loop_crashed(self, what, guilty)
        for session in tuple(self.sessions.values()):
            session.loop_lost(session is guilty)
        task = asyncio.get_running_loop().create_task(self._start_again())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _guilty(self) -> Session | None:
        page = os.pread(self._crash_page, 24, 0)
        is_busy = any(page[:8])
        return self.sessions.get(page[8:24]) if is_busy else None

    async def _start_again(self) -> None:
        """Successors of the dead loop's runs open only once its chunks are through."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_DRAIN_S):
                # A keeper may have seen the socket's end, and said so, before the exit was heard.
                while self._connected & {k.slot for k in self._hears.keepers_ready()}:
                    self._drained.clear()
                    await self._drained.wait()
        while True:
            await asyncio.sleep(_AGAIN.delay_s(self._failures, 0.0))
            self._incarnation += 1
            self._connected.clear()
            try:
                await self.start()
                break
            except Unavailable as error:
                _log.critical("%s", error)
                if self._children.is_lost:
                    return  # without the zygote the recorder ends anyway
                self._failures += 1  # no process to be had at this moment
        for session in tuple(self.sessions.values()):
            session.loop_returned()


def _sealed_memfd(name: str, size: int) -> int:
    """Shared memory that nobody can shrink under a reader, which would be a SIGBUS there."""
    fd = os.memfd_create(name, os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    os.ftruncate(fd, size)
    seals = fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SEAL
    fcntl.fcntl(fd, fcntl.F_ADD_SEALS, seals)
    return fd
