"""The mark of a disk on which a write or a sync has failed; a person clears it by removing it."""

from __future__ import annotations

from pathlib import Path

__all__ = ["suspect_marker"]


def suspect_marker(home: Path, disk: Path) -> Path:
    """The file that stands in the home while a disk is suspect. The disk itself is not touched: it
    may hang, and the recorder asks here too.
    """
    where = disk.parent.resolve() / disk.name
    return home / "suspect" / where.as_posix().strip("/").replace("/", "_")
