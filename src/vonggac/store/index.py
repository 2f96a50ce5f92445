"""The index: an LMDB under a layer of what was not committed yet. docs/ref/index.md draws every key
and value.

Only a keeper writes it. Changes go to `put` and `delete` in the keeper's main thread and are seen
by `get` and `items` at once; `freeze` takes them for one commit, which may run in another thread.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import islice, takewhile
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self

import lmdb

from vonggac.errors import StorageError

if TYPE_CHECKING:
    from lmdb import _Database  # what open_db gives; the name is in the stubs only

VERSION: Final = 2
"""2: a value of ROWS holds as many minutes as fit into a page. In 1 it held one, which is read and
gone on with as it is; a program of 1 makes an index of 2 again.
"""
DATA_NAME: Final = "data.mdb"
LOCK_NAME: Final = "lock.mdb"
_FIXED_BYTES: Final = 8 << 20
_SHARE: Final = 128
"""A segment full of the smallest chunks (4 KiB) has rows of segment_bytes / 300; twice that for
half-full pages.
"""
_META: Final = b"index"
_META_VALUE: Final = struct.Struct(">H16sQQQ")


class IndexDamaged(StorageError):
    """The index cannot be read, or says what cannot be: it is made again (promise 4)."""


class Table(StrEnum):
    """The named databases."""

    META = "meta"
    SEGMENTS = "segments"
    LIVE = "live"
    ORDER = "order"
    ENTRIES = "entries"
    ROWS = "rows"
    RUNS = "runs"
    STREAMS = "streams"
    SESSIONS = "sessions"


@dataclass(frozen=True, slots=True)
class Meta:
    """The one row of META."""

    disk: bytes
    commits: int
    highest_epoch: int
    seal_order: int

    def encode(self) -> bytes:
        return _META_VALUE.pack(
            VERSION, self.disk, self.commits, self.highest_epoch, self.seal_order
        )

    @classmethod
    def decode(cls, value: bytes) -> Self:
        if len(value) != _META_VALUE.size:
            raise IndexDamaged("the index says nothing about itself")
        version, disk, commits, highest_epoch, seal_order = _META_VALUE.unpack(value)
        if not 1 <= version <= VERSION:
            raise IndexDamaged(f"the index has version {version}, this program writes {VERSION}")
        return cls(disk, commits, highest_epoch, seal_order)


Key = tuple[Table, bytes]
Layer = Mapping[Key, bytes | None]


@dataclass(frozen=True, slots=True)
class Commit:
    """What one commit writes; None deletes."""

    number: int
    changes: Layer


def map_bytes(segments: int, segment_bytes: int) -> int:
    """The index's size: what a disk's smallest chunks could need, and room to copy pages."""
    wanted = _FIXED_BYTES + segments * segment_bytes // _SHARE
    return -(-wanted // (1 << 20)) << 20


@dataclass(slots=True)
class Index:
    """Get, put and walk.

    Without an environment it lives in memory only (readers that recover, rebuilds).
    """

    meta: Meta
    _env: lmdb.Environment | None
    _dbs: dict[Table, _Database]
    _path: Path = Path()
    _size: int = 0
    _changes: dict[Key, bytes | None] = field(default_factory=dict)
    _committing: Layer = field(default_factory=dict)

    @classmethod
    def in_memory(cls, disk: bytes) -> Self:
        return cls(Meta(disk, 0, 0, 0), None, {})

    @classmethod
    def open(cls, path: Path, disk: bytes, size: int, *, writable: bool) -> Self:
        """IndexDamaged when it cannot be read, or is another disk's: then it is rebuilt."""
        _check_size(path, size)
        env: lmdb.Environment | None = None
        try:
            env = _open_env(path, size, writable=writable, create=False)
            dbs: dict[Table, _Database] = {t: env.open_db(t.encode(), create=False) for t in Table}
            with env.begin(db=dbs[Table.META]) as txn:
                meta = Meta.decode(txn.get(_META) or b"")
            if meta.disk != disk:
                raise IndexDamaged(f"the index in {path} belongs to another disk")
        except (lmdb.Error, IndexDamaged) as error:
            if env is not None:
                env.close()
            raise IndexDamaged(f"the index in {path} cannot be read: {error}") from error
        return cls(meta, env, dbs, path, size)

    @property
    def size_bytes(self) -> int:
        """Of its file; 0 in memory."""
        return self._size

    @property
    def is_dirty(self) -> bool:
        return bool(self._changes)

    def get(self, table: Table, key: bytes) -> bytes | None:
        for layer in (self._changes, self._committing):
            if (table, key) in layer:
                return layer[table, key]
        if self._env is None:
            return None
        try:
            with self._env.begin(db=self._dbs[table]) as txn:
                value: bytes | None = txn.get(key)
                return value
        except lmdb.Error as error:
            raise IndexDamaged(f"the index cannot be read: {error}") from error

    def put(self, table: Table, key: bytes, value: bytes) -> None:
        self._changes[table, key] = value

    def delete(self, table: Table, key: bytes) -> None:
        self._changes[table, key] = None

    def keys(self, table: Table, first: bytes, last: bytes) -> Iterator[bytes]:
        """As `items`, without the values: long ones lie in pages of their own, which nobody reads
        then.
        """
        return (key for key, _ in self._merged(table, first, last, has_values=False))

    def items(self, table: Table, first: bytes, last: bytes) -> Iterator[tuple[bytes, bytes]]:
        """Keys in [first, last] with their values, in order, without what is changed meanwhile."""
        return self._merged(table, first, last, has_values=True)

    def _merged(
        self, table: Table, first: bytes, last: bytes, *, has_values: bool
    ) -> Iterator[tuple[bytes, bytes]]:
        above: dict[bytes, bytes | None] = {}
        for layer in (self._committing, self._changes):
            for (where, key), value in layer.items():
                if where is table and first <= key <= last:
                    above[key] = value
        fresh = sorted(above, reverse=True)
        for key, value in self._committed(table, first, last, has_values=has_values):
            while fresh and fresh[-1] < key:
                yield from _present(fresh[-1], above[fresh.pop()])
            if fresh and fresh[-1] == key:
                yield from _present(key, above[fresh.pop()])
            else:
                yield key, value
        while fresh:
            yield from _present(fresh[-1], above[fresh.pop()])

    def _committed(
        self, table: Table, first: bytes, last: bytes, *, has_values: bool = True
    ) -> Iterator[tuple[bytes, bytes]]:
        # A batch a transaction: a walk that somebody leaves half-way must not hold a reader open,
        # for a stopped reader makes the environment grow.
        while self._env is not None:
            batch: list[tuple[bytes, bytes]] = []
            try:
                with self._env.begin(db=self._dbs[table]) as txn, txn.cursor() as cursor:
                    if cursor.set_range(first):
                        pairs = (
                            cursor.iternext()
                            if has_values
                            else ((key, b"") for key in cursor.iternext(values=False))
                        )
                        some = islice(pairs, 256)
                        batch = list(takewhile(lambda item: item[0] <= last, some))
            except lmdb.Error as error:
                raise IndexDamaged(f"the index cannot be read: {error}") from error
            yield from batch
            if len(batch) < 256:
                return
            first = batch[-1][0] + b"\0"

    def committed_items(
        self, table: Table, first: bytes, last: bytes
    ) -> Iterator[tuple[bytes, bytes]]:
        """As `items`, of what is on the disk: nothing that a power cut could take back."""
        return self._committed(table, first, last)

    def freeze(self, highest_epoch: int, seal_order: int) -> Commit:
        """Everything changed so far, for one commit. The one before must have been settled."""
        assert not self._committing
        meta = Meta(self.meta.disk, self.meta.commits + 1, highest_epoch, seal_order)
        self._changes[Table.META, _META] = meta.encode()
        self._committing, self._changes = self._changes, {}
        self.meta = meta
        return Commit(meta.commits, self._committing)

    def commit(self, commit: Commit) -> None:
        """Writes and syncs; may run in another thread than the rest."""
        assert self._env is not None
        try:
            with self._env.begin(write=True) as txn:
                for (table, key), value in commit.changes.items():
                    if value is None:
                        txn.delete(key, db=self._dbs[table])
                    else:
                        txn.put(key, value, db=self._dbs[table])
        except lmdb.Error as error:
            raise StorageError(f"the index cannot be written: {error}") from error

    def settle(self) -> None:
        """The commit is on the disk: reads may go there."""
        self._committing = {}

    def give_up_writing(self) -> None:
        """After a commit that failed: LMDB may refuse to read as well until it is opened anew. What
        that commit was to write stays above it, in memory.
        """
        assert self._env is not None
        self._env.close()
        read = Index.open(self._path, self.meta.disk, self._size, writable=False)
        self._env, self._dbs = read._env, read._dbs

    def commit_now(self, highest_epoch: int, seal_order: int) -> int:
        """Freeze, commit and settle in one go (format, rebuild, the end of a keeper)."""
        frozen = self.freeze(highest_epoch, seal_order)
        self.commit(frozen)
        self.settle()
        return frozen.number

    def close(self) -> None:
        if self._env is not None:
            self._env.close()
            self._env = None


