"""A camera that is being recorded is not looked at by hand: a second viewer could end that."""

from __future__ import annotations

import json

import pytest

from box_rig import Box, Cameras

pytestmark = pytest.mark.slow


def test_a_recorded_camera_is_refused_without_a_connection_and_asked_anyway(
    box: Box, cameras: Cameras
) -> None:
    box.add(cameras, "cam1")
    with box.running():
        box.until_durable(1.0)
        before = cameras.connections
        words = ("--credentials-file", str(box.login), "--seconds", "2")
        url = cameras.url("cam1", "main")
        told = box.run_here("camera", "probe", url, *words, status=1)
        assert "cam1 at that address is being recorded" in told
        assert "being recorded" in box.run_here("camera", "capture", "cam1", status=1)
        assert cameras.connections == before
        runs = {name: stream.run for name, stream in box.streams().items()}
        facts = json.loads(box.run_here("camera", "probe", url, *words, "--anyway", "--json"))
        assert facts["known_as"] == ["cam1"]
        assert facts["streams"][0]["figures"]["pictures"] > 10
        assert cameras.connections == before + 1
        assert {name: stream.run for name, stream in box.streams().items()} == runs
