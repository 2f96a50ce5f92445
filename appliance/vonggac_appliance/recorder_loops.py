"""The loops of a recorder: which camera's bytes are parsed in which, and what a crash costs."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Sequence
from typing import Protocol

from vonggac.ingest import placement
from vonggac.ingest.quarantine import CrashRecord
from vonggac.media.chunk import GapReason
from vonggac.registry.camera import Camera, OwnerKind
from vonggac_appliance.camera_session import StreamSession
from vonggac_appliance.children import Children
from vonggac_appliance.clock_watch import ClockWatch
from vonggac_appliance.config import Config
from vonggac_appliance.disks import Disks
from vonggac_appliance.keepers import Keeper
from vonggac_appliance.loops import LoopHandle, Session
from vonggac_appliance.roster import Roster

__all__ = ["Loops"]


class Around(Protocol):
    """What loops need of the recorder."""

    roster: Roster
    disks: Disks

    @property
    def keepers(self) -> list[Keeper]: ...
    def alarm(self, kind: str, subject: str, what: str) -> None: ...


class Loops:
    """Made as cameras come; each outlives its process."""

    def __init__(
        self, settings: Config, children: Children, clock: ClockWatch, around: Around
    ) -> None:
        self.all: list[LoopHandle] = []
        """By their numbers."""
        self._settings = settings
        self._children = children
        self._clock = clock
        self._around = around
        self._of: dict[bytes, LoopHandle] = {}
        self._crashes: dict[bytes, CrashRecord] = {}
        self._lock = asyncio.Lock()

    def turn(self, now_s: float, is_late: bool) -> None:
        """Once a second. `is_late`: the parent itself was away for longer."""
        for loop in self.all:
            loop.turn(now_s, is_late)

    def send_clock(self) -> None:
        """Whether the box's clock is synchronised has changed."""
        for loop in self.all:
            loop.send_clock(self._clock.is_synced)

    async def of(self, camera: Camera) -> LoopHandle:
        """The loop of a camera, started if need be."""
        async with self._lock:
            found = self._of.get(camera.id)
            if found is not None:
                return found
            is_household = camera.owner_kind is OwnerKind.HOUSEHOLD
            loads = [placement.LoopLoad(x.number, len(x.cameras), x.is_household) for x in self.all]
            number = placement.choose_loop(
                loads, is_household, self._settings.record.cameras_per_loop
            )
            loop = self.all[number] if number is not None else await self._new(is_household)
            loop.cameras.add(camera.id)
            self._of[camera.id] = loop
            return loop

    async def _new(self, is_household: bool) -> LoopHandle:
        loop = LoopHandle(
            len(self.all),
            is_household,
            self._settings.record.arena_bytes,
            self._settings.cameras.flood_rate_bps // 8,
            self._children,
            self,
        )
        loop.send_clock(self._clock.is_synced)
        await loop.start()
        self.all.append(loop)
        return loop

    def left(self, camera: Camera) -> None:
        """A camera is gone: its loop has room."""
        if (loop := self._of.pop(camera.id, None)) is not None:
            loop.cameras.discard(camera.id)

    def is_quarantined(self, camera: Camera) -> bool:
        """Whether it crashed its loop too often."""
        record = self._crashes.get(camera.id)
        return record is not None and record.is_quarantined

    def release(self, camera: Camera) -> None:
        """Out of quarantine."""
        self._crashes.pop(camera.id, None)

    # --- what loops say (loops.Hears) ---------------------------------------------------------

    def keepers_ready(self) -> Iterable[Keeper]:
        """Those that take loops."""
        return [keeper for keeper in self._around.keepers if keeper.is_ready]

    def moves(self, loop: LoopHandle) -> Iterable[tuple[int, int, Sequence[bytes]]]:
        """Where the streams of a loop are written, for one that takes another's place."""
        return self._around.disks.streams.moves(loop)

    def loop_crashed(self, loop: LoopHandle, what: str, guilty: Session | None) -> None:
        """Counts it for the camera whose bytes were being parsed."""
        if not isinstance(guilty, StreamSession):
            self._around.alarm("loop-crashed", f"loop {loop.number}", what)
            return
        camera = guilty.camera
        self._around.alarm("loop-crashed", guilty.name, f"{what}; it was parsing this stream")
        record = self._crashes.get(camera.id, CrashRecord()).crashed(time.monotonic_ns())
        self._crashes[camera.id] = record
        if record.is_quarantined:
            self._around.alarm("camera-quarantined", camera.code, "two crashes in ten minutes")
            for session in self._around.roster.of_camera(camera.id):
                if session is not guilty:
                    session.leave(GapReason.CRASHES, "its other stream crashed the recorder")
                session.retry()
