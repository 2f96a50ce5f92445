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
from collections import deque
from collections.abc import Callable
from functools import partial
from pathlib import Path

from vonggac.errors import ConfigError, MediaError, StorageError, VonggacError
from vonggac.store.batch import Batch, Outcome
from vonggac.store.filing import Finished
from vonggac.store.index import Commit, IndexDamaged
from vonggac.store.journal import OpenGap
from vonggac.store.start import Started, start
from vonggac_appliance import keep_pace, sockets
from vonggac_appliance.keep_chores import Chore, Chores, Desk
from vonggac_appliance.keep_faults import Faults
from vonggac_appliance.keep_locks import KeepLocks
from vonggac_appliance.keep_loops import BATCH_BYTES, Chunk, LoopLink, Status, take
from vonggac_appliance.keep_parent import Parent
from vonggac_appliance.keep_poll import READ, WRITE, Poller
from vonggac_appliance.keep_questions import Questions
from vonggac_appliance.keep_retention import KeepRetention
from vonggac_appliance.keep_scrub import KeepScrub
from vonggac_appliance.keep_tombstones import KeepTombstones
from vonggac_appliance.keep_writer import Writer
from vonggac_appliance.messages import Kind
from vonggac_appliance.messages_keeper import (
    DiskState,
    Durable,
    Expect,
    GapOpen,
    KeeperReady,
    Loop,
    Sealed,
    StreamEnd,
    Writing,
)
from vonggac_appliance.suspect import suspect_marker

_log = logging.getLogger("vonggac.keep")

