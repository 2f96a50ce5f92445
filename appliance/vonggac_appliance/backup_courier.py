"""The nightly backup of the home: when it is made, and that every disk gets it.

Lives in the recorder's parent, which knows the disks. Making takes a thread; keepers write it
(`keep_backup`). docs/ref/backup.md says what is in one.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Protocol

from vonggac.errors import ConfigError, Refused, VonggacError
from vonggac_appliance import backup_make, backup_seal, bus_control
from vonggac_appliance.backup_make import BackupSources
from vonggac_appliance.backup_times import is_fresh
from vonggac_appliance.clock import Clock, wall_ns
from vonggac_appliance.clock_watch import boot_ns
from vonggac_appliance.keepers import Keeper
from vonggac_appliance.messages import Kind
from vonggac_appliance.messages_keeper import Backup, BackupTold

__all__ = ["ALARM_FAILED", "ALARM_OFF", "BackupCourier"]

ALARM_OFF = "backup-off"
ALARM_FAILED = "backup-failed"
PREPARE = "vonggac disk prepare-backup"

_log = logging.getLogger("vonggac.record")

_MINUTE_NS = 60 * 1_000_000_000
_FIRST_NS = _MINUTE_NS
"""After the recorder's start: disks and cameras come first."""
_AGAIN_NS = 60 * _MINUTE_NS
_DAY_NS = 24 * 60 * _MINUTE_NS
_OVERDUE_NS = 2 * _DAY_NS
_WITHOUT_KEY_NS = 60 * _MINUTE_NS
"""Until a recorder without a recovery key complains: whoever sets a box up is about to make one."""


class Watched(Protocol):
    """What of the box's clock matters here."""

    @property
    def is_synced(self) -> bool: ...


