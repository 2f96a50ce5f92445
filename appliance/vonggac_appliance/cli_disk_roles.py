"""`vonggac disk add|drain|retire`: which disks are recorded on. The recorder follows at once."""

from __future__ import annotations

import argparse
import contextlib
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import structs

from vonggac.errors import ConfigError, Refused, StorageError, Unavailable
from vonggac.evidence.chain import TEXT_MAX, Action
from vonggac.registry.catalog import Catalog, DiskRow
from vonggac.store import disk
from vonggac.store.start import LOCK_WAIT_SECONDS
from vonggac_appliance import (
    audit_client,
    bus_control,
    cli_disk_foreign,
    cli_disk_lost,
    config,
    control,
)
from vonggac_appliance.cli_common import UsageError, disk_leaf, emit, note, note_event
from vonggac_appliance.clock import iso, wall_ns
from vonggac_appliance.disk_leaving import Held, Known, held_on
from vonggac_appliance.messages_audit import AuditAppend

if TYPE_CHECKING:
    from vonggac_appliance.cli_common import Commands

__all__ = ["add_to", "role_of", "told"]


def add_to(nested: Commands) -> None:
    """Put the commands into the parser."""
    disk_leaf(
        nested,
        "add",
        "record on a disk of this box that was formatted before, or is mounted elsewhere now",
        "vonggac disk add /srv/vonggac/disk2",
        _add,
    )
    disk_leaf(
        nested,
        "drain",
        "record nothing more on a disk; what lies there stays and can be looked at",
        "vonggac disk drain /srv/vonggac/disk1",
        _drain,
    )
    retired = disk_leaf(
        nested,
        "retire",
        "forget a drained disk, once nothing on it is locked or promised",
        "vonggac disk retire /srv/vonggac/disk1",
        _retire,
    )
    retired.add_argument(
        "--force-unpromised",
        action="store_true",
        help="give up footage that is promised to be kept longer; never what is locked",
    )
    cli_disk_lost.add_to(retired)
    cli_disk_foreign.add_to(nested)


def told(home: Path) -> dict[str, bus_control.DiskStatus]:
    """What a running recorder says of each disk, by its id in hex; nothing where none runs."""
    try:
        return {found.disk: found for found in control.status(home).disks}
    except Unavailable:
        return {}


def role_of(row: DiskRow, known: bus_control.DiskStatus | None) -> str:
    """recording, draining (streams are still on it), drained."""
    if not row.is_draining:
        return "recording"
    return "draining" if known is not None and known.streams else "drained"


def _add(args: argparse.Namespace) -> int:
    path: Path = args.path.absolute()
    with Catalog(args.home) as catalog:
        known = _row_at(catalog, path)
        if known is None:
            found = _identity(path, catalog.box_id)
            known = next((row for row in catalog.disks() if row.uuid == found.disk), None)
            row = known or DiskRow(
                uuid=found.disk,
                path=str(path),
                segments=found.segments,
                segment_bytes=found.segment_bytes,
                enrolled_ns=wall_ns(),
            )
        else:
            row = known  # its keeper has it locked, and it is ours
        row = structs.replace(row, path=str(path), is_draining=False)
        catalog.enrol_disk(row)
    _tell(args.home, Action.DISK_ADD, path)
    emit(args, _facts(row), f"{path} is recorded on")
    return 0


def _drain(args: argparse.Namespace) -> int:
    path: Path = args.path.absolute()
    with Catalog(args.home) as catalog:
        row = _must_be_known(catalog, path)
        others = [x for x in catalog.disks() if x.uuid != row.uuid and not x.is_draining]
        if not others:
            raise Refused(
                f"{path} is the only disk that is recorded on: add another one first "
                "(vonggac disk format, vonggac disk add)"
            )
        row = structs.replace(row, is_draining=True)
        catalog.enrol_disk(row)
    _tell(args.home, Action.DISK_DRAIN, path)
    emit(args, _facts(row), f"{path} gets no more footage; what lies there stays readable")
    return 0


