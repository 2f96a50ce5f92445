"""Where the page listens, under which names, with which certificate. Refuses what is not safe.

Without TLS only loopback: a password or a picture never crosses a network in the clear.
"""

from __future__ import annotations

import socket
import ssl
from dataclasses import dataclass
from pathlib import Path

from vonggac.errors import ConfigError
from vonggac_appliance import config
from vonggac_appliance.config import ServeConfig
from vonggac_appliance.served_certificate import ServedCertificate
from vonggac_appliance.services import LOOPBACK_NAMES, Front
from vonggac_appliance.tls_listener import address_of, listen

__all__ = ["Door", "open_door"]


@dataclass(frozen=True, slots=True)
class Door:
    """An open listener."""

    listener: socket.socket
    front: Front
    certificate: ServedCertificate
    url: str

    @property
    def context(self) -> ssl.SSLContext | None:
        """For the next connection; None: no TLS."""
        return self.certificate.context


def open_door(home: Path, settings: ServeConfig, port: int | None = None) -> Door:
    """Checks everything, then listens. `port` comes before the configured one; 0 takes any.

    Raises ConfigError for what a person has to change, Unavailable when the port is taken.
    """
    address = address_of(home, "serve", settings.address)
    certificate = ServedCertificate(home, "serve", settings.certificate, settings.key)
    is_tls = certificate.context is not None
    if not is_tls and not address.is_loopback:
        raise ConfigError(
            f"{config.where(home, 'serve', 'address')}: without TLS the page is served on loopback "
            f"alone, not on {address}: set certificate and key in [serve], or address = "
            '"127.0.0.1" (an SSH tunnel reaches that)'
        )
    listener = listen(address, settings.port if port is None else port, "the page")
    front = Front(is_tls, LOOPBACK_NAMES | certificate.names)
    return Door(listener, front, certificate, _url(listener, front))


def _url(listener: socket.socket, front: Front) -> str:
    host, port = listener.getsockname()[:2]
    shown = f"[{host}]" if ":" in host else host
    return f"{'https' if front.is_tls else 'http'}://{shown}:{port}/"
