"""The logs of the motion index: what is not in a day's file yet, of all streams, in order.

Appended to, never read but at the start. A process that begins opens a new one, so that nothing is
ever written behind a torn record.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from pathlib import Path

from vonggac.errors import OutOfSpace, StorageError
from vonggac.motion.block import Forgotten, PackedBlock, records

__all__ = ["Logs", "storage_error"]

_SUFFIX = ".log"


def storage_error(what: str, error: OSError) -> StorageError:
    """The error for whoever uses the index: OutOfSpace where there is no room."""
    kind = OutOfSpace if error.errno in (errno.ENOSPC, errno.EDQUOT) else StorageError
    return kind(f"{what}: {os.strerror(error.errno or 0)}")


class Logs:
    """The files `NUMBER.log` of a folder; the highest is written to."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._fd: int | None = None
        numbers = self._numbers()
        self._number = numbers[-1] if numbers else 0
        self.size_bytes = sum(self._path(number).stat().st_size for number in numbers)

    def replay(self) -> Iterator[PackedBlock | Forgotten]:
        """Every whole record, in the order in which they were appended. StorageError.

        A log with a bad sector counts as torn, or one would keep the index shut for ever.
        """
        for number in self._numbers():
            try:
                content = self._path(number).read_bytes()
            except OSError as error:
                if error.errno != errno.EIO:
                    raise storage_error("the log of the motion index", error) from error
                continue
            for _, record in records(content):
                yield record

    def append(self, record: bytes, *, is_durable: bool = False) -> None:
        """Adds a record. StorageError: it is not there."""
        written = 0
        try:
            if self._fd is None:
                self._fd = self._open_next()
            while written < len(record):  # a full disk takes a part first, and refuses the rest
                written += os.write(self._fd, record[written:])
            if is_durable:
                os.fdatasync(self._fd)
        except OSError as error:
            self.size_bytes += written
            self._take_back(written)
            raise storage_error("the log of the motion index", error) from error
        self.size_bytes += written

    def _take_back(self, written: int) -> None:
        """Cuts off what a failed append left; else each try would leave a log behind."""
        if self._fd is None:
            return
        try:
            os.ftruncate(self._fd, os.fstat(self._fd).st_size - written)
            self.size_bytes -= written
        except OSError:  # nothing is written behind it: the next record goes to a new log
            self.close()

    def turn(self) -> list[Path]:
        """Lets the next record begin a new log. Gives those that there are, oldest first."""
        self.close()
        return [self._path(number) for number in self._numbers()]

    def remove(self, logs: list[Path]) -> None:
        """Removes logs whose records are in files, oldest first. StorageError."""
        try:
            for path in logs:
                size_bytes = path.stat().st_size
                path.unlink()
                self.size_bytes -= size_bytes
        except OSError as error:
            raise storage_error("the log of the motion index", error) from error

    def close(self) -> None:
        """Closes the log that is written to; a further record begins the next."""
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None

    def _open_next(self) -> int:
        self._number += 1
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC
        return os.open(self._path(self._number), flags, 0o640)

    def _path(self, number: int) -> Path:
        return self._folder / f"{number:08d}{_SUFFIX}"

    def _numbers(self) -> list[int]:
        names = (path.stem for path in self._folder.glob(f"*{_SUFFIX}"))
        return sorted(int(name) for name in names if name.isdecimal())
