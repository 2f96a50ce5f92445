"""`vonggac retention show|set|confirm`."""

from __future__ import annotations

import argparse
import contextlib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import structs

from vonggac.errors import Refused, Unavailable
from vonggac.evidence.chain import Action
from vonggac.registry.camera import Camera, Retention
from vonggac.registry.catalog import Catalog
from vonggac.registry.people import local_person
from vonggac.registry.retention import DAYS_MAX, PRIORITY_MAX, Classes, Policy, Removed, policy_of
from vonggac_appliance import audit_client, bus_control, config, control
from vonggac_appliance.admission import asked
from vonggac_appliance.cli_common import UsageError, emit, group, leaf, note, note_event, table
from vonggac_appliance.cli_retention_day import show_day
from vonggac_appliance.clock import iso, wall_ns
from vonggac_appliance.messages_audit import AuditAppend

if TYPE_CHECKING:
    from vonggac_appliance.cli_common import Commands

__all__ = ["add"]


def add(commands: Commands) -> None:
    """Put the commands into the parser."""
    nested = group(commands, "retention", "how long footage is kept, and why")
    show = leaf(
        nested,
        "show",
        "show limits and how far back the disks reach; of a camera's day, why it is there or not",
        "vonggac retention show cam1 --day 2026-11-21",
        _show,
        has_json=True,
    )
    show.add_argument("id", nargs="?", metavar="ID", help="a camera, also one that was removed")
    show.add_argument("--day", metavar="DATE", help="such as 2026-11-21, in the box's zone")
    changed = leaf(
        nested,
        "set",
        "set how long a camera's footage is kept; applies to what is recorded already",
        "vonggac retention set cam1 --days-min 14 --days-max 30 --priority 7",
        _set,
        has_json=True,
    )
    changed.add_argument("id", metavar="ID")
    changed.add_argument("--days-min", metavar="N", help="promised; - is that of its class")
    changed.add_argument(
        "--days-max", metavar="N", help="older is erased; 0 never; - is that of its class"
    )
    changed.add_argument(
        "--priority", metavar="N", help="0 to 9, the lowest goes first; - is that of its class"
    )
    leaf(
        nested,
        "confirm",
        "say that all that has expired may be erased, though it is more than half of all footage",
        "vonggac retention show; vonggac retention confirm",
        _confirm,
    )


def _confirm(args: argparse.Namespace) -> int:
    _log_confirm(args.home)
    reply = control.ask(args.home, bus_control.ConfirmRetention())
    if not isinstance(reply, bus_control.Ok):
        raise Refused(f"the recorder answers {reply}")
    print("what has expired is erased during the next 24 hours, at most 5 % of a disk an hour")
    return 0


def _log_confirm(home: Path) -> None:
    """The audit line, without which nothing is confirmed. Raises Unavailable, StorageError."""
    event = AuditAppend(
        action=Action.RETENTION_CONFIRM, object="all disks", purpose=None, result="asked"
    )
    try:
        audit_client.append(home, event)
    except Unavailable as error:
        raise Unavailable(
            "so much is not erased unlogged, and the audit chain does not answer: "
            "start `vonggac audit run`"
        ) from error


def _set(args: argparse.Namespace) -> int:
    given = {
        "days_min": (args.days_min, DAYS_MAX),
        "days_max": (args.days_max, DAYS_MAX),
        "priority": (args.priority, PRIORITY_MAX),
    }
    changes = {name: _number(name, *pair) for name, pair in given.items() if pair[0] is not None}
    if not changes:
        raise UsageError("give --days-min, --days-max or --priority")
    classes = config.load(args.home).retention
    with Catalog(args.home) as catalog:
        camera = catalog.camera(args.id)
        if camera is None:
            raise Refused(f"there is no camera {args.id} (vonggac camera list)")
        before = camera.retention or Retention()
        who = local_person(os.getuid()).name
        after = structs.replace(before, **changes, set_by=who, set_ns=wall_ns())
        camera = structs.replace(camera, retention=after)
        catalog.change_camera(camera)
    with contextlib.suppress(Unavailable):
        control.ask(args.home, bus_control.Changed())
    note_event(args.home, Action.RETENTION_SET, camera.code)
    policy = policy_of(camera, classes)
    emit(args, {"id": camera.code, **_facts(policy)}, f"{camera.code}: {_words(policy)}")
    wanted = after.days_max
    if policy.max_by == "agreement" and wanted is not None and wanted != policy.days_max:
        note("its owner's agreement allows no more")
    return 0


