"""The threads that decode: they take jobs from the plan, read, look, and tell what they saw."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from vonggac.errors import VonggacError
from vonggac.media.chunk import SyncKind
from vonggac.motion.slots import Slot, Tier
from vonggac_appliance.motion_eyes import Eyes
from vonggac_appliance.motion_plan import Job, MotionPlan
from vonggac_appliance.motion_reading import Footage, MotionReader, Placed
from vonggac_appliance.motion_suspects import MotionSuspects
from vonggac_appliance.motion_trouble import MotionTrouble, Troubled

__all__ = ["Decoding", "Seen"]

_log = logging.getLogger("vonggac.motion")

_S = 1_000_000_000
_WARM_NS = 12 * _S
"""Before older footage: noise is known after 8 s, and a key frame comes first."""
_TURN_S = 0.5


@dataclass(frozen=True, slots=True)
class Seen:
    """What a job gave."""

    camera: bytes
    stream: bytes
    slots: tuple[Slot, ...]
    is_live: bool


@dataclass(slots=True)
class _Work:
    """A job as far as it has come."""

    slots: list[Slot]
    stream: bytes
    reached_ns: int
    pixels: int = 0
    pictures: int = 0
    footage_ns: int = 0

    @property
    def shape(self) -> tuple[int, float]:
        """Pixels, pictures a second."""
        return self.pixels, self.pictures * 1e9 / max(self.footage_ns, 1)


class Decoding:
    """`threads` of them; what they saw goes to `tell`, in their threads."""

    def __init__(
        self,
        home: Path,
        plan: MotionPlan,
        disks: Callable[[], Sequence[bytes]],
        tell: Callable[[Seen | Troubled], None],
        threads: int,
        suspects: MotionSuspects,
    ) -> None:
        self._home = home
        self._plan = plan
        self._disks = disks
        self._tell = tell
        self._trouble = MotionTrouble(tell)
        self._suspects = suspects
        self._eyes: dict[bytes, Eyes] = {}
        """By camera, for its newest footage; one thread at a time has a camera."""
        self._lost = 0
        self._is_over = threading.Event()
        self._threads = [
            threading.Thread(target=self._run, args=(n,), name=f"decode {n}", daemon=True)
            for n in range(threads)
        ]
        self.failure: BaseException | None = None
        """Our own mistake, which ends the process."""

    @property
    def skipped(self) -> int:
        """Chunks that could not be read or decoded."""
        return self._lost

    def start(self) -> None:
        """Begins."""
        for thread in self._threads:
            thread.start()

    def keep_only(self, cameras: Collection[bytes]) -> None:
        """Of others no picture stays in memory: they have left, or their agreement has ended."""
        for camera in set(self._eyes) - set(cameras):
            self._eyes.pop(camera, None)
        self._trouble.keep_only(cameras)

    def close(self) -> None:
        """Ends after the jobs under way."""
        self._is_over.set()
        self._plan.end()
        for thread in self._threads:
            thread.join()

    def _run(self, number: int) -> None:
        reader = MotionReader(self._home, ())
        try:
            while not self._is_over.is_set():
                job = self._plan.take(_TURN_S)
                if job is not None:
                    reader.disks = tuple(self._disks())
                    do = partial(self._do, reader, job)
                    self._suspects.while_decoded(number, job.watch.camera, do)
        except BaseException as error:
            self.failure = error
            raise
        finally:
            reader.close()

    def _do(self, reader: MotionReader, job: Job) -> None:
        began_s = time.thread_time()
        work = _Work([], job.stream, job.from_ns)
        try:
            if job.kind == "live":
                self._live(reader, job, work)
            else:
                self._old(reader, job, work)
        except VonggacError as error:
            job.watch.what = str(error)
            work.reached_ns = job.to_ns
            self._eyes.pop(job.watch.camera, None)
        finally:
            self._lost += reader.lost
            reader.lost = 0
            cpu_s = time.thread_time() - began_s
            if work.slots:
                is_live = job.kind == "live"
                seen = Seen(job.watch.camera, work.stream, tuple(work.slots), is_live)
                self._tell(seen)
            self._plan.done(job, work.reached_ns, cpu_s, work.shape)

    def _live(self, reader: MotionReader, job: Job, work: _Work) -> None:
        rows, until_ns, missing = reader.rows(job.stream, job.from_ns, job.to_ns)
        eyes = self._eyes.get(job.watch.camera)
        if eyes is None or (eyes.stream, eyes.tier) != (job.stream, job.tier):
            eyes = self._eyes[job.watch.camera] = Eyes(job.stream, job.tier)
        self._look(reader, job, eyes, rows, work)
        work.slots += eyes.so_far()  # it would wait for the next pictures
        if rows:
            work.reached_ns = max(placed.packed.row.wall_end_ns for placed in rows)
        elif not missing and until_ns is not None and until_ns >= job.to_ns:
            work.reached_ns = job.to_ns  # nothing was recorded in between

    def _old(self, reader: MotionReader, job: Job, work: _Work) -> None:
        names = dict.fromkeys((job.stream, *job.watch.streams.values()))
        for stream in names:
            rows, _, missing = reader.rows(stream, job.from_ns - _WARM_NS, job.to_ns)
            if missing:
                return  # it stays away from what was tried, and is found again
            if any(placed.packed.row.wall_end_ns > job.from_ns for placed in rows):
                break
        work.stream = stream
        reader.was_refused = False
        eyes = Eyes(stream, job.tier)
        self._look(reader, job, eyes, rows, work)
        work.slots += eyes.end()
        first, last = job.from_ns // _S, job.to_ns // _S
        work.slots[:] = [slot for slot in work.slots if first <= slot.second < last]
        if reader.was_refused:
            return
        work.reached_ns = job.to_ns

    def _look(
        self, reader: MotionReader, job: Job, eyes: Eyes, rows: Sequence[Placed], work: _Work
    ) -> None:
        """By key frames alone nothing else is read."""
        wanted = [
            placed
            for placed in rows
            if job.tier is Tier.FULL or placed.packed.row.kind != SyncKind.NONE
        ]
        for footage in reader.read(work.stream, wanted):
            work.slots += eyes.see(footage)
            if job.kind == "live":
                self._trouble.see(job.watch.camera, eyes)
            work.pixels = max(work.pixels, eyes.pixels)
            self._count(footage, work)
        self._lost += eyes.lost
        eyes.lost = 0
        job.watch.what = eyes.what

    def _count(self, footage: Footage, work: _Work) -> None:
        work.pictures += len(footage.pictures)
        work.footage_ns += footage.wall_end_ns - footage.claim.wall_start_ns
