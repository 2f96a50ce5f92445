"""`vonggac audit run|verify`."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from vonggac_appliance import audit, audit_reading
from vonggac_appliance.cli_common import emit, group, leaf
from vonggac_appliance.service_log import set_up_logging

if TYPE_CHECKING:
    from vonggac_appliance.cli_common import Commands

__all__ = ["add"]


def add(commands: Commands) -> None:
    """Put the commands into the parser."""
    nested = group(commands, "audit", "the log of who looked at what")
    leaf(nested, "run", "write the audit chain for all other processes", "vonggac audit run", _run)
    verify = leaf(
        nested,
        "verify",
        "check that no line of the audit chain was altered, dropped or reordered",
        "vonggac audit verify --json > checkpoint.json   (keep it elsewhere)\n"
        "vonggac audit verify --checkpoint checkpoint.json",
        _verify,
        has_json=True,
    )
    verify.add_argument(
        "--checkpoint",
        type=Path,
        metavar="FILE",
        help="what `audit verify --json` printed some day: finds a log written anew",
    )


def _run(args: argparse.Namespace) -> int:
    set_up_logging()
    return audit.main(args.home)


def _verify(args: argparse.Namespace) -> int:
    noted = [audit_reading.read_checkpoint(args.checkpoint)] if args.checkpoint else []
    result = audit_reading.verify_home(args.home, noted)
    facts = {
        "ok": not result.problems,
        "entries": result.entries,
        "head": result.head,
        "head_behind": result.head_behind,
        "problems": [{"line": found.line, "what": found.what} for found in result.problems],
    }
    if result.problems:
        text = "\n".join(f"line {found.line} {found.what}" for found in result.problems)
    else:
        text = f"OK: {result.entries} lines, head {result.head}"
    emit(args, facts, text)
    return 1 if result.problems else 0
