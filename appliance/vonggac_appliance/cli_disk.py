"""`vonggac disk format|list|check|rebuild`; `cli_disk_roles` has the others."""

from __future__ import annotations

import argparse
import os
import pwd
from pathlib import Path
from typing import TYPE_CHECKING

from vonggac.errors import ConfigError, Unavailable, VonggacError
from vonggac.evidence.chain import Action
from vonggac.registry.catalog import Catalog, DiskRow
from vonggac.store.formatting import format_disk, parse_size
from vonggac.store.rebuild_whole import rebuild
from vonggac_appliance import (
    bus_control,
    cli_disk_backup,
    cli_disk_roles,
    footage,
)
from vonggac_appliance.cli_common import UsageError, disk_leaf, emit, group, leaf, note_event, table
from vonggac_appliance.clock import iso, wall_ns
from vonggac_appliance.disk_check import check_disk
from vonggac_appliance.secrets import RECORD_USER

if TYPE_CHECKING:
    from vonggac_appliance.cli_common import Commands

__all__ = ["add"]

_AWAY = ("hung", "failed", "down")
"""What the recorder calls a disk that cannot be written now."""


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
    cli_disk_roles.add_to(nested)
    cli_disk_backup.add_to(nested)
    form.add_argument("path", type=Path, metavar="PATH", help="an empty directory")
    form.add_argument("--size", required=True, metavar="SIZE", help="all of it: 100G, 2T")
    form.add_argument(
        "--segment-size", default="32M", metavar="SIZE", help="a power of two from 16M (32M)"
    )
    leaf(nested, "list", "show the enrolled disks", "vonggac disk list", _list, has_json=True)
    checked = disk_leaf(
        nested,
        "check",
        "check that a disk keeps every promise; no recorder may have it",
        "vonggac disk check /srv/vonggac/disk1 --deep",
        _check,
    )
    checked.add_argument(
        "--deep", action="store_true", help="also read all footage against its hash and the ledger"
    )
    disk_leaf(
        nested,
        "rebuild",
        "make index and journal again from the segments alone; no recorder may have the disk",
        "vonggac disk rebuild /srv/vonggac/disk1",
        _rebuild,
    )


def _format(args: argparse.Namespace) -> int:
    size_bytes, segment_bytes = _size(args.size), _size(args.segment_size)
    path: Path = args.path.absolute()
    with Catalog(args.home) as catalog:
        identity = format_disk(path, size_bytes, catalog.box_id, segment_bytes)
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


def _list(args: argparse.Namespace) -> int:
    with Catalog(args.home, is_readonly=True) as catalog:
        rows = catalog.disks()
    known = cli_disk_roles.told(args.home)
    facts = [_facts(args.home, row, known.get(row.uuid.hex())) for row in rows]
    lines = [
        (
            str(fact["path"]),
            str(fact["state"]),
            str(fact["role"]),
            str(fact["segments"]),
            "" if fact["used_bytes"] is None else f"{fact['used_bytes']}",
            "" if fact["pinned_segments"] is None else f"{fact['pinned_segments']}",
            str(fact["oldest"] or ""),
            str(fact["what"]),
        )
        for fact in facts
    ]
    head = ("path", "state", "role", "segments", "used bytes", "locked", "oldest", "what")
    emit(args, {"disks": facts}, table(head, lines))
    return 0


def _facts(home: Path, row: DiskRow, known: bus_control.DiskStatus | None) -> dict[str, object]:
    """`known`: what a running recorder says of the disk. One that hangs is not touched."""
    facts: dict[str, object] = {"path": row.path, "uuid": row.uuid.hex()}
    facts["role"] = cli_disk_roles.role_of(row, known)
    away = known if known is not None and known.state in _AWAY else None
    try:
        if away is not None:
            raise Unavailable(away.what)
        seen = footage.disk_facts(home, Path(row.path), row.uuid)
    except VonggacError as error:  # one that is away must not hide the others
        return facts | {
            "state": "unavailable" if away is None else away.state,
            "segments": row.segments,
            "segment_bytes": row.segment_bytes,
            "used_bytes": None,
            "pinned_segments": None,
            "oldest": None,
            "what": str(error),
        }
    return facts | {
        "state": seen.state,
        "segments": seen.segments,
        "segment_bytes": seen.segment_bytes,
        "used_bytes": seen.used_bytes,
        "pinned_segments": seen.pinned_segments,
        "oldest": None if seen.oldest_ns is None else iso(seen.oldest_ns),
        "what": "",
    }


def _check(args: argparse.Namespace) -> int:
    report = check_disk(args.home, args.path, is_deep=args.deep)
    problems = [
        {"segment": p.segment, "offset": p.offset, "promise": p.promise, "what": p.what}
        for p in report.problems
    ]
    facts = {
        "ok": report.is_ok,
        "segments": report.segments,
        "fragments": report.fragments,
        "problems": problems,
    }
    text = f"{args.path}: {report.segments} segments, {report.fragments} fragments, "
    text += "all well" if report.is_ok else f"{len(problems)} problems"
    for p in report.problems:
        text += f"\nsegment {p.segment}, byte {p.offset}, promise {p.promise}: {p.what}"
    emit(args, facts, text)
    return 0 if report.is_ok else 1


def _rebuild(args: argparse.Namespace) -> int:
    with Catalog(args.home, is_readonly=True) as catalog:
        box_id = catalog.box_id
    path: Path = args.path.absolute()
    report = rebuild(path, box_id)
    _give_to_recorder(path)
    note_event(args.home, Action.DISK_REBUILD, str(path))
    facts = {
        "segments": report.segments,
        "sealed": report.sealed,
        "open": report.open,
        "free": report.free,
        "fragments": report.fragments,
        "notes": list(report.notes),
    }
    text = f"{path}: {report.sealed} sealed, {report.open} open, {report.free} free segments; "
    text += f"{report.fragments} fragments"
    emit(args, facts, "\n".join([text, *report.notes]))
    return 0


def _size(text: str) -> int:
    try:
        return parse_size(text)
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
