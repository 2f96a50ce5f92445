"""A disk of the ring: its identity, its files, its lock. docs/design/storage.md has the layout; the
files are made by `formatting`.
"""

from __future__ import annotations

import fcntl
import json
import os
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

from vonggac.errors import ConfigError, StorageError, Unavailable
from vonggac.store import index
from vonggac.store.whole_files import write_durably

FORMAT_VERSION = 1
IDENTITY_NAME = "vonggac-disk.json"
JOURNAL_NAME = "journal"
INDEX_NAME = "index"
SEGMENTS_NAME = "segments"
SEGMENTS_A_FOLDER = 10_000
SEGMENT_BYTES_MIN = 16 << 20
SEGMENT_BYTES_MAX = 1 << 30
_NO_LINK = os.O_CLOEXEC | os.O_NOFOLLOW
"""Nobody made a link here: on somebody else's disk one would show what lies elsewhere."""


@dataclass(frozen=True, slots=True)
class Identity:
    """What vonggac-disk.json says."""

    disk: bytes
    box: bytes
    segment_bytes: int
    segments: int
    era: int
    """Raised by a rebuild: epochs are era << 40 | n, so none is ever used twice."""

    def to_json(self) -> bytes:
        facts = {
            "format": FORMAT_VERSION,
            "disk": self.disk.hex(),
            "box": self.box.hex(),
            "segment_bytes": self.segment_bytes,
            "segments": self.segments,
            "era": self.era,
        }
        return json.dumps(facts, indent=1).encode() + b"\n"

    @classmethod
    def from_json(cls, text: bytes, where: Path) -> Self:
        try:
            facts = json.loads(text)
            version = int(facts["format"])
            if version > FORMAT_VERSION:
                raise ConfigError(
                    f"{where}: format {version} is newer than this program knows "
                    f"({FORMAT_VERSION}); install the newer vonggac"
                )
            found = cls(
                disk=bytes.fromhex(facts["disk"]),
                box=bytes.fromhex(facts["box"]),
                segment_bytes=int(facts["segment_bytes"]),
                segments=int(facts["segments"]),
                era=int(facts["era"]),
            )
        except (ValueError, KeyError, TypeError, OverflowError, RecursionError) as error:
            raise ConfigError(f"{where} is damaged: {error}") from error
        is_possible = 0 < found.era < 1 << 24 and 0 < found.segments < 1 << 32
        if len(found.disk) != 16 or len(found.box) != 16 or not is_possible:
            raise ConfigError(f"{where} is damaged: a disk, box, era or count that cannot be")
        check_segment_bytes(found.segment_bytes)
        return found


@dataclass(slots=True)
class Disk:
    """A formatted disk.

    `lock_fd` is held until close(): exclusive for a keeper, shared for readers.
    """

    path: Path
    identity: Identity
    lock_fd: int

    def segment_path(self, number: int) -> Path:
        return segment_path(self.path, number)

    def open_segment(self, number: int, writable: bool, direct: bool = False) -> int:
        """A descriptor of a segment; the caller closes it. `direct`: past the page cache."""
        # No Path: it interns each part, and a recorder opens segments for as long as it lives.
        where = f"{self.path}/{_segment_name(number)}"
        mode = (os.O_RDWR if writable else os.O_RDONLY) | (os.O_DIRECT if direct else 0)
        try:
            fd = os.open(where, mode | _NO_LINK)
        except OSError as error:
            raise StorageError(f"{where} cannot be opened: {error.strerror}") from error
        size = os.fstat(fd).st_size
        if size != self.identity.segment_bytes:
            os.close(fd)
            raise StorageError(f"{where} has {size} bytes, not {self.identity.segment_bytes}")
        return fd

    def open_journal(self, writable: bool) -> int:
        where = self.path / JOURNAL_NAME
        try:
            return os.open(where, (os.O_RDWR if writable else os.O_RDONLY) | _NO_LINK)
        except OSError as error:
            raise StorageError(f"{where} cannot be opened: {error.strerror}") from error

    def index_path(self) -> Path:
        return self.path / INDEX_NAME

    def index_bytes(self) -> int:
        return index.map_bytes(self.identity.segments, self.identity.segment_bytes)

    def raise_era(self) -> None:
        """Before a rebuild hands out epochs: what it did not find can never be taken for new."""
        self.identity = replace(self.identity, era=self.identity.era + 1)
        write_durably(self.path / IDENTITY_NAME, self.identity.to_json())

    def close(self) -> None:
        if self.lock_fd >= 0:
            os.close(self.lock_fd)
            self.lock_fd = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


