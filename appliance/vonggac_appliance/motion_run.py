"""`vonggac motion run`: decodes what was recorded into the motion index, and answers searches.

One thread has the index and the socket; others decode, and one compares index and ring. It takes no
part in recording: where it stops or is slow, the footage waits for it in the ring.
"""

from __future__ import annotations

import contextlib
import logging
import math
import os
import queue
import resource
import signal
import socket
import time
from pathlib import Path

import zmq

from vonggac.motion import ranges
from vonggac.motion.governor import tiers
from vonggac.registry.catalog import Catalog
from vonggac_appliance import bus_events, config
from vonggac_appliance.clock import iso, wall_ns
from vonggac_appliance.events import Publisher
from vonggac_appliance.messages_motion import MotionStatusReply, RebuildMotion
from vonggac_appliance.motion_answers import MotionAnswers
from vonggac_appliance.motion_decoding import Decoding, Seen
from vonggac_appliance.motion_keeping import MotionKeeping, just_now, own_folder
from vonggac_appliance.motion_plan import MotionPlan
from vonggac_appliance.motion_server import MotionServer
from vonggac_appliance.motion_survey import Begins, Surveyed, Surveyor
from vonggac_appliance.motion_suspects import MotionSuspects
from vonggac_appliance.motion_telling import MotionTelling
from vonggac_appliance.motion_trouble import Troubled, TroubleTelling
from vonggac_appliance.notify import Notifier
from vonggac_appliance.recorder_events import RecorderEvents
from vonggac_appliance.service_log import set_up_logging

__all__ = ["main"]

_log = logging.getLogger("vonggac.motion")

_S = 1_000_000_000
_NICE = 10
"""Recording comes before it, and whoever looks."""
_TURN_MS = 200
_GOVERN_S = 5.0
_TROUBLE_S = 60.0
_ROSTER_S = 1.0
_BASIS_S = 60.0
"""Agreements end without a change of the catalog."""


def main(home: Path) -> int:
    """Indexes and answers until SIGTERM or SIGINT. Raises ConfigError, StorageError."""
    set_up_logging()
    settings = config.load(home).motion
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # pictures must not stand in a core file
    os.nice(_NICE)
    notifier = Notifier.from_environment(os.environ)
    wake, woken = socket.socketpair()
    wake.setblocking(False)
    is_ending: list[int] = []
    with Catalog(home, is_readonly=True) as catalog, zmq.Context() as context:
        process = _Process(home, settings, catalog, context, woken.fileno())
        signal.set_wakeup_fd(wake.fileno(), warn_on_full_buffer=False)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda got, _: is_ending.append(got))
        try:
            process.begin()
            notifier.ready("motion is being indexed")
            while not is_ending:
                process.turn()
                notifier.watchdog()
            notifier.stopping()
        finally:
            process.close()
            signal.set_wakeup_fd(-1)
            wake.close()
            woken.close()
    return 0


