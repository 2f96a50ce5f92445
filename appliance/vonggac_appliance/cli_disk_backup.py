"""`vonggac disk prepare-backup`: a place for backups on a disk that was formatted without one."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from vonggac.registry.catalog import Catalog
from vonggac.store import backup_slot, disk
from vonggac.store.formatting import prepare_backup
from vonggac_appliance.cli_common import disk_leaf, emit
from vonggac_appliance.owners import give_to
from vonggac_appliance.secrets import RECORD_USER

if TYPE_CHECKING:
    from vonggac_appliance.cli_common import Commands

__all__ = ["add_to"]


def add_to(nested: Commands) -> None:
    """Put the command into the parser."""
    disk_leaf(
        nested,
        "prepare-backup",
        "make the place for backups on a disk that has none; no recorder may have it",
        "vonggac disk prepare-backup /srv/vonggac/disk1",
        _prepare,
    )


def _prepare(args: argparse.Namespace) -> int:
    with Catalog(args.home, is_readonly=True) as catalog:
        box_id = catalog.box_id
    path: Path = args.path.absolute()
    with disk.open_disk(path, box_id, exclusive=True) as opened:
        was_made = prepare_backup(opened)
    place = path / backup_slot.BACKUP_NAME
    give_to(place, RECORD_USER)  # also where a command before was ended in between
    size = place.stat().st_size
    facts = {"path": str(path), "bytes": size, "made": was_made}
    text = f"{path} has room for two backups of {size // 2} bytes"
    emit(args, facts, text if was_made else f"{text} already")
    return 0
