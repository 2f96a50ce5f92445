"""The bench's camera source sends what it says it sends, to every session alike."""

from __future__ import annotations

import importlib.util
import itertools
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from rtsp_viewer import Viewer
from vonggac.rtsp.events import PlayReady


@pytest.fixture(scope="module")
def camera_source(
    root: Path, program: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory
) -> ModuleType:
    program("cc")
    path = root / "bench" / "camera_source.py"
    if not path.exists():
        pytest.skip("the benches are not here")
    spec = importlib.util.spec_from_file_location("camera_source", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["camera_source"] = module
    spec.loader.exec_module(module)
    module.BUILD = tmp_path_factory.mktemp("build")  # type: ignore[attr-defined]
    return module


def test_every_session_gets_the_same_stream_bit_by_bit(camera_source: ModuleType) -> None:
    with camera_source.Source(clip=camera_source.padded_clip(4_000_000)) as source:
        viewers = [Viewer(source.url(f"cam{number}")) for number in range(3)]
        assert all(isinstance(viewer.result, PlayReady) for viewer in viewers)
        seen = [viewer.access_units(30) for viewer in viewers]
        for viewer in viewers:
            viewer.close()
        report = source.stop()
        for units, session in zip(seen, source.sessions, strict=True):
            steps = {(b - a) % 2**32 for (a, _), (b, _) in itertools.pairwise(units)}
            assert steps == {3600}
            sent = list(source.sent(session))
            received = [nal for _, nals in units for nal in nals]
            at = sent.index(received[0])
            # Pictures repeat after ten seconds, so the first one is found once.
            assert sent[at : at + len(received)] == received
    assert report.lost == 0
    assert report.sessions_peak == 3


def test_the_padded_clip_has_the_rate_it_is_made_for(camera_source: ModuleType) -> None:
    clip = camera_source.padded_clip(4_000_000)
    size = sum(len(nal) for unit in clip.units for nal in unit)
    assert size * 8 * 25 / len(clip.units) == pytest.approx(4_000_000, rel=0.1)
