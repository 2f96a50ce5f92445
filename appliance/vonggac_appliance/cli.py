"""`vonggac`: the command line. Each command lies in a `cli_*` module; this one joins them.

A process imports the module of its own command alone: all of them cost each process of the box a
second of a slow core, and memory.

Exit: 0 well, 1 failed, 2 wrong usage, 78 wrong configuration (EX_CONFIG).
"""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from vonggac.errors import ConfigError, Refused, StorageError, VonggacError
from vonggac_appliance.cli_common import HOME_DEFAULT, Parser, UsageError, example, nest
from vonggac_appliance.clock import TimeFormatError

__all__ = ["main", "parser"]

EXIT_FAILED = 1
EXIT_USAGE = 2
EXIT_CONFIG = 78

MODULES = {
    "cli_run": ("run", "record", "demo"),
    "cli_serve": ("serve",),
    "cli_push": ("push",),
    "cli_setup": ("setup-code",),
    "cli_person": ("person",),
    "cli_disk": ("disk",),
    "cli_camera": ("camera",),
    "cli_footage": ("timeline", "cut"),
    "cli_lock": ("lock",),
    "cli_motion": ("motion",),
    "cli_hook": ("hooks", "hook"),
    "cli_mark": ("mark",),
    "cli_retention": ("retention",),
    "cli_alarm": ("alarm",),
    "cli_audit": ("audit",),
    "cli_backup": ("backup", "restore"),
    "cli_clock": ("clock",),
    "cli_doctor": ("doctor",),
}
"""What each module adds, in the order of the help."""


def parser(command: str | None = None) -> argparse.ArgumentParser:
    """The command line as far as `command` needs it; None, or one that there is not: the whole.

    docs/ref/commands.md is checked against the whole.
    """
    top = Parser(
        prog="vonggac",
        description="Vọng Gác: the video recorder of a ward police office.",
        epilog=example(
            "vonggac --home H disk format D --size 20G\n"
            "vonggac --home H camera add cam1 --url rtsp://192.168.1.20/main\n"
            "vonggac --home H record"
        ),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    top.add_argument(
        "--home",
        type=Path,
        metavar="DIR",
        help=f"where state and keys live ($VONGGAC_HOME, else {HOME_DEFAULT})",
    )
    commands = nest(top)
    own = [module for module, adds in MODULES.items() if command in adds]
    for module in own or MODULES:
        importlib.import_module(f"vonggac_appliance.{module}").add(commands)
    return top


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; every foreseen error is one sentence on stderr."""
    words = sys.argv[1:] if argv is None else argv
    args = parser(_command_of(words)).parse_args(words)
    args.named_home = args.home
    if args.home is None:
        args.home = Path(os.environ.get("VONGGAC_HOME") or HOME_DEFAULT)
    run: Callable[[argparse.Namespace], int] = args.run
    try:
        code = run(args)
        sys.stdout.flush()  # here, where a reader that went away is still foreseen
        return code
    except (UsageError, TimeFormatError) as error:
        return _tell(error, EXIT_USAGE)
    except ConfigError as error:
        return _tell(error, EXIT_CONFIG)
    except VonggacError as error:
        return _tell(error, EXIT_FAILED)
    except EOFError:  # Ctrl-D at a question; all are asked before anything is done
        return _tell(Refused("nothing was typed: nothing was changed"), EXIT_FAILED)
    except KeyboardInterrupt:
        return EXIT_FAILED
    except OSError as error:
        if not isinstance(error, BrokenPipeError):  # a file or a disk that says no
            what = error.strerror or str(error)
            named = "" if error.filename is None else f"{os.fsdecode(error.filename)}: "
            return _tell(StorageError(f"{named}{what}"), EXIT_FAILED)
        # Whoever read the output has gone; the interpreter's own flush must not complain again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_FAILED


def _command_of(words: Sequence[str]) -> str | None:
    """The word that says which command; None where there is none, or help is asked for first."""
    left = iter(words)
    for word in left:
        if word == "--home":
            next(left, None)
        elif not word.startswith("--home="):
            return None if word.startswith("-") else word
    return None


def _tell(error: VonggacError, code: int) -> int:
    print(f"vonggac: {error}", file=sys.stderr)
    return code