TICKS_A_COMMIT = 10
SESSIONS_MAX = 1000
_LAST_WAIT_S = 3.0
"""After the parent's end: loops hand over for 2 s (vg/ingest_loop.h), then there is one more sync.
"""
_REBUILD_SLICE_S = 0.005
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
        self.rebuild = started.rebuild
        self.poller = Poller()
        self.parent = Parent(control, self.poller, self._obey, self._begin_to_end)
        self.marker = marker
        self.identity = started.ring.disk.identity
        self.writer = Writer(lambda busy: self.parent.say(Kind.WRITING, Writing(busy)))
        self.pace = keep_pace.Pace()
        self.last_run = started.found.last_run
        self.questions = Questions(self.ring, home, self.pace)
        self.desk = Desk(self.ring, home, self.parent.say, self._hurry)
        locks = KeepLocks(self.desk)
        self.questions.pins = locks.count
        kept = KeepRetention(self.desk, self.questions.leases.revoke)
        graves = KeepTombstones(self.desk)
        duties: list[Chore] = [locks, kept, graves, KeepScrub(self.desk)]
        self.chores = Chores(duties, self._chore_failed)
        self.links: list[LoopLink] = []
        self._pending: deque[Chunk] = deque()
        self._refused: list[tuple[Chunk, str]] = []
        self._session_start_ns = time.time_ns()
        self._ticks_since_commit = 0
        self._is_hurried = True
        self._ends_at_s: float | None = None
        self._status: int | None = None
        self._disk_state = ("recording", "")

    def run(self) -> int:
        """Until told to end, or the disk fails."""
        signal.signal(signal.SIGTERM, lambda *_: self._begin_to_end())
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal's Ctrl-C is the parent's business
        self.writer.start()
        self.poller.watch(self.writer.fd, READ, lambda _: self.writer.collect())
        self.ring.archive.trim_sessions(SESSIONS_MAX)
        self.ring.archive.put_session(self._session_start_ns, self._session_start_ns)
        self.questions.begin(self.poller)
        self.parent.say(Kind.KEEPER_READY, self._ready())
        try:
            while self._status is None:
                self._turn()
        finally:
            self._close()
        assert self._status is not None
        return self._status

    def _turn(self) -> None:
        timeout_s = self.pace.wait_s(time.monotonic(), self._has_work())
        if self.rebuild is not None:
            timeout_s = 0.0
        self.poller.turn(timeout_s)
        self._step_rebuild()
        self._take_arrived()
        if self.writer.is_idle and self._status is None:
            self._begin_tick_if_due()
        self._let_go()
        self.chores.turn(time.monotonic())
        if self._ends_at_s is not None and self._status is None:
            self._end_if_done()

    # --- the tick

    def _has_work(self) -> bool:
        return bool(self._pending) or self.ring.is_journal_dirty or self._is_hurried

    def _begin_tick_if_due(self) -> None:
        now_s = time.monotonic()
        readers = [link for link in self.links if link.reader is not None and not link.is_ended]
        all_ticked = bool(readers) and all(link.has_ticked for link in readers)
        if any(link.has_ticked for link in readers):
            self.pace.first_tick(now_s)
        is_ending = self._ends_at_s is not None and not self.ring.spares.is_full
        urgent = self._is_hurried or is_ending
        if not self._has_work():
            if all_ticked:
                self._end_of_tick(readers)
            return
        if urgent or self.pace.is_due(now_s, all_ticked):
            self._begin_tick(now_s)
            self._end_of_tick(readers)

    def _end_of_tick(self, readers: list[LoopLink]) -> None:
        for link in readers:
            link.has_ticked = False
        self.pace.tick_over()

    def _begin_tick(self, now_s: float) -> None:
        arrived = take(self._pending, BATCH_BYTES, self._refused)
        batch: Batch[Chunk] = self.ring.plan(arrived)
        for chunk, what in (*self._refused, *batch.refused):
            _log.error("a chunk of loop %d is refused: %s", chunk[0].number, what)
        self._acknowledge([chunk for chunk, _ in self._refused], Status.REFUSED)
        self._acknowledge([chunk for chunk, _ in batch.refused], Status.REFUSED)
        self._acknowledge(batch.known, Status.DURABLE)
        self._refused.clear()
        is_behind = bool(self._pending) and bool(batch.durable or batch.known)
        self._pending.extendleft(reversed(batch.waiting))
        spares = self.ring.spares
        is_starved = bool(batch.waiting) and not spares.is_full
        self._is_hurried = is_behind or is_starved or (self._is_hurried and not spares.is_settled)
        self._note_room()
        self.pace.begin(now_s)
        if batch.is_empty:
            self.ring.finish(batch)
            return
        outcomes: list[Outcome] = []
        self.writer.submit(
            lambda: outcomes.append(batch.run()), lambda: self._finish_tick(batch, outcomes[0])
        )

    def _finish_tick(self, batch: Batch[Chunk], outcome: Outcome) -> None:
        if outcome.errno:
            self._fail(outcome)
            return
        finished = self.ring.finish(batch)
        # Promise 1: only now, and only what this sync covered.
        self._acknowledge(batch.durable, Status.DURABLE)
        self._report(finished, batch.bytes_written, outcome.tick_ms)
        self._note_pace(outcome.tick_ms)
        self._ticks_since_commit += 1
        if self._ticks_since_commit >= TICKS_A_COMMIT:
            self._begin_commit()

    def _acknowledge(self, chunks: list[Chunk], status: Status) -> None:
        by_link: dict[int, tuple[LoopLink, list[tuple[int, Status]]]] = {}
        for link, header in chunks:
            by_link.setdefault(id(link), (link, []))[1].append((header, status))
        for link, acks in by_link.values():
            link.acknowledge(acks)

    def _begin_commit(self) -> None:
        self._ticks_since_commit = 0
        is_whole = self.ring.can_commit
        if not is_whole and (self.rebuild is None or self.ring.is_index_given_up):
            self.ring.filing.settle()  # packed, so that memory holds out
            return
        self.ring.archive.put_session(self._session_start_ns, time.time_ns())
        frozen = self.ring.freeze() if is_whole else self.ring.freeze_part()
        errors: list[StorageError] = []
        self.writer.submit(
            lambda: _commit(self.ring.archive.index.commit, frozen, errors),
            lambda: self._finish_commit(frozen, errors, is_whole),
        )

    def _finish_commit(self, frozen: Commit, errors: list[StorageError], is_whole: bool) -> None:
        if errors:
            self.ring.commit_failed()
            what = f"{errors[0]}; recording goes on, but nothing is erased by its time until the "
            what += "next start makes the index again: restart the recorder soon"
            self.desk.alarm("index-failed", str(self.ring.disk.path), what)
            self._become("recording", str(errors[0]))
        elif is_whole:
            self.ring.committed(frozen)
        else:
            self.ring.part_committed()

    # --- the disk's state

    def _note_pace(self, tick_ms: float) -> None:
        if self.pace.finished(tick_ms):
            bound_s = self.pace.loss_bound_ms / 1000
            if self.pace.is_slow:
                what = f"a tick takes {tick_ms:.0f} ms: up to {bound_s:.1f} s may be lost"
                self._become("slow", what)
            else:
                self._become("recording", "")

    def _note_room(self) -> None:
        if self.ring.spares.is_full:
            self._become("full", "no segment can be reused: all are locked or being written")
        elif self._disk_state[0] == "full":
            self._become("recording", "")

    def _become(self, state: str, what: str, number: int = 0) -> None:
        if (state, what) != self._disk_state:
            self._disk_state = (state, what)
            self.questions.state = state
            self.parent.say(Kind.DISK_STATE, DiskState(self.identity.disk, state, what, number))

    def _fail(self, outcome: Outcome) -> None:
        """A failed write or sync is never tried again: nobody knows what the cache still holds."""
        _log.critical("disk %s has failed: %s", self.ring.disk.path, outcome.sentence())
        try:
            self.marker.parent.mkdir(exist_ok=True)
            self.marker.write_text(outcome.sentence() + "\n")
        except OSError as error:
            _log.error(
                "the disk cannot be marked as suspect in %s: %s", self.marker, error.strerror
            )
        self._become("failed", outcome.sentence(), outcome.errno)
        self._status = 1

    def _step_rebuild(self) -> None:
        if self.rebuild is None:
            return
        until_s = time.monotonic() + _REBUILD_SLICE_S
        while time.monotonic() < until_s:
            if not self.rebuild.step():
                for note in self.rebuild.notes:
                    _log.warning("%s", note)
                _log.info("the index of %s is whole again", self.ring.disk.path)
                self.rebuild = None
                self.ring.rebuilt()
                self._ticks_since_commit = TICKS_A_COMMIT
                return

    # --- the parent

    def _ready(self) -> KeeperReady:
        return KeeperReady(
            disk=self.identity.disk,
            path=str(self.ring.disk.path),
            segments=self.identity.segments,
            segment_bytes=self.identity.segment_bytes,
            last_run=self.last_run,
            streams=[self._stream_end(stream) for stream in self.ring.streams],
            suspect=self.marker.exists(),
        )

    def _stream_end(self, stream: bytes) -> StreamEnd:
        state, gap = self.ring.streams[stream], self.ring.gaps.get(stream)
        return StreamEnd(
            camera=state.camera,
            stream=stream,
            run=state.run,
            sequence=state.sequence,
            wall_end_ns=state.wall_end_ns,
            open_gap=None if gap is None else (gap.start_ns, gap.reason),
            is_inband=stream in self.ring.inband,
            claim_sha256=state.claim_sha256,
        )

    def _report(self, finished: Finished, bytes_written: int, tick_ms: float) -> None:
        streams = [self._stream_end(stream) for stream in finished.moved]
        if streams:
            durable = Durable(self.identity.disk, tick_ms, bytes_written, streams)
            self.parent.say(Kind.DURABLE, durable)
        for sealed in finished.sealed:
            segment = sealed.segment
            self.parent.say(
                Kind.SEALED,
                Sealed(
                    self.identity.disk,
                    segment.number,
                    segment.stream,
                    segment.wall_start_ns,
                    segment.wall_end_ns,
                ),
            )

    def _obey(self, message: sockets.Message) -> None:
        if message.kind == Kind.LOOP and message.fds:
            loop = sockets.decode(message, Loop)
            self._add_link(socket.socket(fileno=message.fds[0]), loop)
            return
        message.close_fds()
        if self.chores.obey(message):
            return
        if message.kind == Kind.EXPECT:
            self.ring.spares.expected_streams = sockets.decode(message, Expect).streams
            self._hurry()
        elif message.kind == Kind.GAP_OPEN:
            gap = sockets.decode(message, GapOpen)
            self.ring.open_gap(OpenGap(gap.camera, gap.stream, gap.start_ns, gap.reason))
        elif message.kind == Kind.QUIT:
            self._begin_to_end()

    def _hurry(self) -> None:
        self._is_hurried = True

    def _chore_failed(self, name: str, what: str) -> None:
        self.desk.alarm("chore-failed", str(self.ring.disk.path), f"{name}: {what}")

    def _begin_to_end(self) -> None:
        if self._ends_at_s is None:
            self._ends_at_s = time.monotonic() + _LAST_WAIT_S

    def _end_if_done(self) -> None:
        assert self._ends_at_s is not None
        is_late = time.monotonic() >= self._ends_at_s
        if not self.writer.is_idle or (self.links and not is_late):
            return
        if self._pending and not is_late:
            return
        self.ring.filing.settle()
        if self.ring.can_commit and self.ring.archive.index.is_dirty:
            self._begin_commit()
            return
        self._status = 0

    # --- loops

    def _add_link(self, sock: socket.socket, loop: Loop) -> None:
        link = LoopLink(sock, loop.loop, loop.incarnation)
        self.links.append(link)
        self.poller.watch(sock.fileno(), READ, partial(self._on_loop, link))

    def _on_loop(self, link: LoopLink, mask: int) -> None:
        try:
            if mask & WRITE:
                link.write()
            link.read()
        except (MediaError, OSError) as error:
            _log.error("loop %d talks nonsense: %s", link.number, error)
        if not link.is_connected:
            self.poller.unwatch(link.sock.fileno())

    def _take_arrived(self) -> None:
        for link in self.links:
            self._pending.extend((link, header) for header in link.arrived)
            link.arrived.clear()
            if link.is_connected:
                events = READ | (WRITE if link.wants_write else 0)
                self.poller.watch(link.sock.fileno(), events, partial(self._on_loop, link))

    def _let_go(self) -> None:
        """Connections that will bring nothing more, and whose chunks are all durable or refused."""
        for link in [link for link in self.links if link.is_drained]:
            if link.is_connected:
                link.say_drained()
                self.poller.unwatch(link.sock.fileno())
            self.links.remove(link)
            # Of one incarnation there are two where streams were moved between disks.
            if all(
                (x.number, x.incarnation) != (link.number, link.incarnation) for x in self.links
            ):
                self.parent.say(Kind.DRAINED, Loop(link.number, link.incarnation))
            link.close()

    def _close(self) -> None:
        self.chores.close()
        self.questions.close()
        self.parent.flush()
        for link in self.links:
            link.close()
        if self._status == 0:
            self.writer.end()
            self.ring.archive.index.close()
            self.ring.close()
            self.ring.disk.close()


def _commit(commit: Callable[[Commit], None], frozen: Commit, errors: list[StorageError]) -> None:
    try:
        commit(frozen)
    except StorageError as error:
        errors.append(error)
