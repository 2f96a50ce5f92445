"""`vonggac serve`: the page, in the foreground."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from vonggac_appliance.cli_common import UsageError, leaf

if TYPE_CHECKING:
    from vonggac_appliance.cli_common import Commands

__all__ = ["add", "add_port", "check_port"]

_PORT_MAX = 65535


def add(commands: Commands) -> None:
    """Put the command into the parser."""
    serve = leaf(
        commands,
        "serve",
        "serve the page of this home until told to end",
        "vonggac --home H serve",
        _serve,
    )
    add_port(serve)


def add_port(parser: argparse.ArgumentParser) -> None:
    """The option that both `serve` and `run` have."""
    parser.add_argument(
        "--port",
        type=int,
        metavar="N",
        help="of the page, instead of the configuration's; 0 takes a free one",
    )


def check_port(args: argparse.Namespace) -> None:
    """Raises UsageError for what is no port."""
    if args.port is not None and not 0 <= args.port <= _PORT_MAX:
        raise UsageError(f"--port is a number from 0 to {_PORT_MAX}")


def _serve(args: argparse.Namespace) -> int:
    from vonggac_appliance import serve

    check_port(args)
    return serve.main(args.home, args.port)
