"""What `serve` remembers over its own restart: HOME/serve, an LMDB of its own (mode 0600).

Sessions, open looks, and the code for the first person. Losing it signs everybody out and nothing
more. Open it after any fork and once a process. docs/ref/serve-state.md says what stands where.
"""

from __future__ import annotations

import contextlib
import os
import pwd
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Literal, TypeVar, get_args

import lmdb
import msgspec

from vonggac.errors import ConfigError, StorageError
from vonggac.registry.lmdb_lock import allocate_lock
from vonggac_appliance.secrets import SERVE_USER
from vonggac_appliance.sockets import DECODE_ERRORS

__all__ = ["Database", "Rows", "ServeState", "decode_row", "encode_row"]

Database = Literal["sessions", "looks", "setup"]
_DATABASES: tuple[Database, ...] = get_args(Database)
ROW_VERSION = 1
"""Stands before every row (u16); a row of another version is as good as none."""
_MAP_BYTES = 64 * 1024 * 1024
"""Thousands of sessions and looks at half a KiB."""
_READERS_MAX = 256
"""Twice the threads of the page."""
_LOCK_BYTES = 32 * 1024
"""Of so many readers, 64 bytes each."""

StructT = TypeVar("StructT", bound=msgspec.Struct)


class Rows:
    """The rows inside one transaction."""

    def __init__(self, txn: lmdb.Transaction, dbs: dict[Database, lmdb._Database]) -> None:
        self._txn = txn
        self._dbs = dbs

    def get(self, database: Database, key: bytes) -> bytes | None:
        """A row's value."""
        raw = self._txn.get(key, db=self._dbs[database])
        return None if raw is None else bytes(raw)

    def all(self, database: Database) -> list[tuple[bytes, bytes]]:
        """Every row, by key."""
        return [(bytes(key), bytes(raw)) for key, raw in self._txn.cursor(db=self._dbs[database])]

    def put(self, database: Database, key: bytes, value: bytes) -> None:
        """Write a row, new or over an old one."""
        self._txn.put(key, value, db=self._dbs[database])

    def delete(self, database: Database, key: bytes) -> bool:
        """Take a row out; whether there was one."""
        return bool(self._txn.delete(key, db=self._dbs[database]))


class ServeState:
    """The open environment. `read` and `write` are one transaction each; writers take turns."""

    def __init__(self, home: Path) -> None:
        """Opens HOME/serve, making it. As root it goes to the user of `serve`, if there is one."""
        path = home / "serve"
        owner = _owner()
        try:
            _make(path, owner)
            self._env = lmdb.open(
                str(path),
                map_size=_MAP_BYTES,
                max_dbs=len(_DATABASES),
                max_readers=_READERS_MAX,
                mode=0o600,
            )
        except OSError as error:
            raise ConfigError(f"{path} cannot be used: {error.strerror}") from error
        except lmdb.Error as error:
            raise StorageError(f"{path} cannot be opened: {error}") from error
        try:
            if owner is not None:
                os.chown(path / "data.mdb", owner.pw_uid, owner.pw_gid)
            self._env.reader_check()
            with self._env.begin(write=True) as txn:
                self._dbs: dict[Database, lmdb._Database] = {
                    name: self._env.open_db(name.encode(), txn=txn) for name in _DATABASES
                }
        except BaseException as error:
            self._env.close()
            if isinstance(error, lmdb.Error | OSError):
                raise StorageError(f"{path} cannot be prepared: {error}") from error
            raise

    def __enter__(self) -> ServeState:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Closes the environment; the object is of no use afterwards."""
        self._env.close()

    @contextlib.contextmanager
    def read(self) -> Iterator[Rows]:
        """The rows as they are now. Short: what is open keeps old pages from being reused."""
        try:
            with self._env.begin() as txn:
                yield Rows(txn, self._dbs)
        except lmdb.Error as error:
            raise StorageError(f"what serve remembers cannot be read: {error}") from error

    @contextlib.contextmanager
    def write(self) -> Iterator[Rows]:
        """Reads and writes that count together: synced at the block's end, undone if it fails."""
        try:
            with self._env.begin(write=True) as txn:
                yield Rows(txn, self._dbs)
        except lmdb.Error as error:
            raise StorageError(f"what serve remembers cannot be written: {error}") from error


def encode_row(row: msgspec.Struct) -> bytes:
    """`row` as it is kept: version, then a MessagePack map."""
    return ROW_VERSION.to_bytes(2, "big") + msgspec.msgpack.encode(row)


def decode_row(raw: bytes, row_type: type[StructT]) -> StructT | None:
    """A row again; None where another version wrote it, or it is damaged: it is forgotten."""
    if int.from_bytes(raw[:2], "big") != ROW_VERSION:
        return None
    try:
        return msgspec.msgpack.decode(raw[2:], type=row_type)
    except DECODE_ERRORS:
        return None


def _owner() -> pwd.struct_passwd | None:
    """Whose the files have to be if root makes them first (`setup-code`)."""
    if os.geteuid() != 0:
        return None
    try:
        return pwd.getpwnam(SERVE_USER)
    except KeyError:
        return None


def _make(path: Path, owner: pwd.struct_passwd | None) -> None:
    """The directory and the lock file."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    allocate_lock(path, _LOCK_BYTES, 0o600)
    if owner is not None:
        for made in (path, path / "lock.mdb"):
            os.chown(made, owner.pw_uid, owner.pw_gid)
