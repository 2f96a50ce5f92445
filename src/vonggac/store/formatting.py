"""`disk format`: makes every file that the recorder will ever write on a disk, at its full size."""

from __future__ import annotations

import errno
import os
import secrets
import shutil
import stat
from pathlib import Path

from vonggac.errors import ConfigError
from vonggac.store import backup_slot, index, journal
from vonggac.store.archive import Archive
from vonggac.store.disk import (
    IDENTITY_NAME,
    INDEX_NAME,
    JOURNAL_NAME,
    SEGMENTS_A_FOLDER,
    SEGMENTS_NAME,
    Disk,
    Identity,
    check_segment_bytes,
    segment_path,
)
from vonggac.store.whole_files import preallocate, sync, write_durably

SEGMENT_BYTES_DEFAULT = 32 << 20
SEGMENTS_MIN = 8
_UNITS = {"K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}


def parse_size(text: str) -> int:
    """Bytes of a size as people write it: a whole number and K, M, G or T (powers of 1024)."""
    number, unit = text[:-1], text[-1:].upper()
    if unit.isdigit():
        number, unit = text, ""
    if not (number.isascii() and number.isdigit()) or (unit and unit not in _UNITS):
        raise ConfigError(f"{text!r} is no size: a whole number and K, M, G or T, as in 100G")
    return int(number) * _UNITS.get(unit, 1)


def format_disk(
    path: Path, size_bytes: int, box: bytes, segment_bytes: int = SEGMENT_BYTES_DEFAULT
) -> Identity:
    """Makes every file the recorder will ever write here (promise 2), within `size_bytes`."""
    check_segment_bytes(segment_bytes)
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
        write_durably(path / IDENTITY_NAME, identity.to_json())
    except OSError as error:
        _clear(path)
        raise ConfigError(f"{path} cannot be formatted: {error.strerror or error}") from error
    except BaseException:
        _clear(path)
        raise
    return identity


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
        preallocate(where, identity.segment_bytes)
    preallocate(path / backup_slot.BACKUP_NAME, _backup_bytes(identity))
    preallocate(path / JOURNAL_NAME, journal.FILE_BYTES)
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
    _make_index(path / INDEX_NAME, identity)
    sync(path)


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
        preallocate(draft, size)
        sync(disk.path)
        os.rename(draft, where)
        sync(disk.path)
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise ConfigError(
            f"{where} of {size} bytes cannot be made: {error.strerror or error}"
        ) from error
    return True


def _backup_bytes(identity: Identity) -> int:
    return backup_slot.file_bytes(identity.segments * identity.segment_bytes)


def _make_index(path: Path, identity: Identity) -> None:
    """An index in which all segments are free, in the order of their numbers."""
    size = index.map_bytes(identity.segments, identity.segment_bytes)
    index.create(path, identity.disk, size)
    fresh = index.Index.open(path, identity.disk, size, writable=True)
    try:
        Archive(fresh).fill_free(range(identity.segments))
        fresh.commit_now(identity.era << 40, identity.segments)
    finally:
        fresh.close()


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