def _number(name: str, text: str, most: int) -> int | None:
    if text == "-":
        return None
    if not (text.isascii() and text.isdigit() and int(text) <= most):
        raise UsageError(f"--{name.replace('_', '-')} is a whole number from 0 to {most}, or -")
    return int(text)


def _show(args: argparse.Namespace) -> int:
    classes = config.load(args.home).retention
    if args.day is not None and args.id is None:
        raise UsageError("--day needs a camera")
    with Catalog(args.home, is_readonly=True) as catalog:
        cameras: list[Camera | Removed] = [*catalog.cameras(), *catalog.removed()]
        disks, locks = catalog.disks(), catalog.locks()
    if args.id is not None:
        named = [camera for camera in cameras if camera.code == args.id]
        if not named:
            raise Refused(f"there is no camera {args.id}, and was none (vonggac camera list)")
        cameras = named[:1]
    if args.day is not None:
        return show_day(args, cameras[0], policy_of(cameras[0], classes), locks, disks)
    told = asked(args.home)
    rows = [_row(camera, classes, told) for camera in cameras]
    facts = {"cameras": rows, "disks": [_disk_facts(disk) for disk in told]}
    if args.json:
        emit(args, facts, "")
        return 0
    head = ("id", "at least", "at most", "priority", "by", "oldest", "note")
    print(table(head, [_cells(row) for row in rows]))
    for disk in told:
        print(_disk_sentence(disk))
    note("defaults of the program are no legal rule: the ward's regulation decides")
    if not told:
        note("nothing is known of the disks yet: is the recorder running? (vonggac record)")
    return 0


def _row(
    camera: Camera | Removed, classes: Classes, told: Sequence[bus_control.DiskRetention]
) -> dict[str, object]:
    mine = [s for disk in told for s in disk.streams if s.camera == camera.id]
    rates = [s.bytes_a_day for s in mine if s.bytes_a_day is not None]
    return {
        "id": camera.code,
        **_facts(policy_of(camera, classes)),
        "oldest": iso(min(s.oldest_ns for s in mine)) if mine else None,
        "bytes_a_day": sum(rates) if rates else None,
        "at_risk": any(camera.id in disk.broken for disk in told),
        "removed": isinstance(camera, Removed),
    }


def _cells(row: dict[str, object]) -> list[str]:
    most = row["days_max"]
    notes = ["removed"] if row["removed"] else []
    notes += ["its promise will break"] if row["at_risk"] else []
    return [
        str(row["id"]),
        f"{row['days_min']} d",
        "-" if most is None else f"{most} d",
        str(row["priority"]),
        str(row["max_by"] or row["min_by"]),
        str(row["oldest"] or "-"),
        ", ".join(notes),
    ]


def _disk_facts(disk: bus_control.DiskRetention) -> dict[str, object]:
    return {
        "path": disk.path,
        "holds_days": None if disk.holds_days is None else round(disk.holds_days, 1),
        "capacity_bytes": disk.capacity_bytes,
        "needed_bytes": disk.needed_bytes,
        "pinned_bytes": disk.pinned_bytes,
        "due_bytes": disk.due_bytes,
        "held": disk.held,
        "must_confirm": disk.is_guarded,
    }


def _disk_sentence(disk: bus_control.DiskRetention) -> str:
    days = "not known yet" if disk.holds_days is None else f"{disk.holds_days:.1f} days"
    sentence = f"{disk.path}: reaches back {days} at the present rate"
    if disk.due_bytes:
        sentence += f"; {disk.due_bytes >> 20} MiB have expired"
    if disk.held:
        sentence += f"; nothing is erased by time: {disk.held}"
    return sentence + (" (vonggac retention confirm)" if disk.is_guarded else "")


def _words(policy: Policy) -> str:
    most = "no limit but the room" if policy.days_max is None else f"{policy.days_max} at most"
    by = f" ({policy.max_by})" if policy.max_by else ""
    return f"{policy.days_min} days at least ({policy.min_by}), {most}{by}"


def _facts(policy: Policy) -> dict[str, object]:
    return {
        "days_min": policy.days_min,
        "days_max": policy.days_max,
        "priority": policy.priority,
        "min_by": policy.min_by,
        "max_by": policy.max_by,
    }
