"""Where a stream's footage is: each disk, asked through its keeper or read while none runs."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from vonggac.errors import Unavailable, VonggacError
from vonggac.media.chunk import PackedRow
from vonggac.store.index_values import RunRow
from vonggac.store.locks import LockSet
from vonggac.store.start import Reading, open_for_reading
from vonggac.store.timeline import Tail, explain
from vonggac_appliance import control
from vonggac_appliance.index_client import IndexClient, run_row
from vonggac_appliance.messages_footage import Disk

__all__ = ["DEADLINE_S", "Answer", "OfflineDisk", "OnlineDisk", "Source", "open_source"]

DEADLINE_S = 10.0
"""A keeper that is recovering holds the lock and does not answer yet."""
_STATUS_S = 2.0
_BUSY = ("starting", "recording", "slow", "full", "down")
"""What the recorder calls a disk that its keeper has, or will have soon."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What one disk knows of a stream."""

    packed: list[bytes]
    runs: list[RunRow]
    tail: Tail
    is_whole: bool = True
    """Or its index is being made again, and may know more later."""


class Source(Protocol):
    """One disk."""

    def ask(self, stream: bytes, from_ns: int, to_ns: int) -> Answer: ...
    def facts(self) -> Disk: ...
    def open(self, stream: bytes, row: PackedRow, receipt: bytes) -> int: ...
    def check(self, fd: int) -> None: ...
    def close(self) -> None: ...


class OnlineDisk:
    """Through its keeper."""

    def __init__(self, client: IndexClient) -> None:
        self._client = client
        self._leases: dict[int, int] = {}

    def ask(self, stream: bytes, from_ns: int, to_ns: int) -> Answer:
        told = self._client.rows(stream, from_ns, to_ns)
        runs, gap = self._client.runs(stream, from_ns, to_ns)
        tail = Tail(told.durable_until_ns, time.time_ns(), gap, is_keeper_running=True)
        return Answer(told.packed, [run_row(run) for run in runs], tail, told.is_whole)

    def facts(self) -> Disk:
        return self._client.disk()

    def open(self, stream: bytes, row: PackedRow, receipt: bytes) -> int:
        fd, self._leases[fd] = self._client.lease(stream, row.segment, row.epoch, receipt)
        return fd

    def check(self, fd: int) -> None:
        """After a piece was read and before it is used: the segment still lives that life."""
        self._client.renew(self._leases[fd])

    def close(self) -> None:
        self._client.close()


class OfflineDisk:
    """By itself, read-only, while no keeper runs."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading

    def ask(self, stream: bytes, from_ns: int, to_ns: int) -> Answer:
        archive = self._reading.archive
        packed = list(archive.packed_minutes(stream, from_ns, to_ns))
        runs = explain(archive.runs(stream, 0, to_ns), archive.sessions())
        row = archive.stream(stream)
        gap = self._reading.found.gaps.get(stream)
        tail = Tail(
            None if row is None else row.wall_end_ns,
            time.time_ns(),
            None if gap is None else (gap.start_ns, gap.reason),
        )
        return Answer(packed, [run for run in runs if run.wall_end_ns > from_ns], tail)

    def facts(self) -> Disk:
        identity = self._reading.disk.identity
        rows = [row for _, row in self._reading.archive.segments() if row.chunks]
        locks = LockSet.of(self._reading.snapshot.locks)
        held = [locks.is_locked(r.stream, r.wall_start_ns, r.wall_end_ns) for r in rows]
        return Disk(
            disk=identity.disk,
            path=str(self._reading.disk.path),
            state="stopped",
            segments=identity.segments,
            segment_bytes=identity.segment_bytes,
            used_bytes=len(rows) * identity.segment_bytes,
            oldest_ns=min((row.wall_start_ns for row in rows), default=None),
            tick_ms=0.0,
            loss_bound_ms=0.0,
            pinned_segments=sum(held),
        )

    def open(self, stream: bytes, row: PackedRow, receipt: bytes) -> int:
        return self._reading.disk.open_segment(row.segment, writable=False)

    def check(self, fd: int) -> None:
        """The lock that this process holds keeps every recorder out."""

    def close(self) -> None:
        self._reading.close()


def open_source(home: Path, path: Path, disk: bytes, deadline_s: float = DEADLINE_S) -> Source:
    """The keeper of a disk where one answers, else the disk. Unavailable after the deadline."""
    until_s = time.monotonic() + deadline_s
    while True:
        try:
            return OnlineDisk(IndexClient(home, disk))
        except Unavailable:
            pass  # no keeper, or not yet
        try:
            state = _state(home, disk)
            if state == "hung":
                until_s = 0.0  # whoever touches it hangs as well
            if state in (*_BUSY, "hung"):
                raise Unavailable(f"the keeper of {path} does not answer: {state}")
            return OfflineDisk(open_for_reading(path))
        except Unavailable:
            if time.monotonic() >= until_s:
                raise
        except OSError as error:
            raise Unavailable(f"{path} cannot be read: {error}") from error
        time.sleep(0.1)  # a keeper that starts has the lock before it has its socket


def _state(home: Path, disk: bytes) -> str:
    """What the recorder says of a disk; empty where none runs."""
    try:
        known = control.status(home, _STATUS_S).disks
    except VonggacError:
        return ""
    return next((d.state for d in known if d.disk == disk.hex()), "")
