"""Where backups of the home lie on a disk: DISK/backup, two slots that are written in turn.

What a slot holds is sealed before it comes here. A slot counts when its header is whole and its
contents have the digest that the header names; the header is written last, so the slot before
stays whole until then. docs/ref/backup.md draws every byte. All integers big-endian.
"""

from __future__ import annotations

import hashlib
import os
import struct
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from vonggac._native.segment import crc32c
from vonggac.errors import ConfigError, OutOfSpace, StorageError

__all__ = [
    "BACKUP_NAME",
    "Header",
    "file_bytes",
    "newest",
    "room_bytes",
    "read",
    "slot_bytes_of",
    "write",
]

BACKUP_NAME = "backup"
VERSION = 1
MAGIC = b"VGBACKUP"
HEADER_BYTES = 4096
SLOT_BYTES_MIN = 256 << 10
SLOT_BYTES_MAX = 32 << 20
_SHARE_SHIFT = 10
"""A slot takes a thousandth of the disk, within the bounds above."""
_PIECE_BYTES = 256 << 10
_HEADER = struct.Struct(">8sHHIQ16s16sqQ32sI")

Take = Callable[[int], None]
"""Waits until so many bytes more may be read or written."""


@dataclass(frozen=True, slots=True)
class Header:
    """What stands before a backup."""

    generation: int
    """Rises by one with every backup of this disk; its lowest bit is the slot."""
    disk: bytes
    box: bytes
    made_ns: int
    """When it was made: wall time of the box."""
    length: int
    """Bytes of the sealed backup."""
    sha256: bytes


def file_bytes(capacity_bytes: int) -> int:
    """Bytes of DISK/backup on a disk whose segments have `capacity_bytes` together."""
    share = 1 << max(0, (capacity_bytes >> _SHARE_SHIFT).bit_length() - 1)
    return 2 * min(SLOT_BYTES_MAX, max(SLOT_BYTES_MIN, share))


def slot_bytes_of(fd: int) -> int:
    """Bytes of a slot of an open DISK/backup. StorageError for a size that it cannot have."""
    size = os.fstat(fd).st_size
    if size < 2 * SLOT_BYTES_MIN or size % (2 * HEADER_BYTES):
        raise StorageError(f"{BACKUP_NAME} has {size} bytes, which is no size of two slots")
    return size // 2


def room_bytes(slot_bytes: int) -> int:
    """The largest backup that a slot takes."""
    return slot_bytes - HEADER_BYTES


def newest(fd: int, disk: bytes) -> Header | None:
    """The newest whose header is whole: a look at two blocks, for its age. None: there is none.

    A block that the disk cannot read counts as none: the next backup is written over it.
    """
    found = [header for _, header in _headers(fd, disk, [])]
    return max(found, key=lambda header: header.generation, default=None)


def read(path: Path, disk: bytes | None = None) -> tuple[Header, bytes]:
    """The newest backup of a file of two slots, the one before where that is damaged.

    `disk`: whose it has to be; None: any. ConfigError where neither is whole. A disk that a home is
    made from may be a dying one: what it cannot read of one slot must not hide the other.
    """
    errors: list[OSError] = []
    with open(path, "rb") as file:
        found = sorted(_headers(file.fileno(), disk, errors), key=lambda one: -one[1].generation)
        for offset, header in found:
            try:
                sealed = os.pread(file.fileno(), header.length, offset + HEADER_BYTES)
            except OSError as error:
                errors.append(error)
                continue
            if hashlib.sha256(sealed).digest() == header.sha256:
                return header, sealed
    if errors:
        why = errors[0].strerror
        raise ConfigError(f"{path}: no backup in it can be read ({why}): try the box's other disks")
    if found:
        raise ConfigError(f"{path}: no backup in it is whole: try the box's other disks")
    raise ConfigError(f"{path} holds no backup yet")


