"""The life of one stream: try, connect, record, end, wait, for ever.

One asyncio task a stream. What its loop says comes through a queue, so that everything about a
stream happens in one order. docs/design/ingest.md draws the states.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import logging
import os
import random
import time
from dataclasses import dataclass
from typing import Protocol

from vonggac.ingest import gap, states
from vonggac.ingest.backoff import WRONG_PASSWORD, Backoff
from vonggac.ingest.states import Cause, State
from vonggac.media.chunk import GapReason, gap_word
from vonggac.registry.camera import Camera, Stream
from vonggac.registry.rules import Recording
from vonggac_appliance import loop_wire
from vonggac_appliance.camera_connection import CameraConnection, SessionFailed
from vonggac_appliance.keepers import Keeper
from vonggac_appliance.loop_wire import LoopEvent
from vonggac_appliance.loops import LoopHandle
from vonggac_appliance.messages import GapOpen, StreamEnd

_log = logging.getLogger("vonggac.record")

_TEARDOWN_S = 1.0
"""Always TEARDOWN: a Tapo TC70 frees no session otherwise. But a dead camera must not hold up its
own return."""
_ENDED_S = 2.0
_RULE_EVERY_S = 5.0
_NO_DISK_EVERY_S = 1.0
_ROOM_S = 10.0
"""How long a connection is kept while its disk catches up."""


@dataclass(frozen=True, slots=True)
class _Lost:
    """The loop died."""

    is_guilty: bool


@dataclass(frozen=True, slots=True)
class _Returned:
    """Another loop stands ready."""


@dataclass(frozen=True, slots=True)
class _Order:
    """From outside: leave the connection, for this reason."""

    reason: GapReason
    what: str


_Happening = loop_wire.Event | loop_wire.Ended | _Lost | _Returned | _Order


@dataclass(frozen=True, slots=True)
class _End:
    """Why a connection is left."""

    reason: GapReason
    what: str
    says_goodbye: bool = True
    """False where the camera has already closed."""
    is_failure: bool = True
    """False: tried again without a wait."""
    is_attached: bool = True
    """False: no loop has the connection any more."""


class Owner(Protocol):
    """What a stream needs of the recorder."""

    stall_ms: int
    backoff: Backoff

    @property
    def knows_all_runs(self) -> bool:
        """Whether every disk has said which runs it holds, or is known not to."""

    def may_record(self, camera: Camera) -> Recording: ...
    def is_quarantined(self, camera: Camera) -> bool: ...
    def place(self, session: StreamSession) -> Keeper | None: ...
    async def loop_of(self, camera: Camera) -> LoopHandle: ...
    async def turn_to_start(self) -> None: ...
    async def open_connection(self, camera: Camera, stream: Stream) -> CameraConnection: ...
    def next_run(self) -> int: ...
    def state_changed(self, session: StreamSession) -> None: ...
    def gap_opened(self, session: StreamSession) -> None: ...
    def gap_closed(self, session: StreamSession, start_ns: int, reason: GapReason) -> None: ...
    def alarm(self, kind: str, subject: str, what: str) -> None: ...


class StreamSession:
    """One stream of one camera."""

    def __init__(self, camera: Camera, stream: Stream, owner: Owner) -> None:
        self.camera = camera
        self.stream = stream
        self.state = State.STOPPED
        self.what = ""
        self.gap: gap.OpenGap | None = None
        self.run = 0
        self.codec: int | None = None
        self.stats: loop_wire.StreamStats | None = None
        self.durable_until_ns: int | None = None
        self.run_start_ns = 0
        """Wall end of the run's first durable chunk."""
        self.width = 0
        self.height = 0
        self.is_flooding = False
        self.keeper: Keeper | None = None
        self._owner = owner
        self._loop: LoopHandle | None = None
        self._connection: CameraConnection | None = None
        self._recorded_before_ns = 0
        self._recording_since_s = 0.0
        self._inbox: asyncio.Queue[_Happening] = asyncio.Queue()
        self._answers = asyncio.Event()
        self._wake = asyncio.Event()
        self._failures = 0
        self._last_run = 0
        self._last_end_ns: int | None = None
        self._is_inband = False
        self._task: asyncio.Task[None] | None = None
        self._is_ending = False

    @property
    def name(self) -> str:
        """For logs: camera and stream."""
        return f"{self.camera.code}/{self.stream.name}"

    @property
    def gap_reason(self) -> str | None:
        """In words, while nothing is recorded."""
        if self.gap is None or self.state is State.RECORDING:
            return None
        return self.gap.reason(time.time_ns()).words

    @property
    def recorded_ns(self) -> int:
        """Wall time made durable since the recorder started."""
        if not self.run_start_ns or self.durable_until_ns is None:
            return self._recorded_before_ns
        return self._recorded_before_ns + max(0, self.durable_until_ns - self.run_start_ns)

    def recording_s(self) -> float:
        """How long the present run has had pictures; 0 if there are none."""
        if self.state is not State.RECORDING:
            return 0.0
        return time.monotonic() - self._recording_since_s

    def show(self, header: bytes, fd: int) -> bool:
        """Gives a viewer's socket to the loop; takes the descriptor. False: nothing to show."""
        if self._loop is None or self.state is not State.RECORDING:
            os.close(fd)
            return False
        return self._loop.send_live(self.stream.id, header, fd)

    # --- what others say -------------------------------------------------------------------

    def known(self, end: StreamEnd) -> None:
        """A keeper tells how far this stream is recorded, from an earlier life or this one."""
        if end.run < self._last_run or self.state is State.RECORDING:
            return
        now_ns = time.time_ns()
        self._last_run, self._last_end_ns = end.run, end.wall_end_ns
        self.durable_until_ns = end.wall_end_ns
        self._is_inband = end.is_inband
        if self.gap is not None:
            return
        start_ns, reason = end.open_gap or (end.wall_end_ns, GapReason.BOX_STOPPED)
        self.gap = gap.open_gap(start_ns, end.run, GapReason(reason), now_ns)

    def durable(self, end: StreamEnd) -> None:
        """A sync covers this much of it."""
        self.durable_until_ns = end.wall_end_ns
        if end.run >= self._last_run:
            self._last_run, self._last_end_ns = end.run, end.wall_end_ns
        self._is_inband = end.is_inband
        if not self.run_start_ns:
            self.run_start_ns = end.wall_end_ns

    def start(self) -> None:
        """Begins its life."""
        self._move(Cause.RELEASED, "")
        self._task = asyncio.get_running_loop().create_task(self._live(), name=self.name)
        self._task.add_done_callback(_said_if_broken)

    def leave(self, reason: GapReason, what: str) -> None:
        """Leaves the connection, if there is one; rules and quarantine are looked at anew."""
        if self._connection is not None:
            self._inbox.put_nowait(_Order(reason, what))

    def disk_ready(self) -> None:
        """A disk came up: who waits for one need not wait any longer."""
        if self.gap is None or self.gap.current is GapReason.DISK:
            self._wake.set()

    def retry(self) -> None:
        """Tries at once: a person, or the catalog, has changed something."""
        self._failures = 0
        self._wake.set()

    async def end(self, reason: GapReason) -> None:
        """Ends it, TEARDOWN included, within about 3 s. `reason`: of the gap that begins here."""
        self._is_ending = True
        if self._task is None:
            return
        was_recording = self.state is State.RECORDING
        if self._connection is not None:
            self._inbox.put_nowait(_Order(reason, "the recorder ends"))
            self._wake.set()
            await asyncio.wait({self._task}, timeout=_TEARDOWN_S + _ENDED_S + 1.0)
        self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._task
        if was_recording and self._last_end_ns is not None:
            self.gap = gap.open_gap(self._last_end_ns, self._last_run, reason, time.time_ns())
            self._owner.gap_opened(self)
        self._move(Cause.REMOVED, "")

    def gap_message(self) -> GapOpen | None:
        """The open gap for a keeper's journal."""
        if self.gap is None:
            return None
        reason = self.gap.reason(time.time_ns())
        return GapOpen(self.camera.id, self.stream.id, self.gap.start_ns, int(reason))

    # --- what its loop says (loops.Session) -------------------------------------------------

    def loop_event(self, event: loop_wire.Event) -> None:
        """An event of the connection."""
        self._inbox.put_nowait(event)

    def loop_message(self, message: bytes) -> None:
        """An RTSP message of the camera, after PLAY."""
        self._answers.set()
        if self._connection is None or self._loop is None:
            return
        if answer := self._connection.heard(message):
            self._loop.send_rtsp(self.stream.id, answer)

    def loop_ended(self, ended: loop_wire.Ended) -> None:
        """The run is over."""
        self._inbox.put_nowait(ended)

    def loop_stats(self, stats: loop_wire.StreamStats) -> None:
        """Figures, once a second."""
        if stats.run != self.run:
            return
        self.stats = stats
        if stats.width:
            self.width, self.height = stats.width, stats.height

    def loop_lost(self, is_guilty: bool) -> None:
        """The loop died."""
        self._inbox.put_nowait(_Lost(is_guilty))

    def loop_returned(self) -> None:
        """Another loop stands ready."""
        self._inbox.put_nowait(_Returned())

    # --- its life ---------------------------------------------------------------------------

    async def _live(self) -> None:
        while not self._is_ending:
            self._wake.clear()
            wait_s = await self._try()
            if wait_s > 0 and not self._is_ending:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._wake.wait(), wait_s)

    async def _try(self) -> float:
        """One attempt; gives the seconds to wait before the next."""
        verdict = self._owner.may_record(self.camera)
        if not verdict.is_allowed:
            self._not_recording(Cause.FORBIDDEN, verdict.gap, verdict.sentence)
            return _RULE_EVERY_S
        if self._owner.is_quarantined(self.camera):
            what = "it crashed the recorder twice; `restart` on the control socket releases it"
            self._not_recording(Cause.CRASHES, GapReason.CRASHES, what)
            return 3600.0
        if self.state in (State.PAUSED, State.QUARANTINED):
            self._move(Cause.RELEASED, "")
        self.keeper = self._owner.place(self)
        if self.keeper is None and not self._owner.knows_all_runs:
            return _NO_DISK_EVERY_S  # a keeper that becomes ready wakes us earlier
        if self.keeper is None:
            self._not_recording(Cause.FAILED, GapReason.DISK, "no disk can be written")
            return _NO_DISK_EVERY_S
        await self._owner.turn_to_start()
        self._move(Cause.TRY, "")
        try:
            connection = await self._owner.open_connection(self.camera, self.stream)
        except SessionFailed as failure:
            return self._failed(failure.reason, failure.what)
        return await self._hold(connection)

    async def _hold(self, connection: CameraConnection) -> float:
        self._connection = connection
        try:
            self._loop = await self._owner.loop_of(self.camera)
            end = await self._record(connection)
            await self._goodbye(connection, end)
        finally:
            self._connection = None
            if self._loop is not None:
                self._loop.forget(self.stream.id)
            connection.close()
        if self._is_ending:
            return 0.0
        if end.is_failure and not self._owner.is_quarantined(self.camera):
            return self._failed(end.reason, end.what)
        self._not_recording(Cause.FAILED, end.reason, end.what)
        return 0.0

    def _failed(self, reason: GapReason, what: str) -> float:
        self._failures += 1
        rule = WRONG_PASSWORD if reason is GapReason.WRONG_PASSWORD else self._owner.backoff
        # Spread, not secrecy: no camera behind this switch shall come back in the same second.
        delay_s = rule.delay_s(self._failures, random.random())  # noqa: S311
        self._not_recording(Cause.FAILED, reason, f"{what}, trying again in {delay_s:.0f} s")
        return delay_s

    # --- recording --------------------------------------------------------------------------

    async def _record(self, connection: CameraConnection) -> _End:
        while not self._inbox.empty():
            self._inbox.get_nowait()  # of the connection before
        if not self._attach(connection, connection.early, flags=0):
            lost = await self._after_loss(connection, _Lost(is_guilty=False))
            if lost is not None:
                return lost
        keep_alive_at_s = time.monotonic() + connection.keep_alive_s
        while True:
            try:
                left_s = keep_alive_at_s - time.monotonic()
                happening = await asyncio.wait_for(self._inbox.get(), left_s)
            except TimeoutError:
                self._keep_alive(connection)
                keep_alive_at_s += connection.keep_alive_s
                continue
            end = await self._happened(connection, happening)
            if end is not None:
                return end

    def _keep_alive(self, connection: CameraConnection) -> None:
        message = connection.keep_alive()
        if message and self._loop is not None:
            self._loop.send_rtsp(self.stream.id, message)

    async def _happened(self, connection: CameraConnection, happening: _Happening) -> _End | None:
        if isinstance(happening, _Order):
            return _End(happening.reason, happening.what, is_failure=False)
        if isinstance(happening, _Lost):
            return await self._after_loss(connection, happening)
        if isinstance(happening, loop_wire.Ended):
            self._note(happening)
            return _End(GapReason.UNKNOWN, "its loop ended the run", says_goodbye=False)
        if isinstance(happening, loop_wire.Event):
            return await self._event(connection, happening)
        return None  # a loop that returned while nothing was lost

    async def _event(self, connection: CameraConnection, event: loop_wire.Event) -> _End | None:
        kind = event.event
        if kind is LoopEvent.FIRST_VIDEO:
            self._first_video()
        elif kind is LoopEvent.STALLED:
            seconds = self._owner.stall_ms / 1000
            return _End(GapReason.NO_VIDEO, f"no picture for {seconds:g} s")
        elif kind is LoopEvent.CLOSED:
            return _End(_closed_reason(event.errno), _closed_what(event.errno), says_goodbye=False)
        elif kind is LoopEvent.BYE:
            return _End(GapReason.CAMERA_OFF, "the camera said BYE")
        elif kind is LoopEvent.BAD_STREAM:
            what = f"its bytes are no RTP any more ({event.detail})"
            return _End(GapReason.BAD_STREAM, what, says_goodbye=False)
        elif kind is LoopEvent.NO_ROOM:
            return await self._wait_for_room(connection)
        elif kind is LoopEvent.FLOOD:
            self.is_flooding = True
            what = f"it sends more than its limit, pictures are dropped ({event.detail})"
            self._owner.alarm("flood", self.name, what)
        elif kind is LoopEvent.LATE_KEYFRAME:
            _log.warning("%s: no key frame for 30 s, recording goes on from the next", self.name)
        elif kind is LoopEvent.ENTRY_CHANGED:
            _log.info("%s: another picture size or codec setting: %s", self.name, event.detail)
        return None

    def _attach(self, connection: CameraConnection, early: bytes, flags: int) -> bool:
        """Opens a run on a connection, its first or a later one."""
        assert self._loop is not None
        assert self.keeper is not None
        now_ns = time.time_ns()
        play = connection.play
        self.run = self._owner.next_run()
        self.stats = None
        self.is_flooding = False
        self._recorded_before_ns = self.recorded_ns
        self.run_start_ns = 0
        self.codec = int(play.codec)
        predecessor, reason, start_ns = 0, GapReason.UNKNOWN, 0
        if self.gap is not None:
            predecessor = self.gap.predecessor
            reason, start_ns = self.gap.reason(now_ns), self.gap.start_ns
        attach = loop_wire.Attach(
            camera=self.camera.id,
            stream=self.stream.id,
            keeper=self.keeper.slot,
            codec=self.codec,
            payload_type=play.payload_type,
            rtp_channel=play.rtp_channel,
            rtcp_channel=play.rtcp_channel,
            clock_rate=play.clock_rate,
            stall_ms=self._owner.stall_ms,
            flags=flags | (loop_wire.FLAG_INBAND if self._is_inband else 0),
            run=self.run,
            predecessor=predecessor,
            reason=int(reason),
            gap_start_ns=start_ns,
            vps=play.vps,
            sps=play.sps,
            pps=play.pps,
            early=early,
        )
        return self._loop.attach(self, attach, connection.fileno())

    def _first_video(self) -> None:
        now_ns = time.time_ns()
        self._failures = 0
        self._recording_since_s = time.monotonic()
        self._move(Cause.FIRST_VIDEO, "")
        if self.gap is not None:
            self._owner.gap_closed(self, self.gap.start_ns, self.gap.reason(now_ns))

    async def _after_loss(self, connection: CameraConnection, lost: _Lost) -> _End | None:
        """The loop died: a new run on the same connection, unless this stream did it."""
        if lost.is_guilty:
            what = "its input crashed the recorder's loop"
            return _End(GapReason.CRASHES, what, is_attached=False)
        while True:
            happening = await self._inbox.get()
            if isinstance(happening, _Order):
                reason, what = happening.reason, happening.what
                return _End(reason, what, is_failure=False, is_attached=False)
            if isinstance(happening, _Returned):
                # Now, not before: keepers have said how far the dead loop's chunks reach.
                # A neighbour's fault: of this stream at most the second being parsed is missing.
                self._run_is_over(GapReason.BOX_STOPPED)
                if self._attach(connection, b"", loop_wire.FLAG_REFERENCES_LOST):
                    return None

    async def _wait_for_room(self, connection: CameraConnection) -> _End | None:
        """The arena is full: the run ends, and another follows once the disk has caught up."""
        assert self._loop is not None
        assert self.keeper is not None
        self._owner.alarm("arena-full", self.name, "its disk does not keep up, pictures are lost")
        self._loop.detach(self.stream.id, GapReason.DISK)
        await self._wait_ended()
        self._run_is_over(GapReason.DISK)
        what = f"disk {self.keeper.path} does not keep up"
        self._move(Cause.FAILED, what)
        give_up_s = time.monotonic() + _ROOM_S
        full_s = time.monotonic()
        while self.keeper.last_durable_s < full_s:
            if time.monotonic() > give_up_s or self._is_ending:
                return _End(GapReason.DISK, what, is_attached=False)
            await asyncio.sleep(0.2)
        self._move(Cause.TRY, "")
        if not self._attach(connection, b"", loop_wire.FLAG_REFERENCES_LOST):
            return await self._after_loss(connection, _Lost(is_guilty=False))
        return None

    def _run_is_over(self, reason: GapReason) -> None:
        """A run ended on a connection that goes on. One that kept nothing leaves its gap open."""
        now_ns = time.time_ns()
        if self.run != 0 and self._last_run == self.run and self._last_end_ns is not None:
            self.gap = gap.open_gap(self._last_end_ns, self.run, reason, now_ns)
            self._owner.gap_opened(self)

    # --- ending -----------------------------------------------------------------------------

    async def _goodbye(self, connection: CameraConnection, end: _End) -> None:
        """TEARDOWN while the loop still writes, then the end of the run."""
        assert self._loop is not None
        if not end.is_attached or not self._loop.is_up:
            connection.teardown_directly()
            return
        if end.says_goodbye:
            self._answers.clear()
            if message := connection.teardown():
                self._loop.send_rtsp(self.stream.id, message)
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._answers.wait(), _TEARDOWN_S)
        self._loop.detach(self.stream.id, int(end.reason))
        await self._wait_ended()

    async def _wait_ended(self) -> None:
        """Bounded: a loop that does not answer is found and ended by its own watchdog."""
        deadline_s = time.monotonic() + _ENDED_S
        assert self._loop is not None
        while self._loop.is_up:
            try:
                left_s = deadline_s - time.monotonic()
                happening = await asyncio.wait_for(self._inbox.get(), left_s)
            except TimeoutError:
                return
            if isinstance(happening, loop_wire.Ended):
                self._note(happening)
                return
            if isinstance(happening, _Lost):
                return

    def _note(self, ended: loop_wire.Ended) -> None:
        if ended.next_sequence > 0 and ended.run >= self._last_run:
            self._last_run, self._last_end_ns = ended.run, ended.last_wall_end_ns

    def _not_recording(self, cause: Cause, reason: GapReason, what: str) -> None:
        """Opens the gap, or adds this reason to the open one, and moves on."""
        now_ns = time.time_ns()
        kept_some = self.run != 0 and self._last_run == self.run and self.state is State.RECORDING
        self._recorded_before_ns = self.recorded_ns
        self.run_start_ns = 0
        before = None if self.gap is None else self.gap.reason(now_ns)
        if self.gap is None or kept_some:
            start_ns = self._last_end_ns or now_ns
            self.gap = gap.open_gap(start_ns, self._last_run, reason, now_ns)
            before = None
        else:
            self.gap = self.gap.said(reason, now_ns)
        changed = self.state is not states.after(self.state, cause) or what != self.what
        self.run = 0
        self.stats = None
        self._move(cause, what)
        if before != self.gap.reason(now_ns):
            self._owner.gap_opened(self)
        if changed:
            _log.warning("%s: not recording (%s): %s", self.name, gap_word(reason), what)

    def _move(self, cause: Cause, what: str) -> None:
        before = self.state
        self.state = states.after(self.state, cause)
        self.what = what
        if before is not self.state or what:
            self._owner.state_changed(self)


def _closed_reason(number: int) -> GapReason:
    """FIN and RST come from the camera (a reboot); silence from what lies between."""
    if number in (errno.ETIMEDOUT, errno.ENETUNREACH, errno.ENETDOWN, errno.EHOSTUNREACH):
        return GapReason.NETWORK
    return GapReason.CAMERA_OFF


def _closed_what(number: int) -> str:
    word = errno.errorcode.get(number, str(number)) if number else "its end"
    return f"the connection was lost ({word})"


def _said_if_broken(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        _log.critical("the life of %s broke", task.get_name(), exc_info=error)
