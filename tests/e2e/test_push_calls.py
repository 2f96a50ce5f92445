"""What a box keeps of calls: who came from where, and under which certificate."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from audit_rig import audit_run, chain_of
from box_rig import DEADLINE_S
from certificates import make_certificate
from push_rig import Publisher, PushBox

pytestmark = pytest.mark.slow


@pytest.fixture
def box(tmp_path: Path) -> Iterator[PushBox]:
    made = PushBox(tmp_path / "home")
    yield made
    made.discard()


def until_said(home: Path, action: str, result: str) -> str:
    """Waits for a line of the chain; gives what it is about."""
    until_s = time.monotonic() + DEADLINE_S
    while time.monotonic() < until_s:
        for line in chain_of(home):
            if (line["action"], line["result"]) == (action, result):
                return str(line["object"])
        time.sleep(0.05)  # nothing tells when a line is there
    raise AssertionError(chain_of(home))


def test_from_where_a_camera_called_stands_in_the_chain_and_is_shown(box: PushBox) -> None:
    key = box.add_push("nha12")
    with audit_run(box.home), box.taking_calls():
        with Publisher(box.port, "nha12", "nha12", key, home="127.0.0.7") as camera:
            assert camera.record() == [200, 200, 200]
            where = f"127.0.0.7 port {camera.sock.getsockname()[1]}, TLSv1.3"
            with camera.sending():
                box.until_recording("nha12", 0.0)
                with Publisher(box.port, "nha12", "nha12", key, home="127.0.0.8") as other:
                    assert other.announce() == 453
                with Publisher(box.port, "nha12", "nha12", "wrong", home="127.0.0.9") as other:
                    assert other.announce() == 401
                assert where in box.run_here("camera", "show", "nha12")
        begun = until_said(box.home, "camera publish", "allowed")
        assert begun == f"nha12/main from {where}"
        assert "127.0.0.8" in until_said(box.home, "camera publish", "another one publishes")
        assert "127.0.0.9" in until_said(box.home, "camera publish", "wrong key")
        assert until_said(box.home, "camera publish end", "done").startswith(begun)
        shown = json.loads(box.run_here("camera", "show", "nha12", "--json"))["publishers"]
        assert (shown[0]["address"], shown[0]["tls"]) == ("127.0.0.7", "TLSv1.3")
        assert shown[0]["until"] is not None
    assert key not in (box.home / "audit" / "log.jsonl").read_text()


def test_a_certificate_is_renewed_under_a_publisher_who_goes_on(box: PushBox) -> None:
    names = ("box.lan", "127.0.0.1")
    make_certificate(box.home / "tls", names, days=10)
    key = box.add_push("nha12")
    with box.taking_calls(), Publisher(box.port, "nha12", "nha12", key) as camera:
        assert camera.record() == [200, 200, 200]
        with camera.sending():
            box.until_recording("nha12", 0.0)
            before = box.until(lambda now: "push" in now.certificates and now.alarms_open > 0)
            alarms = json.loads(box.run_here("alarm", "list", "--json"))["alarms"]
            assert [row["subject"] for row in alarms if row["kind"] == "certificate-ends"] == [
                "push"
            ]
            make_certificate(box.home / "tls", names, days=90)
            box.until(
                lambda now: (
                    now.certificates["push"] > before.certificates["push"] and now.alarms_open == 0
                )
            )
            with Publisher(box.port, "nha12", "nha12", key) as other:
                shown = other.sock.getpeercert(binary_form=True)
            assert shown != camera.sock.getpeercert(binary_form=True)
            box.until_recording("nha12", 0.5)
    assert box.holes("nha12", "main") == []
