"""`vonggac alarm list|acknowledge`."""

from __future__ import annotations

import argparse
import os
from typing import TYPE_CHECKING

from vonggac.errors import Missing
from vonggac.evidence.chain import Action
from vonggac.registry.catalog import Catalog
from vonggac.registry.people import local_person
from vonggac_appliance import alarm_list
from vonggac_appliance.alarm_list import AlarmList
from vonggac_appliance.cli_common import emit, group, leaf, note, note_event, table
from vonggac_appliance.clock import iso

if TYPE_CHECKING:
    from vonggac.registry.alarms import Alarm
    from vonggac_appliance.cli_common import Commands

__all__ = ["add"]


def add(commands: Commands) -> None:
    """Put the commands into the parser."""
    nested = group(commands, "alarm", "what a person has to look at")
    listing = leaf(nested, "list", "tell open alarms", "vonggac alarm list", _list, has_json=True)
    listing.add_argument("--all", action="store_true", help="those that were acknowledged as well")
    parser = leaf(
        nested,
        "acknowledge",
        "say that somebody has dealt with an alarm",
        "vonggac alarm acknowledge 7 --note 'disk replaced'",
        _acknowledge,
        has_json=True,
    )
    parser.add_argument("alarm", type=int, metavar="ALARM", help="its number")
    parser.add_argument("--note", default="", metavar="TEXT", help="what was done about it")


def _list(args: argparse.Namespace) -> int:
    with Catalog(args.home, is_readonly=True) as catalog:
        told = AlarmList(args.home, catalog).of(local_person(os.getuid()))
    if not told.is_recorder_answering:
        note("the recorder is not running: these are the alarms it left")
    rows = [row for row in told.rows if args.all or row.is_open]
    lines = [
        [
            str(row.number),
            row.kind,
            row.subject,
            iso(row.first_ns),
            str(row.count),
            _state(row),
            row.what,
        ]
        for row in rows
    ]
    head = ("ALARM", "KIND", "ABOUT", "SINCE", "TIMES", "STATE", "WHAT")
    emit(args, {"alarms": [_facts(row) for row in rows]}, table(head, lines) if rows else "none")
    return 0


def _acknowledge(args: argparse.Namespace) -> int:
    person = local_person(os.getuid()).name
    with Catalog(args.home, is_readonly=True) as catalog:
        known = AlarmList(args.home, catalog).of(local_person(os.getuid())).rows
    if not any(row.number == args.alarm for row in known):
        raise Missing(f"there is no alarm {args.alarm}: vonggac alarm list --all")
    row = alarm_list.acknowledge(args.home, args.alarm, person, args.note)
    note_event(
        args.home, Action.ALARM_ACKNOWLEDGE, f"alarm {row.number}: {row.kind}, {row.subject}"
    )
    emit(args, _facts(row), f"alarm {row.number} is acknowledged by {row.acknowledged_by}")
    return 0


def _state(row: Alarm) -> str:
    if not row.is_open:
        return f"acknowledged by {row.acknowledged_by}"
    return f"seen by {row.seen_by}" if row.seen_ns else "new"


def _facts(row: Alarm) -> dict[str, object]:
    return {
        "alarm": row.number,
        "kind": row.kind,
        "subject": row.subject,
        "what": row.what,
        "first": iso(row.first_ns),
        "last": iso(row.last_ns),
        "count": row.count,
        "seen_by": row.seen_by or None,
        "seen": iso(row.seen_ns) if row.seen_ns else None,
        "acknowledged_by": row.acknowledged_by or None,
        "acknowledged": iso(row.acknowledged_ns) if row.acknowledged_ns else None,
        "note": row.note or None,
    }
