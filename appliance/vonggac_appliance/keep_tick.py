"""A keeper's ticks: chunks become a batch, one sync makes it durable, then loops hear of it.

Every tenth tick commits the index. docs/design/storage.md tells the order of work.
"""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable, Iterable

from vonggac.errors import StorageError
from vonggac.store.batch import Batch, Outcome
from vonggac.store.index import Commit
from vonggac.store.start import Started
from vonggac_appliance.keep_links import Links
from vonggac_appliance.keep_loops import BATCH_BYTES, Chunk, LoopLink, Status, take
from vonggac_appliance.keep_pace import Pace
from vonggac_appliance.keep_reports import Reports
from vonggac_appliance.keep_writer import Writer

__all__ = ["SESSIONS_MAX", "TICKS_A_COMMIT", "Ticks"]

_log = logging.getLogger("vonggac.keep")

TICKS_A_COMMIT = 10
SESSIONS_MAX = 1000
_REBUILD_SLICE_S = 0.005


class Ticks:
    """In the main thread; what it plans runs in the writer."""

    def __init__(
        self,
        started: Started,
        pace: Pace,
        writer: Writer,
        links: Links,
        reports: Reports,
        failed: Callable[[Outcome], None],
    ) -> None:
        """`failed`: told that a write or a sync did; nothing is written after it."""
        self.rebuild = started.rebuild
        self._ring = started.ring
        self._pace = pace
        self._writer = writer
        self._links = links
        self._reports = reports
        self._failed = failed
        self._pending: deque[Chunk] = deque()
        self._refused: list[tuple[Chunk, str]] = []
        self._session_start_ns = time.time_ns()
        self._ticks_since_commit = 0
        self._is_hurried = True

    def begin(self) -> None:
        """Writes down that a keeper is here from now on."""
        self._ring.archive.trim_sessions(SESSIONS_MAX)
        self._ring.archive.put_session(self._session_start_ns, self._session_start_ns)

    def add(self, chunks: Iterable[Chunk]) -> None:
        """Chunks for the next batches, in the order of handing over."""
        self._pending.extend(chunks)

    @property
    def has_pending(self) -> bool:
        """Whether chunks wait that are in no batch yet."""
        return bool(self._pending)

    def hurry(self) -> None:
        """Has the next tick begin at once, though no chunk came."""
        self._is_hurried = True

    @property
    def has_work(self) -> bool:
        """Whether a tick would write anything."""
        return bool(self._pending) or self._ring.is_journal_dirty or self._is_hurried

    def begin_if_due(self, now_s: float, is_ending: bool) -> None:
        """Begins a tick when loops have ticked or time is up. The writer has to be idle."""
        readers = self._links.ticking()
        all_ticked = bool(readers) and all(link.has_ticked for link in readers)
        if any(link.has_ticked for link in readers):
            self._pace.first_tick(now_s)
        urgent = self._is_hurried or (is_ending and not self._ring.spares.is_full)
        if not self.has_work:
            if all_ticked:
                self._end_of_tick(readers)
            return
        if urgent or self._pace.is_due(now_s, all_ticked):
            self._begin_tick(now_s)
            self._end_of_tick(readers)

    def end(self) -> bool:
        """Files what is durable; False while the index's last commit is on its way."""
        self._ring.filing.settle()
        if self._ring.can_commit and self._ring.archive.index.is_dirty:
            self._begin_commit()
            return False
        return True

    def step_rebuild(self) -> None:
        """Goes on with making the index again, for some milliseconds."""
        if self.rebuild is None:
            return
        until_s = time.monotonic() + _REBUILD_SLICE_S
        while time.monotonic() < until_s:
            if not self.rebuild.step():
                for note in self.rebuild.notes:
                    _log.warning("%s", note)
                _log.info("the index of %s is whole again", self._ring.disk.path)
                self.rebuild = None
                self._ring.rebuilt()
                self._ticks_since_commit = TICKS_A_COMMIT
                return

    def _end_of_tick(self, readers: list[LoopLink]) -> None:
        for link in readers:
            link.has_ticked = False
        self._pace.tick_over()

    def _begin_tick(self, now_s: float) -> None:
        arrived = take(self._pending, BATCH_BYTES, self._refused)
        batch: Batch[Chunk] = self._ring.plan(arrived)
        for chunk, what in (*self._refused, *batch.refused):
            _log.error("a chunk of loop %d is refused: %s", chunk[0].number, what)
        self._acknowledge([chunk for chunk, _ in self._refused], Status.REFUSED)
        self._acknowledge([chunk for chunk, _ in batch.refused], Status.REFUSED)
        self._acknowledge(batch.known, Status.DURABLE)
        self._refused.clear()
        is_behind = bool(self._pending) and bool(batch.durable or batch.known)
        self._pending.extendleft(reversed(batch.waiting))
        spares = self._ring.spares
        is_starved = bool(batch.waiting) and not spares.is_full
        self._is_hurried = is_behind or is_starved or (self._is_hurried and not spares.is_settled)
        self._reports.room()
        self._pace.begin(now_s)
        if batch.is_empty:
            self._ring.finish(batch)
            return
        outcomes: list[Outcome] = []
        self._writer.submit(
            lambda: outcomes.append(batch.run()), lambda: self._finish_tick(batch, outcomes[0])
        )

    def _finish_tick(self, batch: Batch[Chunk], outcome: Outcome) -> None:
        if outcome.errno:
            self._failed(outcome)
            return
        finished = self._ring.finish(batch)
        # Promise 1: only now, and only what this sync covered.
        self._acknowledge(batch.durable, Status.DURABLE)
        self._reports.durable(finished, batch.bytes_written, outcome.tick_ms)
        if self._pace.finished(outcome.tick_ms):
            self._reports.pace(outcome.tick_ms)
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
        is_whole = self._ring.can_commit
        if not is_whole and (self.rebuild is None or self._ring.is_index_given_up):
            self._ring.filing.settle()  # packed, so that memory holds out
            return
        self._ring.archive.put_session(self._session_start_ns, time.time_ns())
        frozen = self._ring.freeze() if is_whole else self._ring.freeze_part()
        errors: list[StorageError] = []
        self._writer.submit(
            lambda: _commit(self._ring.archive.index.commit, frozen, errors),
            lambda: self._finish_commit(frozen, errors, is_whole),
        )

    def _finish_commit(self, frozen: Commit, errors: list[StorageError], is_whole: bool) -> None:
        if errors:
            self._ring.commit_failed()
            self._reports.commit_failed(errors[0])
        elif is_whole:
            self._ring.committed(frozen)
        else:
            self._ring.part_committed()


def _commit(commit: Callable[[Commit], None], frozen: Commit, errors: list[StorageError]) -> None:
    try:
        commit(frozen)
    except StorageError as error:
        errors.append(error)
