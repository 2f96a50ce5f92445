"""The audit chain's file: HOME/audit/log.jsonl and HOME/audit/head, with one writer.

A batch of events is written at once, synced, and only then acknowledged. What fails is cut off
again, so the chain never holds a line nobody was told of. docs/ref/audit.md says the same in words.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import stat
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from vonggac.errors import StorageError, Unavailable
from vonggac.evidence import chain

__all__ = ["AuditLog"]

_BLOCK_BYTES = 64 * 1024


@dataclass(slots=True)
class _Open:
    """The log while it is open; only what a completed sync covers moves it on."""

    fd: int
    head_fd: int
    inode: int
    length: int
    """Bytes of whole, synced lines."""
    size: int
    """Bytes of the file; more than `length` while a tail without newline waits to be cut."""
    number: int
    prev: str


class AuditLog:
    """The only writer of a home's chain. Not for threads."""

    def __init__(self, home: Path) -> None:
        self._directory = home / "audit"
        self._open: _Open | None = None
        self._note: dict[str, chain.Value] = {}
        """What the next line has to say about the log itself."""

    @property
    def path(self) -> Path:
        """The log's file."""
        return self._directory / "log.jsonl"

    def open(self) -> None:
        """Take the lock, find the end, write the head anew.

        Raises Unavailable when another writer has it, StorageError when it cannot be opened.
        """
        if self._open is not None:
            return
        try:
            self._directory.mkdir(mode=0o750, parents=True, exist_ok=True)
            fd = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o640)
        except OSError as error:
            raise self._unwritable(error) from error
        try:
            self._open = self._take(fd)
            self._write_head(self._open)
        except OSError as error:
            self.close()
            with contextlib.suppress(OSError):
                os.close(fd)
            raise self._unwritable(error) from error
        except BaseException:
            os.close(fd)
            raise

    def close(self) -> None:
        """Give the lock back."""
        if self._open is not None:
            os.close(self._open.head_fd)
            os.close(self._open.fd)
            self._open = None

    def append(self, events: Sequence[dict[str, chain.Value]]) -> int:
        """Write and sync `events`; gives the number of the first one's line.

        Raises StorageError with nothing written, or Unavailable; both may be tried again.
        """
        self.open()
        assert self._open is not None
        first = self._append(self._open, events)
        self._note = {}
        return first

    @property
    def end(self) -> tuple[int, str]:
        """Number and hash of the last synced line; (0, "") while the log is not open."""
        return (0, "") if self._open is None else (self._open.number, self._open.prev)

    def tail(self, most_bytes: int) -> tuple[int, bytes]:
        """The last whole lines, at most so many bytes, and the number of the first of them.

        Raises OSError. The number is one more than the last line's where none fits.
        """
        if self._open is None:
            return 1, b""
        start = max(0, self._open.length - most_bytes)
        lines = os.pread(self._open.fd, self._open.length - start, start)
        if start and os.pread(self._open.fd, 1, start - 1) != b"\n":
            lines = lines[lines.find(b"\n") + 1 :] if b"\n" in lines else b""
        return self._open.number + 1 - lines.count(b"\n"), lines

    def count_refused(self, count: int) -> None:
        """So many events were told that the log cannot be written; the next line says how many."""
        before = self._note.get("refused", 0)
        self._note = {**self._note, "refused": (before if isinstance(before, int) else 0) + count}

    def _append(self, log: _Open, events: Sequence[dict[str, chain.Value]]) -> int:
        self._check_untouched(log)
        first, number, prev = log.number + 1, log.number, log.prev
        lines = []
        for event in events:
            number += 1
            note = self._note if number == first else {}
            lines.append(chain.canonical_line({**event, **note}, number, prev))
            prev = chain.hash_line(lines[-1])
        batch = b"".join(lines)
        try:
            _write_all(log.fd, batch, log.length)
            if log.size > log.length + len(batch):
                os.ftruncate(log.fd, log.length + len(batch))
            os.fsync(log.fd)
        except OSError as error:
            self._take_back(log)
            raise self._unwritable(error) from error
        log.length += len(batch)
        log.size, log.number, log.prev = log.length, number, prev
        # Not a condition: the log is synced, and the head is written anew from it at each start.
        with contextlib.suppress(OSError):
            self._write_head(log)
        return first

    def _take(self, fd: int) -> _Open:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Unavailable(f"another `vonggac audit run` writes {self.path}") from None
        state = os.fstat(fd)
        if not stat.S_ISREG(state.st_mode):
            raise StorageError(f"{self.path} is no file")
        length, last = _last_line(fd, state.st_size)
        number = _number_of(last) if last else 0
        if number is None:  # altered: verify will tell; the count keeps numbers rising
            number = _count_lines(fd, length)
        if length < state.st_size:
            # Kept until the next line: overwritten by it, so a crash in between loses nothing.
            self._note = {
                **self._note,
                "cut": {
                    "bytes": state.st_size - length,
                    "sha256": _hash_range(fd, length, state.st_size),
                },
            }
        head_fd = os.open(self._directory / "head", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
        directory = os.open(self._directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(directory)  # both names
        finally:
            os.close(directory)
        prev = chain.hash_line(last) if last else chain.GENESIS
        return _Open(fd, head_fd, state.st_ino, length, state.st_size, number, prev)

    def _check_untouched(self, log: _Open) -> None:
        """The file is still the one we wrote: a stranger's line must not be built upon."""
        try:
            there, held = os.stat(self.path), os.fstat(log.fd)
        except OSError as error:
            raise self._unwritable(error) from error
        if there.st_ino != log.inode or held.st_size != log.size:
            raise StorageError(
                f"{self.path} was changed by somebody else: run `vonggac audit verify`, then "
                "restart `vonggac audit run`"
            )

    def _take_back(self, log: _Open) -> None:
        """Cut off what was not synced; if even that fails, the file is opened anew next time."""
        try:
            os.ftruncate(log.fd, log.length)
            log.size = log.length
        except OSError:
            self.close()

    def _write_head(self, log: _Open) -> None:
        # In place: 65 bytes of a page that exists need no room on a full disk.
        os.pwrite(log.head_fd, log.prev.encode() + b"\n", 0)
        os.ftruncate(log.head_fd, len(log.prev) + 1)

    def _unwritable(self, error: OSError) -> StorageError:
        return StorageError(f"the audit log {self.path} cannot be written: {error.strerror}")


def _write_all(fd: int, batch: bytes, offset: int) -> None:
    view = memoryview(batch)
    while view:
        written = os.pwrite(fd, view, offset)
        view, offset = view[written:], offset + written


def _last_line(fd: int, size: int) -> tuple[int, bytes]:
    """Where the last whole line ends, and that line with its newline (empty: there is none)."""
    end = _newline_before(fd, size)
    if end == 0:
        return 0, b""
    start = _newline_before(fd, end - 1)
    return end, os.pread(fd, end - start, start)


def _newline_before(fd: int, end: int) -> int:
    """The offset just after the last newline in [0, end); 0 where there is none."""
    while end > 0:
        start = max(0, end - _BLOCK_BYTES)
        found = os.pread(fd, end - start, start).rfind(b"\n")
        if found >= 0:
            return start + found + 1
        end = start
    return 0


def _number_of(line: bytes) -> int | None:
    try:
        event = json.loads(line)
    except (ValueError, RecursionError):
        return None
    number = event.get("n") if isinstance(event, dict) else None
    return number if isinstance(number, int) and number > 0 else None


def _blocks(fd: int, start: int, end: int) -> Iterable[bytes]:
    for offset in range(start, end, _BLOCK_BYTES):
        yield os.pread(fd, min(_BLOCK_BYTES, end - offset), offset)


def _count_lines(fd: int, end: int) -> int:
    return sum(block.count(b"\n") for block in _blocks(fd, 0, end))


def _hash_range(fd: int, start: int, end: int) -> str:
    digest = hashlib.sha256()
    for block in _blocks(fd, start, end):
        digest.update(block)
    return digest.hexdigest()
