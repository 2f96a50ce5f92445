"""The alarms of a box: HOME/alarms, an LMDB that only the recorder writes.

They live in memory, and a thread of their own writes them: a home that is full or slow holds up no
recording. docs/ref/alarms.md says what stands where.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import lmdb
import msgspec

from vonggac.errors import StorageError
from vonggac.registry import alarms
from vonggac.registry.alarms import Alarm
from vonggac.registry.lmdb_lock import READER_BYTES, allocate_lock
from vonggac_appliance.sockets import DECODE_ERRORS

__all__ = ["AlarmStore", "newest", "read_stopped"]

_log = logging.getLogger("vonggac.record")

_MAP_BYTES = 64 << 20
"""Ten thousand rows of a KiB, several times over."""
_READERS_MAX = 8
_ROW_VERSION = 1
_KEY_BYTES = 8
_AGAIN_S = 10.0
"""Until what could not be written is tried again."""


class AlarmStore:
    """All alarms, by number. Used from the recorder's one thread; `close` writes what is left."""

    def __init__(self, home: Path) -> None:
        """Reads what there is. Where HOME/alarms cannot be used, alarms live in memory only."""
        self._rows: dict[int, Alarm] = {}
        self._open: dict[tuple[str, str], int] = {}
        self._changed = threading.Condition()
        self._waiting: dict[int, Alarm | None] = {}
        """Rows to write, the newest of each; None: it is forgotten."""
        self._is_closing = False
        self._env: lmdb.Environment | None = None
        try:
            self._env = _open(home / "alarms")
            self._rows = _read(self._env)
        except (OSError, lmdb.Error) as error:
            _log.error("alarms are not kept, %s/alarms cannot be used: %s", home, error)
        self._last = max(self._rows, default=0)
        for row in self._rows.values():
            if row.is_open:
                self._open[row.kind, row.subject] = row.number
        # A recorder that fails to start does not wait for it; one that ends does (`close`).
        self._thread = threading.Thread(target=self._write_all, name="alarms", daemon=True)
        self._thread.start()

    def note(self, kind: str, subject: str, what: str, at_ns: int) -> Alarm:
        """Something happened: a new row, or one more time of an open one."""
        number = self._open.get((kind, subject))
        if number is not None:
            row = alarms.repeated(self._rows[number], what, at_ns)
        else:
            self._last += 1
            row = Alarm(self._last, kind, subject, what, at_ns, at_ns)
            self._open[kind, subject] = row.number
        self._put(row)
        self._forget(alarms.surplus(self._rows.values()) if number is None else ())
        return row

    def see(self, numbers: Iterable[int], by: str, at_ns: int) -> None:
        """Somebody has had these before his eyes."""
        for number in numbers:
            if (row := self._rows.get(number)) is not None and not row.seen_ns:
                self._put(alarms.seen(row, by, at_ns))

    def acknowledge(self, number: int, by: str, note: str, at_ns: int) -> Alarm | None:
        """Somebody answers for it; the row as it is now, None where there is no such alarm."""
        row = self._rows.get(number)
        if row is None:
            return None
        if row.is_open:
            row = alarms.acknowledged(row, by, note[: alarms.NOTE_MAX], at_ns)
            self._open.pop((row.kind, row.subject), None)
            self._put(row)
        return row

    def newest(self, most: int) -> list[Alarm]:
        """Open ones first, then the rest, the newest of each first."""
        return newest(self._rows.values(), most)

    def close(self) -> None:
        """Writes what waits; at most as long as the home's disk takes."""
        with self._changed:
            self._is_closing = True
            self._changed.notify_all()
        self._thread.join()
        if self._env is not None:
            self._env.close()

    def _put(self, row: Alarm) -> None:
        self._rows[row.number] = row
        self._later(row.number, row)

    def _forget(self, numbers: Sequence[int]) -> None:
        for number in numbers:
            row = self._rows.pop(number)
            if row.is_open:
                del self._open[row.kind, row.subject]
            self._later(number, None)

    def _later(self, number: int, row: Alarm | None) -> None:
        with self._changed:
            self._waiting[number] = row
            self._changed.notify_all()

    # --- the thread -----------------------------------------------------------------------------

    def _write_all(self) -> None:
        """What could not be written is tried again after a while."""
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

    def _write(self, env: lmdb.Environment, changes: Mapping[int, Alarm | None]) -> bool:
        try:
            with env.begin(write=True) as txn:
                for number, row in changes.items():
                    if row is None:
                        txn.delete(_key(number))
                    else:
                        txn.put(_key(number), _encode(row))
        except lmdb.Error as error:
            _log.error("alarms cannot be written, they wait in memory: %s", error)
            return False
        return True


def read_stopped(home: Path) -> list[Alarm]:
    """The alarms while no recorder runs, which would have to be asked; StorageError."""
    path = home / "alarms"
    if not (path / "data.mdb").exists():
        return []
    try:
        # Without the lock file: nobody writes, and whoever may read need not be able to write.
        with lmdb.open(str(path), readonly=True, lock=False) as env:
            return list(_read(env).values())
    except (OSError, lmdb.Error) as error:
        raise StorageError(f"the alarms in {path} cannot be read: {error}") from error


def newest(rows: Iterable[Alarm], most: int) -> list[Alarm]:
    """Open ones first, then the rest, the newest of each first."""
    return sorted(rows, key=lambda row: (not row.is_open, -row.last_ns, -row.number))[:most]


def _open(path: Path) -> lmdb.Environment:
    path.mkdir(mode=0o750, parents=True, exist_ok=True)
    allocate_lock(path, (_READERS_MAX + 1) * READER_BYTES, 0o640)
    env = lmdb.open(str(path), map_size=_MAP_BYTES, mode=0o640, max_readers=_READERS_MAX)
    os.chmod(path / "data.mdb", 0o640)
    return env


def _read(env: lmdb.Environment) -> dict[int, Alarm]:
    with env.begin() as txn:
        found = (_decode(bytes(raw)) for _, raw in txn.cursor())
        return {row.number: row for row in found if row is not None}


def _key(number: int) -> bytes:
    return number.to_bytes(_KEY_BYTES, "big")


def _encode(row: Alarm) -> bytes:
    return _ROW_VERSION.to_bytes(2, "big") + msgspec.msgpack.encode(row)


def _decode(raw: bytes) -> Alarm | None:
    """None: another version wrote it, or it is damaged; the others are worth no less for it."""
    if int.from_bytes(raw[:2], "big") != _ROW_VERSION:
        return None
    try:
        return msgspec.msgpack.decode(raw[2:], type=Alarm)
    except DECODE_ERRORS:
        return None
