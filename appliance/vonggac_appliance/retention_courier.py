"""Brings limits and the clock's state to every keeper, and their tombstones into the ledger.

The recorder's part of promise 6 of docs/design/storage.md. Keepers keep tombstones until the ledger
has them, so nothing has to be remembered here.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterable, Mapping
from itertools import islice
from pathlib import Path

from vonggac.errors import MediaError, Refused, StorageError, Unavailable
from vonggac.evidence import ledger
from vonggac.registry.camera import Camera
from vonggac.registry.catalog import Catalog
from vonggac.registry.retention import Classes, ClassLimits, Policy, Removed, policy_of
from vonggac_appliance import audit_client, bus_control
from vonggac_appliance.clock_watch import ClockWatch
from vonggac_appliance.keepers import Keeper
from vonggac_appliance.messages import Kind
from vonggac_appliance.messages_keeper import (
    ClockTold,
    KeptDays,
    Retention,
    RetentionTold,
    Tombstones,
    TombstonesKept,
)

__all__ = ["RetentionCourier"]

_log = logging.getLogger("vonggac.record")

_CLOCK_EVERY_S = 10.0
_CONFIRMED_S = 86_400.0
_AGAIN_S = (1.0, 4.0, 15.0)
"""When the ledger is not there yet, as at start; then the keeper asks again, a minute later."""
_CAMERAS_A_MESSAGE = 300
"""Of about 120 bytes each: a keeper's socket takes 64 KiB at once."""