class BackupCourier:
    """In the parent's asyncio thread. `alarm` takes kind, subject and sentence."""

    def __init__(
        self,
        sources: BackupSources,
        hour: int,
        keepers: Callable[[], Iterable[Keeper]],
        clock: Watched,
        alarm: Callable[[str, str, str], None],
        *,
        wall: Clock = wall_ns,
        boot: Clock = boot_ns,
    ) -> None:
        self._sources = sources
        self._hour = hour
        self._keepers = keepers
        self._clock = clock
        self._alarm = alarm
        self._wall = wall
        self._boot = boot
        self._told: dict[str, BackupTold] = {}
        """By the disk's uuid, as its keeper has told since it is ready."""
        self._writing: set[str] = set()
        self._task: asyncio.Task[None] | None = None
        self._what = ""
        self._complain_ns: dict[str, int] = {}
        """By the disk's uuid, or ALARM_OFF: not told again before."""
        self._fresh_ns: dict[str, int] = {}
        """When a disk was last seen with the newest night's; by the clock that nobody sets."""
        self._started_ns = boot()
        self._next_ns = self._started_ns + _FIRST_NS
        """Not tried before; by the clock that nobody sets."""

    def turn(self) -> None:
        """Once a second: begins what is due. Without a clock that is kept nobody knows the hour."""
        boot = self._boot()
        self._watch_age(boot)
        if self._task is not None or boot < self._next_ns or not self._clock.is_synced:
            return
        due = [keeper for keeper in self._present() if not self._is_fresh(keeper)]
        if due and not self._has_key():
            self._complain_of_key(boot)
            return
        self._complain_of_places([keeper for keeper in due if not self._room_bytes(keeper)], boot)
        due = [keeper for keeper in due if self._room_bytes(keeper)]
        if due:
            self._next_ns = boot + _AGAIN_NS
            self._start(due)

    def begin(self) -> None:
        """A person wants one now, on every disk. Refused where that cannot be."""
        if self._task is not None:
            raise Refused("a backup is being made already")
        if not self._has_key():
            raise Refused("no recovery key was made: sudo vonggac backup key")
        taking = [keeper for keeper in self._present() if self._room_bytes(keeper)]
        if self._writing.intersection(keeper.uuid for keeper in taking):
            # A disk that does not get done must not heap them up in its keeper.
            raise Refused("a backup is being written already")
        if not taking:
            raise Refused(f"no disk can take a backup now ({PREPARE})")
        self._start(taking)

    def ready(self, keeper: Keeper) -> None:
        """A keeper begins anew: what was on its way to it is lost, and it will tell what it has."""
        self._told.pop(keeper.uuid, None)
        self._writing.discard(keeper.uuid)

    def told(self, keeper: Keeper, told: BackupTold) -> None:
        """Which backup a disk holds, or why it did not take the last one."""
        self._told[keeper.uuid] = told
        if told.what:
            self._alarm(ALARM_FAILED, keeper.path, told.what)
        elif keeper.uuid in self._writing:
            _log.info("disk %s holds backup %d", keeper.path, told.generation)
        self._writing.discard(keeper.uuid)

    def reply(self) -> bus_control.BackupsReply:
        """For `ask-backups`."""
        disks = []
        for keeper in self._keepers():
            told = self._told.get(keeper.uuid) if keeper.is_ready else None
            disks.append(
                bus_control.DiskBackup(
                    uuid=keeper.uuid,
                    path=keeper.path,
                    state=keeper.state,
                    room_bytes=None if told is None else told.room_bytes,
                    made_ns=None if told is None else told.made_ns,
                    length=0 if told is None else told.length,
                    generation=0 if told is None else told.generation,
                    what="" if told is None else told.what,
                    is_writing=keeper.is_ready and keeper.uuid in self._writing,
                )
            )
        is_making = self._task is not None
        return bus_control.BackupsReply(disks, self._has_key(), is_making, self._what)

    async def end(self) -> None:
        """Waits for one that is being made: it reads what is closed next."""
        if self._task is not None:
            await self._task

    # --- one backup -----------------------------------------------------------------------------

    def _start(self, keepers: list[Keeper]) -> None:
        self._task = asyncio.get_running_loop().create_task(self._make(keepers))

    async def _make(self, keepers: list[Keeper]) -> None:
        self._what = ""
        try:
            await self._hand_over(keepers, min(self._room_bytes(keeper) for keeper in keepers))
        except (VonggacError, OSError) as error:
            self._what = str(error)
            self._alarm(ALARM_FAILED, "home", str(error))
        finally:
            self._task = None

    async def _hand_over(self, keepers: list[Keeper], room_bytes: int) -> None:
        made_ns = self._wall()
        sealed = await asyncio.to_thread(backup_make.make, self._sources, room_bytes, made_ns)
        fd = backup_seal.in_memory(sealed)
        try:
            for keeper in keepers:
                if keeper.is_ready:
                    self._writing.add(keeper.uuid)
                    keeper.hand(Kind.BACKUP, Backup(made_ns), os.dup(fd))
        finally:
            os.close(fd)

    def _watch_age(self, boot: int) -> None:
        """Tells of a disk that has gone without for two days, whatever the cause."""
        for keeper in self._present():
            if self._clock.is_synced and self._holds_fresh(keeper):
                self._fresh_ns[keeper.uuid] = boot
            if boot - self._fresh_ns.setdefault(keeper.uuid, boot) <= _OVERDUE_NS:
                continue
            self._fresh_ns[keeper.uuid] = boot
            if self._room_bytes(keeper) and self._has_key():
                why = "" if self._clock.is_synced else "; the clock is not synchronised"
                self._alarm(ALARM_FAILED, keeper.path, f"no backup was written for two days{why}")

    def _complain_of_key(self, boot: int) -> None:
        """That there is none, once a day."""
        self._next_ns = boot + _MINUTE_NS
        is_due = boot >= self._complain_ns.get(ALARM_OFF, 0)
        if is_due and boot - self._started_ns >= _WITHOUT_KEY_NS:
            self._complain_ns[ALARM_OFF] = boot + _DAY_NS
            what = "nobody has made a recovery key, so the home is not backed up: "
            self._alarm(ALARM_OFF, "home", what + "sudo vonggac backup key")

    def _complain_of_places(self, keepers: list[Keeper], boot: int) -> None:
        """Of disks without one, once a day; the others are backed up to all the same."""
        for keeper in keepers:
            if boot >= self._complain_ns.get(keeper.uuid, 0):
                self._complain_ns[keeper.uuid] = boot + _DAY_NS
                what = "it was formatted without a place for backups; without a recorder: "
                why = self._told[keeper.uuid].what or f"{what}{PREPARE} {keeper.path}"
                self._alarm(ALARM_FAILED, keeper.path, why)

    def _present(self) -> list[Keeper]:
        """Disks that are recorded on and have told what they hold."""
        return [
            keeper
            for keeper in self._keepers()
            if keeper.is_ready and not keeper.is_draining and keeper.uuid in self._told
        ]

    def _room_bytes(self, keeper: Keeper) -> int:
        return self._told[keeper.uuid].room_bytes

    def _is_fresh(self, keeper: Keeper) -> bool:
        """Whether it has that of the night, or is being given it."""
        return keeper.uuid in self._writing or self._holds_fresh(keeper)

    def _holds_fresh(self, keeper: Keeper) -> bool:
        made_ns = self._told[keeper.uuid].made_ns
        return is_fresh(_local(made_ns), _moment(self._wall()), self._hour)

    def _has_key(self) -> bool:
        try:
            return backup_seal.public_of(self._sources.home) is not None
        except ConfigError as error:
            _log.error("%s", error)
            return False


def _local(ns: int | None) -> datetime | None:
    return None if ns is None else _moment(ns)


def _moment(ns: int) -> datetime:
    """With the box's offset; to the second is enough for an hour."""
    return datetime.fromtimestamp(ns // 1_000_000_000).astimezone()
