"""The catalog: LMDB rows of cameras, sealed passwords, disks and people, versioned.

Written by commands (and later the page) under LMDB's own lock; `record` reads it. Open it after
any fork and once a process. docs/ref/catalog.md says what stands where.
"""

from __future__ import annotations

import time
from pathlib import Path
from types import TracebackType

import lmdb
import msgspec

from vonggac.errors import Refused
from vonggac.registry.camera import Camera
from vonggac.registry.catalog_file import CatalogFile, decode, encode
from vonggac.registry.hooks import Hook
from vonggac.registry.locks import HELD_MAX, RANGES_HELD_MAX, Lock
from vonggac.registry.masks import CameraMasks
from vonggac.registry.people import Account, name_key
from vonggac.registry.retention import Removed

__all__ = ["Catalog", "DiskRow"]

_REMOVED = b"removed/"
"""Before a camera's id, in `meta`."""
_HOOK = b"hook/"
"""Before a grant's number, u32 big-endian, in `meta`: an older program opens this catalog too."""
_MASKS = b"masks/"
"""Before a camera's id, in `meta`, for the same reason."""


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


_CAMERA_ID_BYTES = 16
_KEY_MAX_BYTES = 511
"""Of LMDB."""


def _code_key(code: str) -> bytes:
    """Where a camera's row is found. What a person typed may be anything; a code is none of it."""
    key = code.encode(errors="replace")
    return key if 0 < len(key) <= _KEY_MAX_BYTES else b"?"


