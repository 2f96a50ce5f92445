"""Telling systemd how a service is doing: READY, WATCHDOG, RELOADING, STOPPING.

The protocol is a datagram of `NAME=value` lines to the socket named by NOTIFY_SOCKET
(sd_notify(3)). When to say READY, and what has to be well before the watchdog is fed, is for the
caller to decide.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass

__all__ = ["Notifier"]


@dataclass(frozen=True, slots=True)
class Notifier:
    """Where to tell it, and how often the watchdog wants to hear."""

    address: str | None
    """The socket's path, or `@name` in the abstract namespace; None when nobody asked."""
    watchdog_interval_s: float | None
    """Half of what systemd allows between two signs of life; None without a watchdog."""

    @classmethod
    def from_environment(cls, environment: Mapping[str, str], pid: int | None = None) -> Notifier:
        """What systemd left in the environment for this process (`pid`: os.getpid())."""
        address = environment.get("NOTIFY_SOCKET") or None
        if address is not None and not address.startswith(("/", "@")):
            address = None  # vsock and others: not for a service of this machine
        return cls(address, _interval_s(environment, os.getpid() if pid is None else pid))

    def ready(self, status: str = "") -> bool:
        """The service does its work from now on, also after a reload. True when it was told."""
        return self._send("READY=1", _status(status))

    def status(self, text: str) -> bool:
        """One line that `systemctl status` shows. True when it was told."""
        return self._send(_status(text))

    def watchdog(self) -> bool:
        """A sign of life. True when it was told."""
        return self._send("WATCHDOG=1")

    def reloading(self) -> bool:
        """The configuration is read again; `ready` ends it. True when it was told."""
        # With this stamp systemd knows the reload for the one it asked for (Type=notify-reload).
        now_us = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
        return self._send("RELOADING=1", f"MONOTONIC_USEC={now_us}")

    def stopping(self, status: str = "") -> bool:
        """The service is on its way out. True when it was told."""
        return self._send("STOPPING=1", _status(status))

    def _send(self, *lines: str) -> bool:
        """False when nobody listens: a service must not fail because its supervisor is busy."""
        if self.address is None:
            return False
        name = "\0" + self.address[1:] if self.address.startswith("@") else self.address
        message = "\n".join(line for line in lines if line).encode()
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sender:
            sender.setblocking(False)
            try:
                sender.sendto(message, name)
            except OSError:
                return False
        return True


def _status(text: str) -> str:
    return f"STATUS={' '.join(text.split())}" if text else ""


def _interval_s(environment: Mapping[str, str], pid: int) -> float | None:
    limit_us = environment.get("WATCHDOG_USEC", "")
    wanted_pid = environment.get("WATCHDOG_PID", "")
    if not (limit_us.isascii() and limit_us.isdigit()) or int(limit_us) == 0:
        return None
    if wanted_pid and wanted_pid != str(pid):
        return None  # meant for another process of this unit
    return int(limit_us) / 2_000_000
