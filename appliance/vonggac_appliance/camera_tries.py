"""The tries of one stream: try, connect, record, wait, for ever.

One asyncio task a stream. What is known of the stream is `camera_session`'s.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
import time
from typing import TYPE_CHECKING, Protocol

from vonggac.errors import Unavailable
from vonggac.ingest import states
from vonggac.ingest.backoff import BUSY, WRONG_PASSWORD, Backoff, Failures, of_away
from vonggac.ingest.states import Cause, State
from vonggac.media.chunk import GapReason
from vonggac.registry.camera import Camera, Stream
from vonggac.registry.rules import Recording as Verdict
from vonggac_appliance.camera_happenings import Order
from vonggac_appliance.camera_knock import rest
from vonggac_appliance.camera_memory import SessionFailed
from vonggac_appliance.camera_playing import Playing
from vonggac_appliance.camera_recording import ENDED_S, TEARDOWN_S, Recording
from vonggac_appliance.keepers import Keeper
from vonggac_appliance.loops import LoopHandle

if TYPE_CHECKING:
    from vonggac_appliance.camera_session import StreamSession

__all__ = ["Owner", "Tries"]

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


class Tries:
    """Begun once. `recording` is the connection that plays, while there is one."""

    def __init__(self, stream: StreamSession, owner: Owner) -> None:
        self.recording: Recording | None = None
        self._of = stream
        self._owner = owner
        self._wake = asyncio.Event()
        self._failures = Failures()
        self._task: asyncio.Task[None] | None = None
        self._is_ending = False
        self._is_away = False
        """Whether the last one found nobody to connect to."""

    def begin(self) -> None:
        """With the first one, now."""
        self._task = asyncio.get_running_loop().create_task(self._live(), name=self._of.name)
        self._task.add_done_callback(self._broke)

    def wake(self) -> None:
        """Whatever the next one waits for may be there."""
        self._wake.set()

    def retry(self) -> None:
        """At once, as if none had failed."""
        self._failures.clear()
        self._wake.set()

    def succeeded(self) -> None:
        """There are pictures: nothing is held against the camera."""
        self._failures.clear()

    async def end(self, reason: GapReason) -> bool:
        """Ends them, TEARDOWN included, within about 3 s. False: they had not begun."""
        self._is_ending = True
        if self._task is None:
            return False
        if self.recording is not None:
            self.recording.put(Order(reason, "the recorder ends"))
            await asyncio.wait({self._task}, timeout=TEARDOWN_S + ENDED_S + 1.0)
        self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._task
        return True

    def _broke(self, task: asyncio.Task[None]) -> None:
        """Our own mistake: said loudly; the camera is not given up for it."""
        if task.cancelled() or self._is_ending or (error := task.exception()) is None:
            return
        _log.critical("%s: beginning anew in %g s", self._of.name, _BROKEN_S, exc_info=error)
        asyncio.get_running_loop().call_later(_BROKEN_S, self._begin_unless_ending)

    def _begin_unless_ending(self) -> None:
        if not self._is_ending:
            self._not_recording(Cause.RELEASED, GapReason.UNKNOWN, "begun anew")
            self.begin()

    async def _live(self) -> None:
        while not self._is_ending:
            self._wake.clear()
            wait_s = await self._try()
            if wait_s > 0 and not self._is_ending:
                await rest(wait_s, self._wake, self._knock if self._is_away else None)

    async def _knock(self) -> bool:
        """Whether to try at once: the camera is there, or the rules have to be looked at first."""
        is_allowed = self._owner.may_record(self._of.camera).is_allowed
        return not is_allowed or await self._owner.is_there(self._of.stream)

    async def _try(self) -> float:
        """One attempt; gives the seconds to wait before the next."""
        self._is_away = False
        verdict = self._owner.may_record(self._of.camera)
        if not verdict.is_allowed:
            self._not_recording(Cause.FORBIDDEN, verdict.gap, verdict.sentence)
            return _RULE_EVERY_S
        if self._owner.is_quarantined(self._of.camera):
            what = "it crashed the recorder twice; restart-camera on the control socket releases it"
            self._not_recording(Cause.CRASHES, GapReason.CRASHES, what)
            return 3600.0
        if self._of.state in (State.PAUSED, State.QUARANTINED):
            self._of.move(Cause.RELEASED, "")
        keeper = self._of.keeper = self._owner.place(self._of)
        if keeper is None and not self._owner.knows_all_runs:
            return _NO_DISK_EVERY_S  # a keeper that becomes ready wakes us earlier
        if keeper is None:
            self._not_recording(Cause.FAILED, GapReason.DISK, "no disk can be written")
            return _NO_DISK_EVERY_S
        if waits := self._owner.awaits_call(self._of.camera, self._of.stream):
            self._not_recording(Cause.FAILED, *waits)
            return _RULE_EVERY_S
        await self._owner.turn_to_start()
        self._of.move(Cause.TRY, "")
        began_s = time.monotonic()
        try:
            connection = await self._owner.open_connection(self._of.camera, self._of.stream)
        except SessionFailed as failure:
            self._is_away = failure.is_away
            away = of_away(self._owner.backoff) if failure.is_away else None
            rule = BUSY if failure.is_busy else away
            spent_s = time.monotonic() - began_s
            return self._failed(failure.reason, failure.what, failure.wait_s, rule, spent_s)
        return await self._hold(connection, began_s)

    async def _hold(self, connection: Playing, began_s: float) -> float:
        assert self._of.keeper is not None  # another one perhaps than when connecting began
        try:
            loop = await self._owner.loop_of(self._of.camera)
        except Unavailable as error:
            connection.teardown_directly()
            connection.close()
            return self._failed(GapReason.UNKNOWN, str(error))
        except BaseException:  # its row was changed meanwhile
            connection.teardown_directly()
            connection.close()
            raise
        self.recording = Recording(self._of, connection, loop, self._of.keeper)
        try:
            end = await self.recording.hold()
        finally:
            self.recording = None
        if end.is_failure and end.reason in _BY_CAMERA:
            connection.ended()
        if self._is_ending:
            return 0.0
        if end.is_failure and not self._owner.is_quarantined(self._of.camera):
            return self._failed(end.reason, end.what, spent_s=time.monotonic() - began_s)
        self._not_recording(Cause.FAILED, end.reason, end.what)
        return 0.0

    def _failed(
        self,
        reason: GapReason,
        what: str,
        wait_s: float | None = None,
        rule: Backoff | None = None,
        spent_s: float = 0.0,
    ) -> float:
        """`wait_s`: to the next try, where it is known; `spent_s`: on this try."""
        usual = WRONG_PASSWORD if reason is GapReason.WRONG_PASSWORD else self._owner.backoff
        rule = rule or usual
        # Spread, not secrecy: no camera behind this switch shall come back in the same second.
        delay_s = self._failures.one_more(rule, random.random(), spent_s)  # noqa: S311
        if wait_s is not None:
            delay_s = wait_s
        self._not_recording(Cause.FAILED, reason, f"{what}, trying again in {delay_s:.0f} s")
        return delay_s

    def _not_recording(self, cause: Cause, reason: GapReason, what: str) -> None:
        if self._of.state is not states.after(self._of.state, cause) or what != self._of.what:
            _log.warning("%s: not recording (%s): %s", self._of.name, reason.words, what)
        self._of.stopped(reason)
        self._of.move(cause, what)
