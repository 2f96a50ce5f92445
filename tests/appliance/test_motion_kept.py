"""The motion index beside the ring it describes: what comes in, and what goes with the video."""

from __future__ import annotations

import queue
import resource
import shutil
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from pathlib import Path

import msgspec
import pytest

from footage_maker import CAMERA, CAMERA_ROW, MAIN, Run, make_disk, make_home, write
from look_rig import keepers
from segment_maker import Stream, encode
from vonggac.errors import StorageError
from vonggac.media.chunk import Codec
from vonggac.motion import ranges
from vonggac.motion.ranges import Ranges
from vonggac.motion.slots import NO_CELLS, Slot, Tier, cells_of
from vonggac.registry.camera import AdminState, Basis, Camera, Mode, OwnerKind
from vonggac.registry.catalog import Catalog
from vonggac.registry.rules import is_indexed
from vonggac_appliance import motion_older
from vonggac_appliance.motion_decoding import Decoding, Seen
from vonggac_appliance.motion_keeping import MotionKeeping
from vonggac_appliance.motion_plan import MotionPlan
from vonggac_appliance.motion_reading import MotionReader
from vonggac_appliance.motion_survey import Begins, Surveyed, Surveyor
from vonggac_appliance.motion_suspects import MotionSuspects

_S = 1_000_000_000
_DEADLINE_S = 120.0
_LENGTH_S = 20


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Stream:
    """A test picture in which much moves, with pictures that are shown before those they need."""
    ffmpeg = shutil.which("ffmpeg")
    if ffmpeg is None:
        pytest.skip("ffmpeg is not installed")
    return encode(ffmpeg, Codec.H264, tmp_path_factory.mktemp("clip"), 4, 2)


