"""Who is decoded next, with a clock of the test's own."""

from __future__ import annotations

from dataclasses import dataclass, field

from vonggac.motion.slots import Tier
from vonggac.registry.camera import Camera, Stream
from vonggac_appliance.motion_plan import MotionPlan
from vonggac_appliance.motion_watch import Job, Watch

_S = 1_000_000_000
_NOW_S = 1_800_000_000
_SHAPE = (640 * 360, 10.0)


@dataclass
class Rig:
    """A plan for half a core."""

    names: tuple[str, ...] = ("sub", "main")
    now_s: float = _NOW_S
    plan: MotionPlan = field(init=False)
    cameras: list[Camera] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.plan = MotionPlan(0.5, lambda: int(self.now_s * _S), lambda: self.now_s)

    def add(self, number: int) -> Watch:
        streams = tuple(
            Stream(bytes([number, at]) * 8, name, "rtsp://127.0.0.1/")
            for at, name in enumerate(self.names)
        )
        self.cameras.append(Camera(bytes([number]) * 16, f"cam{number}", streams, 1))
        self.plan.update(self.cameras)
        return next(w for w in self.plan.watches() if w.code == f"cam{number}")

    def take(self) -> Job | None:
        return self.plan.take(0.0)

    def finish(self, job: Job, cpu_s: float = 0.001, reached_ns: int | None = None) -> None:
        self.plan.done(job, job.to_ns if reached_ns is None else reached_ns, cpu_s, _SHAPE)


def test_the_newest_footage_comes_before_any_older() -> None:
    rig = Rig()
    watch = rig.add(1)
    rig.plan.add_old(watch.camera, [(_NOW_S - 5000, _NOW_S - 4000)])
    rig.plan.heard(watch.stream, _NOW_S * _S)

    first = rig.take()
    assert first is not None and (first.kind, first.to_ns) == ("live", _NOW_S * _S)
    rig.finish(first)

    second = rig.take()
    assert second is not None and second.kind == "old"
    assert (second.from_ns, second.to_ns) == ((_NOW_S - 4060) * _S, (_NOW_S - 4000) * _S)


def test_the_camera_that_is_most_behind_is_next_and_nobody_has_it_twice() -> None:
    rig = Rig()
    one, two = rig.add(1), rig.add(2)
    rig.plan.heard(one.stream, (_NOW_S - 2) * _S)
    rig.plan.heard(two.stream, _NOW_S * _S)

    jobs = [rig.take(), rig.take(), rig.take()]

    assert [job and job.watch.code for job in jobs] == ["cam2", "cam1", None]


def test_only_footage_that_waits_for_the_processor_counts_as_behind() -> None:
    aside: set[bytes] = set()
    rig = Rig()
    rig.plan = MotionPlan(
        0.5,
        lambda: int(rig.now_s * _S),
        lambda: rig.now_s,
        aside=lambda camera: int(camera in aside),
    )
    crashing, silent, one = rig.add(1), rig.add(2), rig.add(3)
    aside.add(crashing.camera)
    rig.plan.heard(silent.stream, (_NOW_S + 40) * _S)
    job = rig.take()
    assert job is not None and job.watch is silent
    rig.finish(job, reached_ns=job.from_ns)
    rig.plan.heard(crashing.stream, (_NOW_S + 50) * _S)
    rig.plan.heard(one.stream, (_NOW_S - 1) * _S)

    assert rig.plan.lag_s() == 3.0


def test_footage_that_is_far_behind_waits_and_the_newest_goes_on() -> None:
    rig = Rig()
    watch = rig.add(1)
    rig.plan.heard(watch.stream, (_NOW_S + 200) * _S)

    job = rig.take()

    assert job is not None and job.from_ns == (_NOW_S + 198) * _S
    assert watch.todo == ((_NOW_S - 4, _NOW_S + 198),)


def test_no_more_is_given_out_than_the_share_of_the_cpu_allows() -> None:
    rig = Rig()
    watch = rig.add(1)
    for _ in range(20):
        rig.now_s += 1
        rig.plan.heard(watch.stream, int(rig.now_s) * _S)
        job = rig.take()
        if job is not None:
            rig.finish(job, cpu_s=2.0)

    assert watch.cpu_s <= 0.5 * 20 + 2.0 + 1.0, "half a core, the burst and a job under way"


def test_older_footage_has_only_what_is_left_over() -> None:
    rig = Rig()
    watch = rig.add(1)
    rig.plan.add_old(watch.camera, [(_NOW_S - 5000, _NOW_S - 4000)])
    job = rig.take()
    assert job is not None and job.kind == "old"
    rig.finish(job, cpu_s=0.7)

    assert rig.take() is None
    rig.plan.heard(watch.stream, _NOW_S * _S)
    live = rig.take()
    assert live is not None and live.kind == "live"


