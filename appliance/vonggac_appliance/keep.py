"""A keeper: the only process that opens one disk. docs/design/storage.md tells its order of work.

Its main thread plans, answers and acknowledges, and never touches the disk while recording; what
blocks runs in the writer thread, so that a hung disk hangs nothing but itself.
"""

from __future__ import annotations

import errno
import logging
import resource
import signal
import socket
import time
from pathlib import Path

from vonggac.errors import ConfigError, StorageError, VonggacError
from vonggac.store.batch import Outcome
from vonggac.store.index import IndexDamaged
from vonggac.store.journal import OpenGap
from vonggac.store.start import Started, start
from vonggac_appliance import sockets
from vonggac_appliance.keep_answers import Answers
from vonggac_appliance.keep_backup import KeepBackup
from vonggac_appliance.keep_chores import Chore, Chores, Desk
from vonggac_appliance.keep_faults import Faults
from vonggac_appliance.keep_links import Links
from vonggac_appliance.keep_locks import KeepLocks
from vonggac_appliance.keep_pace import Pace
from vonggac_appliance.keep_parent import Parent
from vonggac_appliance.keep_poll import READ, Poller
from vonggac_appliance.keep_questions import Questions
from vonggac_appliance.keep_reports import Reports
from vonggac_appliance.keep_retention import KeepRetention
from vonggac_appliance.keep_scrub import KeepScrub
from vonggac_appliance.keep_tick import Ticks
from vonggac_appliance.keep_tombstones import KeepTombstones
from vonggac_appliance.keep_writer import Writer
from vonggac_appliance.messages import Kind
from vonggac_appliance.messages_keeper import DiskState, Expect, GapOpen, Loop, Writing
from vonggac_appliance.suspect import suspect_marker

_log = logging.getLogger("vonggac.keep")

_LAST_WAIT_S = 3.0
"""After the parent's end: loops hand over for 2 s (vg/ingest_loop.h), then there is one more sync.
"""
EXIT_CONFIG = 78


def main(disk_path: str, home: str, box_id: bytes, control: socket.socket) -> int:
    """Keeps one disk until its parent ends or says QUIT. Returns the exit status."""
    _raise_descriptor_limit()
    path = Path(disk_path)
    marker = suspect_marker(Path(home), path)
    faults = Faults(marker.with_name(marker.name + ".fault"))
    distrust = faults.why_distrusted()
    faults.watch()
    try:
        started = start(path, box_id, is_suspect=marker.exists(), distrust=distrust)
    except ConfigError as error:
        _log.error("%s", error)
        return EXIT_CONFIG
    except OSError as error:
        _log.error("the disk %s cannot be recorded on: %s", disk_path, error)
        if error.errno in (errno.EROFS, errno.EACCES, errno.EPERM):
            return EXIT_CONFIG
        state = DiskState(bytes(16), "failed", str(error), error.errno or errno.EIO)
        sockets.send(control, Kind.DISK_STATE, state)
        return 1
    except VonggacError as error:
        _log.error("the disk %s cannot be recorded on: %s", disk_path, error)
        if isinstance(error, StorageError):
            state = DiskState(bytes(16), "failed", str(error), errno.EIO)
            sockets.send(control, Kind.DISK_STATE, state)
        return 1
    if started.why_rebuilt is not None:
        _log.warning("%s; it is made again while recording goes on", started.why_rebuilt)
    for note in (*started.found.notes, *started.found.torn):
        _log.warning("%s: %s", disk_path, note)
    try:
        return Keeper(started, Path(home), control, marker).run()
    except IndexDamaged as error:
        # Promise 4: the next keeper makes it again while it records; nothing has to wait for that.
        _log.error("%s: %s; the keeper begins again without it", disk_path, error)
        faults.note_index(str(error))
        return 1
    finally:
        faults.close()


def _raise_descriptor_limit() -> None:
    # A descriptor a segment that is open or spare: 512 streams need more than the usual 1024.
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


