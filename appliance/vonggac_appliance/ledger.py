"""The ledger's files: HOME/ledger, written by `audit run` alone, their roots in the audit chain.

A list is synced under its name before its line goes into the chain, so a root there always has its
list. A crash between the two leaves a list without a line: its sender was told nothing and sends it
again. docs/ref/audit.md draws a line.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from vonggac.errors import StorageError
from vonggac.evidence import chain, ledger
from vonggac_appliance.synced_files import sync_directory, write_all

__all__ = [
    "LIST_BYTES_MAX",
    "Recorded",
    "check_lists",
    "heads_of",
    "tombstones_of",
    "write_list",
]

LIST_BYTES_MAX = 8 << 20
"""LINES_MAX of LINE_BYTES_MAX."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """What a line of the audit chain says of a list."""

    line: int
    name: str
    root: str
    entries: int

    @classmethod
    def from_event(cls, line: int, event: object) -> Recorded | None:
        """None: a line of something else."""
        if not isinstance(event, dict) or event.get("action") != chain.Action.LEDGER:
            return None
        name, root, entries = event.get("object"), event.get("root"), event.get("entries")
        if isinstance(name, str) and isinstance(root, str) and isinstance(entries, int):
            return cls(line, name, root, entries)
        return None


def write_list(home: Path, kind: str, texts: Sequence[str], time_utc: str) -> tuple[str, str]:
    """Writes and syncs a list; its name below HOME/ledger and its root. Raises StorageError."""
    lines = [text.encode() + b"\n" for text in texts]
    root = ledger.root(lines)
    name = ledger.list_name(kind, time_utc, root)
    path = home / "ledger" / name
    try:
        _make_directories(path.parent, home)
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o640)
        try:
            write_all(fd, b"".join(lines))
            os.fsync(fd)
        finally:
            os.close(fd)
        sync_directory(path.parent)
    except OSError as error:
        with suppress(OSError):
            path.unlink()
        raise StorageError(f"the ledger {path} cannot be written: {error.strerror}") from error
    return name, root


def check_lists(home: Path, recorded: Iterable[Recorded]) -> Iterator[chain.Problem]:
    """Which lists are not what the chain says of them."""
    for told in recorded:
        lines = _lines_of(home, told)
        if lines is None:
            yield chain.Problem(told.line, f"names the list {told.name}, which is not there")
        elif (len(lines), ledger.root(lines)) != (told.entries, told.root):
            yield chain.Problem(told.line, f"names the list {told.name}, which was altered")


def heads_of(home: Path, recorded: Iterable[Recorded]) -> Iterator[ledger.Head]:
    """The heads of all lists that are what the chain says of them, in its order."""
    for line in _proven(home, ledger.HEADS, recorded):
        entry = ledger.parse(line)
        head = None if entry is None else ledger.Head.from_entry(entry)
        if head is not None:
            yield head


def tombstones_of(home: Path, recorded: Iterable[Recorded]) -> Iterator[bytes]:
    """The tombstones likewise, as they were written."""
    return _proven(home, ledger.TOMBSTONES, recorded)


def _proven(home: Path, kind: str, recorded: Iterable[Recorded]) -> Iterator[bytes]:
    for told in recorded:
        if not told.name.startswith(f"{kind}/"):
            continue
        lines = _lines_of(home, told)
        if lines is not None and ledger.root(lines) == told.root:  # else `audit verify` says it
            yield from lines


def _lines_of(home: Path, told: Recorded) -> list[bytes] | None:
    if not ledger.is_list_name(told.name):
        return None
    try:
        with (home / "ledger" / told.name).open("rb") as file:
            return file.read(LIST_BYTES_MAX).splitlines(keepends=True)
    except OSError:
        return None


def _make_directories(directory: Path, home: Path) -> None:
    """Those that are missing, each name synced in the one above."""
    missing = [directory, *(p for p in directory.parents if home in p.parents)]
    for path in reversed(missing):
        try:
            path.mkdir(mode=0o750)
        except FileExistsError:
            continue
        sync_directory(path.parent)