def write(fd: int, disk: bytes, box: bytes, made_ns: int, sealed: int, take: Take) -> Header:
    """Writes the backup in the descriptor `sealed` into the slot of the older one, and syncs.

    `take` holds the pace. OutOfSpace for one that is too large; OSError of the disk;
    StorageError where the disk gives back something else than was written.
    """
    slot_bytes, length = slot_bytes_of(fd), os.fstat(sealed).st_size
    if length > room_bytes(slot_bytes):
        what = f"a backup of {length} bytes, and a slot takes {room_bytes(slot_bytes)}"
        raise OutOfSpace(what)
    generation = _next(fd, disk, slot_bytes, take)
    offset = generation % 2 * slot_bytes
    # Without its header the slot is none: whoever looks meanwhile finds the other one.
    _write_all(fd, bytes(HEADER_BYTES), offset)
    os.fdatasync(fd)
    digest = _copy(sealed, fd, offset + HEADER_BYTES, length, take)
    os.fdatasync(fd)
    os.posix_fadvise(fd, offset, slot_bytes, os.POSIX_FADV_DONTNEED)
    if _digest(fd, offset + HEADER_BYTES, length, take) != digest:
        raise StorageError("what was written can not be read again as it was")
    header = Header(generation, disk, box, made_ns, length, digest)
    _write_all(fd, _encode(header), offset)
    os.fdatasync(fd)
    return header


def _next(fd: int, disk: bytes, slot_bytes: int, take: Take) -> int:
    """The next generation. One more, or two where the newest is damaged: then it is in the same
    slot, and the one before, which is all there is, is not written over.
    """
    before = newest(fd, disk)
    if before is None:
        return 1
    start = before.generation % 2 * slot_bytes + HEADER_BYTES
    try:
        is_whole = _digest(fd, start, before.length, take) == before.sha256
    except OSError:
        is_whole = False
    return before.generation + (1 if is_whole else 2)


def _headers(fd: int, disk: bytes | None, errors: list[OSError]) -> list[tuple[int, Header]]:
    """Those that are whole, by offset; why the disk could not read one is put into `errors`."""
    slot_bytes = slot_bytes_of(fd)
    found = []
    for slot in range(2):
        try:
            header = _decode(os.pread(fd, HEADER_BYTES, slot * slot_bytes))
        except OSError as error:
            errors.append(error)
            continue
        if header is None or header.generation % 2 != slot:
            continue
        if header.length <= room_bytes(slot_bytes) and disk in (None, header.disk):
            found.append((slot * slot_bytes, header))
    return found


def _encode(header: Header) -> bytes:
    def pack(crc: int) -> bytes:
        return _HEADER.pack(
            MAGIC,
            VERSION,
            0,
            0,
            header.generation,
            header.disk,
            header.box,
            header.made_ns,
            header.length,
            header.sha256,
            crc,
        )

    return pack(crc32c(pack(0))).ljust(HEADER_BYTES, b"\0")


def _decode(block: bytes) -> Header | None:
    """None: there is none, it is torn, or another version wrote it."""
    if len(block) != HEADER_BYTES:
        return None
    magic, version, _, _, generation, disk, box, made_ns, length, sha256, _ = _HEADER.unpack_from(
        block
    )
    if (magic, version) != (MAGIC, VERSION):
        return None
    header = Header(generation, disk, box, made_ns, length, sha256)
    return header if _encode(header) == block else None


def _copy(source: int, target: int, offset: int, length: int, take: Take) -> bytes:
    """In pieces, so that a sync of the recording never finds much of it waiting."""
    digest = hashlib.sha256()
    for start in range(0, length, _PIECE_BYTES):
        piece = os.pread(source, min(_PIECE_BYTES, length - start), start)
        take(len(piece))
        digest.update(piece)
        _write_all(target, piece, offset + start)
    return digest.digest()


def _write_all(fd: int, data: bytes, offset: int) -> None:
    view = memoryview(data)
    while view:
        written = os.pwrite(fd, view, offset)
        view, offset = view[written:], offset + written


def _digest(fd: int, offset: int, length: int, take: Take) -> bytes:
    digest = hashlib.sha256()
    for start in range(0, length, _PIECE_BYTES):
        piece = os.pread(fd, min(_PIECE_BYTES, length - start), offset + start)
        take(len(piece))
        digest.update(piece)
    return digest.digest()
