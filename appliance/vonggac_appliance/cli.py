"""`vonggac`: the command line. Each command lies in a `cli_*` module; this one joins them.

Exit: 0 well, 1 failed, 2 wrong usage, 78 wrong configuration (EX_CONFIG).
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from vonggac.errors import ConfigError, Refused, StorageError, VonggacError
from vonggac_appliance import (
    cli_alarm,
    cli_audit,
    cli_backup,
    cli_camera,
    cli_clock,
    cli_disk,
    cli_doctor,
    cli_footage,
    cli_lock,
    cli_person,
    cli_push,
    cli_retention,
    cli_run,
    cli_serve,
    cli_setup,
)
from vonggac_appliance.cli_common import HOME_DEFAULT, Parser, UsageError, example, nest
from vonggac_appliance.clock import TimeFormatError

__all__ = ["main", "parser"]

EXIT_FAILED = 1
EXIT_USAGE = 2
EXIT_CONFIG = 78


def parser() -> argparse.ArgumentParser:
    """The whole command line; docs/ref/commands.md is checked against it."""
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
    daily = (
        cli_setup,
        cli_person,
        cli_disk,
        cli_camera,
        cli_footage,
        cli_lock,
        cli_retention,
        cli_alarm,
        cli_audit,
        cli_backup,
        cli_clock,
        cli_doctor,
    )
    for module in (cli_run, cli_serve, cli_push, *daily):
        module.add(commands)
    return top


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; every foreseen error is one sentence on stderr."""
    args = parser().parse_args(argv)
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


def _tell(error: VonggacError, code: int) -> int:
    print(f"vonggac: {error}", file=sys.stderr)
    return code
