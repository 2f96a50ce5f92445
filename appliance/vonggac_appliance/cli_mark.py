"""`vonggac mark list`: what other people's programs say they saw."""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from vonggac.errors import Invalid
from vonggac.evidence.chain import TEXT_MAX
from vonggac.motion.marks import MarkKind
from vonggac.registry.camera import Camera
from vonggac.registry.catalog import Catalog
from vonggac.registry.people import Purpose, PurposeCode, local_person
from vonggac_appliance.cli_common import UsageError, camera_of, emit, group, leaf, note, table
from vonggac_appliance.clock import iso, parse_time, wall_ns
from vonggac_appliance.messages_motion import (
    MarkFound,
    MarksFound,
    MotionDone,
    MotionQuery,
    Watched,
)
from vonggac_appliance.motion_client import MotionClient
from vonggac_appliance.motion_looks import MotionLooks, MotionPermit, Searcher
from vonggac_appliance.motion_words import MARKS_LIMIT_MAX

if TYPE_CHECKING:
    from vonggac_appliance.cli_common import Commands

__all__ = ["add"]


def add(commands: Commands) -> None:
    """Put the commands into the parser."""
    nested = group(commands, "mark", "what other people's programs say they saw")
    parser = leaf(
        nested,
        "list",
        "show the marks of cameras: when, what kind, where in the picture, which program said so",
        "vonggac mark list cam1 --from -24h --to now --kind lorry --purpose 'case 2026/17'",
        _list,
        has_json=True,
    )
    parser.add_argument("cameras", nargs="+", metavar="ID")
    for name in ("--from", "--to"):
        parser.add_argument(name, dest=f"{name[2:]}_time", required=True, metavar="TIME")
    kinds = [kind.value for kind in MarkKind]
    parser.add_argument("--kind", action="append", choices=kinds, help="only these; again for each")
    parser.add_argument(
        "--limit", type=int, default=1000, metavar="N", help=f"the newest N, {MARKS_LIMIT_MAX} most"
    )
    parser.add_argument(
        "--purpose", metavar="TEXT", help="why; without it the line says that there was none"
    )


def _list(args: argparse.Namespace) -> int:
    cameras = [camera_of(args.home, code) for code in dict.fromkeys(args.cameras)]
    # Before the line: where `motion run` does not answer, nobody has searched.
    with MotionClient(args.home) as client:
        permit = _permit(args, cameras)
        marks, done = _found(client, permit)
    if permit.red:
        note(f"this search is red in the audit chain: {permit.red}")
    codes = {camera.id: camera.code for camera in cameras}
    until = iso(done.complete_from_ns) if done.is_limited else None
    facts = {
        "camera": cameras[0].code,
        "cameras": [camera.code for camera in cameras],
        "marks": [_fact(codes, mark) for mark in marks],
        "audit_line": permit.lines[0],
        "audit_lines": list(permit.lines),
        "limited": done.is_limited,
        "complete_from": until,
    }
    rows = [_row(codes, mark) for mark in marks]
    head = ("camera", "from", "to", "kind", "score", "box", "says")
    emit(args, facts, table(head, rows) if rows else "no marks")
    if until is not None and not args.json:
        note(f"there may be more that ended before {until}: --limit, or a shorter range")
    return 0


def _permit(args: argparse.Namespace, cameras: Sequence[Camera]) -> MotionPermit:
    """Logged by now. Raises UsageError, Refused, Unavailable."""
    now_ns = wall_ns()
    query = MotionQuery(
        [Watched(camera.id) for camera in cameras],
        parse_time(args.from_time, now_ns),
        parse_time(args.to_time, now_ns),
        limit=args.limit,
        marks=list(dict.fromkeys(args.kind or ())),
    )
    purpose = None if args.purpose is None else Purpose(PurposeCode.OTHER, args.purpose)
    if purpose is not None and len(purpose.text) > TEXT_MAX:
        raise UsageError(f"--purpose has at most {TEXT_MAX} characters")
    try:
        with Catalog(args.home, is_readonly=True) as catalog:
            looks = MotionLooks(args.home, catalog)
            who = Searcher(local_person(os.getuid()))
            return looks.permit(who, purpose, query, has_masks=False)
    except Invalid as error:
        raise UsageError(str(error)) from error


def _found(client: MotionClient, permit: MotionPermit) -> tuple[list[MarkFound], MotionDone]:
    """All of them, the oldest first."""
    marks: list[MarkFound] = []
    done = MotionDone(0, 0, 0, 0)
    for answer in client.marks(permit.query, permit.receipts):
        if isinstance(answer, MarksFound):
            marks += answer.marks
        elif isinstance(answer, MotionDone):
            done = answer
    return sorted(marks, key=lambda mark: mark.from_ns), done


def _fact(codes: Mapping[bytes, str], mark: MarkFound) -> dict[str, object]:
    return {
        "camera": codes[mark.camera],
        "from": iso(mark.from_ns),
        "to": iso(mark.to_ns),
        "kind": mark.kind,
        "box": mark.box,
        "score": mark.score,
        "hook": mark.hook,
        "name": mark.name,
    }


def _row(codes: Mapping[bytes, str], mark: MarkFound) -> tuple[str, ...]:
    return (
        codes[mark.camera],
        iso(mark.from_ns),
        iso(mark.to_ns),
        mark.kind,
        f"{mark.score:.2f}",
        ",".join(f"{edge:.3g}" for edge in mark.box),
        f"hook {mark.hook} «{mark.name}»",
    )
