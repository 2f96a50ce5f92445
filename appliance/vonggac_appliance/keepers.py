"""A keeper as the parent sees it: started again when it dies, told of loops and gaps."""

from __future__ import annotations

import asyncio
import logging
import os
import time
from collections.abc import Iterable
from typing import Protocol

import msgspec

from vonggac.errors import MediaError, Unavailable
from vonggac.ingest.backoff import Backoff
from vonggac_appliance import channel, loop_wire
from vonggac_appliance.channel import Channel
from vonggac_appliance.children import Children, end_of
from vonggac_appliance.messages import (
    DiskState,
    Durable,
    Expect,
    GapOpen,
    KeeperAlarm,
    KeeperReady,
    Kind,
    Loop,
    Sealed,
)
from vonggac_appliance.parts import Joiner, split

_log = logging.getLogger("vonggac.record")

_AGAIN = Backoff(first_s=0.2, most_s=10.0, jitter=0.0)
_LOOK_AGAIN = Backoff(first_s=2.0, most_s=60.0, jitter=0.0)
"""For a disk that is not there, or is not ours: it may be mounted, or changed, while we run."""
_GOOD_AFTER_S = 60.0
"""A keeper that lived this long starts its back-off anew."""


class Hears(Protocol):
    """Who is told what keepers say."""

    def keeper_ready(self, keeper: Keeper, ready: KeeperReady) -> None: ...
    def keeper_durable(self, keeper: Keeper, durable: Durable) -> None: ...
    def keeper_sealed(self, keeper: Keeper, sealed: Sealed) -> None: ...
    def keeper_drained(self, keeper: Keeper, drained: Loop) -> None: ...
    def keeper_state(self, keeper: Keeper) -> None: ...
    def alarm(self, kind: str, subject: str, what: str) -> None: ...
    def open_gaps_of(self, keeper: Keeper) -> Iterable[GapOpen]: ...


