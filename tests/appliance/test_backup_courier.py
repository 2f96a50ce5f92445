"""When backups are made, by clocks that the test sets, and who is told what."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from pathlib import Path

import msgspec
import pytest

from audit_rig import audit_run
from vonggac.errors import Refused
from vonggac.registry.catalog import Catalog
from vonggac_appliance import backup_archive, backup_seal
from vonggac_appliance.backup_courier import BackupCourier
from vonggac_appliance.backup_make import BackupSources
from vonggac_appliance.messages import Kind
from vonggac_appliance.messages_keeper import Backup, BackupTold

HANOI = timezone(timedelta(hours=7))
SECOND_NS = 1_000_000_000
HOUR_NS = 3600 * SECOND_NS
ROOM_BYTES = 1 << 20


def at(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 11, day, hour, minute, tzinfo=HANOI)


@dataclass(slots=True)
class Disk:
    """A keeper as the courier sees it; `got` are backups on their way to it."""

    uuid: str
    path: str
    is_ready: bool = True
    is_draining: bool = False
    state: str = "recording"
    got: list[tuple[int, bytes]] = field(default_factory=list)

    def hand(self, kind: Kind, body: msgspec.Struct, fd: int) -> None:
        assert kind is Kind.BACKUP and isinstance(body, Backup)
        self.got.append((body.made_ns, os.pread(fd, os.fstat(fd).st_size, 0)))
        os.close(fd)

    def told(self, made_ns: int | None, what: str = "", room_bytes: int = ROOM_BYTES) -> BackupTold:
        return BackupTold(bytes(16), room_bytes, made_ns, 1, 1, what)


@dataclass(slots=True)
class Nights:
    """A courier whose clocks stand still until the test moves them."""

    home: Path
    catalog: Catalog
    disks: list[Disk]
    wall_ns: int = int(at(20, 12).timestamp()) * SECOND_NS
    boot_ns: int = 0
    is_synced: bool = True
    alarms: list[tuple[str, str]] = field(default_factory=list)
    sentences: list[str] = field(default_factory=list)
    courier: BackupCourier = field(init=False)
    key: str = ""

    def __post_init__(self) -> None:
        self.courier = BackupCourier(
            BackupSources(self.home, self.catalog.box_id, self.catalog.copy_to),
            3,
            lambda: self.disks,  # type: ignore[arg-type,return-value]
            self,
            self.alarm,
            wall=lambda: self.wall_ns,
            boot=lambda: self.boot_ns,
        )

    def alarm(self, kind: str, subject: str, sentence: str) -> None:
        self.alarms.append((kind, subject))
        self.sentences.append(sentence)

    def make_key(self) -> None:
        self.key, public = backup_seal.new_key()
        backup_seal.keep_public(self.home, public, replaces=False)

    def told_all(self, made_ns: int | None) -> None:
        for disk in self.disks:
            self.courier.told(disk, disk.told(made_ns))  # type: ignore[arg-type]

    async def step(self, hours: float, until: Callable[[], bool] = lambda: False) -> None:
        """Moves both clocks on, a minute at a time; what is begun is waited for."""
        for _ in range(round(hours * 60)):
            self.wall_ns += 60 * SECOND_NS
            self.boot_ns += 60 * SECOND_NS
            self.courier.turn()
            await self.courier.end()
            if until():
                return

    def opened(self, disk: Disk) -> backup_archive.Manifest:
        """The newest that the disk got."""
        sealed = disk.got[-1][1]
        return backup_archive.unpack(backup_seal.unseal(sealed, backup_seal.key_of(self.key)))[0]


@pytest.fixture(autouse=True)
def _hanoi(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "Asia/Ho_Chi_Minh")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.fixture
def nights(home: Path) -> Iterator[Nights]:
    with Catalog(home) as catalog:
        yield Nights(home, catalog, [Disk("a1", "/srv/a"), Disk("b2", "/srv/b")])


def test_every_night_every_disk_gets_one(nights: Nights) -> None:
    async def live() -> None:
        nights.make_key()
        nights.told_all(None)
        await nights.step(0.5)
        for disk in nights.disks:
            assert len(disk.got) == 1, "the first comes at once"
        nights.told_all(nights.wall_ns)
        for night in range(2, 5):
            await nights.step(24, lambda: len(nights.disks[0].got) == night)  # noqa: B023
            moment = datetime.fromtimestamp(nights.wall_ns / SECOND_NS, HANOI)
            assert (moment.hour, moment.minute) == (3, 0)
            nights.told_all(nights.wall_ns)
        assert [len(disk.got) for disk in nights.disks] == [4, 4]
        assert nights.opened(nights.disks[1]).box == nights.catalog.box_id.hex()
        assert nights.alarms == []

    asyncio.run(live())


def test_the_recorders_first_minute_is_for_cameras(nights: Nights) -> None:
    async def live() -> None:
        nights.make_key()
        nights.told_all(None)
        nights.boot_ns += 59 * SECOND_NS
        nights.courier.turn()
        await nights.courier.end()
        assert nights.disks[0].got == []

    asyncio.run(live())


def test_without_a_clock_that_is_kept_none_is_begun_and_two_days_later_a_person_is_told(
    nights: Nights,
) -> None:
    async def live() -> None:
        nights.make_key()
        nights.told_all(None)
        nights.is_synced = False
        await nights.step(47)
        assert nights.alarms == [] and nights.disks[0].got == []
        await nights.step(2)
        assert nights.alarms == [("backup-failed", "/srv/a"), ("backup-failed", "/srv/b")]
        nights.is_synced = True
        await nights.step(25)
        assert len(nights.disks[0].got) == 1

    asyncio.run(live())


def test_a_disk_that_was_away_at_night_gets_it_when_it_is_back(nights: Nights) -> None:
    async def live() -> None:
        nights.make_key()
        first, second = nights.disks
        second.is_ready = False
        nights.courier.told(first, first.told(None))  # type: ignore[arg-type]
        await nights.step(1)
        nights.courier.told(first, first.told(nights.wall_ns))  # type: ignore[arg-type]
        await nights.step(3)
        assert (len(first.got), len(second.got)) == (1, 0)
        second.is_ready = True
        nights.courier.ready(second)  # type: ignore[arg-type]
        nights.courier.told(second, second.told(None))  # type: ignore[arg-type]
        await nights.step(2)
        assert (len(first.got), len(second.got)) == (1, 1)

    asyncio.run(live())


def test_what_failed_is_an_alarm_and_is_tried_again_after_an_hour(nights: Nights) -> None:
    async def live() -> None:
        nights.make_key()
        nights.told_all(None)
        await nights.step(0.1)
        first, second = nights.disks
        nights.courier.told(first, first.told(nights.wall_ns))  # type: ignore[arg-type]
        nights.courier.told(second, second.told(None, "Input/output error"))  # type: ignore[arg-type]
        assert nights.alarms == [("backup-failed", "/srv/b")]
        await nights.step(0.9)
        assert len(second.got) == 1
        await nights.step(0.3)
        assert (len(first.got), len(second.got)) == (1, 2)

    asyncio.run(live())


def test_a_disk_that_never_ends_writing_is_told_of(nights: Nights) -> None:
    async def live() -> None:
        nights.make_key()
        nights.told_all(None)
        await nights.step(0.5)
        first, second = nights.disks
        for _ in range(3):
            nights.courier.told(first, first.told(nights.wall_ns))  # type: ignore[arg-type]
            await nights.step(24)
        assert nights.alarms == [("backup-failed", "/srv/b")]
        assert (len(first.got), len(second.got)) == (4, 1)

    asyncio.run(live())


def test_without_a_recovery_key_nothing_is_made_and_a_person_is_told(nights: Nights) -> None:
    async def live() -> None:
        nights.told_all(None)
        await nights.step(0.9)
        assert nights.alarms == [], "whoever sets the box up is about to make one"
        await nights.step(1)
        assert nights.alarms == [("backup-off", "home")]
        await nights.step(23)
        assert nights.alarms == [("backup-off", "home")]
        assert nights.disks[0].got == []
        assert not nights.courier.reply().has_key
        with pytest.raises(Refused, match="vonggac backup key"):
            nights.courier.begin()

    asyncio.run(live())


def test_without_a_key_and_without_a_place_it_is_the_key_that_is_told_of(nights: Nights) -> None:
    """As after an update from a program that knew no backups."""

    async def live() -> None:
        for disk in nights.disks:
            nights.courier.told(disk, disk.told(None, room_bytes=0))  # type: ignore[arg-type]
        await nights.step(2)
        assert nights.alarms == [("backup-off", "home")]
        nights.make_key()
        await nights.step(0.1)
        assert nights.alarms[1:] == [("backup-failed", "/srv/a"), ("backup-failed", "/srv/b")]

    asyncio.run(live())


def test_a_place_that_cannot_be_used_is_told_of_with_its_reason(nights: Nights) -> None:
    async def live() -> None:
        nights.make_key()
        disk = nights.disks[0]
        told = disk.told(None, "backup has 7 bytes", room_bytes=0)
        nights.courier.told(disk, told)  # type: ignore[arg-type]
        await nights.step(25)
        assert nights.sentences == ["backup has 7 bytes"] * 3, "when it was told, and once a day"

    asyncio.run(live())


def test_a_disk_without_a_place_is_told_of_once_a_day_and_the_others_get_theirs(
    nights: Nights,
) -> None:
    async def live() -> None:
        nights.make_key()
        first, second = nights.disks
        nights.courier.told(first, first.told(None))  # type: ignore[arg-type]
        nights.courier.told(second, second.told(None, room_bytes=0))  # type: ignore[arg-type]
        await nights.step(0.5)
        nights.courier.told(first, first.told(nights.wall_ns))  # type: ignore[arg-type]
        await nights.step(20)
        assert (len(first.got), len(second.got)) == (2, 0)
        assert set(nights.alarms) == {("backup-failed", "/srv/b")} and len(nights.alarms) == 1

    asyncio.run(live())


def test_a_disk_that_is_drained_gets_none(nights: Nights) -> None:
    async def live() -> None:
        nights.make_key()
        nights.disks[1].is_draining = True
        nights.told_all(None)
        await nights.step(0.5)
        assert [len(disk.got) for disk in nights.disks] == [1, 0]

    asyncio.run(live())


def test_one_now_goes_to_every_disk_also_without_a_clock(nights: Nights) -> None:
    async def live() -> None:
        nights.make_key()
        with pytest.raises(Refused, match="no disk can take a backup"):
            nights.courier.begin()
        nights.told_all(nights.wall_ns)
        nights.is_synced = False
        nights.courier.begin()
        with pytest.raises(Refused, match="being made already"):
            nights.courier.begin()
        assert nights.courier.reply().is_making
        await nights.courier.end()
        reply = nights.courier.reply()
        assert [disk.is_writing for disk in reply.disks] == [True, True] and not reply.is_making
        with pytest.raises(Refused, match="being written already"):
            nights.courier.begin()
        nights.told_all(nights.wall_ns)
        assert not any(disk.is_writing for disk in nights.courier.reply().disks)

    asyncio.run(live())


def test_the_chains_last_lines_come_sealed_from_its_writer(nights: Nights) -> None:
    async def live() -> None:
        nights.make_key()
        nights.told_all(None)
        nights.courier.begin()
        await nights.courier.end()
        assert nights.opened(nights.disks[0]).audit is None, "`audit run` was down"
        nights.told_all(nights.wall_ns)
        with audit_run(nights.home):
            nights.courier.begin()
            await nights.courier.end()
        log = (nights.home / "audit" / "log.jsonl").read_bytes()
        audit = nights.opened(nights.disks[0]).audit
        assert audit is not None
        assert (audit.lines, audit.tail_from) == (log.count(b"\n"), 1)
        key = backup_seal.key_of(nights.key)
        sealed = nights.disks[0].got[-1][1]
        files = backup_archive.unpack(backup_seal.unseal(sealed, key))[1]
        assert log not in files[backup_archive.AUDIT_TAIL]

    asyncio.run(live())


def test_a_home_that_is_too_large_for_its_disks_is_told(nights: Nights) -> None:
    async def live() -> None:
        nights.make_key()
        for disk in nights.disks:
            told = disk.told(None, room_bytes=100)
            nights.courier.told(disk, told)  # type: ignore[arg-type]
        await nights.step(0.1)
        assert nights.alarms == [("backup-failed", "home")]
        assert "a disk has room for 100" in nights.courier.reply().what

    asyncio.run(live())
