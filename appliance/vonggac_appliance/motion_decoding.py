"""The threads that decode: they take jobs from the plan, read, look, and tell what they saw."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from vonggac.errors import MediaError, VonggacError
from vonggac.media.chunk import SyncKind
from vonggac.motion.slots import Slot
from vonggac_appliance.motion_eyes import Eyes
from vonggac_appliance.motion_older import OlderFootage
from vonggac_appliance.motion_plan import MotionPlan
from vonggac_appliance.motion_reading import Footage, MotionReader, Placed
from vonggac_appliance.motion_suspects import MotionSuspects
from vonggac_appliance.motion_trouble import MotionTrouble, Troubled
from vonggac_appliance.motion_watch import Job
from vonggac_appliance.motion_work import Work

__all__ = ["Decoding", "Seen"]

_log = logging.getLogger("vonggac.motion")

_S = 1_000_000_000
_KEY_BACK_NS = 10 * _S
"""Who does not go on from what he saw begins at the key frame before."""
_TURN_S = 0.5


@dataclass(frozen=True, slots=True)
class Seen:
    """What a job gave."""

    camera: bytes
    stream: bytes
    slots: tuple[Slot, ...]
    is_live: bool


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
        self._older = OlderFootage()
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
        self._older.keep_only(cameras)
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
        work = Work(job, job.stream, job.from_ns)
        try:
            if job.kind == "live":
                self._live(reader, job, work)
            else:
                self._older.look(reader, job, work)
        except VonggacError as error:
            job.watch.what = str(error)
            self._eyes.pop(job.watch.camera, None)
            if isinstance(error, MediaError):
                work.reached_ns = job.to_ns  # else another time there may be an answer
        finally:
            self._lost += reader.lost + work.lost
            reader.lost = 0
            cpu_s = time.thread_time() - began_s
            if work.slots:
                is_live = job.kind == "live"
                seen = Seen(job.watch.camera, work.stream, tuple(work.slots), is_live)
                self._tell(seen)
            self._plan.done(
                job, work.reached_ns, cpu_s, work.shape, work.seen, goes_on=work.goes_on
            )

    def _live(self, reader: MotionReader, job: Job, work: Work) -> None:
        eyes = self._eyes.get(job.watch.camera)
        if eyes is None or (eyes.stream, eyes.tier) != (job.stream, job.tier):
            eyes = self._eyes[job.watch.camera] = Eyes(job.stream, job.tier)
        goes_on = eyes.until_ns == job.from_ns
        from_ns = job.from_ns if goes_on else job.from_ns - _KEY_BACK_NS
        rows, until_ns, missing = reader.rows(job.stream, from_ns, job.to_ns)
        rows = rows if goes_on else _from_key(rows, job.from_ns)

        def see_trouble(footage: Footage) -> bool:
            if footage.wall_end_ns > job.from_ns:
                self._trouble.see(job.watch.camera, eyes)
            return False

        work.look(reader, eyes, rows, see_trouble)
        work.slots += eyes.so_far()  # it would wait for the next pictures
        first = job.from_ns // _S  # what came before was told, perhaps by others' eyes
        work.slots[:] = [slot for slot in work.slots if slot.second >= first]
        if rows:
            work.reached_ns = max(placed.packed.row.wall_end_ns for placed in rows)
        elif not missing and until_ns is not None and until_ns >= job.to_ns:
            work.reached_ns = job.to_ns  # nothing was recorded in between
        if rows or goes_on:
            eyes.until_ns = work.reached_ns


def _from_key(rows: list[Placed], from_ns: int) -> list[Placed]:
    """Without those that nothing from there on needs."""
    if not any(placed.packed.row.wall_end_ns > from_ns for placed in rows):
        return []
    starts = [
        at
        for at, placed in enumerate(rows)
        if placed.packed.row.kind != SyncKind.NONE and placed.packed.row.wall_start_ns <= from_ns
    ]
    return rows[max(starts, default=0) :]
