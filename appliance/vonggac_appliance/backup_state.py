"""How old the backup on each disk is: as the recorder says, or the disks where none runs."""

from __future__ import annotations

import os
from pathlib import Path

from vonggac.errors import Unavailable, VonggacError
from vonggac.registry.catalog import Catalog, DiskRow
from vonggac.store import backup_slot
from vonggac.store.disk import open_disk
from vonggac_appliance import backup_seal, bus_control, control

__all__ = ["state_of"]


def state_of(home: Path) -> bus_control.BackupsReply:
    """Of all enrolled disks. Raises VonggacError where the home cannot be read."""
    try:
        reply = control.ask(home, bus_control.AskBackups())
    except Unavailable:
        with Catalog(home, is_readonly=True) as catalog:
            rows = catalog.disks()
        has_key = backup_seal.public_of(home) is not None
        return bus_control.BackupsReply([_read(row) for row in rows], has_key, False, "")
    if not isinstance(reply, bus_control.BackupsReply):
        raise Unavailable(f"the recorder answers {reply}")
    return reply


def _read(row: DiskRow) -> bus_control.DiskBackup:
    found: backup_slot.Header | None = None
    room_bytes, what = None, ""
    try:
        with open_disk(Path(row.path), exclusive=False) as disk:
            if disk.identity.disk != row.uuid:
                raise Unavailable("another disk is mounted there")
            room_bytes, found = _slots(disk.path / backup_slot.BACKUP_NAME, row.uuid)
    except (VonggacError, OSError) as error:
        what = str(error)
    return bus_control.DiskBackup(
        uuid=row.uuid.hex(),
        path=row.path,
        state="stopped" if not what else "unavailable",
        room_bytes=room_bytes,
        made_ns=None if found is None else found.made_ns,
        length=0 if found is None else found.length,
        generation=0 if found is None else found.generation,
        what=what,
        is_writing=False,
    )


def _slots(path: Path, disk: bytes) -> tuple[int, backup_slot.Header | None]:
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return 0, None
    try:
        room_bytes = backup_slot.room_bytes(backup_slot.slot_bytes_of(fd))
        return room_bytes, backup_slot.newest(fd, disk)
    finally:
        os.close(fd)
