"""Another device at a camera's address, met by a real recorder: paused, kept, confirmed."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from box_rig import Box, states
from dialled_camera import Named, clip
from quirk_camera import PASSWORD, USER
from quirk_server import QuirkServer
from vonggac_appliance import bus_control

pytestmark = pytest.mark.slow

OWN, FOREIGN = "IP Camera(C1214)", "IP Camera(C9999)"


class Neighbours:
    """Two cameras whose devices can be exchanged."""

    def __init__(self) -> None:
        shared = clip()
        self.all = [Named(shared, OWN), Named(shared, OWN)]
        self.home, self.street = self.all
        self.home.name, self.street.name = "home", "street"
        self.server = QuirkServer(self.all)

    def exchange(self) -> None:
        """Other devices answer from now on; those that were there are gone."""
        for quirk in self.all:
            quirk.calls_itself(FOREIGN)
            for visit in quirk.visits:
                self.server.end(visit)


@pytest.fixture
def neighbours() -> Iterator[Neighbours]:
    made = Neighbours()
    yield made
    made.server.stop()


def other_serials(now: bus_control.StatusReply) -> dict[str, str | None]:
    return {
        camera.id: camera.learnt.other_device.get("serial")
        for camera in now.cameras
        if camera.learnt is not None
    }


def test_a_household_waits_for_a_persons_word_and_the_street_is_recorded_on(
    neighbours: Neighbours, tmp_path: Path
) -> None:
    box = Box(tmp_path / "home", "320M")
    box.login.write_text(f"{USER}:{PASSWORD}\n")
    for quirk, kind, more in (
        (neighbours.home, "household", ("--basis-mode", "C")),
        (neighbours.street, "state", ()),
    ):
        url = neighbours.server.url(quirk)
        streams = ("--url", url, "--sub-url", url, "--credentials-file", str(box.login))
        box.run_here("camera", "add", quirk.name, *streams, "--owner-kind", kind, *more)
    box.start("run")
    box.until_durable(1.0)
    before = neighbours.home.logins
    neighbours.exchange()
    foreign = "suffix:C9999"
    box.until(
        lambda now: (
            states(now) == {"home": "paused", "street": "recording"}
            and other_serials(now) == {"home": foreign, "street": foreign}
            # What held longest names a gap: on a slow machine that is at first the camera's end.
            and now.cameras[0].gap_reason == "another device"
        )
    )
    assert neighbours.home.logins == before
    paused = box.status().cameras[0]
    assert "confirm-device" in paused.what
    alarms = json.loads(box.run("alarm", "list", "--json"))["alarms"]
    met = {one["subject"]: one["count"] for one in alarms if one["kind"] == "other-device"}
    assert met == {"home": 1, "street": 1}

    # Neither a crash nor an order to try again is a person's word about the device.
    box.stop(signal.SIGKILL)
    with box.running("run"):
        box.until(lambda now: states(now) == {"home": "paused", "street": "recording"})
        shown = json.loads(box.run("camera", "show", "home", "--json"))
        assert shown["device"]["serial"] == "suffix:C1214"
        assert shown["other_device"]["serial"] == foreign
        assert neighbours.home.logins == before
        box.run("camera", "confirm-device", "home")
        box.until(lambda now: states(now) == {"home": "recording", "street": "recording"})
        assert "no other device" in box.run("camera", "confirm-device", "home", status=1)
    log = (box.home / "audit" / "log.jsonl").read_text()
    lines = [json.loads(line) for line in log.splitlines()]
    said = [line for line in lines if line["action"] == "camera device"]
    assert [line["object"].split(":")[0] for line in said] == ["home"]
    assert "C9999" in said[0]["object"]
    box.discard()