class Rig:
    """Twenty seconds on a disk with its keeper, an hour ago; an index that knows nothing."""

    def __init__(self, home: Path, clip: Stream, stack: ExitStack) -> None:
        self.home = home
        self.start_s = int(time.time()) - 3600
        make_home(home, msgspec.structs.replace(CAMERA_ROW, streams=CAMERA_ROW.streams[:1]))
        disk = make_disk(home)
        write(disk, Run(clip, self.start_s * _S).chunks(_LENGTH_S))
        (self.keeper,) = stack.enter_context(keepers(home, disk))
        with Catalog(home, is_readonly=True) as catalog:
            self.disks = tuple(row.uuid for row in catalog.disks())
            self.cameras = catalog.cameras()
        self.plan = MotionPlan(4.0)
        self.keeping = MotionKeeping(home / "motion", 1 << 30, self.plan)
        self.keeping.take_cameras(self.cameras, time.time_ns())
        self.inbox: queue.Queue[Seen | Surveyed | Begins] = queue.Queue()
        self.turns = 0
        self.is_decoding = False

    @property
    def footage(self) -> Ranges:
        return ((self.start_s, self.start_s + _LENGTH_S),)

    def known(self) -> Ranges:
        covered = self.keeping.index.covered(MAIN, 0, 1 << 36)
        return ranges.union((one.from_s, one.to_s) for one in covered)

    def know(self, from_s: int, to_s: int) -> None:
        """As if it had been recorded and indexed."""
        slots = [Slot(second, cells_of([5]), Tier.FULL) for second in range(from_s, to_s)]
        self.keeping.index.add(MAIN, slots)

    @contextmanager
    def decoding(self) -> Iterator[None]:
        """Somebody decodes meanwhile; once, for a plan that is over stays so."""
        suspects = MotionSuspects(self.home / "motion", 1)
        decoding = Decoding(self.home, self.plan, lambda: self.disks, self.inbox.put, 1, suspects)
        decoding.start()
        self.is_decoding = True
        try:
            yield
        finally:
            decoding.close()
            suspects.close()
        assert decoding.failure is None and decoding.skipped == 0

    def decode(self) -> list[Slot]:
        """Until all older footage was looked at."""
        with nullcontext() if self.is_decoding else self.decoding():
            _until(lambda: not any(watch.todo for watch in self.plan.watches()))
        return self.take_in()

    def take_in(self) -> list[Slot]:
        """What was decoded goes into the index."""
        slots: list[Slot] = []
        self.turns = self.inbox.qsize()
        while not self.inbox.empty():
            seen = self.inbox.get()
            assert isinstance(seen, Seen) and self.keeping.see(seen)
            slots += seen.slots
        return slots

    def survey(self) -> list[Surveyed | Begins]:
        """What the surveyor tells of each day, and where the footage begins."""
        self.keeping.look_back()
        span = self.start_s, self.start_s + _LENGTH_S - 1
        days = {second // 86400 for second in span} | self.keeping.days
        surveyor = Surveyor(
            self.home,
            lambda: self.disks,
            lambda: self.keeping.streams,
            lambda: self.keeping.days,
            self.inbox.put,
        )
        surveyor.start()
        count = 1 + len(days)
        found = [self.inbox.get(timeout=_DEADLINE_S) for _ in range(count)]
        surveyor.close()
        return [one for one in found if not isinstance(one, Seen)]


def _until(is_so: Callable[[], bool]) -> None:
    until_s = time.monotonic() + _DEADLINE_S
    while not is_so():
        assert time.monotonic() < until_s
        time.sleep(0.02)  # a plan tells nobody how far it is


@pytest.fixture
def rig(home: Path, clip: Stream) -> Iterator[Rig]:
    with ExitStack() as stack:
        yield Rig(home, clip, stack)


def test_what_was_recorded_before_is_found_missing_and_indexed(rig: Rig) -> None:
    for told in rig.survey():
        if isinstance(told, Begins):
            rig.keeping.begins(told)
        else:
            rig.keeping.reconcile(told)
    (watch,) = rig.plan.watches()
    assert ranges.minus(rig.footage, watch.todo) == ()

    slots = rig.decode()

    assert rig.known() == rig.footage
    assert all(slot.tier is Tier.FULL and slot.cells != NO_CELLS for slot in slots)


def test_older_footage_that_is_looked_at_in_turns_gives_the_same_as_in_one_go(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    def looked_at() -> list[Slot]:
        rig.plan.add_old(CAMERA, rig.footage)
        return rig.decode()

    (watch,) = rig.plan.watches()
    watch.todo = ()
    with rig.decoding():
        monkeypatch.setattr(motion_older, "TURN_S", _DEADLINE_S)
        in_one_go = looked_at()
        monkeypatch.setattr(motion_older, "TURN_S", 0.0)  # a chunk a turn
        rig.plan.retry(CAMERA, rig.footage[0])
        in_turns = looked_at()

    assert rig.turns > _LENGTH_S / 2
    assert in_turns == in_one_go
    assert [slot.second for slot in in_turns] == [*range(rig.start_s, rig.start_s + _LENGTH_S)]


def test_the_newest_footage_is_known_from_where_it_begins_within_a_group_of_pictures(
    rig: Rig,
) -> None:
    (watch,) = rig.plan.watches()
    watch.todo = ()
    watch.position_ns = (rig.start_s + 11) * _S
    rig.plan.heard(MAIN, (rig.start_s + 15) * _S)

    with rig.decoding():
        _until(lambda: watch.position_ns >= (rig.start_s + 15) * _S)

    seconds = {slot.second for slot in rig.take_in()}
    assert seconds == {*range(rig.start_s + 11, rig.start_s + 15)}


def test_what_was_caught_up_and_lost_is_made_again_by_the_same_process(rig: Rig) -> None:
    with rig.decoding():
        rig.plan.add_old(CAMERA, rig.footage)
        rig.decode()
        rig.keeping.index.flush()
        rig.keeping.index.compact()
        assert rig.known() == rig.footage
        for day in rig.keeping.index.days(MAIN):
            rig.keeping.index.damage(MAIN, day, "its head is torn")
        assert rig.known() == ()

        for told in rig.survey():
            if isinstance(told, Surveyed):
                rig.keeping.reconcile(told)
        rig.decode()

    assert rig.known() == rig.footage


def test_where_the_index_of_a_disk_refuses_footage_stays_to_be_indexed(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise StorageError("a row is rotten")

    (watch,) = rig.plan.watches()
    with rig.decoding():
        with monkeypatch.context() as patched:
            patched.setattr(MotionReader, "rows", refuse)
            rig.plan.add_old(CAMERA, rig.footage)
            assert rig.decode() == []
        assert "rotten" in watch.what

        rig.plan.add_old(CAMERA, rig.footage)
        rig.decode()
    assert rig.known() == rig.footage


def test_what_a_full_index_would_not_take_is_not_decoded_for_it(rig: Rig) -> None:
    rig.know(rig.start_s + 86_400, rig.start_s + 86_520)
    rig.keeping.index.flush()
    rig.keeping.index.compact()
    rig.keeping.close()
    size_bytes = rig.keeping.index.size_bytes
    keeping = MotionKeeping(rig.home / "motion", size_bytes, rig.plan)
    keeping.take_cameras(rig.cameras, time.time_ns())
    for watch in rig.plan.watches():
        watch.todo = ()

    keeping.reconcile(Surveyed(CAMERA, rig.start_s - 60, rig.start_s + 60, {MAIN: rig.footage}))

    assert [watch.todo for watch in rig.plan.watches()] == [()]
    keeping.close()


def test_where_a_process_ended_long_ago_is_looked_at_again(rig: Rig) -> None:
    rig.know(rig.start_s, rig.start_s + 10)  # and of the tenth second perhaps a picture alone
    rig.keeping.close()

    plan = MotionPlan(4.0)
    again = MotionKeeping(rig.home / "motion", 1 << 30, plan)
    again.take_cameras(rig.cameras, time.time_ns())

    (watch,) = plan.watches()
    assert ranges.minus(((rig.start_s, rig.start_s + 10),), watch.todo) == ()
    again.close()


def test_by_key_frames_alone_a_second_says_so(rig: Rig) -> None:
    rig.plan.govern({CAMERA: Tier.KEY})
    rig.plan.add_old(CAMERA, rig.footage)

    rig.decode()

    (known,) = rig.keeping.index.covered(MAIN, 0, 1 << 36)
    assert known.tier is Tier.KEY
    assert known.to_s - known.from_s >= _LENGTH_S - 3


def test_what_is_gone_from_the_ring_leaves_the_index_though_nobody_told(rig: Rig) -> None:
    rig.know(rig.start_s - 300, rig.start_s + _LENGTH_S + 300)

    found = rig.survey()
    for told in found:
        if isinstance(told, Surveyed):
            rig.keeping.reconcile(told)

    assert rig.known() == rig.footage


def test_what_lies_before_the_first_footage_goes_by_whole_hours(rig: Rig) -> None:
    hour_s = rig.start_s // 3600 * 3600
    rig.know(hour_s - 4000, rig.start_s + _LENGTH_S)

    (told,) = [one for one in rig.survey() if isinstance(one, Begins)]
    rig.keeping.begins(told)
    while rig.keeping.turn():
        pass

    ((from_s, to_s),) = rig.known()
    assert from_s == told.first_s // 3600 * 3600 <= rig.start_s
    assert rig.keeping.begins_s(MAIN) == told.first_s == rig.start_s
    assert to_s == rig.start_s + _LENGTH_S


def test_streams_that_cross_an_hour_together_are_cut_one_a_turn(rig: Rig) -> None:
    hour_s = rig.start_s // 3600 * 3600
    streams = [bytes([n]) * 16 for n in range(8)]
    for stream in streams:
        slots = [Slot(second, cells_of([5]), Tier.FULL) for second in (hour_s - 1, hour_s)]
        rig.keeping.index.add(stream, slots)

    for stream in streams:
        rig.keeping.begins(Begins(stream, hour_s))

    def cut() -> int:
        return sum(not rig.keeping.index.covered(stream, 0, hour_s) for stream in streams)

    assert cut() == 0
    assert {rig.keeping.begins_s(stream) for stream in streams} == {hour_s}, "searches at once"
    for count in range(1, 9):
        assert rig.keeping.turn(), "searches and slots have their turn in between"
        assert cut() == count
    assert all(rig.keeping.index.covered(stream, hour_s, hour_s + 1) for stream in streams)


def test_what_a_clock_ahead_left_goes_with_its_footage_and_not_a_year_later(rig: Rig) -> None:
    next_year_s = rig.start_s + 365 * 86_400
    rig.know(rig.start_s, rig.start_s + _LENGTH_S)
    rig.know(next_year_s, next_year_s + 60)

    for told in rig.survey():
        if isinstance(told, Surveyed):
            rig.keeping.reconcile(told)

    assert rig.known() == rig.footage


def test_while_a_disk_is_away_nothing_is_taken_for_gone(rig: Rig) -> None:
    rig.know(rig.start_s - 300, rig.start_s)
    rig.keeper.kill()
    surveyor = Surveyor(
        rig.home,
        lambda: rig.disks,
        lambda: rig.keeping.streams,
        lambda: {rig.start_s // 86400},
        rig.inbox.put,
    )
    surveyor.start()
    with pytest.raises(queue.Empty):
        rig.inbox.get(timeout=2.0)
    surveyor.close()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_survey_that_ended_by_our_own_mistake_is_seen(rig: Rig) -> None:
    ended = threading.Event()

    def tell(one: Surveyed | Begins) -> None:
        ended.set()
        raise RuntimeError(f"not to be told: {one}")

    surveyor = Surveyor(
        rig.home, lambda: rig.disks, lambda: rig.keeping.streams, lambda: rig.keeping.days, tell
    )
    surveyor.start()
    assert ended.wait(_DEADLINE_S)
    surveyor.close()
    assert isinstance(surveyor.failure, RuntimeError)


def test_an_agreement_ends_by_the_clock_whatever_the_catalog_says(rig: Rig) -> None:
    assert rig.keeping.may_tell(CAMERA)
    now_ns = time.time_ns()
    basis = Basis(Mode.RECORDED, 1, now_ns)
    ending = msgspec.structs.replace(rig.cameras[0], owner_kind=OwnerKind.HOUSEHOLD, basis=basis)

    rig.keeping.take_cameras([ending], now_ns - 1)

    assert CAMERA in rig.keeping.streams
    assert not rig.keeping.may_tell(CAMERA)


def test_older_footage_on_a_disk_that_is_away_stays_to_be_indexed(rig: Rig) -> None:
    rig.keeper.kill()
    rig.plan.add_old(CAMERA, rig.footage)
    rig.decode()

    rig.plan.add_old(CAMERA, rig.footage)
    (watch,) = rig.plan.watches()
    assert watch.todo == rig.footage


@pytest.mark.parametrize(
    "changes",
    [
        {"admin_state": AdminState.WITHDRAWN},
        {"owner_kind": OwnerKind.HOUSEHOLD},
        {"owner_kind": OwnerKind.HOUSEHOLD, "basis": Basis(Mode.RECORDED, 1, 2)},
        {"owner_kind": OwnerKind.HOUSEHOLD, "basis": Basis(Mode.EXTRACT_ON_REQUEST, 1)},
    ],
    ids=["withdrawn", "no agreement", "agreement ended", "extracts on request"],
)
def test_what_an_agreement_no_longer_allows_is_forgotten_at_once(
    rig: Rig, changes: dict[str, object]
) -> None:
    rig.know(rig.start_s, rig.start_s + _LENGTH_S)
    seen = Seen(CAMERA, MAIN, (Slot(rig.start_s, cells_of([5]), Tier.FULL),), is_live=True)
    shut = msgspec.structs.replace(rig.cameras[0], **changes)

    rig.keeping.take_cameras([shut], time.time_ns())

    assert rig.known() == ()
    assert not rig.keeping.see(seen), "what was being decoded meanwhile is not kept either"
    assert rig.plan.watches() == []


def test_a_full_disk_keeps_nothing_known_that_has_to_go(rig: Rig) -> None:
    rig.know(rig.start_s, rig.start_s + _LENGTH_S)
    shut = msgspec.structs.replace(rig.cameras[0], admin_state=AdminState.WITHDRAWN)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, before[1]))  # refuses as a full disk does
    try:
        rig.keeping.take_cameras([shut], time.time_ns())
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)

    assert rig.known() == ()


def test_a_camera_that_was_removed_keeps_its_index_as_long_as_its_footage(rig: Rig) -> None:
    rig.know(rig.start_s - 300, rig.start_s + _LENGTH_S)
    rig.keeping.take_cameras([], time.time_ns())

    for told in rig.survey():
        if isinstance(told, Surveyed):
            rig.keeping.reconcile(told)

    assert rig.known() == rig.footage


@pytest.mark.parametrize(
    ("camera", "is_so"),
    [
        ({"owner_kind": OwnerKind.STATE}, True),
        ({"owner_kind": OwnerKind.STATE, "admin_state": AdminState.PAUSED}, True),
        ({"owner_kind": OwnerKind.UNCLASSIFIED}, True),
        ({"owner_kind": OwnerKind.HOUSEHOLD, "basis": Basis(Mode.RECORDED, 1)}, True),
        ({"owner_kind": OwnerKind.SCHOOL, "basis": Basis(Mode.REGISTRY_ONLY, 1)}, False),
    ],
)
def test_whose_motion_may_be_known(camera: dict[str, object], is_so: bool) -> None:
    made: Camera = msgspec.structs.replace(CAMERA_ROW, **camera)

    assert is_indexed(made, 1000 * _S) is is_so
