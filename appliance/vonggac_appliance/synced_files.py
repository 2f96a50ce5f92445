"""Writing files of the home so that they are there, whole, after a power cut."""

from __future__ import annotations

import os
from pathlib import Path

__all__ = ["sync_directory", "write_all"]


def write_all(fd: int, data: bytes) -> None:
    """Writes all of it. OSError: a full disk takes a part first, and then refuses the rest."""
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]


def sync_directory(path: Path) -> None:
    """Waits until the names in a directory are on the disk. OSError."""
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
