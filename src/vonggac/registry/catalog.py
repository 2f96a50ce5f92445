"""The catalog: LMDB rows of cameras, sealed passwords, disks and people, versioned.

Written by commands (and later the page) under LMDB's own lock; `record` reads it. Open it after
any fork and once a process. docs/ref/catalog.md says what stands where.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import stat
import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import TypeVar

import lmdb
import msgspec

from vonggac.errors import ConfigError, Refused, StorageError
from vonggac.registry.camera import Camera
from vonggac.registry.lmdb_lock import allocate_lock
from vonggac.registry.locks import HELD_MAX, RANGES_HELD_MAX, Lock
from vonggac.registry.people import Account, name_key
from vonggac.registry.retention import Removed

__all__ = ["FORMAT_VERSION", "Catalog", "DiskRow"]

FORMAT_VERSION = 1
ROW_VERSION = 1
"""Stands before every row (u16); raised when a field changes, not when one is added."""
MAP_BYTES = 64 * 1024 * 1024
"""Ten thousand cameras at 2 KB a row, three times over."""
_LOCK_BYTES = 8192
"""Of LMDB's 126 readers."""
_DATABASES = ("meta", "cameras", "codes", "secrets", "disks", "people", "locks")

_REMOVED = b"removed/"
"""Before a camera's id, in `meta`."""

StructT = TypeVar("StructT", bound=msgspec.Struct)


class DiskRow(msgspec.Struct, frozen=True):
    """A disk enrolled with this home."""

    uuid: bytes
    path: str
    """Where it was mounted when enrolled."""
    segments: int
    segment_bytes: int
    enrolled_ns: int
    is_draining: bool = False
    """No stream is to be recorded on it any more; what lies there stays readable."""


