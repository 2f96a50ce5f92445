"""Files and directories as a whole: made at their full size, written durably, synced."""

from __future__ import annotations

import os
from pathlib import Path

from vonggac._native import ring as native_ring


def preallocate(where: Path, size: int) -> None:
    """Makes a file of `size` bytes, allocated and zero. OSError: it is there, or no room is."""
    fd = os.open(where, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o640)
    try:
        os.posix_fallocate(fd, 0, size)
    finally:
        os.close(fd)


def write_durably(where: Path, data: bytes) -> None:
    """Puts `data` in place of the file at once: after a cut either stands there, whole. OSError."""
    beside = where.with_suffix(".new")
    fd = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o644)
    try:
        view = memoryview(data)
        while view:  # a full disk takes a part first, and refuses the rest
            view = view[os.write(fd, view) :]
        os.fsync(fd)
    finally:
        os.close(fd)
    os.rename(beside, where)
    sync(where.parent)


def sync(path: Path) -> None:
    """Waits until all of a directory's file system is on the disk. OSError: it never will be."""
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        error = native_ring.sync(fd)
    finally:
        os.close(fd)
    if error:
        raise OSError(error, os.strerror(error))
