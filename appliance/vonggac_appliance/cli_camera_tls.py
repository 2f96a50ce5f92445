"""`vonggac camera add --tls-ca`: who vouches for a camera over TLS."""

from __future__ import annotations

import argparse
from pathlib import Path

from vonggac.errors import ConfigError
from vonggac_appliance.camera_tls import check_authority
from vonggac_appliance.cli_common import UsageError

__all__ = ["add_option", "authority"]

_BYTES_MAX = 64 * 1024


def add_option(parser: argparse.ArgumentParser) -> None:
    """Put the option into the parser of `camera add`."""
    parser.add_argument(
        "--tls-ca",
        metavar="FILE",
        help="of rtsps: certificates in PEM of who vouches for it; without, its first one counts",
    )


def authority(args: argparse.Namespace) -> str:
    """The certificates in PEM, empty without the option. Raises UsageError."""
    if args.tls_ca is None:
        return ""
    urls = [url for url in (args.url, args.sub_url) if url is not None]
    if not urls or not all(url.strip().lower().startswith("rtsps://") for url in urls):
        raise UsageError("--tls-ca is for addresses of rtsps://")
    try:
        text = Path(args.tls_ca).read_bytes()[:_BYTES_MAX].decode()
        check_authority(text)
    except OSError as error:
        raise UsageError(f"{args.tls_ca} cannot be read: {error.strerror}") from error
    except (UnicodeDecodeError, ConfigError) as error:
        what = f"{args.tls_ca} holds no certificate of an authority in PEM"
        raise UsageError(what) from error
    return text