def test_a_keeper_that_gives_nothing_is_not_asked_again_at_once() -> None:
    rig = Rig()
    watch = rig.add(1)
    rig.plan.heard(watch.stream, _NOW_S * _S)
    job = rig.take()
    assert job is not None
    rig.finish(job, reached_ns=job.from_ns)

    assert rig.take() is None
    rig.now_s += 2
    again = rig.take()
    assert again is not None and again.from_ns == job.from_ns


def test_what_was_tried_is_not_tried_again_unless_somebody_asks_for_it() -> None:
    rig = Rig()
    watch = rig.add(1)
    old = (_NOW_S - 5000, _NOW_S - 4960)
    rig.plan.add_old(watch.camera, [old])
    job = rig.take()
    assert job is not None
    rig.finish(job)

    rig.plan.add_old(watch.camera, [old])
    assert rig.take() is None
    rig.plan.retry(watch.camera, old)
    rig.plan.add_old(watch.camera, [old])
    assert rig.take() is not None


def test_what_was_seen_and_is_missing_again_is_looked_at_again() -> None:
    rig = Rig()
    watch = rig.add(1)
    rig.plan.add_old(watch.camera, [(_NOW_S - 5000, _NOW_S - 4960)])
    job = rig.take()
    assert job is not None
    seen = (_NOW_S - 4990, _NOW_S - 4960)
    rig.plan.done(job, job.to_ns, 0.001, _SHAPE, (seen,))

    rig.plan.add_old(watch.camera, [(_NOW_S - 5000, _NOW_S - 4960)])

    assert watch.todo == (seen,), "of the first ten seconds nothing could be seen"


def test_what_is_left_of_older_footage_is_next() -> None:
    rig = Rig()
    watch = rig.add(1)
    rig.plan.add_old(watch.camera, [(_NOW_S - 5000, _NOW_S - 4000)])
    job = rig.take()
    assert job is not None
    reached_ns = job.from_ns + 20 * _S
    rig.plan.done(job, reached_ns, 0.001, _SHAPE, goes_on=True)

    again = rig.take()
    assert again is not None and (again.from_ns, again.to_ns) == (reached_ns, job.to_ns)


def test_footage_on_a_disk_that_was_away_is_found_again() -> None:
    rig = Rig()
    watch = rig.add(1)
    old = (_NOW_S - 5000, _NOW_S - 4960)
    rig.plan.add_old(watch.camera, [old])
    job = rig.take()
    assert job is not None
    rig.finish(job, reached_ns=job.from_ns)

    rig.plan.add_old(watch.camera, [old])
    assert watch.todo == (old,)


def test_the_main_stream_is_taken_while_the_sub_stream_does_not_come() -> None:
    rig = Rig()
    watch = rig.add(1)
    sub, main = watch.streams["sub"], watch.streams["main"]
    rig.plan.heard(sub, _NOW_S * _S)
    rig.plan.heard(main, (_NOW_S + 20) * _S)
    assert watch.name == "sub"

    rig.plan.heard(main, (_NOW_S + 40) * _S)
    assert watch.name == "main"

    rig.plan.heard(sub, (_NOW_S + 40) * _S)
    assert watch.name == "sub"


def test_a_camera_without_a_sub_stream_is_indexed_by_its_main_one() -> None:
    rig = Rig(("main",))

    assert rig.add(1).name == "main"


def test_a_clock_that_is_set_back_does_not_hold_it_up() -> None:
    rig = Rig()
    watch = rig.add(1)
    rig.plan.heard(watch.stream, _NOW_S * _S)
    job = rig.take()
    assert job is not None
    rig.finish(job)

    rig.plan.heard(watch.stream, (_NOW_S - 3600) * _S)
    again = rig.take()
    assert again is not None and again.to_ns == (_NOW_S - 3600) * _S


def test_another_tier_is_told_once() -> None:
    rig = Rig()
    watch = rig.add(1)

    assert rig.plan.govern({watch.camera: Tier.KEY}) == [watch]
    assert rig.plan.govern({watch.camera: Tier.KEY}) == []


def test_what_a_camera_costs_is_smoothed() -> None:
    rig = Rig()
    watch = rig.add(1)
    for cpu_s in (0.01, 0.05):
        rig.now_s += 5
        rig.plan.heard(watch.stream, int(rig.now_s) * _S)
        job = rig.take()
        assert job is not None
        rig.finish(job, cpu_s=cpu_s)

    assert watch.cost is not None
    assert 0.0006 < watch.cost.full < 0.005


def test_a_camera_that_was_taken_out_is_worked_on_no_more() -> None:
    rig = Rig()
    watch = rig.add(1)
    rig.cameras.clear()
    rig.plan.update([])
    rig.plan.heard(watch.stream, _NOW_S * _S)

    assert rig.take() is None
