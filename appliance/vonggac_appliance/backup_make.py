"""Makes a backup of the home: collects, packs and seals. Runs in a thread of the recorder's parent.

The parent is who may read what a restored box cannot do without: the catalog and the key to its
passwords. Sessions, sockets, footage and the key of the page's certificate are not in it.
"""

from __future__ import annotations

import importlib.metadata
import logging
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import msgspec

from vonggac.errors import ConfigError, MediaError, OutOfSpace, Unavailable
from vonggac_appliance import audit_client, backup_archive, backup_seal, secrets
from vonggac_appliance.backup_archive import AuditState, Manifest
from vonggac_appliance.backup_tail import TAIL_BYTES_MAX
from vonggac_appliance.clock import iso

__all__ = ["BackupSources", "make"]

_log = logging.getLogger("vonggac.record")

_SPARE_BYTES = 16 << 10
"""What names, hashes and the two seals take around the last lines of the log."""


@dataclass(frozen=True, slots=True)
class BackupSources:
    """Where a backup comes from."""

    home: Path
    box: bytes
    copy_catalog: Callable[[int], None]
    """Writes a consistent copy to a descriptor. By who has it open: a second opening of an LMDB in
    one process would break its locks."""
    learnt: Callable[[], bytes] | None = None
    """Gives what is learnt about cameras (`learnt_store.LearntStore.packed`)."""


def make(sources: BackupSources, room_bytes: int, made_ns: int) -> bytes:
    """The sealed backup, at most `room_bytes` long.

    Raises ConfigError without a recovery key, OutOfSpace, StorageError, OSError.
    """
    public = backup_seal.public_of(sources.home)
    if public is None:
        raise ConfigError("no recovery key was made: vonggac backup key")
    to = backup_seal.recipient(public)
    files = _files(sources)
    manifest = Manifest(
        format=backup_archive.FORMAT,
        box=sources.box.hex(),
        made_ns=made_ns,
        made=iso(made_ns),
        program=importlib.metadata.version("vonggac"),
        files={},
    )
    left_bytes = room_bytes - len(backup_archive.pack(manifest, files)) - _SPARE_BYTES
    state, tail = _audit(sources.home, left_bytes - left_bytes // 64)
    if tail:
        files[backup_archive.AUDIT_TAIL] = tail
    packed = backup_archive.pack(_with_audit(manifest, state), files)
    sealed = backup_seal.seal(packed, to)
    if len(sealed) > room_bytes:
        raise OutOfSpace(f"the home takes {len(sealed)} bytes, a disk has room for {room_bytes}")
    return sealed


def _files(sources: BackupSources) -> dict[str, bytes]:
    found = {backup_archive.CATALOG: _copy(sources.copy_catalog)}
    keys = sources.home / "keys"
    try:
        found["keys/record.key"] = secrets.record_private_key(sources.home).private_bytes_raw()
    except ConfigError:
        if (keys / "record.key").exists():
            raise  # it is there and must not be left out
    for name, path in (
        ("keys/receipt.key", keys / "receipt.key"),
        ("keys/backup.pub", keys / "backup.pub"),
        ("config.toml", sources.home / "config.toml"),
    ):
        if path.exists():
            found[name] = path.read_bytes()
    if sources.learnt is not None:
        found[backup_archive.LEARNT] = sources.learnt()
    return found


def _copy(copy_to: Callable[[int], None]) -> bytes:
    fd = os.memfd_create("vonggac-backup-part", os.MFD_CLOEXEC)
    try:
        copy_to(fd)
        return os.pread(fd, os.fstat(fd).st_size, 0)
    finally:
        os.close(fd)


def _audit(home: Path, room_bytes: int) -> tuple[AuditState | None, bytes]:
    """The audit chain's end. Without it the backup is made all the same: what restores cameras
    and people must not wait for the log."""
    most_bytes = max(0, min(room_bytes, TAIL_BYTES_MAX))
    try:
        chain, tail = audit_client.ask_tail(home, most_bytes)
    except (Unavailable, MediaError) as error:
        _log.warning("the backup is made without the audit chain: %s", error)
        return None, b""
    if not chain.head:
        return None, b""
    first = chain.tail_from if tail else chain.lines + 1
    return AuditState(chain.lines, chain.head, first), tail


def _with_audit(manifest: Manifest, state: AuditState | None) -> Manifest:
    return msgspec.structs.replace(manifest, audit=state)
