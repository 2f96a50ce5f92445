"""The lock file of an LMDB, which LMDB itself makes with holes in it."""

from __future__ import annotations

import os
from pathlib import Path

__all__ = ["READER_BYTES", "allocate_lock"]

READER_BYTES = 64
"""Of each reader, behind a header of as much."""


def allocate_lock(directory: Path, size: int, mode: int) -> None:
    """Gives `lock.mdb` all its blocks. OSError where there is no room for them.

    LMDB maps this file: a block it lacks on a full file system would be a SIGBUS, no error.
    """
    path = directory / "lock.mdb"
    if path.exists() and path.stat().st_size >= size:
        return  # not opened: to close it again would give up locks that this process has on it
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, mode)
    try:
        os.posix_fallocate(fd, 0, size)
    finally:
        os.close(fd)