class Catalog:
    """An open catalog. Every method is one transaction."""

    def __init__(self, home: Path, *, is_readonly: bool = False) -> None:
        """Opens HOME/catalog, making it unless `is_readonly`.

        Raises ConfigError when it is missing, or newer than this program.
        """
        self._file = CatalogFile(home / "catalog", is_readonly=is_readonly)

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
        """Closes it; the object is of no use afterwards."""
        self._file.close()

    def copy_to(self, fd: int) -> None:
        """All rows at one moment, as an LMDB file without its free pages. Of any thread."""
        self._file.copy_to(fd)

    @property
    def box_id(self) -> bytes:
        """16 random bytes, made with the catalog: which box a disk belongs to."""
        with self._file.read() as txn:
            return bytes(txn.get(b"box_id", b"", db=self._file.dbs["meta"]))

    @property
    def changes(self) -> int:
        """Rises with every write, so that a reader sees that something changed."""
        with self._file.read() as txn:
            return int.from_bytes(txn.get(b"changes", b"\0", db=self._file.dbs["meta"]), "big")

    def cameras(self) -> list[Camera]:
        """All cameras, by code."""
        with self._file.read() as txn:
            rows = [decode(raw, Camera) for _, raw in txn.cursor(db=self._file.dbs["cameras"])]
        return sorted(rows, key=lambda camera: camera.code)

    def camera(self, code: str) -> Camera | None:
        """The camera people call `code`."""
        with self._file.read() as txn:
            key = txn.get(_code_key(code), db=self._file.dbs["codes"])
            raw = None if key is None else txn.get(key, db=self._file.dbs["cameras"])
            return None if raw is None else decode(raw, Camera)

    def camera_by_id(self, camera_id: bytes) -> Camera | None:
        """The camera with this random id; None also where it is no id."""
        if len(camera_id) != _CAMERA_ID_BYTES:
            return None
        with self._file.read() as txn:
            raw = txn.get(camera_id, db=self._file.dbs["cameras"])
            return None if raw is None else decode(raw, Camera)

    def add_camera(self, camera: Camera, sealed: bytes | None = None) -> None:
        """A new camera and its sealed credentials. Refused when the code is taken."""
        with self._file.write() as txn:
            if not txn.put(
                camera.code.encode(), camera.id, overwrite=False, db=self._file.dbs["codes"]
            ):
                raise Refused(f"a camera {camera.code} exists already")
            if not txn.put(
                camera.id, encode(camera), overwrite=False, db=self._file.dbs["cameras"]
            ):
                raise Refused("a camera with this id exists already")
            if sealed is not None:
                txn.put(camera.id, sealed, db=self._file.dbs["secrets"])

    def change_camera(self, camera: Camera) -> None:
        """Replaces the row of a camera that exists; its code stays."""
        with self._file.write() as txn:
            if txn.get(camera.code.encode(), db=self._file.dbs["codes"]) != camera.id:
                raise Refused(f"there is no camera {camera.code}")
            txn.put(camera.id, encode(camera), db=self._file.dbs["cameras"])

    def remove_camera(self, code: str) -> Camera:
        """Takes a camera and its credentials out; what is recorded stays on the disks."""
        with self._file.write() as txn:
            key = txn.get(_code_key(code), db=self._file.dbs["codes"])
            raw = None if key is None else txn.get(key, db=self._file.dbs["cameras"])
            if key is None or raw is None:
                raise Refused(f"there is no camera {code}")
            camera = decode(raw, Camera)
            removed = encode(Removed.of(camera, time.time_ns()))
            txn.put(_REMOVED + camera.id, removed, db=self._file.dbs["meta"])
            txn.delete(_MASKS + camera.id, db=self._file.dbs["meta"])
            txn.delete(_code_key(code), db=self._file.dbs["codes"])
            txn.delete(camera.id, db=self._file.dbs["cameras"])
            txn.delete(camera.id, db=self._file.dbs["secrets"])
        return camera

    def removed(self) -> list[Removed]:
        """Cameras that were taken out, the last one first: their footage is still limited."""
        with self._file.read() as txn:
            rows = [decode(raw, Removed) for raw in self._below(txn, _REMOVED)]
        return sorted(rows, key=lambda row: -row.removed_ns)

    def hooks(self) -> list[Hook]:
        """All grants to programs there ever were, by number; `is_held` tells those in force."""
        with self._file.read() as txn:
            return [decode(raw, Hook) for raw in self._below(txn, _HOOK)]

    def put_hook(self, hook: Hook, before: Hook | None) -> None:
        """A new grant, or a changed one. Refused when somebody else was first."""
        key = _HOOK + hook.number.to_bytes(4, "big")
        with self._file.write() as txn:
            raw = txn.get(key, db=self._file.dbs["meta"])
            if (None if raw is None else decode(raw, Hook)) != before:
                raise Refused(f"hook {hook.number} was changed meanwhile: look at it again")
            txn.put(key, encode(hook), db=self._file.dbs["meta"])

    def masks(self, camera_id: bytes) -> CameraMasks:
        """What searches of this camera's motion leave out by default."""
        with self._file.read() as txn:
            return self._masks(txn, camera_id)

    def put_masks(self, masks: CameraMasks, before: CameraMasks) -> None:
        """Refused when somebody else was first, or the camera is gone."""
        with self._file.write() as txn:
            is_there = txn.get(masks.camera, db=self._file.dbs["cameras"]) is not None
            if not is_there or self._masks(txn, masks.camera) != before:
                raise Refused("the camera's masks were changed meanwhile: look at them again")
            txn.put(_MASKS + masks.camera, encode(masks), db=self._file.dbs["meta"])

    def sealed_credentials(self, camera_id: bytes) -> bytes | None:
        """What `appliance` sealed to `record`'s public key; None where there is no password."""
        with self._file.read() as txn:
            raw = txn.get(camera_id, db=self._file.dbs["secrets"])
            return None if raw is None else bytes(raw)

    def disks(self) -> list[DiskRow]:
        """All enrolled disks, in the order of enrolment."""
        with self._file.read() as txn:
            rows = [decode(raw, DiskRow) for _, raw in txn.cursor(db=self._file.dbs["disks"])]
        return sorted(rows, key=lambda disk: disk.enrolled_ns)

    def enrol_disk(self, disk: DiskRow) -> None:
        """Adds a disk, or tells where it is mounted now."""
        with self._file.write() as txn:
            txn.put(disk.uuid, encode(disk), db=self._file.dbs["disks"])

    def forget_disk(self, uuid: bytes) -> None:
        """Takes a disk out; its files stay."""
        with self._file.write() as txn:
            if not txn.delete(uuid, db=self._file.dbs["disks"]):
                raise Refused("this disk is not enrolled")

    def people(self) -> list[Account]:
        """Everybody who may sign in, by name."""
        with self._file.read() as txn:
            return sorted(self._people(txn), key=lambda account: name_key(account.name))

    def has_people(self) -> bool:
        """Whether there is anybody yet."""
        with self._file.read() as txn:
            return bool(txn.stat(self._file.dbs["people"])["entries"])

    def account(self, account_id: bytes) -> Account | None:
        """The person with this id."""
        with self._file.read() as txn:
            raw = txn.get(account_id, db=self._file.dbs["people"])
            return None if raw is None else decode(raw, Account)

    def account_named(self, name: str) -> Account | None:
        """Who signs in as `name`, however it is written."""
        key = name_key(name)
        with self._file.read() as txn:
            return next((row for row in self._people(txn) if name_key(row.name) == key), None)

    def add_account(self, account: Account, *, is_first: bool = False) -> None:
        """A new person. Refused when the name is taken, or `is_first` and there is somebody."""
        with self._file.write() as txn:
            others = self._people(txn)
            if is_first and others:
                raise Refused("the first person is there already")
            if any(name_key(other.name) == name_key(account.name) for other in others):
                raise Refused(f"somebody called {account.name} is there already")
            if not txn.put(
                account.id, encode(account), overwrite=False, db=self._file.dbs["people"]
            ):
                raise Refused("a person with this id exists already")

    def set_password(self, account_id: bytes, password: str) -> None:
        """What is kept of a person's new password. Refused when there is no such person."""
        with self._file.write() as txn:
            raw = txn.get(account_id, db=self._file.dbs["people"])
            if raw is None:
                raise Refused("there is no such person")
            changed = msgspec.structs.replace(decode(raw, Account), password=password)
            txn.put(account_id, encode(changed), db=self._file.dbs["people"])

    def locks(self) -> list[Lock]:
        """All there ever were, by number; `is_held` tells those that bind."""
        with self._file.read() as txn:
            return [decode(raw, Lock) for _, raw in txn.cursor(db=self._file.dbs["locks"])]

    def lock(self, number: int) -> Lock | None:
        """The lock that people call by this number."""
        with self._file.read() as txn:
            raw = txn.get(_lock_key(number), db=self._file.dbs["locks"])
            return None if raw is None else decode(raw, Lock)

    def add_lock(self, lock: Lock, known: int) -> bool:
        """A new lock. False when its number is taken, or not the one behind `known` rows: whoever
        counted against the quota counts again. Refused where too many hold.
        """
        with self._file.write() as txn:
            rows = [decode(raw, Lock) for _, raw in txn.cursor(db=self._file.dbs["locks"])]
            if len(rows) != known:
                return False
            held = [row for row in rows if row.is_held]
            ranges = sum(len(row.streams) for row in (*held, lock))
            if len(held) >= HELD_MAX or ranges > RANGES_HELD_MAX:
                raise Refused(f"{len(held)} locks hold, and there may not be more")
            return txn.put(
                _lock_key(lock.number), encode(lock), overwrite=False, db=self._file.dbs["locks"]
            )

    def change_lock(self, before: Lock, after: Lock) -> None:
        """Refused when somebody else has changed it since it was read."""
        with self._file.write() as txn:
            raw = txn.get(_lock_key(before.number), db=self._file.dbs["locks"])
            if raw is None or decode(raw, Lock) != before:
                raise Refused(f"lock {before.number} was changed meanwhile: look at it again")
            txn.put(_lock_key(after.number), encode(after), db=self._file.dbs["locks"])

    def _masks(self, txn: lmdb.Transaction, camera_id: bytes) -> CameraMasks:
        raw = txn.get(_MASKS + camera_id, db=self._file.dbs["meta"])
        return CameraMasks(camera_id) if raw is None else decode(raw, CameraMasks)

    def _below(self, txn: lmdb.Transaction, prefix: bytes) -> list[bytes]:
        """Values in `meta` whose keys begin so."""
        cursor = txn.cursor(db=self._file.dbs["meta"])
        values = []
        is_there = cursor.set_range(prefix)
        while is_there and bytes(cursor.key()).startswith(prefix):
            values.append(bytes(cursor.value()))
            is_there = cursor.next()
        return values

    def _people(self, txn: lmdb.Transaction) -> list[Account]:
        return [decode(raw, Account) for _, raw in txn.cursor(db=self._file.dbs["people"])]


def _lock_key(number: int) -> bytes:
    try:
        return number.to_bytes(4, "big")
    except OverflowError:
        raise Refused(f"there is no lock {number}") from None
