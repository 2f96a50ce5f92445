"""A camera that sends more than it may."""

from __future__ import annotations

import dataclasses
import threading
from pathlib import Path

import pytest

from box_rig import Box, Cameras
from vonggac_appliance.camera_clip import STREET, load_scene
from vonggac_appliance.camera_server import CameraServer, SimulatedStream

LIMIT = '[cameras]\nflood_rate = "1 Mbit/s"\n'


@pytest.mark.slow
def test_a_flood_is_a_gap_with_its_name_and_no_neighbours_business(tmp_path: Path) -> None:
    main, _ = load_scene(STREET)
    fivefold = dataclasses.replace(main, frame_ticks=main.frame_ticks // 5)
    loud = CameraServer([SimulatedStream("/loud/main", fivefold, 0)])
    thread = threading.Thread(target=loud.run)
    thread.start()
    quiet = Cameras(1)
    box = Box(tmp_path / "home")
    try:
        (box.home / "config.toml").write_text(LIMIT)
        box.add(quiet, "cam1")
        box.run_here("camera", "add", "loud", "--url", f"rtsp://127.0.0.1:{loud.port}/loud/main")
        with box.running():
            flooded = box.until(lambda now: any(c.gap_reason == "flood" for c in now.cameras))
            box.until(
                lambda now: any(
                    c.id == "loud" and c.streams[0].state == "recording" for c in now.cameras
                )
            )

        assert {c.id for c in flooded.cameras if c.gap_reason == "flood"} == {"loud"}
        assert "flood" in {reason for reason, _ in box.holes("loud", "main")}
        assert box.holes("cam1", "main") == []
    finally:
        box.discard()
        quiet.stop()
        loud.stop()
        thread.join()