class RetentionCourier:
    """`keepers` gives those there are."""

    def __init__(
        self,
        home: Path,
        catalog: Catalog,
        classes: Classes,
        keepers: Callable[[], Iterable[Keeper]],
        clock: ClockWatch,
    ) -> None:
        self._home = home
        self._catalog = catalog
        self._classes = classes
        self._keepers = keepers
        self._clock = clock
        self._changes = -1
        self._cameras: dict[bytes, KeptDays] = {}
        self._names: dict[bytes, str] = {}
        self._confirmed_s: float | None = None
        self._was_confirmed = False
        self._clock_s = 0.0
        self._was_stepped = False
        self._told: dict[str, RetentionTold] = {}
        self._sending: dict[str, Tombstones] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def follow(self) -> None:
        """Once a second: what is new in the catalog, and what the clock does."""
        now_s = time.monotonic()
        changes = self._catalog.changes
        if changes != self._changes:
            before, is_first = self._cameras, self._changes < 0
            self._read()
            if self._cameras != before and not is_first:
                self._confirmed_s = None  # other limits are not what the person looked at
        is_confirmed = self._is_confirmed(now_s)
        if changes != self._changes or is_confirmed != self._was_confirmed:
            self._changes, self._was_confirmed = changes, is_confirmed
            for keeper in self._ready_ones():
                self._tell(keeper)
        is_stepped = self._clock.step() is not None
        if is_stepped != self._was_stepped or now_s - self._clock_s >= _CLOCK_EVERY_S:
            self._clock_s, self._was_stepped = now_s, is_stepped
            for keeper in self._ready_ones():
                self._tell_clock(keeper)

    def ready(self, keeper: Keeper) -> None:
        """A keeper erases nothing by time before it has heard these."""
        self._sending.pop(keeper.uuid, None)
        if self._changes >= 0:
            self._tell(keeper)
        self._tell_clock(keeper)

    def confirm(self) -> None:
        """A person says that all that is due may go, however much it is; holds for a day, or until
        a limit changes.
        """
        self.follow()  # a limit that was set just before is the one confirmed
        self._confirmed_s = time.monotonic()

    def told(self, keeper: Keeper, told: RetentionTold) -> None:
        """What a disk holds and foresees."""
        self._told[keeper.uuid] = told

    def tombstones(self, keeper: Keeper, tombstones: Tombstones) -> None:
        """Sends them to the ledger; the keeper hears of it and forgets them."""
        if keeper.uuid in self._sending:
            return  # they are on their way already
        self._sending[keeper.uuid] = tombstones
        task = asyncio.get_running_loop().create_task(self._send(keeper, tombstones))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def reply(self) -> bus_control.RetentionReply:
        """For `ask-retention`."""
        disks = []
        for keeper in self._keepers():
            told = self._told.get(keeper.uuid)
            if told is None or not keeper.is_ready:
                continue
            disks.append(
                bus_control.DiskRetention(
                    uuid=keeper.uuid,
                    path=keeper.path,
                    capacity_bytes=told.capacity_bytes,
                    held_bytes=told.held_bytes,
                    pinned_bytes=told.pinned_bytes,
                    due_bytes=told.due_bytes,
                    held=told.held,
                    is_guarded=told.is_guarded,
                    holds_days=told.holds_days,
                    needed_bytes=told.needed_bytes,
                    broken=told.broken,
                    tick_ms=0.0 if keeper.last_durable is None else keeper.last_durable.tick_ms,
                    streams=[
                        bus_control.StreamRetention(
                            s.stream, s.camera, s.segments, s.oldest_ns, s.newest_ns, s.bytes_a_day
                        )
                        for s in told.streams
                    ],
                )
            )
        return bus_control.RetentionReply(disks)

    async def _send(self, keeper: Keeper, tombstones: Tombstones) -> None:
        for wait_s in (*_AGAIN_S, None):
            try:
                await asyncio.to_thread(
                    audit_client.send_list, self._home, ledger.TOMBSTONES, tombstones.lines
                )
            except (Unavailable, StorageError, Refused, MediaError) as error:
                _log.warning("tombstones wait for the ledger: %s", error)
            else:
                if self._is_current(keeper, tombstones):
                    keeper.tell(Kind.TOMBSTONES_KEPT, TombstonesKept(tombstones.upto))
                break
            if wait_s is None or not self._is_current(keeper, tombstones):
                break
            await asyncio.sleep(wait_s)
        if self._is_current(keeper, tombstones):
            del self._sending[keeper.uuid]

    def _is_current(self, keeper: Keeper, tombstones: Tombstones) -> bool:
        """Whether the keeper that sent them has not begun anew since, maybe with another index."""
        return self._sending.get(keeper.uuid) is tombstones

    def _ready_ones(self) -> Iterable[Keeper]:
        return (keeper for keeper in self._keepers() if keeper.is_ready)

    def _is_confirmed(self, now_s: float) -> bool:
        return self._confirmed_s is not None and now_s - self._confirmed_s < _CONFIRMED_S

    def _read(self) -> None:
        cameras: list[Camera | Removed] = [*self._catalog.removed(), *self._catalog.cameras()]
        self._names = {camera.id: camera.code for camera in cameras}
        self._cameras = {
            camera.id: _kept_days(policy_of(camera, self._classes)) for camera in cameras
        }

    def _tell(self, keeper: Keeper) -> None:
        others = _of_class(self._classes.default)
        for part, is_last in _parts(self._cameras, _CAMERAS_A_MESSAGE):
            names = {camera: self._names[camera] for camera in part}
            message = Retention(part, names, others, self._was_confirmed, more=not is_last)
            keeper.tell(Kind.RETENTION, message)

    def _tell_clock(self, keeper: Keeper) -> None:
        is_stepped = self._clock.step() is not None
        keeper.tell(Kind.CLOCK_TOLD, ClockTold(self._clock.synced_for_ns(), is_stepped))


def _parts(
    cameras: Mapping[bytes, KeptDays], most: int
) -> Iterable[tuple[dict[bytes, KeptDays], bool]]:
    left = iter(cameras.items())
    for first in range(0, max(1, len(cameras)), most):
        yield dict(islice(left, most)), first + most >= len(cameras)


def _kept_days(policy: Policy) -> KeptDays:
    return KeptDays(policy.days_min, policy.days_max, policy.priority, policy.max_by)


def _of_class(limits: ClassLimits) -> KeptDays:
    return KeptDays(limits.days_min, limits.days_max, limits.priority, "default")
