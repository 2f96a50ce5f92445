"""The parent's centre: which camera goes to which loop and disk, and who is told what.

It decides little itself: the rules stand in `vonggac.ingest` and `vonggac.registry`. Everything
here runs in one asyncio thread.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from vonggac.errors import ConfigError, MediaError, VonggacError
from vonggac.ingest import placement
from vonggac.ingest.backoff import Backoff, start_limiter
from vonggac.ingest.quarantine import CrashRecord
from vonggac.media.chunk import GapReason
from vonggac.registry import rules
from vonggac.registry.camera import Camera, OwnerKind, Stream
from vonggac.registry.catalog import Catalog
from vonggac.rtsp.url import Credentials
from vonggac_appliance import bus
from vonggac_appliance.alarm_store import AlarmStore
from vonggac_appliance.camera_connection import (
    CameraConnection,
    Memory,
    SessionFailed,
    open_connection,
)
from vonggac_appliance.camera_session import StreamSession
from vonggac_appliance.children import Children
from vonggac_appliance.clock_watch import ClockWatch
from vonggac_appliance.config import Config
from vonggac_appliance.disks import Disks
from vonggac_appliance.events import Publisher
from vonggac_appliance.keepers import Keeper
from vonggac_appliance.lock_courier import LockCourier
from vonggac_appliance.loop_wire import CLOCK_RUNS_MAX
from vonggac_appliance.loops import LoopHandle, Session
from vonggac_appliance.messages_keeper import (
    Durable,
    GapOpen,
    KeeperReady,
    LocksDurable,
    Loop,
    RetentionTold,
    Scrubbed,
    Sealed,
    Tombstones,
)
from vonggac_appliance.record_heads import Heads
from vonggac_appliance.retention_courier import RetentionCourier
from vonggac_appliance.roster import Roster
from vonggac_appliance.scrub_watch import ScrubWatch
from vonggac_appliance.secrets import open_sealed

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
        self.roster = Roster(catalog, self, self._left, self._expect)
        self.loops: list[LoopHandle] = []
        self.alarms = AlarmStore(home)
        self.clock = ClockWatch(home, self.alarm)
        self.heads = Heads(home)
        self.scrubs = ScrubWatch(lambda: self.cameras, self.alarm)
        self.disks = Disks(catalog, home, children, self)
        self.locks = LockCourier(catalog, lambda: self.keepers, self.alarm)
        self.retention = RetentionCourier(
            home, catalog, settings.retention, lambda: self.keepers, self.clock
        )
        self._home = home
        self._settings = settings
        self._catalog = catalog
        self._key = key
        self._children = children
        self._publisher = publisher
        self._memory: dict[bytes, Memory] = {}
        self._loop_of: dict[bytes, LoopHandle] = {}
        self._crashes: dict[bytes, CrashRecord] = {}
        self._limiter = start_limiter(settings.cameras.starts_per_second, time.monotonic())
        self._loop_lock = asyncio.Lock()
        self._last_run = 0
        self._started_s = time.monotonic()
        self._turned_s = 0.0
        self._unread = ""
        self._is_ending = False

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
            for loop in self.loops:
                loop.send_clock(self.clock.is_synced)
        for loop in self.loops:
            loop.turn(now_s, is_late)
        self.disks.turn(now_s, self._is_written, _SILENT_S)
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
        self._is_ending = True
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
        await self.heads.end()

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
        self._crashes.pop(camera.id, None)
        for session in self.roster.of_camera(camera.id):
            session.leave(GapReason.PAUSED, "restarted by a person")
            session.retry()
        return True

    def _left(self, camera: Camera) -> None:
        """A camera is gone: its loop has room."""
        if (loop := self._loop_of.pop(camera.id, None)) is not None:
            loop.cameras.discard(camera.id)

    # --- what a stream asks for (camera_session.Owner) ----------------------------------------

    def may_record(self, camera: Camera) -> rules.Recording:
        """The rule, at this moment."""
        return rules.may_record(camera, time.time_ns())

    def is_quarantined(self, camera: Camera) -> bool:
        """Whether it crashed its loop too often."""
        record = self._crashes.get(camera.id)
        return record is not None and record.is_quarantined

    def place(self, session: StreamSession) -> Keeper | None:
        """The keeper of a stream: the one it has, else the disk with the most room for it."""
        return self.disks.streams.place(session.stream.id) if self.knows_all_runs else None

    async def loop_of(self, camera: Camera) -> LoopHandle:
        """The loop of a camera, started if need be."""
        async with self._loop_lock:
            found = self._loop_of.get(camera.id)
            if found is not None:
                return found
            is_household = camera.owner_kind is OwnerKind.HOUSEHOLD
            loads = [
                placement.LoopLoad(x.number, len(x.cameras), x.is_household) for x in self.loops
            ]
            number = placement.choose_loop(
                loads, is_household, self._settings.record.cameras_per_loop
            )
            loop = self.loops[number] if number is not None else await self._new_loop(is_household)
            loop.cameras.add(camera.id)
            self._loop_of[camera.id] = loop
            return loop

    async def _new_loop(self, is_household: bool) -> LoopHandle:
        loop = LoopHandle(
            len(self.loops),
            is_household,
            self._settings.record.arena_bytes,
            self._settings.cameras.flood_rate_bps // 8,
            self._children,
            self,
        )
        loop.send_clock(self.clock.is_synced)
        await loop.start()
        self.loops.append(loop)
        return loop

    async def turn_to_start(self) -> None:
        """Waits until one more connection may be opened."""
        self._limiter, wait_s = self._limiter.take(time.monotonic())
        if wait_s > 0:
            await asyncio.sleep(wait_s)

    async def open_connection(self, camera: Camera, stream: Stream) -> CameraConnection:
        """Connects and plays. The password is opened here and kept nowhere."""
        memory = self._memory.setdefault(camera.id, Memory())  # one login, one floor
        credentials = self._credentials(camera)
        return await open_connection(stream.url, credentials, self._settings.cameras, memory)

    def _credentials(self, camera: Camera) -> Credentials | None:
        sealed = self.roster.sealed(camera)
        if sealed is None:
            return None
        try:
            # Read now: the first `camera add` of a home makes it, with the recorder running.
            key = self._key()
            if key is None:
                what = "the key to its password is missing"
                raise SessionFailed(GapReason.WRONG_PASSWORD, what)
            return open_sealed(key, camera.id, sealed)
        except (ConfigError, MediaError) as error:
            raise SessionFailed(GapReason.WRONG_PASSWORD, str(error)) from error

    def next_run(self) -> int:
        """Never given before, on any disk of this box, also when the clock was set back."""
        run = max(self._last_run + 1, time.time_ns() // 1000)
        self._last_run = run + CLOCK_RUNS_MAX
        return run

    def state_changed(self, session: StreamSession) -> None:
        """Tells the bus."""
        event = bus.CameraChanged(
            session.camera.code,
            session.stream.name,
            session.state,
            session.gap_reason,
            session.what,
            time.time_ns(),
        )
        self._publisher.send(event)

    def gap_opened(self, session: StreamSession) -> None:
        """Tells the journal and the bus."""
        message = session.gap_message()
        if message is None or self._is_ending:
            return  # nobody explains the hole of a stop: it reads *box stopped*
        if (keeper := self.disks.streams.of(session.stream.id)) is not None:
            keeper.gap_open(message)
        code, name = session.camera.code, session.stream.name
        words = GapReason(message.reason).words
        self._publisher.send(bus.GapOpened(code, name, message.start_ns, words))

    def gap_closed(self, session: StreamSession, start_ns: int, reason: GapReason) -> None:
        """Tells the bus; the journal learns it from the run's first claim."""
        code, name = session.camera.code, session.stream.name
        self._publisher.send(
            bus.GapClosed(code, name, start_ns, time.time_ns(), reason.words, session.progress.run)
        )

    def alarm(self, kind: str, subject: str, what: str) -> None:
        """Something a person has to look at."""
        _log.error("%s: %s", subject, what)
        now_ns = time.time_ns()
        self.alarms.note(kind, subject, what, now_ns)
        self._publisher.send(bus.Alarm(kind, subject, what, now_ns))

    # --- what keepers say (keepers.Hears) -----------------------------------------------------

    def keeper_ready(self, keeper: Keeper, ready: KeeperReady) -> None:
        """Its streams are known again, and it takes loops."""
        self.locks.ready(keeper)
        self.retention.ready(keeper)
        self._last_run = max(self._last_run, ready.last_run)
        newest = [end for end in ready.streams if self.roster.is_newest(end)]
        for end in newest:
            self.roster.ends[end.stream] = end
            if (session := self.sessions.get(end.stream)) is not None:
                session.known(end)
        if ready.streams:
            self.clock.recorded(max(ready.streams, key=lambda end: end.run).wall_end_ns)
        if ready.suspect:
            what = "a sync failed on it before; watch it, and replace it soon"
            self.alarm("disk-suspect", keeper.path, what)
        self.disks.streams.known(keeper, [end.stream for end in newest])
        for loop in self.loops:
            loop.connect(keeper)
        self.disks.streams.gather()
        for session in self.sessions.values():
            session.disk_ready()

    def keeper_durable(self, keeper: Keeper, durable: Durable) -> None:
        """A sync completed."""
        self.heads.note(durable.disk, durable.streams)
        for end in durable.streams:
            self.roster.ends[end.stream] = end
            if (session := self.sessions.get(end.stream)) is not None:
                session.durable(end)
        ends = [(end.stream, end.wall_end_ns) for end in durable.streams]
        disk = durable.disk.hex()
        self._publisher.send(bus.DurableTick(disk, durable.tick_ms, durable.bytes_written, ends))

    def keeper_sealed(self, keeper: Keeper, sealed: Sealed) -> None:
        """A segment is full."""
        event = bus.SegmentSealed(
            sealed.disk.hex(),
            sealed.segment,
            sealed.stream,
            sealed.wall_start_ns,
            sealed.wall_end_ns,
        )
        self._publisher.send(event)

    def keeper_scrubbed(self, keeper: Keeper, scrubbed: Scrubbed) -> None:
        """It read old footage again."""
        self.scrubs.note(keeper.path, scrubbed)

    def keeper_drained(self, keeper: Keeper, drained: Loop) -> None:
        """A dead loop's chunks are through."""
        if drained.loop < len(self.loops):
            self.loops[drained.loop].drained(keeper.slot, drained.incarnation)

    def keeper_retention(self, keeper: Keeper, told: RetentionTold) -> None:
        """What its disk holds, and how long it will."""
        self.retention.told(keeper, told)

    def keeper_tombstones(self, keeper: Keeper, tombstones: Tombstones) -> None:
        """What it has given up."""
        self.retention.tombstones(keeper, tombstones)

    def keeper_locks(self, keeper: Keeper, told: LocksDurable) -> None:
        """Which locks are safe on its disk."""
        self.locks.durable(keeper, told)

    def keeper_state(self, keeper: Keeper) -> None:
        """Its disk changed."""
        self._publisher.send(bus.DiskChanged(keeper.uuid, keeper.path, keeper.state, keeper.what))
        if keeper.state == "failed":
            self.disks.streams.gather()
            self.alarm("disk-failed", keeper.path, keeper.what)
        elif keeper.state == "hung":
            self.alarm("disk-hung", keeper.path, keeper.what)
        elif keeper.state == "slow":
            self.alarm("disk-slow", keeper.path, keeper.what)
        elif keeper.state == "down" and not self._is_ending:
            self.alarm("keeper-crashed", keeper.path, keeper.what)

    def open_gaps_of(self, keeper: Keeper) -> Iterator[GapOpen]:
        """For the journal of a keeper that may have missed some while it was down."""
        for session in self.sessions.values():
            if self.disks.streams.of(session.stream.id) is not keeper or session.is_recording:
                continue
            if (message := session.gap_message()) is not None:
                yield message

    def keeper_hangs(self, keeper: Keeper) -> None:
        """What it writes does not end."""
        self.disks.streams.hangs(keeper)

    def is_needed(self, keeper: Keeper) -> bool:
        """Whether no other disk can be written."""
        return self.disks.streams.is_needed(keeper)

    # --- what loops say (loops.Hears) ---------------------------------------------------------

    def keepers_ready(self) -> Iterable[Keeper]:
        """Those that take loops."""
        return [keeper for keeper in self.keepers if keeper.is_ready]

    def moves(self, loop: LoopHandle) -> Iterable[tuple[int, int, Sequence[bytes]]]:
        """Where the streams of a loop are written, for one that takes another's place."""
        return self.disks.streams.moves(loop)

    def loop_crashed(self, loop: LoopHandle, what: str, guilty: Session | None) -> None:
        """Counts it for the camera whose bytes were being parsed."""
        if not isinstance(guilty, StreamSession):
            self.alarm("loop-crashed", f"loop {loop.number}", what)
            return
        camera = guilty.camera
        self.alarm("loop-crashed", guilty.name, f"{what}; it was parsing this stream")
        record = self._crashes.get(camera.id, CrashRecord()).crashed(time.monotonic_ns())
        self._crashes[camera.id] = record
        if record.is_quarantined:
            self.alarm("camera-quarantined", camera.code, "two crashes in ten minutes")
            for session in self.roster.of_camera(camera.id):
                if session is not guilty:
                    session.leave(GapReason.CRASHES, "its other stream crashed the recorder")
                session.retry()

    def _expect(self) -> None:
        self.disks.streams.expect()
