"""What a keeper tells its parent of its disk: it is ready, streams are safe so far, it is slow."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

import msgspec

from vonggac.errors import StorageError
from vonggac.store.batch import Outcome
from vonggac.store.filing import Finished
from vonggac.store.ring import Ring
from vonggac_appliance.keep_answers import Answers
from vonggac_appliance.keep_pace import Pace
from vonggac_appliance.messages import Kind
from vonggac_appliance.messages_keeper import (
    DiskState,
    Durable,
    KeeperAlarm,
    KeeperReady,
    Sealed,
    StreamEnd,
)

__all__ = ["Reports"]

_log = logging.getLogger("vonggac.keep")


class Reports:
    """Those who ask the keeper itself (`answers`) hear of the same state."""

    def __init__(
        self,
        ring: Ring,
        marker: Path,
        pace: Pace,
        answers: Answers,
        say: Callable[[Kind, msgspec.Struct], None],
    ) -> None:
        """`marker`: the file that says that the disk has failed before."""
        self._ring = ring
        self._identity = ring.disk.identity
        self._marker = marker
        self._pace = pace
        self._answers = answers
        self._say = say
        self._disk_state = ("recording", "")

    def ready(self, last_run: int) -> None:
        """The disk is recovered and writable."""
        ready = KeeperReady(
            disk=self._identity.disk,
            path=str(self._ring.disk.path),
            segments=self._identity.segments,
            segment_bytes=self._identity.segment_bytes,
            last_run=last_run,
            streams=[self._stream_end(stream) for stream in self._ring.streams],
            suspect=self._marker.exists(),
        )
        self._say(Kind.KEEPER_READY, ready)

    def pace(self, tick_ms: float) -> None:
        """Ticks became longer or shorter."""
        if self._pace.is_slow:
            bound_s = self._pace.loss_bound_ms / 1000
            what = f"a tick takes {tick_ms:.0f} ms: up to {bound_s:.1f} s may be lost"
            self._become("slow", what)
        else:
            self._become("recording", "")

    def room(self) -> None:
        """Says that nothing can be reused, or something again."""
        if self._ring.spares.is_full:
            self._become("full", "no segment can be reused: all are locked or being written")
        elif self._disk_state[0] == "full":
            self._become("recording", "")

    def durable(self, finished: Finished, bytes_written: int, tick_ms: float) -> None:
        """A sync is through: how far streams are safe, and which segments are full."""
        streams = [self._stream_end(stream) for stream in finished.moved]
        if streams:
            durable = Durable(self._identity.disk, tick_ms, bytes_written, streams)
            self._say(Kind.DURABLE, durable)
        for sealed in finished.sealed:
            segment = sealed.segment
            self._say(
                Kind.SEALED,
                Sealed(
                    self._identity.disk,
                    segment.number,
                    segment.stream,
                    segment.wall_start_ns,
                    segment.wall_end_ns,
                ),
            )

    def commit_failed(self, error: StorageError) -> None:
        """The index cannot be written."""
        what = f"{error}; recording goes on, but nothing is erased by its time until the "
        what += "next start makes the index again: restart the recorder soon"
        path = str(self._ring.disk.path)
        self._say(Kind.KEEPER_ALARM, KeeperAlarm("index-failed", path, what))
        self._become("recording", str(error))

    def failed(self, outcome: Outcome) -> None:
        """A failed write or sync is never tried again: nobody knows what the cache still holds."""
        _log.critical("disk %s has failed: %s", self._ring.disk.path, outcome.sentence())
        try:
            self._marker.parent.mkdir(exist_ok=True)
            self._marker.write_text(outcome.sentence() + "\n")
        except OSError as error:
            _log.error(
                "the disk cannot be marked as suspect in %s: %s", self._marker, error.strerror
            )
        self._become("failed", outcome.sentence(), outcome.errno)

    def _become(self, state: str, what: str, number: int = 0) -> None:
        if (state, what) != self._disk_state:
            self._disk_state = (state, what)
            self._answers.state = state
            self._say(Kind.DISK_STATE, DiskState(self._identity.disk, state, what, number))

    def _stream_end(self, stream: bytes) -> StreamEnd:
        state, gap = self._ring.streams[stream], self._ring.gaps.get(stream)
        return StreamEnd(
            camera=state.camera,
            stream=stream,
            run=state.run,
            sequence=state.sequence,
            wall_end_ns=state.wall_end_ns,
            open_gap=None if gap is None else (gap.start_ns, gap.reason),
            is_inband=stream in self._ring.inband,
            claim_sha256=state.claim_sha256,
        )
