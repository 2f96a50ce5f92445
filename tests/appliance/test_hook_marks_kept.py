"""Marks go when the footage that they speak of goes; while they come the bus tells of them."""

from __future__ import annotations

import shutil
import time
from contextlib import ExitStack
from pathlib import Path

import msgspec
import pytest
import zmq

from footage_maker import CAMERA, CAMERA_ROW, MAIN, Run, make_disk, make_home, write
from hook_rig import SECOND_NS, HookBox, answers, free_port, until
from look_rig import keepers
from segment_maker import encode
from vonggac.media.chunk import Codec
from vonggac.motion.mark_files import MarkFiles, days_of, marks_of_day
from vonggac.motion.marks import Mark
from vonggac.registry.camera import AdminState
from vonggac.registry.catalog import Catalog
from vonggac_appliance import bus_events
from vonggac_appliance.hook_marks import folder_of
from vonggac_appliance.hook_marks_survey import MarkSurvey
from vonggac_appliance.messages_motion import MarksFound, MotionQuery, Watched
from vonggac_appliance.motion_marks import MotionMarks
from vonggac_appliance.sockets import ipc_path, prepare_class

LENGTH_S = 20


def mark_at(begin_s: float, length_s: float = 1.0) -> Mark:
    span = (int(begin_s * SECOND_NS), int((begin_s + length_s) * SECOND_NS))
    return Mark(1, *span, "lorry", (0.0, 0.0, 1.0, 1.0), 1.0, span[1])


