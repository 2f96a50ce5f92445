"""A disk that is gone for ever: whether it is, and what this box knows that it held."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from vonggac.errors import Refused
from vonggac.evidence import ledger as lists
from vonggac.evidence import lost
from vonggac.evidence.lost import Span
from vonggac.registry.camera import Camera
from vonggac.registry.catalog import DiskRow
from vonggac.registry.locks import Lock
from vonggac.registry.retention import Removed
from vonggac_appliance import audit_reading, bus_control, ledger
from vonggac_appliance.disk_probe import GONE, THERE
from vonggac_appliance.locking import streams_of

__all__ = ["Lost", "LostStream", "check_gone", "lost_with"]

_PROBE_S = 30.0
"""A disk that spins up, on a box that is busy."""
_HELD = ("recording", "slow", "full")
"""What the recorder calls a disk that its keeper has."""


@dataclass(frozen=True, slots=True)
class LostStream:
    """A stream of which footage was on the disk."""

    camera: str
    """What people call it; `unknown` where this box does not know it any more."""
    name: str
    """`main` or `sub`; of an unknown one its id in hex."""
    spans: list[Span]


@dataclass(frozen=True, slots=True)
class Lost:
    """What went with the disk, as far as the ledger knows."""

    streams: list[LostStream]
    locks: list[Lock]
    """Held ones that were on it, or of which nobody knows where they were."""


def check_gone(row: DiskRow, known: bus_control.DiskStatus | None) -> None:
    """Refused while the disk can be reached, or may be. `known`: what a running recorder says."""
    if known is not None and known.state in _HELD:
        raise Refused(f"{row.path} is there, and is {known.state}: vonggac disk drain, then retire")
    if known is not None and known.state == "hung":
        raise Refused(f"{row.path} hangs, so nobody knows: pull it or switch it off first")
    # In a process of its own: whoever touches a disk that hangs may never come back.
    # -P: not what lies in the folder that the command was typed in.
    words = [sys.executable, "-P", "-m", "vonggac_appliance.disk_probe", row.path, row.uuid.hex()]
    process = subprocess.Popen(words, stdin=subprocess.DEVNULL)  # noqa: S603
    try:
        status = process.wait(_PROBE_S)
    except subprocess.TimeoutExpired:
        process.kill()
        raise Refused(
            f"{row.path} does not answer at all: pull it or switch it off first"
        ) from None
    if status == THERE:
        raise Refused(
            f"{row.path} can be read, so it is not lost: vonggac disk drain, then retire; what no "
            "longer records is pulled first, after everything that matters was copied"
        )
    if status != GONE:
        raise Refused(f"{row.path} could not be looked at, so it stays")


def lost_with(
    home: Path, row: DiskRow, cameras: Sequence[Camera | Removed], locks: Sequence[Lock]
) -> Lost:
    """From the ledger: exact to a quarter of an hour. StorageError where it cannot be read."""
    recorded = audit_reading.lists_of(home)
    heads = list(ledger.heads_of(home, recorded))
    graves = (lists.parse(line) for line in ledger.tombstones_of(home, recorded))
    spans = lost.spans_on(row.uuid, heads, (grave for grave in graves if grave is not None))
    names = {stream: (c.code, name) for c in cameras for stream, name in streams_of(c)}
    placed = {head.stream for head in heads}
    streams = [
        LostStream(*names.get(stream, ("unknown", stream.hex())), found)
        for stream, found in spans.items()
    ]
    held = [
        lock
        for lock in locks
        if lock.is_held
        and any(
            s.id not in placed or lost.touches(spans.get(s.id, ()), s.from_ns, s.to_ns)
            for s in lock.streams
        )
    ]
    return Lost(sorted(streams, key=lambda s: (s.camera, s.name)), held)