class Keeper:
    """The main thread."""

    def __init__(self, started: Started, home: Path, control: socket.socket, marker: Path) -> None:
        self.ring = started.ring
        self.poller = Poller()
        self.parent = Parent(control, self.poller, self._obey, self._begin_to_end)
        self.writer = Writer(lambda busy: self.parent.say(Kind.WRITING, Writing(busy)))
        self.pace = Pace()
        self.last_run = started.found.last_run
        self.answers = Answers(self.ring, home, self.pace)
        self.questions = Questions(self.answers, home, self.ring.disk.identity.disk)
        self.reports = Reports(self.ring, marker, self.pace, self.answers, self.parent.say)
        self.links = Links(self.poller, self.parent.say)
        self.ticks = Ticks(
            started, self.pace, self.writer, self.links, self.reports, self._disk_failed
        )
        self.desk = Desk(self.ring, home, self.parent.say, self.ticks.hurry)
        locks = KeepLocks(self.desk)
        self.answers.pins = locks.count
        kept = KeepRetention(self.desk, self.answers.leases.revoke)
        graves = KeepTombstones(self.desk)
        duties: list[Chore] = [
            locks,
            kept,
            graves,
            KeepScrub(self.desk),
            KeepBackup(self.desk),
        ]
        self.chores = Chores(duties, self._chore_failed)
        self._ends_at_s: float | None = None
        self._status: int | None = None

    def run(self) -> int:
        """Until told to end, or the disk fails."""
        signal.signal(signal.SIGTERM, lambda *_: self._begin_to_end())
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal's Ctrl-C is the parent's business
        self.writer.start()
        self.poller.watch(self.writer.fd, READ, lambda _: self.writer.collect())
        self.ticks.begin()
        self.questions.begin(self.poller)
        self.reports.ready(self.last_run)
        try:
            while self._status is None:
                self._turn()
        finally:
            self._close()
        assert self._status is not None
        return self._status

    def _turn(self) -> None:
        timeout_s = self.pace.wait_s(time.monotonic(), self.ticks.has_work)
        if self.ticks.rebuild is not None:
            timeout_s = 0.0
        self.poller.turn(timeout_s)
        self.ticks.step_rebuild()
        self.ticks.add(self.links.take_arrived())
        if self.writer.is_idle and self._status is None:
            self.ticks.begin_if_due(time.monotonic(), self._ends_at_s is not None)
        self.links.let_go()
        self.chores.turn(time.monotonic())
        if self._ends_at_s is not None and self._status is None:
            self._end_if_done()

    def _obey(self, message: sockets.Message) -> None:
        if message.kind == Kind.LOOP and message.fds:
            loop = sockets.decode(message, Loop)
            self.links.add(socket.socket(fileno=message.fds[0]), loop)
            return
        try:
            if self.chores.obey(message):
                return
        finally:
            message.close_fds()  # a chore keeps a duplicate
        if message.kind == Kind.EXPECT:
            self.ring.spares.expected_streams = sockets.decode(message, Expect).streams
            self.ticks.hurry()
        elif message.kind == Kind.GAP_OPEN:
            gap = sockets.decode(message, GapOpen)
            self.ring.open_gap(OpenGap(gap.camera, gap.stream, gap.start_ns, gap.reason))
        elif message.kind == Kind.QUIT:
            self._begin_to_end()

    def _chore_failed(self, name: str, what: str) -> None:
        self.desk.alarm("chore-failed", str(self.ring.disk.path), f"{name}: {what}")

    def _disk_failed(self, outcome: Outcome) -> None:
        self.reports.failed(outcome)
        self._status = 1

    def _begin_to_end(self) -> None:
        if self._ends_at_s is None:
            self._ends_at_s = time.monotonic() + _LAST_WAIT_S

    def _end_if_done(self) -> None:
        assert self._ends_at_s is not None
        is_late = time.monotonic() >= self._ends_at_s
        if not self.writer.is_idle or (self.links and not is_late):
            return
        if self.ticks.has_pending and not is_late:
            return
        if self.ticks.end():
            self._status = 0

    def _close(self) -> None:
        self.chores.close()
        self.questions.close()
        self.parent.flush()
        self.links.close()
        if self._status == 0:
            self.writer.end()
            self.ring.archive.index.close()
            self.ring.close()
            self.ring.disk.close()
