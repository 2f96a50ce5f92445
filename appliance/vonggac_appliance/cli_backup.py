"""`vonggac backup key|now|list` and `vonggac restore`."""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from vonggac.errors import ConfigError, Refused, Unavailable
from vonggac.evidence.chain import Action
from vonggac_appliance import backup_state, bus_control, control
from vonggac_appliance.cli_common import emit, group, leaf, note, note_event, table
from vonggac_appliance.clock import iso, wall_ns

if TYPE_CHECKING:
    from vonggac_appliance.backup_seal import Recovery
    from vonggac_appliance.cli_common import Commands

__all__ = ["add", "words_of_age"]

_LAST = 6
"""Characters of the key that are typed back, so that it was written down by somebody."""
_WAIT_S = 600.0
"""A disk takes 2 MiB a second beside recording."""
_LOOK_S = 0.5
_KEY_BYTES_MAX = 4096


def add(commands: Commands) -> None:
    """Put the commands into the parser."""
    nested = group(commands, "backup", "the sealed copies of the home on the disks")
    key = leaf(
        nested,
        "key",
        "make the recovery key and show it once, on this terminal only",
        "sudo vonggac backup key",
        _key,
    )
    key.add_argument(
        "--replace", action="store_true", help="a new key; backups made before need the old one"
    )
    leaf(
        nested,
        "now",
        "back the home up to every disk now, and wait until it is written",
        "vonggac backup now",
        _now,
        has_json=True,
    )
    leaf(
        nested,
        "list",
        "show how old the backup on each disk is",
        "vonggac backup list",
        _list,
        has_json=True,
    )
    restored = leaf(
        commands,
        "restore",
        "make a home again from the backup on a disk; asks for the recovery key",
        "sudo vonggac --home /var/lib/vonggac restore /srv/vonggac/disk1",
        _restore,
        has_json=True,
    )
    restored.add_argument(
        "source", type=Path, metavar="DISK|FILE", help="a disk, its file `backup`, or a copy of it"
    )
    restored.add_argument(
        "--key-file", type=Path, metavar="FILE", help="the recovery key in a file, one line"
    )


def words_of_age(made_ns: int, now_ns: int) -> str:
    """`3 h`, `2 d 5 h`; from the future: `-1 h`, of a clock that was wrong."""
    hours = (now_ns - made_ns) // 3_600_000_000_000
    return f"{hours} h" if hours < 48 else f"{hours // 24} d {hours % 24} h"


def _key(args: argparse.Namespace) -> int:
    if not (sys.stdout.isatty() and sys.stdin.isatty()):
        # A file, a pipe or a journal would keep it for whoever reads them.
        raise Refused("the recovery key is shown on a terminal only, and this is none")
    _check_owner(args.home)
    from vonggac_appliance import backup_seal  # only here: no other command needs it

    if backup_seal.public_of(args.home) is not None and not args.replace:
        raise Refused(
            "there is a recovery key already; --replace makes another one "
            "(backups made before need the old one)"
        )
    private, public = backup_seal.new_key()
    print(private)
    note("write it down and keep it away from the box; it is shown this once and kept nowhere")
    if input(f"its last {_LAST} characters: ").strip().upper() != private[-_LAST:]:
        raise Refused("these are others: nothing was changed, and that key is worth nothing")
    if not backup_seal.keep_public(args.home, public, replaces=args.replace):
        raise Refused("somebody else made a recovery key meanwhile: that one holds")
    note_event(args.home, Action.BACKUP_KEY, public)
    with contextlib.suppress(Unavailable):  # else the recorder makes the first one when it runs
        answer = control.ask(args.home, bus_control.BackupNow())
        if isinstance(answer, bus_control.Failed):
            note(f"none could be begun with it yet ({answer.what}): vonggac backup now")
    note("the home is backed up to every disk from now on: vonggac backup list")
    return 0


def _check_owner(home: Path) -> None:
    """Whoever sets the key can read the home's secrets from the next backup."""
    try:
        owner = home.stat().st_uid
    except OSError as error:
        raise ConfigError(f"{home}: {error.strerror}") from error
    if os.geteuid() not in (0, owner):
        raise Refused("only root makes the recovery key: sudo vonggac backup key")


