"""The parent's centre: which camera goes to which loop and disk, and who is told what.

It decides little itself: the rules stand in `vonggac.ingest` and `vonggac.registry`. Everything
here runs in one asyncio thread.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from vonggac.errors import VonggacError
from vonggac.ingest.backoff import Backoff
from vonggac.media.chunk import GapReason
from vonggac.registry import rules
from vonggac.registry.camera import Camera, Stream
from vonggac.registry.catalog import Catalog
from vonggac_appliance.alarm_store import AlarmStore
from vonggac_appliance.backup_courier import BackupCourier
from vonggac_appliance.backup_make import BackupSources
from vonggac_appliance.camera_identity import judged
from vonggac_appliance.camera_playing import Playing
from vonggac_appliance.camera_session import StreamSession
from vonggac_appliance.certificate_watch import CertificateWatch
from vonggac_appliance.children import Children
from vonggac_appliance.clock_watch import ClockWatch
from vonggac_appliance.config import Config
from vonggac_appliance.disks import Disks
from vonggac_appliance.events import Publisher
from vonggac_appliance.keepers import Keeper
from vonggac_appliance.learnt_store import LearntStore
from vonggac_appliance.lock_courier import LockCourier
from vonggac_appliance.loop_wire import CLOCK_RUNS_MAX
from vonggac_appliance.loops import LoopHandle
from vonggac_appliance.record_heads import Heads
from vonggac_appliance.recorder_dials import Dials
from vonggac_appliance.recorder_keepers import KeeperNews
from vonggac_appliance.recorder_loops import Loops
from vonggac_appliance.recorder_push import Pushes
from vonggac_appliance.recorder_telling import Telling
from vonggac_appliance.retention_courier import RetentionCourier
from vonggac_appliance.roster import Roster
from vonggac_appliance.scrub_watch import ScrubWatch

_log = logging.getLogger("vonggac.record")

_KEEPERS_S = 15.0
"""How long streams wait for every disk to say which runs it knows: an flock may take 10 s."""
_SILENT_S = 4.0
"""Twice the bound on what a power cut may take: an alarm, the disk is shown as slow."""
_HEALTH_S = 10.0
"""A disk that made nothing durable for so long, while cameras record, is a stuck one."""


class Recorder:
    """All cameras, loops and keepers of a recorder."""

    def __init__(
        self,
        home: Path,
        settings: Config,
        catalog: Catalog,
        key: Callable[[], X25519PrivateKey | None],
        children: Children,
        publisher: Publisher,
    ) -> None:
        self.stall_ms = settings.cameras.stall_ns // 1_000_000
        self.backoff = Backoff(
            first_s=settings.cameras.retry_min_ns / 1e9, most_s=settings.cameras.retry_max_ns / 1e9
        )
        self.alarms = AlarmStore(home)
        self._telling = Telling(self)
        self.clock = ClockWatch(home, self.alarm)
        self.publisher = publisher
        self.is_ending = False
        self._loops = Loops(settings, children, self.clock, self)
        self.roster = Roster(catalog, self, self._loops.left, self._expect)
        self.heads = Heads(home)
        self.learnt = LearntStore(home)
        self._dials = Dials(settings.cameras, self.roster, self.learnt, key, self.alarm)
        self.pushes = Pushes(home, self, is_on=settings.push.port != 0)
        days = {"push": settings.push.certificate_days, "serve": settings.serve.certificate_days}
        self.certificates = CertificateWatch(days, self.alarm, self.alarms)
        self.scrubs = ScrubWatch(lambda: self.cameras, self.alarm)
        self.disks = Disks(catalog, home, children, KeeperNews(self), self)
        self.locks = LockCourier(catalog, lambda: self.keepers, self.alarm)
        self.retention = RetentionCourier(
            home, catalog, settings.retention, lambda: self.keepers, self.clock
        )
        self.backups = BackupCourier(
            BackupSources(home, catalog.box_id, catalog.copy_to, self.learnt.packed),
            settings.backup.hour,
            lambda: self.keepers,
            self.clock,
            self.alarm,
        )
        self._children = children
        self._last_run = 0
        self._started_s = time.monotonic()
        self._turned_s = 0.0
        self._unread = ""

    # --- life --------------------------------------------------------------------------------

    async def start(self) -> None:
        """Starts a keeper a disk and a task a stream."""
        self.roster.read()
        self.locks.read()
        await self.disks.start()

    def turn(self) -> None:
        """Once a second: loops are asked, rules and the catalog looked at."""
        now_s = time.monotonic()
        is_late = now_s - self._turned_s > 2.0
        self._turned_s = now_s
        if self.clock.turn():
            self._loops.send_clock()
        self._loops.turn(now_s, is_late)
        self.learnt.turn(now_s)
        self.disks.turn(now_s, self._is_written, _SILENT_S)
        self.backups.turn()
        self.certificates.turn(self.pushes.counts)
        for session in self.sessions.values():
            verdict = self.may_record(session.camera)
            if not verdict.is_allowed:
                session.leave(verdict.gap, verdict.sentence)
        try:
            self.roster.follow()
            self.locks.follow()
            self.retention.follow()
            self.disks.follow()
        except VonggacError as error:  # who records goes on; who was added has to wait
            if str(error) != self._unread:
                _log.error("the catalog cannot be read, going on with what was: %s", error)
            self._unread = str(error)
        else:
            self._unread = ""

    async def end(self) -> None:
        """TEARDOWN to all cameras, then loops hand over, then keepers finish a sync."""
        self.is_ending = True
        await self.roster.end()
        for loop in self.loops:
            loop.end()
        await self._gone(lambda: any(loop.pid for loop in self.loops), 3.0)
        for loop in self.loops:
            loop.kill()
        for keeper in self.keepers:
            keeper.end()
        await self._gone(lambda: any(k.is_alive and k.state != "hung" for k in self.keepers), 10.0)
        for loop in self.loops:
            loop.close()
        await self.backups.end()
        await self.heads.end()
        await self.pushes.lines.end()

    async def _gone(self, is_there: Callable[[], bool], most_s: float) -> None:
        until_s = time.monotonic() + most_s
        while is_there() and not self._children.is_lost and time.monotonic() < until_s:
            await asyncio.sleep(0.02)

    @property
    def is_started(self) -> bool:
        """Whether every disk has come up or is known not to."""
        return all(k.ready is not None or k.state == "failed" for k in self.disks.present)

    @property
    def knows_all_runs(self) -> bool:
        """Whether every disk has told its runs, or has had the time to."""
        waited = time.monotonic() - self._started_s > _KEEPERS_S
        return waited or self.is_started

    @property
    def is_healthy(self) -> bool:
        """Whether every disk that is written to made something durable lately."""
        now_s = time.monotonic()
        return not any(
            keeper.is_ready
            and now_s - keeper.last_durable_s > _HEALTH_S
            and self._is_written(keeper, _HEALTH_S)
            for keeper in self.keepers
        )

    def _is_written(self, keeper: Keeper, for_s: float) -> bool:
        """Whether a stream has been sending it pictures for so long."""
        return any(s.keeper is keeper and s.recording_s() > for_s for s in self.sessions.values())

    @property
    def loops(self) -> list[LoopHandle]:
        """By their numbers."""
        return self._loops.all

    @property
    def keepers(self) -> list[Keeper]:
        """Of all disks that were not taken out."""
        return self.disks.present

    # --- cameras ------------------------------------------------------------------------------

    @property
    def cameras(self) -> dict[bytes, Camera]:
        """Those of the catalog, by id."""
        return self.roster.cameras

    @property
    def sessions(self) -> dict[bytes, StreamSession]:
        """By stream id."""
        return self.roster.sessions

    def restart_camera(self, code: str) -> bool:
        """Releases a camera from quarantine and waiting. False: there is none of that name."""
        camera = self.roster.by_code(code)
        if camera is None:
            return False
        self._loops.release(camera)
        self.learnt.of(camera.id).released()
        for session in self.roster.of_camera(camera.id):
            session.leave(GapReason.PAUSED, "restarted by a person")
            session.retry()
        return True

    def forget_learnt(self, code: str) -> bool:
        """Begins with a camera as if it were new. False: there is none of that name."""
        camera = self.roster.by_code(code)
        if camera is None:
            return False
        self.learnt.forget(camera.id)
        return self.restart_camera(code)

    def confirm_device(self, code: str, *, is_known_back: bool) -> bool:
        """A person has said which device is a camera's. False: none had waited for that."""
        camera = self.roster.by_code(code)
        if camera is None or not self.learnt.of(camera.id).confirms(is_known_back=is_known_back):
            return False
        return self.restart_camera(code)

    # --- what a stream asks for (camera_tries.Owner) ------------------------------------------

    def may_record(self, camera: Camera) -> rules.Recording:
        """The rule, at this moment."""
        answer = rules.may_record(camera, time.time_ns())
        return judged(answer, camera, self.learnt.of(camera.id).identity)

    def is_quarantined(self, camera: Camera) -> bool:
        """Whether it crashed its loop too often."""
        return self._loops.is_quarantined(camera)

    def place(self, session: StreamSession) -> Keeper | None:
        """The keeper of a stream: the one it has, else the disk with the most room for it."""
        return self.disks.streams.place(session.stream.id) if self.knows_all_runs else None

    async def loop_of(self, camera: Camera) -> LoopHandle:
        """The loop of a camera, started if need be."""
        return await self._loops.of(camera)

    async def turn_to_start(self) -> None:
        """Waits until one more connection may be opened."""
        await self._dials.turn_to_start()

    def awaits_call(self, camera: Camera, stream: Stream) -> tuple[GapReason, str] | None:
        """Why there is nothing of a camera that calls us; None: it has, or it is called."""
        return self.pushes.awaits(camera, stream)

    async def open_connection(self, camera: Camera, stream: Stream) -> Playing:
        """Connects and plays, or takes what the camera has connected."""
        if camera.push is not None:
            return self.pushes.take(camera, stream)
        return await self._dials.open_connection(camera, stream)

    async def is_there(self, stream: Stream) -> bool:
        """Whether its camera takes connections again; nothing is said to it."""
        return await self._dials.is_there(stream)

    def next_run(self) -> int:
        """Never given before, on any disk of this box, also when the clock was set back."""
        run = max(self._last_run + 1, time.time_ns() // 1000)
        self._last_run = run + CLOCK_RUNS_MAX
        return run

    def run_seen(self, run: int) -> None:
        """A disk holds this one, so it is never given again."""
        self._last_run = max(self._last_run, run)

    def state_changed(self, session: StreamSession) -> None:
        """Tells the bus."""
        self._telling.state_changed(session)

    def gap_opened(self, session: StreamSession) -> None:
        """Tells the journal and the bus."""
        self._telling.gap_opened(session)

    def gap_closed(self, session: StreamSession, start_ns: int, reason: GapReason) -> None:
        """Tells the bus; the journal learns it from the run's first claim."""
        self._telling.gap_closed(session, start_ns, reason)

    def alarm(self, kind: str, subject: str, what: str) -> None:
        """Something a person has to look at."""
        self._telling.alarm(kind, subject, what)

    def _expect(self) -> None:
        self.learnt.retain(self.cameras)
        self.disks.streams.expect()
