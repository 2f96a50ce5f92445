"""The scrub: a keeper's chore that reads all footage once a fortnight and tells of every wrong bit.

One thread reads at idle I/O priority and at the rate a fortnight needs; the main thread hands it a
segment at a time and judges what it saw, for only there the index may be touched.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from msgspec import structs

from vonggac.store import scrub
from vonggac.store.disk import Disk
from vonggac.store.look import Job, Seen, look
from vonggac_appliance.keep_aside import Pace, Stopped, wait_for_others
from vonggac_appliance.keep_chores import Desk, Obey
from vonggac_appliance.messages import Kind
from vonggac_appliance.messages_keeper import Rot, Scrubbed

__all__ = ["KeepScrub"]

_QUEUED_MAX = 8
"""Segments on their way to the reader: a second's worth of the fastest."""
_PLACES_MAX = 3
"""Told one by one of a segment: a disk that dies would have a person read thousands."""
_ROTS_MAX = 32
"""Told with one message; more of a dying disk are counted."""


@dataclass(slots=True)
class _Reader:
    """The thread. A disk that hangs hangs it, and nobody waits for it."""

    disk: Disk
    rate_bytes: int
    stop: threading.Event = field(default_factory=threading.Event)
    jobs: queue.SimpleQueue[Job | None] = field(default_factory=queue.SimpleQueue)
    done: queue.SimpleQueue[Seen] = field(default_factory=queue.SimpleQueue)

    def run(self) -> None:
        wait_for_others()
        pace = Pace(self.rate_bytes, self.stop)
        while (job := self.jobs.get()) is not None:
            try:
                self.done.put(look(self.disk, job, pace.take))
            except Stopped:
                return


class KeepScrub:
    """Chore of one keeper."""

    def __init__(self, desk: Desk, rate_bytes: int | None = None) -> None:
        """`rate_bytes`: a second; None: what reads this disk within a fortnight."""
        self._desk = desk
        self._ring = desk.ring
        identity = desk.ring.disk.identity
        self._segments = identity.segments
        capacity_bytes = identity.segments * identity.segment_bytes
        rate = scrub.rate_bytes(capacity_bytes) if rate_bytes is None else rate_bytes
        self._reader = _Reader(desk.ring.disk, rate)
        self.thread: threading.Thread | None = None
        self._round: scrub.Round | None = None
        self._ahead: scrub.Round | None = None
        """Where the next job is looked for; `_round` follows as jobs come back."""
        self._out = 0
        self._read_bytes = 0
        self._faults = 0
        self._told: tuple[int, int, int] | None = None

    @property
    def obeys(self) -> Mapping[Kind, Obey]:
        return {}

    def turn(self, now_s: float) -> None:
        """Takes what was read, hands out what is next."""
        if self._ring.is_index_lost:
            return  # a rebuild does not know all rows yet
        self._collect()
        self._hand_out()
        self._tell([])

    def close(self) -> None:
        """Does not wait: a disk that hangs must not keep the keeper from ending."""
        self._reader.stop.set()
        self._reader.jobs.put(None)

    def _collect(self) -> None:
        rots: list[Rot] = []
        while not self._reader.done.empty():
            seen = self._reader.done.get()
            self._out -= 1
            self._read_bytes += seen.bytes_read
            assert self._round is not None
            self._round = scrub.Round(self._round.began_ns, seen.job.number + 1)
            self._round.write(self._ring.archive.index)
            faults = scrub.judge(self._ring.archive, seen)
            for fault in faults:
                scrub.mark(self._ring.archive, fault)
            self._faults += len(faults)
            rots += _rots_of(faults)
        if rots:
            self._tell(rots)

    def _hand_out(self) -> None:
        now_ns = time.time_ns()
        index = self._ring.archive.index
        if self._round is None:
            self._round = self._ahead = scrub.Round.read(index, now_ns)
        if self._out == 0 and (new := self._round.following(self._segments, now_ns)) is not None:
            self._round = self._ahead = new
            new.write(index)
        assert self._ahead is not None
        while self._out < _QUEUED_MAX and not self._ahead.is_over(self._segments):
            self._ahead, job = scrub.next_job(self._ring.archive, self._ahead, self._segments)
            if job is None:
                break
            self._start()
            self._reader.jobs.put(job)
            self._out += 1
        if self._out == 0 and self._round != self._ahead:
            self._round = self._ahead
            self._round.write(index)

    def _start(self) -> None:
        if self.thread is None:
            # A daemon: where the disk hangs the process must be able to end.
            self.thread = threading.Thread(target=self._reader.run, name="scrub", daemon=True)
            self.thread.start()

    def _tell(self, rots: list[Rot]) -> None:
        assert self._round is not None
        now = (self._read_bytes, self._faults, self._round.next_segment)
        if now == self._told and not rots:
            return
        self._told = now
        self._desk.say(
            Kind.SCRUBBED,
            Scrubbed(
                disk=self._ring.disk.identity.disk,
                read_bytes=self._read_bytes,
                faults=self._faults,
                began_ns=self._round.began_ns,
                next_segment=self._round.next_segment,
                segments=self._segments,
                found=rots[:_ROTS_MAX],
            ),
        )


def _rots_of(faults: list[scrub.Fault]) -> list[Rot]:
    """What is told of one segment: each place, or where there are many all of them as one."""
    rots: list[Rot] = []
    for fault in faults:
        (from_ns, to_ns), row = fault.span_ns, fault.job.row
        place = (fault.job.number, fault.offset)
        rots.append(Rot(row.camera, row.stream, from_ns, to_ns, *place, fault.what))
    if len(rots) <= _PLACES_MAX:
        return rots
    whole = structs.replace(
        rots[0],
        from_ns=min(rot.from_ns for rot in rots),
        to_ns=max(rot.to_ns for rot in rots),
        what=f"{len(rots)} places, the first: {rots[0].what}",
    )
    return [whole]
