"""`vonggac setup-code`: the code that lets the first person into the page."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from vonggac.errors import ConfigError, Refused
from vonggac_appliance import sockets
from vonggac_appliance.cli_common import leaf, note
from vonggac_appliance.secrets import SERVE_USER

if TYPE_CHECKING:
    from vonggac_appliance.cli_common import Commands

__all__ = ["add", "check_user"]


def add(commands: Commands) -> None:
    """Put the command into the parser."""
    leaf(
        commands,
        "setup-code",
        "print a one-time code for the first person, a commander, on this terminal only",
        "sudo vonggac setup-code",
        _setup_code,
    )


def _setup_code(args: argparse.Namespace) -> int:
    if not sys.stdout.isatty():
        # A file, a pipe or a journal would keep it for whoever reads them.
        raise Refused("the code is shown on a terminal only, and this output is none")
    check_user(args.home, "makes a code: sudo vonggac setup-code")
    from vonggac_appliance import accounts  # only here: no other command needs Argon2

    print(accounts.setup_code(args.home))
    note("type it into the page within 15 minutes; it works once, and five tries are allowed")
    return 0


def check_user(home: Path, what: str) -> None:
    """Root, or the user that `serve` runs as: without service users, whose home it is.

    `what`: what only they do, and with which words. Refused, ConfigError.
    """
    own = sockets.service_uid(SERVE_USER)
    if own is None:
        try:
            own = home.stat().st_uid
        except OSError as error:
            raise ConfigError(f"{home}: {error.strerror}") from error
    if os.geteuid() not in (0, own):
        raise Refused(f"only root or {SERVE_USER} {what}")
