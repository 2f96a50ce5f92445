"""`vonggac disk retire --lost`: a disk that nobody will ever read again."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from vonggac.errors import Refused
from vonggac.evidence.chain import TEXT_MAX, Action
from vonggac.evidence.lost import Span
from vonggac.registry.camera import Camera
from vonggac.registry.catalog import Catalog, DiskRow
from vonggac.registry.people import PurposeCode
from vonggac.registry.retention import Removed
from vonggac_appliance import audit_client
from vonggac_appliance.cli_common import UsageError, note
from vonggac_appliance.clock import iso
from vonggac_appliance.disk_lost import Lost, check_gone, lost_with
from vonggac_appliance.messages_audit import AuditAppend

if TYPE_CHECKING:
    from vonggac_appliance import bus_control

__all__ = ["add_to", "retire_lost"]

_ROOM = TEXT_MAX - 150
"""Of a line's text, for ranges."""


def add_to(parser: argparse.ArgumentParser) -> None:
    """The options of `disk retire`."""
    parser.add_argument(
        "--lost",
        action="store_true",
        help="a disk that is gone for ever: it is not asked what it holds, because it cannot be",
    )
    parser.add_argument("--reason", metavar="TEXT", help="with --lost: what happened to it")
    parser.add_argument(
        "--with-locks",
        type=int,
        default=0,
        metavar="N",
        help="with --lost: how many locks may have stood on it; the command names them first",
    )


def retire_lost(
    args: argparse.Namespace, row: DiskRow, known: bus_control.DiskStatus | None
) -> dict[str, object]:
    """Writes down what went with it, then forgets it. Refused, Unavailable, StorageError."""
    if args.reason is None or not any(map(str.isalnum, args.reason)):
        raise UsageError("--lost needs --reason TEXT: what happened to the disk")
    if len(args.reason) > TEXT_MAX:
        raise UsageError(f"--reason has at most {TEXT_MAX} characters")
    with Catalog(args.home, is_readonly=True) as catalog:
        cameras: list[Camera | Removed] = [*catalog.removed(), *catalog.cameras()]
        locks, rows = catalog.locks(), catalog.disks()
    if not any(x.uuid != row.uuid and not x.is_draining for x in rows):
        raise Refused(
            f"{row.path} is the only disk that is recorded on: add another one first "
            "(vonggac disk format, vonggac disk add)"
        )
    check_gone(row, known)
    lost = lost_with(args.home, row, cameras, locks)
    _check_locks(lost, args.with_locks)
    line = _write_down(args.home, row, lost, args.reason)
    with Catalog(args.home) as catalog:
        catalog.forget_disk(row.uuid)
    for text in (*_stream_words(lost), *_lock_words(lost)):
        note(f"lost: {text}")
    note("the ledger is exact to a quarter of an hour: what came after its last list went as well")
    if lost.locks:
        note("these locks hold as before, should the disk ever come back: two people remove them")
    return _facts(lost) | {"audit_line": line}


def _check_locks(lost: Lost, agreed: int) -> None:
    """Nobody gives up locked footage by accident: its locks are named, and their number typed."""
    if agreed == len(lost.locks):
        return
    if not lost.locks:
        raise Refused("no lock is known to have stood on it: without --with-locks")
    names = "; ".join(_lock_words(lost))
    raise Refused(
        f"{len(lost.locks)} locks may have stood on it: {names}. If their footage is lost, "
        f"--with-locks {len(lost.locks)}"
    )


def _write_down(home: Path, row: DiskRow, lost: Lost, reason: str) -> int:
    """The lines in the audit chain; gives the number of the first."""
    name = f"disk {row.uuid.hex()}"
    purpose = (PurposeCode.OTHER.value, reason)
    result = f"lost: {len(lost.streams)} streams, {len(lost.locks)} locks"
    first = AuditAppend(Action.DISK_RETIRE, f"{name} at {row.path}"[:TEXT_MAX], purpose, result)
    line = audit_client.append(home, first).line
    for text in _stream_words(lost):
        audit_client.append(home, AuditAppend(Action.DISK_LOST, f"{name}: {text}", None, "lost"))
    for text in _lock_words(lost):
        held = AuditAppend(
            Action.DISK_LOST, f"{name}: {text}"[:TEXT_MAX], None, "lost; the lock holds"
        )
        audit_client.append(home, held)
    return line


def _stream_words(lost: Lost) -> Iterator[str]:
    """A text for each stream, or several where it has many ranges."""
    for stream in lost.streams:
        who = f"{stream.camera} {stream.name}: "
        text = ""
        for span in stream.spans:
            more = _span_words(span)
            if text and len(text) + len(more) > _ROOM:
                yield who + text
                text = ""
            text += f"; {more}" if text else more
        yield who + text


def _lock_words(lost: Lost) -> Iterator[str]:
    for lock in lost.locks:
        span = _span_words((lock.from_ns, lock.to_ns))
        yield f"lock {lock.number} ({lock.code}, case {lock.case}), {span}"


def _span_words(span: Span) -> str:
    return f"{iso(span[0])} to {iso(span[1])}"


def _facts(lost: Lost) -> dict[str, object]:
    return {
        "lost": [
            {
                "camera": stream.camera,
                "stream": stream.name,
                "ranges": [{"from": iso(a), "to": iso(b)} for a, b in stream.spans],
            }
            for stream in lost.streams
        ],
        "locks": [lock.number for lock in lost.locks],
    }
