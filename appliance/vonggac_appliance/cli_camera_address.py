"""What commands about cameras are given: addresses, and logins that stand in no argument."""

from __future__ import annotations

import contextlib
import getpass
import ipaddress
import re
import sys

from vonggac.errors import ConfigError, Refused
from vonggac.rtsp.url import CameraUrl, parse_camera_url
from vonggac_appliance import config
from vonggac_appliance.cli_common import UsageError

__all__ = ["parse_address", "read_login"]

_SECRET_IN_PATH = re.compile(r"(?i)(?:passwor[dt]|passwd|pass?|pswd?|psw|pwd)=[^&/?\s]")
"""XM cameras take their login as `/user=admin&password=x&channel=1`."""


def parse_address(text: str, cameras: config.CameraConfig) -> CameraUrl:
    """The address of a stream. Raises UsageError, or Refused outside of the camera networks."""
    try:
        url = parse_camera_url(text)
    except ConfigError as error:  # of an argument, not of the configuration
        raise UsageError(str(error)) from error
    if _SECRET_IN_PATH.search(url.request_uri):
        raise UsageError(
            "the address carries a password in its path or query, which would be kept readable; "
            "such cameras are not supported yet"
        )
    if "@" in url.request_uri:
        raise UsageError(
            "the address has an @ behind its host: if it belongs to the login, give that by "
            "--credentials-file, else write it as %40"
        )
    with contextlib.suppress(ValueError):  # a name: checked once it is resolved
        address = ipaddress.ip_address(url.host)
        if config.network_of(cameras, address) is None:
            raise Refused(
                f"{address} lies in none of the camera networks ([cameras] networks in config.toml)"
            )
    return url


def read_login(name: str) -> str:
    """The text of a credentials file; `-` is stdin, where a terminal does not show it."""
    try:
        if name == "-":
            if sys.stdin.isatty():
                return getpass.getpass("user:password (not shown): ")
            return sys.stdin.read(4096)
        with open(name, encoding="utf-8") as file:
            return file.read(4096)
    except OSError as error:
        # With a colon it may be the login itself, written where its file should stand.
        shown = "the file of --credentials-file" if ":" in name else name
        raise UsageError(f"{shown} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise UsageError("the credentials are no UTF-8 text") from error
