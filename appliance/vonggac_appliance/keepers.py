"""A keeper as the parent sees it: started again when it dies, told of loops and gaps."""

from __future__ import annotations

import logging
import time
from pathlib import Path

import msgspec

from vonggac.errors import Unavailable
from vonggac_appliance.channel import Channel
from vonggac_appliance.children import Children, end_of
from vonggac_appliance.keeper_hears import Hears, pass_on
from vonggac_appliance.keeper_process import KeeperProcess
from vonggac_appliance.keeper_restarts import Restarts
from vonggac_appliance.keeper_watch import HangWatch
from vonggac_appliance.messages import Kind
from vonggac_appliance.messages_keeper import (
    DiskState,
    Durable,
    Expect,
    GapOpen,
    KeeperAlarm,
    KeeperReady,
    Writing,
)
from vonggac_appliance.suspect import suspect_marker

_log = logging.getLogger("vonggac.record")

EXIT_CONFIG = 78
_SLOW_MS = 1000.0
"""A tick that takes longer than a second: ticks become longer, and with them what may be lost."""


class Keeper:
    """One disk. `state`: starting, recording, slow, full, hung, failed, down, retired."""

    def __init__(
        self,
        slot: int,
        disk: bytes,
        path: str,
        home: str,
        box_id: bytes,
        children: Children,
        hears: Hears,
    ) -> None:
        self.slot = slot
        self.disk = disk
        """Its id in the catalog."""
        self.path = path
        self.is_draining = False
        """No stream is to be on it any more."""
        self.state = "starting"
        self.what = ""
        self.ready: KeeperReady | None = None
        self.last_durable: Durable | None = None
        self.last_durable_s = 0.0
        """Monotonic; 0: nothing was made durable in this life."""
        self.lost_s: float | None = None
        """Monotonic: since when nothing can be given to it; None: it can, or never could yet."""
        self.slow_ticks = 0
        """How many ticks in a row took more than a second."""
        self._expected = -1
        self._home = home
        self._box_id = box_id
        self._hears = hears
        self._ready_s = 0.0
        self._is_silent = False
        self._is_ending = False
        self._is_renewed = False
        """It is being ended so that another takes its place at once."""
        self._restarts = Restarts(self._try)
        self.watch = HangWatch(self._hangs)
        self._children = children
        self._process = KeeperProcess(children, self.watch, self._act, self._exited)

    @property
    def pid(self) -> int:
        """Of the process; 0 if there is none."""
        return self._process.pid

    @property
    def uuid(self) -> str:
        """The disk's, in hex; empty until its keeper is ready."""
        return "" if self.ready is None else self.ready.disk.hex()

    @property
    def is_ready(self) -> bool:
        """Whether it takes loops."""
        is_well = self.state not in ("failed", "hung", "retired")
        return self._process.is_joined and self.ready is not None and is_well

    @property
    def is_refuge(self) -> bool:
        """Whether it takes the streams of a disk that hangs: it did not hang itself lately."""
        return not self.watch.is_doubtful

    @property
    def is_doubtful(self) -> bool:
        """Whether another disk, if there is one, is the better place for a stream."""
        is_suspect = self.ready is not None and self.ready.suspect
        return self.watch.is_doubtful or is_suspect or self.state in ("slow", "full")

    @property
    def is_alive(self) -> bool:
        """Whether a process stands behind it."""
        return self._process.pid != 0

    async def start(self) -> None:
        """Forks it. KEEPER_READY comes when the disk is recovered."""
        self.ready = None
        self._restarts.begins()
        if not await self._process.start(self.path, self._home, self._box_id):
            return
        self._restarts.done()
        if self.state != "failed":
            self._become("starting", "the disk is being recovered")

    def connect(self, loop: Channel, number: int, incarnation: int) -> None:
        """Joins a loop and this keeper by a new pair of sockets."""
        assert self._process.is_joined
        self._process.connect(self.slot, loop, number, incarnation)

    def expect(self, streams: int) -> None:
        """Says how many streams will be written, so that spare segments stand ready."""
        if streams != self._expected:
            self._expected = streams
            self._process.send(Kind.EXPECT, Expect(streams))

    def tell(self, kind: Kind, body: msgspec.Struct) -> None:
        """What is another part's business with this disk; nothing while it is down."""
        self._process.send(kind, body)

    def hand(self, kind: Kind, body: msgspec.Struct, fd: int) -> None:
        """The same with a descriptor, which it takes."""
        self._process.send(kind, body, (fd,))

    def gap_open(self, gap: GapOpen) -> None:
        """Has a gap journalled. While the keeper is down it is kept by who knows the gaps."""
        self._process.send(Kind.GAP_OPEN, gap)

    def retire(self) -> None:
        """The disk was taken out: it finishes a sync and exits, and no other is started."""
        self.end()
        self._become("retired", "it was taken out of this box")

    def go_to(self, path: str) -> None:
        """The disk is mounted somewhere else now: another keeper is started there."""
        _log.info("disk %s is at %s now", self.path, path)
        self.path = path
        self._restarts.forget()
        if self._process.pid:
            self._process.send(Kind.QUIT, None)  # its exit starts the next one
        else:
            self.start_now()

    def give_up(self, why: str) -> None:
        """Its streams went elsewhere. It is ended as soon as the disk lets it: what it would still
        write may be other bytes by then, and its successor looks at every chunk anew.
        """
        self.watch.hung()
        self._lose()
        self._become("hung", why)
        self.kill()

    def begin_anew(self, why: str) -> None:
        """Some of its chunks went elsewhere. Their blocks will hold others soon, and it may have
        them in hand: it ends, and its successor looks at what it wrote and is given the rest.
        """
        _log.info("the keeper of %s begins anew: %s", self.path, why)
        self.watch.stop()
        self._lose()
        self.ready = None
        self._is_renewed = True
        self._become("starting", why)
        self.kill()

    def end(self) -> None:
        """Asks it to finish a sync and exit."""
        self._is_ending = True
        self.watch.stop()
        self._restarts.cancel()
        self._process.send(Kind.QUIT, None)

    def turn(self, now_s: float, is_written: bool, most_s: float) -> None:
        """Once a second: a keeper whose disk hangs cannot say so itself."""
        silent_s = now_s - max(self.last_durable_s, self._ready_s)
        if self.state == "recording" and self.is_ready and is_written and silent_s > most_s:
            self._is_silent = True
            self._become("slow", f"nothing was made durable for {most_s:g} s")
        if self.watch.hung_at(now_s) or (is_written and self.watch.is_mute(now_s)):
            self._hangs()
        if self.state == "failed" and not self._process.pid and not self._restarts.is_planned:
            self._look_at_failed()

    def _look_at_failed(self) -> None:
        """A person has cleared the disk, or nothing else can be recorded on."""
        if not suspect_marker(Path(self._home), Path(self.path)).exists():
            _log.info("disk %s was cleared by a person, it is tried again", self.path)
            self.start_now()
        elif self._hears.is_needed(self):
            self._start_later("no other disk can be written, trying this one again")

    def start_now(self) -> None:
        """Starts it, and again later where that fails."""
        self._restarts.now()

    def _start_later(self, why: str) -> None:
        delay_s = self._restarts.after_refusal(was_ready=self._ready_s > 0)
        _log.error("disk %s: %s; looking again in %g s", self.path, why, delay_s)

    def kill(self) -> None:
        """Ends it at once."""
        self._process.kill()

    def _act(self, kind: int, body: bytes) -> None:
        if self.state == "hung" or self._is_renewed:
            return  # its last words: it was given up, and its successor looks for itself
        if kind == Kind.DURABLE:
            self.last_durable = msgspec.msgpack.decode(body, type=Durable)
            self.last_durable_s = time.monotonic()
            self.slow_ticks = self.slow_ticks + 1 if self.last_durable.tick_ms > _SLOW_MS else 0
            if self._is_silent:
                self._is_silent = False
                self._become("recording", "")
            self._hears.keeper_durable(self, self.last_durable)
        elif kind == Kind.WRITING:
            self.watch.writes(msgspec.msgpack.decode(body, type=Writing).busy)
        elif kind == Kind.DISK_STATE:
            state = msgspec.msgpack.decode(body, type=DiskState)
            if state.state == "failed":
                self._lose()
            self._become(state.state, state.what)
        elif kind == Kind.KEEPER_ALARM:
            alarm = msgspec.msgpack.decode(body, type=KeeperAlarm)
            self._hears.alarm(alarm.kind, alarm.subject, alarm.what)
        elif kind == Kind.KEEPER_READY:
            self._is_up(msgspec.msgpack.decode(body, type=KeeperReady))
        else:
            pass_on(self._hears, self, kind, body)

    def _is_up(self, ready: KeeperReady) -> None:
        self.ready = ready
        self.last_durable_s = 0.0
        self._ready_s = time.monotonic()
        self._expected = -1
        self._is_silent = False
        self.lost_s = None
        self.slow_ticks = 0
        _log.info("disk %s is recovered and writable", self.path)
        self._become("recording", "")
        for gap in self._hears.open_gaps_of(self):
            self.gap_open(gap)
        self._hears.keeper_ready(self, ready)

    def _hangs(self) -> None:
        if self.is_ready:
            self._hears.keeper_hangs(self)

    def _lose(self) -> None:
        if self.lost_s is None and self.ready is not None:
            self.lost_s = time.monotonic()

    def _become(self, state: str, what: str) -> None:
        if (state, what) == (self.state, self.what):
            return
        self.state, self.what = state, what
        self._hears.keeper_state(self)

    def _exited(self, status: int) -> None:
        self._lose()
        self.ready = None
        is_renewed, self._is_renewed = self._is_renewed, False
        if self._is_ending:
            if self.state != "retired":
                self._become("down", "the recorder ends")
            return
        if self.state == "failed" and status != EXIT_CONFIG:
            # A sync that failed is never retried: `turn` looks whether a person has cleared it.
            _log.error("the keeper of %s %s; its disk stays failed", self.path, end_of(status))
            if not suspect_marker(Path(self._home), Path(self.path)).exists():
                self._start_later("it could not be opened")
            return
        if status == EXIT_CONFIG:
            # Another box's disk, a newer format, no disk at all: only a person can fix it.
            self._become("failed", "the disk cannot be used; its keeper said why")
            self._start_later("it cannot be used")
            return
        if is_renewed:
            self.start_now()
            return
        delay_s = self._restarts.after_end()
        what = f"the keeper of {self.path} {end_of(status)}, starting another in {delay_s:g} s"
        self._become("down", what)

    async def _try(self) -> None:
        try:
            await self.start()
        except Unavailable as error:
            _log.critical("%s", error)
            if not self._children.is_lost and not self._is_ending:
                # No process to be had at this moment; without the zygote the recorder ends anyway.
                self._start_later(str(error))
