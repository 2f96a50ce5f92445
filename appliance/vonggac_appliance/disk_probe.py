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


def probe(path: Path, uuid: bytes) -> int:
    """Whether this very disk can be read there; a damaged one can."""
    where = path / disk.IDENTITY_NAME
    try:
        fd = os.open(where, os.O_RDONLY | os.O_CLOEXEC)
        try:
            # Of a disk that was pulled the file may still stand in memory.
            os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
            text = os.read(fd, 1 << 16)
        finally:
            os.close(fd)
        return THERE if disk.Identity.from_json(text, where).disk == uuid else GONE
    except ConfigError:
        return THERE
    except PermissionError:
        return UNKNOWN
    except FileNotFoundError:
        return THERE if (path / disk.SEGMENTS_NAME).exists() else GONE
    except OSError:
        return GONE


if __name__ == "__main__":
    sys.exit(probe(Path(sys.argv[1]), bytes.fromhex(sys.argv[2])))
