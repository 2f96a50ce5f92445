"""Which processes of the box run, as the kernel tells it: who listens, how big, since when.

A process of another user may be hidden here; then only its number is known.
"""

from __future__ import annotations

import os
import socket
import time
from dataclasses import dataclass
from pathlib import Path

from vonggac.errors import Unavailable
from vonggac_appliance import bus_control, sockets
from vonggac_appliance.clock import wall_ns

__all__ = ["Process", "listener_pid", "look_at", "recorder_pid"]

_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
_TICKS_PER_S = os.sysconf("SC_CLK_TCK")
_CONNECT_S = 1.0


@dataclass(frozen=True, slots=True)
class Process:
    """One process; `memory_bytes` and `since_ns` are None where /proc hides it."""

    role: str
    """record, loop, keeper, audit or serve."""
    number: int
    """Among those of its role, from 0."""
    pid: int
    memory_bytes: int | None = None
    """Resident, memory shared with others included."""
    since_ns: int | None = None


def look_at(role: str, number: int, pid: int) -> Process:
    """What /proc says of a process."""
    folder = Path(f"/proc/{pid}")
    try:
        pages = int((folder / "statm").read_text().split()[1])
        # The name may hold anything; the 22nd field counts from the closing bracket (proc(5)).
        started_ticks = int((folder / "stat").read_text().rpartition(")")[2].split()[19])
    except (OSError, IndexError, ValueError):
        return Process(role, number, pid)
    age_s = time.clock_gettime(time.CLOCK_BOOTTIME) - started_ticks / _TICKS_PER_S
    since_ns = wall_ns() - int(age_s * 1e9)
    return Process(role, number, pid, pages * _PAGE_BYTES, since_ns)


def recorder_pid(home: Path) -> int:
    """Of the process that listens on the control socket. Raises Unavailable."""
    return listener_pid(bus_control.control_endpoint(home), socket.SOCK_STREAM)


def listener_pid(path: Path, kind: socket.SocketKind) -> int:
    """Who listens at `path`; nothing is said to it. Raises Unavailable."""
    try:
        with socket.socket(socket.AF_UNIX, kind) as probe, sockets.reachable(path) as name:
            probe.settimeout(_CONNECT_S)
            probe.connect(name)
            return sockets.peer_of(probe).pid
    except OSError as error:
        raise Unavailable(f"nobody listens on {path}") from error
