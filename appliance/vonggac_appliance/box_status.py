"""How the box is: disks, clock, processes, the audit chain; found out by a thread of its own.

A keeper or a chain that hangs keeps that thread waiting and no request: what was known before is
given, and who did not answer says so.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from vonggac.errors import VonggacError
from vonggac.registry.catalog import Catalog, DiskRow
from vonggac.store.forecast import forecast
from vonggac_appliance import audit_client, box_metrics, bus_control, chrony
from vonggac_appliance.admission import asked
from vonggac_appliance.box_counters import PageCounters
from vonggac_appliance.box_facts import BoxFacts, ChainFacts, ClockFacts, DiskFacts, PromiseFacts
from vonggac_appliance.bus_events import HookCounts
from vonggac_appliance.clock import Clock, is_synchronised, wall_ns
from vonggac_appliance.index_client import IndexClient
from vonggac_appliance.messages_footage import Disk
from vonggac_appliance.messages_motion import MotionStatusReply
from vonggac_appliance.motion_client import MotionClient
from vonggac_appliance.processes import Process, look_at, recorder_pid
from vonggac_appliance.recorder_watch import RecorderWatch, Seen
from vonggac_appliance.while_asked import WhileAsked

__all__ = ["BoxStatus"]

_EVERY_S = 5.0
_FRESH_S = 12.0
_ANSWER_S = 1.0
_CLOCK_EVERY_S = 30.0


class BoxStatus:
    """Nothing is started before the first question; it goes on for half a minute after the last."""

    def __init__(
        self,
        home: Path,
        catalog: Catalog,
        watch: RecorderWatch,
        clock: Clock = wall_ns,
        hooks: Callable[[], tuple[HookCounts, bool] | None] = lambda: None,
    ) -> None:
        """`hooks`: what `hooks run` has said."""
        self._hooks = hooks
        self._home = home
        self._catalog = catalog
        self._watch = watch
        self._clock = clock
        self._facts = BoxFacts(0)
        self._found_s = float("-inf")
        self._clock_s = float("-inf")
        self._asked = WhileAsked("box-status", _EVERY_S, self._look)
        self._changed = self._asked.changed

    def close(self) -> None:
        """Ends the thread."""
        self._asked.close()

    def recorder(self, deadline_s: float = 1.0) -> Seen:
        """What the recorder says, or that it does not."""
        return self._watch.now(deadline_s)

    def facts(self, deadline_s: float = 1.5) -> BoxFacts:
        """What is known; waits at most `deadline_s` where nothing fresh is."""
        with self._changed:
            self._asked.want()
            self._changed.wait_for(self._is_fresh, deadline_s)
            return self._facts

    def missing(self, deadline_s: float = 2.5) -> tuple[str, ...]:
        """Which of `recorder` and `audit` do not do their work."""
        until_s = time.monotonic() + deadline_s
        is_recorder = self.recorder(deadline_s).is_answering
        chain = self.facts(max(0.0, until_s - time.monotonic())).chain
        with self._changed:
            is_chain = chain.is_open and self._is_fresh()
        found = (("recorder", is_recorder), ("audit", is_chain))
        return tuple(name for name, is_there in found if not is_there)

    def metrics(self, page: PageCounters, live_viewers: int) -> str:
        """Everything that is measured, in Prometheus' text format."""
        seen, facts = self.recorder(), self.facts()
        counters = self._watch.counters
        samples = box_metrics.box_metrics(seen, facts, counters, page, live_viewers)
        return box_metrics.text_of(samples)

    def _is_fresh(self) -> bool:
        return time.monotonic() - self._found_s <= _FRESH_S

    def _look(self) -> None:
        facts = self._find()
        with self._changed:
            self._facts = facts
            self._found_s = time.monotonic()
            self._changed.notify_all()

    def _find(self) -> BoxFacts:
        disks, keepers = self._find_disks()
        chain, audit_pid = self._find_chain()
        return BoxFacts(
            at_ns=self._clock(),
            disks=disks,
            clock=self._find_clock(),
            processes=self._find_processes(keepers, audit_pid),
            chain=chain,
            motion=self._find_motion(),
            hooks=self._hooks(),
        )

    def _find_disks(self) -> tuple[tuple[DiskFacts, ...], list[int]]:
        found, pids = [], []
        try:
            rows = self._catalog.disks()
        except VonggacError:
            return self._facts.disks, []
        promises = {disk.uuid: _promises(disk) for disk in asked(self._home)}
        for row in rows:
            try:
                with IndexClient(self._home, row.uuid, _ANSWER_S) as client:
                    told = client.disk()
                    pids.append(client.keeper_pid)
            except VonggacError:
                capacity_bytes = row.segments * row.segment_bytes
                found.append(DiskFacts(row.uuid.hex(), row.path, "down", capacity_bytes))
                continue
            found.append(replace(self._disk(row, told), promises=promises.get(row.uuid.hex())))
        return tuple(found), pids

    def _disk(self, row: DiskRow, told: Disk) -> DiskFacts:
        now_ns = self._clock()
        uuid = row.uuid.hex()
        capacity_bytes = told.segments * told.segment_bytes
        pinned = told.pinned_segments
        measured = self._watch.counters.written(uuid, now_ns)
        return DiskFacts(
            uuid=uuid,
            path=told.path,
            state=told.state,
            capacity_bytes=capacity_bytes,
            used_bytes=told.used_bytes,
            oldest_ns=told.oldest_ns,
            pinned_bytes=None if pinned is None else pinned * told.segment_bytes,
            tick_ms=told.tick_ms,
            loss_bound_ms=told.loss_bound_ms,
            forecast=forecast(capacity_bytes, told.used_bytes, told.oldest_ns, now_ns, measured),
        )

    def _find_chain(self) -> tuple[ChainFacts, int]:
        try:
            told, pid = audit_client.ask_chain(self._home, _ANSWER_S)
        except VonggacError:
            return ChainFacts(), 0
        return ChainFacts(True, bool(told.head), told.lines, told.head), pid

    def _find_motion(self) -> MotionStatusReply | None:
        try:
            with MotionClient(self._home, _ANSWER_S) as client:
                return client.status()
        except VonggacError:
            return None

    def _find_clock(self) -> ClockFacts:
        if time.monotonic() - self._clock_s < _CLOCK_EVERY_S:
            return self._facts.clock
        self._clock_s = time.monotonic()
        return ClockFacts(is_synchronised(), chrony.offset_s())

    def _find_processes(self, keepers: Sequence[int], audit_pid: int) -> tuple[Process, ...]:
        found = [look_at("serve", 0, os.getpid())]
        with contextlib.suppress(VonggacError):  # told as not answering
            found.append(look_at("record", 0, recorder_pid(self._home)))
        status = self._watch.now(0.0)
        if status.status is not None and status.is_answering:
            found += [look_at("loop", number, pid) for number, pid in status.status.loops if pid]
        found += [look_at("keeper", number, pid) for number, pid in enumerate(keepers)]
        if audit_pid:
            found.append(look_at("audit", 0, audit_pid))
        return tuple(found)


def _promises(disk: bus_control.DiskRetention) -> PromiseFacts:
    return PromiseFacts(disk.holds_days, bool(disk.broken), disk.due_bytes, disk.is_guarded)
