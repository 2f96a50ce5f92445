"""Makes a home from a backup: opens it, and writes what a box needs to go on where it stopped.

Nothing is overwritten: a home whose catalog knows anything is refused, and other files that are in
the way are kept beside. The catalog comes last, so that a restore which was interrupted can be done
again.
"""

from __future__ import annotations

import contextlib
import fcntl
import gzip
import json
import os
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from vonggac.errors import ConfigError, Refused, StorageError, Unavailable, VonggacError
from vonggac.evidence import chain
from vonggac.registry.catalog import Catalog
from vonggac.registry.people import local_person
from vonggac.store import backup_slot
from vonggac.store.disk import open_disk
from vonggac_appliance import backup_archive, backup_seal, learnt_store
from vonggac_appliance.backup_archive import Manifest
from vonggac_appliance.owners import give_to
from vonggac_appliance.secrets import AUDIT_USER, RECORD_USER
from vonggac_appliance.synced_files import sync_directory, write_all

__all__ = ["Found", "Opened", "Restored", "find", "restore", "unlock"]

_ASIDE = ".before-restore"


@dataclass(frozen=True, slots=True)
class Found:
    """A backup, still sealed."""

    sealed: bytes
    made_ns: int | None
    """None: a sealed file alone, which tells nothing before it is opened."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A backup that was opened; every file has the hash that its manifest names."""

    manifest: Manifest
    files: dict[str, bytes]
    lines: bytes
    """The last ones of the audit chain."""
    remarks: tuple[str, ...] = ()
    """What of it could not be opened."""


@dataclass(frozen=True, slots=True)
class Restored:
    """What a home has now."""

    cameras: int
    people: int
    disks: tuple[str, ...]
    """Where they were mounted."""
    notes: tuple[str, ...]


def find(where: Path) -> Found:
    """The newest whole backup of a disk, of its file `backup`, or in a sealed file.

    Raises ConfigError where there is none, Unavailable while a recorder has the disk.
    """
    if where.is_dir():
        place = where / backup_slot.BACKUP_NAME
        try:
            with open_disk(where, exclusive=False) as disk:
                return _in_slots(place, disk.identity.disk)
        except (ConfigError, StorageError):
            if not place.exists():
                raise
            return _in_slots(place, None)  # the rest of the disk may be damaged
    if not where.exists():
        raise ConfigError(f"{where} is not there")
    with where.open("rb") as file:
        begin = file.read(64)
    if backup_seal.is_sealed(begin):
        return Found(where.read_bytes(), None)
    return _in_slots(where, None)


def unlock(found: Found, key: backup_seal.Recovery) -> Opened:
    """Raises Refused for another key, ConfigError for a backup that is damaged.

    The log is sealed by itself, and to another key where that was replaced meanwhile. Cameras and
    people do not wait for it.
    """
    manifest, files = backup_archive.unpack(backup_seal.unseal(found.sealed, key))
    tail = files.pop(backup_archive.AUDIT_TAIL, None)
    if backup_archive.CATALOG not in files:
        raise ConfigError("the backup holds no catalog")
    if tail is None:
        return Opened(manifest, files, b"")
    try:
        return Opened(manifest, files, gzip.decompress(backup_seal.unseal(tail, key)))
    except (Refused, OSError, EOFError, zlib.error) as error:
        return Opened(manifest, files, b"", (f"the log in the backup cannot be opened: {error}",))


def restore(home: Path, opened: Opened, now_ns: int) -> Restored:
    """Writes the home. Refused where its catalog knows anything, Unavailable where it is in use."""
    catalog = home / backup_archive.CATALOG
    if catalog.exists() and not _is_empty(home):
        raise Refused(
            f"{home} has a catalog already: nothing was changed. "
            f"If it is to be given up: stop what runs, move {catalog} away, and restore again"
        )
    notes = list(opened.remarks)
    home.mkdir(mode=0o750, parents=True, exist_ok=True)
    with _unused(home):
        _write_keys(home, opened.files, notes)
        if "config.toml" in opened.files:
            _put(home / "config.toml", opened.files["config.toml"], 0o644, "root", notes)
        _write_log(home, opened, now_ns, notes)
        _write_learnt(home, opened.files.get(backup_archive.LEARNT), notes)
        _put(catalog, opened.files[backup_archive.CATALOG], 0o640, "root", notes)
    try:
        return _look(home, opened.manifest, notes)
    except BaseException:
        catalog.unlink()  # half a home must not pass for one
        raise


def _in_slots(path: Path, disk: bytes | None) -> Found:
    if not path.exists():
        raise ConfigError(
            f"{path} is not there: the disk was formatted without a place for backups"
        )
    header, sealed = backup_slot.read(path, disk)
    return Found(sealed, header.made_ns)


def _is_empty(home: Path) -> bool:
    """Whether its catalog knows nothing: the page makes such a one where a box is set up anew."""
    try:
        with Catalog(home, is_readonly=True) as catalog:
            rows = (catalog.cameras(), catalog.removed(), catalog.disks(), catalog.locks())
            return not any(rows) and not catalog.people()
    except VonggacError:
        return False  # a damaged one is a person's to move away