def segment_path(disk: Path, number: int) -> Path:
    """Where a segment lies (docs/design/storage.md)."""
    return disk / _segment_name(number)


def _segment_name(number: int) -> str:
    return f"{SEGMENTS_NAME}/{number // SEGMENTS_A_FOLDER:04d}/{number:08d}.mp4"


def open_disk(
    path: Path, box: bytes | None = None, *, exclusive: bool, wait_seconds: float = 0.0
) -> Disk:
    """Reads the identity and takes the lock. `box`: refuse another box's disk; None: any.

    Raises ConfigError for what only a person can fix, Unavailable when another holds the lock.
    """
    where = path / IDENTITY_NAME
    if not path.is_dir():
        raise ConfigError(f"{path} is not there: is the disk mounted?")
    try:
        fd = os.open(where, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError as error:
        raise ConfigError(
            f"{path} is no vonggac disk: {IDENTITY_NAME} is missing "
            f"(a new one is made by `vonggac disk format {path} --size …`; is it mounted?)"
        ) from error
    except OSError as error:
        raise ConfigError(f"{where} cannot be read: {error.strerror}") from error
    try:
        _lock(fd, path, exclusive, wait_seconds)
        with open(where, "rb") as file:
            identity = Identity.from_json(file.read(1 << 16), where)
        _check_count(path, identity.segments)
        if box is not None and identity.box != box:
            raise ConfigError(
                f"{path} belongs to another box ({identity.box.hex()}, this one is {box.hex()}): "
                "nothing was written to it"
            )
        if exclusive and os.statvfs(path).f_flag & os.ST_RDONLY:
            raise ConfigError(
                f"{path} is mounted read-only and cannot be written: after errors Linux does that "
                "by itself (journalctl -k); nothing was changed"
            )
    except BaseException:
        os.close(fd)
        raise
    return Disk(path, identity, fd)


def _check_count(path: Path, segments: int) -> None:
    """With fewer segments than there are the others would be forgotten, with more there is no
    room for what is promised.
    """
    is_last_there = segment_path(path, segments - 1).exists()
    if not is_last_there or segment_path(path, segments).exists():
        what = "more" if is_last_there else "fewer"
        raise ConfigError(
            f"{path / IDENTITY_NAME} is damaged: it says {segments} segments, and there are {what}"
        )


def _lock(fd: int, path: Path, exclusive: bool, wait_seconds: float) -> None:
    kind = fcntl.LOCK_EX if exclusive else fcntl.LOCK_SH
    deadline = time.monotonic() + wait_seconds
    while True:
        try:
            fcntl.flock(fd, kind | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if time.monotonic() >= deadline:
                break
        # flock has no timeout of its own, and an alarm signal would not be a library's business
        time.sleep(0.05)
    raise Unavailable(f"{path} is in use by another recorder or command")


def check_segment_bytes(segment_bytes: int) -> None:
    """Raises ConfigError for a size that no segment may have."""
    power_of_two = segment_bytes & (segment_bytes - 1) == 0
    if not (power_of_two and SEGMENT_BYTES_MIN <= segment_bytes <= SEGMENT_BYTES_MAX):
        raise ConfigError(
            f"a segment of {segment_bytes} bytes: allowed are powers of two from 16M to 1G"
        )
