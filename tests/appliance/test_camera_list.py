"""The list of cameras and the state of the box, beside a real recorder and without one."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import pytest

from audit_rig import audit_run
from box_rig import DEADLINE_S, Box, Cameras
from own_time import waited_s
from vonggac.errors import Invalid, Missing, Unavailable
from vonggac.registry.camera import Camera, OwnerKind, Stream
from vonggac.registry.catalog import Catalog
from vonggac.registry.people import Person, Role
from vonggac_appliance.box_status import BoxStatus
from vonggac_appliance.camera_list import CameraList, CameraRow, counts_of
from vonggac_appliance.footage import timeline_of
from vonggac_appliance.recorder_events import RecorderEvents
from vonggac_appliance.recorder_watch import RecorderWatch

S = 1_000_000_000
COMMANDER = Person("c" * 32, Role.COMMANDER)
OFFICER = Person("o" * 32, Role.AREA_OFFICER, ("tổ 3",))
STRANGE = "cam</script><b onclick='x'>\"&\""


@dataclass(slots=True)
class Page:
    """What `serve` opens of this part."""

    home: Path
    stack: ExitStack = field(default_factory=ExitStack)

    def __enter__(self) -> Page:
        self.catalog = self.stack.enter_context(Catalog(self.home))
        events = RecorderEvents(self.home)
        self.stack.callback(events.close)
        self.watch = RecorderWatch(self.home, events)
        self.stack.callback(self.watch.close)
        self.cameras = CameraList(self.home, self.catalog, self.watch)
        self.stack.callback(self.cameras.close)
        self.status = BoxStatus(self.home, self.catalog, self.watch)
        self.stack.callback(self.status.close)
        return self

    def __exit__(self, *exc: object) -> None:
        self.stack.close()

    catalog: Catalog = field(init=False)
    watch: RecorderWatch = field(init=False)
    cameras: CameraList = field(init=False)
    status: BoxStatus = field(init=False)
    since_s: dict[str, float] = field(default_factory=dict)

    def row(self, code: str, person: Person = COMMANDER) -> CameraRow:
        (found,) = [row for row in self.cameras.rows(person) if row.code == code]
        return found

    def until(self, is_so: Callable[[], bool]) -> None:
        until_s = time.monotonic() + DEADLINE_S
        while not is_so():
            assert time.monotonic() < until_s
            time.sleep(0.1)  # the page is asked again, as a browser does


@pytest.fixture(scope="module")
def cameras() -> Iterator[Cameras]:
    served = Cameras()
    yield served
    served.stop()


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory, cameras: Cameras) -> Iterator[Box]:
    made = Box(tmp_path_factory.mktemp("box") / "home")
    for name in cameras.names:
        made.add(cameras, name)
    yield made
    made.discard()


def test_a_recorded_camera_shows_what_it_really_delivers(box: Box) -> None:
    with box.running(), Page(box.home) as page:
        box.until_durable(2)
        # Over five counts at least: a second more or less would be a lot of one second.
        page.until(lambda: _rate_of(page, 4.0))
        row = page.row("cam1")
        main = row.streams[0]
        assert (row.state, row.gap_reason, row.since_ns) == ("recording", None, None)
        assert (main.codec, main.width > 0, main.height > 0) == ("h264", True, True)
        assert main.rate is not None
        assert 22 < main.rate.samples_per_s < 28
        assert 10_000 < main.rate.bits_per_s < 20_000_000
        assert counts_of(page.cameras.rows(COMMANDER)).recording == 2


def _rate_of(page: Page, seconds: float) -> bool:
    """Whether cam1 was looked at for so long."""
    row = page.row("cam1")
    since_s = page.since_s.setdefault(row.code, time.monotonic())
    return row.streams[0].rate is not None and time.monotonic() - since_s >= seconds


def test_the_days_bar_is_what_the_rows_say(box: Box) -> None:
    with box.running(), Page(box.home) as page:
        box.until_durable(2)
        row = page.row("cam1")
        assert row.day is not None
        disks = [(box.disk, disk.uuid) for disk in page.catalog.disks()]
        main = row.streams[0].id
        line = timeline_of(box.home, disks, main, row.day.from_ns, row.day.to_ns)
        assert row.day.ranges[0][0] == line.ranges[0].from_ns
        assert [gap.reason for gap in row.day.gaps] == [gap.reason for gap in line.gaps[1:]]

        now_ns = time.time_ns()
        bar = page.cameras.timeline(COMMANDER, row.id, "main", now_ns - 60 * S, now_ns, 3000)
        assert bar.durable_until_ns is not None and bar.durable_until_ns > now_ns - 10 * S
        assert bar.ranges
        assert all(bar.from_ns <= a < b <= bar.to_ns for a, b in bar.ranges)


def test_a_lost_camera_says_why_and_since_when(box: Box) -> None:
    served = Cameras(1)
    url = served.url("cam1", "main")
    box.run_here("camera", "add", "cam9", "--url", url, "--credentials-file", str(box.login))
    try:
        with box.running(), Page(box.home) as page:
            page.until(lambda: counts_of(page.cameras.rows(COMMANDER)).recording == 3)
            before_ns = time.time_ns()
            served.stop()
            page.until(lambda: not page.row("cam9").is_recording)
            row = page.row("cam9")
            assert row.is_red  # added without --owner-kind
            assert row.gap_reason in ("camera off", "network", "refused")
            # Between its last picture and now, however long the page took to learn of it.
            assert row.since_ns is not None
            assert before_ns - 15 * S < row.since_ns <= time.time_ns()
            assert counts_of(page.cameras.rows(COMMANDER)).not_recording == 1
    finally:
        box.run("camera", "remove", "cam9")


def test_an_area_officer_learns_of_his_own_cameras_only(box: Box) -> None:
    with Page(box.home) as page:
        for row in page.cameras.rows(COMMANDER, 0.0):
            camera = page.catalog.camera(row.code)
            assert camera is not None
            area = "tổ 3" if row.code == "cam1" else "tổ 7"
            page.catalog.change_camera(_changed(camera, area=area))
        other = page.row("cam2").id

        assert [row.code for row in page.cameras.rows(OFFICER, 0.0)] == ["cam1"]
        assert counts_of(page.cameras.rows(OFFICER, 0.0)).cameras == 1
        with pytest.raises(Missing):
            page.cameras.camera(OFFICER, other)
        with pytest.raises(Missing):
            page.cameras.timeline(OFFICER, other, "main", 0, S, 10)
        with pytest.raises(Missing):
            page.cameras.camera(COMMANDER, os.urandom(16))


@pytest.mark.parametrize(
    ("from_ns", "to_ns", "pixels", "field_name"),
    [
        pytest.param(S, S, 10, "to", id="empty"),
        pytest.param(2 * S, S, 10, "to", id="reversed"),
        pytest.param(-(1 << 70), S, 10, "to", id="no-time"),
        pytest.param(0, 400 * 86_400 * S, 10, "from", id="more-than-a-year"),
        pytest.param(0, S, 0, "pixels", id="no-pixels"),
        pytest.param(0, S, 1 << 20, "pixels", id="a-million-pixels"),
    ],
)
def test_a_range_that_is_none_is_named(
    box: Box, from_ns: int, to_ns: int, pixels: int, field_name: str
) -> None:
    with Page(box.home) as page:
        camera = page.catalog.cameras()[0]
        with pytest.raises(Invalid) as refused:
            page.cameras.timeline(COMMANDER, camera.id, "main", from_ns, to_ns, pixels)
    assert refused.value.field == field_name


def test_without_a_recorder_the_list_stays_and_says_since_when(box: Box) -> None:
    with box.running(), Page(box.home) as page:
        box.until_durable(1)
        assert page.row("cam1").is_recording
        before_ns = time.time_ns()
        box.stop(signal.SIGTERM)
        page.until(lambda: page.row("cam1").state == "stopped")
        seen_ns = page.row("cam1").since_ns
        assert seen_ns is not None and before_ns - 15 * S < seen_ns <= time.time_ns()
        assert page.row("cam1").day is not None  # what was asked before
        with pytest.raises(Unavailable):
            page.cameras.timeline(COMMANDER, page.row("cam1").id, "main", 0, S, 10)
        box.start()

    with Page(box.home) as page:  # the page is started anew, the recorder is away
        row = page.row("cam1")
        assert row.state == "stopped" and row.since_ns is not None
        assert before_ns - 30 * S < row.since_ns <= time.time_ns()
        assert counts_of(page.cameras.rows(COMMANDER)).not_recording == 2


def test_a_recorder_that_hangs_keeps_no_request_waiting(box: Box) -> None:
    with box.running() as running, Page(box.home) as page:
        box.until_durable(1)
        assert page.row("cam1").is_recording
        page.status.facts()
        assert running.process is not None
        os.kill(running.process.pid, signal.SIGSTOP)
        try:
            waits_s = []
            until_s = time.monotonic() + DEADLINE_S
            while page.row("cam1").state != "stopped":
                waits_s.append(waited_s(lambda: page.cameras.rows(COMMANDER)))
                waits_s.append(waited_s(page.status.facts))
                assert time.monotonic() < until_s
                time.sleep(0.1)  # the page is asked again, as a browser does
            assert max(waits_s) < 3.0
        finally:
            os.kill(running.process.pid, signal.SIGCONT)


def test_the_box_tells_of_disks_clock_processes_and_chain(box: Box) -> None:
    with audit_run(box.home), box.running(), Page(box.home) as page:
        box.until_durable(1)
        page.cameras.rows(COMMANDER)
        facts = page.status.facts(5.0)

        (disk,) = facts.disks
        assert disk.is_answering and disk.state == "recording"
        assert disk.used_bytes is not None and 0 < disk.used_bytes < disk.capacity_bytes
        assert disk.loss_bound_ms is not None and 1000 < disk.loss_bound_ms < 10_000
        assert disk.oldest_ns is not None
        assert facts.chain.is_open and facts.chain.lines >= 1
        assert facts.chain.head == (box.home / "audit" / "head").read_text().strip()
        pids = {(p.role, p.number): p.pid for p in facts.processes}
        assert box.process is not None
        assert pids["record", 0] == box.process.pid
        assert {pids["loop", 0], pids["keeper", 0]} == set(box.children())
        assert pids["serve", 0] == pids["audit", 0] == os.getpid()  # threads of this test
        assert all(p.memory_bytes and p.since_ns for p in facts.processes)
        assert page.status.missing() == ()
        page.until(lambda: page.watch.counters.written_bytes > 0)

        box.stop()
        page.until(lambda: page.status.missing() == ("recorder",))
        page.until(lambda: page.status.facts().disks[0].state == "down")
        box.start()


def test_without_the_audit_chain_the_box_is_not_ready(home: Path) -> None:
    with Page(home) as page:
        assert page.status.missing() == ("recorder", "audit")
        assert page.status.facts().chain.is_answering is False
        with audit_run(home):
            page.until(lambda: page.status.missing() == ("recorder",))
        page.until(lambda: page.status.missing() == ("recorder", "audit"))


def test_512_cameras_are_listed_fast(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with Catalog(home) as catalog:
        for number in range(512):
            catalog.add_camera(
                Camera(
                    id=os.urandom(16),
                    code=f"{STRANGE}{number:03}",
                    streams=tuple(Stream(os.urandom(16), n, "rtsp://x/") for n in ("main", "sub")),
                    created_ns=0,
                    point=STRANGE,
                    area="tổ 3",
                    owner_kind=OwnerKind.UNCLASSIFIED if number % 4 == 0 else OwnerKind.STATE,
                )
            )
    with Page(home) as page:
        page.cameras.rows(COMMANDER)
        begun_s = time.thread_time()  # what others take of a core is not ours
        rows = page.cameras.rows(COMMANDER)
        took_s = time.thread_time() - begun_s
    with capsys.disabled():
        print(f" {took_s * 1000:.1f} ms", end="")
    counts = counts_of(rows)
    assert (counts.cameras, counts.recording, counts.red) == (512, 0, 128)
    assert took_s < 0.5


def _changed(camera: Camera, **changes: object) -> Camera:
    return msgspec.structs.replace(camera, **changes)
