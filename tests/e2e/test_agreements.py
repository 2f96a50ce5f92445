"""What an owner agreed to, obeyed by a recorder that is recording."""

from __future__ import annotations

import time
from pathlib import Path

import msgspec
import pytest

from box_rig import Box, Cameras, states
from vonggac.media.chunk import gap_word
from vonggac.registry.catalog import Catalog
from vonggac_appliance.clock import iso

SECOND_NS = 1_000_000_000


@pytest.mark.slow
def test_an_agreement_that_ends_while_recording_ends_it_and_says_so(
    tmp_path: Path, cameras: Cameras
) -> None:
    box = Box(tmp_path / "home")
    hour = iso(time.time_ns() + 3600 * SECOND_NS)
    agreement = ("--basis-mode", "C", "--basis-until", hour, "--basis-from", "-1h")
    box.add(cameras, "cam1", *agreement, kind="household")
    box.add(cameras, "cam2", *agreement, "--basis-retention-days", "3", kind="school")
    began_ns = time.time_ns()
    with box.running():
        box.until_durable()
        # A camera whose row changes is connected anew: on a busy machine that takes its time, too.
        now_ns = time.time_ns()
        until_ns = now_ns + 2 * SECOND_NS + 2 * (now_ns - began_ns)
        with Catalog(box.home) as catalog:
            for camera in catalog.cameras():
                assert camera.basis is not None
                basis = msgspec.structs.replace(camera.basis, until_ns=until_ns)
                catalog.change_camera(msgspec.structs.replace(camera, basis=basis))
        status = box.until(lambda now: all(c.state == "paused" for c in now.cameras))
        assert [c.gap_reason for c in status.cameras] == ["agreement ended"] * 2
        assert [c.what for c in status.cameras] == ["the agreement has ended"] * 2
        connections = cameras.connections
        time.sleep(6.0)  # longer than a rule is looked at anew: nothing is to happen
        assert cameras.connections == connections
    for name in ("cam1", "cam2"):
        line = box.timeline(name, "main", until_ns - 3600 * SECOND_NS)
        end_ns = line.ranges[-1].to_ns
        assert until_ns - 3 * SECOND_NS < end_ns < until_ns + 3 * SECOND_NS
        gap = next(gap for gap in line.gaps if gap.from_ns >= end_ns)
        assert gap_word(gap.reason) == "agreement ended"


AGREEMENTS = {
    "none": (),
    "registry": ("--basis-mode", "A"),
    "on-request": ("--basis-mode", "B"),
    "ended": ("--basis-mode", "C", "--basis-from", "-2h", "--basis-until", "-1h"),
}


def test_household_cameras_that_may_not_be_recorded_are_never_connected_to(
    box: Box, cameras: Cameras
) -> None:
    for code, agreement in AGREEMENTS.items():
        box.add(cameras, code, *agreement, kind="household")
    with box.running():
        box.until(lambda now: states(now) == dict.fromkeys(AGREEMENTS, "paused"))
        box.run("camera", "list")
    assert cameras.connections == 0
