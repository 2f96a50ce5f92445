"""Alarms on the page and in commands, of a recorder that runs and of one that does not."""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import zmq

from audit_rig import audit_run, chain_of
from box_rig import Box
from vonggac.registry.camera import Camera
from vonggac.registry.catalog import Catalog
from vonggac.registry.passwords import Hasher
from vonggac.registry.people import Account, Role
from vonggac_appliance import bus_control, control
from vonggac_appliance.accounts import Caller
from vonggac_appliance.bus_events import CameraTrouble
from vonggac_appliance.events import Publisher
from vonggac_appliance.services import Services
from web_rig import Browser, browser

HERE = Caller("127.0.0.1", "test")
_S = 1_000_000_000
PASSWORD = "trời mưa thì ướt sân 7"
PEOPLE = {
    "An": (Role.COMMANDER, ()),
    "Bình": (Role.AREA_OFFICER, ("Tổ 3",)),
    "Kiểm": (Role.AUDITOR, ()),
}


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Box]:
    """A recorder with one camera in its catalog, that nobody connects to."""
    made = Box(tmp_path_factory.mktemp("alarms") / "home", "256M")
    with Catalog(made.home) as catalog:
        camera = Camera(os.urandom(16), "cam1", (), time.time_ns(), area="Tổ 1")
        catalog.add_camera(camera)
        kept = Hasher(time_cost=1, memory_kib=64).hash(PASSWORD)
        for name, (role, areas) in PEOPLE.items():
            row = Account(os.urandom(16), name, role, kept, time.time_ns(), areas)
            catalog.add_account(row)
    with audit_run(made.home), made.running():
        made.until_answered()
        yield made
    made.discard()


def page_of(services: Services, name: str) -> Browser:
    token, _ = services.accounts.sign_in(name, PASSWORD, HERE)
    return browser(services, token)


def raise_alarm(home: Path, camera: str) -> int:
    """A real one: the lock command has it raised. Gives its number."""
    what = f"a lock of {camera} would go beyond 20 % of the disk"
    assert isinstance(control.ask(home, bus_control.LockRefused(camera, what)), bus_control.Ok)
    reply = control.ask(home, bus_control.AskAlarms())
    assert isinstance(reply, bus_control.AlarmsReply)
    return next(row.number for row in reply.alarms if row.subject == camera and row.is_open)


def told(page: Browser) -> dict[int, dict[str, object]]:
    answer = page.get("/api/v1/alarms")
    assert answer.status_code == 200, answer.text
    return {row["number"]: row for row in answer.json["alarms"]}


def test_an_alarm_is_shown_seen_and_acknowledged_by_name(box: Box, services: Services) -> None:
    number = raise_alarm(box.home, "cam1")
    page = page_of(services, "An")
    assert told(page)[number]["seen_by"] is None

    shown = page.get("/alarms")
    assert shown.status_code == 200
    assert "Từ chối khóa giữ" in shown.text
    assert told(page)[number]["seen_by"] == "An"

    answer = page.post(f"/alarms/{number}/acknowledge", data={"note": "đã gỡ khóa cũ <b>"})
    assert answer.status_code == 303
    row = told(page)[number]
    assert (row["acknowledged_by"], row["note"]) == ("An", "đã gỡ khóa cũ <b>")
    assert "đã gỡ khóa cũ &lt;b&gt;" in page.get("/alarms").text
    assert chain_of(box.home)[-1]["action"] == "alarm acknowledge"


def test_who_may_not_know_a_camera_learns_nothing_of_its_alarms(
    box: Box, services: Services
) -> None:
    number = raise_alarm(box.home, "cam1")
    page = page_of(services, "Bình")

    assert number not in told(page)
    assert page.get("/api/v1/alarms/open").json == {"open": 0}
    assert page_of(services, "An").get("/api/v1/alarms/open").json["open"] > 0
    assert page.post(f"/alarms/{number}/acknowledge").status_code == 404


def test_camera_trouble_needs_a_look_at_two_moments_of_the_footage(
    box: Box, services: Services
) -> None:
    at_ns = time.time_ns()
    usual_ns, shown_ns = at_ns - 400 * _S, at_ns - 60 * _S
    trouble = CameraTrouble("cam1", "covered", at_ns - 300 * _S, usual_ns, shown_ns, at_ns)
    page = page_of(services, "An")
    until_s = time.monotonic() + 60
    with zmq.Context() as context:
        motion = Publisher(box.home, "motion", context)
        while not (found := [r for r in told(page).values() if r["kind"] == "view-covered"]):
            assert time.monotonic() < until_s
            motion.send(trouble)
            time.sleep(0.1)
        motion.close()

    (row,) = found
    assert (row["subject"], row["count"]) == ("cam1", 1)
    assert row["pictures_ms"] == [usual_ns // 1_000_000, shown_ns // 1_000_000]
    shown = page.get("/alarms").text
    assert "Cần kiểm tra: camera có thể bị che" in shown
    links = re.findall(r'href="(/cameras/[0-9a-f]{32}\?at=(\d+))"', shown)
    assert [int(moment_ms) for _, moment_ms in links] == row["pictures_ms"]
    for link, _ in links:
        own = page.get(link).text
        assert "Cần kiểm tra: camera có thể bị che" in own
        shown = re.findall(r'href="/cameras/\w+\?at=(\d+)"', own)
        assert shown == [moment_ms for _, moment_ms in links]
    assert row["number"] not in told(page_of(services, "Bình"))


def test_an_auditor_changes_nothing(box: Box, services: Services) -> None:
    number = raise_alarm(box.home, "cam1")

    assert page_of(services, "Kiểm").post(f"/alarms/{number}/acknowledge").status_code == 403


def test_commands_tell_and_acknowledge_and_a_stopped_recorder_leaves_its_alarms(
    box: Box, services: Services
) -> None:
    number = raise_alarm(box.home, "cam1")
    listed = json.loads(box.run_here("alarm", "list", "--json"))["alarms"]
    assert number in [row["alarm"] for row in listed]

    row = json.loads(box.run_here("alarm", "acknowledge", str(number), "--note", "x", "--json"))
    assert row["acknowledged_by"] == f"local:{os.getuid()}"
    box.run_here("alarm", "acknowledge", "9999", status=1)

    page = page_of(services, "An")
    box.stop()
    assert "acknowledged" in box.run_here("alarm", "list", "--all")
    shown = page.get("/alarms")
    box.start()
    box.until_answered()

    assert "Bộ ghi không chạy" in shown.text
    assert f"/alarms/{number}/acknowledge" not in shown.text
