"""Programs say what they saw: kept with their name, refused in words, never more than granted."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from audit_rig import vonggac
from hook_rig import CLIENTS, SECOND_NS, HookBox, answers, free_port, until
from motion_rig import motion_run
from vonggac.registry.camera import Basis, Camera, Hours, Mode
from vonggac.registry.catalog import Catalog
from vonggac.registry.hooks import Hook, HookKind
from vonggac_appliance.hook_marks import HookMarks
from vonggac_appliance.hook_protocol import HookMark, HookRefused
from vonggac_appliance.hooking import box_key

_NPM_CODE = re.compile(r"npm (?:error|ERR!) code (\w+)")
_NO_NETWORK = {"EAI_AGAIN", "ECONNREFUSED", "ENETUNREACH", "ENOTFOUND", "ETIMEDOUT"}
WORDS = ("--from", "-1h", "--to", "now")


@pytest.fixture
def box(home: Path) -> HookBox:
    return HookBox(home)


def listed(box: HookBox, capsys: pytest.CaptureFixture[str], *more: str) -> list[dict[str, Any]]:
    capsys.readouterr()
    assert vonggac(box.home, "mark", "list", "cam1", *WORDS, "--json", *more) == 0
    marks: list[dict[str, Any]] = json.loads(capsys.readouterr().out)["marks"]
    return marks


def test_a_mark_is_kept_with_its_source_and_found_by_kind(
    box: HookBox, capsys: pytest.CaptureFixture[str]
) -> None:
    port = free_port()
    with box.running():
        key = box.grant(port, kinds=("marks",))
        with box.program(port, key) as hook:
            now_ns = time.time_ns()
            hook.mark("cam1", now_ns - SECOND_NS, now_ns, "lorry", (0.25, 0.5, 0.5, 1.0), 0.75)
            hook.mark("cam1", now_ns - SECOND_NS, now_ns, "person")
            kept = answers(hook, 2)
        with motion_run(box.home):
            lorries = listed(box, capsys, "--kind", "lorry", "--purpose", "case 7")
            every = listed(box, capsys)
            newest = listed(box, capsys, "--limit", "1")
    first, *_ = box.lines("mark list")

    assert [(told["type"], told["number"]) for told in kept] == [("kept", 1), ("kept", 2)]
    ((mark),) = lorries
    assert (mark["kind"], mark["score"], mark["box"]) == ("lorry", 0.75, [0.25, 0.5, 0.5, 1.0])
    assert (mark["hook"], mark["name"]) == (1, "traffic desk")
    assert len(every) == 2 and len(newest) == 1
    assert first["object"] == "cam1" and first["purpose"]["text"] == "case 7"
    assert first["search"] == "marks of lorry in the whole picture"
    assert (first["permit"], first["cameras"]) == ("search", [(b"\1" * 16).hex()])


def test_what_is_no_mark_of_this_program_is_refused_in_words(
    box: HookBox, capsys: pytest.CaptureFixture[str]
) -> None:
    port = free_port()
    now_ns = time.time_ns()
    span = (now_ns - SECOND_NS, now_ns)
    with box.running():
        key = box.grant(port, kinds=("marks",))
        with box.program(port, key) as hook:
            hook.mark("cam2", *span, "lorry")
            hook.mark("cam9", *span, "lorry")
            hook.mark("cam1", *span, "face")
            hook.mark("cam1", now_ns, now_ns + 600 * SECOND_NS, "lorry")
            hook.mark("cam1", *span, "lorry", (0.5, 0.5, 0.5, 0.5))
            hook._say({"type": "mark", "number": 6, "camera": "cam1", "text": "51A-12345"})
            hook._socket.send(b"\xff" * 100)
            hook._socket.send_multipart([b"\x80", b"\x80"])
            told = answers(hook, 8)
        with motion_run(box.home):
            marks = listed(box, capsys)

    by_number = {one["number"]: one for one in told if one["number"]}
    codes = [by_number[number]["code"] for number in range(1, 6)]
    assert codes == ["camera", "camera", "kind", "to_ns", "box"]
    assert [one["code"] for one in told if not one["number"]] == ["malformed"] * 3
    assert by_number[1]["what"] == by_number[2]["what"]
    assert marks == []


def taken(box: HookBox, hook: Hook, camera: Camera, *spans: tuple[int, int]) -> list[str]:
    """`kept`, or the code, of a mark of each span in seconds from now."""
    now_ns = time.time_ns()
    told = []
    with Catalog(box.home, is_readonly=True) as catalog:
        marks = HookMarks(box.home, catalog, lambda _: None)
        for from_s, to_s in spans:
            span = (now_ns + from_s * SECOND_NS, now_ns + to_s * SECOND_NS)
            answer = marks.take(hook, camera, HookMark(1, camera.code, *span, "person"))
            told.append(answer.code if isinstance(answer, HookRefused) else "kept")
        marks.close()
    return told


def granted(made_s: int, camera: Camera) -> Hook:
    """`made_s`: from now."""
    now_ns = time.time_ns()
    words = ("desk", "counts", (camera.id,), (HookKind.MARKS,), 7701, "k" * 40)
    made_ns = now_ns + made_s * SECOND_NS
    return Hook(1, *words, now_ns + 3600 * SECOND_NS, "ab" * 16, "", "local:0", made_ns)


def test_a_mark_speaks_of_the_time_since_the_grant(box: HookBox) -> None:
    with Catalog(box.home, is_readonly=True) as catalog:
        camera = catalog.camera("cam1")
    assert camera is not None
    hook = granted(-60, camera)

    told = taken(box, hook, camera, (-50, -40), (-80, -40), (-3600, -3599), (-63, -50))
    assert told == ["kept", "from_ns", "from_ns", "kept"]


def test_a_mark_speaks_of_the_time_of_the_agreement_and_of_its_hours(box: HookBox) -> None:
    now_ns = time.time_ns()
    minute = now_ns // (60 * SECOND_NS) % 1440
    hours = (Hours((minute - 30) % 1440, (minute + 30) % 1440),)
    begin_ns = now_ns - 20 * 3600 * SECOND_NS
    basis = Basis(Mode.RECORDED_AND_LIVE, begin_ns, hours=hours, utc_offset_minutes=0, hooks=True)
    with Catalog(box.home) as catalog:
        camera = catalog.camera("cam4")
        assert camera is not None
        camera = msgspec.structs.replace(camera, basis=basis)
        catalog.change_camera(camera)
    hook = granted(-30 * 3600, camera)

    spans = [(-60, -1), (-3600, -60), (-3600, -3599), (-5 * 3600, -5 * 3600 + 1)]
    told = taken(box, hook, camera, *spans, (-21 * 3600, -21 * 3600 + 1))
    assert told == ["kept", "from_ns", "from_ns", "from_ns", "from_ns"]
    basis = msgspec.structs.replace(basis, hours=(), from_ns=now_ns - 1800 * SECOND_NS)
    camera = msgspec.structs.replace(camera, basis=basis)
    assert taken(box, hook, camera, (-60, 4), (-2000, -1700)) == ["kept", "from_ns"]


def test_who_may_only_listen_marks_nothing(box: HookBox) -> None:
    port = free_port()
    with box.running():
        key = box.grant(port, kinds=("motion",))
        with box.program(port, key) as hook:
            now_ns = time.time_ns()
            hook.mark("cam1", now_ns - SECOND_NS, now_ns, "lorry")
            (told,) = answers(hook, 1)

    assert told["code"] == "camera"


def test_a_huge_message_ends_its_connection_and_no_other(box: HookBox) -> None:
    port = free_port()
    with box.running():
        key = box.grant(port, kinds=("marks",))
        with box.program(port, key) as good, box.program(port, key) as bad:
            now_ns = time.time_ns()
            bad._socket.send(b"\x80" * (1 << 20))
            for _ in range(20):
                good.mark("cam1", now_ns - SECOND_NS, now_ns, "car")
            told = answers(good, 20)

    assert {one["type"] for one in told} == {"kept"}


def test_marks_that_the_chain_does_not_know_of_are_not_shown(
    box: HookBox, capsys: pytest.CaptureFixture[str]
) -> None:
    with motion_run(box.home):
        assert vonggac(box.home, "mark", "list", "cam1", *WORDS) == 1
    assert "the audit chain does not answer" in capsys.readouterr().err
    assert vonggac(box.home, "mark", "list", "cam1", *WORDS) == 1
    assert "`vonggac motion run` is not running" in capsys.readouterr().err


@pytest.mark.slow
def test_a_detector_in_another_language_marks(
    box: HookBox,
    program: Callable[[str], str],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    node, npm = program("node"), program("npm")
    here = tmp_path / "examples"
    here.mkdir()
    for name in ("package.json", "package-lock.json", "detector.cjs"):
        shutil.copy(CLIENTS / "examples" / name, here)
    command = [npm, "ci", "--no-audit", "--no-fund", "--ignore-scripts", "--prefer-offline"]
    done = subprocess.run(
        command, cwd=here, capture_output=True, text=True, timeout=300, check=False
    )
    if (code := _NPM_CODE.search(done.stderr)) and code[1] in _NO_NETWORK:
        pytest.skip(f"npm reaches no registry ({code[1]})")
    assert done.returncode == 0, done.stderr
    port = free_port()
    with box.running():
        key = box.grant(port, kinds=("marks",))
        until("its door", lambda: f"at port {port}" in box.log.read_text())
        done = subprocess.run(
            [node, "detector.cjs", f"tcp://127.0.0.1:{port}", box_key(box.home), str(key), "cam1"],
            cwd=here,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        with motion_run(box.home):
            marks = listed(box, capsys)

    assert (done.returncode, done.stdout.split()) == (0, ["kept", "1"]), done.stderr
    assert [(mark["kind"], mark["name"]) for mark in marks] == [("lorry", "traffic desk")]
