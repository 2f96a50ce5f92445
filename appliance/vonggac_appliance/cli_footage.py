"""`vonggac timeline|cut`: what is recorded, and handing it over."""

from __future__ import annotations

import argparse
import errno
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from vonggac.errors import Refused, StorageError, Unavailable
from vonggac.evidence.chain import TEXT_MAX, Action
from vonggac.evidence.receipt import Permit
from vonggac.media.chunk import gap_word
from vonggac.registry.people import Purpose, PurposeCode, local_person
from vonggac.registry.rules import may_view
from vonggac_appliance import audit_client, cli_where, footage, foreign
from vonggac_appliance.cli_common import UsageError, emit, leaf, note, table
from vonggac_appliance.cli_disk_foreign import lock_facts
from vonggac_appliance.cli_where import Where
from vonggac_appliance.clock import iso, parse_time, wall_ns
from vonggac_appliance.messages_audit import AuditAppend, AuditReceipt

if TYPE_CHECKING:
    from vonggac_appliance.cli_common import Commands

__all__ = ["add"]


def add(commands: Commands) -> None:
    """Put the commands into the parser."""
    timeline = leaf(
        commands,
        "timeline",
        "show what is recorded of a camera, and why the rest is not",
        "vonggac timeline cam1 --from -2h --to now",
        _timeline,
        has_json=True,
    )
    _add_range(timeline)
    timeline.add_argument(
        "--purpose", metavar="TEXT", help="why, with --disk: looking there is logged"
    )
    cut = leaf(
        commands,
        "cut",
        "copy a camera's footage bit for bit, in whole fragments, once that is logged",
        "vonggac cut cam1 --from 2026-11-21T20:00:00+07:00 --to 2026-11-21T20:10:00+07:00 \\\n"
        "    --purpose 'case 2026/17' -o cam1.mp4",
        _cut,
        has_json=True,
    )
    _add_range(cut)
    cut.add_argument(
        "--purpose", metavar="TEXT", help="why; without it the line in the audit chain is red"
    )
    cut.add_argument(
        "-o", "--output", type=Path, required=True, metavar="FILE.mp4", help="must not exist"
    )


def _add_range(parser: argparse.ArgumentParser) -> None:
    cli_where.add_to(parser)
    for name in ("--from", "--to"):
        parser.add_argument(
            name,
            dest=f"{name[2:]}_time",
            required=True,
            metavar="TIME",
            help="ISO 8601, -10m (back from now), or now",
        )


def _range_of(args: argparse.Namespace, now_ns: int) -> tuple[int, int]:
    from_ns, to_ns = parse_time(args.from_time, now_ns), parse_time(args.to_time, now_ns)
    if to_ns <= from_ns:
        raise UsageError("--to is not after --from")
    return from_ns, to_ns


def _timeline(args: argparse.Namespace) -> int:
    from_ns, to_ns = _range_of(args, wall_ns())
    if args.purpose is not None and args.disk is None:
        raise UsageError("--purpose goes with --disk: what is recorded here is told without one")
    with cli_where.where(args) as where:
        facts, rows = _told(args, where, from_ns, to_ns)
    emit(args, facts, table(("from", "to", "what"), sorted(rows)))
    return 0


_Rows = list[tuple[str, str, str]]
_HOLDS_BACK = "does not answer, or not with all it has (its index is being made again)"


def _told(
    args: argparse.Namespace, where: Where, from_ns: int, to_ns: int
) -> tuple[dict[str, object], _Rows]:
    logged: dict[str, object] = {}
    if where.is_foreign:
        logged["audit_line"] = foreign.log(args.home, where.what, args.purpose)
    answer = footage.found_of(args.home, where.disks, where.stream.id, from_ns, to_ns, where.opens)
    found = foreign.told_by_one_disk(answer.line) if where.is_foreign else answer.line
    for path in answer.missing:
        note(f"{path} {_HOLDS_BACK}: footage there may be missing from this list")
    until_ns = found.durable_until_ns
    facts: dict[str, object] = {
        "camera": where.camera.code,
        "stream": where.stream.name,
        "ranges": [
            {"from": iso(r.from_ns), "to": iso(r.to_ns), "frames": r.frames, "bytes": r.size_bytes}
            for r in found.ranges
        ],
        "gaps": [
            {"from": iso(g.from_ns), "to": iso(g.to_ns), "reason": gap_word(g.reason)}
            for g in found.gaps
        ],
        "durable_until": None if until_ns is None else iso(until_ns),
        "missing_disks": [str(path) for path in answer.missing],
    }
    lines = [(r.from_ns, r.to_ns, f"{r.frames} frames, {r.size_bytes} bytes") for r in found.ranges]
    lines += [(g.from_ns, g.to_ns, f"nothing: {gap_word(g.reason)}") for g in found.gaps]
    if where.is_foreign:
        held = [x for x in where.locks if x.from_ns < to_ns and x.to_ns > from_ns]
        logged["locked"] = [lock_facts(lock) for lock in held]
        lines += [(x.from_ns, x.to_ns, f"locked: {x.lock.hex()}") for x in held]
    rows = [(iso(start), iso(end), what) for start, end, what in sorted(lines)]
    return facts | logged, rows


