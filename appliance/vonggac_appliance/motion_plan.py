"""What the motion process does next: newest footage first, older footage in what is left over.

One plan for all threads; each camera is worked on by one of them at a time. Nothing here reads,
decodes or waits for a keeper.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping

from vonggac.motion import ranges
from vonggac.motion.governor import Cost, measured
from vonggac.motion.ranges import Range, Ranges
from vonggac.motion.slots import Tier
from vonggac.registry.camera import Camera
from vonggac_appliance.clock import Clock, wall_ns
from vonggac_appliance.motion_share import Share
from vonggac_appliance.motion_watch import Job, Watch

__all__ = ["LIVE_BACK_S", "MotionPlan"]

_S = 1_000_000_000
LIVE_BACK_S = 4
"""A camera that is new here begins so far back; what is older is looked for."""
_LIVE_STEP_NS = _S
_MANY = 8
"""Each turn costs two questions to a keeper: with more cameras it waits for two seconds of footage.
Three would not be found within 5 s: a chunk is a second long, and durable a second later."""
_LIVE_MOST_NS = 4 * _S
"""Of one turn, so that a camera that fell behind does not hold up the others."""
_TOO_FAR_NS = 10 * _S
"""Behind by more, as after a disk that did not answer: the newest footage goes on from now, the
rest becomes older footage. Were it decoded in its turn, nothing would be found in time meanwhile,
and the governor would take cameras down that fit."""
_LEFT_MOST_NS = 3600 * _S
"""What is older is found by who compares; a clock set ahead by years left nothing there."""
_OLD_STEP_S = 60
_SUB_SILENT_NS = 30 * _S
"""After so long without the sub-stream the main one is taken."""
_IDLE_S = 1.0


class MotionPlan:
    """Thread-safe."""

    def __init__(
        self,
        cores: float,
        clock: Clock = wall_ns,
        monotonic: Callable[[], float] = time.monotonic,
        aside: Callable[[bytes], int] = lambda camera: 0,
    ) -> None:
        """`cores`: of CPU that decoding may take; `aside`: other than 0 for cameras that wait."""
        self._aside = aside
        self._clock = clock
        self._monotonic = monotonic
        self._watches: dict[bytes, Watch] = {}
        self._of_stream: dict[bytes, Watch] = {}
        self._changed = threading.Condition()
        self._share = Share(cores, monotonic())
        self._is_over = False

    def update(self, cameras: Iterable[Camera]) -> None:
        """The cameras of the catalog that are indexed, as it is now."""
        now_ns = self._clock()
        with self._changed:
            kept: dict[bytes, Watch] = {}
            for camera in cameras:
                streams = {stream.name: stream.id for stream in camera.streams}
                if not streams:
                    continue
                name = "sub" if "sub" in streams else next(iter(streams))
                watch = self._watches.get(camera.id)
                if watch is None or watch.streams != streams:
                    watch = Watch(camera.id, camera.code, streams, name, now_ns - LIVE_BACK_S * _S)
                watch.code = camera.code
                kept[camera.id] = watch
            self._watches = kept
            self._of_stream = {
                stream: watch for watch in kept.values() for stream in watch.streams.values()
            }

    def watches(self) -> list[Watch]:
        """All of them; for figures, which may be a moment old."""
        with self._changed:
            return list(self._watches.values())

    def heard(self, stream: bytes, wall_end_ns: int) -> None:
        """So far a stream is durable."""
        with self._changed:
            watch = self._of_stream.get(stream)
            if watch is None:
                return
            watch.durable_ns[stream] = wall_end_ns
            if wall_end_ns < watch.position_ns - _S and stream == watch.stream:
                watch.position_ns = wall_end_ns - _S  # the clock was set back
            self._choose(watch)
            self._keep_up(watch)
            self._changed.notify()

    def lag_s(self) -> float:
        """How long the newest footage waits that could be decoded, were there more CPU."""
        with self._changed:  # whose older footage is decoded waits for that alone
            waiting = [watch for watch in self._ready() if watch.busy != "old"]
            return max((watch.behind_ns for watch in waiting), default=0) / 1e9

    def add_old(self, camera: bytes, missing: Iterable[Range]) -> None:
        """Older footage that is not in the index, unless it was tried before."""
        with self._changed:
            watch = self._watches.get(camera)
            if watch is None:
                return
            wanted = ranges.minus(ranges.union(missing), watch.tried)
            watch.todo = ranges.union((*watch.todo, *wanted))
            self._changed.notify()

    def retry(self, camera: bytes, span: Range) -> None:
        """What was tried before may be tried again."""
        with self._changed:
            watch = self._watches.get(camera)
            if watch is not None:
                watch.tried = ranges.minus(watch.tried, (span,))

    def govern(self, chosen: Mapping[bytes, Tier]) -> list[Watch]:
        """Sets tiers by camera; gives those that have another one now."""
        with self._changed:
            found = [w for w in self._watches.values() if chosen.get(w.camera, w.tier) != w.tier]
            for watch in found:
                watch.tier = chosen[watch.camera]
                if watch.cost is not None:
                    watch.cost = Cost(watch.cost.full, watch.cost.key, watch.tier)
            return found

    def take(self, wait_s: float) -> Job | None:
        """The next job, to be given back by `done`; None: there is none within that time."""
        until_s = self._monotonic() + wait_s
        with self._changed:
            while not self._is_over:
                self._share.earn(self._monotonic())
                job = self._live() or self._old()
                if job is not None:
                    job.watch.busy = job.kind
                    return job
                left_s = until_s - self._monotonic()
                if left_s <= 0:
                    return None
                self._changed.wait(min(left_s, 0.1))  # the allowance grows without a word
            return None

    def done(
        self,
        job: Job,
        reached_ns: int,
        cpu_s: float,
        shape: tuple[int, float],
        seen: Ranges = (),
        *,
        goes_on: bool = False,
    ) -> None:
        """A job is over. `reached_ns`: so far it came; `shape`: pixels, and pictures a second;
        `seen`: seconds of which there is a slot; `goes_on`: what is left of older footage is next.
        """
        with self._changed:
            watch = job.watch
            watch.busy = None
            watch.cpu_s += cpu_s
            self._share.spend(cpu_s, is_newest=job.kind == "live")
            if reached_ns <= job.from_ns and not goes_on:
                watch.idle_until_s = self._monotonic() + _IDLE_S
            if job.kind == "live":
                footage_s = (reached_ns - job.from_ns) / 1e9
                if footage_s > 0 and shape[0]:
                    spent = cpu_s / footage_s
                    watch.cost = measured(watch.cost, watch.tier, job.tier, spent, shape)
                if watch.stream == job.stream and watch.position_ns == job.from_ns:
                    watch.position_ns = max(reached_ns, job.from_ns)
            else:
                self._looked(job, reached_ns, seen, goes_on)
            self._changed.notify()

    def end(self) -> None:
        """Nothing more is given out."""
        with self._changed:
            self._is_over = True
            self._changed.notify_all()

    # --- under the lock

    def _choose(self, watch: Watch) -> None:
        """The sub-stream while it comes, else the main one."""
        sub, main = watch.streams.get("sub"), watch.streams.get("main")
        if sub is None or main is None:
            return
        newest_ns = watch.durable_ns.get(main, 0)
        is_silent = watch.durable_ns.get(sub, 0) < newest_ns - _SUB_SILENT_NS
        name = "main" if is_silent else "sub"
        if name != watch.name and (is_silent or sub in watch.durable_ns):
            watch.name = name
            watch.cost = None

    def _keep_up(self, watch: Watch) -> None:
        """What is far behind goes on from now."""
        if watch.behind_ns <= _TOO_FAR_NS:
            return
        end_ns = watch.durable_ns[watch.stream]
        begin_ns = max(watch.position_ns, end_ns - _LEFT_MOST_NS)
        watch.position_ns = end_ns - 2 * _LIVE_STEP_NS
        left = (begin_ns // _S, -(-watch.position_ns // _S))
        watch.todo = ranges.union((*watch.todo, left))

    def _looked(self, job: Job, reached_ns: int, seen: Ranges, goes_on: bool) -> None:
        """What was not seen although all was looked at will not be seen another time either."""
        watch = job.watch
        span = (job.from_ns // _S, (reached_ns if goes_on else job.to_ns) // _S)
        watch.todo = ranges.minus(watch.todo, (span,))
        if reached_ns >= job.to_ns or goes_on:  # else it is found again
            unseen = ranges.minus((span,), seen)
            watch.tried = ranges.union((*watch.tried, *unseen)) if unseen else watch.tried

    def _ready(self) -> list[Watch]:
        """Those that wait for nothing else: a keeper that gives nothing, or until they are taken
        up again after they ended the process."""
        now_s = self._monotonic()
        watches = self._watches.values()
        return [w for w in watches if now_s >= w.idle_until_s and self._aside(w.camera) == 0]

    def _idle(self) -> list[Watch]:
        return [watch for watch in self._ready() if watch.busy is None]

    def _live(self) -> Job | None:
        if not self._share.has_newest:
            return None
        step_ns = _LIVE_STEP_NS * (2 if len(self._watches) > _MANY else 1)
        due = [w for w in self._idle() if w.behind_ns >= step_ns]
        if not due:
            return None
        watch = max(due, key=lambda w: w.behind_ns)
        to_ns = min(watch.durable_ns[watch.stream], watch.position_ns + _LIVE_MOST_NS)
        return Job(watch, "live", watch.stream, watch.position_ns, to_ns, watch.tier)

    def _old(self) -> Job | None:
        """Only from what live footage leaves over; the newest of all cameras first."""
        if not self._share.has_older:
            return None
        idle = [w for w in self._idle() if w.todo]
        if not idle:
            return None
        watch = max(idle, key=lambda w: w.todo[-1][1])
        span = ranges.newest(watch.todo, _OLD_STEP_S)
        assert span is not None
        return Job(watch, "old", watch.stream, span[0] * _S, span[1] * _S, watch.tier)
