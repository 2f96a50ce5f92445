"""A box that decodes with one thread, in time of its own: real plan and governor, no pictures."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from vonggac.motion import ranges
from vonggac.motion.governor import tiers
from vonggac.motion.slots import Tier
from vonggac.registry.camera import Camera, Stream
from vonggac_appliance.motion_older import TURN_S, WARM_S
from vonggac_appliance.motion_plan import MotionPlan
from vonggac_appliance.motion_watch import Job

_S = 1_000_000_000
_START_S = 1_800_000_000
_KEY_SHARE = 0.12
_TURN_CPU_S = 0.0023
"""Two questions to a keeper (docs/design/motion.md)."""
_GOVERN_S = 5.0
_SHAPE = (640 * 360, 10.0)


@dataclass
class Box:
    """`costs`: of each camera, in cores; `given`: of a core, what others leave of it."""

    costs: list[float]
    backlog_s: int = 3600
    """Of each camera."""
    given: float = 1.0
    cores: float = 0.5
    now_s: float = 0.0
    waits_s: list[tuple[float, float]] = field(default_factory=list)
    """When newest footage was indexed, and how long ago the first of it had happened."""
    spent: list[tuple[float, float]] = field(default_factory=list)
    """When, and how much CPU."""
    changes: list[tuple[float, str, Tier]] = field(default_factory=list)
    caught_up_s: int = 0
    stalls: tuple[float, float] = (0.0, 0.0)
    """In between nothing becomes durable."""

    def __post_init__(self) -> None:
        self.plan = MotionPlan(self.cores, self._wall_ns, lambda: self.now_s)
        self.cameras = [
            Camera(
                bytes([n]) * 16,
                f"cam{n}",
                (Stream(bytes([n, 1]) * 8, "sub", "rtsp://127.0.0.1/"),),
                1,
            )
            for n in range(len(self.costs))
        ]
        self.plan.update(self.cameras)
        for camera in self.cameras:
            self.plan.add_old(camera.id, [(_START_S - self.backlog_s, _START_S)])
        self._begun: dict[bytes, tuple[int, float]] = {}
        self._govern_s = _GOVERN_S

    def run(self, seconds: float) -> None:
        """So long."""
        until_s = self.now_s + seconds
        while self.now_s < until_s:
            self._hear()
            self._govern()
            job = self.plan.take(0.0)
            if job is None:
                self.now_s += 0.05
            elif job.kind == "live":
                self._live(job)
            else:
                self._old(job)

    def longest_wait_s(self, since_s: float) -> float:
        """From a moment to its being in the index."""
        waits = [wait_s for at_s, wait_s in self.waits_s if at_s >= since_s]
        still = [(self._wall_ns() - w.position_ns) / _S for w in self.plan.watches()]
        return max(*waits, *still)

    def most_spent(self, within_s: float) -> float:
        """CPU in the worst stretch of so many seconds."""
        window: deque[tuple[float, float]] = deque()
        total = most = 0.0
        for at_s, cpu_s in self.spent:
            window.append((at_s, cpu_s))
            total += cpu_s
            while window[0][0] < at_s - within_s:
                total -= window.popleft()[1]
            most = max(most, total)
        return most

    def _wall_ns(self) -> int:
        return int((_START_S + self.now_s) * _S)

    def _hear(self) -> None:
        """A chunk is a second long, and durable within a second."""
        begin_s, end_s = self.stalls
        at_s = begin_s if begin_s <= self.now_s < end_s else self.now_s
        for n, camera in enumerate(self.cameras):
            phase_s = n / len(self.cameras)
            durable_s = (at_s - 0.5 - phase_s) // 1 + phase_s
            self.plan.heard(camera.streams[0].id, int((_START_S + durable_s) * _S))

    def _govern(self) -> None:
        if self.now_s < self._govern_s:
            return
        self._govern_s += _GOVERN_S
        costs = {w.camera: w.cost for w in self.plan.watches() if w.cost is not None}
        for watch in self.plan.govern(tiers(costs, self.cores, self.plan.lag_s())):
            self.changes.append((self.now_s, watch.code, watch.tier))

    def _live(self, job: Job) -> None:
        cpu_s = _TURN_CPU_S + (job.to_ns - job.from_ns) / _S * self._cost(job)
        self._spend(cpu_s)
        self.waits_s.append((self.now_s, (self._wall_ns() - job.from_ns) / _S))
        self._hear()
        self.plan.done(job, job.to_ns, cpu_s, _SHAPE)

    def _old(self, job: Job) -> None:
        """As OlderFootage does it."""
        begun_ns, at_s = self._begun.pop(job.watch.camera, (0, 0.0))
        if begun_ns != job.from_ns:
            at_s = job.from_ns / _S - WARM_S
        cost, cpu_s = self._cost(job), _TURN_CPU_S
        while cpu_s < TURN_S * self.given and at_s < job.to_ns / _S:
            at_s += 1
            cpu_s += cost
        goes_on = at_s < job.to_ns / _S
        reached_ns = max(job.from_ns, int(at_s - 1) * _S) if goes_on else job.to_ns
        if goes_on:
            self._begun[job.watch.camera] = reached_ns, at_s
        self.caught_up_s += (reached_ns - job.from_ns) // _S
        self._spend(cpu_s)
        self._hear()
        seen = ranges.union([(job.from_ns // _S, reached_ns // _S)])
        self.plan.done(job, reached_ns, cpu_s, _SHAPE, seen, goes_on=goes_on)

    def _cost(self, job: Job) -> float:
        whole = self.costs[job.watch.camera[0]]
        return whole if job.tier is Tier.FULL else whole * _KEY_SHARE

    def _spend(self, cpu_s: float) -> None:
        self.now_s += cpu_s / self.given
        self.spent.append((self.now_s, cpu_s))
