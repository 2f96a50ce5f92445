"""What is rotten on a disk, or said by something that is no peer, costs one answer and no more."""

from __future__ import annotations

import contextlib
import os
import select
import shutil
import threading
import time
import tracemalloc
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec
import pytest

from audit_rig import audit_run
from box_rig import DEADLINE_S
from footage_maker import CAMERA, CAMERA_ROW, MAIN, Run, make_disk, make_home, write
from hook_rig import SECOND_NS, answering, until
from look_rig import keepers
from segment_maker import Stream, encode
from vonggac._native import segment as native
from vonggac.media.chunk import Codec
from vonggac.motion.mark_files import MarkFiles
from vonggac.motion.marks import Mark
from vonggac.registry.catalog import Catalog
from vonggac.registry.hooks import Hook, HookKind
from vonggac.store.disk import segment_path
from vonggac_appliance import hook_marks_survey
from vonggac_appliance.hook_log import HookLog
from vonggac_appliance.hook_marks import HookMarks, folder_of
from vonggac_appliance.hook_marks_survey import MarkSurvey
from vonggac_appliance.hook_pictures import HookPictures
from vonggac_appliance.hook_protocol import HookAskPicture, HookPicture, HookRefused
from vonggac_appliance.index_client import IndexClient
from vonggac_appliance.keep_questions import socket_name
from vonggac_appliance.messages import Kind
from vonggac_appliance.messages_audit import AuditReceipt, audit_path
from vonggac_appliance.messages_footage import AskRows, Rows
from vonggac_appliance.sockets import Message, decode, prepare_class

LENGTH_S = 20
ROTTEN = b"\xff" * 40
CLAIM = 32 + 24
"""In a chunk: behind `prft` and the head of `uuid`; the version is its first two bytes."""


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Stream:
    ffmpeg = shutil.which("ffmpeg")
    if ffmpeg is None:
        pytest.skip("ffmpeg is not installed")
    return encode(ffmpeg, Codec.H264, tmp_path_factory.mktemp("clip"), 4, 2)


@pytest.fixture
def start_ns(home: Path) -> int:
    """Where the footage begins that a test writes; its camera is there."""
    make_home(home, msgspec.structs.replace(CAMERA_ROW, streams=CAMERA_ROW.streams[:1]))
    return (int(time.time()) - 120) * SECOND_NS


def granted(made_ns: int) -> Hook:
    return Hook(
        1,
        "traffic desk",
        "counts lorries",
        (CAMERA,),
        (HookKind.KEY_FRAMES,),
        9,
        "",
        1 << 62,
        "",
        "",
        "local:0",
        made_ns,
    )


@contextlib.contextmanager
def pictures(home: Path) -> Iterator[HookPictures]:
    with audit_run(home), Catalog(home, is_readonly=True) as catalog:
        made = HookPictures(home, catalog)
        made.start()
        try:
            yield made
        finally:
            made.close()


def asked(made: HookPictures, hook: Hook, at_ns: int) -> HookPicture | HookRefused:
    """The answer to one question."""
    camera = msgspec.structs.replace(CAMERA_ROW, streams=CAMERA_ROW.streams[:1])
    refused = made.ask(hook, b"who", camera, HookAskPicture(7, "cam1", at_ns))
    if refused is not None:
        return refused
    end_s = time.monotonic() + DEADLINE_S
    while time.monotonic() < end_s:
        select.select([made.bell], [], [], 1.0)
        for _, _, _, told in made.ready():
            return told
    raise AssertionError("no answer came")


def codes(told: Sequence[HookPicture | HookRefused]) -> list[str]:
    return [one.code if isinstance(one, HookRefused) else "picture" for one in told]


def change_version(home: Path, disk: Path, at_ns: int) -> None:
    """One chunk says that it is of a version that is to come."""
    with Catalog(home, is_readonly=True) as catalog:
        (row,) = catalog.disks()
    with IndexClient(home, row.uuid) as client:
        packed = client.rows(MAIN, at_ns, at_ns + 1).packed
    rows = [one for value in packed for one in native.rows_unpack(value)]
    (one,) = [p for p in rows if p.row.wall_start_ns <= at_ns < p.row.wall_end_ns]
    fd = os.open(segment_path(disk, one.segment), os.O_RDWR)
    try:
        assert os.pread(fd, 2, one.row.offset + CLAIM)[0] == 0
        os.pwrite(fd, b"\x7f", one.row.offset + CLAIM)
    finally:
        os.close(fd)


def test_a_damaged_chunk_is_a_missing_picture_and_the_next_one_is_shown(
    home: Path, clip: Stream, start_ns: int
) -> None:
    disk = make_disk(home)
    write(disk, Run(clip, start_ns).chunks(LENGTH_S))
    with keepers(home, disk):
        change_version(home, disk, start_ns + 4 * SECOND_NS)  # a key frame comes in two seconds
        with pictures(home) as made:
            told = [asked(made, granted(1), start_ns + at_s * SECOND_NS) for at_s in (5, 10)]

    assert codes(told) == ["missing", "picture"], told


def keeper_socket(home: Path) -> Path:
    """Where the keeper of the only disk would answer."""
    make_disk(home)
    with Catalog(home, is_readonly=True) as catalog:
        (disk,) = catalog.disks()
    return prepare_class(home, "view") / socket_name(disk.uuid)