def _present(key: bytes, value: bytes | None) -> Iterator[tuple[bytes, bytes]]:
    if value is not None:
        yield key, value


def _check_size(path: Path, size: int) -> None:
    """LMDB maps the file by its own size: a page behind the end would be the end of the process."""
    try:
        found = (path / DATA_NAME).stat().st_size
    except FileNotFoundError as error:
        raise IndexDamaged(f"{path} has no index") from error
    except OSError as error:
        raise IndexDamaged(f"the index in {path} cannot be read: {error.strerror}") from error
    if found != size:
        raise IndexDamaged(f"the index in {path} has {found} bytes, not {size}")


def _open_env(path: Path, size: int, *, writable: bool, create: bool) -> lmdb.Environment:
    # LMDB's own lock file is for several processes; here the disk's flock keeps all others out,
    # and a reader of a disk that is mounted read-only could not write it.
    return lmdb.open(
        os.fspath(path),
        map_size=size,
        max_dbs=len(Table),
        readonly=not writable,
        create=create,
        lock=writable,
        readahead=False,
        sync=True,
        metasync=True,
    )


def create(path: Path, disk: bytes, size: int) -> None:
    """A new, empty index, its file grown to its final size; one that lies there is thrown away.

    StorageError where the disk does not let it be made.
    """
    try:
        path.mkdir(mode=0o750, exist_ok=True)
        for name in (DATA_NAME, LOCK_NAME):
            (path / name).unlink(missing_ok=True)
        _fill(path, disk, size)
    except OSError as error:
        raise StorageError(f"no index can be made in {path}: {error.strerror}") from error
    except lmdb.Error as error:
        raise StorageError(f"no index can be made in {path}: {error}") from error


def _fill(path: Path, disk: bytes, size: int) -> None:
    env = _open_env(path, size, writable=True, create=True)
    try:
        dbs: dict[Table, _Database] = {table: env.open_db(table.encode()) for table in Table}
        Index(Meta(disk, -1, 0, 0), env, dbs).commit_now(highest_epoch=0, seal_order=0)
    finally:
        env.close()
    # LMDB writes into the file by offset and never shortens it, so that its room is there
    # beforehand.
    fd = os.open(path / DATA_NAME, os.O_RDWR | os.O_CLOEXEC)
    try:
        os.posix_fallocate(fd, 0, size)
    finally:
        os.close(fd)