class Keeper:
    """One disk. `state`: starting, recording, slow, full, failed, down."""

    def __init__(
        self, slot: int, path: str, home: str, box_id: bytes, children: Children, hears: Hears
    ) -> None:
        self.slot = slot
        self.path = path
        self.state = "starting"
        self.what = ""
        self.ready: KeeperReady | None = None
        self.last_durable: Durable | None = None
        self.last_durable_s = 0.0
        """Monotonic; 0: nothing was made durable in this life."""
        self._expected = -1
        self._home = home
        self._box_id = box_id
        self._children = children
        self._hears = hears
        self._channel: Channel | None = None
        self._joiner = Joiner()
        self._pid = 0
        self._failures = 0
        self._looks = 0
        """How often a disk was refused as it is; 0: it was not. What failed while written stays."""
        self._started_s = 0.0
        self._ready_s = 0.0
        self._is_silent = False
        self._is_ending = False
        self._again: asyncio.Task[None] | None = None

    @property
    def pid(self) -> int:
        """Of the process; 0 if there is none."""
        return self._pid

    @property
    def uuid(self) -> str:
        """The disk's, in hex; empty until its keeper is ready."""
        return "" if self.ready is None else self.ready.disk.hex()

    @property
    def is_ready(self) -> bool:
        """Whether it takes loops."""
        return self._channel is not None and self.ready is not None and self.state != "failed"

    @property
    def is_alive(self) -> bool:
        """Whether a process stands behind it."""
        return self._pid != 0

    async def start(self) -> None:
        """Forks it. KEEPER_READY comes when the disk is recovered."""
        ours, theirs = channel.pair()
        self._joiner = Joiner()
        self._channel = Channel(ours, self._heard, self._lost)
        self.ready = None
        self._started_s = time.monotonic()
        self._pid = await self._children.start_keeper(
            self.path, self._home, self._box_id, os.dup(theirs.fileno()), self._exited
        )
        theirs.close()
        if self.state != "failed":
            self._become("starting", "the disk is being recovered")

    def connect(self, loop: Channel, number: int, incarnation: int) -> None:
        """Joins a loop and this keeper by a new pair of sockets."""
        assert self._channel is not None
        to_loop, to_keeper = channel.pair()
        self._send(Kind.LOOP, Loop(number, incarnation), (os.dup(to_keeper.fileno()),))
        loop.send(loop_wire.keeper(self.slot, incarnation), (os.dup(to_loop.fileno()),))
        to_loop.close()
        to_keeper.close()

    def expect(self, streams: int) -> None:
        """Says how many streams will be written, so that spare segments stand ready."""
        if streams != self._expected:
            self._expected = streams
            self._send(Kind.EXPECT, Expect(streams))

    def gap_open(self, gap: GapOpen) -> None:
        """Has a gap journalled. While the keeper is down it is kept by who knows the gaps."""
        self._send(Kind.GAP_OPEN, gap)

    def end(self) -> None:
        """Asks it to finish a sync and exit."""
        self._is_ending = True
        if self._again is not None:
            self._again.cancel()
        self._send(Kind.QUIT, None)

    def turn(self, now_s: float, is_written: bool, most_s: float) -> None:
        """Once a second: a keeper whose disk hangs cannot say so itself."""
        silent_s = now_s - max(self.last_durable_s, self._ready_s)
        if self.state == "recording" and self.is_ready and is_written and silent_s > most_s:
            self._is_silent = True
            self._become("slow", f"nothing was made durable for {most_s:g} s")

    def kill(self) -> None:
        """Ends it at once."""
        self._children.kill(self._pid)

    def _send(self, kind: Kind, body: msgspec.Struct | None, fds: tuple[int, ...] = ()) -> None:
        if self._channel is None:
            for fd in fds:
                os.close(fd)
            return
        raw = b"" if body is None else msgspec.msgpack.encode(body)
        for message in split(kind, raw):
            self._channel.send(message, fds)
            fds = ()

    def _heard(self, message: bytes) -> None:
        try:
            whole = self._joiner.join(message)
            if whole is not None:
                self._act(*whole)
        except (MediaError, msgspec.MsgspecError) as error:
            _log.error("the keeper of %s talks nonsense (%s), ending it", self.path, error)
            self.kill()

    def _act(self, kind: int, body: bytes) -> None:
        if kind == Kind.DURABLE:
            self.last_durable = msgspec.msgpack.decode(body, type=Durable)
            self.last_durable_s = time.monotonic()
            if self._is_silent:
                self._is_silent = False
                self._become("recording", "")
            self._hears.keeper_durable(self, self.last_durable)
        elif kind == Kind.SEALED:
            self._hears.keeper_sealed(self, msgspec.msgpack.decode(body, type=Sealed))
        elif kind == Kind.DISK_STATE:
            state = msgspec.msgpack.decode(body, type=DiskState)
            self._looks = 0
            self._become(state.state, state.what)
        elif kind == Kind.KEEPER_ALARM:
            alarm = msgspec.msgpack.decode(body, type=KeeperAlarm)
            self._hears.alarm(alarm.kind, alarm.subject, alarm.what)
        elif kind == Kind.DRAINED:
            self._hears.keeper_drained(self, msgspec.msgpack.decode(body, type=Loop))
        elif kind == Kind.KEEPER_READY:
            self.ready = msgspec.msgpack.decode(body, type=KeeperReady)
            self.last_durable_s = 0.0
            self._ready_s = time.monotonic()
            self._expected = -1
            self._is_silent = False
            self._looks = 0
            _log.info("disk %s is recovered and writable", self.path)
            self._become("recording", "")
            for gap in self._hears.open_gaps_of(self):
                self.gap_open(gap)
            self._hears.keeper_ready(self, self.ready)

    def _become(self, state: str, what: str) -> None:
        if (state, what) == (self.state, self.what):
            return
        self.state, self.what = state, what
        self._hears.keeper_state(self)

    def _lost(self) -> None:
        """Its socket ended; the exit follows."""
        self._channel = None

    def _exited(self, status: int) -> None:
        self._pid = 0
        self.ready = None
        if self._channel is not None:
            self._channel.close()
            self._channel = None
        if self._is_ending:
            self._become("down", "the recorder ends")
            return
        if self.state == "failed" and not self._looks:
            # A sync that failed is never retried: a person looks first.
            _log.error("the keeper of %s %s; its disk stays failed", self.path, end_of(status))
            return
        if status == 78:
            # Another box's disk, a newer format, no disk at all: only a person can fix it.
            self._looks += 1
            self._become("failed", "the disk cannot be used; its keeper said why")
            delay_s = _LOOK_AGAIN.delay_s(self._looks, 0.0)
            _log.error("disk %s cannot be used; looking again in %g s", self.path, delay_s)
            self._again = asyncio.get_running_loop().create_task(self._start_after(delay_s))
            return
        lived_s = time.monotonic() - self._started_s
        self._failures = 1 if lived_s > _GOOD_AFTER_S else self._failures + 1
        delay_s = _AGAIN.delay_s(self._failures, 0.0)
        what = f"the keeper of {self.path} {end_of(status)}, starting another in {delay_s:g} s"
        self._become("down", what)
        self._again = asyncio.get_running_loop().create_task(self._start_after(delay_s))

    async def _start_after(self, delay_s: float) -> None:
        await asyncio.sleep(delay_s)
        try:
            await self.start()
        except Unavailable as error:
            _log.critical("%s", error)  # without the zygote the recorder ends anyway
