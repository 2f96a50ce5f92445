"""The page's certificate: taken anew when its files change, and its end told to the recorder."""

from __future__ import annotations

import time
from pathlib import Path

import zmq

from vonggac.errors import Unavailable
from vonggac_appliance import bus_control, control
from vonggac_appliance.served_certificate import ServedCertificate

__all__ = ["PageCertificate"]

_EVERY_S = 600.0
"""A recorder that was started anew knows it then."""
_AWAY_S = 60.0
_DEADLINE_S = 0.5


class PageCertificate:
    """In the thread of the page that turns once a second."""

    def __init__(self, home: Path, certificate: ServedCertificate) -> None:
        self._home = home
        self._certificate = certificate
        self._due_s = time.monotonic()

    def turn(self) -> None:
        """Takes a new one; tells the recorder now and then, which raises the alarm."""
        if self._certificate.turn():
            self._due_s = time.monotonic()
        if not self._certificate.ends_ns or time.monotonic() < self._due_s:
            return
        seen = bus_control.CertificateSeen("serve", self._certificate.ends_ns)
        try:
            control.ask(self._home, seen, _DEADLINE_S)
        except (Unavailable, zmq.ZMQError, OSError):
            self._due_s = time.monotonic() + _AWAY_S
        else:
            self._due_s = time.monotonic() + _EVERY_S
