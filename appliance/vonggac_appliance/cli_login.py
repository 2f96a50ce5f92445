"""Name and password of a person, for what the terminal alone may not decide."""

from __future__ import annotations

import getpass
import sys

from vonggac.errors import ConfigError
from vonggac_appliance.cli_common import UsageError
from vonggac_appliance.secrets import parse_credentials

__all__ = ["typed_login"]


def typed_login(file: str | None) -> tuple[str, str]:
    """Of `file` (`-` is stdin), else typed here. Raises UsageError."""
    if file is None:
        if not sys.stdin.isatty():
            raise UsageError("name and password are typed on a terminal, or --credentials-file")
        return input("name: "), getpass.getpass("password (not shown): ")
    try:
        found = parse_credentials(_read(file))
    except OSError as error:
        raise UsageError(
            f"the file of --credentials-file cannot be read: {error.strerror}"
        ) from error
    except (UnicodeDecodeError, ConfigError) as error:
        raise UsageError("the file of --credentials-file holds no `name:password`") from error
    return found.user, found.password


def _read(file: str) -> str:
    if file == "-":
        return sys.stdin.read(4096)
    with open(file, encoding="utf-8") as opened:
        return opened.read(4096)