def kept(home: Path, camera: bytes = CAMERA) -> list[int]:
    """Where the marks of a camera begin, unix seconds."""
    folder = folder_of(home)
    days = days_of(folder, camera)
    return [m.from_ns // SECOND_NS for day in days for m in marks_of_day(folder, camera, day)]


def test_what_has_lost_its_footage_goes_and_what_is_new_or_unknown_stays(
    home: Path, tmp_path: Path
) -> None:
    ffmpeg = shutil.which("ffmpeg")
    if ffmpeg is None:
        pytest.skip("ffmpeg is not installed")
    start_s = int(time.time()) - 3 * 86_400
    make_home(home, msgspec.structs.replace(CAMERA_ROW, streams=CAMERA_ROW.streams[:1]))
    disk = make_disk(home)
    run = Run(encode(ffmpeg, Codec.H264, tmp_path, 4, 2), start_s * SECOND_NS)
    write(disk, run.chunks(LENGTH_S))
    begins = [
        start_s - 3600,  # before the footage
        start_s + 5,
        start_s + LENGTH_S + 5,  # another computer's clock
        start_s + LENGTH_S + 120,  # behind it
        start_s + 86_400,  # a day of which nothing is left
        int(time.time()) - 60,  # it may still become durable
    ]
    files = MarkFiles(folder_of(home), 1 << 20)
    for begin_s in begins:
        files.add(CAMERA, mark_at(begin_s))
    with Catalog(home, is_readonly=True) as catalog:
        disks = [row.uuid for row in catalog.disks()]
    survey = MarkSurvey(home, folder_of(home), lambda: {CAMERA: (MAIN,)}, lambda: disks)

    survey.look()  # the disk is away: nobody says that its footage is gone
    assert survey.gone.empty()
    with ExitStack() as stack:
        stack.enter_context(keepers(home, disk))
        survey.look()
        while not survey.gone.empty():
            shown = survey.gone.get()
            files.keep_only(shown.camera, shown.day, shown.has)
        survey.look()
        assert survey.gone.empty()
    survey.close()
    files.close()

    assert kept(home) == [begins[1], begins[2], begins[5]]


def test_a_mark_that_comes_while_footage_is_asked_for_waits_for_the_next_pass(
    home: Path, tmp_path: Path
) -> None:
    """A detector catches up: nobody has asked for the footage of its marks."""
    ffmpeg = shutil.which("ffmpeg")
    if ffmpeg is None:
        pytest.skip("ffmpeg is not installed")
    start_s = (int(time.time()) // 86_400 - 3) * 86_400
    make_home(home, msgspec.structs.replace(CAMERA_ROW, streams=CAMERA_ROW.streams[:1]))
    disk = make_disk(home)
    run = Run(encode(ffmpeg, Codec.H264, tmp_path, 4, 2), (start_s + 600) * SECOND_NS)
    write(disk, run.chunks(LENGTH_S))
    files = MarkFiles(folder_of(home), 1 << 20)
    files.add(CAMERA, mark_at(start_s + 60))
    with Catalog(home, is_readonly=True) as catalog:
        disks = [row.uuid for row in catalog.disks()]
    survey = MarkSurvey(home, folder_of(home), lambda: {CAMERA: (MAIN,)}, lambda: disks)
    with ExitStack() as stack:
        stack.enter_context(keepers(home, disk))
        survey.look()
        files.add(CAMERA, mark_at(start_s + 40))
        files.add(CAMERA, mark_at(start_s + 605))
        shown = survey.gone.get_nowait()
        assert files.keep_only(shown.camera, shown.day, shown.has) == 1
        assert kept(home) == [start_s + 40, start_s + 605]
        survey.look()
        shown = survey.gone.get_nowait()
        assert files.keep_only(shown.camera, shown.day, shown.has) == 1
    survey.close()
    files.close()

    assert kept(home) == [start_s + 605]


def test_what_speaks_of_footage_that_has_just_gone_is_told_to_nobody(home: Path) -> None:
    make_home(home)
    begin_s = int(time.time()) - 3600
    files = MarkFiles(folder_of(home), 1 << 20)
    for second in (0, 99, 200):
        files.add(CAMERA, mark_at(begin_s + second))
    files.close()
    query = MotionQuery([Watched(CAMERA)], begin_s * SECOND_NS, time.time_ns(), marks=[])
    with Catalog(home, is_readonly=True) as catalog:
        marks = MotionMarks(home, catalog, lambda _: True, lambda stream: begin_s + 100)
        found = [one for told in marks.search(1, query) if isinstance(told, MarksFound)
                 for one in told.marks]  # fmt: skip

    assert [one.from_ns // SECOND_NS - begin_s for one in found] == [200]


def test_of_a_camera_that_was_withdrawn_no_mark_is_left(home: Path) -> None:
    box = HookBox(home)
    now_s = time.time()
    for camera in (b"\1" * 16, b"\2" * 16):
        files = MarkFiles(folder_of(home), 1 << 20)
        files.add(camera, mark_at(now_s - 5))
        files.close()
    with box.hooks(), Catalog(home) as catalog:
        until("its start", lambda: (home / "run/events/events-hooks.sock").exists())
        row = catalog.camera("cam1")
        assert row is not None
        catalog.change_camera(msgspec.structs.replace(row, admin_state=AdminState.WITHDRAWN))
        until("their end", lambda: not kept(home, b"\1" * 16))

        assert kept(home, b"\2" * 16) == [int(now_s - 5)]


def test_where_no_program_comes_in_any_more_marks_are_erased_all_the_same(home: Path) -> None:
    box = HookBox(home)
    (home / "config.toml").write_text("")
    files = MarkFiles(folder_of(home), 1 << 20)
    files.add(b"\1" * 16, mark_at(time.time() - 100 * 86_400))
    files.add(b"\1" * 16, mark_at(time.time() - 5))
    files.close()
    with box.hooks():
        until("the end of the old one", lambda: len(kept(home, b"\1" * 16)) == 1)
        assert "no program may come in; marks are erased in their time" in box.log.read_text()


def test_others_hear_of_a_mark_and_of_how_many_there_were(home: Path) -> None:
    box, port = HookBox(home), free_port()
    prepare_class(home, "events")
    with zmq.Context() as context, context.socket(zmq.SUB) as bus, box.running():
        bus.linger = 0
        bus.subscribe(b"")
        path = bus_events.events_endpoint(home, "hooks")
        with (
            ipc_path(path) as address,
            box.program(port, box.grant(port, kinds=("marks",))) as hook,
        ):
            bus.connect(address)
            until("the bus", lambda: bus.poll(200) and bus.recv_multipart())
            now_ns = time.time_ns()
            hook.mark("cam1", now_ns - SECOND_NS, now_ns, "lorry", (0.25, 0.5, 0.5, 1.0), 0.75)
            hook.mark("cam2", now_ns - SECOND_NS, now_ns, "lorry")
            assert [told["type"] for told in answers(hook, 2)] == ["kept", "refused"]
            heard: list[bus_events.Event] = []

            def is_counted() -> bool:
                while bus.poll(200):
                    heard.append(bus_events.decode_event(bus.recv_multipart()))
                counts = [one for one in heard if isinstance(one, bus_events.HookCounts)]
                return any(one.hooks for one in counts)

            until("the counts", is_counted)

    (added,) = [one for one in heard if isinstance(one, bus_events.MarkAdded)]
    assert (added.camera, added.kind, added.name) == ("cam1", "lorry", "traffic desk")
    assert (added.box, added.score, added.to_ns) == ((0.25, 0.5, 0.5, 1.0), 0.75, now_ns)
    counts = [one for one in heard if isinstance(one, bus_events.HookCounts)][-1]
    assert counts.hooks == [bus_events.HookCount(1, 1, {"camera": 1})]
    assert counts.marks_bytes > 0