@contextlib.contextmanager
def _unused(home: Path) -> Iterator[None]:
    """Holds the locks by which a recorder, a writer of the audit chain and LMDB tell each other."""
    with contextlib.ExitStack() as stack:
        for path, who in (
            (home / "run" / "record.lock", "a recorder"),
            (home / "audit" / "log.jsonl", "`vonggac audit run`"),
        ):
            if path.exists():
                fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
                stack.callback(os.close, fd)
                try:
                    fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    raise Unavailable(f"{who} runs in {home}: stop it first") from None
        lock = home / "catalog" / "lock.mdb"
        if lock.exists():
            fd = os.open(lock, os.O_RDWR | os.O_CLOEXEC)
            stack.callback(os.close, fd)
            try:
                fcntl.lockf(fd, fcntl.LOCK_EX | fcntl.LOCK_NB, 1)
            except (BlockingIOError, PermissionError):
                # It would go on with the old file and the new one's lock, and damage the new one.
                what = f"the page or another command has the catalog of {home} open"
                raise Unavailable(f"{what}: stop it first") from None
        yield


def _write_keys(home: Path, files: dict[str, bytes], notes: list[str]) -> None:
    keys = home / "keys"
    private = files.get("keys/record.key")
    if private is not None:
        public = X25519PrivateKey.from_private_bytes(private).public_key().public_bytes_raw()
        _put(keys / "record.key", private, 0o600, RECORD_USER, notes)
        _put(keys / "record.pub", public, 0o644, RECORD_USER, notes)
    for name, mode, owner in (("receipt.key", 0o640, AUDIT_USER), ("backup.pub", 0o644, "root")):
        data = files.get(f"keys/{name}")
        if data is not None:
            _put(keys / name, data, mode, owner, notes)


def _write_learnt(home: Path, packed: bytes | None, notes: list[str]) -> None:
    """Cameras go on without it; where only the catalog was lost, what is there is newer."""
    place = home / "learnt"
    try:
        if packed is None or learnt_store.read_stopped(home):
            return
        learnt_store.unpack(home, packed)
    except StorageError as error:
        notes.append(f"{error}: cameras are learnt anew")
    for path in (place, *place.glob("*.mdb")):
        if path.exists():
            give_to(path, RECORD_USER)


def _write_log(home: Path, opened: Opened, now_ns: int, notes: list[str]) -> None:
    """The chain goes on from the line it had reached, with one that says what happened."""
    state = opened.manifest.audit
    number, prev = (0, chain.GENESIS) if state is None else (state.lines, state.head)
    lines = opened.lines
    longer = None if state is None else _log_here(home, state.head)
    if longer is not None:
        number, prev, lines = longer
    elif lines and chain.hash_line(lines[lines.rfind(b"\n", 0, -1) + 1 :]) != prev:
        notes.append("the log in the backup does not end with the line that it names: audit verify")
    person = local_person(os.geteuid())
    event: dict[str, chain.Value] = {
        "time": _utc(now_ns),
        "action": chain.Action.RESTORE,
        "object": f"backup of {_utc(opened.manifest.made_ns)}",
        "result": "done",
        "actor": person.name,
        "role": str(person.role),
        "purpose": None,
        "first": number + 1 - lines.count(b"\n"),
        "known": state is not None,
        "kept": longer is not None,
    }
    line = chain.canonical_line(event, number + 1, prev)
    _put(home / "audit" / "log.jsonl", lines + line, 0o640, AUDIT_USER, notes)
    head = chain.hash_line(line).encode() + b"\n"
    _put(home / "audit" / "head", head, 0o640, AUDIT_USER, notes)
    if state is None:
        notes.append("the audit chain was not in the backup: it begins anew")
    elif number and not lines:
        notes.append(f"lines 1 to {number} of the audit chain are not in the backup")


def _log_here(home: Path, head: str) -> tuple[int, str, bytes] | None:
    """Last number, hash and lines of a log that is there and in which the line `head` stands.

    Where only the catalog was lost, that log knows more than the backup: its lines stay.
    """
    try:
        held = (home / "audit" / "log.jsonl").read_bytes()
    except FileNotFoundError:
        return None
    lines = [line + b"\n" for line in held.split(b"\n")[:-1]]
    if head not in map(chain.hash_line, lines):
        return None
    try:
        number = int(json.loads(lines[-1])["n"])
    except (ValueError, KeyError, TypeError):
        return None
    return number, chain.hash_line(lines[-1]), b"".join(lines)


def _put(path: Path, data: bytes, mode: int, owner: str, notes: list[str]) -> None:
    """Writes a file whole and synced; one that is there is kept beside."""
    if not path.parent.exists():
        path.parent.mkdir(mode=0o750)
        give_to(path.parent, owner)
        sync_directory(path.parent.parent)
    if path.exists() and path.read_bytes() != data:
        aside = _free_name(path)
        os.rename(path, aside)
        notes.append(f"{path} was there before, and is {aside.name} now")
    draft = path.with_name(f".{path.name}.restore")
    draft.unlink(missing_ok=True)
    fd = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    try:
        write_all(fd, data)
        os.fchmod(fd, mode)
        # keys/ hands its group to what lies in it, and that is who may read the receipts' key.
        give_to(draft, owner, with_group=path.parent.name != "keys")
        os.fsync(fd)
    finally:
        os.close(fd)
    os.rename(draft, path)
    sync_directory(path.parent)


def _free_name(path: Path) -> Path:
    aside = path.with_name(path.name + _ASIDE)
    number = 1
    while aside.exists():
        number += 1
        aside = path.with_name(f"{path.name}{_ASIDE}-{number}")
    return aside


def _look(home: Path, manifest: Manifest, notes: list[str]) -> Restored:
    """Opens the catalog as a command does, which also gives it its group."""
    with Catalog(home) as catalog:
        if catalog.box_id.hex() != manifest.box:
            raise ConfigError("the catalog in the backup is another box's")
        disks = tuple(row.path for row in catalog.disks())
        return Restored(len(catalog.cameras()), len(catalog.people()), disks, tuple(notes))


def _utc(ns: int) -> str:
    return datetime.fromtimestamp(ns // 1_000_000_000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
