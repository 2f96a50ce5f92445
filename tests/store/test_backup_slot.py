"""The two slots of backups on a disk: the newest whole one counts, whatever was cut off."""

from __future__ import annotations

import errno
import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from store.maker import BOX, SMALL_BYTES, make_disk
from vonggac.errors import ConfigError, OutOfSpace, StorageError
from vonggac.store import backup_slot, disk
from vonggac.store.formatting import prepare_backup

DISK = bytes(range(16, 32))
SLOT_BYTES = 256 << 10
MADE_NS = 1_790_000_000_000_000_000


class Cut(Exception):
    """The power went."""


def free(_size: int) -> None:
    """No pace."""


@pytest.fixture
def place(tmp_path: Path) -> Iterator[tuple[Path, int]]:
    path = tmp_path / backup_slot.BACKUP_NAME
    path.write_bytes(bytes(2 * SLOT_BYTES))
    fd = os.open(path, os.O_RDWR)
    yield path, fd
    os.close(fd)


def write(
    fd: int, contents: bytes, made_ns: int = MADE_NS, take: backup_slot.Take = free
) -> backup_slot.Header:
    sealed = os.memfd_create("sealed")
    try:
        os.pwrite(sealed, contents, 0)
        return backup_slot.write(fd, DISK, BOX, made_ns, sealed, take)
    finally:
        os.close(sealed)


def test_what_was_written_is_read_with_when_and_whose_it_is(place: tuple[Path, int]) -> None:
    path, fd = place
    written = write(fd, b"first")
    assert written == backup_slot.Header(
        1, DISK, BOX, MADE_NS, 5, hashlib.sha256(b"first").digest()
    )
    assert backup_slot.read(path, DISK) == (written, b"first")
    assert backup_slot.read(path) == (written, b"first")
    assert backup_slot.newest(fd, DISK) == written
    assert path.stat().st_size == 2 * SLOT_BYTES


def test_slots_are_written_in_turn_and_the_newest_counts(place: tuple[Path, int]) -> None:
    path, fd = place
    for number in range(1, 6):
        assert write(fd, b"%d" % number).generation == number
        header, contents = backup_slot.read(path, DISK)
        assert (header.generation, contents) == (number, b"%d" % number)
    held = path.read_bytes()
    assert held[4096:4097] == b"4" and held[SLOT_BYTES + 4096 : SLOT_BYTES + 4097] == b"5"


def test_the_one_before_stays_whole_until_the_new_one_is(place: tuple[Path, int]) -> None:
    """Cut after every piece that is written or read back."""
    path, fd = place
    contents = os.urandom(SLOT_BYTES - 4096)
    before = write(fd, b"before")
    for cut_after in range(3):

        def cut(size: int, left: list[int] = [cut_after]) -> None:  # noqa: B006
            if not left[0]:
                raise Cut
            left[0] -= 1

        with pytest.raises(Cut):
            write(fd, contents, take=cut)
        assert backup_slot.read(path, DISK) == (before, b"before")
        assert backup_slot.newest(fd, DISK) == before
    assert write(fd, contents).generation == 2
    assert backup_slot.read(path, DISK)[1] == contents


@pytest.mark.parametrize("at", [0, 9, 20, 30, 47, 66, 72, 80, 110, 200], ids=str)
def test_a_header_with_a_wrong_byte_is_none(place: tuple[Path, int], at: int) -> None:
    path, fd = place
    before = write(fd, b"before")
    write(fd, b"after")
    byte = os.pread(fd, 1, at)
    os.pwrite(fd, bytes([byte[0] ^ 1]), at)  # generation 2 is in slot 0
    assert backup_slot.newest(fd, DISK) == before
    assert backup_slot.read(path, DISK) == (before, b"before")


def test_contents_with_a_wrong_byte_are_not_given_out(place: tuple[Path, int]) -> None:
    path, fd = place
    write(fd, b"before")
    write(fd, b"after!")
    os.pwrite(fd, b"x", 4096 + 2)
    assert backup_slot.read(path, DISK)[1] == b"before"
    os.pwrite(fd, b"x", SLOT_BYTES + 4096 + 2)
    with pytest.raises(ConfigError, match="no backup in it is whole"):
        backup_slot.read(path, DISK)


def make_unreadable(monkeypatch: pytest.MonkeyPatch, *bad: int) -> None:
    """Reads that touch these offsets fail, as a bad sector makes them fail; writes do not."""
    pread = os.pread

    def failing(fd: int, length: int, offset: int) -> bytes:
        is_place = os.fstat(fd).st_size == 2 * SLOT_BYTES
        if is_place and any(offset <= at < offset + length for at in bad):
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return pread(fd, length, offset)

    monkeypatch.setattr(os, "pread", failing)


