"""`vonggac record|run|demo`: the processes, in the foreground.

Each imports its own parts, and only when it is asked for: `audit run` needs no native loop, and
the zygote of `record` must be forked before anything else has begun.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from vonggac_appliance.cli_common import UsageError, leaf
from vonggac_appliance.cli_serve import add_port, check_port

if TYPE_CHECKING:
    from vonggac_appliance.cli_common import Commands

__all__ = ["add"]


def add(commands: Commands) -> None:
    """Put the commands into the parser."""
    run = leaf(
        commands,
        "run",
        "run all processes of the box under one supervisor, for development and the demo",
        "vonggac --home H run",
        _run,
    )
    add_port(run)
    leaf(
        commands,
        "record",
        "record all cameras of this home until told to end",
        "vonggac --home H record",
        _record,
    )
    demo = leaf(
        commands,
        "demo",
        "record simulated cameras for real, and open the page and a live table of them",
        "vonggac demo --seconds 30",
        _demo,
    )
    demo.add_argument("--seconds", type=float, metavar="N", help="end by itself after N seconds")
    demo.add_argument(
        "--cameras-only", action="store_true", help="serve the simulated cameras, record nothing"
    )


def _run(args: argparse.Namespace) -> int:
    from vonggac_appliance import run

    check_port(args)
    return run.main(args.home, args.port)


def _record(args: argparse.Namespace) -> int:
    from vonggac_appliance import record

    return record.main(args.home)


def _demo(args: argparse.Namespace) -> int:
    from vonggac_appliance import demo

    if args.seconds is not None and not 0 < args.seconds < 1e9:
        raise UsageError("--seconds is more than 0")
    # Only a home that was named: a demo has no business in the one of the environment.
    return demo.main(args.named_home, args.seconds, cameras_only=args.cameras_only)
