"""`vonggac doctor`: looks at the box, changes nothing, says what to do."""

from __future__ import annotations

import argparse
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from vonggac.errors import ConfigError, Unavailable, VonggacError
from vonggac.registry.catalog import Catalog, DiskRow
from vonggac.registry.rules import may_record
from vonggac.store import disk
from vonggac_appliance import backup_state, clock_watch, config, control, sockets
from vonggac_appliance.cli_backup import words_of_age
from vonggac_appliance.cli_common import emit, leaf, table
from vonggac_appliance.clock import is_synchronised, wall_ns
from vonggac_appliance.messages_audit import audit_path

if TYPE_CHECKING:
    from vonggac_appliance.cli_common import Commands

__all__ = ["Finding", "add", "examine"]

OK, WARNING, WRONG = "ok", "warning", "wrong"
_TIMEOUT_S = 5
_HOUR_NS = 3_600_000_000_000
_BACKUP_OLD_NS = 48 * _HOUR_NS


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    subject: str
    state: str
    """`ok`, `warning` or `wrong`."""
    what: str
    """What was found, and what to do about it."""


def add(commands: Commands) -> None:
    """Put the command into the parser."""
    leaf(
        commands,
        "doctor",
        "look at configuration, keys, catalog, disks, clock and processes; say what to do",
        "vonggac doctor",
        _doctor,
        has_json=True,
    )


def _doctor(args: argparse.Namespace) -> int:
    findings = list(examine(args.home))
    is_well = all(found.state != WRONG for found in findings)
    checks = [{"subject": f.subject, "state": f.state, "what": f.what} for f in findings]
    rows = [(found.state, found.subject, found.what) for found in findings]
    emit(args, {"ok": is_well, "checks": checks}, table(("state", "subject", "what"), rows))
    return 0 if is_well else 1


def examine(home: Path) -> Iterator[Finding]:
    """Everything there is to look at in this home."""
    yield _configuration(home)
    yield from _keys(home)
    yield from _catalog(home)
    yield _clock(home)
    yield _recorder(home)
    yield from _backups(home)
    yield _audit(home)


def _configuration(home: Path) -> Finding:
    try:
        config.load(home)
    except ConfigError as error:
        return Finding("configuration", WRONG, str(error))
    return Finding("configuration", OK, "valid")


def _keys(home: Path) -> Iterator[Finding]:
    for name, allowed in (("record.key", 0o600), ("receipt.key", 0o640)):
        path = home / "keys" / name
        try:
            mode = stat.S_IMODE(path.stat().st_mode)
        except FileNotFoundError:
            yield Finding(name, OK, "not made yet: the first command that needs it makes it")
            continue
        except OSError as error:
            yield Finding(name, WARNING, f"cannot be looked at: {error.strerror}")
            continue
        if mode & ~allowed:
            yield Finding(name, WRONG, f"has mode {mode:o}: chmod {allowed:o} {path}")
        else:
            yield Finding(name, OK, f"mode {mode:o}")


def _catalog(home: Path) -> Iterator[Finding]:
    try:
        with Catalog(home, is_readonly=True) as catalog:
            cameras, disks, box_id = catalog.cameras(), catalog.disks(), catalog.box_id
            people = catalog.people()
    except VonggacError as error:
        yield Finding("catalog", WRONG, str(error))
        return
    yield Finding("catalog", OK, f"{len(cameras)} cameras, {len(disks)} disks")
    now_ns = wall_ns()
    for camera in cameras:
        answer = may_record(camera, now_ns)
        if not answer.is_allowed or answer.is_red:
            yield Finding(f"camera {camera.code}", WARNING, answer.sentence)
    if len(people) > 1:
        yield Finding("people", OK, f"{len(people)} may sign in at the page")
    elif people:
        what = "one may sign in, and removing a lock takes two: sudo vonggac person add"
        yield Finding("people", WARNING, what)
    else:
        yield Finding("people", WARNING, "nobody can sign in at the page: sudo vonggac setup-code")
    if not disks:
        yield Finding("disks", WRONG, "none: vonggac disk format PATH --size 100G")
    for row in disks:
        yield _disk(row, box_id)


def _disk(row: DiskRow, box_id: bytes) -> Finding:
    subject = f"disk {row.path}"
    try:
        with disk.open_disk(Path(row.path), box_id, exclusive=False) as found:
            if found.identity.disk != row.uuid:
                return Finding(subject, WRONG, "another disk is mounted there")
    except Unavailable:
        return Finding(subject, OK, "in use by the recorder")
    except VonggacError as error:
        return Finding(subject, WRONG, str(error))
    if not os.access(row.path, os.W_OK):
        return Finding(subject, WRONG, "not writable by this user")
    return Finding(subject, OK, f"{row.segments} segments; no recorder has it")


def _clock(home: Path) -> Finding:
    """Evidence needs the right time, and retention waits for it."""
    step = clock_watch.unconfirmed(home)
    if step is not None:
        what = f"it was set {clock_watch.span_words(step.step_ns)}; if it is right now"
        return Finding("clock", WARNING, f"{what}: vonggac clock confirm")
    if is_synchronised():
        return Finding("clock", OK, "synchronised")
    return Finding("clock", WARNING, "not synchronised: set up chrony (apt install chrony)")


def _recorder(home: Path) -> Finding:
    try:
        status = control.status(home)
    except Unavailable as error:
        return Finding("recorder", WARNING, str(error))
    bad = [found.path for found in status.disks if found.state != "recording"]
    if bad:
        return Finding("recorder", WRONG, f"disks that do not record: {', '.join(bad)}")
    waiting = [camera.id for camera in status.cameras if camera.state != "recording"]
    if waiting:
        return Finding("recorder", WARNING, f"cameras that do not record: {', '.join(waiting)}")
    return Finding("recorder", OK, f"{len(status.cameras)} cameras recording")


def _backups(home: Path) -> Iterator[Finding]:
    """Of the home, on each disk; what is not written for two days is told."""
    try:
        state = backup_state.state_of(home)
    except VonggacError as error:
        yield Finding("backup", WARNING, str(error))
        return
    if not state.has_key:
        what = "off, for nobody has made a recovery key: sudo vonggac backup key"
        yield Finding("backup", WARNING, what)
        return
    now_ns = wall_ns()
    for found in state.disks:
        subject = f"backup {found.path}"
        if found.room_bytes is None:
            yield Finding(subject, WARNING, found.what or f"not known, the disk is {found.state}")
        elif found.room_bytes == 0:
            what = found.what or f"no place for it: vonggac disk prepare-backup {found.path}"
            yield Finding(subject, WARNING, what)
        elif found.made_ns is None:
            yield Finding(subject, WARNING, found.what or "none yet: vonggac backup now")
        else:
            age_ns = now_ns - found.made_ns
            what = f"{words_of_age(found.made_ns, now_ns)} old"
            is_old = not -_HOUR_NS <= age_ns <= _BACKUP_OLD_NS
            what += f"; {found.what}" if found.what else ""
            yield Finding(subject, WARNING if is_old or found.what else OK, what)


def _audit(home: Path) -> Finding:
    path = audit_path(home)
    try:
        sockets.connect(path, _TIMEOUT_S).close()
    except Unavailable:
        return Finding("audit", WARNING, "not running, so nobody can look: vonggac audit run")
    return Finding("audit", OK, "running")
