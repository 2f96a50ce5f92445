"""`vonggac lock add|list|adopt|review|remove|confirm`."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING

from vonggac.errors import Invalid, NotSignedIn, Refused
from vonggac.evidence.chain import Action
from vonggac.registry.catalog import Catalog
from vonggac.registry.people import Person, local_person
from vonggac_appliance import config, lock_words
from vonggac_appliance.cli_common import UsageError, emit, group, leaf, note, table
from vonggac_appliance.cli_login import typed_login
from vonggac_appliance.clock import iso, parse_time, wall_ns
from vonggac_appliance.locking import Locking, Order

if TYPE_CHECKING:
    from vonggac_appliance.cli_common import Commands

__all__ = ["add"]

_STREAMS = {"main": ("main",), "sub": ("sub",), "both": ("main", "sub")}


def add(commands: Commands) -> None:
    """Put the commands into the parser."""
    nested = group(commands, "lock", "footage that must stay")
    _add_add(nested)
    shown = leaf(
        nested,
        "list",
        "show the locks, what they hold of each disk, and whose review is overdue",
        "vonggac lock list",
        _list,
        has_json=True,
    )
    shown.add_argument("--all", action="store_true", help="also those that were removed")
    leaf(
        nested,
        "adopt",
        "take locks into the catalog that only the disks know, such as after a restore",
        "vonggac lock adopt",
        _adopt,
    )
    review = leaf(
        nested,
        "review",
        "look at a lock again: it stays, and its next review is put off",
        "vonggac lock review 7 --until 2027-01-15",
        _review,
    )
    review.add_argument("lock", type=int, metavar="LOCK", help="its number")
    review.add_argument("--until", required=True, metavar="DATE", help="at most 90 days ahead")
    remove = leaf(
        nested,
        "remove",
        "ask that a lock be removed; it holds until a second person confirms",
        "vonggac lock remove 7 --reason 'case closed, decision 12/QĐ'",
        _remove,
    )
    remove.add_argument("lock", type=int, metavar="LOCK", help="its number")
    remove.add_argument("--reason", required=True, metavar="TEXT")
    confirm = leaf(
        nested,
        "confirm",
        "confirm as the second person that a lock is removed",
        "vonggac lock confirm 7",
        _confirm,
    )
    confirm.add_argument("lock", type=int, metavar="LOCK", help="its number")
    for parser in (remove, confirm):
        parser.add_argument(
            "--credentials-file",
            metavar="FILE",
            help="`name:password` of the person, in one line or in two; - reads stdin. Without it "
            "both are typed; before people are enrolled the person is the shell's user",
        )


def _add_add(nested: Commands) -> None:
    parser = leaf(
        nested,
        "add",
        "lock footage at once, so that nothing erases or overwrites it",
        "vonggac lock add cam1 --from 2026-11-21T20:00 --to 2026-11-21T20:30 --case 2026/17 \\\n"
        "    --officer 'Nguyễn Văn An' --reason 'theft in alley 45' --review 2027-01-15",
        _add,
        has_json=True,
    )
    parser.add_argument("camera", metavar="CAMERA")
    parser.add_argument("--from", dest="from_", required=True, metavar="TIME")
    parser.add_argument("--to", required=True, metavar="TIME", help="at most an hour ahead")
    parser.add_argument("--case", required=True, metavar="NO", help="number of the case")
    parser.add_argument("--officer", required=True, metavar="NAME", help="who asks for it")
    parser.add_argument("--reason", required=True, metavar="TEXT")
    parser.add_argument(
        "--review",
        required=True,
        metavar="DATE",
        help="when somebody looks at it again, at most 90 days ahead; overdue is an alarm",
    )
    parser.add_argument("--stream", choices=list(_STREAMS), default="both")


def _add(args: argparse.Namespace) -> int:
    now_ns = wall_ns()
    order = Order(
        args.camera,
        _STREAMS[args.stream],
        parse_time(args.from_, now_ns),
        parse_time(args.to, now_ns),
        args.case,
        args.officer,
        args.reason,
        parse_time(args.review, now_ns),
    )
    with Catalog(args.home) as catalog:
        try:
            added = _locking(args.home, catalog).add(order, local_person(os.getuid()))
        except Invalid as error:
            raise UsageError(f"--{error.field}: {error}") from error
    for hold in added.holds:
        if hold.what:
            note(f"{hold.row.path} could not be asked what it holds: {hold.what}")
    if not added.is_logged:
        note("`audit run` is not writing, so this lock does not stand in the audit chain")
    emit(args, lock_words.added_facts(added), lock_words.added_text(added))
    return 1 if added.missing else 0


def _list(args: argparse.Namespace) -> int:
    settings = config.load(args.home).locks
    with Catalog(args.home, is_readonly=True) as catalog:
        names = {account.id.hex(): account.name for account in catalog.people()}
        rows, holds = Locking(args.home, catalog, settings.quota_percent).holds()
    now_ns = wall_ns()
    shown = [row for row in rows if row.is_held or args.all]
    facts = [lock_words.facts(row, holds, now_ns) for row in shown]
    held = [row.number for row in rows if row.is_held]
    disks = [lock_words.disk_facts(hold, held, settings.quota_percent) for hold in holds]
    lines = [
        (
            str(row.number),
            row.code,
            f"{iso(row.from_ns)} to {iso(row.to_ns)}",
            row.case,
            row.officer,
            str(fact["bytes"]),
            iso(row.review_ns) + (" OVERDUE" if fact["overdue"] else ""),
            lock_words.state_text(row, names, now_ns),
        )
        for row, fact in zip(shown, facts, strict=True)
    ]
    head = ("lock", "camera", "time", "case", "officer", "bytes", "review", "state")
    text = table(head, lines) if lines else "nothing is locked"
    for disk in disks:
        text += f"\n{disk['path']}: "
        what = f"locks hold {disk['pinned_segments']} of {disk['quota_segments']} segments they may"
        text += str(disk["what"] or what)
    emit(args, {"locks": facts, "disks": disks}, text)
    return 0


def _adopt(args: argparse.Namespace) -> int:
    with Catalog(args.home) as catalog:
        made, faults = _locking(args.home, catalog).adopt(local_person(os.getuid()))
    for fault in faults:
        note(fault)
    for lock in made:
        names = ", ".join(s.name for s in lock.streams)
        span = f"{iso(lock.from_ns)} to {iso(lock.to_ns)}"
        print(
            f"lock {lock.number}: {lock.code} {names}, {span}; review it by {iso(lock.review_ns)}"
        )
    if not made and not faults:
        print("the catalog knows every lock that the disks hold")
    return 1 if faults else 0


def _review(args: argparse.Namespace) -> int:
    until_ns = parse_time(args.until, wall_ns())
    with Catalog(args.home) as catalog:
        try:
            person = local_person(os.getuid())
            lock = _locking(args.home, catalog).review(args.lock, until_ns, person)
        except Invalid as error:
            raise UsageError(f"--until: {error}") from error
    print(f"lock {lock.number} holds; its next review is due {iso(lock.review_ns)}")
    return 0


def _remove(args: argparse.Namespace) -> int:
    with Catalog(args.home) as catalog:
        locking = _locking(args.home, catalog)
        person = _person(args, catalog, locking, Action.LOCK_REMOVE)
        try:
            lock = locking.ask_unlock(args.lock, person, args.reason)
        except Invalid as error:
            raise UsageError(f"--{error.field}: {error}") from error
    print(
        f"lock {lock.number} holds until somebody else confirms: vonggac lock confirm {args.lock}"
    )
    return 0


def _confirm(args: argparse.Namespace) -> int:
    with Catalog(args.home) as catalog:
        locking = _locking(args.home, catalog)
        person = _person(args, catalog, locking, Action.LOCK_CONFIRM)
        lock, later = locking.confirm_unlock(args.lock, person)
    print(f"lock {lock.number} is removed; what it held goes when its time comes")
    if later:
        note(f"{', '.join(later)} holds it until its disk is written again")
    return 0


def _locking(home: Path, catalog: Catalog) -> Locking:
    return Locking(home, catalog, config.load(home).locks.quota_percent)


def _person(args: argparse.Namespace, catalog: Catalog, locking: Locking, action: str) -> Person:
    """Who sits here: an account with its password where there are any, else the shell's user."""
    if catalog.lock(args.lock) is None:
        raise Refused(f"there is no lock {args.lock} (vonggac lock list)")
    if not catalog.has_people():
        if args.credentials_file is not None:
            raise UsageError("nobody is enrolled yet: the person is the shell's user")
        return local_person(os.getuid())
    from vonggac.registry.passwords import Hasher, PasswordRefused, typed_password  # brings Argon2

    name, password = typed_login(args.credentials_file)
    account = catalog.account_named(name)
    try:
        typed, kept = typed_password(password), None if account is None else account.password
    except PasswordRefused:
        typed, kept = "", None
    if not Hasher().is_right(typed, kept) or account is None:
        locking.refuse(args.lock, action, "wrong password" if account else "unknown name")
        raise NotSignedIn("the name or the password is wrong")
    return account.person
