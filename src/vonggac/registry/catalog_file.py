"""The catalog's LMDB environment: made, opened, versioned; transactions, and rows as bytes."""

from __future__ import annotations

import contextlib
import os
import secrets
import stat
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import TypeVar

import lmdb
import msgspec

from vonggac.errors import ConfigError, StorageError
from vonggac.registry.lmdb_lock import allocate_lock

__all__ = ["FORMAT_VERSION", "CatalogFile", "decode", "encode"]

FORMAT_VERSION = 1
ROW_VERSION = 1
"""Stands before every row (u16); raised when a field changes, not when one is added."""
MAP_BYTES = 64 * 1024 * 1024
"""Ten thousand cameras at 2 KB a row, three times over."""
_LOCK_BYTES = 8192
"""Of LMDB's 126 readers."""
_DATABASES = ("meta", "cameras", "codes", "secrets", "disks", "people", "locks")

StructT = TypeVar("StructT", bound=msgspec.Struct)


class CatalogFile:
    """One a process, opened after any fork."""

    def __init__(self, path: Path, *, is_readonly: bool) -> None:
        """Opens it, making it unless `is_readonly`.

        Raises ConfigError when it is missing, or newer than this program.
        """
        if not is_readonly:
            _make_directory(path)
            _allocate_lock(path)
        elif not (path / "data.mdb").exists():
            raise ConfigError(
                f"no catalog in {path.parent}: enrol a disk first (vonggac disk format)"
            )
        try:
            self._env = lmdb.open(
                str(path),
                map_size=MAP_BYTES,
                max_dbs=len(_DATABASES),
                readonly=is_readonly,
                mode=0o640,
            )
        except lmdb.Error as error:
            raise StorageError(f"the catalog {path} cannot be opened: {error}") from error
        if not is_readonly:
            _share(path)
        try:
            self._prepare(path, is_readonly)
        except lmdb.Error as error:
            self._env.close()
            raise StorageError(f"the catalog {path} cannot be read: {error}") from error
        except BaseException:
            self._env.close()
            raise

    def close(self) -> None:
        self._env.close()

    def copy_to(self, fd: int) -> None:
        """All rows at one moment, as an LMDB file without its free pages. Of any thread."""
        try:
            self._env.copyfd(fd, compact=True)
        except (lmdb.Error, OSError) as error:
            raise StorageError(f"the catalog cannot be copied: {error}") from error

    @contextlib.contextmanager
    def read(self) -> Iterator[lmdb.Transaction]:
        try:
            with self._env.begin() as txn:
                yield txn
        except lmdb.Error as error:
            raise StorageError(f"the catalog cannot be read: {error}") from error

    def write(self) -> _Write:
        return _Write(self._env, self.dbs["meta"])

    def _prepare(self, path: Path, is_readonly: bool) -> None:
        if not is_readonly:
            self._env.reader_check()  # one that was killed would keep old pages from being reused
            with self._env.begin(write=True) as txn:
                meta = self._env.open_db(b"meta", txn=txn)
                txn.put(b"format", FORMAT_VERSION.to_bytes(2, "big"), overwrite=False, db=meta)
                txn.put(b"box_id", secrets.token_bytes(16), overwrite=False, db=meta)
                _check_version(txn.get(b"format", db=meta), path)
                for name in _DATABASES:
                    self._env.open_db(name.encode(), txn=txn)
        try:
            self.dbs = {name: self._env.open_db(name.encode(), create=False) for name in _DATABASES}
        except lmdb.NotFoundError as error:
            raise ConfigError(f"{path} is no catalog of vonggac") from error
        with self.read() as txn:
            _check_version(txn.get(b"format", db=self.dbs["meta"]), path)


class _Write:
    """A write transaction that counts itself; LMDB's errors become ours."""

    def __init__(self, env: lmdb.Environment, meta: lmdb._Database) -> None:
        self._txn = env.begin(write=True)
        self._meta = meta

    def __enter__(self) -> lmdb.Transaction:
        return self._txn

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is not None:
            self._txn.abort()
            if isinstance(error, lmdb.Error):
                raise StorageError(f"the catalog refused: {error}") from error
            return
        changes = int.from_bytes(self._txn.get(b"changes", b"\0", db=self._meta), "big")
        try:
            self._txn.put(b"changes", (changes + 1).to_bytes(8, "big"), db=self._meta)
            self._txn.commit()
        except lmdb.Error as failure:
            raise StorageError(f"the catalog refused: {failure}") from failure


def _make_directory(path: Path) -> None:
    try:
        path.mkdir(mode=0o750, parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"{path} cannot be made: {error.strerror}") from error


def _share(path: Path) -> None:
    """The files' group and modes. Who did not make them may not set these, and need not.

    A reader registers itself in the lock file, while the rows it may not touch. Where the directory
    is for a group to write (2770, tmpfiles.d), so is the catalog: the page writes what root made.
    """
    directory = path.stat()
    with contextlib.suppress(PermissionError):
        (path / "lock.mdb").chmod(0o660)
    if not directory.st_mode & stat.S_IWGRP:
        return
    for file in (path / "lock.mdb", path / "data.mdb"):
        with contextlib.suppress(PermissionError):
            os.chown(file, -1, directory.st_gid)
            file.chmod(0o660)


def _allocate_lock(path: Path) -> None:
    try:
        allocate_lock(path, _LOCK_BYTES, 0o660)
    except OSError as error:
        raise StorageError(f"{path}/lock.mdb cannot be made: {error.strerror}") from error


def _check_version(raw: bytes | memoryview | None, path: Path) -> None:
    version = int.from_bytes(raw or b"", "big")
    if not 1 <= version <= FORMAT_VERSION:
        raise ConfigError(f"{path} has format {version}; this program knows 1 to {FORMAT_VERSION}")


def encode(row: msgspec.Struct) -> bytes:
    return ROW_VERSION.to_bytes(2, "big") + msgspec.msgpack.encode(row)


def decode(raw: bytes | memoryview, row_type: type[StructT]) -> StructT:
    version = int.from_bytes(raw[:2], "big")
    if version > ROW_VERSION:
        raise ConfigError(f"a catalog row has version {version}; this program knows {ROW_VERSION}")
    try:
        return msgspec.msgpack.decode(raw[2:], type=row_type)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise StorageError(f"a catalog row of {row_type.__name__} is damaged: {error}") from error
