"""`vonggac push run`: the door for cameras that call the box, in the foreground."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from vonggac_appliance.cli_common import group, leaf

if TYPE_CHECKING:
    from vonggac_appliance.cli_common import Commands

__all__ = ["add"]


def add(commands: Commands) -> None:
    """Put the command into the parser."""
    nested = group(commands, "push", "cameras that call the box")
    leaf(
        nested,
        "run",
        "take calls of cameras behind home routers until told to end",
        "vonggac --home H push run",
        _run,
    )


def _run(args: argparse.Namespace) -> int:
    from vonggac_appliance import push_door

    return push_door.main(args.home)
