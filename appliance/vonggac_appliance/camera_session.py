"""The life of one stream: try, connect, record, end, wait, for ever.

One asyncio task a stream. docs/design/ingest.md draws the states.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import random
import time
from typing import Protocol

from vonggac.errors import Unavailable
from vonggac.ingest import states
from vonggac.ingest.backoff import BUSY, WRONG_PASSWORD, Backoff, Failures, of_away
from vonggac.ingest.progress import Progress
from vonggac.ingest.states import Cause, State
from vonggac.media.chunk import GapReason
from vonggac.registry.camera import Camera, Stream
from vonggac.registry.rules import Recording as Verdict
from vonggac_appliance import loop_wire
from vonggac_appliance.camera_happenings import Lost, Order, Returned
from vonggac_appliance.camera_knock import rest
from vonggac_appliance.camera_memory import SessionFailed
from vonggac_appliance.camera_playing import Playing
from vonggac_appliance.camera_recording import ENDED_S, TEARDOWN_S, Recording
from vonggac_appliance.keepers import Keeper
from vonggac_appliance.loops import LoopHandle
from vonggac_appliance.messages_keeper import GapOpen, StreamEnd

_log = logging.getLogger("vonggac.record")

_RULE_EVERY_S = 5.0
_NO_DISK_EVERY_S = 1.0
_BROKEN_S = 30.0
_BY_CAMERA = frozenset((GapReason.CAMERA_OFF, GapReason.NETWORK, GapReason.NO_VIDEO))
"""How a connection ends whose keep-alives did not count."""


class Owner(Protocol):
    """What a stream needs of the recorder."""

    stall_ms: int
    backoff: Backoff

    @property
    def knows_all_runs(self) -> bool:
        """Whether every disk has said which runs it holds, or is known not to."""

    def may_record(self, camera: Camera) -> Verdict: ...
    def is_quarantined(self, camera: Camera) -> bool: ...
    def place(self, session: StreamSession) -> Keeper | None: ...
    async def loop_of(self, camera: Camera) -> LoopHandle: ...
    async def turn_to_start(self) -> None: ...
    def awaits_call(self, camera: Camera, stream: Stream) -> tuple[GapReason, str] | None: ...
    async def open_connection(self, camera: Camera, stream: Stream) -> Playing: ...
    async def is_there(self, stream: Stream) -> bool: ...
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
        self.stall_ms = owner.stall_ms
        self.progress = Progress()
        self.state = State.STOPPED
        self.what = ""
        self.codec: int | None = None
        self.stats: loop_wire.StreamStats | None = None
        self.stats_ns = 0
        self.width = 0
        self.height = 0
        self.is_flooding = False
        self.keeper: Keeper | None = None
        self._owner = owner
        self._recording: Recording | None = None
        self._recording_since_s = 0.0
        self._wake = asyncio.Event()
        self._failures = Failures()
        self._task: asyncio.Task[None] | None = None
        self._is_ending = False
        self._is_away = False
        """Whether the last try found nobody to connect to."""

    @property
    def name(self) -> str:
        """For logs: camera and stream."""
        return f"{self.camera.code}/{self.stream.name}"

    @property
    def gap_reason(self) -> str | None:
        """In words, while nothing is recorded."""
        if self.progress.gap is None or self.state is State.RECORDING:
            return None
        return self.progress.gap.reason(time.time_ns()).words

    @property
    def is_recording(self) -> bool:
        """Whether pictures are recorded at this moment."""
        return self.state is State.RECORDING

    def recording_s(self) -> float:
        """How long the present run has had pictures; 0 if there are none."""
        if self.state is not State.RECORDING:
            return 0.0
        return time.monotonic() - self._recording_since_s

    def gap_message(self) -> GapOpen | None:
        """The open gap for a keeper's journal."""
        if self.progress.gap is None:
            return None
        reason = self.progress.gap.reason(time.time_ns())
        start_ns = self.progress.gap.start_ns
        return GapOpen(self.camera.id, self.stream.id, start_ns, int(reason))

    # --- what others say -------------------------------------------------------------------

    def known(self, end: StreamEnd) -> None:
        """A disk tells how far this stream is recorded, from an earlier life or this one."""
        now_ns = time.time_ns()
        self.progress.known(end.run, end.wall_end_ns, end.open_gap, end.is_inband, now_ns)

    def durable(self, end: StreamEnd) -> None:
        """A sync covers this much of it."""
        self.progress.durable(end.run, end.wall_end_ns, end.is_inband)

    def start(self) -> None:
        """Begins its life."""
        self.move(Cause.RELEASED, "")
        self._begin()

    def leave(self, reason: GapReason, what: str) -> None:
        """Leaves the connection, if there is one; rules and quarantine are looked at anew."""
        if self._recording is not None:
            self._recording.put(Order(reason, what))

    def disk_ready(self) -> None:
        """A disk came up: who waits for one need not wait any longer."""
        if self.progress.gap is None or self.progress.gap.current is GapReason.DISK:
            self._wake.set()

    def moved(self, keeper: Keeper) -> None:
        """Another disk keeps it from here on, in the same run."""
        self.keeper = keeper
        if self._recording is not None:
            self._recording.moved(keeper)

    def retry(self) -> None:
        """Tries at once: a person, or the catalog, has changed something."""
        self._failures.clear()
        self._wake.set()

    def show(self, until_ms: int, header: bytes, fd: int) -> bool:
        """Gives a viewer's socket to the loop; takes the descriptor. False: nothing to show."""
        if self._recording is None or self.state is not State.RECORDING:
            os.close(fd)
            return False
        return self._recording.show(until_ms, header, fd)

    async def end(self, reason: GapReason) -> None:
        """Ends it, TEARDOWN included, within about 3 s. `reason`: of the gap that begins here."""
        self._is_ending = True
        if self._task is None:
            return
        was_recording = self.state is State.RECORDING
        if self._recording is not None:
            self.leave(reason, "the recorder ends")
            await asyncio.wait({self._task}, timeout=TEARDOWN_S + ENDED_S + 1.0)
        self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._task
        if was_recording:
            self.stopped(reason)
        self.move(Cause.REMOVED, "")

    # --- what its loop says (loops.Session) -------------------------------------------------

    def loop_event(self, event: loop_wire.Event) -> None:
        """An event of the connection."""
        if self._recording is not None:
            if (habit := loop_wire.habit_of(event.event)) is not None:
                self._recording.note(habit)
            self._recording.put(event)

    def loop_message(self, message: bytes) -> None:
        """An RTSP message of the camera, after PLAY."""
        if self._recording is not None:
            self._recording.heard(message)

    def loop_ended(self, ended: loop_wire.Ended) -> None:
        """The run is over."""
        if self._recording is not None:
            self._recording.put(ended)

    def loop_stats(self, stats: loop_wire.StreamStats) -> None:
        """Figures, once a second."""
        if stats.run != self.progress.run:
            return
        if self._recording is not None:
            for habit, count in loop_wire.habits_between(self.stats, stats):
                self._recording.note(habit, count)
        self.stats, self.stats_ns = stats, time.time_ns()
        if stats.width:
            self.width, self.height = stats.width, stats.height

    def loop_lost(self, is_guilty: bool) -> None:
        """The loop died."""
        if self._recording is not None:
            self._recording.put(Lost(is_guilty))

    def loop_returned(self) -> None:
        """Another loop stands ready."""
        if self._recording is not None:
            self._recording.put(Returned())

    # --- what its connection says (camera_happenings.Recorded) -------------------------------

    def next_run(self) -> int:
        """A run number that was never given before."""
        return self._owner.next_run()

    def run_begins(self, codec: int) -> None:
        """Figures are of the present run."""
        self.stats = None
        self.is_flooding = False
        self.codec = codec

    def first_video(self) -> None:
        """The first complete access unit of a run."""
        self._failures.clear()
        self._recording_since_s = time.monotonic()
        self.move(Cause.FIRST_VIDEO, "")
        if (gap := self.progress.gap) is not None:
            self._owner.gap_closed(self, gap.start_ns, gap.reason(time.time_ns()))

    def stopped(self, reason: GapReason) -> None:
        """Nothing is recorded now: opens the gap, or adds this reason to the open one."""
        self.stats = None
        if self.progress.stopped(reason, time.time_ns()):
            self._owner.gap_opened(self)

    def alarm(self, kind: str, what: str) -> None:
        """Something a person has to look at."""
        self.is_flooding |= kind == "flood"
        self._owner.alarm(kind, self.name, what)

    def move(self, cause: Cause, what: str) -> None:
        """Another state; the table says which."""
        before = self.state
        self.state = states.after(self.state, cause)
        self.what = what
        if before is not self.state or what:
            self._owner.state_changed(self)

    # --- its life ---------------------------------------------------------------------------

    def _begin(self) -> None:
        self._task = asyncio.get_running_loop().create_task(self._live(), name=self.name)
        self._task.add_done_callback(self._broke)

    def _broke(self, task: asyncio.Task[None]) -> None:
        """Our own mistake: said loudly; the camera is not given up for it."""
        if task.cancelled() or self._is_ending or (error := task.exception()) is None:
            return
        _log.critical("%s: beginning anew in %g s", self.name, _BROKEN_S, exc_info=error)
        asyncio.get_running_loop().call_later(_BROKEN_S, self._begin_unless_ending)

    def _begin_unless_ending(self) -> None:
        if not self._is_ending:
            self._not_recording(Cause.RELEASED, GapReason.UNKNOWN, "begun anew")
            self._begin()

    async def _live(self) -> None:
        while not self._is_ending:
            self._wake.clear()
            wait_s = await self._try()
            if wait_s > 0 and not self._is_ending:
                await rest(wait_s, self._wake, self._knock if self._is_away else None)

    async def _knock(self) -> bool:
        """Whether to try at once: the camera is there, or the rules have to be looked at first."""
        is_allowed = self._owner.may_record(self.camera).is_allowed
        return not is_allowed or await self._owner.is_there(self.stream)

    async def _try(self) -> float:
        """One attempt; gives the seconds to wait before the next."""
        self._is_away = False
        verdict = self._owner.may_record(self.camera)
        if not verdict.is_allowed:
            self._not_recording(Cause.FORBIDDEN, verdict.gap, verdict.sentence)
            return _RULE_EVERY_S
        if self._owner.is_quarantined(self.camera):
            what = "it crashed the recorder twice; restart-camera on the control socket releases it"
            self._not_recording(Cause.CRASHES, GapReason.CRASHES, what)
            return 3600.0
        if self.state in (State.PAUSED, State.QUARANTINED):
            self.move(Cause.RELEASED, "")
        keeper = self.keeper = self._owner.place(self)
        if keeper is None and not self._owner.knows_all_runs:
            return _NO_DISK_EVERY_S  # a keeper that becomes ready wakes us earlier
        if keeper is None:
            self._not_recording(Cause.FAILED, GapReason.DISK, "no disk can be written")
            return _NO_DISK_EVERY_S
        if waits := self._owner.awaits_call(self.camera, self.stream):
            self._not_recording(Cause.FAILED, *waits)
            return _RULE_EVERY_S
        await self._owner.turn_to_start()
        self.move(Cause.TRY, "")
        try:
            connection = await self._owner.open_connection(self.camera, self.stream)
        except SessionFailed as failure:
            self._is_away = failure.is_away
            away = of_away(self._owner.backoff) if failure.is_away else None
            rule = BUSY if failure.is_busy else away
            return self._failed(failure.reason, failure.what, failure.wait_s, rule)
        return await self._hold(connection)

    async def _hold(self, connection: Playing) -> float:
        assert self.keeper is not None  # another one perhaps than when connecting began
        try:
            loop = await self._owner.loop_of(self.camera)
        except Unavailable as error:
            connection.teardown_directly()
            connection.close()
            return self._failed(GapReason.UNKNOWN, str(error))
        except BaseException:  # its row was changed meanwhile
            connection.teardown_directly()
            connection.close()
            raise
        self._recording = Recording(self, connection, loop, self.keeper)
        try:
            end = await self._recording.hold()
        finally:
            self._recording = None
        if end.is_failure and end.reason in _BY_CAMERA:
            connection.ended()
        if self._is_ending:
            return 0.0
        if end.is_failure and not self._owner.is_quarantined(self.camera):
            return self._failed(end.reason, end.what)
        self._not_recording(Cause.FAILED, end.reason, end.what)
        return 0.0

    def _failed(
        self,
        reason: GapReason,
        what: str,
        wait_s: float | None = None,
        rule: Backoff | None = None,
    ) -> float:
        """`wait_s`: until a camera may be asked again, where that is known."""
        usual = WRONG_PASSWORD if reason is GapReason.WRONG_PASSWORD else self._owner.backoff
        rule = rule or usual
        # Spread, not secrecy: no camera behind this switch shall come back in the same second.
        delay_s = self._failures.one_more(rule, random.random())  # noqa: S311
        if wait_s is not None:
            delay_s = wait_s
        self._not_recording(Cause.FAILED, reason, f"{what}, trying again in {delay_s:.0f} s")
        return delay_s

    def _not_recording(self, cause: Cause, reason: GapReason, what: str) -> None:
        if self.state is not states.after(self.state, cause) or what != self.what:
            _log.warning("%s: not recording (%s): %s", self.name, reason.words, what)
        self.stopped(reason)
        self.move(cause, what)
