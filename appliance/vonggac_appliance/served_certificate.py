"""The certificate that a listener shows: its files are taken anew when they change.

Who is connected keeps his connection; who comes from then on is shown the new one. What cannot be
used (a key that is not written yet) leaves the one before in force.
"""

from __future__ import annotations

import logging
import ssl
from collections.abc import Callable
from pathlib import Path

from vonggac.errors import ConfigError
from vonggac_appliance.tls_listener import certificate_end_ns, tls_of

__all__ = ["ServedCertificate"]

_log = logging.getLogger("vonggac.serve")

_Files = tuple[tuple[int, int, int] | None, ...]
"""Of each file: inode, size, ns of its last change, of owner and mode too; None: not there."""


class ServedCertificate:
    """Of one section of the configuration. Used from one thread but for `context`."""

    def __init__(
        self,
        home: Path,
        section: str,
        certificate: str,
        key: str,
        prepare: Callable[[ssl.SSLContext], None] = lambda _: None,
    ) -> None:
        """Reads both. Raises ConfigError. `prepare`: what else a context needs."""
        self._home = home
        self._section = section
        self._certificate = certificate
        self._key = key
        self._prepare = prepare
        self._paths = (home / certificate, home / key) if certificate or key else ()
        self._loaded = self._seen = self._files()
        self.context: ssl.SSLContext | None = None
        """For the next connection; None: no TLS is configured."""
        self.names: frozenset[str] = frozenset()
        self.ends_ns = 0
        """Wall time of the end of what is shown; 0: without TLS there is none."""
        self._load()

    def turn(self) -> bool:
        """Once a second; gives whether there is another one from now on."""
        files = self._files()
        is_quiet, self._seen = files == self._seen, files
        if not is_quiet or files == self._loaded:
            return False  # as it was, or somebody is writing
        self._loaded = files
        try:
            self._load()
        except ConfigError as error:
            _log.error("the certificate before stays in force: %s", error)
            return False
        _log.info("another certificate is shown from now on")
        return True

    def _load(self) -> None:
        context, names = tls_of(self._home, self._section, self._certificate, self._key)
        if context is not None:
            self._prepare(context)
            self.ends_ns = certificate_end_ns(self._home / self._certificate)
        self.context, self.names = context, names

    def _files(self) -> _Files:
        return tuple(_signature(path) for path in self._paths)


def _signature(path: Path) -> tuple[int, int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_ctime_ns