def _retire(args: argparse.Namespace) -> int:
    if args.lost:
        return _retire_lost(args)
    if args.reason is not None or args.with_locks:
        raise UsageError("--reason and --with-locks go with --lost")
    path: Path = args.path.absolute()
    with Catalog(args.home, is_readonly=True) as catalog:
        row = _must_be_known(catalog, path)
        classes = config.load(args.home).retention
        known = Known(catalog.locks(), [*catalog.cameras(), *catalog.removed()], classes)
    if not row.is_draining:
        raise Refused(f"{path} is recorded on: vonggac disk drain {path}")
    now = told(args.home).get(row.uuid.hex())
    if now is not None and now.streams:
        raise Refused(f"{now.streams} streams are still on {path}: they leave within seconds")
    try:
        held = held_on(args.home, row, known, wall_ns())
    except (Unavailable, StorageError, ConfigError) as error:
        raise Refused(f"nobody can say what is locked on {path}, so it stays: {error}") from error
    _refuse_held(path, held, is_forced=args.force_unpromised)
    _write_down(args.home, path, held)
    with Catalog(args.home) as catalog:
        catalog.forget_disk(row.uuid)
    _tell_recorder(args.home)
    for one in held:
        note(f"given up: {_sentence(one)}")
    emit(args, _facts(row), f"{path} is no longer a disk of this box; its files are as they were")
    return 0


def _write_down(home: Path, path: Path, held: list[Held]) -> None:
    """The line before the act: no disk leaves unwritten. Unavailable, StorageError, Refused."""
    result = "done"
    if held:
        result = f"given up: {'; '.join(_sentence(one) for one in held)}"[:TEXT_MAX]
    audit_client.append(home, AuditAppend(Action.DISK_RETIRE, str(path)[:TEXT_MAX], None, result))


def _retire_lost(args: argparse.Namespace) -> int:
    path: Path = args.path.absolute()
    with Catalog(args.home, is_readonly=True) as catalog:
        row = _must_be_known(catalog, path)
    known = told(args.home).get(row.uuid.hex())
    lost = cli_disk_lost.retire_lost(args, row, known)
    _tell_recorder(args.home)
    emit(
        args,
        _facts(row) | lost,
        f"{path} is no longer a disk of this box; it is written down as lost",
    )
    return 0


def _refuse_held(path: Path, held: list[Held], *, is_forced: bool) -> None:
    locks = [one for one in held if one.is_lock]
    if locks:
        raise Refused(f"{path} stays: {'; '.join(_sentence(one) for one in locks)}")
    if held and not is_forced:
        last_ns = max(one.until_ns for one in held)
        sentences = "; ".join(_sentence(one) for one in held)
        raise Refused(
            f"{path} stays until {iso(last_ns)}: {sentences}; --force-unpromised gives that up"
        )


def _sentence(held: Held) -> str:
    return held.what if not held.until_ns else f"{held.what}, to {iso(held.until_ns)}"


def _identity(path: Path, box: bytes) -> disk.Identity:
    """Of a disk that nobody records on; one that was just retired is waited for."""
    with disk.open_disk(path, box, exclusive=False, wait_seconds=LOCK_WAIT_SECONDS) as opened:
        return opened.identity


def _row_at(catalog: Catalog, path: Path) -> DiskRow | None:
    return next((row for row in catalog.disks() if Path(row.path) == path), None)


def _must_be_known(catalog: Catalog, path: Path) -> DiskRow:
    row = _row_at(catalog, path)
    if row is None:
        raise Refused(f"{path} is no disk of this box (vonggac disk list)")
    return row


def _facts(row: DiskRow) -> dict[str, object]:
    return {
        "path": row.path,
        "uuid": row.uuid.hex(),
        "segments": row.segments,
        "segment_bytes": row.segment_bytes,
        "role": "draining" if row.is_draining else "recording",
    }


def _tell(home: Path, action: str, path: Path) -> None:
    """A running recorder looks at once; one that is down reads the catalog when it starts."""
    note_event(home, action, str(path))
    _tell_recorder(home)


def _tell_recorder(home: Path) -> None:
    with contextlib.suppress(Unavailable):
        control.ask(home, bus_control.Changed())
