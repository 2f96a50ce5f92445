"""Other people's programs get what a commander granted, logged before it, and nothing else."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
import zmq

from audit_rig import vonggac
from hook_rig import SECOND_NS, Eyes, HookBox, free_port, until
from vonggac.registry.camera import AdminState, Basis, Mode, OwnerKind
from vonggac.registry.catalog import Catalog


@pytest.fixture
def box(home: Path) -> HookBox:
    return HookBox(home)


@pytest.fixture
def eyes(box: HookBox) -> Iterator[Eyes]:
    eyes = Eyes(box.home)
    yield eyes
    eyes.close()


def change_camera(box: HookBox, code: str, **change: Any) -> None:
    with Catalog(box.home) as catalog:
        camera = catalog.camera(code)
        assert camera is not None
        catalog.change_camera(msgspec.structs.replace(camera, **change))


def heard(hook: Any, eyes: Eyes, cameras: tuple[str, ...] = ("cam1",), wanted: int = 1) -> Any:
    """So many messages other than `grant`, while those cameras see something."""
    found: list[dict[str, Any]] = []

    def all_seen() -> bool:
        for camera in cameras:
            eyes.see(camera)
        found.extend(t for t in hook.messages(wait_s=0.2) if t["type"] != "grant")
        return len(found) >= wanted

    until("what the cameras saw", all_seen)
    return found


def test_a_program_for_one_camera_that_asks_for_everything_gets_that_camera(
    box: HookBox, eyes: Eyes
) -> None:
    port = free_port()
    with box.running():
        key = box.grant(port)
        with box.program(port, key) as hook:
            grant = next(hook.messages())
            found = heard(hook, eyes, ("cam1", "cam2", "cam3", "cam4", "cam5"), 5)

    assert (grant["cameras"], grant["kinds"]) == (["cam1"], ["events", "motion"])
    assert {told["camera"] for told in found} == {"cam1"}
    assert {told["type"] for told in found} == {"motion"}


def test_the_line_stands_in_the_chain_before_the_first_message(box: HookBox, eyes: Eyes) -> None:
    port = free_port()
    with box.running(), box.program(port, box.grant(port)) as hook:
        heard(hook, eyes)
        (first, *_) = box.lines("hook delivery")
    (*_, last) = box.lines("hook delivery")

    assert first["object"] == "cam1 to hook 1 «traffic desk»"
    assert first["purpose"] == {"code": "khác", "text": "counts lorries"}
    assert first["result"] == "allowed: events+motion"
    assert last["object"] == "hook 1" and last["result"].startswith("delivered cam1: ")


def test_without_the_chain_nothing_is_given(box: HookBox, eyes: Eyes) -> None:
    port = free_port()
    with box.running():
        key = box.grant(port)
    with box.hooks(), box.program(port, key) as hook:
        messages = hook.messages()
        next(messages)
        until("a refusal", lambda: eyes.see("cam1") or "nothing is given" in box.log.read_text())
        hook._listen_s = 0.0  # asks again at once
        told = next(messages)

    assert told["type"] == "grant" and told["missed"] > 0


def test_another_key_gets_no_further_than_the_handshake(box: HookBox, eyes: Eyes) -> None:
    port, other = free_port(), free_port()
    with box.running():
        box.grant(port)
        key = box.grant(other, cameras=("cam2",))
        with box.program(other, key) as hook:
            assert next(hook.messages())["cameras"] == ["cam2"]
        with box.program(port, key) as hook:
            assert list(hook.messages(wait_s=1.0)) == []


def test_who_uses_no_key_is_told_nothing(box: HookBox) -> None:
    port = free_port()
    with box.running(), zmq.Context() as context:
        key = box.grant(port)
        with context.socket(zmq.DEALER) as plain:
            plain.linger = 0
            plain.connect(f"tcp://127.0.0.1:{port}")
            plain.send(b"\x82\xa4type\xa6listen\xa1v\x01")
            assert not plain.poll(1000)
        with box.program(port, key) as hook:
            assert next(hook.messages())["type"] == "grant"


def test_a_revoked_program_is_told_nothing_more(box: HookBox, eyes: Eyes) -> None:
    port = free_port()
    with box.running():
        with box.program(port, box.grant(port)) as hook:
            heard(hook, eyes)
            assert vonggac(box.home, "hook", "revoke", "1") == 0
            until("its end", lambda: "hook 1 has ended" in box.log.read_text())
            eyes.see("cam1", 1)
            assert list(hook.messages(wait_s=1.0)) == []
        assert vonggac(box.home, "hook", "revoke", "1") == 1
    (line,) = box.lines("hook revoke")

    assert line["object"] == "hook 1 «traffic desk»"


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"admin_state": AdminState.PAUSED}, id="paused"),
        pytest.param({"owner_kind": OwnerKind.HOUSEHOLD}, id="a-household's-after-all"),
        pytest.param({"basis": Basis(Mode.RECORDED, 1)}, id="recorded-and-not-live"),
    ],
)
def test_a_camera_that_may_not_be_seen_any_more_says_nothing(
    box: HookBox, eyes: Eyes, change: dict[str, Any]
) -> None:
    port = free_port()
    with box.running(), box.program(port, box.grant(port, cameras=("cam1", "cam2"))) as hook:
        heard(hook, eyes, ("cam1", "cam2"), 2)
        change_camera(box, "cam1", **change)
        until("its end", lambda: next(hook.messages())["cameras"] == ["cam2"])
        found = heard(hook, eyes, ("cam1", "cam2"), 3)

    assert {told["camera"] for told in found[1:]} == {"cam2"}


def test_what_is_changed_holds_for_the_very_next_message(box: HookBox, eyes: Eyes) -> None:
    port = free_port()
    with box.running(), box.program(port, box.grant(port, cameras=("cam1", "cam2"))) as hook:
        heard(hook, eyes, ("cam1", "cam2"), 2)
        found: list[dict[str, Any]] = []
        for second in range(1, 6):
            with Catalog(box.home) as catalog:
                camera = catalog.camera("cam1")
                assert camera is not None
                paused = msgspec.structs.replace(camera, admin_state=AdminState.PAUSED)
                catalog.change_camera(paused)
            eyes.see("cam1", second)
            eyes.see("cam2", 100 + second)

            def is_told(wanted: int = 100 + second) -> bool:
                found.extend(t for t in hook.messages(wait_s=0.2) if t["type"] == "motion")
                return any(told["episode"] == wanted for told in found)

            until("the other camera", is_told)
            with Catalog(box.home) as catalog:
                catalog.change_camera(camera)

    assert not [told for told in found if told["camera"] == "cam1" and told["episode"] < 6]


def test_a_grant_ends_by_itself(box: HookBox) -> None:
    port = free_port()
    with box.running():
        box.grant(port)
        until("its beginning", lambda: f"at port {port}" in box.log.read_text())
        with Catalog(box.home) as catalog:
            (row,) = catalog.hooks()
            soon_ns = time.time_ns() + 3 * SECOND_NS
            catalog.put_hook(
                msgspec.structs.replace(row, number=2, port=free_port(), until_ns=soon_ns), None
            )
        until("its beginning", lambda: "hook 2 «traffic desk» is served" in box.log.read_text())
        until("its end", lambda: "hook 2 has ended" in box.log.read_text())

    assert "hook 1 has ended" not in box.log.read_text()


@pytest.mark.parametrize(
    ("mode", "why"),
    [
        (Mode.RECORDED_AND_LIVE, ""),
        (Mode.RECORDED, "cam4: the agreement does not allow live view"),
    ],
)
def test_a_household_s_camera_is_given_where_its_agreement_says_so(
    box: HookBox, eyes: Eyes, mode: Mode, why: str, capsys: pytest.CaptureFixture[str]
) -> None:
    change_camera(box, "cam4", basis=Basis(mode, 1, hooks=True))
    with box.running():
        if why:
            assert box.try_grant("--camera", "cam4") != 0
            assert why in capsys.readouterr().err
            return
        port = free_port()
        with box.program(port, box.grant(port, cameras=("cam4",))) as hook:
            heard(hook, eyes, ("cam4",))
            change_camera(box, "cam4", basis=Basis(mode, 1))
            until("its end", lambda: next(hook.messages())["cameras"] == [])


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("--camera", "cam4"), "cam4: its owner has not agreed that other programs have it"),
        (("--camera", "cam5"), "cam5: nobody has said whose camera this is"),
        (("--camera", "cam9"), "there is no camera cam9"),
        (("--until", "-1d"), "--until: a grant ends, at most 366 days ahead"),
        (("--until", "2999-01-01"), "--until: a grant ends, at most 366 days ahead"),
        (("--port", "80"), "--port: a port is a number from 1024 to 65535"),
        (("--key", "x"), "--key: a public CURVE key is 40 characters of Z85"),
        (("--purpose", " . "), "--purpose: a grant needs its purpose"),
    ],
)
def test_a_grant_that_may_not_be_is_refused(
    box: HookBox, words: tuple[str, ...], why: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with box.running():
        assert box.try_grant(*words) != 0
        assert why in capsys.readouterr().err
        vonggac(box.home, "hook", "list")
        assert "no program may have anything" in capsys.readouterr().out


def test_a_commander_approves_and_nobody_else(
    box: HookBox, capsys: pytest.CaptureFixture[str]
) -> None:
    with box.running():
        box.login.write_text(box.login.read_text().replace("con ngựa", "con chó"))
        assert box.try_grant() == 1
        box.login.write_text("Trần Thị Bình\ncon ngựa đúng pin ghim\n")
        assert box.try_grant() == 1
    results = [line["result"] for line in box.lines("hook add")]

    assert results == [
        "refused: wrong password",
        "refused: a program is let in by a commander, and by nobody else",
    ]
    assert "a program is let in by a commander" in capsys.readouterr().err


def test_keys_and_ports_are_of_one_hook_each(
    box: HookBox, capsys: pytest.CaptureFixture[str]
) -> None:
    port = free_port()
    with box.running():
        box.grant(port)
        assert box.try_grant("--port", str(port)) == 1
        assert f"another hook has port {port}" in capsys.readouterr().err
        assert vonggac(box.home, "hook", "revoke", "1") == 0
        used = box.lines("hook add")
        box.grant(port, file="second.key")

    assert len(used) == 2


def test_without_an_address_it_ends_with_78(
    box: HookBox, capsys: pytest.CaptureFixture[str]
) -> None:
    (box.home / "config.toml").write_text("")

    assert vonggac(box.home, "hooks", "run") == 78
    assert "set address in [hooks]" in capsys.readouterr().err
