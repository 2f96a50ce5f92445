"""`vonggac motion …`: the index of where anything moved."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from vonggac.evidence.chain import Action
from vonggac_appliance import cli_motion_grid, cli_motion_mask, cli_motion_search
from vonggac_appliance.cli_common import (
    UsageError,
    camera_of,
    emit,
    group,
    leaf,
    note,
    note_event,
    table,
)
from vonggac_appliance.clock import iso, parse_time, wall_ns

if TYPE_CHECKING:
    from vonggac_appliance.cli_common import Commands

__all__ = ["add"]


def add(commands: Commands) -> None:
    """Put the commands into the parser."""
    nested = group(commands, "motion", "where anything moved, and when")
    leaf(
        nested,
        "run",
        "index the motion in what is recorded and answer searches until told to end",
        "vonggac --home H motion run",
        _run,
    )
    cli_motion_search.add_to(nested)
    cli_motion_mask.add_to(nested)
    cli_motion_grid.add_to(nested)
    leaf(
        nested,
        "status",
        "show how far the motion index is, and what it costs",
        "vonggac motion status",
        _status,
        has_json=True,
    )
    rebuild = leaf(
        nested,
        "rebuild",
        "make the motion index of cameras anew from what is recorded",
        "vonggac motion rebuild cam1 --from -24h --to now",
        _rebuild,
    )
    rebuild.add_argument("cameras", nargs="+", metavar="ID")
    for name, default in (("--from", "1970-01-02T00:00:00Z"), ("--to", "now")):
        rebuild.add_argument(
            name,
            dest=f"{name[2:]}_time",
            default=default,
            metavar="TIME",
            help="ISO 8601, -10m (back from now), or now; all of it where it is not given",
        )


def _run(args: argparse.Namespace) -> int:
    from vonggac_appliance import motion_run

    return motion_run.main(args.home)


def _status(args: argparse.Namespace) -> int:
    from vonggac.registry.catalog import Catalog
    from vonggac_appliance.motion_client import MotionClient

    with Catalog(args.home, is_readonly=True) as catalog:
        codes = {camera.id: camera.code for camera in catalog.cameras()}
    with MotionClient(args.home) as client:
        told = client.status()
    rows = sorted((codes.get(one.camera, one.camera.hex()), one) for one in told.streams)
    facts = {
        "cameras": [
            {
                "camera": code,
                "stream": one.stream,
                "tier": one.tier,
                "indexed_until": iso(one.indexed_until_ns) if one.indexed_until_ns else None,
                "behind_s": one.behind_s,
                "backlog_s": one.backlog_s,
                "cpu_permille": one.cpu_permille,
                "what": one.what,
            }
            for code, one in rows
        ],
        "cpu_permille": told.cpu_permille,
        "cpu_budget_permille": told.cpu_budget_permille,
        "index_bytes": told.index_bytes,
        "skipped": told.skipped,
    }
    lines = [
        (
            code,
            one.stream,
            one.tier,
            f"{one.behind_s} s",
            f"{one.backlog_s // 60} min",
            f"{one.cpu_permille / 10:g} %",
            one.what,
        )
        for code, one in rows
    ]
    head = ("camera", "stream", "tier", "behind", "backlog", "core", "")
    emit(args, facts, table(head, lines))
    if not args.json:
        note(
            f"{told.cpu_permille / 10:g} of {told.cpu_budget_permille / 10:g} % of a core, "
            f"{told.index_bytes >> 20} MiB, {told.skipped} chunks skipped"
        )
    return 0


def _rebuild(args: argparse.Namespace) -> int:
    from vonggac_appliance.motion_client import MotionClient

    now_ns = wall_ns()
    from_ns, to_ns = parse_time(args.from_time, now_ns), parse_time(args.to_time, now_ns)
    if to_ns <= from_ns:
        raise UsageError("--to is not after --from")
    cameras = [camera_of(args.home, code) for code in dict.fromkeys(args.cameras)]
    with MotionClient(args.home) as client:
        client.rebuild([camera.id for camera in cameras], from_ns, to_ns)
    for camera in cameras:
        target = f"{camera.code} {iso(from_ns)} {iso(to_ns)}"
        note_event(args.home, Action.MOTION_REBUILD, target)
    note("that part of the index is forgotten and being made anew: `vonggac motion status`")
    return 0