def survey_of(home: Path, *cameras: bytes) -> MarkSurvey:
    """Of cameras with one stream each, which has the camera's id."""
    with Catalog(home, is_readonly=True) as catalog:
        uuids = [row.uuid for row in catalog.disks()]
    streams = {camera: (camera,) for camera in cameras}
    return MarkSurvey(home, folder_of(home), lambda: streams, lambda: uuids)


def old_mark(hook: int, number: int = 0) -> Mark:
    """Three days ago; `number`: its second of that day."""
    begin_ns = (int(time.time()) // 86_400 - 3) * 86_400 * SECOND_NS + number * SECOND_NS
    return Mark(hook, begin_ns, begin_ns + 1, "lorry", (0.0, 0.0, 1.0, 1.0), 1.0, begin_ns)


def test_a_rotten_row_is_a_missing_picture_and_the_next_question_is_answered(
    home: Path, start_ns: int
) -> None:
    rows = Rows([ROTTEN], False, None)
    with answering(keeper_socket(home), Kind.ROWS, lambda _: rows), pictures(home) as made:
        told = [asked(made, granted(1), start_ns) for _ in range(2)]

    assert codes(told) == ["missing", "missing"]


def test_a_picture_of_before_the_grant_is_refused_though_its_moment_is_within(
    home: Path, clip: Stream, start_ns: int
) -> None:
    """The camera sends a key frame in ten seconds."""
    disk = make_disk(home)
    write(disk, Run(clip, start_ns).chunks(LENGTH_S, sync_s=10))
    hook = granted(start_ns + 3 * SECOND_NS)
    with keepers(home, disk), pictures(home) as made:
        told = [asked(made, hook, start_ns + at_s * SECOND_NS) for at_s in (2, 5, 12)]

    assert codes(told) == ["at_ns", "at_ns", "picture"]
    assert "before the grant" in str(told[1])


@pytest.mark.parametrize("is_row", [True, False], ids=["a row", "the marks themselves"])
def test_what_is_rotten_of_one_camera_keeps_no_other_from_being_compared(
    home: Path, is_row: bool
) -> None:
    bad, good = b"\1" * 16, b"\2" * 16
    files = MarkFiles(folder_of(home), 1 << 20)
    files.add(good, old_mark(1))
    if is_row:
        files.add(bad, old_mark(1))
    else:
        (folder_of(home) / bad.hex()).touch()
    files.close()

    def rows(question: Message) -> Rows:
        is_bad = decode(question, AskRows).stream == bad
        return Rows([ROTTEN] if is_bad else [], False, None)

    with answering(keeper_socket(home), Kind.ROWS, rows):
        survey = survey_of(home, bad, good)
        survey.look()
        survey.close()

    assert survey.gone.get_nowait().camera == good
    assert survey.gone.empty()


def test_a_day_of_marks_of_many_hooks_is_not_held_at_once(home: Path) -> None:
    hooks, of_each = 8, 1000
    files = MarkFiles(folder_of(home), 1 << 26)
    for hook in range(1, hooks + 1):
        for number in range(of_each):
            files.add(CAMERA, old_mark(hook, number))
    size_bytes = files.size_bytes
    files.close()
    with answering(keeper_socket(home), Kind.ROWS, lambda _: Rows([], False, None)):
        survey = survey_of(home, CAMERA)
        tracemalloc.start()
        try:
            survey.look()
            _, peak_bytes = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        survey.close()

    assert survey.gone.get_nowait().camera == CAMERA
    assert peak_bytes < size_bytes


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_comparison_that_ended_by_our_own_mistake_ends_the_process(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: MarkSurvey) -> None:
        raise ValueError("a mistake")

    monkeypatch.setattr(hook_marks_survey, "_FIRST_S", 0.0)
    monkeypatch.setattr(MarkSurvey, "look", fail)
    make_home(home)
    with Catalog(home, is_readonly=True) as catalog:
        marks = HookMarks(home, catalog, lambda _: None)
        marks.start()
        with pytest.raises(RuntimeError, match="has ended"):
            until("its end", lambda: marks.turn(time.time_ns(), time.monotonic()))
        marks.close()


def test_a_slow_chain_is_waited_for_three_seconds_a_turn_and_not_for_each_hook(home: Path) -> None:
    log, never = HookLog(home), threading.Event()
    prepare_class(home, "audit")

    def slowly(_: Message) -> AuditReceipt:
        never.wait(1.2)
        return AuditReceipt(1, b"")

    with answering(audit_path(home), Kind.AUDIT_RECEIPT, slowly):
        began_s = time.monotonic()
        opened = [log.open(granted(1), f"cam{n}", 1, 100.0) for n in range(12)]
        lasted_s = time.monotonic() - began_s
        log.begin_turn()
        assert not log.open(granted(1), "cam20", 1, 104.0), "as after a failure"
        assert log.open(granted(1), "cam20", 1, 110.0)
    log.close()

    assert opened == [True, True] + [False] * 10
    assert lasted_s < 6


def test_where_something_else_answers_for_the_chain_nothing_is_given(home: Path) -> None:
    log, path = HookLog(home), audit_path(home)
    prepare_class(home, "audit")
    with answering(path, Kind.AUDIT_RECEIPT, lambda _: b"\xc1"):
        assert not log.open(granted(1), "cam1", 1, 1.0)
    path.unlink()
    with audit_run(home):
        assert log.open(granted(1), "cam1", 1, 100.0)
    log.close()
