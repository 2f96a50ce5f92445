"""Whether a disk can be read: a process of its own, since whoever touches one that hangs may never
come back. It says so by its exit status.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from vonggac.errors import ConfigError
from vonggac.store import disk

__all__ = ["GONE", "THERE", "UNKNOWN", "probe"]

THERE, GONE, UNKNOWN = 3, 4, 5
"""Statuses that no interpreter ends with by itself."""
_LOOKED_AT = 8
_BLOCK_BYTES = 4096


def probe(path: Path, uuid: bytes) -> int:
    """Whether this very disk can be read there; a damaged one can."""
    where = path / disk.IDENTITY_NAME
    try:
        text = _first_bytes(where, 1 << 16)
        return THERE if disk.Identity.from_json(text, where).disk == uuid else GONE
    except ConfigError:
        return THERE
    except PermissionError:
        return UNKNOWN
    except FileNotFoundError:
        return THERE if (path / disk.SEGMENTS_NAME).exists() else GONE
    except OSError:
        return THERE if _has_footage(path) else GONE


def _has_footage(path: Path) -> bool:
    """Whether one of its first segments can be read: the identity may be a bad sector alone.

    Zeros say nothing: of blocks that were never written no disk is asked.
    """
    for number in range(_LOOKED_AT):
        try:
            if any(_first_bytes(disk.segment_path(path, number), _BLOCK_BYTES)):
                return True
        except OSError:
            pass  # the next one may be sound
    return False


def _first_bytes(where: Path, count: int) -> bytes:
    fd = os.open(where, os.O_RDONLY | os.O_CLOEXEC)
    try:
        # Of a disk that was pulled the file may still stand in memory.
        os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
        return os.read(fd, count)
    finally:
        os.close(fd)


if __name__ == "__main__":
    sys.exit(probe(Path(sys.argv[1]), bytes.fromhex(sys.argv[2])))
