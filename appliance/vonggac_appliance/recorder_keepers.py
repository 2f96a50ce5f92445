"""What keepers say to a recorder, and whom that concerns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Protocol

from vonggac_appliance import bus_events
from vonggac_appliance.backup_courier import BackupCourier
from vonggac_appliance.camera_session import StreamSession
from vonggac_appliance.clock_watch import ClockWatch
from vonggac_appliance.disks import Disks
from vonggac_appliance.events import Publisher
from vonggac_appliance.keepers import Keeper
from vonggac_appliance.lock_courier import LockCourier
from vonggac_appliance.loops import LoopHandle
from vonggac_appliance.messages_keeper import (
    BackupTold,
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

__all__ = ["KeeperNews"]


class Around(Protocol):
    """What the news of keepers concern."""

    roster: Roster
    disks: Disks
    clock: ClockWatch
    heads: Heads
    locks: LockCourier
    retention: RetentionCourier
    scrubs: ScrubWatch
    backups: BackupCourier
    publisher: Publisher
    is_ending: bool

    @property
    def loops(self) -> list[LoopHandle]: ...
    @property
    def sessions(self) -> Mapping[bytes, StreamSession]: ...
    def run_seen(self, run: int) -> None: ...
    def alarm(self, kind: str, subject: str, what: str) -> None: ...


class KeeperNews:
    """Who hears keepers (keeper_hears.Hears)."""

    def __init__(self, around: Around) -> None:
        self._around = around

    def alarm(self, kind: str, subject: str, what: str) -> None:
        """Something a person has to look at."""
        self._around.alarm(kind, subject, what)

    def keeper_ready(self, keeper: Keeper, ready: KeeperReady) -> None:
        """Its streams are known again, and it takes loops."""
        self._around.locks.ready(keeper)
        self._around.retention.ready(keeper)
        self._around.backups.ready(keeper)
        self._around.run_seen(ready.last_run)
        newest = [end for end in ready.streams if self._around.roster.is_newest(end)]
        for end in newest:
            self._around.roster.ends[end.stream] = end
            if (session := self._around.sessions.get(end.stream)) is not None:
                session.known(end)
        if ready.streams:
            self._around.clock.recorded(max(ready.streams, key=lambda end: end.run).wall_end_ns)
        if ready.suspect:
            what = "a sync failed on it before; watch it, and replace it soon"
            self.alarm("disk-suspect", keeper.path, what)
        self._around.disks.streams.known(keeper, [end.stream for end in newest])
        for loop in self._around.loops:
            loop.connect(keeper)
        self._around.disks.streams.gather()
        for session in self._around.sessions.values():
            session.disk_ready()

    def keeper_durable(self, keeper: Keeper, durable: Durable) -> None:
        """A sync completed."""
        self._around.heads.note(durable.disk, durable.streams)
        for end in durable.streams:
            self._around.roster.ends[end.stream] = end
            if (session := self._around.sessions.get(end.stream)) is not None:
                session.durable(end)
        ends = [(end.stream, end.wall_end_ns) for end in durable.streams]
        disk = durable.disk.hex()
        self._around.publisher.send(
            bus_events.DurableTick(disk, durable.tick_ms, durable.bytes_written, ends)
        )

    def keeper_sealed(self, keeper: Keeper, sealed: Sealed) -> None:
        """A segment is full."""
        event = bus_events.SegmentSealed(
            sealed.disk.hex(),
            sealed.segment,
            sealed.stream,
            sealed.wall_start_ns,
            sealed.wall_end_ns,
        )
        self._around.publisher.send(event)

    def keeper_scrubbed(self, keeper: Keeper, scrubbed: Scrubbed) -> None:
        """It read old footage again."""
        self._around.scrubs.note(keeper.path, scrubbed)

    def keeper_drained(self, keeper: Keeper, drained: Loop) -> None:
        """A dead loop's chunks are through."""
        if drained.loop < len(self._around.loops):
            self._around.loops[drained.loop].drained(keeper.slot, drained.incarnation)

    def keeper_retention(self, keeper: Keeper, told: RetentionTold) -> None:
        """What its disk holds, and how long it will."""
        self._around.retention.told(keeper, told)

    def keeper_tombstones(self, keeper: Keeper, tombstones: Tombstones) -> None:
        """What it has given up."""
        self._around.retention.tombstones(keeper, tombstones)

    def keeper_locks(self, keeper: Keeper, told: LocksDurable) -> None:
        """Which locks are safe on its disk."""
        self._around.locks.durable(keeper, told)

    def keeper_backup(self, keeper: Keeper, told: BackupTold) -> None:
        """Which backup of the home its disk holds."""
        self._around.backups.told(keeper, told)

    def keeper_state(self, keeper: Keeper) -> None:
        """Its disk changed."""
        self._around.publisher.send(
            bus_events.DiskChanged(keeper.uuid, keeper.path, keeper.state, keeper.what)
        )
        if keeper.state == "failed":
            self._around.disks.streams.gather()
            self.alarm("disk-failed", keeper.path, keeper.what)
        elif keeper.state == "hung":
            self.alarm("disk-hung", keeper.path, keeper.what)
        elif keeper.state == "slow":
            self.alarm("disk-slow", keeper.path, keeper.what)
        elif keeper.state == "down" and not self._around.is_ending:
            self.alarm("keeper-crashed", keeper.path, keeper.what)

    def open_gaps_of(self, keeper: Keeper) -> Iterator[GapOpen]:
        """For the journal of a keeper that may have missed some while it was down."""
        for session in self._around.sessions.values():
            if (
                self._around.disks.streams.of(session.stream.id) is not keeper
                or session.is_recording
            ):
                continue
            if (message := session.gap_message()) is not None:
                yield message

    def keeper_hangs(self, keeper: Keeper) -> None:
        """What it writes does not end."""
        self._around.disks.streams.hangs(keeper)

    def is_needed(self, keeper: Keeper) -> bool:
        """Whether no other disk can be written."""
        return self._around.disks.streams.is_needed(keeper)
