"""A listener with a certificate, for browsers and for cameras that call. Nothing unsafe passes."""

from __future__ import annotations

import ipaddress
import logging
import os
import socket
import ssl
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509

from vonggac.errors import ConfigError, Unavailable
from vonggac_appliance import config

__all__ = ["address_of", "certificate_end_ns", "listen", "tls_of"]

_log = logging.getLogger("vonggac.serve")

_BACKLOG = 512
_DEAD_MS = 30_000
"""A peer that acknowledges nothing for that long is gone; its thread is needed."""
_PROBE_AFTER_S, _PROBE_EVERY_S, _PROBES = 10, 5, 3
_SOON = timedelta(days=14)
_NEVER_S = 1 << 33
"""In 2242. "No end" is written 9999 (RFC 5280 4.1.2.5), which no u64 of ns can say."""


def address_of(
    home: Path, section: str, text: str
) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    """Where to listen. Raises ConfigError for what is no address."""
    try:
        return ipaddress.ip_address(text)
    except ValueError as error:
        raise ConfigError(
            f"{config.where(home, section, 'address')}: {text!r} is no IP address; "
            'write one of this box such as "192.168.1.10", or "0.0.0.0" for all of them'
        ) from error


def tls_of(
    home: Path, section: str, certificate: str, key: str
) -> tuple[ssl.SSLContext | None, frozenset[str]]:
    """The context, and the names that the certificate is for; None where neither is set.

    Raises ConfigError for what a person has to change.
    """
    if not certificate and not key:
        return None, frozenset()
    for name, value, other in (("certificate", certificate, "key"), ("key", key, "certificate")):
        if not value:
            raise ConfigError(
                f"{config.where(home, section, other)}: {other} is set and {name} is not; TLS "
                "needs both"
            )
    chain, secret = home / certificate, home / key
    at_chain = config.where(home, section, "certificate")
    at_key = config.where(home, section, "key")
    names = _names_of(chain, at_chain)
    _check_key(secret, at_key)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_RENEGOTIATION  # a handshake costs us ten times what it costs him
    try:
        # An empty password: an encrypted key is an error here, never a question at a terminal.
        context.load_cert_chain(chain, secret, password="")
    except (ssl.SSLError, OSError, ValueError) as error:
        raise ConfigError(
            f"{at_key}: {secret} is no unencrypted PEM key of the certificate in {chain}"
        ) from error
    return context, names


def certificate_end_ns(path: Path) -> int:
    """Wall time of the first end in a chain in PEM, that of an authority's certificate too; of
    what ends after 2242, then.

    Raises ConfigError.
    """
    try:
        chain = x509.load_pem_x509_certificates(path.read_bytes())
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path} holds no certificate in PEM") from error
    ends_s = (round(one.not_valid_after_utc.timestamp()) for one in chain)
    return min(_NEVER_S, *ends_s) * 1_000_000_000


def _names_of(path: Path, where: str) -> frozenset[str]:
    try:
        certificate = x509.load_pem_x509_certificates(path.read_bytes())[0]
    except OSError as error:
        raise ConfigError(f"{where}: {path} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise ConfigError(f"{where}: {path} holds no certificate in PEM") from error
    try:
        held = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound as error:
        raise ConfigError(
            f"{where}: {path} names no host; make one with a subject alternative name for each "
            "name and address that browsers use"
        ) from error
    except (ValueError, x509.DuplicateExtension, x509.UnsupportedGeneralNameType) as error:
        raise ConfigError(f"{where}: the extensions of {path} cannot be read: {error}") from error
    _tell_about_its_end(certificate.not_valid_after_utc, path)
    names = [name.lower() for name in held.get_values_for_type(x509.DNSName)]
    return frozenset([*names, *(str(a) for a in held.get_values_for_type(x509.IPAddress))])


def _tell_about_its_end(end: datetime, path: Path) -> None:
    # Served all the same: a page with a warning is better at night than none.
    now = datetime.now(UTC)
    if end <= now:
        _log.error("the certificate %s ended on %s: browsers refuse it", path, f"{end:%Y-%m-%d}")
    elif end - now < _SOON:
        _log.warning("the certificate %s ends on %s", path, f"{end:%Y-%m-%d}")


def _check_key(path: Path, where: str) -> None:
    try:
        mode = path.stat().st_mode
        path.open("rb").close()
    except OSError as error:
        raise ConfigError(f"{where}: {path} cannot be read: {error.strerror}") from error
    if mode & stat.S_IRWXO:
        raise ConfigError(f"{where}: {path} is open to everybody: chmod o= {path}")


def listen(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address, port: int, who: str
) -> socket.socket:
    """An open listener, for a server that errors call `who`. Raises Unavailable."""
    family = socket.AF_INET6 if address.version == 6 else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        # What is accepted inherits these.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for option, value in (
            (socket.TCP_NODELAY, 1),
            (socket.TCP_KEEPIDLE, _PROBE_AFTER_S),
            (socket.TCP_KEEPINTVL, _PROBE_EVERY_S),
            (socket.TCP_KEEPCNT, _PROBES),
            (socket.TCP_USER_TIMEOUT, _DEAD_MS),
        ):
            listener.setsockopt(socket.IPPROTO_TCP, option, value)
        listener.bind((str(address), port))
        listener.listen(_BACKLOG)
    except OSError as error:
        listener.close()
        raise Unavailable(
            f"{who} cannot listen on {address} port {port}: {os.strerror(error.errno or 0)}"
        ) from error
    return listener
