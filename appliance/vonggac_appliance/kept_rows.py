"""Rows that live in memory and are written behind: a small LMDB that only the recorder writes.

A thread of its own writes them, so a home that is full or slow holds up no recording. What could
not be written is tried again.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Mapping
from pathlib import Path

import lmdb

from vonggac.errors import StorageError
from vonggac.registry.lmdb_lock import READER_BYTES, allocate_lock

__all__ = ["KeptRows", "read_rows", "write_rows"]

_log = logging.getLogger("vonggac.record")

_MAP_BYTES = 64 << 20
_READERS_MAX = 8
_AGAIN_S = 10.0
"""Until what could not be written is tried again."""


class KeptRows:
    """The rows of one folder. `put` from one thread; `close` writes what is left."""

    def __init__(self, path: Path) -> None:
        """Reads what there is. Where `path` cannot be used, rows live in memory only."""
        self.found: dict[bytes, bytes] = {}
        """What was read at the start."""
        self._name = path.name
        self._changed = threading.Condition()
        self._waiting: dict[bytes, bytes | None] = {}
        """To write, the newest of each; None: it is forgotten."""
        self._is_closing = False
        self._env: lmdb.Environment | None = None
        try:
            self._env = _open(path)
            self.found = _read(self._env)
        except (OSError, lmdb.Error) as error:
            _log.error("%s are not kept, %s cannot be used: %s", self._name, path, error)
        # A recorder that fails to start does not wait for it; one that ends does (`close`).
        self._thread = threading.Thread(target=self._write_all, name=self._name, daemon=True)
        self._thread.start()

    def put(self, key: bytes, value: bytes | None) -> None:
        """A row to write; None: to forget."""
        with self._changed:
            self._waiting[key] = value
            self._changed.notify_all()

    def close(self) -> None:
        """Writes what waits; at most as long as the home's disk takes."""
        with self._changed:
            self._is_closing = True
            self._changed.notify_all()
        self._thread.join()
        if self._env is not None:
            self._env.close()

    # --- the thread -----------------------------------------------------------------------------

    def _write_all(self) -> None:
        is_over = False
        while not is_over:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting or self._is_closing)
                changes, self._waiting = self._waiting, {}
                is_over = self._is_closing
            if self._env is not None and not self._write(self._env, changes):
                with self._changed:
                    self._waiting = changes | self._waiting
                    if not is_over:
                        self._changed.wait_for(lambda: self._is_closing, _AGAIN_S)

    def _write(self, env: lmdb.Environment, changes: Mapping[bytes, bytes | None]) -> bool:
        try:
            _put_all(env, changes)
        except lmdb.Error as error:
            _log.error("%s cannot be written, they wait in memory: %s", self._name, error)
            return False
        return True


def read_rows(path: Path) -> dict[bytes, bytes]:
    """The rows while no recorder runs, which would have to be asked; StorageError."""
    if not (path / "data.mdb").exists():
        return {}
    try:
        # Without the lock file: nobody writes, and whoever may read need not be able to write.
        with lmdb.open(str(path), readonly=True, lock=False) as env:
            return _read(env)
    except (OSError, lmdb.Error) as error:
        raise StorageError(f"{path} cannot be read: {error}") from error


def write_rows(path: Path, changes: Mapping[bytes, bytes | None]) -> None:
    """Writes rows, or forgets them, while no recorder runs; StorageError."""
    if not (path / "data.mdb").exists() and not any(changes.values()):
        return
    try:
        with _open(path) as env:
            _put_all(env, changes)
    except (OSError, lmdb.Error) as error:
        raise StorageError(f"{path} cannot be written: {error}") from error


def _put_all(env: lmdb.Environment, changes: Mapping[bytes, bytes | None]) -> None:
    with env.begin(write=True) as txn:
        for key, value in changes.items():
            if value is None:
                txn.delete(key)
            else:
                txn.put(key, value)


def _open(path: Path) -> lmdb.Environment:
    path.mkdir(mode=0o750, parents=True, exist_ok=True)
    allocate_lock(path, (_READERS_MAX + 1) * READER_BYTES, 0o640)
    env = lmdb.open(str(path), map_size=_MAP_BYTES, mode=0o640, max_readers=_READERS_MAX)
    os.chmod(path / "data.mdb", 0o640)
    return env


def _read(env: lmdb.Environment) -> dict[bytes, bytes]:
    with env.begin() as txn:
        return {bytes(key): bytes(raw) for key, raw in txn.cursor()}