class _Process:
    """All of it, turned by the main thread."""

    def __init__(
        self,
        home: Path,
        settings: config.MotionConfig,
        catalog: Catalog,
        context: zmq.Context[zmq.Socket[bytes]],
        woken: int,
    ) -> None:
        self._catalog = catalog
        self._cores = settings.cpu_percent / 100
        threads = max(1, min(math.ceil(self._cores), os.cpu_count() or 1))
        folder = home / settings.folder
        self._folder_fd = own_folder(folder)
        suspects = self._suspects = MotionSuspects(folder, threads)
        plan = self._plan = MotionPlan(self._cores, aside=suspects.aside_until_ns)
        keeping = self._keeping = MotionKeeping(folder, settings.size_bytes, plan)
        self._inbox: queue.SimpleQueue[Seen | Surveyed | Begins | Troubled] = queue.SimpleQueue()
        self._bell, self._ring = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self._disks: tuple[bytes, ...] = ()
        self._decoding = Decoding(home, plan, lambda: self._disks, self._tell, threads, suspects)
        self._survey = Surveyor(
            home,
            lambda: self._disks,
            lambda: keeping.streams,
            lambda: keeping.days,
            self._tell,
        )
        self._events = RecorderEvents(home)
        self._publisher = Publisher(home, "motion", context)
        self._telling = MotionTelling(plan, self._publisher)
        self._trouble = TroubleTelling(plan, self._publisher)
        answers = MotionAnswers(
            home,
            keeping.index,
            catalog,
            may_tell=keeping.may_tell,
            begins_s=keeping.begins_s,
        )
        self._server = MotionServer(home, context, answers, self._status, self._rebuild)
        self._poller = zmq.Poller()
        for waited in (self._server.socket, self._bell, woken):
            self._poller.register(waited, zmq.POLLIN)
        self._changes = -1
        self._due: dict[str, float] = {}

    def begin(self) -> None:
        """Starts the threads."""
        for camera in self._suspects.found:
            _log.warning("the process ended while a camera was decoded: %s", camera.hex())
        self._keeping.look_back()
        self._look_at_catalog()
        self._events.listen(self._hear)
        self._decoding.start()
        self._survey.start()

    def close(self) -> None:
        """Ends the threads, and keeps what is known."""
        self._events.close()
        self._decoding.close()
        self._survey.close()
        self._server.close()
        self._take_in()
        self._keeping.close()
        self._publisher.close()
        self._suspects.close()
        for fd in (self._bell, self._ring, self._folder_fd):
            os.close(fd)

    def turn(self) -> None:
        """One turn; waits at most 0.2 s."""
        is_busy = self._server.turn()
        is_busy = self._keeping.turn() or is_busy
        self._poller.poll(0 if is_busy else _TURN_MS)
        with contextlib.suppress(BlockingIOError):
            os.read(self._bell, 4096)
        self._server.receive()
        self._take_in()
        if self._is_due("roster", _ROSTER_S):
            self._look_at_catalog()
        if self._is_due("quiet", 1.0):
            self._telling.quiet()
        if self._is_due("trouble", _TROUBLE_S):
            self._trouble.again()
        if self._is_due("govern", _GOVERN_S):
            self._govern()
        if self._decoding.failure is not None:
            raise RuntimeError("a thread that decodes has ended") from self._decoding.failure
        if self._survey.failure is not None:
            raise RuntimeError("the thread that compares has ended") from self._survey.failure

    def _is_due(self, what: str, every_s: float) -> bool:
        now_s = time.monotonic()
        if now_s < self._due.get(what, 0.0):
            return False
        self._due[what] = now_s + every_s
        return True

    def _tell(self, told: Seen | Surveyed | Begins | Troubled) -> None:
        """In other threads."""
        self._inbox.put(told)
        with contextlib.suppress(BlockingIOError):
            os.write(self._ring, b".")

    def _hear(self, event: bus_events.Event) -> None:
        """In the thread that hears the recorder."""
        if isinstance(event, bus_events.DurableTick):
            for stream, until_ns in event.streams:
                self._plan.heard(stream, until_ns)

    def _take_in(self) -> None:
        for _ in range(self._inbox.qsize()):
            told = self._inbox.get()
            if isinstance(told, Begins):
                self._keeping.begins(told)
            elif isinstance(told, Surveyed):
                self._keeping.reconcile(told)
            elif isinstance(told, Troubled):
                self._trouble.take(told)
            elif self._keeping.see(told) and told.is_live:
                self._telling.see(told.camera, told.slots)

    def _look_at_catalog(self) -> None:
        changes = self._catalog.changes
        if changes == self._changes and not self._is_due("basis", _BASIS_S):
            return
        self._changes = changes
        self._disks = tuple(disk.uuid for disk in self._catalog.disks())
        self._keeping.take_cameras(self._catalog.cameras(), wall_ns())

    def _govern(self) -> None:
        watches = self._plan.watches()
        self._decoding.keep_only({watch.camera for watch in watches})
        for watch in watches:
            until_ns = self._suspects.aside_until_ns(watch.camera)
            if until_ns:
                watch.what = f"set aside until {iso(until_ns)}: it has ended the process twice"
        costs = {w.camera: w.cost for w in watches if w.cost is not None}
        chosen = tiers(costs, self._cores, self._plan.lag_s())
        self._telling.tiers(self._plan.govern(chosen))
        self._telling.count()
        self._keeping.look_back()

    def _status(self, number: int) -> MotionStatusReply:
        index_bytes = self._keeping.index.size_bytes
        return self._telling.status(number, self._cores, index_bytes, self._decoding.skipped)

    def _rebuild(self, asked: RebuildMotion) -> None:
        span = (asked.from_ns // _S, -(-asked.to_ns // _S))
        for camera in asked.cameras:
            for stream in self._keeping.streams.get(camera, ()):
                self._keeping.forget(stream, span)
            self._plan.retry(camera, span)
            self._plan.add_old(camera, ranges.within([just_now(wall_ns())], *span))
        self._survey.go_anew()
