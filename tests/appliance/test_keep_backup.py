"""A keeper's chore that writes backups: what it takes, what it tells, what it holds up."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import pytest

from crash.keeper_peer import Arena, KeeperPeer
from store.maker import BOX, Bench, FakeStream, make_disk
from vonggac.store import backup_slot
from vonggac_appliance import backup_seal, sockets
from vonggac_appliance.keep_backup import KeepBackup
from vonggac_appliance.keep_chores import Desk
from vonggac_appliance.messages import Kind
from vonggac_appliance.messages_keeper import Backup, BackupTold

MADE_NS = 1_790_000_000_000_000_000
FAST_BYTES = 1 << 40
DEADLINE_S = 60.0


@dataclass(slots=True)
class Keeping:
    """A disk whose keeper has no other duty."""

    where: Path
    bench: Bench
    said: list[BackupTold] = field(default_factory=list)

    def chore(self, rate_bytes: int = FAST_BYTES) -> KeepBackup:
        def say(kind: Kind, body: msgspec.Struct) -> None:
            assert kind is Kind.BACKUP_TOLD
            assert isinstance(body, BackupTold)
            self.said.append(body)

        return KeepBackup(Desk(self.bench.ring, self.where, say, lambda: None), rate_bytes)

    def told(self, chore: KeepBackup, count: int = 1) -> BackupTold:
        """The last of so many more that it says."""
        whole = len(self.said) + count
        until_s = time.monotonic() + DEADLINE_S
        while len(self.said) < whole:
            assert time.monotonic() < until_s, self.said
            chore.turn(time.monotonic())
            time.sleep(0.005)  # nothing tells that the thread is done
        return self.said[-1]

    @property
    def place(self) -> Path:
        return self.where / backup_slot.BACKUP_NAME


@pytest.fixture
def keeping(tmp_path: Path) -> Iterator[Keeping]:
    where = tmp_path / "disk"
    make_disk(where)
    bench = Bench.open(where)
    yield Keeping(where, bench)
    bench.crash()


def give(chore: KeepBackup, contents: bytes, fds: Sequence[int] | None = None) -> None:
    own = [backup_seal.in_memory(contents)] if fds is None else list(fds)
    body = msgspec.msgpack.encode(Backup(MADE_NS))
    message = sockets.Message(Kind.BACKUP, 0, body, tuple(own))
    chore.obeys[Kind.BACKUP](message)
    message.close_fds()


def test_it_tells_what_the_disk_holds_and_what_it_wrote(keeping: Keeping) -> None:
    chore = keeping.chore()
    first = keeping.told(chore)
    assert (first.made_ns, first.what) == (None, "")
    assert first.room_bytes == keeping.place.stat().st_size // 2 - 4096
    give(chore, b"sealed")
    told = keeping.told(chore)
    assert (told.made_ns, told.length, told.generation, told.what) == (MADE_NS, 6, 1, "")
    assert backup_slot.read(keeping.place)[1] == b"sealed"
    chore.close()
    again = keeping.chore()
    assert keeping.told(again) == told, "the next keeper knows it"
    again.close()


def test_what_does_not_fit_is_told_and_the_one_before_stays(keeping: Keeping) -> None:
    chore = keeping.chore()
    give(chore, b"before")
    give(chore, bytes(keeping.place.stat().st_size))
    told = keeping.told(chore, 3)
    assert "a slot takes" in told.what and told.generation == 1
    assert backup_slot.read(keeping.place)[1] == b"before"
    chore.close()


def test_a_disk_without_a_place_says_so_and_gets_no_file(keeping: Keeping) -> None:
    keeping.place.unlink()
    chore = keeping.chore()
    assert keeping.told(chore).room_bytes == 0
    give(chore, b"sealed")
    assert "vonggac disk prepare-backup" in keeping.told(chore).what
    assert not keeping.place.exists()
    chore.close()


def test_what_its_sender_could_still_change_is_not_written(keeping: Keeping) -> None:
    chore = keeping.chore()
    keeping.told(chore)
    open_memory = os.memfd_create("open")
    file = os.open("/dev/null", os.O_RDONLY)
    for fds in ([open_memory], [file], []):
        give(chore, b"", fds)
    give(chore, b"sealed")
    assert keeping.told(chore).generation == 1
    chore.close()


def test_a_keeper_that_ends_leaves_what_it_was_writing(keeping: Keeping) -> None:
    chore = keeping.chore(rate_bytes=1)
    keeping.told(chore)
    before = len(os.listdir("/proc/self/fd"))
    give(chore, b"for days")
    begun_s = time.monotonic()
    chore.close()
    assert time.monotonic() - begun_s < DEADLINE_S / 2
    until_s = time.monotonic() + DEADLINE_S
    while len(os.listdir("/proc/self/fd")) > before:
        assert time.monotonic() < until_s
        time.sleep(0.005)  # nothing tells that the thread has ended
    fd = os.open(keeping.place, os.O_RDONLY)
    assert backup_slot.newest(fd, keeping.bench.disk.identity.disk) is None
    os.close(fd)


def test_a_real_keeper_writes_one_while_it_records(tmp_path: Path) -> None:
    """Ticks go on while the backup is on its way, which takes seconds at its pace."""
    where = tmp_path / "disk"
    make_disk(where)
    contents = os.urandom(200_000)
    arena = Arena.make()
    keeper = KeeperPeer(where, tmp_path, arena)
    ready = keeper.ready()
    stream = FakeStream(1)
    stream.begin(7)
    keeper.expect(1)
    keeper.connect()
    fd = backup_seal.in_memory(contents)
    sockets.send(keeper.control, Kind.BACKUP, Backup(MADE_NS), fds=[fd])
    os.close(fd)
    told: BackupTold | None = None
    until_s = time.monotonic() + DEADLINE_S
    while told is None or told.generation == 0:
        assert time.monotonic() < until_s
        keeper.tick([stream.chunk(10_000)])
        keeper.read(0.2)
        message = sockets.recv(keeper.control)
        message.close_fds()
        if message.kind == Kind.BACKUP_TOLD:
            told = sockets.decode(message, BackupTold)
    header, held = backup_slot.read(where / backup_slot.BACKUP_NAME, ready.disk)
    assert (header.box, header.made_ns, held) == (BOX, MADE_NS, contents)
    assert keeper.acknowledged or keeper.read(DEADLINE_S)
    keeper.kill()
    arena.close()


def test_a_keeper_that_is_killed_while_it_writes_leaves_a_whole_one(tmp_path: Path) -> None:
    where = tmp_path / "disk"
    make_disk(where)
    place = where / backup_slot.BACKUP_NAME
    contents = {number: os.urandom(250_000) for number in range(1, 5)}
    arena = Arena.make()
    whole = 0
    for number, data in contents.items():
        keeper = KeeperPeer(where, tmp_path, arena)
        keeper.ready()
        told = sockets.decode(keeper.heard(Kind.BACKUP_TOLD), BackupTold)
        assert told.generation == whole, "what was whole is known again"
        fd = backup_seal.in_memory(data)
        sockets.send(keeper.control, Kind.BACKUP, Backup(number), fds=[fd])
        os.close(fd)
        if number == 1:
            keeper.heard(Kind.BACKUP_TOLD)
        else:
            time.sleep(0.05 * (number - 1))  # a quarter of a second is what it takes to write
        keeper.kill()
        header, held = backup_slot.read(place)
        assert held == contents[header.made_ns] and header.generation >= whole
        whole = header.generation
    arena.close()
