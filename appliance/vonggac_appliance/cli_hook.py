"""`vonggac hook add|list|revoke`, `vonggac hooks run`: other people's programs."""

from __future__ import annotations

import argparse
import os
from typing import TYPE_CHECKING

from vonggac.errors import Invalid, Refused, StorageError, Unavailable
from vonggac.registry.catalog import Catalog
from vonggac.registry.hooks import Hook, HookKind, HookOrder
from vonggac.registry.people import local_person
from vonggac_appliance import config
from vonggac_appliance.cli_common import UsageError, camera_of, emit, group, leaf, note, table
from vonggac_appliance.cli_login import typed_login
from vonggac_appliance.clock import iso, parse_time, wall_ns

if TYPE_CHECKING:
    from vonggac_appliance.cli_common import Commands

__all__ = ["add"]


def add(commands: Commands) -> None:
    """Put the commands into the parser."""
    nested = group(commands, "hooks", "the process that serves other people's programs")
    leaf(
        nested,
        "run",
        "serve other people's programs, as far as they were granted, until told to end",
        "vonggac --home H hooks run",
        _run,
    )
    nested = group(commands, "hook", "what other people's programs may have of cameras")
    _add_add(nested)
    shown = leaf(
        nested,
        "list",
        "show the grants: whose program, what it may have, until when, who approved it",
        "vonggac hook list",
        _list,
        has_json=True,
    )
    shown.add_argument("--all", action="store_true", help="also those that have ended")
    gone = leaf(
        nested,
        "revoke",
        "end a grant at once; its program is disconnected within seconds",
        "vonggac hook revoke 3",
        _revoke,
    )
    gone.add_argument("hook", type=int, metavar="HOOK", help="its number")


def _add_add(nested: Commands) -> None:
    parser = leaf(
        nested,
        "add",
        "let a program have something of cameras; a commander approves it with his password",
        "vonggac hook add 'traffic desk' --camera cam1 --camera cam2 --kind motion \\\n"
        "    --port 7701 --key='rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7' --until 2027-06-30 \\\n"
        "    --purpose 'counts lorries at the school gate, plan 12/KH'",
        _add,
        has_json=True,
    )
    parser.add_argument("name", metavar="NAME", help="whose program it is")
    parser.add_argument(
        "--camera", action="append", required=True, metavar="ID", help="again for each"
    )
    kinds = [kind.value for kind in HookKind]
    parser.add_argument(
        "--kind", action="append", required=True, choices=kinds, help="again for each"
    )
    parser.add_argument("--port", type=int, required=True, metavar="N", help="for it alone")
    parser.add_argument(
        "--key",
        required=True,
        metavar="Z85",
        help="its public CURVE key; write --key=… where it begins with -",
    )
    parser.add_argument("--until", required=True, metavar="TIME", help="at most 366 days ahead")
    parser.add_argument("--purpose", required=True, metavar="TEXT")
    parser.add_argument(
        "--credentials-file",
        metavar="FILE",
        help="`name:password` of the commander, in one line or in two; - reads stdin. Without it "
        "both are typed",
    )


def _run(args: argparse.Namespace) -> int:
    from vonggac_appliance import hooks_run

    return hooks_run.main(args.home)


def _add(args: argparse.Namespace) -> int:
    from vonggac_appliance.hooking import Hooking, box_key

    order = HookOrder(
        args.name,
        args.purpose,
        tuple(camera_of(args.home, code) for code in args.camera),
        tuple(HookKind(kind) for kind in args.kind),
        args.port,
        args.key,
        parse_time(args.until, wall_ns()),
    )
    with Catalog(args.home) as catalog:
        if not catalog.has_people():
            raise Refused("a commander approves it, and nobody is enrolled yet (setup-code)")
        hooking = Hooking(args.home, catalog)
        commander = hooking.commander(*typed_login(args.credentials_file))
        key = box_key(args.home)
        try:
            row = hooking.add(order, commander, local_person(os.getuid()))
        except Invalid as error:
            raise UsageError(f"{_option(error.field)}: {error}") from error
    facts = {"hook": row.number, "port": row.port, "box_key": key, "until": iso(row.until_ns)}
    emit(args, facts, f"hook {row.number} until {iso(row.until_ns)}\nkey of this box: {key}")
    if not config.load(args.home).hooks.address:
        note("no program comes in yet: set address in [hooks] of config.toml")
    return 0


def _option(field: str) -> str:
    return "NAME" if field == "name" else f"--{field}"


def _list(args: argparse.Namespace) -> int:
    now_ns = wall_ns()
    with Catalog(args.home, is_readonly=True) as catalog:
        codes = {camera.id: camera.code for camera in catalog.cameras()}
        rows = [row for row in catalog.hooks() if args.all or row.is_held(now_ns)]
    facts = [_facts(row, codes, now_ns) for row in rows]
    lines = [
        (
            str(row.number),
            row.name,
            ", ".join(codes.get(one, "(removed)") for one in row.cameras),
            ", ".join(row.kinds),
            str(row.port),
            iso(row.until_ns),
            row.approved_name,
            str(fact["state"]),
            row.purpose,
        )
        for row, fact in zip(rows, facts, strict=True)
    ]
    head = ("hook", "name", "cameras", "has", "port", "until", "approved by", "state", "purpose")
    emit(args, {"hooks": facts}, table(head, lines) if lines else "no program may have anything")
    return 0


def _facts(row: Hook, codes: dict[bytes, str], now_ns: int) -> dict[str, object]:
    state = "in force" if row.is_held(now_ns) else "revoked" if row.revoked_ns else "over"
    return {
        "hook": row.number,
        "name": row.name,
        "purpose": row.purpose,
        "cameras": [codes.get(one) for one in row.cameras],
        "kinds": list(row.kinds),
        "port": row.port,
        "key": row.key,
        "until": iso(row.until_ns),
        "approved_by": row.approved_name,
        "made_by": row.made_by,
        "made": iso(row.made_ns),
        "state": state,
    }


def _revoke(args: argparse.Namespace) -> int:
    from vonggac_appliance.hooking import Hooking

    with Catalog(args.home) as catalog:
        try:
            row = Hooking(args.home, catalog).revoke(args.hook, local_person(os.getuid()))
        except (Unavailable, StorageError) as error:
            note(f"the hook is revoked; that does not stand in the audit chain: {error}")
            return 1
    print(f"hook {row.number} is revoked")
    return 0
