"""What befalls cameras and the way to them, in the bench's short form: nobody is given up."""

from __future__ import annotations

import importlib
import sys
import time
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow


def test_no_camera_is_stuck_after_any_fault_and_none_sees_two_sessions(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each kind once, all at the same time, a camera each."""
    if not (root / "bench" / "episodes.py").exists():
        pytest.skip("the benches are not here")
    monkeypatch.setattr(sys, "path", [str(root / "bench"), *sys.path])
    bench, faults = importlib.import_module("episodes"), importlib.import_module("faults")
    kinds = [kind for kind in faults.KINDS if kind.name not in faults.SLOW]
    of_udp = importlib.import_module("udp_faults")
    udp_kinds = [kind for kind in of_udp.UDP_KINDS if kind.name not in of_udp.UDP_SLOW]
    both = [*kinds, *udp_kinds]
    seed = time.time_ns() % 1000
    report = bench.run(
        tmp_path,
        cameras=len(both),
        udp=len(udp_kinds),
        kinds=kinds,
        udp_kinds=udp_kinds,
        each=1,
        rounds=0,
        stretch=0.5,
        seed=seed,
        size="1536M",
        segment_size="16M",
    )
    assert report.problems == [], f"seed {seed}"
    assert {episode.kind for episode in report.episodes} == {kind.name for kind in both}
    assert report.sessions > len(both)
    assert report.doubles == 0
