"""`vonggac person`: what a box's own terminal does for people who sign in to the page."""

from __future__ import annotations

import argparse
import getpass
import sys
from typing import TYPE_CHECKING

from vonggac.errors import Invalid, Refused
from vonggac.registry.people import Role
from vonggac_appliance.cli_common import UsageError, group, leaf, note
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
    added = leaf(
        people,
        "add",
        "print a one-time code with which somebody new chooses a password at the page, on this "
        "terminal only",
        'sudo vonggac person add "Trần Thị Bình" --role detective',
        _add,
    )
    added.add_argument("name", metavar="NAME", help="as the person will sign in")
    roles = [role.value for role in Role if role is not Role.LOCAL]
    added.add_argument("--role", required=True, choices=roles)
    added.add_argument(
        "--area",
        action="append",
        default=[],
        metavar="TEXT",
        help="a resident group that an area officer answers for, as the cameras have it; again for "
        "each",
    )


def _add(args: argparse.Namespace) -> int:
    role = Role(args.role)
    if not sys.stdout.isatty():
        # A file, a pipe or a journal would keep it for whoever reads them.
        raise Refused("the code is shown on a terminal only, and this output is none")
    check_user(args.home, "makes a code: sudo vonggac person add NAME --role ROLE")
    from vonggac_appliance import accounts  # only here: few commands need Argon2

    try:
        print(accounts.person_code(args.home, args.name, role, tuple(args.area)))
    except Invalid as error:
        option = "--area" if error.field == "areas" else "NAME"
        raise UsageError(f"{option}: {error}") from error
    note(
        f"{args.name} types it into the page, under /join, within 15 minutes; it works once, and "
        "five tries are allowed; a code that was made before is worth nothing any more"
    )
    return 0


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
