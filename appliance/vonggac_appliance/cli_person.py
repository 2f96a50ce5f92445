"""`vonggac person`: what a box's own terminal does for people who sign in to the page."""

from __future__ import annotations

import argparse
import getpass
import sys
from typing import TYPE_CHECKING

from vonggac.errors import Refused
from vonggac_appliance.cli_common import group, leaf, note
from vonggac_appliance.cli_setup import check_user

if TYPE_CHECKING:
    from vonggac_appliance.cli_common import Commands

__all__ = ["add"]


def add(commands: Commands) -> None:
    """Put the commands into the parser."""
    people = group(commands, "person", "the people who sign in to the page")
    password = leaf(
        people,
        "password",
        "give somebody who has forgotten it a new password, typed on this terminal; all of that "
        "person's sessions end",
        'sudo vonggac person password "Nguyễn Văn An"',
        _password,
    )
    password.add_argument("name", help="as the person signs in")


def _password(args: argparse.Namespace) -> int:
    if not sys.stdin.isatty():
        # What is piped in stands in a history, a file, or another program's arguments.
        raise Refused("the password is typed on a terminal, and this input is none")
    check_user(args.home, "sets a password: sudo vonggac person password NAME")
    from vonggac_appliance import accounts  # only here: few commands need Argon2

    typed = getpass.getpass("New password: ")
    if getpass.getpass("Once more: ") != typed:
        raise Refused("the two are not the same; nothing was changed")
    accounts.set_password(args.home, args.name, typed)
    note("the password was changed, and all sessions of that person ended")
    return 0
