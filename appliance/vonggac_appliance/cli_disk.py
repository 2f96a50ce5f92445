"""`vonggac disk format|list|check|rebuild`."""

from __future__ import annotations

import argparse
import os
import pwd
from pathlib import Path
from typing import TYPE_CHECKING

from vonggac.errors import ConfigError
from vonggac.evidence.chain import Action
from vonggac.registry.catalog import Catalog, DiskRow
from vonggac.store import disk
from vonggac_appliance.cli_common import UsageError, emit, group, leaf, note_event
from vonggac_appliance.clock import wall_ns
from vonggac_appliance.secrets import RECORD_USER

if TYPE_CHECKING:
    from vonggac_appliance.cli_common import Commands

__all__ = ["add"]


def add(commands: Commands) -> None:
    """Put the commands into the parser."""
    nested = group(commands, "disk", "the disks of the ring")
    form = leaf(
        nested,
        "format",
        "make every file the recorder will write in an empty directory, and enrol it",
        "vonggac disk format /srv/vonggac/disk1 --size 100G",
        _format,
        has_json=True,
    )
    form.add_argument("path", type=Path, metavar="PATH", help="an empty directory")
    form.add_argument("--size", required=True, metavar="SIZE", help="all of it: 100G, 2T")
    form.add_argument(
        "--segment-size", default="32M", metavar="SIZE", help="a power of two from 16M (32M)"
    )


def _format(args: argparse.Namespace) -> int:
    size_bytes, segment_bytes = _size(args.size), _size(args.segment_size)
    path: Path = args.path.absolute()
    with Catalog(args.home) as catalog:
        identity = disk.format_disk(path, size_bytes, catalog.box_id, segment_bytes)
        _give_to_recorder(path)
        row = DiskRow(
            uuid=identity.disk,
            path=str(path),
            segments=identity.segments,
            segment_bytes=identity.segment_bytes,
            enrolled_ns=wall_ns(),
        )
        catalog.enrol_disk(row)
    note_event(args.home, Action.DISK_FORMAT, str(path))
    facts = {
        "path": str(path),
        "uuid": identity.disk.hex(),
        "segments": identity.segments,
        "segment_bytes": identity.segment_bytes,
    }
    emit(args, facts, f"{path}: {identity.segments} segments of {identity.segment_bytes} bytes")
    return 0


def _size(text: str) -> int:
    try:
        return disk.parse_size(text)
    except ConfigError as error:  # of an argument, not of the configuration
        raise UsageError(str(error)) from error


def _give_to_recorder(path: Path) -> None:
    """The whole disk to the service user, where there is one and root has formatted it."""
    if os.geteuid() != 0:
        return
    try:
        entry = pwd.getpwnam(RECORD_USER)
    except KeyError:
        return
    for folder, _, files in os.walk(path):
        for name in (folder, *(os.path.join(folder, file) for file in files)):
            os.chown(name, entry.pw_uid, entry.pw_gid, follow_symlinks=False)