class Catalog:
    """An open catalog. Every method is one transaction."""

    def __init__(self, home: Path, *, is_readonly: bool = False) -> None:
        """Opens HOME/catalog, making it unless `is_readonly`.

        Raises ConfigError when it is missing, or newer than this program.
        """
        path = home / "catalog"
        if not is_readonly:
            _make_directory(path)
            _allocate_lock(path)
        elif not (path / "data.mdb").exists():
            raise ConfigError(f"no catalog in {home}: enrol a disk first (vonggac disk format)")
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

    def __enter__(self) -> Catalog:
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

    def copy_to(self, fd: int) -> None:
        """All rows at one moment, as an LMDB file without its free pages. Of any thread."""
        try:
            self._env.copyfd(fd, compact=True)
        except (lmdb.Error, OSError) as error:
            raise StorageError(f"the catalog cannot be copied: {error}") from error

    @property
    def box_id(self) -> bytes:
        """16 random bytes, made with the catalog: which box a disk belongs to."""
        with self._read() as txn:
            return bytes(txn.get(b"box_id", b"", db=self._dbs["meta"]))

    @property
    def changes(self) -> int:
        """Rises with every write, so that a reader sees that something changed."""
        with self._read() as txn:
            return int.from_bytes(txn.get(b"changes", b"\0", db=self._dbs["meta"]), "big")

    def cameras(self) -> list[Camera]:
        """All cameras, by code."""
        with self._read() as txn:
            rows = [_decode(raw, Camera) for _, raw in txn.cursor(db=self._dbs["cameras"])]
        return sorted(rows, key=lambda camera: camera.code)

    def camera(self, code: str) -> Camera | None:
        """The camera people call `code`."""
        with self._read() as txn:
            key = txn.get(code.encode(), db=self._dbs["codes"])
            raw = None if key is None else txn.get(key, db=self._dbs["cameras"])
            return None if raw is None else _decode(raw, Camera)

    def camera_by_id(self, camera_id: bytes) -> Camera | None:
        """The camera with this random id."""
        with self._read() as txn:
            raw = txn.get(camera_id, db=self._dbs["cameras"])
            return None if raw is None else _decode(raw, Camera)

    def add_camera(self, camera: Camera, sealed: bytes | None = None) -> None:
        """A new camera and its sealed credentials. Refused when the code is taken."""
        with self._write() as txn:
            if not txn.put(camera.code.encode(), camera.id, overwrite=False, db=self._dbs["codes"]):
                raise Refused(f"a camera {camera.code} exists already")
            if not txn.put(camera.id, _encode(camera), overwrite=False, db=self._dbs["cameras"]):
                raise Refused("a camera with this id exists already")
            if sealed is not None:
                txn.put(camera.id, sealed, db=self._dbs["secrets"])

    def change_camera(self, camera: Camera) -> None:
        """Replaces the row of a camera that exists; its code stays."""
        with self._write() as txn:
            if txn.get(camera.code.encode(), db=self._dbs["codes"]) != camera.id:
                raise Refused(f"there is no camera {camera.code}")
            txn.put(camera.id, _encode(camera), db=self._dbs["cameras"])

    def remove_camera(self, code: str) -> Camera:
        """Takes a camera and its credentials out; what is recorded stays on the disks."""
        with self._write() as txn:
            key = txn.get(code.encode(), db=self._dbs["codes"])
            raw = None if key is None else txn.get(key, db=self._dbs["cameras"])
            if key is None or raw is None:
                raise Refused(f"there is no camera {code}")
            camera = _decode(raw, Camera)
            removed = _encode(Removed.of(camera, time.time_ns()))
            txn.put(_REMOVED + camera.id, removed, db=self._dbs["meta"])
            txn.delete(code.encode(), db=self._dbs["codes"])
            txn.delete(camera.id, db=self._dbs["cameras"])
            txn.delete(camera.id, db=self._dbs["secrets"])
        return camera

    def removed(self) -> list[Removed]:
        """Cameras that were taken out, the last one first: their footage is still limited."""
        with self._read() as txn:
            cursor = txn.cursor(db=self._dbs["meta"])
            rows: list[Removed] = []
            is_there = cursor.set_range(_REMOVED)
            while is_there and bytes(cursor.key()).startswith(_REMOVED):
                rows.append(_decode(cursor.value(), Removed))
                is_there = cursor.next()
        return sorted(rows, key=lambda row: -row.removed_ns)

    def sealed_credentials(self, camera_id: bytes) -> bytes | None:
        """What `appliance` sealed to `record`'s public key; None where there is no password."""
        with self._read() as txn:
            raw = txn.get(camera_id, db=self._dbs["secrets"])
            return None if raw is None else bytes(raw)

    def disks(self) -> list[DiskRow]:
        """All enrolled disks, in the order of enrolment."""
        with self._read() as txn:
            rows = [_decode(raw, DiskRow) for _, raw in txn.cursor(db=self._dbs["disks"])]
        return sorted(rows, key=lambda disk: disk.enrolled_ns)

    def enrol_disk(self, disk: DiskRow) -> None:
        """Adds a disk, or tells where it is mounted now."""
        with self._write() as txn:
            txn.put(disk.uuid, _encode(disk), db=self._dbs["disks"])

    def forget_disk(self, uuid: bytes) -> None:
        """Takes a disk out; its files stay."""
        with self._write() as txn:
            if not txn.delete(uuid, db=self._dbs["disks"]):
                raise Refused("this disk is not enrolled")

    def people(self) -> list[Account]:
        """Everybody who may sign in, by name."""
        with self._read() as txn:
            return sorted(self._people(txn), key=lambda account: name_key(account.name))

    def has_people(self) -> bool:
        """Whether there is anybody yet."""
        with self._read() as txn:
            return bool(txn.stat(self._dbs["people"])["entries"])

    def account(self, account_id: bytes) -> Account | None:
        """The person with this id."""
        with self._read() as txn:
            raw = txn.get(account_id, db=self._dbs["people"])
            return None if raw is None else _decode(raw, Account)

    def account_named(self, name: str) -> Account | None:
        """Who signs in as `name`, however it is written."""
        key = name_key(name)
        with self._read() as txn:
            return next((row for row in self._people(txn) if name_key(row.name) == key), None)

    def add_account(self, account: Account, *, is_first: bool = False) -> None:
        """A new person. Refused when the name is taken, or `is_first` and there is somebody."""
        with self._write() as txn:
            others = self._people(txn)
            if is_first and others:
                raise Refused("the first person is there already")
            if any(name_key(other.name) == name_key(account.name) for other in others):
                raise Refused(f"somebody called {account.name} is there already")
            if not txn.put(account.id, _encode(account), overwrite=False, db=self._dbs["people"]):
                raise Refused("a person with this id exists already")

    def set_password(self, account_id: bytes, password: str) -> None:
        """What is kept of a person's new password. Refused when there is no such person."""
        with self._write() as txn:
            raw = txn.get(account_id, db=self._dbs["people"])
            if raw is None:
                raise Refused("there is no such person")
            changed = msgspec.structs.replace(_decode(raw, Account), password=password)
            txn.put(account_id, _encode(changed), db=self._dbs["people"])

    def locks(self) -> list[Lock]:
        """All there ever were, by number; `is_held` tells those that bind."""
        with self._read() as txn:
            return [_decode(raw, Lock) for _, raw in txn.cursor(db=self._dbs["locks"])]

    def lock(self, number: int) -> Lock | None:
        """The lock that people call by this number."""
        with self._read() as txn:
            raw = txn.get(_lock_key(number), db=self._dbs["locks"])
            return None if raw is None else _decode(raw, Lock)

    def add_lock(self, lock: Lock, known: int) -> bool:
        """A new lock. False when its number is taken, or not the one behind `known` rows: whoever
        counted against the quota counts again. Refused where too many hold.
        """
        with self._write() as txn:
            rows = [_decode(raw, Lock) for _, raw in txn.cursor(db=self._dbs["locks"])]
            if len(rows) != known:
                return False
            held = [row for row in rows if row.is_held]
            ranges = sum(len(row.streams) for row in (*held, lock))
            if len(held) >= HELD_MAX or ranges > RANGES_HELD_MAX:
                raise Refused(f"{len(held)} locks hold, and there may not be more")
            return txn.put(
                _lock_key(lock.number), _encode(lock), overwrite=False, db=self._dbs["locks"]
            )

    def change_lock(self, before: Lock, after: Lock) -> None:
        """Refused when somebody else has changed it since it was read."""
        with self._write() as txn:
            raw = txn.get(_lock_key(before.number), db=self._dbs["locks"])
            if raw is None or _decode(raw, Lock) != before:
                raise Refused(f"lock {before.number} was changed meanwhile: look at it again")
            txn.put(_lock_key(after.number), _encode(after), db=self._dbs["locks"])

    def _people(self, txn: lmdb.Transaction) -> list[Account]:
        return [_decode(raw, Account) for _, raw in txn.cursor(db=self._dbs["people"])]

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
            self._dbs = {
                name: self._env.open_db(name.encode(), create=False) for name in _DATABASES
            }
        except lmdb.NotFoundError as error:
            raise ConfigError(f"{path} is no catalog of vonggac") from error
        with self._read() as txn:
            _check_version(txn.get(b"format", db=self._dbs["meta"]), path)

    @contextlib.contextmanager
    def _read(self) -> Iterator[lmdb.Transaction]:
        try:
            with self._env.begin() as txn:
                yield txn
        except lmdb.Error as error:
            raise StorageError(f"the catalog cannot be read: {error}") from error

    def _write(self) -> _Write:
        return _Write(self._env, self._dbs["meta"])


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


def _lock_key(number: int) -> bytes:
    try:
        return number.to_bytes(4, "big")
    except OverflowError:
        raise Refused(f"there is no lock {number}") from None


def _encode(row: msgspec.Struct) -> bytes:
    return ROW_VERSION.to_bytes(2, "big") + msgspec.msgpack.encode(row)


def _decode(raw: bytes | memoryview, row_type: type[StructT]) -> StructT:
    version = int.from_bytes(raw[:2], "big")
    if version > ROW_VERSION:
        raise ConfigError(f"a catalog row has version {version}; this program knows {ROW_VERSION}")
    try:
        return msgspec.msgpack.decode(raw[2:], type=row_type)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise StorageError(f"a catalog row of {row_type.__name__} is damaged: {error}") from error