def _now(args: argparse.Namespace) -> int:
    until_s = time.monotonic() + _WAIT_S
    _settled(args.home, until_s)  # that of the night, if it is just being made
    begun_ns = wall_ns()
    answer = control.ask(args.home, bus_control.BackupNow())
    if isinstance(answer, bus_control.Failed):
        raise Refused(answer.what)
    reply = _settled(args.home, until_s)
    is_well = bool(reply.disks) and not reply.what
    is_well = is_well and all((d.made_ns or 0) >= begun_ns and not d.what for d in reply.disks)
    emit(args, _facts(reply) | {"ok": is_well}, _text(reply))
    return 0 if is_well else 1


def _settled(home: Path, until_s: float) -> bus_control.BackupsReply:
    """Once nothing is being made or written. Unavailable where that takes too long."""
    while True:
        reply = backup_state.state_of(home)
        if not reply.is_making and not any(disk.is_writing for disk in reply.disks):
            return reply
        if time.monotonic() >= until_s:
            raise Unavailable(f"the backup is not written within {_WAIT_S:g} s")
        time.sleep(_LOOK_S)  # nothing tells of it, and disks take seconds


def _list(args: argparse.Namespace) -> int:
    reply = backup_state.state_of(args.home)
    emit(args, _facts(reply), _text(reply))
    return 0


def _facts(reply: bus_control.BackupsReply) -> dict[str, object]:
    disks = [
        {
            "path": disk.path,
            "uuid": disk.uuid,
            "state": disk.state,
            "made": None if disk.made_ns is None else iso(disk.made_ns),
            "bytes": disk.length,
            "room_bytes": disk.room_bytes,
            "generation": disk.generation,
            "what": disk.what,
        }
        for disk in reply.disks
    ]
    return {"disks": disks, "has_key": reply.has_key, "what": reply.what}


def _text(reply: bus_control.BackupsReply) -> str:
    now_ns = wall_ns()
    rows = []
    for disk in reply.disks:
        made = "none" if disk.made_ns is None else iso(disk.made_ns)
        age = "" if disk.made_ns is None else words_of_age(disk.made_ns, now_ns)
        what = disk.what
        if disk.room_bytes is None:
            made, what = "unknown", what or f"the disk is {disk.state}"
        elif disk.room_bytes == 0:
            what = what or f"no place for backups: vonggac disk prepare-backup {disk.path}"
        rows.append((disk.path, made, age, str(disk.length), what))
    text = table(("path", "made", "age", "bytes", "what"), rows)
    if not reply.has_key:
        text += "\nbackups are off, nobody has made a recovery key: sudo vonggac backup key"
    return text + (f"\n{reply.what}" if reply.what else "")


def _restore(args: argparse.Namespace) -> int:
    from vonggac_appliance import backup_restore, backup_seal  # only here, as above

    found = backup_restore.find(args.source)
    if found.made_ns is not None:
        note(f"the backup was made at {iso(found.made_ns)}")
    key = _read_key(args.key_file, backup_seal.key_of)
    opened = backup_restore.unlock(found, key)
    done = backup_restore.restore(args.home, opened, wall_ns())
    for remark in done.notes:
        note(remark)
    manifest = opened.manifest
    facts = {
        "home": str(args.home),
        "box": manifest.box,
        "made": iso(manifest.made_ns),
        "cameras": done.cameras,
        "people": done.people,
        "disks": list(done.disks),
        "audit_lines": None if manifest.audit is None else manifest.audit.lines,
        "audit_from": None if manifest.audit is None else manifest.audit.tail_from,
    }
    text = f"{args.home} is as it was at {iso(manifest.made_ns)}: {done.cameras} cameras, "
    text += f"{done.people} people, {len(done.disks)} disks"
    emit(args, facts, text)
    note("what was changed after that is lost; a disk that is mounted elsewhere: vonggac disk add")
    note(
        "before you start it again: vonggac camera list (one that was removed since would be "
        "recorded) and vonggac retention show (one with an older limit would lose footage)"
    )
    return 0


def _read_key(path: Path | None, parse: Callable[[str], Recovery]) -> Recovery:
    if path is not None:
        with path.open("rb") as file:
            return parse(file.read(_KEY_BYTES_MAX).decode("ascii", "replace"))
    if not sys.stdin.isatty():
        raise Refused("the recovery key is typed on a terminal; from a file: --key-file FILE")
    return parse(input("recovery key: "))