@pytest.mark.parametrize("at", [0, 4096], ids=["header", "contents"])
def test_a_bad_sector_in_one_slot_does_not_hide_the_other(
    place: tuple[Path, int], monkeypatch: pytest.MonkeyPatch, at: int
) -> None:
    path, fd = place
    before = write(fd, b"before")
    write(fd, b"after")  # generation 2 is in slot 0
    make_unreadable(monkeypatch, at)
    assert backup_slot.read(path, DISK) == (before, b"before")
    make_unreadable(monkeypatch, at, SLOT_BYTES + at)
    with pytest.raises(ConfigError, match=r"Input/output error.*other disks"):
        backup_slot.read(path, DISK)


def test_a_header_that_cannot_be_read_is_written_over(
    place: tuple[Path, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    path, fd = place
    write(fd, b"before")
    write(fd, b"lost")
    with monkeypatch.context() as bad:
        make_unreadable(bad, 0)
        assert backup_slot.newest(fd, DISK) is not None
        assert write(fd, b"after").generation == 2
    assert backup_slot.read(path, DISK)[1] == b"after"


@pytest.mark.parametrize("is_readable", [True, False], ids=["wrong-byte", "bad-sector"])
def test_the_only_whole_one_is_not_written_over(
    place: tuple[Path, int], monkeypatch: pytest.MonkeyPatch, is_readable: bool
) -> None:
    path, fd = place
    before = write(fd, b"before")
    write(fd, b"after!")  # generation 2 is in slot 0
    os.pwrite(fd, b"x", 4096)

    def cut(size: int) -> None:
        if size == 4:
            raise Cut

    with monkeypatch.context() as bad:
        if not is_readable:
            make_unreadable(bad, 4096)
        with pytest.raises(Cut):
            write(fd, b"next", take=cut)
    assert backup_slot.read(path, DISK) == (before, b"before")
    assert write(fd, b"next").generation == 2, "the damaged one has no header any more"
    assert backup_slot.read(path, DISK)[1] == b"next"


def test_another_disks_backup_and_none_at_all_are_told_apart(place: tuple[Path, int]) -> None:
    path, fd = place
    with pytest.raises(ConfigError, match="holds no backup yet"):
        backup_slot.read(path)
    write(fd, b"x")
    with pytest.raises(ConfigError, match="holds no backup yet"):
        backup_slot.read(path, bytes(16))
    assert backup_slot.newest(fd, bytes(16)) is None


def test_what_does_not_fit_changes_nothing(place: tuple[Path, int]) -> None:
    path, fd = place
    before = write(fd, bytes(backup_slot.room_bytes(SLOT_BYTES)))
    held = path.read_bytes()
    with pytest.raises(OutOfSpace):
        write(fd, bytes(backup_slot.room_bytes(SLOT_BYTES) + 1))
    assert path.read_bytes() == held
    assert backup_slot.newest(fd, DISK) == before


def test_a_file_of_another_size_is_no_place(tmp_path: Path) -> None:
    for size in (0, 4096, SLOT_BYTES, 2 * SLOT_BYTES + 1):
        path = tmp_path / "file"
        path.write_bytes(bytes(size))
        with pytest.raises(StorageError, match="no size of two slots"):
            backup_slot.read(path)


@pytest.mark.parametrize(
    ("capacity_bytes", "slot_bytes"),
    [(160 << 20, 256 << 10), (1 << 30, 1 << 20), (100 << 30, 32 << 20), (16 << 40, 32 << 20)],
)
def test_the_place_is_a_small_share_of_the_disk(capacity_bytes: int, slot_bytes: int) -> None:
    assert backup_slot.file_bytes(capacity_bytes) == 2 * slot_bytes


def test_a_disk_has_the_place_from_its_format_on(tmp_path: Path) -> None:
    identity = make_disk(tmp_path / "disk")
    place = tmp_path / "disk" / backup_slot.BACKUP_NAME
    state = place.stat()
    expected = backup_slot.file_bytes(identity.segments * identity.segment_bytes)
    assert state.st_size == expected and state.st_blocks * 512 >= expected
    assert state.st_mode & 0o777 == 0o640
    with pytest.raises(ConfigError, match="holds no backup yet"):
        backup_slot.read(place)


def test_a_disk_without_the_place_gets_it_once(tmp_path: Path) -> None:
    make_disk(tmp_path / "disk", SMALL_BYTES)
    place = tmp_path / "disk" / backup_slot.BACKUP_NAME
    size = place.stat().st_size
    place.unlink()
    place.with_suffix(".new").write_bytes(b"of one that was interrupted")
    with disk.open_disk(tmp_path / "disk", BOX, exclusive=True) as opened:
        assert prepare_backup(opened)
        assert place.stat().st_size == size
        assert not place.with_suffix(".new").exists()
        assert not prepare_backup(opened)
