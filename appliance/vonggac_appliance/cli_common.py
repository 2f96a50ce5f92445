"""What the commands share: their parser, their output, their note in the audit chain."""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from vonggac.errors import Refused, StorageError, Unavailable, VonggacError
from vonggac.registry.camera import Camera
from vonggac.registry.catalog import Catalog
from vonggac.rtsp.url import without_login
from vonggac_appliance import audit_client
from vonggac_appliance.messages_audit import AuditAppend

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]

__all__ = [
    "HOME_DEFAULT",
    "Parser",
    "UsageError",
    "camera_of",
    "disk_leaf",
    "emit",
    "example",
    "group",
    "leaf",
    "nest",
    "note",
    "note_event",
    "table",
]

HOME_DEFAULT = "/var/lib/vonggac"
_NOTE_DEADLINE_S = 2.0


class UsageError(VonggacError):
    """The command was given something it does not take (exit 2)."""


class Parser(argparse.ArgumentParser):
    """argparse, which repeats wrong arguments: an address among them loses its login.

    `-10m` is a time and not an option, as -10 is a number for argparse itself.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        # Not public, and the same from Python 3.8 to 3.14; a test holds us to it.
        self._negative_number_matcher = re.compile(r"-\d+[smhd]?$")

    def error(self, message: str) -> NoReturn:
        super().error(without_login(message))


def example(text: str) -> str:
    """The epilog of a command's help."""
    lines = "\n".join(f"  {line}" for line in text.splitlines())
    return f"example:\n{lines}"


def nest(parser: argparse.ArgumentParser) -> Commands:
    """The place for a parser's commands, one of which must be given."""
    return parser.add_subparsers(metavar="COMMAND", required=True, parser_class=Parser)


def group(commands: Commands, name: str, help_text: str) -> Commands:
    """A word before others, such as `disk`."""
    parser = commands.add_parser(
        name, help=help_text, description=_sentence(help_text), allow_abbrev=False
    )
    return nest(parser)


def leaf(
    commands: Commands,
    name: str,
    help_text: str,
    example_text: str,
    run: Callable[[argparse.Namespace], int],
    *,
    has_json: bool = False,
) -> argparse.ArgumentParser:
    """A command: `run` gets the arguments and gives the exit status."""
    parser = commands.add_parser(
        name,
        help=help_text,
        description=_sentence(help_text),
        epilog=example(example_text),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.set_defaults(run=run)
    parser.add_argument(
        "--home",
        type=Path,
        default=argparse.SUPPRESS,
        metavar="DIR",
        help="where state and keys live",
    )
    if has_json:
        parser.add_argument("--json", action="store_true", help="print facts as one JSON object")
    return parser


def disk_leaf(
    commands: Commands,
    name: str,
    help_text: str,
    example_text: str,
    run: Callable[[argparse.Namespace], int],
) -> argparse.ArgumentParser:
    """A command about the disk at PATH."""
    parser = leaf(commands, name, help_text, example_text, run, has_json=True)
    parser.add_argument("path", type=Path, metavar="PATH")
    return parser


def emit(args: argparse.Namespace, facts: Mapping[str, object], text: str) -> None:
    """Print `facts` with --json, else `text`."""
    print(json.dumps(facts, ensure_ascii=False) if args.json else text)


def note(text: str) -> None:
    """A remark beside the result, on stderr."""
    print(f"vonggac: {text}", file=sys.stderr)


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Columns for a terminal."""
    columns = list(zip(head, *rows, strict=True))
    widths = [max(len(cell) for cell in column) for column in columns]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in (head, *rows)
    ]
    return "\n".join(lines)


def camera_of(home: Path, code: str) -> Camera:
    """A camera of the catalog; Refused when there is none of that code."""
    with Catalog(home, is_readonly=True) as catalog:
        camera = catalog.camera(code)
    if camera is None:
        raise Refused(f"there is no camera {code} (vonggac camera list)")
    return camera


def note_event(home: Path, action: str, target: str) -> None:
    """Write an act that shows no picture into the chain, if `audit run` is there to write it."""
    event = AuditAppend(action=action, object=target, purpose=None, result="done")
    try:
        audit_client.append(home, event, _NOTE_DEADLINE_S)
    except (Unavailable, StorageError, Refused):
        note(f"`audit run` is not writing, so this {action} does not stand in the audit chain")


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}."