def _cut(args: argparse.Namespace) -> int:
    now_ns = wall_ns()
    span = _range_of(args, now_ns)
    output: Path = args.output.absolute()
    if output.exists():
        raise UsageError(f"{output} exists already; a cut never overwrites")
    if not output.parent.is_dir():
        raise UsageError(f"{output.parent} is no directory")
    purpose = None if args.purpose is None else Purpose(PurposeCode.OTHER, args.purpose)
    with cli_where.where(args, output) as where:
        receipt, shown = _log(args.home, where, span, purpose, now_ns)
        report = _write(args.home, where, span, shown, receipt.receipt, output)
    facts = {
        "camera": where.camera.code,
        "stream": where.stream.name,
        "files": [
            {
                "path": str(file.path),
                "from": iso(file.from_ns),
                "to": iso(file.to_ns),
                "bytes": file.size_bytes,
            }
            for file in report.files
        ],
        "audit_line": receipt.line,
        "broken_chunks": report.broken,
        "missing_disks": [str(path) for path in report.missing],
    }
    lines = [(str(f.path), iso(f.from_ns), iso(f.to_ns), str(f.size_bytes)) for f in report.files]
    emit(args, facts, table(("file", "from", "to", "bytes"), lines))
    if report.broken:
        note(f"{report.broken} chunks no longer have the hash made when they were recorded")
    for path in report.missing:
        note(f"{path} {_HOLDS_BACK}: footage there may be missing from this cut")
    return 0


def _log(
    home: Path, where: Where, span: tuple[int, int], purpose: Purpose | None, now_ns: int
) -> tuple[AuditReceipt, tuple[int, int]]:
    """The line in the audit chain, without which not a byte is read; Refused, Unavailable.

    Also the range it says: whole fragments, which may reach beyond the one that was asked for.
    """
    camera, stream = where.camera, where.stream
    if purpose is not None and len(purpose.text) > TEXT_MAX:
        raise UsageError(f"--purpose has at most {TEXT_MAX} characters")
    answer = may_view(local_person(os.getuid()), camera, *span, purpose, now_ns)
    given = None if purpose is None else (purpose.code.value, purpose.text)
    if not answer.is_allowed:
        sentence = f"refused: {answer.sentence}"
        attempt = AuditAppend(Action.CUT, where.what or camera.code, given, sentence)
        try:
            audit_client.append(home, attempt)
        except (Unavailable, StorageError) as error:
            note(str(error))
        raise Refused(f"{camera.code}: {answer.sentence}")
    if answer.is_red:
        note(f"this look is red in the audit chain: {answer.sentence}")
    shown = footage.extent(home, where.disks, stream.id, *span, where.opens)
    receipt = audit_client.append(
        home,
        AuditAppend(
            action=Action.CUT,
            object=where.what or f"{camera.code}/{stream.name}",
            purpose=given,
            permit=Permit.STORED,
            camera=camera.id,
            streams=(stream.id,),
            from_ns=shown[0],
            to_ns=shown[1],
        ),
    )
    return receipt, shown


def _write(
    home: Path,
    where: Where,
    span: tuple[int, int],
    shown: tuple[int, int],
    receipt: bytes,
    output: Path,
) -> footage.CutReport:
    """Whole files or none: written beside the target, then given their names."""
    try:
        with tempfile.TemporaryDirectory(prefix=".vonggac-cut-", dir=output.parent) as draft:
            out = Path(draft) / output.name
            disks, stream = where.disks, where.stream.id
            report = footage.cut(home, disks, stream, *span, receipt, out, shown, where.opens)
            for file in report.files:
                target = output.parent / file.path.name
                _give_name(file.path, target)
                file.path = target
    except OSError as error:
        raise StorageError(f"{output} cannot be written: {error.strerror}") from error
    return report


def _give_name(draft: Path, target: Path) -> None:
    """Never over another file. A stick with FAT or exFAT has no links, and no two who write."""
    try:
        os.link(draft, target)
    except OSError as error:
        if error.errno not in (errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS):
            raise
        if target.exists():
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), target) from error
        draft.rename(target)
