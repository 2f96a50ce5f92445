"""A disk of the ring: its identity, its preallocated files, its lock. docs/design/storage.md has
the layout.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import secrets
import shutil
import stat
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

from vonggac._native import ring as native_ring
from vonggac.errors import ConfigError, StorageError, Unavailable
from vonggac.store import backup_slot, index, journal
from vonggac.store.archive import Archive

FORMAT_VERSION = 1
IDENTITY_NAME = "vonggac-disk.json"
JOURNAL_NAME = "journal"
INDEX_NAME = "index"
SEGMENTS_NAME = "segments"
SEGMENTS_A_FOLDER = 10_000
SEGMENT_BYTES_MIN = 16 << 20
SEGMENT_BYTES_MAX = 1 << 30
SEGMENT_BYTES_DEFAULT = 32 << 20
SEGMENTS_MIN = 8
_NO_LINK = os.O_CLOEXEC | os.O_NOFOLLOW
"""Nobody made a link here: on somebody else's disk one would show what lies elsewhere."""
_UNITS = {"K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}


def parse_size(text: str) -> int:
    """Bytes of a size as people write it: a whole number and K, M, G or T (powers of 1024)."""
    number, unit = text[:-1], text[-1:].upper()
    if unit.isdigit():
        number, unit = text, ""
    if not (number.isascii() and number.isdigit()) or (unit and unit not in _UNITS):
        raise ConfigError(f"{text!r} is no size: a whole number and K, M, G or T, as in 100G")
    return int(number) * _UNITS.get(unit, 1)


@dataclass(frozen=True, slots=True)
class Identity:
    """What vonggac-disk.json says."""

    disk: bytes
    box: bytes
    segment_bytes: int
    segments: int
    era: int
    """Raised by a rebuild: epochs are era << 40 | n, so none is ever used twice."""

    def to_json(self) -> bytes:
        facts = {
            "format": FORMAT_VERSION,
            "disk": self.disk.hex(),
            "box": self.box.hex(),
            "segment_bytes": self.segment_bytes,
            "segments": self.segments,
            "era": self.era,
        }
        return json.dumps(facts, indent=1).encode() + b"\n"

    @classmethod
    def from_json(cls, text: bytes, where: Path) -> Self:
        try:
            facts = json.loads(text)
            version = int(facts["format"])
            if version > FORMAT_VERSION:
                raise ConfigError(
                    f"{where}: format {version} is newer than this program knows "
                    f"({FORMAT_VERSION}); install the newer vonggac"
                )
            found = cls(
                disk=bytes.fromhex(facts["disk"]),
                box=bytes.fromhex(facts["box"]),
                segment_bytes=int(facts["segment_bytes"]),
                segments=int(facts["segments"]),
                era=int(facts["era"]),
            )
        except (ValueError, KeyError, TypeError, OverflowError, RecursionError) as error:
            raise ConfigError(f"{where} is damaged: {error}") from error
        is_possible = 0 < found.era < 1 << 24 and 0 < found.segments < 1 << 32
        if len(found.disk) != 16 or len(found.box) != 16 or not is_possible:
            raise ConfigError(f"{where} is damaged: a disk, box, era or count that cannot be")
        _check_segment_bytes(found.segment_bytes)
        return found


@dataclass(slots=True)
class Disk:
    """A formatted disk.

    `lock_fd` is held until close(): exclusive for a keeper, shared for readers.
    """

    path: Path
    identity: Identity
    lock_fd: int

    def segment_path(self, number: int) -> Path:
        return segment_path(self.path, number)

    def open_segment(self, number: int, writable: bool, direct: bool = False) -> int:
        """A descriptor of a segment; the caller closes it. `direct`: past the page cache."""
        where = self.segment_path(number)
        mode = (os.O_RDWR if writable else os.O_RDONLY) | (os.O_DIRECT if direct else 0)
        try:
            fd = os.open(where, mode | _NO_LINK)
        except OSError as error:
            raise StorageError(f"{where} cannot be opened: {error.strerror}") from error
        size = os.fstat(fd).st_size
        if size != self.identity.segment_bytes:
            os.close(fd)
            raise StorageError(f"{where} has {size} bytes, not {self.identity.segment_bytes}")
        return fd

    def open_journal(self, writable: bool) -> int:
        where = self.path / JOURNAL_NAME
        try:
            return os.open(where, (os.O_RDWR if writable else os.O_RDONLY) | _NO_LINK)
        except OSError as error:
            raise StorageError(f"{where} cannot be opened: {error.strerror}") from error

    def index_path(self) -> Path:
        return self.path / INDEX_NAME

    def index_bytes(self) -> int:
        return index.map_bytes(self.identity.segments, self.identity.segment_bytes)

    def raise_era(self) -> None:
        """Before a rebuild hands out epochs: what it did not find can never be taken for new."""
        self.identity = replace(self.identity, era=self.identity.era + 1)
        _write_durably(self.path / IDENTITY_NAME, self.identity.to_json())

    def close(self) -> None:
        if self.lock_fd >= 0:
            os.close(self.lock_fd)
            self.lock_fd = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


def segment_path(disk: Path, number: int) -> Path:
    """Where a segment lies (docs/design/storage.md)."""
    return disk / SEGMENTS_NAME / f"{number // SEGMENTS_A_FOLDER:04d}" / f"{number:08d}.mp4"


def open_disk(
    path: Path, box: bytes | None = None, *, exclusive: bool, wait_seconds: float = 0.0
) -> Disk:
    """Reads the identity and takes the lock. `box`: refuse another box's disk; None: any.

    Raises ConfigError for what only a person can fix, Unavailable when another holds the lock.
    """
    where = path / IDENTITY_NAME
    if not path.is_dir():
        raise ConfigError(f"{path} is not there: is the disk mounted?")
    try:
        fd = os.open(where, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError as error:
        raise ConfigError(
            f"{path} is no vonggac disk: {IDENTITY_NAME} is missing "
            f"(a new one is made by `vonggac disk format {path} --size …`; is it mounted?)"
        ) from error
    except OSError as error:
        raise ConfigError(f"{where} cannot be read: {error.strerror}") from error
    try:
        _lock(fd, path, exclusive, wait_seconds)
        with open(where, "rb") as file:
            identity = Identity.from_json(file.read(1 << 16), where)
        _check_count(path, identity.segments)
        if box is not None and identity.box != box:
            raise ConfigError(
                f"{path} belongs to another box ({identity.box.hex()}, this one is {box.hex()}): "
                "nothing was written to it"
            )
        if exclusive and os.statvfs(path).f_flag & os.ST_RDONLY:
            raise ConfigError(
                f"{path} is mounted read-only and cannot be written: after errors Linux does that "
                "by itself (journalctl -k); nothing was changed"
            )
    except BaseException:
        os.close(fd)
        raise
    return Disk(path, identity, fd)


def _check_count(path: Path, segments: int) -> None:
    """With fewer segments than there are the others would be forgotten, with more there is no
    room for what is promised.
    """
    is_last_there = segment_path(path, segments - 1).exists()
    if not is_last_there or segment_path(path, segments).exists():
        what = "more" if is_last_there else "fewer"
        raise ConfigError(
            f"{path / IDENTITY_NAME} is damaged: it says {segments} segments, and there are {what}"
        )


def _lock(fd: int, path: Path, exclusive: bool, wait_seconds: float) -> None:
    kind = fcntl.LOCK_EX if exclusive else fcntl.LOCK_SH
    deadline = time.monotonic() + wait_seconds
    while True:
        try:
            fcntl.flock(fd, kind | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if time.monotonic() >= deadline:
                break
        # flock has no timeout of its own, and an alarm signal would not be a library's business
        time.sleep(0.05)
    raise Unavailable(f"{path} is in use by another recorder or command")


def format_disk(
    path: Path, size_bytes: int, box: bytes, segment_bytes: int = SEGMENT_BYTES_DEFAULT
) -> Identity:
    """Makes every file the recorder will ever write here, all within `size_bytes`."""
    _check_segment_bytes(segment_bytes)
    count = _segments_within(size_bytes, segment_bytes)
    if count < SEGMENTS_MIN:
        raise ConfigError(
            f"{size_bytes} bytes are too few: {SEGMENTS_MIN} segments of {segment_bytes} bytes, "
            "index, journal and backup must find room"
        )
    _check_place(path, size_bytes)
    identity = Identity(secrets.token_bytes(16), box, segment_bytes, count, era=1)
    try:
        _make_files(path, identity)
        _write_durably(path / IDENTITY_NAME, identity.to_json())
    except OSError as error:
        _clear(path)
        raise ConfigError(f"{path} cannot be formatted: {error.strerror or error}") from error
    except BaseException:
        _clear(path)
        raise
    return identity


def _check_segment_bytes(segment_bytes: int) -> None:
    power_of_two = segment_bytes & (segment_bytes - 1) == 0
    if not (power_of_two and SEGMENT_BYTES_MIN <= segment_bytes <= SEGMENT_BYTES_MAX):
        raise ConfigError(
            f"a segment of {segment_bytes} bytes: allowed are powers of two from 16M to 1G"
        )


def _segments_within(size_bytes: int, segment_bytes: int) -> int:
    """The most segments that fit beside the journal, the backup and the index that they need."""
    low, high = 0, size_bytes // segment_bytes
    while low < high:
        count = (low + high + 1) // 2
        beside = journal.FILE_BYTES + backup_slot.file_bytes(count * segment_bytes)
        beside += index.map_bytes(count, segment_bytes)
        if count * segment_bytes + beside <= size_bytes:
            low = count
        else:
            high = count - 1
    return low


def _check_place(path: Path, size_bytes: int) -> None:
    try:
        if not path.exists():
            path.mkdir(mode=0o750)
        if not stat.S_ISDIR(path.stat().st_mode):
            raise ConfigError(f"{path} is not a directory")
        entries = {entry.name for entry in path.iterdir()} - {"lost+found"}
        if IDENTITY_NAME in entries:
            raise ConfigError(f"{path} is a vonggac disk already: nothing was changed")
        if entries:
            raise ConfigError(f"{path} is not empty ({min(entries)} lies there)")
        if not os.access(path, os.W_OK):
            raise ConfigError(f"{path} is not writable")
        room = os.statvfs(path)
    except OSError as error:
        raise ConfigError(f"{path} cannot be used: {error.strerror}") from error
    if room.f_flag & os.ST_RDONLY:
        raise ConfigError(f"{path} is mounted read-only")
    free_bytes = room.f_bavail * room.f_frsize
    if free_bytes < size_bytes:
        raise ConfigError(f"{path} has {free_bytes} bytes free, {size_bytes} were asked for")


def _make_files(path: Path, identity: Identity) -> None:
    for number in range(identity.segments):
        where = segment_path(path, number)
        if number % SEGMENTS_A_FOLDER == 0:
            where.parent.mkdir(mode=0o750, parents=True)
        _preallocate(where, identity.segment_bytes)
    _preallocate(path / backup_slot.BACKUP_NAME, _backup_bytes(identity))
    _preallocate(path / JOURNAL_NAME, journal.FILE_BYTES)
    first = journal.Snapshot(
        generation=1,
        disk=identity.disk,
        highest_epoch=identity.era << 40,
        seal_order=identity.segments,
        index_commits=1,
    )
    fd = os.open(path / JOURNAL_NAME, os.O_RDWR | os.O_CLOEXEC)
    try:
        offset, data = journal.encode(first)
        os.pwrite(fd, data, offset)
    finally:
        os.close(fd)
    make_index(path / INDEX_NAME, identity)
    _sync(path)


def prepare_backup(disk: Disk) -> bool:
    """Makes the place for backups on a disk that was formatted without one.

    False: it has one. `disk` is held exclusively. ConfigError where there is no room for it.
    """
    where, size = disk.path / backup_slot.BACKUP_NAME, _backup_bytes(disk.identity)
    if where.exists():
        return False
    draft = where.with_suffix(".new")
    try:
        draft.unlink(missing_ok=True)  # of one that was interrupted
        _preallocate(draft, size)
        _sync(disk.path)
        os.rename(draft, where)
        _sync(disk.path)
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise ConfigError(
            f"{where} of {size} bytes cannot be made: {error.strerror or error}"
        ) from error
    return True


def _backup_bytes(identity: Identity) -> int:
    return backup_slot.file_bytes(identity.segments * identity.segment_bytes)


def make_index(path: Path, identity: Identity) -> None:
    """An index in which all segments are free, in the order of their numbers."""
    size = index.map_bytes(identity.segments, identity.segment_bytes)
    index.create(path, identity.disk, size)
    fresh = index.Index.open(path, identity.disk, size, writable=True)
    try:
        Archive(fresh).fill_free(range(identity.segments))
        fresh.commit_now(identity.era << 40, identity.segments)
    finally:
        fresh.close()


def _preallocate(where: Path, size: int) -> None:
    fd = os.open(where, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o640)
    try:
        os.posix_fallocate(fd, 0, size)
    finally:
        os.close(fd)


def _write_durably(where: Path, data: bytes) -> None:
    beside = where.with_suffix(".new")
    fd = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o644)
    try:
        os.write(fd, data)
        os.fsync(fd)
    finally:
        os.close(fd)
    os.rename(beside, where)
    _sync(where.parent)


def _sync(path: Path) -> None:
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        error = native_ring.sync(fd)
    finally:
        os.close(fd)
    if error:
        raise OSError(error, os.strerror(error))


def _clear(path: Path) -> None:
    """What a failed format has made; the directory was empty before."""
    for name in (SEGMENTS_NAME, INDEX_NAME):
        shutil.rmtree(path / name, ignore_errors=True)
    for name in (JOURNAL_NAME, backup_slot.BACKUP_NAME, IDENTITY_NAME, "vonggac-disk.new"):
        try:
            os.unlink(path / name)
        except OSError as error:
            if error.errno != errno.ENOENT:
                raise
